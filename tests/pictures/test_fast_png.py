"""The quick PNG holds the same pixels, in the same bytes every time."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from skimage import data as pictures

from distortion_graph.base.errors import OutputError
from distortion_graph.base.files import encode_image
from distortion_graph.pictures.images import load_picture

PICTURE = np.ascontiguousarray(pictures.coffee()[:200, :301])


def test_pixels_and_bytes_are_kept():
    data = encode_image("a.png", PICTURE, fast=True)
    with Image.open(io.BytesIO(data)) as read:
        assert read.format == "PNG" and read.mode == "RGB"
        assert np.array_equal(np.asarray(read), PICTURE)
    assert np.array_equal(load_picture(data).rgb, PICTURE)
    assert encode_image("b.PNG", PICTURE.copy(), fast=True) == data
    assert encode_image("a.png", np.asfortranarray(PICTURE), fast=True) == data
    assert encode_image("a.png", np.flip(np.flip(PICTURE, 1).copy(), 1), fast=True) == data


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_every_size_survives(height, width, seed):
    rgb = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    assert np.array_equal(load_picture(encode_image("a.png", rgb, fast=True)).rgb, rgb)


def test_the_file_is_not_much_larger():
    assert len(encode_image("a.png", PICTURE, fast=True)) < 1.3 * len(
        encode_image("a.png", PICTURE)
    )


@pytest.mark.parametrize("suffix", ["jpg", "webp", "tif", "bmp"])
def test_other_formats_have_one_way_only(suffix):
    name = f"a.{suffix}"
    assert encode_image(name, PICTURE, fast=True) == encode_image(name, PICTURE)


def test_errors():
    with pytest.raises(OutputError) as caught:
        encode_image("a.png", PICTURE[..., 0], fast=True)
    assert str(caught.value) == (
        "a.png: cannot write an array of shape (200, 301) and uint8, expected (H, W, 3) uint8"
    )
    with pytest.raises(OutputError, match="quality is 0"):
        encode_image("a.png", PICTURE, quality=0, fast=True)
