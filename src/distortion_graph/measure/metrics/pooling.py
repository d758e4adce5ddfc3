"""Maps of two pictures pooled by region, level by level and tile by tile.

Maps of a tile are pooled at once, and what the next level needs of the tile is kept. So memory is
that of some tiles, of the planes from the second level on, and a byte per pixel of the regions'
boxes. Sums of tiles are added in one fixed order: the number of threads changes no bit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from distortion_graph.masks.boxes import Box
from distortion_graph.measure.metrics.metric import Array, Level, Maps, Pooled
from distortion_graph.work.threads import parallel_map

Rgb = NDArray[np.uint8]
Size = tuple[int, int]


class Parts(NamedTuple):
    """The parts of a picture that are worked on at once; they change values by rounding at most.

    Attributes:
        tile: Side of a tile in cells, even.
        threads_from_pixels: Pictures with fewer pixels are not worth starting threads for.
    """

    tile: int = 256
    threads_from_pixels: int = 1 << 20


PARTS = Parts()


class Area(NamedTuple):
    """A region on a grid whose cells have 4ⁿ pixels.

    Attributes:
        box: Its box in cells; None for the whole picture.
        pixels: Of every cell in the box, how many pixels are the region's; None likewise.
        full: 4ⁿ.
    """

    box: Box | None
    pixels: NDArray[Any] | None
    full: int = 1

    def halved(self, size: Size) -> Area:
        """The region on the next grid; `size` is this one's.

        At the frame's end, the last row or column counts twice if it is odd: pixels beyond the
        picture are neither in the region nor out of it.
        """
        if self.box is None or self.pixels is None:
            return self
        box, full = self.box.on_grid(2), 4 * self.full
        before = (self.box.y - box.y, self.box.x - box.x)
        after = (box.bottom - self.box.bottom, box.right - self.box.right)
        pixels = np.pad(self.pixels, tuple(zip(before, after, strict=True)))
        if box.bottom > size[0]:
            pixels[-1] = pixels[-2]
        if box.right > size[1]:
            pixels[:, -1] = pixels[:, -2]
        pixels = pixels.astype(np.min_scalar_type(full), copy=False)
        rows = pixels[::2] + pixels[1::2]
        return Area(box.in_cells(2), rows[:, ::2] + rows[:, 1::2], full)

    def within(self, box: Box) -> tuple[Box, NDArray[np.float32] | None]:
        """The part of the region in a box, and the share of every cell in it; None for all."""
        if self.box is None or self.pixels is None:
            return box, None
        part = self.box.meet(box)
        share = self.pixels[part.within(self.box)].astype(np.float32)
        share *= np.float32(1 / self.full)
        return part, share


WHOLE = Area(None, None)
"""The whole picture."""


class _Sums(NamedTuple):
    """Sums over all cells of a region, and over those whose windows lie in the picture."""

    every: Pooled
    inner: Pooled

    def plus(self, other: _Sums) -> _Sums:
        return _Sums(*(_added(one, two) for one, two in zip(self, other, strict=True)))

    def chosen(self) -> Pooled:
        """The inner cells', where there are any."""
        return self.inner if self.inner.cells > 0 else self.every


def _added(one: Pooled, two: Pooled) -> Pooled:
    return Pooled(one.sums + two.sums, one.cells + two.cells)


def pooled_by_region(
    maps: Maps, pair: tuple[Rgb, Rgb], regions: Sequence[Area], parts: Parts = PARTS
) -> list[list[Pooled]]:
    """The sums of every level's maps in each of some regions of the pictures.

    Args:
        maps: Those of a metric, for pictures of this size.
        pair: Two pictures, (H, W, 3) RGB uint8 of one size.
        regions: Areas in pixels.
        parts: What is worked on at once.

    Returns:
        By region and level; a region may have no cell of a level.
    """
    found: list[list[Pooled]] = [[] for _ in regions]
    height, width = pair[0].shape[:2]
    step, size = 1, (height, width)
    kept: tuple[Array, Array] | None = None
    large = height * width >= parts.threads_from_pixels
    for number, level in enumerate(maps.levels):
        while step < level.step:
            regions, step = [region.halved(size) for region in regions], 2 * step
            size = (size[0] + 1) // 2, (size[1] + 1) // 2
        work = _LevelWork(maps, number, pair, kept, regions)
        tiles = _tiles(level, parts.tile)
        sums = parallel_map(work.tile, tiles) if large else list(map(work.tile, tiles))
        for index, pooled in enumerate(found):
            own = [tile[index] for tile in sums if index in tile]
            pooled.append(_summed(own))
        kept = work.following
    return found


