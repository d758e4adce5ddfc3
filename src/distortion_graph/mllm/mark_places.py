"""Where the numbers of regions go: in their region, beside it, or in a margin.

Numbers lie off each other. A number that is not in its region has a leader line to it. Numbers and
lines keep to `Coverage`: where a line would cover too much of a region, it has gaps there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from distortion_graph.mllm.coverage import Box, Coverage
from distortion_graph.mllm.mark_margin import margin_slots
from distortion_graph.regions.rle import Crop

Point = tuple[int, int]
"""(x, y) in pixels of the picture."""

Pixels = NDArray[np.int64]
"""(n, 2) pixels, each (y, x)."""

_GAP_PX = 2
_OFF_PX = 3
_SECTORS = 16
_REACH = 7
_DEEP = 0.9
_MORE_PIECES, _PIECE_AREAS = 3, 12


@dataclass(frozen=True)
class Style:
    """Sizes of numbers in pixels: of each region's box (w, h), and of the lines."""

    boxes: Sequence[tuple[int, int]]
    line: int
    face: int


@dataclass(frozen=True)
class Place:
    """Where the number of the region at `index` is.

    `leader` are the corners of its line from the number to the region, none where the number is
    in its region; `core` are the pixels of that line and `rim` those beside it that are drawn.
    """

    index: int
    box: Box
    leader: tuple[Point, ...] = ()
    core: Pixels = field(default_factory=lambda: np.zeros((0, 2), np.int64))
    rim: Pixels = field(default_factory=lambda: np.zeros((0, 2), np.int64))


def place_numbers(
    crops: Sequence[Crop], size: tuple[int, int], style: Style, *, at_corners: bool = False
) -> list[Place]:
    """A place for every region's number, in the order of the regions.

    Args:
        crops: every region's mask, not empty; they may overlap.
        size: (h, w) of the picture.
        style: sizes of what is placed.
        at_corners: put numbers at the corners of the regions' boxes where that is possible.

    Returns:
        Places in pixels of the picture; those in a margin lie outside it. A region in several
        large pieces may have a number in each, which come after the others.
    """
    ground = _Ground(crops, size, style)
    order = sorted(range(len(crops)), key=lambda r: (np.count_nonzero(crops[r].mask), r))
    found: dict[int, Place] = {}
    for step in (ground.at_corner if at_corners else ground.inside, ground.beside):
        for r in (r for r in order if r not in found):
            place = step(r)
            if place is not None:
                found[r] = place
    rest = [r for r in range(len(crops)) if r not in found]
    found |= ground.in_margin(rest)
    more = [] if at_corners else [p for r in order if not found[r].leader for p in ground.more(r)]
    return [*(found[r] for r in range(len(crops))), *more]


