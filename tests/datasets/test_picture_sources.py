"""Sources that are folders: pictures with label maps, and pictures alone."""

from __future__ import annotations

import json
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data as pictures

from distortion_graph.base.errors import DatasetError, DistortionGraphError, ImageError, RegionError
from distortion_graph.datasets.pictures import choose_annotator, large_regions, load_with_maps
from distortion_graph.datasets.sources import RegionChoice, choose_regions, parse_source
from distortion_graph.segment.auto import auto_regions
from distortion_graph.segment.segmenter import load_segmenter

BSDS = Path(__file__).parents[3] / "shared" / "data" / "bsds500" / "val"
RGB = pictures.coffee()[:48, :64]
HALVES = np.repeat(np.array([[3, 8]], np.uint8), 48, 0).repeat(32, 1)


def save(path, array=RGB):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path)


def level(value):
    return np.full(RGB.shape[:2], value, np.uint8)


def refusal(make, kind=DatasetError):
    with pytest.raises(kind) as caught:
        make()
    assert isinstance(caught.value, DistortionGraphError) and "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture
def labelled(tmp_path):
    save(tmp_path / "set" / "images" / "a.png")
    save(tmp_path / "set" / "regions" / "a.png", HALVES)
    return tmp_path / "set"


# ---- label maps --------------------------------------------------------------------------------


def test_a_folder_with_images_and_regions_is_one_of_label_maps(labelled):
    for spec in (str(labelled), f"labels:{labelled}"):
        source = parse_source(spec)
        assert (source.kind, source.name, source.segmenter) == ("labels", "set", None)
        assert source.predicates == () and source.tables == ()
        (item,) = source.items()
        assert (item.stem, item.split, item.file) == ("a", None, "a.png")
        assert item.files == (labelled / "images" / "a.png", labelled / "regions" / "a.png")
        picture = source.load(item)
        assert (picture.rgb == RGB).all()
        assert picture.regions.ids == (3, 8) and (picture.regions.label_map() == HALVES).all()
        assert picture.category_ids == picture.descriptions == (None, None)  # type: ignore[comparison-overlap]
        assert picture.relations == ()


@pytest.mark.parametrize(
    "table", [{"8": "sky", "5": "sea"}, {"categories": [{"id": 8, "name": "sky"}]}]
)
def test_names_beside_the_folders(labelled, table):
    (labelled / "names.json").write_text(json.dumps(table))
    source = parse_source(str(labelled))
    picture = source.load(source.items()[0])
    assert picture.regions.names == ("region 3", "sky")
    assert picture.category_ids == (None, 8)
    assert source.tables == (labelled / "names.json",)
    (labelled / "names.json").write_text("[")
    assert "names.json: not JSON" in refusal(lambda: parse_source(str(labelled)), RegionError)


def test_maps_find_their_pictures(tmp_path):
    """Numbers are annotators, in order of number; a name that is a picture's is that picture's."""
    for name in ("a", "a_b", "a_2_b", "[c]", "d", "d_7", "e"):
        save(tmp_path / "images" / f"{name}.png")
    names = ["a_10", "a_9", "a_b_0", "a_2_b_1", "[c]_0", "d", "d_7", "other_1", "e_1x", "notes"]
    for value, name in enumerate(names, 1):
        save(tmp_path / "regions" / f"{name}.png", level(value))
    source = parse_source(str(tmp_path))
    found = {item.stem: [path.stem for path in item.files[1:]] for item in source.items()}
    assert found == {
        "a": ["a_9", "a_10"],
        "a_b": ["a_b_0"],
        "a_2_b": ["a_2_b_1"],
        "[c]": ["[c]_0"],
        "d": ["d"],
        "d_7": ["d_7"],
        "e": [],
    }
    assert list(found) == sorted(found)
    last = source.items()[-1]
    assert refusal(lambda: source.load(last), RegionError) == (
        f"{tmp_path}/regions: no label map of 'e' there, expected e_0.png, e_1.png … (a number for "
        "each annotator) or e.png"
    )


