"""What is settled before any search: equal pictures, registered ones, and their order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from distortion_graph.pictures.align.channels import in_better_channels
from distortion_graph.pictures.align.detail import Plane, Pyramid
from distortion_graph.pictures.align.matrices import corner_distance
from distortion_graph.pictures.align.refine import (
    COARSE_PIXELS,
    FINEST_PIXELS,
    MIDDLE_PIXELS,
    levels_for,
    refined,
)
from distortion_graph.pictures.align.search import UNMOVED
from distortion_graph.pictures.align.trust import MOST_SECOND_PEAK

_BLOCK_ROWS = 64
_LEAST_CORRELATION = 0.25
_SAME = 0.999
_OFF_PX = 0.5
_FAR_PX = 3.0
_STEPS = 4
_COMPARED_SHARE = 0.2  # of the pixels
_IDENTITY = np.eye(3)


def order(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> int:
    """−1 or 1: which of two pictures comes first whatever they are called; 0 if they are equal.

    By size, then by the first rows of pixels that differ.
    """
    if first.shape != second.shape:
        return -1 if first.shape < second.shape else 1
    for top in range(0, len(first), _BLOCK_ROWS):
        one, other = (rgb[top : top + _BLOCK_ROWS] for rgb in (first, second))
        if not np.array_equal(one, other):
            return -1 if one.tobytes() < other.tobytes() else 1
    return 0


def is_registered(onto: Pyramid, of: Pyramid) -> bool:
    """Whether two pictures plainly lie on each other as they are.

    In luma, else in the colours in which they agree most. A no is no verdict: at this price some
    pairs look moved.
    """
    if onto.size != of.size:
        return False
    if _lies_there(onto, of):
        return True
    other = in_better_channels(onto, of, _IDENTITY, COARSE_PIXELS, MIDDLE_PIXELS)
    return other is not None and _lies_there(*other)


def _lies_there(onto: Pyramid, of: Pyramid) -> bool:
    """Whether a few iterations of ECC find hardly any movement, or one that explains no more.

    Of a repeated texture many movements explain as much, so that says nothing.
    """
    middle = levels_for(onto, of, _IDENTITY, MIDDLE_PIXELS)
    correlation = _correlation(middle.onto.detail, middle.of.detail)
    if correlation < _LEAST_CORRELATION:
        return False
    found = refined(onto, of, _IDENTITY, "homography", COARSE_PIXELS, _STEPS)
    if np.array_equal(found, _IDENTITY) and correlation < _SAME:
        return False  # ECC gave up
    apart = corner_distance(found, _IDENTITY, of.size)
    if apart <= _OFF_PX or apart > _FAR_PX:
        return apart <= _OFF_PX
    pixels = round(min(max(_COMPARED_SHARE * of.pixels, MIDDLE_PIXELS), FINEST_PIXELS))
    levels = levels_for(onto, of, _IDENTITY, pixels)
    here, there = (levels.shared(matrix) for matrix in (_IDENTITY, found))
    no_more = here.information >= UNMOVED * there.information
    return no_more and here.second_peak <= MOST_SECOND_PEAK


def _correlation(one: Plane, other: Plane) -> float:
    """The correlation of two planes whose mean is about 0; 0 where one of them is flat."""
    norms = float(np.linalg.norm(one)) * float(np.linalg.norm(other))
    return float((one * other).sum()) / norms if norms > 0 else 0.0
