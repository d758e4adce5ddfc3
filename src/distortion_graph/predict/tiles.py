"""A tile of two pictures: what the encoder is told of it, and sums of tiles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from distortion_graph.features.cells import CELL_PX, GRAIN_PX, halved, shares
from distortion_graph.predict.names import MOMENTS, REGION_AXES, WEIGHTS

_PRODUCT = 1 << 18  # multiplications of a product that OpenBLAS leaves to the calling thread


class Tile(NamedTuple):
    """A piece of the pictures: what of it is counted, and with its surroundings, in pixels."""

    counted: tuple[slice, slice]
    seen: tuple[slice, slice]

    @property
    def counted_cells(self) -> tuple[slice, slice]:
        """The cells of what is counted."""
        return _cells(self.counted[0]), _cells(self.counted[1])

    @property
    def counted_pixels(self) -> tuple[slice, slice]:
        """The pixels of these cells, which at the end may reach beyond the picture."""
        rows, columns = self.counted_cells
        return (
            slice(rows.start * CELL_PX, rows.stop * CELL_PX),
            slice(columns.start * CELL_PX, columns.stop * CELL_PX),
        )


Sums: TypeAlias = "tuple[NDArray[np.intp], list[NDArray[np.float32]]]"
"""Regions, and what is summed (`predict.names.MOMENTS`) of each."""


def covered(weights: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """Shares of the cells of every level (`predict.names.WEIGHTS`), from those of the finest."""
    levels = [weights]
    while len(levels) < len(WEIGHTS):
        levels.append(halved(levels[-1]))
    return levels


def counted_weights(tile: Tile, weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """Those of the cells that a tile counts, without its surroundings."""
    (rows, y), (columns, x) = map(_counted_cells, tile.counted, tile.seen)
    return weights[:, y : y + len(rows), x : x + len(columns)]


def joined_moments(
    pixels: Sequence[NDArray[np.float32]], maps: Sequence[NDArray[np.float32]]
) -> list[NDArray[np.float32]]:
    """Moments of the pixel statistics, and after them those of the encoder's maps."""
    return [np.concatenate(both, -1) for both in zip(pixels, maps, strict=True)]


def added_sums(parts: Sequence[Sums], count: int) -> list[NDArray[np.float32]]:
    """Sums of tiles, each for the regions that it touches, of all `count` regions.

    Of a single picture there are no sums of products.
    """
    if len(parts) == 1 and len(parts[0][0]) == count:
        return parts[0][1]
    axes = [REGION_AXES[name] for name in MOMENTS]
    totals: list[NDArray[np.float64]] = []
    for regions, sums in parts:
        for k, (part, axis) in enumerate(zip(sums, axes, strict=False)):
            if len(totals) == k:
                shape = (*part.shape[:axis], count, *part.shape[axis + 1 :])
                totals.append(np.zeros(shape))
            np.moveaxis(totals[k], axis, 0)[regions] += np.moveaxis(part, axis, 0)
    return [total.astype(np.float32) for total in totals]


def tile_weights(
    tile: Tile, counts: NDArray[np.uint8]
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """The regions that a tile counts for, and the weights of its cells, 0 in its surroundings."""
    inner = counts[:, *tile.counted_cells]
    regions = np.flatnonzero(inner.any((1, 2)))
    parts = shares(inner[regions])
    if tile.counted == tile.seen:
        return regions, parts
    rows, columns = (_cells(side) for side in tile.seen)
    weights = np.zeros(
        (len(regions), rows.stop - rows.start, columns.stop - columns.start), np.float32
    )
    y, x = (place for _, place in map(_counted_cells, tile.counted, tile.seen))
    weights[:, y : y + inner.shape[1], x : x + inner.shape[2]] = parts
    return regions, weights


def weighted_sums(weights: NDArray[np.float32], maps: NDArray[np.float32]) -> NDArray[np.float32]:
    """(R, rows, columns) weights of (C, rows, columns) maps, summed: (R, C).

    One product for each row, of a few regions at a time: NumPy's BLAS starts threads for larger
    ones, outside of any budget, and those go on spinning on the core that the encoder needs.
    """
    few = max(_PRODUCT // (maps.shape[0] * maps.shape[2]), 1)
    columns = maps.transpose(1, 2, 0)
    sums = [
        (weights[first : first + few].transpose(1, 0, 2) @ columns).sum(0)
        for first in range(0, len(weights), few)
    ]
    return np.concatenate([np.zeros((0, len(maps)), np.float32), *sums])


def _counted_cells(counted: slice, seen: slice) -> tuple[range, int]:
    """Cells along one side of a tile that are counted, and where they begin among those seen."""
    cells = _cells(counted)
    return range(cells.start, cells.stop), cells.start - _cells(seen).start


def _cells(side: slice) -> slice:
    """The cells of pixels that begin on the model's grain; the last may be padded up to it."""
    return slice(side.start // CELL_PX, -(-side.stop // GRAIN_PX) * GRAIN_PX // CELL_PX)