def _summed(parts: Sequence[_Sums]) -> Pooled:
    if not parts:
        return Pooled(np.zeros(0), 0.0)
    result = parts[0]
    for part in parts[1:]:
        result = result.plus(part)
    return result.chosen()


def _tiles(level: Level, side: int) -> list[Box]:
    frame = Box.whole(level.size)
    if level.radius is None:
        return [frame]
    return [
        Box(x, y, side, side).meet(frame)
        for y in range(0, frame.height, side)
        for x in range(0, frame.width, side)
    ]


class _LevelWork:
    """The maps of one level, pooled tile by tile, and the planes of the next one."""

    def __init__(
        self,
        maps: Maps,
        number: int,
        pair: tuple[Rgb, Rgb],
        kept: tuple[Array, Array] | None,
        regions: Sequence[Area],
    ) -> None:
        self._maps, self._number, self._pair = maps, number, pair
        self._level, self._kept, self._regions = maps.levels[number], kept, regions
        self.following: tuple[Array, Array] | None = None
        if number + 1 < len(maps.levels):
            sample = maps.planes(pair[0][:1, :1]) if kept is None else kept[0]
            shape = (*sample.shape[:-2], *maps.levels[number + 1].size)
            self.following = np.empty(shape, sample.dtype), np.empty(shape, sample.dtype)

    def tile(self, box: Box) -> dict[int, _Sums]:
        """Sums of the regions that the tile touches, by their positions."""
        seen = box
        if self._level.radius is not None:
            seen = box.grown(self._level.radius).clipped(self._level.size)
        windows = [self._window(side, seen) for side in (0, 1)]
        own = box.within(seen)
        terms = self._maps.terms(self._number, *windows)[(..., *own)]
        for planes, window in zip(self.following or (), windows, strict=False):
            part = self._maps.shrink(self._number, window, own)
            top, left = box.y // 2, box.x // 2
            planes[..., top : top + part.shape[-2], left : left + part.shape[-1]] = part
        return dict(self._sums(terms, box))

    def _window(self, side: int, seen: Box) -> Array:
        if self._kept is not None:
            return self._kept[side][(..., *seen.area)]
        step = self._level.step
        rows, columns = (slice(s.start * step, s.stop * step) for s in seen.area)
        return self._maps.planes(self._pair[side][rows, columns])

    def _sums(self, terms: Array, tile: Box) -> Iterator[tuple[int, _Sums]]:
        for index, region in enumerate(self._regions):
            part, share = region.within(tile)
            if part.empty:
                continue
            values = terms[(..., *part.within(tile))]
            every = _pool(values, share)
            inside = part if self._level.inner is None else part.meet(self._level.inner)
            inner = every
            if inside != part:
                cut = inside.within(part)
                inner = _pool(values[(..., *cut)], None if share is None else share[cut])
            yield index, _Sums(every, inner)


def _pool(values: Array, share: NDArray[np.float32] | None) -> Pooled:
    """Sums of (K, h, w) maps over a region, added up in double precision."""
    if share is None:
        return Pooled(np.array([_total(plane) for plane in values]), float(values[0].size))
    return Pooled(np.array([_total(plane * share) for plane in values]), _total(share))


def _total(values: Array) -> float:
    # OpenCV's sum is faster, but its order, and so its last bit, depends on where values lie.
    return float(np.add.reduce(values, axis=None, dtype=np.float64))
