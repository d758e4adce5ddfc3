"""Names of pictures in sources: folders of Windows, composed and decomposed accents."""

from __future__ import annotations

import json
import unicodedata
from pathlib import PurePosixPath

import numpy as np
import pytest
from build_samples import photo, quarters
from PIL import Image

from distortion_graph.base.errors import DatasetError
from distortion_graph.datasets.make.splits import split_by_lists
from distortion_graph.datasets.pictures import load_labelled, read_names
from distortion_graph.datasets.sources import parse_source

ACCENTS = "café été"
APART = unicodedata.normalize("NFD", ACCENTS)


def panoptic(folder, names):
    """COCO panoptic of these names, whose PNGs are called like the pictures."""
    (folder / "panoptic_small").mkdir()
    images, annotations = [], []
    for k, name in enumerate(names):
        png = np.zeros((48, 64, 3), np.uint8)
        png[..., 0] = 7
        file = f"{PurePosixPath(name.replace(chr(92), '/')).stem}.png"
        Image.fromarray(png).save(folder / "panoptic_small" / file)
        images.append({"id": k, "file_name": name})
        segments = [{"id": 7, "category_id": 1}]
        annotations.append({"image_id": k, "file_name": file, "segments_info": segments})
    value = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "t"}]}
    path = folder / "panoptic_small.json"
    path.write_text(json.dumps(value))
    return path


def save(path, seed=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(photo(seed)).save(path)


def test_a_list_written_on_windows_is_found_in_folders(tmp_path):
    path = panoptic(tmp_path, ["train\\a.png", "val\\deep\\b.png"])
    save(tmp_path / "images" / "train" / "a.png")
    save(tmp_path / "images" / "val" / "deep" / "b.png")
    source = parse_source(f"coco:{path}")
    items = source.items()
    assert [(item.stem, item.file) for item in items] == [
        ("a", "train/a.png"),
        ("b", "val/deep/b.png"),
    ]
    assert all(source.load(item).regions.names == ("t",) for item in items)
    assert source.left_out() == []


@pytest.mark.parametrize("name", ["..\\a.png", "C:\\a.png", "\\a.png", "x\\..\\..\\a.png"])
def test_windows_names_never_lead_out_either(tmp_path, name):
    path = panoptic(tmp_path, [name])
    save(tmp_path / "images" / "a.png")
    with pytest.raises(DatasetError, match="leads out of"):
        parse_source(f"coco:{path}")


@pytest.mark.parametrize(("listed", "stored"), [(ACCENTS, APART), (APART, ACCENTS)])
def test_accents_may_be_written_in_another_form_than_on_the_disk(tmp_path, listed, stored):
    path = panoptic(tmp_path, [f"{listed}/{listed}.png"])
    save(tmp_path / "images" / stored / f"{stored}.png")
    pngs = tmp_path / "panoptic_small"
    (pngs / f"{listed}.png").rename(pngs / f"{stored}.png")
    source = parse_source(f"coco:{path}")
    (item,) = source.items()
    assert item.picture.is_file() and item.mask.is_file()  # type: ignore[attr-defined]
    assert source.load(item).regions.names == ("t",)
    assert source.left_out() == []


@pytest.mark.parametrize("number", ["", "_0"])
def test_label_maps_are_found_though_their_accents_differ(tmp_path, number):
    save(tmp_path / "images" / f"{APART}.png")
    (tmp_path / "regions").mkdir()
    Image.fromarray(quarters()).save(tmp_path / "regions" / f"{ACCENTS}{number}.png")
    source = parse_source(str(tmp_path))
    (item,) = source.items()
    assert source.load(item).regions.ids == (1, 2, 5)
    assert list(source.left_out()) == []
    (picture,) = load_labelled(tmp_path)
    assert picture.tag == APART and len(picture.label_maps) == 1


def test_lists_of_names_may_be_written_in_either_form(tmp_path):
    assert split_by_lists([APART, "b"], {"val": (ACCENTS,)}) == {APART: "val", "b": None}
    (tmp_path / "n.json").write_text(json.dumps({"val": [APART]}))
    assert read_names(tmp_path / "n.json") == {ACCENTS}