def test_the_annotator_is_the_protocols(tmp_path):
    rng = np.random.default_rng(5)
    maps = [np.kron(rng.integers(1, n, (6, 8)), np.ones((8, 8))).astype(np.uint8) for n in (3, 9)]
    maps.append(np.arange(48 * 64).reshape(48, 64).astype(np.uint8))
    save(tmp_path / "images" / "a.png")
    for k, labels in enumerate(maps):
        save(tmp_path / "regions" / f"a_{k}.png", labels)
    chosen = []
    for wanted in (1, 8):
        source = parse_source(str(tmp_path), choice=RegionChoice(wanted=wanted, min_share=0.02))
        found = source.load(source.items()[0]).regions.label_map()
        k = choose_annotator(maps, min_share=0.02, wanted=wanted)
        assert (found == maps[k]).all()
        chosen.append(k)
    assert chosen[0] != chosen[1]


def test_sub_folders_of_pictures_and_maps(tmp_path):
    for name in ("train/a", "train/deep/b", "test/a", "val_a"):
        save(tmp_path / "images" / f"{name}.png")
    save(tmp_path / "regions" / "train" / "a_0.png", level(1))
    save(tmp_path / "regions" / "train_deep_b_0.png", level(2))
    save(tmp_path / "regions" / "test" / "a.png", level(3))
    source = parse_source(str(tmp_path))
    found = {i.stem: (i.split, i.file, len(i.files) - 1) for i in source.items()}
    assert found == {
        "test_a": ("test", "test/a.png", 1),
        "train_a": ("train", "train/a.png", 1),
        "train_deep_b": ("train", "train/deep/b.png", 1),
        "val_a": (None, "val_a.png", 0),
    }
    assert [source.load(i).regions.ids for i in source.items()[:3]] == [(3,), (1,), (2,)]


def test_maps_that_do_not_serve_raise_when_loaded(labelled):
    source = parse_source(str(labelled))
    (item,) = source.items()
    place = labelled / "regions" / "a.png"
    for array, words in (
        (HALVES[:-1], "found 64×47 pixels (width × height), expected the picture's 64×48"),
        (np.dstack([HALVES] * 3), "found RGB, expected one channel"),
        (level(0), "no region left, every pixel is 0"),
    ):
        save(place, array)
        text = refusal(lambda: source.load(item), RegionError)
        assert text.startswith(f"{place}: ") and words in text
    place.write_bytes(b"text")
    assert "not a picture of a known kind" in refusal(lambda: source.load(item), RegionError)


def test_numbers_of_16_bits_are_kept_and_larger_ones_refused(labelled):
    labels = HALVES.astype(np.uint16) * 6000
    save(labelled / "regions" / "a.png", labels)
    source = parse_source(str(labelled))
    (item,) = source.items()
    assert source.load(item).regions.ids == (18000, 48000)
    Image.fromarray(HALVES.astype(np.int32) * 20000).save(
        labelled / "regions" / "a.png", format="TIFF"
    )
    text = refusal(lambda: source.load(item), RegionError)
    assert "found region numbers 60000 to 160000, expected 0 (none) to 65535" in text


def test_folders_that_are_missing_or_empty(tmp_path):
    (tmp_path / "images").mkdir()
    text = refusal(lambda: parse_source(f"labels:{tmp_path}"))
    assert text.startswith(f"{tmp_path}/regions: no such folder, expected images/ with pictures")
    (tmp_path / "regions").mkdir()
    source = parse_source(str(tmp_path))
    assert "images: no picture found, expected files .jpg" in refusal(source.items)


# ---- pictures alone ----------------------------------------------------------------------------


@pytest.fixture
def alone(tmp_path):
    save(tmp_path / "photos" / "b.PNG")
    save(tmp_path / "photos" / "val" / "x" / "a.jpg")
    save(tmp_path / "photos" / "train.png")
    (tmp_path / "photos" / "notes.txt").write_text("no picture")
    (tmp_path / "photos" / "dir.png").mkdir()
    return tmp_path / "photos"


