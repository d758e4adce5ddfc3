"""The region container: run lengths, boxes, ids and the errors for unusable masks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pycocotools import mask as coco

from distortion_graph.base.errors import RegionError
from distortion_graph.masks.masks import as_masks, crops
from distortion_graph.masks.rle import (
    pack_counts,
    rle_from_box,
    rle_from_mask,
    rle_from_runs,
    rle_from_text,
    unpack_counts,
)
from distortion_graph.regions import RegionSet

SHAPES = st.tuples(st.integers(1, 9), st.integers(1, 9))
MASKS = SHAPES.flatmap(lambda s: hnp.arrays(np.bool_, s))
LABELS = SHAPES.flatmap(lambda s: hnp.arrays(np.uint8, s, elements=st.integers(0, 4)))


def test_counts_of_a_hand_made_mask():
    """Column by column: 0 1 1 0 | 0 0 1 1 | 1 1 0 0."""
    mask = np.array([[0, 0, 1], [1, 0, 1], [1, 1, 0], [0, 1, 0]], bool)
    rle = rle_from_mask(mask)
    assert rle.size == (4, 3)
    assert unpack_counts(rle.counts).tolist() == [1, 2, 3, 4, 2]
    assert rle_from_runs([1, 2, 3, 4, 2], (4, 3), "x") == rle


@given(MASKS)
def test_rle_round_trip(mask):
    rle = rle_from_mask(mask)
    assert (rle.decode() == mask).all()
    assert rle.area() == mask.sum()
    assert rle_from_text(rle.counts, mask.shape, "x") == rle
    assert rle_from_runs(unpack_counts(rle.counts).tolist(), mask.shape, "x") == rle


@given(st.lists(st.integers(0, 2**28), min_size=1, max_size=12))
def test_unpacking_agrees_with_the_coco_api(runs):
    """COCO's own packer is the reference, for runs of any length."""
    text = coco.frPyObjects({"size": [1, sum(runs)], "counts": runs}, 1, sum(runs))["counts"]
    assert unpack_counts(text.decode()).tolist() == runs
    assert pack_counts(np.array(runs)) == text.decode()


@given(st.lists(st.integers(0, 2**50), min_size=1, max_size=12))
def test_runs_of_any_length_survive_packing(runs):
    assert unpack_counts(pack_counts(np.array(runs))).tolist() == runs


@given(MASKS)
def test_masks_agree_with_the_coco_api(mask):
    packed = coco.encode(np.asfortranarray(mask.astype(np.uint8)))
    assert rle_from_mask(mask).counts == packed["counts"].decode()


def test_runs_of_zero_change_nothing():
    plain = rle_from_runs([3, 4, 2], (3, 3), "x")
    assert rle_from_runs([1, 0, 2, 4, 0, 0, 2, 0], (3, 3), "x") == plain


@given(MASKS.filter(lambda m: m.any()))
def test_boxes_are_tight(mask):
    rows, cols = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    box = [cols[0], rows[0], cols[-1] - cols[0] + 1, rows[-1] - rows[0] + 1]
    assert RegionSet.from_masks(mask[None]).boxes_xywh().tolist() == [box]


@given(st.data(), SHAPES)
def test_rectangles(data, size):
    h, w = size
    top, left = data.draw(st.integers(0, h - 1)), data.draw(st.integers(0, w - 1))
    bottom, right = data.draw(st.integers(top + 1, h)), data.draw(st.integers(left + 1, w))
    mask = np.zeros(size, bool)
    mask[top:bottom, left:right] = True
    assert rle_from_box(size, top, left, bottom, right) == rle_from_mask(mask)


