"""Tiles of large pictures: every cell once, no larger than asked, and enough of every region."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from distortion_graph.features.cells import cell_counts, pad_picture
from distortion_graph.masks.masks import as_masks
from distortion_graph.predict.plan import Limits, all_tiles, enough_tiles, plan_pair
from distortion_graph.predict.tiles import tile_weights

SMALL = Limits(one_piece_px=1, tile_px=90_000)


def sums(chosen, counts):
    """Pixels of every region that tiles count, and pixels of each tile."""
    total, seen = np.zeros(len(counts)), []
    for tile in chosen:
        regions, weights = tile_weights(tile, counts)
        height, width = (side.stop - side.start for side in tile.seen)
        piece = pad_picture(np.zeros((height, width, 3), np.uint8))
        assert piece.shape[:2] == (4 * weights.shape[1], 4 * weights.shape[2])
        total[regions] += 16 * weights.sum((1, 2), dtype=float)
        seen.append(piece.shape[0] * piece.shape[1])
    return total, seen


@pytest.mark.parametrize("size", [(401, 243), (16, 9000), (3000, 17), (533, 450)])
def test_they_cover_every_cell_once_and_are_no_larger_than_asked(size):
    masks = np.random.default_rng(0).random((3, *size)) < 0.3
    masks[2, 20:] = False
    counts, pixels = cell_counts(as_masks(masks, size))
    total, seen = sums(all_tiles(*size, SMALL), counts)  # type: ignore[call-arg]
    assert (total == pixels).all()
    assert len(seen) > 1 and max(seen) <= 90_000


@pytest.mark.parametrize("enough", [500, 20_000, 10**9])
def test_every_region_is_shown_enough_or_whole(enough):
    limits = replace(SMALL, enough_px=enough)
    size = (700, 900)
    rows, columns = np.mgrid[: size[0], : size[1]]
    masks = np.stack([rows < 400, columns > 850, (rows - 50) ** 2 + columns**2 < 90, rows < 0])
    counts, pixels = cell_counts(as_masks(masks, size))
    everything = list(all_tiles(*size, limits))
    chosen = enough_tiles(everything, counts, limits)
    total, _ = sums(chosen, counts)
    assert (total >= np.minimum(pixels, enough)).all()
    assert (total[[3, 4]] == pixels[[3, 4]]).all()  # a tiny one and an empty one
    assert len(set(map(str, chosen))) == len(chosen)
    assert (len(chosen) < len(everything)) == (enough < 10**9)
    assert enough_tiles(everything, counts[[0, 4, 2, 1, 3]], limits) == chosen


@pytest.mark.parametrize("limits", [Limits(), SMALL])
@pytest.mark.parametrize("threads", [1, 2, 3, 4, 16])
@pytest.mark.parametrize("regions", [0, 1, 15, 16, 300])
def test_a_plan_reads_every_region_once_and_keeps_to_the_threads(limits, threads, regions):
    plan = plan_pair((401, 543), regions, threads, limits)
    assert (len(plan.tiles) == 1) == (limits == Limits())
    read = [place for part in plan.parts for place in range(part.start, part.stop)]
    assert read == list(range(1 + regions))
    assert max(part.stop - part.start for part in plan.parts) <= limits.regions_read
    shares = (plan.encoder_threads, plan.statistics_threads, plan.head_threads)
    assert all(1 <= share <= threads for share in shares)
