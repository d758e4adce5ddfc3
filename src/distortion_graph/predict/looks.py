"""What is seen of one picture alone in its regions, which can be kept for the next pair.

Of a pair only little is left to do then: sums of products of maps, and joint histograms.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from distortion_graph.features.cells import cell_counts, label_layers, pad_picture
from distortion_graph.features.histograms import JointPlanes, joint_histograms, joint_planes
from distortion_graph.features.statistics import OwnStatistics, RegionStatistics, own_statistics
from distortion_graph.masks.masks import LazyMasks, Masks
from distortion_graph.predict.loading import Networks
from distortion_graph.predict.names import (
    ENCODER_FILE,
    MAPS,
    PICTURE,
    POOLED,
    POOLING_FILE,
    WEIGHTS,
)
from distortion_graph.predict.pixels import cell_statistics
from distortion_graph.predict.tiles import Tile, counted_weights, covered, weighted_sums
from distortion_graph.work.threads import CachedCall

T = TypeVar("T")
Rgb = NDArray[np.uint8]
Floats = NDArray[np.float32]
Levels = Sequence[Floats]
"""Shares of the cells of every level that R regions cover, (R, h, w) each."""

KEPT_BYTES_PER_PX = 20
"""What is kept of a picture at most: its maps take 6.5, with the surroundings of tiles 9.6, the
statistics of its cells 4, and what is counted with another picture 6."""


class RegionCells:
    """R masks as pixels in cells and as labels, each made when it is first asked for."""

    def __init__(self, masks: Masks) -> None:
        self.size, self.count = masks.size, len(masks)
        self.counted = CachedCall(lambda: cell_counts(masks))
        self.layers = CachedCall(lambda: label_layers(masks))


class Part(NamedTuple):
    """Features of one picture in a tile, and sums over the R regions there.

    `maps` (C, h, w) each; of all their channels F: `weight` (R, levels), `first` (R, F) and
    `second` (R, F), the sums of weights, of features and of their squares.
    """

    maps: list[Floats]
    weight: Floats
    first: Floats
    second: Floats


class Look:
    """One picture and what is seen of it in its regions, each thing when it is first asked for.

    What was seen is remembered where `keeps`, else seen again when it is asked for again.
    """

    def __init__(
        self, rgb: Rgb, cells: RegionCells, networks: Networks, *, keeps: bool = False
    ) -> None:
        self.rgb, self.cells = rgb, cells
        self._networks = networks
        self._kept: dict[object, CachedCall[Any]] | None = {} if keeps else None

    def maps(self, tile: Tile, levels: Levels, threads: int) -> Part:
        """The encoder's maps of a tile."""
        return self._once(("maps", str(tile)), lambda: self._maps(tile, levels, threads))

    def pixels(self, tile: Tile, weights: Floats) -> Part:
        """The statistics of a tile's pixels by cells; `weights` are those of `tile_weights`."""
        return self._once(("pixels", str(tile)), lambda: self._pixels(tile, weights))

    def statistics(self) -> OwnStatistics:
        """Of the whole picture and its regions."""
        return self._once("statistics", self._statistics)

    def planes(self, band: slice) -> JointPlanes:
        """What is counted together with another picture in a band of rows."""
        return self._once(("planes", str(band)), lambda: joint_planes(self.rgb, band))

    def _maps(self, tile: Tile, levels: Levels, threads: int) -> Part:
        encoder = self._networks.session(ENCODER_FILE, threads)
        maps = list(encoder.run(list(MAPS), {PICTURE: pad_picture(self.rgb[tile.seen])}))
        given = [np.stack([values, values * values]) for values in maps]
        weight, (first, second) = self.pooled(given, levels, threads)
        return Part(maps, weight, first, second)

    def pooled(self, maps: Sequence[Floats], levels: Levels, threads: int) -> tuple[Floats, Floats]:
        """Sums of R regions' weights, (R, levels), and by them of N maps a level, (N, R, F)."""
        given = dict(zip((*MAPS, *WEIGHTS), (*maps, *levels), strict=True))
        weight, sums = self._networks.session(POOLING_FILE, threads).run(list(POOLED), given)
        return weight, sums

    def _pixels(self, tile: Tile, weights: Floats) -> Part:
        cells = cell_statistics(self.rgb, tile.counted_pixels)
        inner = counted_weights(tile, weights)
        sums = weighted_sums(inner, cells.reshape(-1, *cells.shape[2:]))
        first, second = np.split(sums, 2, -1)
        means = cells[0].copy() if self._kept is not None else cells[0]
        return Part([means], inner.sum((1, 2))[:, None], first, second)

    def _statistics(self) -> OwnStatistics:
        return own_statistics(self.rgb, self.cells.layers, self.cells.count)

    def _once(self, key: object, see: Callable[[], T]) -> T:
        if self._kept is None:
            return see()
        kept: T = self._kept.setdefault(key, CachedCall(see))()
        return kept


