"""Folders of clean pictures: which label map belongs to which picture, and what is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image
from skimage import data as pictures

from distortion_graph.base.errors import DistortionGraphError, ImageError, RegionError
from distortion_graph.datasets.pictures import load_alone, load_labelled, load_sources, read_names

RGB = pictures.coffee()[:48, :64]


def save(folder, name, array):
    folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(folder / name)


def labels(value):
    return np.full(RGB.shape[:2], value, np.uint8)


def test_a_picture_takes_its_own_maps_in_number_order(tmp_path):
    for name in ("a", "a_b", "a_2_b", "[c]", "d"):
        save(tmp_path / "images", f"{name}.png", RGB)
    maps = {"a_10": 5, "a_9": 4, "a_b_0": 6, "a_2_b_1": 7, "[c]_0": 8, "d": 9}
    for name, value in maps.items():
        save(tmp_path / "regions", f"{name}.png", labels(value))
    found = {p.tag: [int(m.max()) for m in p.label_maps] for p in load_labelled(tmp_path)}
    assert found == {"a": [4, 5], "a_b": [6], "a_2_b": [7], "[c]": [8], "d": [9]}


def test_a_missing_map_and_a_map_in_colour_are_refused(tmp_path):
    save(tmp_path / "images", "a.png", RGB)
    with pytest.raises(RegionError, match=r"no label map of 'a' there, expected a_0\.png"):
        load_labelled(tmp_path)
    save(tmp_path / "regions", "a_0.png", np.stack([labels(1)] * 3, 2))
    with pytest.raises(RegionError, match=r"a_0\.png: found RGB, expected one channel"):
        load_labelled(tmp_path)
    with pytest.raises(ImageError, match="no pictures given"):
        load_sources([], [], cache=tmp_path)


def test_pictures_alone_get_regions_once_and_are_reduced(tmp_path):
    wide = np.tile(pictures.coffee()[:100], (1, 3, 1))
    save(tmp_path, "wide.png", wide)
    first = load_alone(tmp_path / "wide.png", tmp_path / "cache")
    assert first.rgb.shape == (round(100 * 1280 / 1800), 1280, 3)
    assert first.label_maps[0].shape == first.rgb.shape[:2] and first.label_maps[0].max() > 1
    (kept,) = (tmp_path / "cache").iterdir()
    Image.fromarray(np.ones(first.rgb.shape[:2], np.uint8)).save(kept)
    assert load_alone(tmp_path / "wide.png", tmp_path / "cache").label_maps[0].max() == 1


def test_a_picture_one_pixel_high_is_not_reduced_to_nothing(tmp_path):
    save(tmp_path, "line.png", np.tile(RGB[:1], (1, 79, 1)))
    assert load_alone(tmp_path / "line.png", tmp_path / "cache").rgb.shape == (1, 1280, 3)


def test_flat_pictures_of_equal_bytes_do_not_share_regions(tmp_path):
    for name, shape in (("a", (20, 30, 3)), ("b", (30, 20, 3))):
        save(tmp_path, f"{name}.png", np.zeros(shape, np.uint8))
        assert load_alone(tmp_path / f"{name}.png", tmp_path / "cache").rgb.shape == shape


def test_names_are_read_from_lists(tmp_path):
    path = tmp_path / "names.json"
    path.write_text(json.dumps({"about": "words", "first": ["a", "ü"], "second": ["c"]}), "utf-8")
    assert read_names(path) == {"a", "ü", "c"}
    for text, found in (('["a"]', "found a list, expected"), ("1", "found 1, expected"), ("{", "")):
        path.write_text(text)
        with pytest.raises(DistortionGraphError, match=f"{found}.*a JSON object of lists"):
            read_names(path)
    with pytest.raises(DistortionGraphError, match=r"gone.json: .*\(No such file or directory\)"):
        read_names(tmp_path / "gone.json")
