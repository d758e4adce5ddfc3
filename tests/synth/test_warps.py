"""A misaligned picture is the same picture, elsewhere by what the warp says."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
import pytest
from skimage import data as pictures

from distortion_graph.synth.keys import generator
from distortion_graph.synth.warps import MOST_SHIFTED_PX, Motion, Warp, apply_warp, draw_warp

PICTURE = np.ascontiguousarray(pictures.coffee()[100:229, 150:301])


def test_a_shift_by_whole_pixels_copies_them():
    moved = apply_warp(PICTURE, Warp((3, -2)))
    assert np.array_equal(moved[:-2, 3:], PICTURE[2:, :-3])
    # Mirrored at the outermost column, which is not repeated.
    assert np.array_equal(moved[:-2, :3], PICTURE[2:, 3:0:-1])


def test_no_warp_is_the_picture_itself_in_an_array_of_its_own():
    moved = apply_warp(PICTURE, Warp())
    assert np.array_equal(moved, PICTURE) and not np.shares_memory(moved, PICTURE)


def waves(dx: float, dy: float) -> np.ndarray:
    """Smooth waves, moved by (dx, dy) px by their formula."""
    x, y = np.arange(151) - dx, np.arange(129)[:, None] - dy
    values = 128 + 50 * np.sin(x / 3) + 50 * np.cos(y / 4)
    return np.repeat(values[..., None], 3, 2)


@pytest.mark.parametrize("kernel", ["linear", "cubic", "lanczos", "area"])
def test_every_kernel_moves_by_fractions_of_a_pixel(kernel):
    still = np.rint(waves(0, 0)).astype(np.uint8)
    moved = apply_warp(still, Warp((1.25, -0.5), kernel=kernel)).astype(float)
    assert np.abs(moved - waves(1.25, -0.5))[6:-6, 6:-6].max() < 3


def test_resampling_a_picture_that_does_not_move_keeps_it():
    still = Warp(motions=(Motion(0.5, 0.5, 0.1, 0.0, 0.0),), kernel="lanczos")
    assert np.abs(apply_warp(PICTURE, still).astype(int) - PICTURE).max() <= 1


AMOUNTS: list[Any] = [{"turned_px": 1.0}, {"scaled_px": 1.0}, {"bent_px": 1.0}]


@pytest.mark.parametrize("amount", AMOUNTS)
def test_a_corner_moves_by_the_amount_and_the_middle_stays(amount):
    size = 201
    dots = np.zeros((size, size, 3), np.uint8)
    near = 20  # px from the borders: 0.8 of the way to the corner
    for place in ((near, near), (size // 2, size // 2)):
        cv2.circle(dots, place, 4, (255, 255, 255), -1, cv2.LINE_AA)
    moved = apply_warp(dots, Warp(**amount))

    def centre(image, area):
        part = image[..., 0][area].astype(float)
        rows, columns = np.mgrid[area]
        return np.array([(part * columns).sum(), (part * rows).sum()]) / part.sum()

    corner, middle = np.s_[0:50, 0:50], np.s_[80:120, 80:120]
    assert centre(moved, middle) == pytest.approx(centre(dots, middle), abs=0.1)
    share = (100 - near) / 100
    expected = share ** (3 if "bent_px" in amount else 1)
    assert math.hypot(*(centre(moved, corner) - centre(dots, corner))) == pytest.approx(
        expected, abs=0.06
    )


def test_a_motion_is_local():
    moved = apply_warp(PICTURE, Warp(motions=(Motion(0.2, 0.2, 0.05, 2.0, 1.0),)))
    changed = (moved != PICTURE).any(-1)
    assert changed[10:40, 10:45].mean() > 0.5
    assert np.abs(moved.astype(int) - PICTURE)[80:, 90:].max() <= 1


def test_drawn_shifts_are_mostly_short():
    warps = [draw_warp(generator("warp", k)) for k in range(1500)]
    lengths = np.array([math.hypot(*warp.shift_px) for warp in warps])
    # Rounding a shift to whole pixels may add half a diagonal.
    assert lengths.max() <= MOST_SHIFTED_PX + math.sqrt(0.5)
    assert (lengths < 1.5).mean() > 0.7 and (lengths > 2.5).mean() > 0.03
    assert 0.2 < np.mean([warp.copies_pixels for warp in warps]) < 0.4
    assert draw_warp(generator("warp", 7)) == warps[7]


@pytest.mark.parametrize("size", [(1, 1), (1, 17), (13, 1), (5, 7)])
def test_tiny_pictures_survive(size):
    image = generator("tiny").integers(0, 256, (*size, 3), dtype=np.uint8)
    for k in range(40):
        assert apply_warp(image, draw_warp(generator("tiny", k))).shape == image.shape
