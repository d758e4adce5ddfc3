"""A large picture in tiles: which of them the encoder sees, and what it is told of each."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from distortion_graph.regions.cells import CELL_PX, GRAIN_PX, halved, shares
from distortion_graph.runtime.names import WEIGHTS
from distortion_graph.runtime.pixels import cell_statistics

# Pictures up to this many pixels go through in one piece, larger ones in few tiles of at most
# _TILE_PX pixels, including _HALO_PX of surroundings on every side that the encoder sees and does
# not count.
_ONE_PIECE_PX = 2_000_000
_TILE_PX = 1_200_000
_HALO_PX = 96
# Of a picture in tiles the encoder sees as many as show so much of every region, which is about as
# much as there is in a whole picture of the training's; histograms count every pixel.
_ENOUGH_PX = 1 << 17
_PRODUCT = 1 << 18  # multiplications of a product that OpenBLAS leaves to the calling thread
_BANDS = 3  # of a picture in one piece, so that two threads end at about the same time


class Tile(NamedTuple):
    """A piece of the pictures: what of it is counted, and with its surroundings, in pixels."""

    counted: tuple[slice, slice]
    seen: tuple[slice, slice]


def bands(whole: Tile) -> list[Tile]:
    """A tile that is the whole picture as a few, for sums of its pixels."""
    rows, columns = whole.counted
    return [Tile((band, columns), (band, columns)) for band, _ in _sides(rows.stop, _BANDS)]


def pixel_moments(
    tile: Tile, pictures: tuple[NDArray[np.uint8], NDArray[np.uint8]], weights: NDArray[np.float32]
) -> list[NDArray[np.float32]]:
    """Moments (`runtime.names.MOMENTS`) of the statistics of a tile's pixels, one level of them.

    `weights` (R, rows, columns) are those of `tile_weights`.
    """
    (rows, y), (columns, x) = map(_counted_cells, tile.counted, tile.seen)
    counted = (
        slice(rows.start * CELL_PX, rows.stop * CELL_PX),
        slice(columns.start * CELL_PX, columns.stop * CELL_PX),
    )
    maps = [cell_statistics(picture, counted) for picture in pictures]
    inner = weights[:, y : y + len(rows), x : x + len(columns)]
    both = np.stack([_sums(inner, part.reshape(-1, *part.shape[2:])) for part in maps])
    means, squares = np.split(both, 2, -1)
    cross = _sums(inner, maps[0][0] * maps[1][0])
    return [inner.sum((1, 2))[:, None], means, squares, cross]


def encoder_inputs(
    pictures: Sequence[NDArray[np.uint8]], weights: NDArray[np.float32]
) -> dict[str, NDArray[np.generic]]:
    """What the encoder sees: padded pictures of one size and the regions' shares of their cells."""
    levels = [weights]
    while len(levels) < len(WEIGHTS):
        levels.append(halved(levels[-1]))
    return {"images": np.stack(pictures), **dict(zip(WEIGHTS, levels, strict=True))}


def joined_moments(
    pixels: Sequence[NDArray[np.float32]], maps: Sequence[NDArray[np.float32]]
) -> list[NDArray[np.float32]]:
    """Moments of the pixel statistics, and after them those of the encoder's maps."""
    return [np.concatenate(both, -1) for both in zip(pixels, maps, strict=True)]


def tile_weights(
    tile: Tile, counts: NDArray[np.uint8]
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """The regions that a tile counts for, and the weights of its cells, 0 in its surroundings."""
    inner = counts[:, *(_cells(side) for side in tile.counted)]
    regions = np.flatnonzero(inner.any((1, 2)))
    found = shares(inner[regions])
    if tile.counted == tile.seen:
        return regions, found
    rows, columns = (_cells(side) for side in tile.seen)
    weights = np.zeros(
        (len(regions), rows.stop - rows.start, columns.stop - columns.start), np.float32
    )
    y, x = (place for _, place in map(_counted_cells, tile.counted, tile.seen))
    weights[:, y : y + inner.shape[1], x : x + inner.shape[2]] = found
    return regions, weights


def _sums(weights: NDArray[np.float32], maps: NDArray[np.float32]) -> NDArray[np.float32]:
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


def all_tiles(height: int, width: int) -> Iterator[Tile]:
    """Tiles that count every pixel once, row by row."""
    across, down = _division(height, width)
    for rows in _sides(height, down):
        for columns in _sides(width, across):
            yield Tile((rows[0], columns[0]), (rows[1], columns[1]))


def enough_tiles(tiles: list[Tile], counts: NDArray[np.uint8]) -> list[Tile]:
    """Tiles, spread over the picture, that show `_ENOUGH_PX` of every region, or all of it."""
    shown = np.stack(
        [
            counts[:, *(_cells(side) for side in tile.counted)].sum((1, 2), dtype=np.int64)
            for tile in tiles
        ]
    )
    missing = np.minimum(shown.sum(0), _ENOUGH_PX)
    chosen = []
    # Multiples of the golden ratio's fraction never come close to each other.
    for number in np.argsort(np.arange(len(tiles)) * 0.6180339887498949 % 1).tolist():
        if ((missing > 0) & (shown[number] > 0)).any():
            chosen.append(number)
            missing -= shown[number]
    return [tiles[number] for number in sorted(chosen)]


def _division(height: int, width: int) -> tuple[int, int]:
    """How many tiles across and down: the encoder sees the fewest pixels in all."""
    if height * width <= _ONE_PIECE_PX:
        return 1, 1
    best = (math.inf, 1, 1)
    for across in range(1, -(-width // GRAIN_PX) + 1):
        tile = -(-width // across) + GRAIN_PX + 2 * _HALO_PX * (across > 1)
        most = _TILE_PX // tile - GRAIN_PX  # rows that fit, surroundings included
        if most >= height:
            down = 1
        elif most > 2 * _HALO_PX:
            down = -(-height // (most - 2 * _HALO_PX))
        else:
            continue
        seen = (width + 2 * _HALO_PX * (across - 1)) * (height + 2 * _HALO_PX * (down - 1))
        best = min(best, (seen, across, down))
    return best[1:]


def _sides(length: int, parts: int) -> Iterator[tuple[slice, slice]]:
    """A side in parts that begin on the model's grain: what is counted, and what is seen."""
    grains = -(-length // GRAIN_PX)
    parts = min(parts, grains)
    edges = [min(k * grains // parts * GRAIN_PX, length) for k in range(parts + 1)]
    for first, last in itertools.pairwise(edges):
        seen = slice(max(first - _HALO_PX, 0), min(last + _HALO_PX, length))
        yield slice(first, last), seen
