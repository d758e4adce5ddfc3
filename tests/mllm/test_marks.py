"""Marks show every region and hide none: what they cover, where numbers lie, and how they look.

The pictures in `golden` are compared to the bit. Where a change of looks is meant, write them anew
and look at them: `python tests/mllm/test_marks.py`
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from optional import present

from distortion_graph.base.errors import ImageError, RegionError
from distortion_graph.base.files import encode_image
from distortion_graph.masks.container import RegionSet
from distortion_graph.masks.rle import Rle, rle_from_mask
from distortion_graph.mllm.ask.marks import draw_boxes, draw_outlines, mark_regions

pytestmark = pytest.mark.slow

GOLDEN = Path(__file__).parent / "golden"
MARKERS = (mark_regions, draw_boxes)
YELLOW, LINES = (255, 221, 51), ((18, 20, 24), (245, 245, 242))


def picture(h: int, w: int) -> np.ndarray:
    """Light on the left, dark on the right."""
    ramp = np.tile(np.linspace(250, 5, w).round().astype(np.uint8), (h, 1))
    return np.stack([ramp, np.full_like(ramp, 128), ramp // 2], 2)


def by_id(regions: RegionSet) -> dict[int, Rle]:
    return {region.id: region.rle for region in regions}


def of_boxes(size: tuple[int, int], *boxes: tuple[int, int, int, int]) -> dict[int, Rle]:
    """Masks from rectangles (x, y, w, h), by number from 1."""
    masks = {}
    for k, (x, y, w, h) in enumerate(boxes, 1):
        mask = np.zeros(size, bool)
        mask[y : y + h, x : x + w] = True
        masks[k] = rle_from_mask(mask)
    return masks


def voronoi(h: int, w: int, count: int, seed: int) -> np.ndarray:
    """A label map of `count` cells around random middles."""
    rng = np.random.default_rng(seed)
    ys, xs = (rng.integers(0, n, count) for n in (h, w))
    far = (np.arange(h)[:, None, None] - ys) ** 2 + (np.arange(w)[None, :, None] - xs) ** 2
    cells: np.ndarray = far.argmin(2) + 1
    return cells


# --- what holds for any picture and any regions ---


def check(mark, rgb: np.ndarray, masks: dict[int, Rle]) -> None:
    """All that is promised, from the pixels that two pictures without a common pixel share."""
    size = rgb.shape[:2]
    marked, other = mark(rgb, masks), mark(255 - rgb, masks)
    x, y = marked.origin
    inside = slice(y, y + size[0]), slice(x, x + size[1])
    drawn = (marked.rgb[inside] == other.rgb[inside]).all(2)
    assert np.array_equal(marked.rgb[inside][~drawn], rgb[~drawn])
    assert drawn[marked.covered].all()

    assert {m.id for m in marked.marks} == set(masks)
    assert not overlaps(marked)
    for m in marked.marks:
        left, top, w, h = m.box_xywh_px
        assert w >= 10 and h >= 12 and left >= 0 and top >= 0
        box = np.zeros(marked.rgb.shape[:2], bool)
        box[top : top + h, left : left + w] = True
        assert box.sum() == w * h  # inside the canvas
        assert (marked.rgb[box] == YELLOW).all(1).any() == bool(m.leader)
        assert marked.covered[box[inside]].all()
        mask = masks[m.id].decode()
        if m.leader:
            end_x, end_y = m.leader[-1]
            assert mask[end_y - y, end_x - x]
        elif mark is mark_regions:
            assert box[inside][mask].sum() == w * h

    lines = drawn & ~marked.covered
    assert all(tuple(c) in LINES for c in np.unique(marked.rgb[inside][lines], axis=0).tolist())
    for rle in masks.values():
        mask = rle.decode()
        assert (mask & marked.covered).sum() <= 0.2 * mask.sum()
        assert (mask & lines).sum() <= mask.sum() / 3

    shuffled = mark(rgb, dict(reversed(masks.items())))
    assert np.array_equal(shuffled.rgb, marked.rgb) and shuffled.marks == marked.marks
    assert other.marks == marked.marks  # pixels decide nothing, so both sides of a pair are alike


def overlaps(marked) -> Any:
    taken = np.zeros(marked.rgb.shape[:2], int)
    for x, y, w, h in (m.box_xywh_px for m in marked.marks):
        taken[y : y + h, x : x + w] += 1
    return np.argwhere(taken > 1).tolist()


sizes = st.tuples(st.integers(1, 90), st.integers(1, 120))
seeds = st.integers(0, 2**16)


@st.composite
def regions_of_any_kind(draw) -> tuple[tuple[int, int], dict[int, Rle]]:
    h, w = size = draw(sizes)
    rng = np.random.default_rng(draw(seeds))
    count = draw(st.integers(1, 30))
    kind = draw(st.sampled_from(["cells", "noise", "grid", "boxes", "specks", "nested", "pieces"]))
    if kind == "cells":
        labels = voronoi(h, w, count, draw(seeds))
        labels[rng.random(size) < draw(st.sampled_from([0, 0.05]))] = 0
    elif kind == "noise":
        labels = rng.integers(1, count + 1, size)
    elif kind == "grid":
        return size, by_id(RegionSet.grid(size, min(h, 1 + count // 6), min(w, 1 + count % 6)))
    elif kind == "boxes":
        (ys, xs), (hs, ws) = rng.integers(0, (h, w), (2, count, 2)).transpose(0, 2, 1)
        rows = np.stack([xs, ys, ws // 2 + 1, hs // 2 + 1], 1).tolist()
        return size, of_boxes(size, *map(tuple, rows))
    elif kind == "specks":
        labels = np.zeros(size, int)
        spots = rng.choice(h * w, min(count, h * w), replace=False)
        labels.flat[spots] = np.arange(1, len(spots) + 1)
    elif kind == "nested":
        ys, xs = np.minimum(np.arange(h), h - 1 - np.arange(h)), np.arange(w)
        depth = np.minimum.outer(ys, np.minimum(xs, w - 1 - xs))
        rings = min(count, int(depth.max()) + 1)
        return size, {k: rle_from_mask(depth >= k) for k in range(rings)}
    else:
        labels = voronoi(h, w, 6 * count, draw(seeds)) % count + 1
    if not labels.any():
        labels[0, 0] = 1
    return size, by_id(RegionSet.from_label_map(labels))


@given(regions_of_any_kind(), st.sampled_from(MARKERS))
def test_no_number_hides_a_region_or_another_number(regions, mark) -> None:
    size, masks = regions
    check(mark, picture(*size), masks)


@pytest.mark.parametrize(("mark", "count"), [(mark_regions, 200), (draw_boxes, 112)])
def test_many_regions(mark, count: int) -> None:
    check(mark, picture(321, 481), by_id(RegionSet.from_label_map(voronoi(321, 481, count, 1))))


@pytest.mark.parametrize("mark", MARKERS)
def test_large_numbers_of_a_large_picture(mark) -> None:
    labels = voronoi(75, 100, 20, 3).astype(np.uint8)
    labels = cv2.resize(labels, (2000, 1500), interpolation=cv2.INTER_NEAREST).astype(int)
    masks = by_id(RegionSet.from_label_map(labels))
    check(mark, picture(1500, 2000), masks)
    assert max(m.box_xywh_px[3] for m in mark(picture(1500, 2000), masks).marks) >= 36


@pytest.mark.parametrize("mark", MARKERS)
@pytest.mark.parametrize(
    "masks",
    [
        by_id(RegionSet.whole((60, 80))),
        of_boxes((60, 80), (40, 30, 1, 1)),
        of_boxes((60, 80), (0, 0, 1, 1), (79, 59, 1, 1), (79, 0, 1, 60)),
        of_boxes((60, 80), *[(10, 10, 40, 40)] * 5),
        {5: rle_from_mask(np.random.default_rng(0).random((60, 80)) < 0.5),
         123456789: rle_from_mask(np.ones((60, 80), bool))},
    ],
    ids=["whole", "one pixel", "at the edge", "the same five times", "noise and a long number"],
)  # fmt: skip
def test_odd_regions(mark, masks: dict[int, Rle]) -> None:
    check(mark, picture(60, 80), masks)


@pytest.mark.parametrize("mark", MARKERS)
def test_no_regions_leave_the_picture_as_it_is(mark) -> None:
    rgb = picture(20, 30)
    marked = mark(rgb, {})
    assert np.array_equal(marked.rgb, rgb) and marked.rgb is not rgb
    assert marked.marks == () and not marked.covered.any()


# --- where numbers go ---


def test_a_number_stands_in_a_large_region_and_beside_a_small_one() -> None:
    masks = of_boxes((200, 300), (0, 0, 140, 200), (220, 90, 10, 10))
    large, small = mark_regions(picture(200, 300), masks).marks
    assert large.leader == ()
    x, y, w, h = small.box_xywh_px
    assert small.leader and abs(x + w / 2 - 225) < 60 and abs(y + h / 2 - 95) < 60


def test_where_there_is_no_room_numbers_go_into_a_margin() -> None:
    rgb = picture(60, 60)
    marked = mark_regions(rgb, by_id(RegionSet.grid((60, 60), 6, 6)))
    x, y = marked.origin
    assert x > 0 and y > 0 and all(m.leader for m in marked.marks)
    for m in marked.marks:
        bx, by, bw, bh = m.box_xywh_px
        assert bx + bw <= x or by + bh <= y or bx >= x + 60 or by >= y + 60


def test_the_pieces_of_a_region_have_a_number_each_where_they_are_large() -> None:
    mask = np.zeros((200, 300), bool)
    mask[:, :100] = mask[:, 200:] = mask[100:103, 150:153] = True
    marked = mark_regions(picture(200, 300), {4: rle_from_mask(mask)})
    assert [m.id for m in marked.marks] == [4, 4]
    assert sorted(m.box_xywh_px[0] // 100 for m in marked.marks) == [0, 2]


def test_numbers_of_boxes_stand_at_their_corners() -> None:
    masks = of_boxes((200, 300), (20, 30, 100, 100), (150, 60, 120, 90))
    first, second = draw_boxes(picture(200, 300), masks).marks
    assert first.box_xywh_px[:2] == (20, 30) and second.box_xywh_px[:2] == (150, 60)


@pytest.mark.parametrize("mark", MARKERS)
@pytest.mark.parametrize("alone", [True, False])
def test_lines_lie_beside_the_smaller_region_and_not_in_it(mark, alone: bool) -> None:
    masks = of_boxes((60, 80), (30, 20, 5, 5))
    if not alone:
        masks[2] = rle_from_mask(~masks[1].decode())
    rgb = picture(60, 80)
    marked = mark(rgb, masks)
    x, y = marked.origin
    hidden = (marked.rgb[y : y + 60, x : x + 80] != rgb).any(2)[20:25, 30:35]
    assert hidden.sum() <= 5  # a fifth of 25, for the end of the line to its number


def test_an_outline_alone_leaves_its_region_as_it_is() -> None:
    rgb, mask = picture(40, 50), np.zeros((40, 50), bool)
    mask[10:20, 10:30] = True
    out = draw_outlines(rgb, mask)
    assert np.array_equal(out[mask], rgb[mask]) and (out != rgb).any()
    assert np.array_equal(draw_outlines(rgb, ~np.zeros_like(mask)), rgb)
    assert np.array_equal(draw_outlines(rgb, np.zeros_like(mask)), rgb)


@pytest.mark.parametrize(
    ("rgb", "masks", "error", "said"),
    [
        (np.zeros((4, 5), np.uint8), {}, ImageError,
         "marks: the picture is an array of shape (4, 5) and uint8, expected (H, W, 3) uint8"),
        (picture(4, 5), {3: rle_from_mask(np.ones((5, 4), bool))}, RegionError,
         "marks: the mask of region 3 is 4×5, expected the picture's 5×4"),
        (picture(4, 5), {3: rle_from_mask(np.zeros((4, 5), bool))}, RegionError,
         "marks: the mask of region 3 is empty, expected at least one pixel"),
    ],
)  # fmt: skip
def test_mistakes_are_one_line(rgb, masks, error, said) -> None:
    with pytest.raises(error) as caught:
        mark_regions(rgb, masks)
    assert str(caught.value) == said


# --- how they look ---


def golden_cases() -> dict[str, Any]:
    """Pictures of flat colour, so that the files are small."""
    wide = picture(120, 180)
    blob = cv2.ellipse(np.zeros((120, 180), np.uint8), (60, 60), (45, 50), 20, 0, 360, 1, -1)
    hole = cv2.circle(blob.copy(), (60, 60), 12, 0, -1)
    split = np.zeros((120, 180), np.uint8)
    split[5:50, 120:170] = split[75:115, 130:176] = 1
    shapes = {
        7: rle_from_mask(hole == 1),
        8: rle_from_mask((blob - hole) == 1),
        12: rle_from_mask(split == 1),
    }
    crossing = of_boxes((120, 180), (10, 10, 90, 70), (60, 40, 100, 70), (65, 45, 12, 12))
    specks = of_boxes((120, 180), *[(25 * k + 3, 20 + 11 * k, 1 + k, 1 + k) for k in range(7)])
    return {
        "shapes": mark_regions(wide, shapes),
        "shapes-boxes": draw_boxes(wide, shapes),
        "crossing": mark_regions(wide, crossing),
        "crossing-boxes": draw_boxes(wide, crossing),
        "cells": mark_regions(wide, by_id(RegionSet.from_label_map(voronoi(120, 180, 20, 5)))),
        "margin": mark_regions(picture(60, 80), by_id(RegionSet.grid((60, 80), 5, 7))),
        "specks": mark_regions(wide, specks),
    }


@pytest.mark.parametrize("name", sorted(golden_cases()))
def test_looks_as_it_did(name: str) -> None:
    stored = present(cv2.imread(str(GOLDEN / f"{name}.png")))[..., ::-1]
    assert np.array_equal(golden_cases()[name].rgb, stored)


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for case, made in golden_cases().items():
        (GOLDEN / f"{case}.png").write_bytes(encode_image("x.png", made.rgb))
