"""Where places of one picture lie in the other one, by the matrix of a graph's alignment."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from distortion_graph.graph import SIDES, DistortionGraph, ImageInfo, Side

Matrix = NDArray[np.float64]
Points = NDArray[np.float64]
"""(n, 2) places (x, y) in pixels from the top left corner of a picture."""

_SAME_PX = 1e-6
_LEAST_VOLUME = 1e-12  # of a matrix that maps a picture onto a line or a point
_MOSTLY_ALL = 0.999
_LEAST_DEPTH = 1e-6  # of a place's third coordinate; behind it a picture has no place


@dataclass(frozen=True, eq=False)
class Laid:
    """A target that its graph's alignment moves to lie on the anchor.

    `onto` are two 3×3 matrices: places of the target to places of the anchor, and the other way.
    `sizes` are (h, w) of anchor and target in pixels. Every place of either picture has one in the
    plane of the other.
    """

    onto: tuple[Matrix, Matrix]
    sizes: tuple[tuple[int, int], tuple[int, int]]

    def outline(self, side: Side) -> Points:
        """The corners of the other picture on this one, which they may leave."""
        k = SIDES.index(side)
        return mapped(self.onto[k], corners_of(self.sizes[1 - k]))

    def shown(self, side: Side) -> Points:
        """The corners of what the other picture shows of this one; none where they do not meet."""
        height, width = self.sizes[SIDES.index(side)]
        return _cut(self.outline(side), width, height)

    def share(self, side: Side) -> float:
        """How much of this picture the other one shows, 0 … 1."""
        height, width = self.sizes[SIDES.index(side)]
        x, y = self.shown(side).T
        area = abs(float(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1)))) / 2
        return area / (width * height)

    @property
    def has_more(self) -> bool:
        """Whether one picture shows a part, large enough to be seen, that the other does not."""
        return any(self.share(side) < _MOSTLY_ALL for side in SIDES)

    def box_on(self, side: Side, box: Sequence[float]) -> tuple[float, float, float, float] | None:
        """The box (x, y, w, h) on this picture around a box of the other one; None outside."""
        k = SIDES.index(side)
        x, y, width, height = box
        corners = corners_of((height, width)) + np.array([x, y])
        limit = self.sizes[k][::-1]
        on = mapped(self.onto[k], corners).clip((0, 0), limit)
        (left, top), (right, bottom) = on.min(0).tolist(), on.max(0).tolist()
        if left >= right or top >= bottom:
            return None
        return left, top, right - left, bottom - top

    @property
    def beside(self) -> Matrix:
        """3×3, the target beside its anchor: as large as in `onto`, but neither turned nor bent."""
        (to,) = mapped(self.onto[0], np.array([self.middle]))
        scale = self.scale
        x, y = to - np.multiply(self.middle, scale)
        return np.array([(scale, 0, x), (0, scale, y), (0, 0, 1)], np.float64)

    @property
    def middle(self) -> tuple[float, float]:
        """A place (x, y) of the target in the middle of what both show."""
        part = self.shown("target")
        if not len(part):
            height, width = self.sizes[1]
            return width / 2, height / 2
        x, y = part.mean(0).tolist()
        return x, y

    @property
    def scale(self) -> float:
        """Pixels of the anchor along one of the target's, in the middle of what both show."""
        return scale_at(self.onto[0], self.middle)


def laid_of(graph: DistortionGraph) -> Laid | None:
    """How a graph's alignment moves the target.

    None where the pictures lie on each other as they are, where their sizes are not known, and
    where no matrix says how they lie.
    """
    info, sizes = graph.alignment, (_size(graph.anchor), _size(graph.target))
    if info is None or info.matrix is None or info.inverse is None:
        return None
    if sizes[0] is None or sizes[1] is None:
        return None
    laid = Laid((np.array(info.matrix), np.array(info.inverse)), (sizes[0], sizes[1]))
    corners = corners_of(sizes[0]), corners_of(sizes[1])
    depths = [_depths(matrix, c) for matrix, c in zip(laid.onto, corners[::-1], strict=True)]
    flat = min(abs(float(np.linalg.det(matrix))) for matrix in laid.onto) < _LEAST_VOLUME
    if flat or float(np.min(depths)) < _LEAST_DEPTH:
        return None
    stays = sizes[0] == sizes[1] and np.abs(laid.outline("anchor") - corners[0]).max() < _SAME_PX
    return None if stays else laid


def _size(info: ImageInfo) -> tuple[int, int] | None:
    return None if info.height is None or info.width is None else (info.height, info.width)


def corners_of(size: tuple[float, float]) -> Points:
    """(4, 2) corners of a picture of size (h, w), clockwise from the top left one."""
    height, width = size
    return np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float64)


def mapped(matrix: Matrix, places: Points) -> Points:
    """Where places (n, 2) come to lie by a 3×3 matrix."""
    moved = places @ matrix[:2, :2].T + matrix[:2, 2]
    return np.asarray(moved / _depths(matrix, places)[:, None], np.float64)


def jacobian(matrix: Matrix, place: tuple[float, float]) -> Matrix:
    """(2, 2): how a small step around a place is mapped."""
    depth = float(_depths(matrix, np.array([place]))[0])
    (to,) = mapped(matrix, np.array([place]))
    return np.asarray((matrix[:2, :2] - np.outer(to, matrix[2, :2])) / depth, np.float64)


def scale_at(matrix: Matrix, place: tuple[float, float]) -> float:
    """How much longer a step becomes at a place, the mean of all directions."""
    return math.sqrt(abs(float(np.linalg.det(jacobian(matrix, place)))))


def _depths(matrix: Matrix, places: Points) -> NDArray[np.float64]:
    return np.asarray(places @ matrix[2, :2] + matrix[2, 2], np.float64)


def _cut(polygon: Points, width: float, height: float) -> Points:
    """The part of a convex polygon inside a picture (Sutherland and Hodgman, 1974)."""
    for axis, sign, limit in ((0, 1, 0.0), (0, -1, width), (1, 1, 0.0), (1, -1, height)):
        inside = sign * (polygon[:, axis] - limit) if len(polygon) else np.empty(0)
        kept: list[Points] = []
        for k in range(len(polygon)):
            before, at = inside[k - 1], inside[k]
            if (before < 0) != (at < 0):
                share = before / (before - at)
                kept.append(polygon[k - 1] + share * (polygon[k] - polygon[k - 1]))
            if at >= 0:
                kept.append(polygon[k])
        polygon = np.array(kept) if kept else np.empty((0, 2))
    return polygon
