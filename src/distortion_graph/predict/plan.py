"""How two pictures go through the networks: in which tiles, and with how many threads each step."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from distortion_graph.features.cells import GRAIN_PX
from distortion_graph.predict.tiles import Tile

_HALO_PX = 96
_BANDS = 3  # of a picture in one piece, so that two threads end at about the same time
# The head of fewer regions is so many small steps that threads would wait for each other longer
# than they work, and ten times as long where another program has one of the cores.
_HEAD_SHARED_FROM = 64


@dataclass(frozen=True)
class Limits:
    """From which sizes on the work on a pair is divided."""

    one_piece_px: int = 2_000_000
    """Larger pictures go through in tiles."""
    tile_px: int = 1_200_000
    """Pixels of a tile at most, including 96 pixels of surroundings on every side that the encoder
    sees and that are not counted."""
    enough_px: int = 1 << 17
    """Of a picture in tiles the encoder sees as many as show so much of every region, which is
    about as much as there is in a whole picture of the training's; histograms count every pixel."""
    regions_read: int = 16
    """By the reader at most in one go."""


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True)
class Plan:
    """Steps of a pair, and the threads that each may have."""

    tiles: tuple[Tile, ...]
    """Count every pixel once; a single one is the whole picture."""
    parts: tuple[slice, ...]
    """Regions, the whole picture first, that the reader sees in one go."""
    encoder_threads: int
    statistics_threads: int
    head_threads: int


def plan_pair(size: tuple[int, int], regions: int, threads: int, limits: Limits) -> Plan:
    """The plan for two pictures of `size` (h, w) and so many regions, within so many threads.

    Threads that want Python wait for each other. The encoder does not want it. For a picture in one
    piece it takes half of the threads for as long as it needs, and the others begin with the
    statistics, which need the masks last. Of tiles two are encoded at once: that is faster than all
    threads on one, and more would take too much memory.
    """
    tiles = tuple(all_tiles(*size, limits))
    one_piece = len(tiles) == 1
    return Plan(
        tiles=tiles,
        parts=tuple(_parts(1 + regions, limits.regions_read)),
        encoder_threads=max(threads // 2, 1) if one_piece else (threads + 1) // 2,
        statistics_threads=max(threads // (4 if one_piece else 2), 1),
        head_threads=threads if 1 + regions > _HEAD_SHARED_FROM else 1,
    )


def all_tiles(height: int, width: int, limits: Limits) -> Iterator[Tile]:
    """Tiles that count every pixel once, row by row."""
    across, down = _division(height, width, limits)
    for rows in _sides(height, down):
        for columns in _sides(width, across):
            yield Tile((rows[0], columns[0]), (rows[1], columns[1]))


def bands(whole: Tile) -> list[Tile]:
    """A tile that is the whole picture as a few, for sums of its pixels."""
    rows, columns = whole.counted
    return [Tile((band, columns), (band, columns)) for band, _ in _sides(rows.stop, _BANDS)]


def enough_tiles(tiles: Sequence[Tile], counts: NDArray[np.uint8], limits: Limits) -> list[Tile]:
    """Tiles, spread over the picture, that show `enough_px` of every region, or all of it.

    `counts` (1 + R, rows, columns) are those of `features.cells.cell_counts`.
    """
    shown = np.stack([counts[:, *tile.counted_cells].sum((1, 2), dtype=np.int64) for tile in tiles])
    missing = np.minimum(shown.sum(0), limits.enough_px)
    chosen = []
    # Multiples of the golden ratio's fraction never come close to each other.
    for number in np.argsort(np.arange(len(tiles)) * 0.6180339887498949 % 1).tolist():
        if ((missing > 0) & (shown[number] > 0)).any():
            chosen.append(number)
            missing -= shown[number]
    return [tiles[number] for number in sorted(chosen)]


def _division(height: int, width: int, limits: Limits) -> tuple[int, int]:
    """How many tiles across and down: the encoder sees the fewest pixels in all."""
    if height * width <= limits.one_piece_px:
        return 1, 1
    best = (math.inf, 1, 1)
    for across in range(1, -(-width // GRAIN_PX) + 1):
        tile = -(-width // across) + GRAIN_PX + 2 * _HALO_PX * (across > 1)
        most = limits.tile_px // tile - GRAIN_PX  # rows that fit, surroundings included
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


def _parts(count: int, most: int) -> list[slice]:
    """Positions in as few equal parts as can be, none larger than `most`."""
    parts = -(-count // most)
    return [slice(count * k // parts, count * (k + 1) // parts) for k in range(parts)]
