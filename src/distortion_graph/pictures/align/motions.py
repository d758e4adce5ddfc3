"""Kinds of motion, and small movements of a frame within one of them.

A movement is given by steps, about the pixels by which it moves the frame's borders: along x, along
y, then scale and turn, or the four of an affine map, then the two of perspective. It moves the
frame about its centre.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from distortion_graph.pictures.align.matrices import Matrix, Points, Size, scaling, shift

Motion = Literal["translation", "similarity", "affine", "homography"]

STEPS: dict[Motion, int] = dict(zip(get_args(Motion), (2, 4, 6, 8), strict=True))
"""How many steps a movement has."""


def movement(size: Size, steps: NDArray[np.float64]) -> Matrix:
    """The movement, 3×3, of a frame's places in pixels, by 2, 4, 6 or 8 steps."""
    half = max(size) / 2
    x, y, *rest = (steps / half).tolist()
    move = np.array([[1, 0, x], [0, 1, y], [0, 0, 1.0]])
    if len(rest) == 2:
        scale, turn = rest
        move[:2, :2] += [[scale, -turn], [turn, scale]]
    elif rest:
        move[:2, :2] += np.reshape(rest[:4], (2, 2))
        move[2, :2] = rest[4:] or 0
    onto_unit = scaling(1 / half, 1 / half) @ shift(-size[1] / 2, -size[0] / 2)
    return np.asarray(np.linalg.inv(onto_unit) @ move @ onto_unit)


def directions(size: Size, motion: Motion, points: Points) -> NDArray[np.float64]:
    """By how much each step moves (n, 2) places of a frame: (2, n, steps), along x and along y."""
    x, y = ((points - [size[1] / 2, size[0] / 2]) / (max(size) / 2)).T
    one, none = np.ones_like(x), np.zeros_like(x)
    rows: dict[Motion, tuple[list[NDArray[np.float64]], list[NDArray[np.float64]]]] = {
        "translation": ([], []),
        "similarity": ([x, -y], [y, x]),
        "affine": ([x, y, none, none], [none, none, x, y]),
        "homography": (
            [x, y, none, none, -x * x, -x * y],
            [none, none, x, y, -x * y, -y * y],
        ),
    }
    across, down = rows[motion]
    return np.stack([np.stack([one, none, *across], 1), np.stack([none, one, *down], 1)])
