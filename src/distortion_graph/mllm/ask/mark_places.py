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

from distortion_graph.masks.boxes import Box, Crop
from distortion_graph.mllm.ask.coverage import Coverage
from distortion_graph.mllm.ask.mark_margin import margin_slots

Point = tuple[int, int]
"""(x, y) in pixels of the picture."""

Pixels = NDArray[np.int64]
"""(n, 2) pixels, each (y, x)."""

_GAP_PX = 2
_OFF_PX = 3
_DEEP = 0.9
_LARGE_SHARE = 0.08
"""Numbers larger than usual are for regions of which they cover no more than that."""

_REACH = 7
_PER_CROSSED, _PER_SMALL = 4, 2
_MORE_PIECES, _PIECE_AREAS = 3, 5


@dataclass(frozen=True)
class Sizes:
    """Sizes of what is placed, in pixels.

    `boxes[r]` are boxes (w, h) of region r's number, one for each height of letters, the largest
    first; numbers outside their region have the height at `usual`, which is `letters` pixels.
    """

    boxes: Sequence[Sequence[tuple[int, int]]]
    usual: int
    letters: int
    line: int

    def outside(self, r: int) -> tuple[int, int]:
        """The box of a number outside its region."""
        return self.boxes[r][self.usual]


@dataclass(frozen=True)
class Place:
    """Where the number of the region at `index` is, and which of its sizes it has.

    `leader` are the corners of its line from the number to the region, none where the number is
    in its region; `core` are the pixels of that line and `rim` those beside it that are drawn.
    """

    index: int
    size: int
    box: Box
    leader: tuple[Point, ...] = ()
    core: Pixels = field(default_factory=lambda: np.zeros((0, 2), np.int64))
    rim: Pixels = field(default_factory=lambda: np.zeros((0, 2), np.int64))


def place_numbers(
    crops: Sequence[Crop], lines: NDArray[np.bool_], sizes: Sizes, *, at_corners: bool = False
) -> tuple[list[Place], NDArray[np.bool_]]:
    """A place for every region's number, in the order of the regions.

    Args:
        crops: every region's mask, not empty; they may overlap.
        lines: (H, W) of the picture, where outlines are drawn.
        sizes: of what is placed.
        at_corners: put numbers at the corners of the regions' boxes where that is possible.

    Returns:
        Places in pixels of the picture; those in a margin lie outside it. A region in several
        large pieces may have a number in each, which come after the others. And (H, W) bool, the
        pixels that are covered.
    """
    ground = _Ground(crops, lines, sizes)
    # The smallest region has the least choice.
    order = sorted(range(len(crops)), key=lambda r: (np.count_nonzero(crops[r].mask), r))
    placed: dict[int, Place] = {}
    for step in (ground.at_corner if at_corners else ground.inside, ground.beside):
        for r in (r for r in order if r not in placed):
            place = step(r)
            if place is not None:
                placed[r] = place
    placed |= ground.in_margin([r for r in range(len(crops)) if r not in placed])
    places = [placed[r] for r in range(len(crops))]
    if not at_corners:
        places += [more for r in order if not placed[r].leader for more in ground.in_pieces(r)]
    return places, ground.coverage.covered


