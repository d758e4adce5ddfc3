"""Thumbnails, inner squares and closed gaps of benchmarks/robustness.py: what they keep."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("scipy", reason="needs the dev extra")
BENCHMARKS = Path(__file__).parent.parent / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

from robustness import inner_squares, thumbnail  # noqa: E402
from robustness_types import without_gaps  # noqa: E402

from distortion_graph.bench.protocol import BenchPicture  # noqa: E402


def test_a_square_lies_inside_its_mask_where_there_is_room():
    rows, columns = np.mgrid[:60, :80]
    disc = (rows - 20) ** 2 + (columns - 30) ** 2 <= 15**2
    corner = (rows < 9) & (columns < 9)
    thin = (rows == 40) & (columns > 5)
    squares = inner_squares(np.stack([disc, corner, thin]), 8)
    assert (squares & ~np.stack([disc, corner, thin])).sum() == 0
    assert squares[0].sum() == squares[1].sum() == 64
    assert 0 < squares[2].sum() <= 8
    y, x = np.argwhere(squares[0]).mean(0)
    assert abs(y - 20) <= 1 and abs(x - 30) <= 1


def test_a_thumbnail_keeps_the_regions_that_are_left():
    rgb = np.random.default_rng(0).integers(0, 256, (320, 480, 3), dtype=np.uint8)
    masks = np.zeros((3, 320, 480), bool)
    masks[0, :160], masks[1, 160:], masks[2, 1, 1] = True, True, True
    small = thumbnail(BenchPicture("a", rgb, masks, (4, 7, 9)), 64)
    assert small.rgb.shape == (43, 64, 3) and small.masks.shape == (2, 43, 64)
    assert small.region_ids == (4, 7)
    assert (small.masks.sum(0) == 1).all()


def test_closed_gaps_leave_no_level_empty_and_move_no_value_beyond_the_middle_of_a_gap():
    rng = np.random.default_rng(0)
    values = np.sort(rng.permutation(256)[:100]).astype(np.uint8)
    image = rng.choice(values, (300, 400, 3))
    closed = without_gaps(image, rng)
    widest = np.diff(values.astype(int)).max()
    moved = np.abs(closed.astype(int) - image)
    assert moved.max() <= widest / 2 + 0.5
    for channel in range(3):
        found = np.unique(closed[..., channel])
        assert len(found) == int(values[-1]) - int(values[0]) + 1
    assert np.abs(closed.mean((0, 1)) - image.mean((0, 1))).max() < 0.5
