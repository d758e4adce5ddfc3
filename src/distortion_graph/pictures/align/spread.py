"""How far a mapping is to be trusted: by how much parts of the pictures disagree about it."""

from __future__ import annotations

import math
from collections.abc import Iterator

import cv2
import numpy as np

from distortion_graph.pictures.align.detail import Plane, Pyramid, level_indices, picture_pixels
from distortion_graph.pictures.align.matrices import Matrix, corners, moved
from distortion_graph.pictures.align.refine import (
    FINE_PIXELS,
    Motion,
    comparable,
    levels_for,
    stepped,
    within,
)

_CELLS = 4  # along each side
_PARTS = 4
_STEPS = 3
_SOFT_PX = 3.0


def spread_px(onto: Pyramid, of: Pyramid, matrix: Matrix, motion: Motion) -> float:
    """The standard error of the corners' places, in pixels of the level of 0.24 MP.

    The mapping is refined on four interleaved quarters of the picture, each of many cells; their
    deviation over √4 estimates that of the whole.
    """
    levels = levels_for(onto, of, matrix, FINE_PIXELS)
    indices = level_indices(matrix, *levels)
    first, second = comparable(levels.onto.detail, levels.of.detail, indices)
    places = []
    for part in _parts(first.shape):
        back = cv2.warpPerspective(part, indices, second.shape[::-1], flags=cv2.INTER_LINEAR)
        found = stepped(first * part, second * back, indices, motion, _STEPS)
        whole = within(picture_pixels(found, *levels), motion, of)
        places.append(moved(whole, corners(of.size)) * levels.onto.scale)
    apart = np.var(np.stack(places), axis=0, ddof=1).sum(1).mean()
    return math.sqrt(float(apart) / _PARTS)


def _parts(size: tuple[int, int]) -> Iterator[Plane]:
    """Weights (h, w) of cells that share neither a side nor a corner, softened a little."""
    down, across = (np.arange(n) * _CELLS // n % 2 for n in size)
    for row in (0, 1):
        for column in (0, 1):
            cells = np.outer(down == row, across == column).astype(np.float32)
            yield np.asarray(cv2.GaussianBlur(cells, (0, 0), _SOFT_PX), np.float32)
