"""Bit depth, transparency and colour profiles all end as the same 8-bit sRGB pixels."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from picture_bytes import DEEP, RGB, RNG, SCALED, chunk_trns, encode, matrix_profile, png, refusal
from PIL import Image, ImageCms

from distortion_graph.pictures.images import load_picture, orient

# ---- 16 bits -----------------------------------------------------------------------------------


def test_16_bits_are_scaled_and_rounded_not_cut():
    assert SCALED[0, :4, 0].tolist() == [0, 255, 0, 1]
    assert (SCALED != DEEP >> 8).any()  # cutting would be seen


@pytest.mark.parametrize(("colour_type", "channels"), [(0, 1), (2, 3)])
def test_16_bit_png(colour_type, channels):
    picture = load_picture(png(DEEP[..., :channels], colour_type))
    assert (picture.rgb == SCALED[..., :channels]).all()


def on_white(rgb, alpha):
    a = alpha[..., None] / 255
    return rgb * a + 255 * (1 - a)


@pytest.mark.parametrize(("colour_type", "colour"), [(4, 1), (6, 3)])
def test_16_bit_png_with_alpha(colour_type, colour):
    values = DEEP[..., [*range(colour), 3]]
    picture = load_picture(png(values, colour_type), name="a.png")
    expected = on_white(SCALED[..., :colour], SCALED[..., 3])
    assert np.abs(picture.rgb - expected).max() <= 0.5 + 1e-9
    assert picture.warnings == ("a.png: transparent pixels were laid on white",)


def test_16_bit_png_with_a_transparent_colour():
    """The key is a 16-bit colour: a neighbour with the same high byte stays opaque."""
    values = np.zeros((1, 3, 3), np.uint16)
    values[0, 0], values[0, 1] = (256, 512, 768), (257, 512, 768)
    rgb = load_picture(png(values, 2, extra=chunk_trns(256, 512, 768))).rgb
    assert rgb[0].tolist() == [[255, 255, 255], [1, 2, 3], [0, 0, 0]]
    grey = load_picture(png(np.array([[256, 257]]), 0, extra=chunk_trns(256))).rgb
    assert grey[0].tolist() == [[255] * 3, [1] * 3]


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_16_bit_tiff(compression, order, orientation):
    tifffile = pytest.importorskip("tifffile")
    for channels in (1, 3, 4):
        values = DEEP[..., 0] if channels == 1 else DEEP[..., :channels].copy()
        if channels == 4:
            values[..., 3] = 65535
        buffer = io.BytesIO()
        tifffile.imwrite(
            buffer,
            values,
            photometric="minisblack" if channels == 1 else "rgb",
            extrasamples=["unassalpha"] if channels == 4 else None,
            compression=compression,
            byteorder=order,
            metadata=None,
            extratags=[(274, "H", 1, orientation, True)],
        )
        picture = load_picture(buffer.getvalue())
        colour = SCALED[..., :1] if channels == 1 else SCALED[..., :3]
        expected = orient(np.broadcast_to(colour, (6, 9, 3)), orientation)
        assert np.array_equal(picture.rgb, expected)
        assert (picture.stored_size, picture.orientation) == ((6, 9), orientation)


@pytest.mark.parametrize(("photometric", "extra"), [("separated", None), ("rgb", "assocalpha")])
def test_16_bit_layouts_that_would_lose_bits_are_refused(photometric, extra, capfd):
    """CMYK, and colours stored already multiplied by their alpha."""
    tifffile = pytest.importorskip("tifffile")
    buffer = io.BytesIO()
    extrasamples = [extra] if extra else None
    tifffile.imwrite(buffer, DEEP, photometric=photometric, extrasamples=extrasamples)
    assert "without losing bits; save it as a 16-bit RGB PNG" in refusal(buffer.getvalue())
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("dtype", "word"), [(np.float32, "floating-point"), (np.int32, "whole-number")]
)
def test_pixels_without_a_stated_white_are_refused(dtype, word):
    data = encode(Image.fromarray(np.ones((2, 2), dtype)), "TIFF")
    assert refusal(data, name="a.tif") == (
        f"a.tif: found {word} pixels of 32 bits, 1 channel, expected whole numbers of 8 or 16 bits "
        "a channel; scale it to 16 bits first"
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_floating_point_colours_are_named(dtype):
    tifffile = pytest.importorskip("tifffile")
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, np.ones((3, 4, 3), dtype), photometric="rgb")
    bits = np.dtype(dtype).itemsize * 8
    assert refusal(buffer.getvalue(), name="a.tif") == (
        f"a.tif: found floating-point pixels of {bits} bits, 3 channels, expected whole numbers of "
        "8 or 16 bits a channel; scale it to 16 bits first"
    )


# ---- transparency ------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA", "tRNS"])
def test_transparency_is_laid_on_white_with_a_warning(mode):
    alpha = np.array([[0, 51, 255]], np.uint8)
    grey = np.full((1, 3), 100, np.uint8)
    if mode == "tRNS":
        data = png(grey, 0, bits=8, extra=chunk_trns(100))
        expected = [255, 255, 255]
    else:
        bands = [grey] * (3 if mode == "RGBA" else 1)
        image = Image.merge(
            "RGBA" if mode == "RGBA" else "LA", [Image.fromarray(b) for b in [*bands, alpha]]
        )
        if mode == "PA":
            image = image.convert("RGBA").quantize(method=Image.Quantize.FASTOCTREE)
        data = encode(image, "PNG")
        expected = [255, 224, 100]  # 255 − 51/255·155 = 224
    picture = load_picture(data, name="logo.png")
    tolerance = 12 if mode == "PA" else 0  # the palette is an approximation
    assert np.abs(picture.rgb[0, :, 0].astype(int) - expected).max() <= tolerance
    assert picture.warnings == ("logo.png: transparent pixels were laid on white",)


def test_opaque_alpha_is_not_worth_a_warning():
    rgba = np.dstack([RGB, np.full(RGB.shape[:2], 255, np.uint8)])
    picture = load_picture(encode(rgba, "PNG"))
    assert (picture.rgb == RGB).all() and picture.warnings == ()


# ---- colour profiles ---------------------------------------------------------------------------


def srgb_of_linear(x):
    return np.where(x <= 0.0031308, 12.92 * x, 1.055 * x ** (1 / 2.4) - 0.055)


def test_a_gamma_profile_is_undone():
    """Linear-light pixels with a gamma-1 profile become the sRGB curve of the same light."""
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, 2)
    picture = load_picture(encode(Image.fromarray(ramp), "PNG", icc_profile=matrix_profile(1.0)))
    expected = srgb_of_linear(np.arange(256) / 255) * 255
    assert np.abs(picture.rgb[0].astype(float) - expected[:, None]).max() <= 1.6
    assert np.abs(picture.rgb[0, :, 0].astype(int) - np.arange(256)).max() > 50


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_exchanged_primaries_exchange_channels(kind):
    options: dict[str, dict[str, Any]] = {
        "JPEG": {"quality": 100, "subsampling": 0},
        "WEBP": {"lossless": True},
    }
    red = np.full((16, 16, 3), (200, 30, 90), np.uint8)
    data = encode(
        Image.fromarray(red),
        kind,
        icc_profile=matrix_profile(2.2, swap=True),
        **options.get(kind, {}),
    )
    found = load_picture(data).rgb[8, 8].astype(int)
    assert np.abs(found - [90, 30, 200]).max() <= 8


def test_an_srgb_profile_changes_no_pixel():
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    rgb = RNG.integers(0, 256, (64, 64, 3)).astype(np.uint8)
    assert (load_picture(encode(Image.fromarray(rgb), "PNG", icc_profile=profile)).rgb == rgb).all()


def test_a_grey_picture_with_an_rgb_profile():
    ramp = np.arange(256, dtype=np.uint8)[None]
    picture = load_picture(encode(Image.fromarray(ramp), "PNG", icc_profile=matrix_profile(1.0)))
    expected = srgb_of_linear(np.arange(256) / 255) * 255
    assert np.abs(picture.rgb[0].astype(float) - expected[:, None]).max() <= 1.6


def test_transparent_pixels_are_white_after_the_profile():
    """The profile maps colours; the paper under them stays white."""
    rgba = np.zeros((1, 1, 4), np.uint8)
    profile = matrix_profile(1.0, swap=True)
    assert (
        load_picture(encode(Image.fromarray(rgba), "PNG", icc_profile=profile)).rgb == 255
    ).all()


@pytest.mark.parametrize("profile", [b"rubbish", matrix_profile(1.0)[:200]])
def test_a_broken_profile_is_left_out_with_a_warning(profile):
    picture = load_picture(encode(Image.fromarray(RGB), "PNG", icc_profile=profile), name="p.png")
    assert (picture.rgb == RGB).all()
    (line,) = picture.warnings
    assert line.startswith("p.png: the colour profile cannot be used and was left out")


def test_cmyk_jpeg():
    ink = np.zeros((16, 16, 4), np.uint8)
    ink[..., 1], ink[..., 2] = 255, 255  # magenta and yellow: red
    data = encode(Image.fromarray(ink, "CMYK"), "JPEG", quality=95)
    picture = load_picture(data, name="c.jpg")
    r, g, b = picture.rgb[8, 8].astype(int)
    assert r > 220 and g < 40 and b < 40
    assert picture.warnings == (
        "c.jpg: CMYK pixels without a usable profile, colours are approximate",
    )