def test_pictures_at_any_depth_with_regions_that_are_found(alone):
    for spec in (str(alone), f"pictures:{alone}"):
        source = parse_source(spec)
        assert (source.kind, source.name, source.segmenter) == ("pictures", "photos", "auto 1")
        found = {i.stem: (i.file, i.split) for i in source.items()}
        assert found == {
            "b": ("b.PNG", None),
            "train": ("train.png", None),
            "val_x_a": ("val/x/a.jpg", "val"),
        }
        picture = source.load(source.items()[0])
        assert picture.regions == auto_regions(RGB)
        assert picture.category_ids == (None,) * len(picture.regions)


def test_two_pictures_of_one_name(tmp_path):
    save(tmp_path / "a" / "b.png")
    save(tmp_path / "a_b.jpg")
    assert refusal(parse_source(str(tmp_path)).items) == (
        f"{tmp_path}: a/b.png and a_b.jpg would both be called 'a_b'; rename one"
    )
    (tmp_path / "a_b.jpg").rename(tmp_path / "A_b.jpg")
    assert "would both be called" in refusal(parse_source(str(tmp_path)).items)


@pytest.mark.parametrize("name", ["line\nbreak", " before", "n" * 251])
def test_names_that_no_file_of_a_data_set_may_have(tmp_path, name):
    save(tmp_path / f"{name}.png")
    assert "is not the plain name of a file" in refusal(parse_source(str(tmp_path)).items)


def test_a_picture_that_cannot_be_read_raises_when_it_is_loaded(alone):
    (alone / "b.PNG").write_bytes(b"\x89PNG\r\n\x1a\nnothing more")
    (alone / "gone.png").symlink_to(alone / "nowhere.png")
    source = parse_source(str(alone))
    items = {item.stem: item for item in source.items()}
    assert "b.PNG: damaged or incomplete PNG" in refusal(
        lambda: source.load(items["b"]), ImageError
    )
    assert "gone.png: no such file" in refusal(lambda: source.load(items["gone"]), ImageError)


@pytest.mark.skipif(os.geteuid() == 0, reason="the administrator may read every folder")
def test_a_folder_that_may_not_be_read(alone):
    (alone / "val").chmod(0)
    try:
        assert "val: cannot be read" in refusal(parse_source(str(alone)).items)
    finally:
        (alone / "val").chmod(0o700)


def test_segmenters_by_name(alone):
    assert load_segmenter("auto") is load_segmenter("auto")
    for spec in ("atuo", "panoptic:", "", "auto:1"):
        assert refusal(lambda s=spec: parse_source(str(alone), segmenter=s), RegionError) == (
            f"segmenter {spec!r}: unknown, expected auto, or panoptic:NAME_OR_PATH of a panoptic "
            "checkpoint"
        )


def test_a_segmenter_that_is_not_there_is_asked_only_when_it_is_needed(alone):
    source = parse_source(str(alone), segmenter=f"panoptic:{alone}/no-model")
    assert len(source.items()) == 3
    with pytest.raises(DistortionGraphError):
        source.load(source.items()[0])


def test_both_kinds_go_through_pickle(labelled, alone):
    for folder in (labelled, alone):
        source = parse_source(str(folder))
        copy, items = pickle.loads(pickle.dumps((source, source.items())))
        assert list(items) == list(source.items()) == list(copy.items())
        for mine, other in zip(source.items(), items, strict=True):
            ours, theirs = source.load(mine), copy.load(other)
            assert (ours.rgb == theirs.rgb).all() and ours.regions == theirs.regions


@pytest.mark.skipif(not BSDS.exists(), reason="the BSDS pictures are not beside the project")
def test_bsds_pictures_have_the_regions_of_the_benchmark():
    """One annotator a picture and its large regions, as the benchmark's protocol defines them."""
    source = parse_source(str(BSDS))
    assert len(source.items()) == 100
    for item in source.items()[::12]:
        picture = choose_regions(source.load(item), RegionChoice())
        clean = load_with_maps(item.picture, BSDS / "regions")
        label_map = clean.label_maps[choose_annotator(clean.label_maps)]
        assert picture.regions.ids == tuple(large_regions(label_map, 0.008))
        expected = [label_map == i for i in picture.regions.ids]
        assert (picture.regions.masks() == expected).all() and (picture.rgb == clean.rgb).all()
