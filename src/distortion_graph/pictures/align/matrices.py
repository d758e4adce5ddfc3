"""3×3 matrices between pictures, and what they do to frames.

Coordinates are continuous pixels: x to the right, y down, the top left corner of the picture at
(0, 0), so that the centre of the pixel in column j and row i lies at (j + 0.5, i + 0.5). OpenCV
counts from the centre of the first pixel instead; `in_indices` and `in_pixels` go between the two.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Matrix: TypeAlias = NDArray[np.float64]
Points: TypeAlias = NDArray[np.float64]
Size: TypeAlias = tuple[int, int]
"""(height, width) in pixels."""

_TO_CENTRE = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
_FROM_CENTRE = np.array([[1, 0, -0.5], [0, 1, -0.5], [0, 0, 1]])
_GRID = 9
_FARTHEST_PX = 1e7


def in_indices(matrix: Matrix) -> Matrix:
    """The same mapping for OpenCV's coordinates, where the first pixel's centre is (0, 0)."""
    return normalised(_FROM_CENTRE @ matrix @ _TO_CENTRE)


def in_pixels(matrix: Matrix) -> Matrix:
    """The way back from `in_indices`."""
    return normalised(_TO_CENTRE @ matrix @ _FROM_CENTRE)


def normalised(matrix: Matrix) -> Matrix:
    """The same mapping with 1 in the last place, and no −0."""
    return np.asarray(matrix / matrix[2, 2] + 0.0, np.float64)


def inverted(matrix: Matrix) -> Matrix:
    """The mapping the other way; a shift's inverse is the shift back to the bit."""
    if is_shift(matrix):
        return shift(-matrix[0, 2], -matrix[1, 2])
    return normalised(np.linalg.inv(matrix))  # type: ignore[arg-type]


def is_shift(matrix: Matrix) -> bool:
    """Whether the mapping only moves."""
    return np.array_equal(matrix[:, :2], np.eye(3)[:, :2]) and matrix[2, 2] == 1


def shift(dx: float, dy: float) -> Matrix:
    """Moves by so many pixels; adding 0 keeps −0 away."""
    return np.array([[1, 0, dx + 0.0], [0, 1, dy + 0.0], [0, 0, 1]])


def scaling(x: float, y: float) -> Matrix:
    """Scales about the top left corner."""
    return np.diag([x, y, 1.0])


def about_centres(turn: float, scale: float, of: Size, onto: Size) -> Matrix:
    """Scales and turns by radians, clockwise on the screen; the frames' centres lie together."""
    c, s = scale * math.cos(turn), scale * math.sin(turn)
    linear = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    there, back = shift(onto[1] / 2, onto[0] / 2), shift(-of[1] / 2, -of[0] / 2)
    return np.asarray(there @ linear @ back)


def mirror(size: Size) -> Matrix:
    """Exchanges left and right of a frame."""
    return np.array([[-1, 0, size[1]], [0, 1, 0], [0, 0, 1.0]])


def moved(matrix: Matrix, points: Points) -> Points:
    """Where (n, 2) points (x, y) come to lie."""
    mapped = points @ matrix[:, :2].T + matrix[:, 2]
    return np.asarray(mapped[:, :2] / mapped[:, 2:], np.float64)


def corners(size: Size) -> Points:
    """The four corners of a frame, clockwise from the top left, (4, 2)."""
    h, w = size
    return np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float64)


def corner_distance(one: Matrix, other: Matrix, size: Size) -> float:
    """How far apart two mappings put the corners of a frame: the mean of four, in pixels."""
    apart = moved(one, corners(size)) - moved(other, corners(size))
    return float(np.linalg.norm(apart, axis=1).mean())


def scale_of(matrix: Matrix, size: Size) -> float:
    """By how much the mapping magnifies lengths about the centre of a frame."""
    h, w = size
    near = np.array([[w / 2, h / 2], [w / 2 + 1, h / 2], [w / 2, h / 2 + 1]])
    at, right, down = moved(matrix, near)
    (ax, ay), (bx, by) = right - at, down - at
    return math.sqrt(abs(ax * by - ay * bx))


def turn_of(matrix: Matrix, size: Size) -> float:
    """By how many radians the mapping turns a frame's centre, clockwise on the screen."""
    h, w = size
    at, right, down = moved(
        matrix, np.array([[w / 2, h / 2], [w / 2 + 1, h / 2], [w / 2, h / 2 + 1]])
    )
    across, along = right - at, down - at
    return math.atan2(across[1] - along[0], across[0] + along[1])


def mirrors(matrix: Matrix) -> bool:
    """Whether the mapping exchanges left and right."""
    return float(np.linalg.det(matrix)) < 0


def keeps_frame(matrix: Matrix, size: Size) -> bool:
    """Whether a frame comes out whole: finite, not folded over, and not absurdly large or small."""
    if not np.isfinite(matrix).all():
        return False
    depths = corners(size) @ matrix[2, :2] + matrix[2, 2]
    if (depths <= 0).any():
        return False
    places = moved(matrix, corners(size))
    if np.abs(places).max() > _FARTHEST_PX:
        return False
    quad = places.astype(np.float32)
    area = cv2.contourArea(quad)
    return bool(cv2.isContourConvex(quad)) and 1e-3 < area / (size[0] * size[1]) < 1e3


def nearest_shift(matrix: Matrix, size: Size) -> Matrix:
    """The shift that moves a frame's points most nearly so (least squares)."""
    points = _grid(size)
    dx, dy = (moved(matrix, points) - points).mean(0)
    return shift(float(dx), float(dy))


def nearest_similarity(matrix: Matrix, size: Size) -> Matrix:
    """The shift, turn and scale that move a frame's points most nearly so (least squares)."""
    points = _grid(size)
    here, there = (p[:, 0] + 1j * p[:, 1] for p in (points, moved(matrix, points)))
    flat = here - here.mean()
    factor = complex((flat.conj() * there).sum() / (flat.conj() * flat).sum())
    rest = complex(there.mean() - factor * here.mean())
    a, b = factor.real, factor.imag
    return np.array([[a, -b, rest.real], [b, a, rest.imag], [0, 0, 1]])


def overlap_share(matrix: Matrix, of: Size, onto: Size) -> float:
    """The share of the frame `onto` that the mapped frame `of` covers."""
    if not keeps_frame(matrix, of):
        return 0.0
    quad = moved(matrix, corners(of)).astype(np.float32)
    area, _ = cv2.intersectConvexConvex(quad, corners(onto).astype(np.float32))
    return min(float(area) / (onto[0] * onto[1]), 1.0)


def _grid(size: Size) -> Points:
    h, w = size
    x, y = np.meshgrid(np.linspace(0, w, _GRID), np.linspace(0, h, _GRID))
    return np.stack([x.ravel(), y.ravel()], 1)
