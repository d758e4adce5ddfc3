"""Equal neighbours: pixel by pixel as the definition says, and what distortions do to them."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from distortion_graph.features.cells import label_layers
from distortion_graph.features.histograms import PATTERNS, equal_patterns, own_histograms
from distortion_graph.masks.masks import as_masks

# Bit by bit, the two pixels that are compared, as (row, column) from the pattern's own.
PAIRS = (
    ((0, 0), (0, 1)),
    ((0, 1), (0, 2)),
    ((1, 0), (1, 1)),
    ((0, 0), (1, 0)),
    ((1, 0), (2, 0)),
    ((0, 1), (1, 1)),
)


def naive(rgb):
    height, width = rgb.shape[:2]
    out = np.zeros((height, width), int)
    for y, x in np.ndindex(height, width):
        for bit, pair in enumerate(PAIRS):
            (ya, xa), (yb, xb) = ((y + dy, x + dx) for dy, dx in pair)
            if max(ya, yb) < height and max(xa, xb) < width:
                out[y, x] += int((rgb[ya, xa] == rgb[yb, xb]).all()) << bit
    return out


def sky(height=120, width=159):
    """A soft gradient of a few levels, dithered as a camera's noise does."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:height, :width]
    levels = 150 + y / 25 + x / 60
    noisy = levels[..., None] + rng.normal(0, 0.4, (height, width, 3))
    return np.rint(noisy).astype(np.uint8)


def share(rgb, wanted):
    """Share of the pixels whose pattern is wanted, among those with a step to the right."""
    patterns = equal_patterns(rgb, slice(0, len(rgb)))[:-2, :-2]
    steps = patterns[(patterns & 1) == 0]
    return np.mean([wanted(pattern) for pattern in steps])


@given(st.integers(0, 10**6), st.integers(1, 9), st.integers(1, 9), st.integers(1, 4))
def test_patterns_are_those_of_the_definition(seed, height, width, band):
    rgb = np.random.default_rng(seed).integers(0, 2, (height, width, 3), dtype=np.uint8)
    parts = [
        equal_patterns(rgb, slice(top, min(top + band, height))) for top in range(0, height, band)
    ]
    assert (np.concatenate(parts) == naive(rgb)).all()


def test_one_grey_level_in_one_channel_is_a_difference():
    rgb = np.full((4, 4, 3), 200, np.uint8)
    assert equal_patterns(rgb, slice(0, 4))[0, 0] == PATTERNS - 1
    rgb[0, 1, 2] += 1
    assert equal_patterns(rgb, slice(0, 4))[0, 0] == 4 + 8 + 16


def test_pixelation_shows_on_a_sky_of_a_few_levels():
    picture = sky()
    small = cv2.resize(picture, None, fx=1 / 3, fy=1 / 3, interpolation=cv2.INTER_AREA)
    blocks = cv2.resize(small, (159, 120), interpolation=cv2.INTER_NEAREST_EXACT)
    # Never two steps in a row, and most steps go on in the row below.
    assert share(blocks, lambda p: not p & 2) == 0
    assert share(picture, lambda p: not p & 2) > 0.5
    assert share(blocks, lambda p: p & 40 == 40) > 0.6
    assert share(picture, lambda p: p & 40 == 40) < 0.1


def test_a_strong_codec_leaves_equal_pixels_inside_its_blocks():
    buffer = io.BytesIO()
    Image.fromarray(sky()).save(buffer, "JPEG", quality=10)
    decoded = np.asarray(Image.open(buffer).convert("RGB"))
    alike = [(equal_patterns(p, slice(0, 120)) == PATTERNS - 1).mean() for p in (sky(), decoded)]
    assert alike[0] < 0.01 and alike[1] > 0.5


def test_counts_are_those_of_the_pixels_in_each_mask_in_any_band():
    rng = np.random.default_rng(1)
    anchor, target = (rng.integers(0, 2, (40, 50, 3), dtype=np.uint8) for _ in range(2))
    masks = rng.random((3, 40, 50)) < 0.5  # overlapping
    layers = label_layers(as_masks(masks))
    for band in (1 << 18, 50 * 7):
        for picture in (anchor, target):
            found = own_histograms(picture, lambda: layers, 3, band_px=band).patterns
            assert found.shape == (4, PATTERNS)
            patterns = naive(picture)
            for row, mask in enumerate([np.ones((40, 50), bool), *masks]):
                expected = np.bincount(patterns[mask], minlength=PATTERNS)
                assert (found[row] == expected).all()


@pytest.mark.parametrize("size", [(1, 1), (1, 5), (5, 1), (2, 2)])
def test_the_smallest_pictures(size):
    rgb = np.zeros((*size, 3), np.uint8)
    assert (equal_patterns(rgb, slice(0, size[0])) == naive(rgb)).all()