@given(LABELS.filter(lambda m: m.any()))
def test_label_map_gives_its_pixel_values_as_ids(labels):
    regions = RegionSet.from_label_map(labels, {2: "sky"})
    assert list(regions.ids) == [v for v in np.unique(labels).tolist() if v]
    for k, region in enumerate(regions):
        assert region.rle == rle_from_mask(labels == region.id)
        assert (regions.mask(k) == (labels == region.id)).all()
        assert region.name == ("sky" if region.id == 2 else f"region {region.id}")
    assert (regions.label_map() == labels).all()
    assert regions.areas().tolist() == [(labels == i).sum() for i in regions.ids]


def test_large_labels_are_kept():
    labels = np.zeros((4, 5), np.int64)
    labels[1, 2], labels[3, 4] = 2**24 - 1, 300
    assert RegionSet.from_label_map(labels).ids == (300, 2**24 - 1)


@given(SHAPES.flatmap(lambda s: st.tuples(st.just(s), st.integers(1, s[0]), st.integers(1, s[1]))))
def test_grid_tiles_the_picture(case):
    size, rows, cols = case
    regions = RegionSet.grid(size, rows, cols)
    assert (regions.masks().sum(0) == 1).all()
    assert regions.ids == tuple(range(rows * cols))
    heights, widths = regions.boxes_xywh()[:, 3], regions.boxes_xywh()[:, 2]
    assert np.ptp(heights) <= 1 and np.ptp(widths) <= 1


def test_grid_names_run_row_by_row():
    regions = RegionSet.grid((4, 6), 2, 3)
    assert regions.names == ("r1c1", "r1c2", "r1c3", "r2c1", "r2c2", "r2c3")
    assert regions.boxes_xywh()[4].tolist() == [2, 2, 2, 2]


def test_whole_is_one_region_named_image():
    regions = RegionSet.whole((3, 4))
    assert (regions.ids, regions.names) == ((0,), ("image",))
    assert regions.masks().all() and regions.masks().shape == (1, 3, 4)


def test_overlaps_are_kept_and_the_later_wins_in_maps():
    masks = np.zeros((2, 2, 3), np.uint8)
    masks[0, :, :2], masks[1, 0, 1:] = 255, 1
    regions = RegionSet.from_masks(masks, names=["a", "b"])
    assert (regions.masks() == masks.astype(bool)).all()
    assert regions.index_map().tolist() == [[0, 1, 1], [0, 0, -1]]
    assert regions.label_map().tolist() == [[1, 2, 2], [1, 1, 0]]  # id 0 is there: ids + 1


@settings(max_examples=20)
@given(st.permutations(range(4)))
def test_reorder_and_subset(order):
    regions = RegionSet.grid((2, 2), 2, 2)
    moved = regions.reorder(order)
    assert moved.ids == tuple(order)
    assert moved.subset(range(4)) == regions
    assert (moved.masks() == regions.masks()[list(order)]).all()