class _Ground:
    """The picture, its regions, and what already lies on it."""

    def __init__(self, crops: Sequence[Crop], size: tuple[int, int], style: Style) -> None:
        self.crops, self.size, self.style = crops, size, style
        self.coverage = Coverage(crops, size)
        self.blocked = np.zeros(size, np.bool_)

    def inside(self, r: int) -> Place | None:
        """A number wholly in its region, off the outlines of others if it can be."""
        crop = self.crops[r]
        return self._put(r, self._spot_in(r, crop.mask, crop.top, crop.left))

    def more(self, r: int) -> list[Place]:
        """Further numbers, in other large pieces of a region."""
        crop = self.crops[r]
        count, pieces, facts, _ = cv2.connectedComponentsWithStats(crop.mask.astype(np.uint8))
        areas = facts[:, cv2.CC_STAT_AREA]
        least = _PIECE_AREAS * math.prod(self.style.boxes[r])
        found = []
        for piece in sorted(range(1, count), key=lambda k: (-areas[k], k))[: _MORE_PIECES + 1]:
            left, top, w, h, area = (int(v) for v in facts[piece])
            mask = pieces[top : top + h, left : left + w] == piece
            place = Box(crop.left + left, crop.top + top, w, h)
            if area < least or self._has_number(place, mask):
                continue
            spot = self._spot_in(r, mask, place.y, place.x)
            found += [p for p in [self._put(r, spot)] if p]
        return found

    def _has_number(self, place: Box, mask: NDArray[np.bool_]) -> bool:
        return bool((self.coverage.covered[place.within(self.size)] & mask).any())

    def at_corner(self, r: int) -> Place | None:
        """A number at a corner of the region's box: inside it at the top first, then outside."""
        w, h = self.style.boxes[r]
        crop = self.crops[r]
        height, width = crop.mask.shape
        xs = (crop.left, crop.left + width - w)
        inner, outer = (crop.top, crop.top + height - h), (crop.top - h, crop.top + height)
        boxes = [Box(x, y, w, h) for y in (inner[0], outer[0], outer[1], inner[1]) for x in xs]
        for box in boxes:
            if self._free(box):
                return self._put(r, box)
        return None

    def _free(self, box: Box) -> bool:
        rows, columns = window = box.within(self.size)
        if (rows.stop - rows.start, columns.stop - columns.start) != (box.h, box.w):
            return False
        return bool((self.coverage.room(box.area, window) & ~self.blocked[window]).all())

    def _spot_in(self, r: int, mask: NDArray[np.bool_], top: int, left: int) -> Box | None:
        w, h = self.style.boxes[r]
        window = Box(left, top, mask.shape[1], mask.shape[0]).within(self.size)
        free = mask & self.coverage.room(w * h, window) & ~self.blocked[window]
        for off in (_OFF_PX, 0):
            ys, xs = _corners(free, (w + 2 * off, h + 2 * off))
            if len(ys):
                break
        else:
            return None
        ys, xs = ys + off, xs + off
        depth = _depth(mask)[ys + h // 2, xs + w // 2]
        middle = np.hypot(ys + h / 2 - mask.shape[0] / 2, xs + w / 2 - mask.shape[1] / 2)
        best = np.lexsort((xs, ys, middle.round(3), depth < _DEEP * depth.max()))[0]
        return Box(int(xs[best]) + left, int(ys[best]) + top, w, h)

    def _put(self, r: int, box: Box | None) -> Place | None:
        if box is None:
            return None
        self.coverage.cover_box(box)
        self.blocked[box.grown(_GAP_PX).within(self.size)] = True
        return Place(r, box)

    def beside(self, r: int) -> Place | None:
        """A number near its region with a line to it; None where there is no good place."""
        w, h = self.style.boxes[r]
        at = innermost(self.crops[r])
        reach = _REACH * self.style.face
        around = Box(at[0] - reach, at[1] - reach, 2 * reach, 2 * reach)
        window = around.within(self.size)
        free = self.coverage.room(w * h, window) & ~self.blocked[window]
        free &= ~self._near(r, window)
        ys, xs = _corners(free, (w + 2, h + 2))
        if not len(ys):
            return None
        ys, xs = ys + window[0].start + 1, xs + window[1].start + 1
        starts = _edge_points(xs, ys, (w, h), at)
        away = np.hypot(*(starts - at).T)
        turn = np.arctan2(ys + h / 2 - at[1], xs + w / 2 - at[0])
        sector = np.floor((turn / math.tau + 0.5) * _SECTORS).astype(int) % _SECTORS
        order = np.lexsort((xs, ys, away.round(3), sector))
        _, first = np.unique(sector[order], return_index=True)
        tried = [
            (self._trouble((int(starts[k, 0]), int(starts[k, 1])), at, r), n, k)
            for n, k in enumerate(order[first].tolist())
        ]
        trouble, _, k = min(tried)
        if trouble > reach:
            return None
        box = Box(int(xs[k]), int(ys[k]), w, h)
        start = (int(starts[k, 0]), int(starts[k, 1]))
        return self._lead(r, box, (start, at))

    def _near(self, r: int, window: tuple[slice, slice]) -> NDArray[np.bool_]:
        """Pixels of a window in the region or so near it that a line could not be seen."""
        crop = self.crops[r]
        rows, columns = window
        out = np.zeros((rows.stop - rows.start, columns.stop - columns.start), np.uint8)
        own = Box(crop.left - columns.start, crop.top - rows.start, *crop.mask.shape[::-1])
        inner_rows, inner_columns = own.within(out.shape)
        out[inner_rows, inner_columns] = crop.mask[
            inner_rows.start - own.y : inner_rows.stop - own.y,
            inner_columns.start - own.x : inner_columns.stop - own.x,
        ]
        near = cv2.dilate(out, np.ones((2 * _OFF_PX + 1, 2 * _OFF_PX + 1), np.uint8))
        return np.asarray(near, np.uint8).astype(bool)

    def _trouble(self, start: Point, end: Point, r: int) -> float:
        """How bad a straight line is: its length, and more where it meets what it should not."""
        line = line_pixels(start, end)
        ys, xs = line.T
        small = ~self.coverage.room(3 * len(line), (ys, xs))  # type: ignore[arg-type]
        crossed = np.count_nonzero(self.blocked[ys, xs])
        return len(line) + 4 * float(crossed) + 2 * float(np.count_nonzero(small))

    def _lead(self, r: int, box: Box, leader: tuple[Point, ...]) -> Place:
        self._put(r, box)
        line = np.concatenate([line_pixels(a, b) for a, b in pairwise(leader)])
        line = line[np.sort(np.unique(line, axis=0, return_index=True)[1])]
        core = _thick(line, self.style.line)
        core = core[self._take(core)]
        rim = _thick(core, 3)
        known = {(int(y), int(x)) for y, x in core}
        rim = np.array([p for p in rim.tolist() if tuple(p) not in known], np.int64).reshape(-1, 2)
        rim = rim[self._take(rim)]
        ys, xs = np.concatenate([core, rim]).T
        inside = (ys >= 0) & (ys < self.size[0]) & (xs >= 0) & (xs < self.size[1])
        self.blocked[ys[inside], xs[inside]] = True
        return Place(r, box, leader, core, rim)

    def _take(self, pixels: Pixels) -> NDArray[np.bool_]:
        return self.coverage.cover_some(pixels[:, 0], pixels[:, 1])

    def in_margin(self, indices: Sequence[int]) -> dict[int, Place]:
        """Numbers in a margin around the picture, and the lines from there."""
        if not indices:
            return {}
        ends = np.array([innermost(self.crops[r]) for r in indices])
        w, h = (max(self.style.boxes[r][k] for r in indices) for k in (0, 1))
        found = {}
        for r, slot in zip(
            indices, margin_slots(ends, self.size, (w, h), self.style.line, self.blocked),
            strict=True,
        ):  # fmt: skip
            own_w, own_h = self.style.boxes[r]
            box, lead = slot.fitted(own_w, own_h)
            end = innermost(self.crops[r])
            found[r] = self._lead(r, box, (*lead, end))
        return found


def _corners(
    free: NDArray[np.bool_], box_wh: tuple[int, int]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Corners (ys, xs) of all boxes of that size that lie on free pixels alone."""
    w, h = box_wh
    if w > free.shape[1] or h > free.shape[0]:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    fits = cv2.erode(
        free.astype(np.uint8),
        np.ones((h, w), np.uint8),
        anchor=(0, 0),
        borderType=cv2.BORDER_CONSTANT,
        borderValue=0,
    )
    ys, xs = np.nonzero(fits)
    return ys.astype(np.int64), xs.astype(np.int64)


def _edge_points(
    xs: NDArray[np.int64], ys: NDArray[np.int64], box_wh: tuple[int, int], at: Point
) -> Pixels:
    """(n, 2) the pixel (x, y) just outside each box that is nearest to a point."""
    w, h = box_wh
    return np.stack(
        [np.clip(at[0], xs - 1, xs + w), np.clip(at[1], ys - 1, ys + h)], axis=1
    ).astype(np.int64)


def _depth(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    padded = np.pad(mask, 1).astype(np.uint8)
    return np.asarray(cv2.distanceTransform(padded, cv2.DIST_L2, 5)[1:-1, 1:-1], np.float32)


def innermost(crop: Crop) -> Point:
    """A pixel about as deep in the mask as any, the one nearest its middle."""
    depth = _depth(crop.mask)
    deepest = np.argwhere(depth >= _DEEP * depth.max())
    away = np.hypot(*(deepest - [(n - 1) / 2 for n in crop.mask.shape]).T)
    y, x = deepest[int(away.round(3).argmin())]
    return int(x) + crop.left, int(y) + crop.top


def line_pixels(start: Point, end: Point) -> Pixels:
    """The pixels (y, x) of a straight line, both ends included."""
    steps = max(abs(end[0] - start[0]), abs(end[1] - start[1])) + 1
    xs, ys = (np.rint(np.linspace(a, b, steps)) for a, b in zip(start, end, strict=True))
    return np.stack([ys, xs], axis=1).astype(np.int64)


def _thick(line: Pixels, px: int) -> Pixels:
    """The pixels within a square of `px` around those of a line, each once, in order."""
    offsets = np.arange(px) - (px - 1) // 2
    dy, dx = (a.ravel() for a in np.meshgrid(offsets, offsets, indexing="ij"))
    wide = (line[:, None] + np.stack([dy, dx], 1)[None]).reshape(-1, 2)
    return np.asarray(wide[np.sort(np.unique(wide, axis=0, return_index=True)[1])], np.int64)
