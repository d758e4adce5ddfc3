"""How sources are spelled and named, and which of a picture's regions are used."""

from __future__ import annotations

import pickle

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from skimage import data as pictures

from distortion_graph.base.errors import DatasetError
from distortion_graph.datasets.sources import (
    SOURCES_HELP,
    RegionChoice,
    SourcePicture,
    choose_regions,
    parse_source,
)
from distortion_graph.masks.container import RegionSet

RGB = pictures.coffee()[:48, :64]


def save(path, array=RGB):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path)


def refusal(spec, **options):
    with pytest.raises(DatasetError) as caught:
        parse_source(spec, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# ---- spelling ----------------------------------------------------------------------------------


def test_a_name_begins_the_stems(tmp_path):
    save(tmp_path / "p" / "a.png")
    save(tmp_path / "p" / "sub" / "b.png")
    plain = parse_source(f"{tmp_path}/p")
    named = parse_source(f"mine=pictures:{tmp_path}/p")
    assert (named.name, named.kind, named.segmenter) == ("mine", "pictures", "auto 1")
    assert [i.stem for i in named.items()] == ["mine_a", "mine_sub_b"]
    assert [i.file for i in named.items()] == [i.file for i in plain.items()]
    copy = pickle.loads(pickle.dumps(named))
    for item, other in zip(named.items(), plain.items(), strict=True):
        assert copy.load(item).regions == plain.load(other).regions


def test_a_named_source_with_maps_finds_them(tmp_path):
    save(tmp_path / "images" / "a.png")
    named = parse_source(f"x.y-1={tmp_path}")
    (tmp_path / "regions").mkdir()
    named = parse_source(f"x.y-1={tmp_path}")
    with pytest.raises(ValueError, match="no label map of 'a' there"):
        named.load(named.items()[0])
    save(tmp_path / "regions" / "a_0.png", np.full((48, 64), 4, np.uint8))
    (item,) = named.items()
    assert item.stem == "x.y-1_a" and named.load(item).regions.ids == (4,)


def test_a_folder_with_a_sign_in_its_name_is_that_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("run=3", "labels:x", "a,b"):
        save(tmp_path / name / "a.png")
        source = parse_source(name)
        assert (source.kind, source.name, len(source.items())) == ("pictures", name, 1)
    assert parse_source(".").name == tmp_path.name


def test_spellings_that_are_none(tmp_path):
    (tmp_path / "f.json").write_text("{}")
    for spec in ("nix", "foo:bar", "labels:", "coco:", "", "mine=nix"):
        inner = spec.removeprefix("mine=")
        assert refusal(spec) == f"source {inner!r}: no such folder, expected one of: {SOURCES_HELP}"
    file = f"{tmp_path}/f.json"
    assert refusal(file) == f"source {file!r}: is a file, expected one of: {SOURCES_HELP}"
    assert refusal("pictures:nix") == "nix: no such folder, expected one with pictures"
    assert (
        refusal("coco:nix.json") == "nix.json: no such file, expected the JSON of coco annotations"
    )
    assert refusal(f"coco:{file},image=x") == (
        f"source coco:{file},image=x: found 'image=x', expected images=…, masks=…, categories=…, "
        "each at most once"
    )
    assert "found 'masks=b', expected images=…, masks=…, each" in refusal(
        f"psg:{file},masks=a,masks=b"
    )
    assert "found 'images=', expected" in refusal(f"psg:{file},images=")


# ---- the choice of regions ---------------------------------------------------------------------


def picture_of(label_map, relations=()):
    regions = RegionSet.from_label_map(label_map, {1: "one"})
    rgb = np.zeros((*label_map.shape, 3), np.uint8)
    numbers = tuple(i * 10 for i in regions.ids)
    texts = tuple(f"text {i}" for i in regions.ids)
    return SourcePicture(rgb, regions, numbers, texts, relations)


LABELS = np.zeros((10, 10), np.int32)
LABELS[0, :1], LABELS[1, :3], LABELS[2, :3], LABELS[3:5], LABELS[5, :3] = 4, 9, 2, 7, 5


def test_small_regions_go_and_the_largest_stay_in_order():
    picture = picture_of(LABELS, ((7, 9, 0), (4, 7, 1), (7, 2, 3)))
    assert choose_regions(picture, RegionChoice(min_share=0.01)) is picture
    kept = choose_regions(picture, RegionChoice(min_share=0.03, max_regions=3))
    assert kept.regions.ids == (2, 5, 7)  # 2, 5 and 9 are equally large: the first two
    assert kept.category_ids == (20, 50, 70)
    assert kept.descriptions == ("text 2", "text 5", "text 7")
    assert kept.relations == ((7, 2, 3),)
    assert kept.regions.masks().tolist() == [np.equal(i, LABELS).tolist() for i in (2, 5, 7)]
    assert len(choose_regions(picture, RegionChoice(min_share=0.5)).regions) == 0


def test_a_large_picture_is_reduced_with_its_regions():
    rng = np.random.default_rng(1)
    rgb = rng.integers(0, 256, (60, 100, 3)).astype(np.uint8)
    labels = np.zeros((60, 100), np.int32)
    labels[:30, :50], labels[30:, 50:], labels[59, 0] = 3, 1, 2
    source = picture_of(labels, ((1, 2, 0), (3, 1, 5)))
    source = SourcePicture(
        rgb, source.regions, source.category_ids, source.descriptions, source.relations
    )
    small = choose_regions(source, RegionChoice(max_side=50))
    assert (small.rgb == cv2.resize(rgb, (50, 30), interpolation=cv2.INTER_AREA)).all()
    assert small.regions.ids == (1, 3) and small.regions.names == ("one", "region 3")
    assert small.category_ids == (10, 30) and small.relations == ((3, 1, 5),)
    assert (small.regions.label_map() == labels[::2, ::2] * (labels[::2, ::2] != 2)).all()
    assert choose_regions(source, RegionChoice(max_side=100, min_share=0)) is source


def test_reducing_to_nothing_leaves_no_region():
    labels = np.zeros((9, 90), np.int32)
    labels[0, 0] = 6
    small = choose_regions(picture_of(labels), RegionChoice(max_side=10))
    assert small.rgb.shape == (1, 10, 3) and len(small.regions) == 0
    assert small.regions.size == (1, 10)


def test_where_masks_overlap_the_later_keeps_the_pixels_when_reduced():
    masks = np.zeros((2, 8, 8), bool)
    masks[0], masks[1, :4] = True, True
    picture = SourcePicture(
        np.zeros((8, 8, 3), np.uint8), RegionSet.from_masks(masks), (None,) * 2, (None,) * 2
    )
    small = choose_regions(picture, RegionChoice(max_side=4))
    assert small.regions.areas().tolist() == [8, 8]


@given(
    st.lists(st.integers(0, 6), min_size=40, max_size=40).filter(any),
    st.floats(0, 0.5),
    st.integers(1, 6) | st.none(),
)
def test_what_is_kept_is_large_enough_and_no_larger_region_is_dropped(values, share, most):
    labels = np.array(values, np.int32).reshape(5, 8)
    picture = picture_of(labels)
    kept = choose_regions(picture, RegionChoice(min_share=share, max_regions=most)).regions
    areas = dict(zip(picture.regions.ids, picture.regions.areas().tolist(), strict=True))
    large = [i for i, area in areas.items() if area >= share * labels.size]
    assert len(kept) == min(len(large), most or len(large))
    assert list(kept.ids) == sorted(kept.ids) and set(kept.ids) <= set(large)
    dropped = set(large) - set(kept.ids)
    assert all(areas[d] <= areas[k] for d in dropped for k in kept.ids)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"min_share": 1.5}, "min_share is 1.5, expected a share from 0 to 1"),
        ({"min_share": float("nan")}, "min_share is nan, expected a share from 0 to 1"),
        ({"wanted": 0}, "wanted is 0, expected at least 1"),
        ({"max_regions": 0}, "max_regions is 0, expected at least 1"),
        ({"max_side": -1}, "max_side is -1, expected at least 1"),
    ],
)
def test_choices_that_are_none(options, words):
    with pytest.raises(DatasetError, match=words):
        RegionChoice(**options)