def test_no_regions_is_a_legal_set():
    empty = RegionSet((2, 3), ())
    assert empty.masks().shape == (0, 2, 3)
    assert empty.areas().shape == (0,) and empty.boxes_xywh().shape == (0, 4)
    assert (empty.label_map() == 0).all()


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (
            lambda: RegionSet.from_masks(np.ones((12, 24, 32), bool), size=(48, 64)),
            "masks: masks must be (R, 48, 64) bool, got (12, 24, 32)",
        ),
        (
            lambda: RegionSet.from_masks([np.ones((2, 2)), np.ones((2, 3))]),
            "masks: region 1 (region 1): mask has shape (2, 3), expected (H, W) = (2, 2)",
        ),
        (
            lambda: RegionSet.from_masks(np.zeros((1, 2, 2), bool), names=["sky"]),
            "masks: region 0 (sky): the mask is empty, expected at least one pixel",
        ),
        (
            lambda: RegionSet.from_masks(np.array([[[0, 1, 2]]])),
            "masks: region 0 (region 0): mask is not binary (values 0, 1, 2 …), "
            "expected 0/1 or 0/255",
        ),
        (
            lambda: RegionSet.from_masks(np.array([[[0, 1, 255]]], np.uint8)),
            "masks: region 0 (region 0): mask is not binary (values 0, 1, 255 …), "
            "expected 0/1 or 0/255",
        ),
        (
            lambda: RegionSet.from_masks(np.full((1, 2, 2), np.nan)),
            "masks: region 0 (region 0): mask is not binary (values nan …), expected 0/1 or 0/255",
        ),
        (
            lambda: RegionSet.from_masks([]),
            "masks: no region left, expected at least one mask",
        ),
        (
            lambda: RegionSet.from_masks(np.ones((2, 2, 2), bool), ids=[3, 3]),
            "regions: id 3 is used twice, expected distinct ids ≥ 0",
        ),
        (
            lambda: RegionSet.from_label_map(np.zeros((2, 2), int)),
            "label map: no region left, every pixel is 0 (unlabelled); expected a label ≥ 1",
        ),
        (
            lambda: RegionSet.from_label_map(np.full((2, 2), -4)),
            "label map: label -4 found, expected labels from 0 up",
        ),
        (
            lambda: RegionSet.from_label_map(np.ones((2, 2))),
            "label map: expected an (H, W) array of whole numbers, got shape (2, 2) of float64",
        ),
        (
            lambda: RegionSet.from_label_map(np.ones((2, 3), int), size=(4, 4)),
            "label map: label map is 3×2 pixels (width × height), expected 4×4 pixels "
            "(width × height)",
        ),
        (
            lambda: RegionSet.grid((4, 4), 5, 1),
            "grid:5x1: expected 1…4 rows and 1…4 columns for a picture of 4×4 pixels "
            "(width × height)",
        ),
        (
            lambda: RegionSet.grid((4, 4), 2, 2).subset([1, 9]),
            "no region with id 9; expected ids among 0, 1, 2, 3",
        ),
        (
            lambda: rle_from_runs([1, 2], (2, 2), "f.json: region 0"),
            "f.json: region 0: RLE counts sum to 3 pixels, expected 4 for size [2, 2]",
        ),
        (
            lambda: rle_from_text("1~", (2, 2), "f.json: region 0"),
            "f.json: region 0: damaged RLE counts (it has a character outside '0'…'o'), "
            "expected compressed COCO RLE",
        ),
    ],
)
def test_unusable_regions_say_what_was_found_and_expected(make, text):
    with pytest.raises(RegionError) as caught:
        make()
    assert str(caught.value) == text


@given(st.text(st.characters(min_codepoint=40, max_codepoint=120), max_size=30))
def test_any_text_is_packed_runs_or_a_clear_error(text):
    try:
        rle = rle_from_text(text, (3, 5), "x")
    except RegionError as e:
        assert str(e).startswith("x: ") and "\n" not in str(e)
    else:
        assert rle.decode().shape == (3, 5)


@given(st.integers(0, 10**6))
def test_crops_are_the_masks_inside_their_tight_boxes(seed):
    rng = np.random.default_rng(seed)
    size = tuple(int(n) for n in rng.integers(1, 12, 2))
    masks = rng.random((3, *size)) < rng.random((3, 1, 1))
    masks[:, 0, 0] |= ~masks.any((1, 2))
    regions = RegionSet.from_masks(masks)
    lazy = regions.lazy_masks()
    for one, other, again, found, mask, box in zip(
        crops(lazy),
        crops(as_masks(masks)),
        crops(lazy.pick(lazy.rles)),
        crops(regions),
        masks,
        regions.boxes_xywh(),
        strict=True,
    ):
        assert again is one
        assert (one.on_picture(size) == mask).all()
        for crop in (other, found):
            assert crop.box == one.box and (crop.mask == one.mask).all()
        assert list(one.box) == box.tolist()
        assert one.mask.shape == (one.box.height, one.box.width)
    for some in (lazy, regions, masks, as_masks(masks)):
        with pytest.raises(RegionError, match="masks must be"):
            as_masks(some, (99, 99))
