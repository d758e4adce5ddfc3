"""Pictures in pages: byte for byte where browsers show them, lossless elsewhere, never altered."""

from __future__ import annotations

import base64
import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image
from report_samples import photo

from distortion_graph.images import load_picture
from distortion_graph.report.html.embedding import embed, thumbnail


def coded(kind, rgb=None, **options):
    buffer = io.BytesIO()
    Image.fromarray(photo() if rgb is None else rgb).save(buffer, kind, **options)
    return buffer.getvalue()


def opened(url):
    head, _, text = url.partition(",")
    return head, base64.b64decode(text)


@pytest.mark.parametrize(
    ("kind", "media"),
    [
        ("JPEG", "image/jpeg"),
        ("PNG", "image/png"),
        ("WEBP", "image/webp"),
        ("AVIF", "image/avif"),
        ("GIF", "image/gif"),
        ("BMP", "image/bmp"),
    ],
)
def test_files_that_browsers_show_go_in_byte_for_byte(kind, media):
    data = coded(kind)
    found = embed(load_picture(data), data)
    assert opened(found.url) == (f"data:{media};base64", data)
    assert found.exact


def turned(kind):
    exif = Image.Exif()
    exif[274] = 6
    return coded(kind, exif=exif)


def frames(kind):
    buffer = io.BytesIO()
    first, second = (Image.fromarray(photo(seed=k)) for k in (0, 1))
    first.save(buffer, kind, save_all=True, append_images=[second])
    return buffer.getvalue()


@pytest.mark.parametrize(
    "data",
    [coded("TIFF"), frames("GIF"), frames("PNG"), frames("WEBP"), turned("PNG"), turned("WEBP")],
    ids=["tiff", "moving gif", "moving png", "moving webp", "turned png", "turned webp"],
)
def test_other_files_become_lossless_webp_of_the_same_pixels(data):
    picture = load_picture(data)
    found = embed(picture, data)
    head, inside = opened(found.url)
    assert head == "data:image/webp;base64"
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(inside)).convert("RGB")), picture.rgb)
    assert found.exact


def deep():
    """16 bits, of which browsers show other 8 than rounding gives."""
    values = (photo().astype(np.uint16) * 257)[..., 0]
    return coded("PNG", values)


def see_through():
    buffer = io.BytesIO()
    image = Image.fromarray(photo())
    image.putalpha(120)
    image.save(buffer, "PNG")
    return buffer.getvalue()


def tagged(*chunks):
    """A PNG with chunks about its colours."""
    data = coded("PNG")
    packed = b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )
    return data[:33] + packed + data[33:]


def nclx(primaries, transfer):
    data = coded("AVIF")
    at = data.index(b"colrnclx") + 8
    return data[:at] + struct.pack(">HH", primaries, transfer) + data[at + 4 :]


@pytest.mark.parametrize(
    "data",
    [
        deep(),
        see_through(),
        tagged((b"gAMA", struct.pack(">I", 55556))),
        tagged((b"gAMA", struct.pack(">I", 45455))),
        tagged((b"cICP", bytes((12, 13, 0, 1)))),
        tagged((b"cICP", bytes((9, 16, 0, 1)))),
        nclx(12, 13),
    ],
    ids=["16 bits", "transparent", "gamma", "plain gamma", "P3", "HDR", "AVIF in P3"],
)
def test_what_browsers_may_show_otherwise_goes_in_as_it_was_measured(data):
    picture = load_picture(data)
    found = embed(picture, data)
    head, inside = opened(found.url)
    assert head == "data:image/webp;base64" and found.exact
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(inside)).convert("RGB")), picture.rgb)


def test_plain_descriptions_of_srgb_stay_as_they_are():
    for data in (
        tagged((b"sRGB", b"\0"), (b"gAMA", struct.pack(">I", 45455))),
        tagged((b"cICP", bytes((1, 13, 0, 1)))),
        nclx(1, 13),
    ):
        assert opened(embed(load_picture(data), data).url)[1] == data


def test_a_turned_jpeg_stays_as_it_is_since_browsers_turn_it():
    data = turned("JPEG")
    assert opened(embed(load_picture(data), data).url)[1] == data


def test_arrays_become_lossless_webp_and_png_where_they_are_too_large():
    rgb = photo(20, 30)
    inside = opened(embed(load_picture(rgb), None).url)[1]
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(inside)).convert("RGB")), rgb)
    long = np.zeros((1, 16384, 3), np.uint8)
    head, inside = opened(embed(load_picture(long), None).url)
    assert head == "data:image/png;base64"
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(inside)).convert("RGB")), long)


def test_loss_is_only_on_request_and_is_said():
    data = coded("PNG", photo(200, 300))
    found = embed(load_picture(data), data, lossy=True)
    assert not found.exact and "with loss" in found.how
    assert len(opened(found.url)[1]) < len(data)


@pytest.mark.parametrize("size", [(640, 320), (10, 4000), (3, 3)])
def test_thumbnails_are_never_enlarged(size):
    inside = opened(thumbnail(photo(*size), 100))[1]
    width, height = Image.open(io.BytesIO(inside)).size
    assert max(width, height) == min(100, max(size))
    assert abs(height / width / (size[0] / size[1]) - 1) < 0.2 or min(width, height) == 1
