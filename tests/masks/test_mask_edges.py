"""Masks by where they begin and end along the columns, and what is made of several."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from distortion_graph.masks.boxes import Box, Crop
from distortion_graph.masks.rle import (
    combined_edges,
    rle_from_crop,
    rle_from_edges,
    rle_from_mask,
    rle_union,
)

SIZES = st.tuples(st.integers(1, 7), st.integers(1, 7))


@st.composite
def stacks(draw):
    """(3, h, w) bool."""
    return draw(arrays.arrays(bool, (3, *draw(SIZES))))


def edges(mask):
    """Where ink begins and ends, column by column, from the pixels themselves."""
    flat = np.concatenate(([False], mask.T.ravel(), [False]))
    return np.flatnonzero(flat[1:] != flat[:-1])


@given(stacks())
def test_a_mask_by_its_edges_and_inside_any_box_is_the_same_text(masks):
    mask = masks[0]
    h, w = mask.shape
    expected = rle_from_mask(mask)
    assert rle_from_edges(edges(mask), (h, w)) == expected
    assert rle_from_crop(Crop.of(mask), (h, w)) == expected
    assert rle_from_crop(Crop(Box(0, 0, w, h), mask), (h, w)) == expected


@given(stacks())
def test_masks_joined_and_cut_are_the_pixels_joined_and_cut(masks):
    a, b, c = masks
    size = a.shape
    assert rle_union([rle_from_mask(m) for m in masks]) == rle_from_mask(a | b | c)
    assert rle_union([rle_from_mask(a)]) == rle_from_mask(a)
    cut = combined_edges([edges(a), edges(b)], [edges(c)])
    assert rle_from_edges(cut, size) == rle_from_mask((a | b) & ~c)
    assert rle_from_edges(combined_edges([edges(a)], []), size) == rle_from_mask(a)


def test_a_run_that_ends_where_the_next_begins_is_one():
    assert rle_from_edges(np.array([1, 3, 3, 5]), (2, 3)) == rle_from_edges(
        np.array([1, 5]), (2, 3)
    )
