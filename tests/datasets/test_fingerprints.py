"""Copies of a picture have near hashes, other pictures have not."""

from __future__ import annotations

import io
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from skimage import data as pictures

from distortion_graph.datasets.fingerprints import NEAR_BITS, bits_apart, near_hash, pixel_hash

BSDS = Path(__file__).parents[3] / "shared" / "data" / "bsds500" / "val" / "images"
PHOTOS = {name: getattr(pictures, name)() for name in ("coffee", "chelsea", "astronaut", "rocket")}


def encoded(rgb, kind, **options):
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, kind, **options)
    return np.asarray(Image.open(buffer))


def resized(rgb, scale):
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=way)


def copies(rgb):
    return {
        "jpeg 90": encoded(rgb, "JPEG", quality=90),
        "jpeg 75": encoded(rgb, "JPEG", quality=75),
        "webp 80": encoded(rgb, "WEBP", quality=80),
        "half": resized(rgb, 0.5),
        "a little smaller": resized(rgb, 0.95),
        "larger": resized(rgb, 1.3),
    }


def test_the_bits_are_the_signs_of_the_steps_from_cell_to_cell():
    cells = np.zeros((8, 9), np.uint8)
    cells[0] = [0, 10, 9, 9, 20, 21, 23, 0, 200]  # a step of one level is too small to count
    cells[7, 8] = 50
    rgb = np.repeat(np.kron(cells, np.ones((6, 5), np.uint8))[..., None], 3, axis=2)
    assert near_hash(rgb) == int("10010101" + "0" * 55 + "1", 2)
    assert near_hash(255 - rgb) == int("00000010" + "0" * 56, 2)


@pytest.mark.parametrize("name", PHOTOS)
def test_copies_stay_near(name):
    rgb = PHOTOS[name]
    apart = {how: bits_apart(near_hash(rgb), near_hash(c)) for how, c in copies(rgb).items()}
    assert max(apart.values()) <= NEAR_BITS, apart
    assert all(pixel_hash(c) != pixel_hash(rgb) for c in copies(rgb).values())


def test_other_pictures_are_far():
    hashes = [near_hash(rgb) for rgb in PHOTOS.values()]
    assert min(bits_apart(a, b) for a, b in combinations(hashes, 2)) > 2 * NEAR_BITS


def test_mirrored_and_cropped_copies_are_not_found():
    """The documentation says so; this keeps it true."""
    rgb = PHOTOS["coffee"]
    for changed in (rgb[:, ::-1], rgb[100:, 150:]):
        assert bits_apart(near_hash(rgb), near_hash(changed)) > NEAR_BITS


@pytest.mark.parametrize("shape", [(1, 1), (3, 40), (40, 3), (8, 9)])
def test_pictures_of_any_size_have_a_hash_and_flat_ones_share_it(shape):
    assert near_hash(np.full((*shape, 3), 90, np.uint8)) == 0
    assert 0 <= near_hash(np.full((*shape, 3), 90, np.uint8)) < 2**64


def test_drawings_on_white_keep_their_hash_through_a_codec():
    """Ringing in an even area must set next to no bits."""
    rgb = np.full((240, 320, 3), 255, np.uint8)
    cv2.circle(rgb, (90, 100), 50, (200, 30, 30), -1)
    cv2.line(rgb, (150, 20), (310, 230), (0, 0, 0), 2)
    assert bits_apart(near_hash(rgb), near_hash(encoded(rgb, "JPEG", quality=60))) <= 1


def test_pixel_hashes_tell_sizes_apart():
    flat = np.zeros((4, 6, 3), np.uint8)
    assert pixel_hash(flat) == pixel_hash(flat.copy())
    assert pixel_hash(flat) != pixel_hash(flat.reshape(6, 4, 3))


@pytest.mark.skipif(not BSDS.exists(), reason="the BSDS pictures are not beside the project")
def test_a_hundred_photographs_are_all_far_from_each_other_and_near_their_copies():
    rgbs = [np.asarray(Image.open(p).convert("RGB")) for p in sorted(BSDS.glob("*.jpg"))]
    hashes = [near_hash(rgb) for rgb in rgbs]
    assert min(bits_apart(a, b) for a, b in combinations(hashes, 2)) > 2 * NEAR_BITS
    again = [near_hash(encoded(rgb, "JPEG", quality=90)) for rgb in rgbs]
    smaller = [near_hash(resized(rgb, 0.9)) for rgb in rgbs]
    for changed in (again, smaller):
        assert max(map(bits_apart, hashes, changed)) <= NEAR_BITS