def map_moments(looks: Sequence[Look], tile: Tile, weights: Floats, threads: int) -> list[Floats]:
    """Moments (`names.MOMENTS`) of the encoder's maps of a tile; of one picture without products.

    `weights` (R, rows, columns) are those of `tile_weights`.
    """
    levels = covered(weights)
    parts = [look.maps(tile, levels, threads) for look in looks]
    if len(parts) == 1:
        return _own_moments(parts)
    products = [(one * other)[None] for one, other in zip(*(p.maps for p in parts), strict=True)]
    return [*_own_moments(parts), looks[0].pooled(products, levels, threads)[1][0]]


def pixel_moments(looks: Sequence[Look], tile: Tile, weights: Floats) -> list[Floats]:
    """The same of the statistics of a tile's pixels, one level of them."""
    parts = [look.pixels(tile, weights) for look in looks]
    if len(parts) == 1:
        return _own_moments(parts)
    product = parts[0].maps[0] * parts[1].maps[0]
    return [*_own_moments(parts), weighted_sums(counted_weights(tile, weights), product)]


def _own_moments(parts: Sequence[Part]) -> list[Floats]:
    return [
        parts[0].weight,
        np.stack([part.first for part in parts]),
        np.stack([part.second for part in parts]),
    ]


def statistics_of(first: Look, second: Look) -> RegionStatistics:
    """What is counted of two pictures in their regions."""
    planes, cells = (first.planes, second.planes), first.cells
    together = joint_histograms(planes, cells.size, cells.layers, cells.count)
    return RegionStatistics.of((first.statistics(), second.statistics()), together)


class Looks:
    """Looks at pictures; what is seen of some of them is kept, within so many bytes.

    Pictures are told apart by their arrays, which must not be written to, and each may be seen with
    several sets of masks. Beyond `most_bytes` nothing more is kept.
    """

    def __init__(self, networks: Networks, kept: Sequence[Rgb] = (), most_bytes: int = 0) -> None:
        self._networks = networks
        self._pictures = {id(rgb): rgb for rgb in kept}
        self._left = most_bytes
        self._looks: dict[object, Look] = {}
        self._cells: dict[object, RegionCells] = {}
        self._lock = threading.Lock()

    def cells(self, masks: Masks, pictures: Sequence[Rgb]) -> RegionCells:
        """The cells of masks, kept where the pictures are."""
        if not isinstance(masks, LazyMasks) or not any(map(self._keeps, pictures)):
            return RegionCells(masks)
        with self._lock:
            return self._cells.setdefault((masks.size, masks.rles), RegionCells(masks))

    def look(self, rgb: Rgb, cells: RegionCells) -> Look:
        """At an (H, W, 3) uint8 picture."""
        if not self._keeps(rgb):
            return Look(rgb, cells, self._networks)
        key = id(rgb), id(cells)
        with self._lock:
            if key not in self._looks:
                size = KEPT_BYTES_PER_PX * rgb.shape[0] * rgb.shape[1]
                if size > self._left:
                    return Look(rgb, cells, self._networks)
                self._left -= size
                self._looks[key] = Look(rgb, cells, self._networks, keeps=True)
            return self._looks[key]

    def _keeps(self, rgb: Rgb) -> bool:
        return id(rgb) in self._pictures
