"""Boxes against the sets of pixels that they stand for, and masks inside theirs."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from distortion_graph.masks.boxes import Box, Crop

sides = st.integers(-6, 9)
lengths = st.integers(0, 7)
boxes = st.builds(Box, sides, sides, lengths, lengths)


def pixels(box):
    """The (x, y) of every pixel in a box."""
    across = range(box.x, box.x + box.width)
    return set(product(across, range(box.y, box.y + box.height)))


@given(boxes, boxes)
def test_the_common_part_of_two_boxes_has_the_pixels_that_are_in_both(one, other):
    assert pixels(one.meet(other)) == pixels(one) & pixels(other)
    assert one.pixels == len(pixels(one)) and one.empty == (not pixels(one))


@given(boxes, st.integers(1, 5))
def test_the_cells_that_a_box_touches(box, px):
    if not box.empty:
        assert pixels(box.in_cells(px)) == {(x // px, y // px) for x, y in pixels(box)}
        corners = pixels(box.in_cells(px))
        inside = product(range(px), range(px))
        assert pixels(box.on_grid(px)) == {
            (px * x + dx, px * y + dy) for (x, y), (dx, dy) in product(corners, inside)
        }


@given(boxes, st.integers(0, 3), sides, sides)
def test_a_box_is_moved_and_grown(box, px, dx, dy):
    assert pixels(box.moved(dx, dy)) == {(x + dx, y + dy) for x, y in pixels(box)}
    around = list(product(range(-px, px + 1), repeat=2))
    if not box.empty:
        assert pixels(box.grown(px)) == {(x + i, y + j) for x, y in pixels(box) for i, j in around}
    assert box.grown(px).grown(-px) == box


@given(boxes, st.integers(1, 8), st.integers(1, 8))
def test_what_of_a_box_lies_in_a_picture_can_be_sliced(box, height, width):
    numbers = np.arange(height * width).reshape(height, width)
    clipped = box.clipped(numbers.shape)
    assert set(numbers[clipped.area].ravel().tolist()) == {
        y * width + x for x, y in pixels(box) if 0 <= x < width and 0 <= y < height
    }
    whole = Box.whole((height, width, 3))
    assert whole.pixels == numbers.size and np.array_equal(numbers[whole.area], numbers)
    assert np.array_equal(numbers[whole.area][clipped.within(whole)], numbers[clipped.area])


def test_a_box_within_another():
    outer, inner = Box(2, 1, 7, 7), Box(3, 2, 5, 4)
    grid = np.arange(81).reshape(9, 9)
    assert np.array_equal(grid[outer.area][inner.within(outer)], grid[2:6, 3:8])
    assert (inner.right, inner.bottom, inner.xywh) == (8, 6, (3, 2, 5, 4))


@pytest.mark.parametrize("turned", [False, True])
def test_the_box_around_a_mask_and_the_mask_inside_it(turned):
    mask = np.zeros((9, 9), bool)
    mask[2, 3] = mask[5, 7] = True
    mask, box = (mask[::-1].T, Box(3, 3, 4, 5)) if turned else (mask, Box(3, 2, 5, 4))
    assert Box.around(mask) == box
    crop = Crop.of(mask)
    assert crop.box == box and crop.mask.shape == (box.height, box.width)
    assert np.array_equal(crop.on_picture((9, 9)), mask)


def test_an_empty_mask_has_an_empty_box():
    crop = Crop.of(np.zeros((4, 5), bool))
    assert crop.box.empty and crop.mask.size == 0
    assert not crop.on_picture((4, 5)).any()
