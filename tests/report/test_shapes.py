"""Outlines as SVG paths: they cover their masks' pixels, and stay within their room."""

from __future__ import annotations

import re

import cv2
import numpy as np
import pytest
from optional import present

from distortion_graph.graph import Mask
from distortion_graph.masks.rle import rle_from_mask
from distortion_graph.report.html.shapes import ROOM, deepest_point, outlines


def mask_of(array):
    rle = rle_from_mask(array)
    return Mask(size=rle.size, counts=rle.counts)


def blob(seed=0, size=(60, 80)):
    noise = np.random.default_rng(seed).random(size).astype(np.float32)
    return cv2.GaussianBlur(noise, (0, 0), 4) > 0.5


def filled(path, size, zoom=4):
    """The path filled by the even-odd rule, as (h, w) shares of pixels covered."""
    canvas = np.zeros((size[0] * zoom, size[1] * zoom), np.uint8)
    rings = []
    for ring in path.removesuffix("z").split("z"):
        start, _, rest = ring.removeprefix("M").partition("l")
        first = np.array(start.split(), int)
        moves = np.array(re.findall(r"-?\d+", rest), int).reshape(-1, 2)
        rings.append(np.vstack([first, first + np.cumsum(moves, 0)]) * zoom)
    # Half a pixel left and up: OpenCV fills up to and with the corner's own pixel.
    cv2.fillPoly(canvas, [r.astype(np.int32) for r in rings], 1)
    return canvas.reshape(size[0], zoom, size[1], zoom).mean((1, 3))


@pytest.mark.parametrize("seed", range(4))
def test_an_outline_covers_its_pixels_and_few_others(seed):
    mask = blob(seed)
    [path] = outlines([mask_of(mask)], mask.shape)
    cover = filled(path, mask.shape)
    assert cover[mask].min() > 0.4
    edge = cv2.dilate(mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    assert cover[~edge].max() < 0.3
    assert abs(cover.sum() / mask.sum() - 1) < 0.15


def test_a_rectangle_is_its_four_corners():
    mask = np.zeros((10, 12), bool)
    mask[2:5, 3:9] = True
    [path] = outlines([mask_of(mask)], mask.shape)
    assert filled(path, mask.shape)[mask].min() == 1
    x = [3, 9]
    assert present(path).startswith("M3 2l") and present(path).endswith("z")
    assert present(path).count(" ") <= 8 and str(x[1] - x[0]) in present(path)


def test_a_line_one_pixel_wide_has_an_area():
    mask = np.zeros((9, 9), bool)
    mask[4, 2:7] = True
    [path] = outlines([mask_of(mask)], mask.shape)
    assert filled(path, mask.shape).sum() >= 5


def test_masks_of_another_size_are_stretched_to_the_picture():
    mask = np.zeros((10, 10), bool)
    mask[:, :5] = True
    [path] = outlines([mask_of(mask)], (40, 20))
    cover = filled(path, (40, 20))
    assert cover[:, :10].min() == 1 and cover[:, 11:].max() == 0


def test_nothing_stays_nothing():
    assert outlines([None, mask_of(np.zeros((4, 4), bool))], (4, 4)) == [None, None]
    assert deepest_point(None, (4, 4)) is None


def test_many_ragged_outlines_keep_to_their_room():
    rng = np.random.default_rng(0)
    masks = [mask_of(rng.random((400, 400)) > 0.5) for _ in range(12)]
    paths = outlines(masks, (400, 400))
    assert all(paths)
    assert sum(len(present(path)) for path in paths) <= ROOM


@pytest.mark.parametrize("seed", range(3))
def test_the_number_stands_inside_its_region(seed):
    mask = blob(seed, (200, 300))
    x, y = present(deepest_point(mask_of(mask), mask.shape))
    around = mask[max(0, y - 2) : y + 3, max(0, x - 2) : x + 3]
    assert around.all()
