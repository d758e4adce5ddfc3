"""What is settled before any search: equal pictures, registered ones, and their order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from distortion_graph.pictures.align.detail import Plane, Pyramid
from distortion_graph.pictures.align.matrices import corner_distance, corners, moved
from distortion_graph.pictures.align.refine import levels_for, refined
from distortion_graph.pictures.align.search import COARSE_PIXELS, MIDDLE_PIXELS

_BLOCK_ROWS = 64
_LEAST_CORRELATION = 0.25
_OFF_PX = 0.5
_KEYSTONE_PX = 1.0
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
    """Whether two pictures plainly lie on each other as they are, to half a pixel.

    A few iterations of ECC on reduced pictures, first affine, then for a keystone. A no is no
    verdict: blur and blown-out light can make a pair look moved at this price.
    """
    if onto.size != of.size:
        return False
    levels = levels_for(onto, of, _IDENTITY, MIDDLE_PIXELS)
    if _correlation(levels.onto.detail, levels.of.detail) < _LEAST_CORRELATION:
        return False
    affine = refined(onto, of, _IDENTITY, "affine", MIDDLE_PIXELS, 4)
    if corner_distance(affine, _IDENTITY, of.size) > _OFF_PX:
        return False
    bent = refined(onto, of, affine, "homography", COARSE_PIXELS, 3)
    # A keystone moves opposite corners the same way and neighbours against each other.
    apart = moved(bent, corners(of.size)) - moved(affine, corners(of.size))
    keystone = np.abs((apart * [[1], [-1], [1], [-1]]).mean(0)).max()
    return bool(keystone <= _KEYSTONE_PX)


def _correlation(one: Plane, other: Plane) -> float:
    """The correlation of two planes whose mean is about 0; 0 where one of them is flat."""
    norms = float(np.linalg.norm(one)) * float(np.linalg.norm(other))
    return float((one * other).sum()) / norms if norms > 0 else 0.0
