"""Where labels go: in their region, inside the picture, and off each other where that is possible.

Every region first gets room for its number. Then, the largest region first, labels grow to the
longest wording that still lies mostly in its own region and covers no other label.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

_FEW, _MANY = 20, 60
_OWN_SHARE, _OWN_SHARE_OF_MANY = 0.6, 0.98
"""The share of a label longer than a number that must lie in its own region, up to `_FEW` and from
`_MANY` regions on: with few there is less to confuse a label with."""

_GOOD_SHARE = 0.9

_LATTICE = 9
_SEARCH_PX = 512
_GAP_PX = 2


@dataclass(frozen=True)
class Place:
    """Which of a region's label sizes was chosen, and the corner of the label in pixels."""

    choice: int
    x: int
    y: int


@dataclass(frozen=True)
class Ground:
    """A region's pixels: a crop of its mask and the crop's corner (x, y)."""

    mask: NDArray[np.bool_]
    x: int
    y: int


class _Frame(NamedTuple):
    """Size of the picture in pixels, and how far labels stay off its edge where they can."""

    width: int
    height: int
    margin: int


class _Spots:
    """Candidate middles of a region's label: the deepest inside first, then the most central."""

    def __init__(self, ground: Ground) -> None:
        height, width = ground.mask.shape
        self._scale = max(1.0, max(height, width) / _SEARCH_PX)
        small = (
            max(1, round(width / self._scale)),
            max(1, round(height / self._scale)),
        )
        area = cv2.resize(ground.mask.astype(np.uint8) * 255, small, interpolation=cv2.INTER_AREA)
        inside = area > 0
        self._sums = cv2.integral(inside.astype(np.uint8))
        depth = cv2.distanceTransform(np.pad(inside.astype(np.uint8), 1), cv2.DIST_L2, 5)
        depth = depth[1:-1, 1:-1]
        rows, cols = (
            np.unique(np.linspace(0, n - 1, _LATTICE).round().astype(int)) for n in inside.shape
        )
        grid_y, grid_x = (a.ravel() for a in np.meshgrid(rows, cols, indexing="ij"))
        deepest = np.unravel_index(int(depth.argmax()), depth.shape)
        ys = np.concatenate([[deepest[0]], grid_y[inside[grid_y, grid_x]]])
        xs = np.concatenate([[deepest[1]], grid_x[inside[grid_y, grid_x]]])
        middle = np.array([(inside.shape[1] - 1) / 2, (inside.shape[0] - 1) / 2])
        away = np.hypot(*(np.stack([xs, ys], 1) - middle).T)
        order = np.lexsort((away, -(depth[ys, xs] / depth.max()).round(1)))
        self._corner = np.array([ground.x, ground.y])
        self.middles = self._corner + (np.stack([xs, ys], 1)[order] + 0.5) * self._scale
        self.area = int(np.count_nonzero(ground.mask))

    def boxes(self, size: tuple[int, int], frame: _Frame) -> NDArray[np.int64]:
        """(K, 4) boxes x0, y0, x1, y1 of a label of that size around the spots, in the frame."""
        room = np.maximum(np.array([frame.width, frame.height]) - size, 0)
        low = np.minimum(frame.margin, room // 2)
        corners = np.clip(np.rint(self.middles - np.array(size) / 2), low, room - low)
        return np.concatenate([corners, corners + size], 1).astype(np.int64)

    def own_share(self, boxes: NDArray[np.int64]) -> NDArray[np.float64]:
        """The share of each box that lies in the region."""
        height, width = (n - 1 for n in self._sums.shape)
        local = (boxes - np.tile(self._corner, 2)) / self._scale
        x0, x1 = (np.clip(np.rint(local[:, k]).astype(int), 0, width) for k in (0, 2))
        y0, y1 = (np.clip(np.rint(local[:, k]).astype(int), 0, height) for k in (1, 3))
        sums = self._sums
        inside = sums[y1, x1] - sums[y0, x1] - sums[y1, x0] + sums[y0, x0]
        size = (local[:, 2] - local[:, 0]) * (local[:, 3] - local[:, 1])
        return np.asarray(inside / np.maximum(size, 1e-9), np.float64)


def place_labels(
    grounds: Sequence[Ground],
    sizes: Sequence[Sequence[tuple[int, int]]],
    frame_wh: tuple[int, int],
    margin: int = 0,
) -> list[Place]:
    """Choose a size and a corner for each region's label in a picture of `frame_wh` pixels.

    `sizes[r]` are the (w, h) of region r's wordings, longest first; the last is the number alone,
    which is always placed. Labels stay `margin` pixels off the picture's edge where they can.
    """
    frame = _Frame(*frame_wh, margin)
    spots = [_Spots(ground) for ground in grounds]
    # The smallest has the least choice, so its number is placed first.
    order = sorted(range(len(spots)), key=lambda r: (spots[r].area, r))
    taken = np.zeros((len(spots), 4), np.int64)
    choices = [len(s) - 1 for s in sizes]
    for r in order:
        taken[r] = _room_for_number(spots[r], sizes[r][-1], frame, taken)
    least = float(np.interp(len(spots), (_FEW, _MANY), (_OWN_SHARE, _OWN_SHARE_OF_MANY)))
    for r in reversed(order):
        others = np.delete(taken, r, 0)
        for choice, size in enumerate(sizes[r][:-1]):
            box = _room_for_words(spots[r], size, frame, others, least)
            if box is not None:
                taken[r], choices[r] = box, choice
                break
    return [
        Place(choice, int(x), int(y)) for choice, (x, y) in zip(choices, taken[:, :2], strict=True)
    ]


def _room_for_number(
    spots: _Spots, size: tuple[int, int], frame: _Frame, taken: NDArray[np.int64]
) -> NDArray[np.int64]:
    boxes = spots.boxes(size, frame)
    covered = _covered(boxes, taken)
    # Off other labels first, then as far inside the region as can be.
    best = np.lexsort((np.arange(len(boxes)), -spots.own_share(boxes).round(1), covered))[0]
    return np.asarray(boxes[best], np.int64)


def _room_for_words(
    spots: _Spots,
    size: tuple[int, int],
    frame: _Frame,
    others: NDArray[np.int64],
    least: float,
) -> NDArray[np.int64] | None:
    if size[0] > frame.width or size[1] > frame.height:
        return None
    boxes = spots.boxes(size, frame)
    share = spots.own_share(boxes)
    share[_covered(boxes, others) > 0] = -1
    best = float(share.max())
    if best < least:
        return None
    # The first spot that is good enough: a middle place reads better than a perfect one far out.
    return np.asarray(boxes[int(np.argmax(share >= min(best, _GOOD_SHARE)))], np.int64)


def _covered(boxes: NDArray[np.int64], taken: NDArray[np.int64]) -> NDArray[np.int64]:
    """(K,) pixels that each box shares with the taken ones, a small gap counted."""
    placed = (taken[:, 2] > taken[:, 0]) & (taken[:, 3] > taken[:, 1])
    low, high = boxes[:, :2].min(0) - _GAP_PX, boxes[:, 2:].max(0) + _GAP_PX
    near = placed & (taken[:, :2] < high).all(1) & (taken[:, 2:] > low).all(1)
    x0, y0, x1, y1 = (boxes[:, k, None] for k in range(4))
    left, top, right, bottom = taken[near].T
    across = np.minimum(x1, right + _GAP_PX) - np.maximum(x0, left - _GAP_PX)
    down = np.minimum(y1, bottom + _GAP_PX) - np.maximum(y0, top - _GAP_PX)
    return np.asarray((across.clip(0) * down.clip(0)).sum(1), np.int64)