class _Ground:
    """The picture, its regions, and what already lies on it."""

    def __init__(self, crops: Sequence[Crop], lines: NDArray[np.bool_], sizes: Sizes) -> None:
        self.crops, self.lines, self.sizes = crops, lines, sizes
        self.size = lines.shape[0], lines.shape[1]
        self.coverage = Coverage(crops, self.size)
        self.blocked = np.zeros(self.size, np.bool_)

    def inside(self, r: int) -> Place | None:
        """A number wholly in its region, as large as fits well."""
        crop = self.crops[r]
        area = np.count_nonzero(crop.mask)
        for k, (w, h) in enumerate(self.sizes.boxes[r]):
            if k >= self.sizes.usual or w * h <= _LARGE_SHARE * area:
                place = self._put(r, k, self._spot_in(crop, (w, h)))
                if place is not None:
                    return place
        return None

    def in_pieces(self, r: int) -> list[Place]:
        """Further numbers, in other large pieces of a region."""
        crop, box_wh = self.crops[r], self.sizes.outside(r)
        count, pieces, facts, _ = cv2.connectedComponentsWithStats(crop.mask.astype(np.uint8))
        areas = facts[:, cv2.CC_STAT_AREA]
        places: list[Place] = []
        for k in sorted(range(1, count), key=lambda k: (-areas[k], k))[: _MORE_PIECES + 1]:
            left, top, w, h, area = (int(v) for v in facts[k])
            if area < _PIECE_AREAS * math.prod(box_wh):
                break
            mask = pieces[top : top + h, left : left + w] == k
            piece = Crop(Box(left, top, w, h).moved(crop.box.x, crop.box.y), mask)
            if not (self.coverage.covered[piece.box.area] & mask).any():
                place = self._put(r, self.sizes.usual, self._spot_in(piece, box_wh))
                places += [place] if place else []
        return places

    def at_corner(self, r: int) -> Place | None:
        """A number at a corner of the region's box: inside it at the top first, then outside."""
        own, (w, h) = self.crops[r].box, self.sizes.outside(r)
        for y in (own.y, own.y - h, own.bottom, own.bottom - h):
            for x in (own.x, own.right - w):
                if self._is_free(Box(x, y, w, h)):
                    return self._put(r, self.sizes.usual, Box(x, y, w, h))
        return None

    def _is_free(self, box: Box) -> bool:
        if box.clipped(self.size) != box:
            return False
        return bool(self._free(box.pixels, box.area).all())

    def _free(self, pixels: int, window: tuple[slice, slice]) -> NDArray[np.bool_]:
        """Where in a window something of that many pixels may lie."""
        return self.coverage.room(pixels, window) & ~self.blocked[window]

    def _spot_in(self, crop: Crop, box_wh: tuple[int, int]) -> Box | None:
        """A place deep in a mask, off all outlines if there is one."""
        w, h = box_wh
        own = crop.box.area
        free = crop.mask & self._free(w * h, own)
        ys, xs = _corners(free & ~self.lines[own], box_wh)
        if not len(ys):
            ys, xs = _corners(free, box_wh)
        if not len(ys):
            return None
        depth = _depth(crop.mask)[ys + h // 2, xs + w // 2]
        height, width = crop.mask.shape
        away = (2 * ys + h - height) ** 2 + (2 * xs + w - width) ** 2
        best = np.lexsort((xs, ys, away, depth < _DEEP * depth.max()))[0]
        return Box(int(xs[best]), int(ys[best]), w, h).moved(crop.box.x, crop.box.y)

    def _put(self, r: int, size: int, box: Box | None) -> Place | None:
        if box is None:
            return None
        self.coverage.cover_box(box)
        self.blocked[box.grown(_GAP_PX).clipped(self.size).area] = True
        return Place(r, size, box)

    def beside(self, r: int) -> Place | None:
        """A number near its region with a line to it; None where there is no good place."""
        w, h = self.sizes.outside(r)
        end = innermost(self.crops[r])
        reach = _REACH * self.sizes.letters
        window = Box(*end, 1, 1).grown(reach).clipped(self.size)
        # With half a line, so that the number does not use up what its own line needs.
        needed = w * h + reach * (self.sizes.line + 2) // 2
        free = self._free(needed, window.area) & ~self._near(self.crops[r], window)
        ys, xs = _corners(free, (w + 2, h + 2))
        if not len(ys):
            return None
        ys, xs = ys + window.y + 1, xs + window.x + 1
        starts = np.stack(
            [np.clip(end[0], xs - 1, xs + w), np.clip(end[1], ys - 1, ys + h)], axis=1
        )
        away = ((starts - end) ** 2).sum(1)
        direction = _directions(2 * (xs - end[0]) + w, 2 * (ys - end[1]) + h)
        order = np.lexsort((xs, ys, away, direction))
        nearest = order[np.unique(direction[order], return_index=True)[1]]
        leaders = [((int(x), int(y)), end) for x, y in starts[nearest]]
        trouble = [self._trouble(leader) for leader in leaders]
        best = int(np.argmin(trouble))
        if trouble[best] > reach:
            return None
        corner = int(xs[nearest[best]]), int(ys[nearest[best]])
        return self._lead(r, Box(*corner, w, h), leaders[best])

    def _near(self, crop: Crop, window: Box) -> NDArray[np.bool_]:
        """Pixels of a window in a region, or so near to it that a line there would not be seen."""
        common = crop.box.meet(window)
        near = np.zeros((window.height, window.width), np.uint8)
        near[common.within(window)] = crop.mask[common.within(crop.box)]
        side = 2 * _OFF_PX + 1
        return np.asarray(cv2.dilate(near, np.ones((side, side), np.uint8)), np.uint8).astype(bool)

    def _trouble(self, leader: tuple[Point, Point]) -> float:
        """How bad a straight line is: its length, and more where it meets what it should not."""
        ys, xs = line_pixels(*leader).T
        crossed = np.count_nonzero(self.blocked[ys, xs])
        small = len(ys) - np.count_nonzero(self.coverage.room_at(3 * len(ys), ys, xs))
        return float(len(ys) + _PER_CROSSED * crossed + _PER_SMALL * small)

    def _lead(self, r: int, box: Box, leader: tuple[Point, ...]) -> Place:
        """Put down a number outside its region, and as much of its line as may be."""
        self._put(r, self.sizes.usual, box)
        line = np.concatenate([line_pixels(a, b) for a, b in pairwise(leader)])
        core = _thick(_distinct(line), self.sizes.line)
        dot = _thick(line[-1:], self.sizes.line + 2)
        if self.coverage.left[r] >= 2 * (len(core) + len(dot)):
            core = _distinct(np.concatenate([core, dot]))
        core = core[self.coverage.cover_some(*core.T)]
        wide = _thick(core, 2 * max(1, self.sizes.line // 2) + 1)
        rim = _distinct(np.concatenate([core, wide]))[len(core) :]
        rim = rim[self.coverage.cover_some(*rim.T)]
        ys, xs = np.concatenate([core, rim]).T
        inside = (ys >= 0) & (ys < self.size[0]) & (xs >= 0) & (xs < self.size[1])
        self.blocked[ys[inside], xs[inside]] = True
        return Place(r, self.sizes.usual, box, leader, core, rim)

    def in_margin(self, indices: Sequence[int]) -> dict[int, Place]:
        """Numbers in a margin around the picture, and the lines from there."""
        if not indices:
            return {}
        ends = [innermost(self.crops[r]) for r in indices]
        boxes = [self.sizes.outside(r) for r in indices]
        largest = max(w for w, _ in boxes), max(h for _, h in boxes)
        slots = margin_slots(np.array(ends), self.size, largest, self.sizes.line, self.blocked)
        places = {}
        for r, end, (w, h), slot in zip(indices, ends, boxes, slots, strict=True):
            box, way = slot.fitted(w, h)
            places[r] = self._lead(r, box, (*way, end))
        return places


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


def _directions(dx: NDArray[np.int64], dy: NDArray[np.int64]) -> NDArray[np.int64]:
    """Which of sixteen directions, in whole numbers so that every machine says the same."""
    across, down = abs(dx), abs(dy)
    steep = 2 * np.minimum(across, down) > np.maximum(across, down)
    return np.asarray((dx > 0) + 2 * (dy > 0) + 4 * (down > across) + 8 * steep, np.int64)


def _depth(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """How many pixels it is from each pixel of a mask to the nearest outside, diagonals as one."""
    padded = np.pad(mask, 1).astype(np.uint8)
    return np.asarray(cv2.distanceTransform(padded, cv2.DIST_C, 3)[1:-1, 1:-1], np.float32)


def innermost(crop: Crop) -> Point:
    """A pixel about as deep in the mask as any, the one nearest its middle."""
    depth = _depth(crop.mask)
    deepest = np.argwhere(depth >= _DEEP * depth.max())
    away = ((2 * deepest - np.array(crop.mask.shape) + 1) ** 2).sum(1)
    y, x = deepest[int(away.argmin())]
    return int(x) + crop.box.x, int(y) + crop.box.y


def line_pixels(start: Point, end: Point) -> Pixels:
    """The pixels (y, x) of a straight line, both ends included."""
    last = max(abs(end[0] - start[0]), abs(end[1] - start[1]), 1)
    steps = np.arange(last + 1)
    ys, xs = (start[k] + (2 * steps * (end[k] - start[k]) + last) // (2 * last) for k in (1, 0))
    return np.stack([ys, xs], axis=1).astype(np.int64)


def _thick(line: Pixels, px: int) -> Pixels:
    """The pixels within a square of `px` around those of a line, each once, in order."""
    offsets = np.arange(px) - (px - 1) // 2
    dy, dx = (a.ravel() for a in np.meshgrid(offsets, offsets, indexing="ij"))
    return _distinct((line[:, None] + np.stack([dy, dx], 1)).reshape(-1, 2))


def _distinct(pixels: Pixels) -> Pixels:
    """Every pixel once, where it comes first."""
    return np.asarray(pixels[np.sort(np.unique(pixels, axis=0, return_index=True)[1])], np.int64)
