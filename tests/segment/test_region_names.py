"""Names of found regions: what is wrong, in no order of the pictures, and where."""

from __future__ import annotations

import numpy as np
import pytest

from distortion_graph.masks.container import RegionSet
from distortion_graph.segment.region_names import region_names

SIZE = 90, 120


def named(*boxes, words=("noise", "noise")):
    """Names of regions that are boxes (rows, columns)."""
    masks = np.zeros((len(boxes), *SIZE), bool)
    for mask, box in zip(masks, boxes, strict=True):
        mask[box] = True
    return region_names(RegionSet.from_masks(masks), [words] * len(boxes), "clean")


@pytest.mark.parametrize(
    ("rows", "columns", "place"),
    [
        ((0, 90), (0, 120), "whole picture"),
        ((0, 90), (10, 120), "most of the picture"),
        ((0, 30), (0, 40), "top left"),
        ((0, 30), (40, 80), "top"),
        ((0, 30), (80, 120), "top right"),
        ((30, 60), (0, 40), "left"),
        ((30, 60), (40, 80), "centre"),
        ((30, 60), (80, 120), "right"),
        ((60, 90), (0, 40), "bottom left"),
        ((60, 90), (40, 80), "bottom"),
        ((60, 90), (80, 120), "bottom right"),
    ],
)
def test_where_a_region_lies(rows, columns, place):
    assert named((slice(*rows), slice(*columns))) == (f"noise, {place}",)


def test_a_frame_lies_around_the_centre():
    frame = np.ones(SIZE, bool)
    frame[10:-10, 10:-10] = False
    [name] = region_names(RegionSet.from_masks(frame[None]), [("blur", "clean")], "clean")
    assert name == "blur, around the centre"


def test_both_pictures_stand_in_a_name_in_no_order():
    box = slice(0, 30), slice(0, 40)
    assert named(box, words=("noise", "blur")) == named(box, words=("blur", "noise"))
    assert named(box, words=("noise", "blur")) == ("blur and noise, top left",)
    assert named(box, words=("clean", "blur")) == ("blur, top left",)
    assert named(box, words=("clean", "clean")) == ("clean, top left",)


def test_equal_names_are_numbered():
    first, second = (slice(0, 10), slice(0, 10)), (slice(0, 10), slice(20, 30))
    assert named(first, second) == ("noise, top left", "noise, top left 2")
