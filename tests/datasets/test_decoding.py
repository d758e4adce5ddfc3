"""Quick decoding gives what `load_picture` gives, pixel for pixel, whatever the file."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms
from skimage import data as photographs

from distortion_graph.base.errors import DatasetError, ImageError
from distortion_graph.datasets import decoding
from distortion_graph.datasets.decoding import decode_rgb, picture_size, picture_size_of, read_rgb
from distortion_graph.pictures.images import load_picture

PHOTO = Image.fromarray(np.ascontiguousarray(photographs.chelsea()[40:103, 60:151]))  # 63 × 91


def encoded(kind, image=PHOTO, **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def turned(kind):
    exif = Image.Exif()
    exif[274] = 6
    return encoded(kind, exif=exif)


def late_exif():
    """A PNG whose orientation stands behind its pixels, as the format allows."""
    plain, exif = encoded("PNG"), Image.Exif()
    exif[274] = 6
    body = b"eXIf" + exif.tobytes().removeprefix(b"Exif\0\0")
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return plain[:-12] + chunk + plain[-12:]


PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
PLAIN = {
    "JPEG 95": encoded("JPEG", quality=95, subsampling=0),
    "JPEG 75": encoded("JPEG", quality=75),
    "JPEG 5": encoded("JPEG", quality=5),
    "JPEG 4:2:2": encoded("JPEG", subsampling=1),
    "progressive": encoded("JPEG", progressive=True),
    "JPEG with a comment": encoded("JPEG", comment=b"words"),
    "PNG": encoded("PNG"),
    "one pixel": encoded("PNG", PHOTO.resize((1, 1))),
}
OTHERS = {
    "grey JPEG": encoded("JPEG", PHOTO.convert("L")),
    "CMYK JPEG": encoded("JPEG", PHOTO.convert("CMYK")),
    "turned JPEG": turned("JPEG"),
    "turned PNG": turned("PNG"),
    "PNG turned at its end": late_exif(),
    "JPEG with a profile": encoded("JPEG", icc_profile=PROFILE),
    "PNG with a profile": encoded("PNG", icc_profile=PROFILE),
    "JPEG with something behind it": PLAIN["JPEG 75"] + b"more",
    "grey PNG": encoded("PNG", PHOTO.convert("L")),
    "palette": encoded("PNG", PHOTO.quantize(7)),
    "alpha": encoded("PNG", PHOTO.convert("RGBA").rotate(30)),
    "transparent colour": encoded("PNG", transparency=(10, 20, 30)),
    "WebP": encoded("WEBP", lossless=True),
    "lossy WebP": encoded("WEBP", quality=60),
    "TIFF": encoded("TIFF"),
    "BMP": encoded("BMP"),
}


@pytest.mark.parametrize("name", [*PLAIN, *OTHERS])
def test_pixels_and_size_are_those_of_load_picture(name, tmp_path, monkeypatch):
    data = (PLAIN | OTHERS)[name]
    expected = load_picture(data)
    slow = []
    load = decoding.load_picture  # type: ignore[attr-defined]
    monkeypatch.setattr(decoding, "load_picture", lambda *a, **k: slow.append(1) or load(*a, **k))  # type: ignore[func-returns-value]
    rgb = decode_rgb(data, "x")
    assert np.array_equal(rgb, expected.rgb) and rgb.dtype == np.uint8
    assert not rgb.flags.writeable and rgb.flags.c_contiguous
    assert bool(slow) == (name in OTHERS)
    assert picture_size(data, "x") == expected.size == rgb.shape[:2]
    path = tmp_path / "file"
    path.write_bytes(data)
    assert picture_size_of(path) == expected.size
    assert np.array_equal(read_rgb(path), rgb)


def test_a_long_header_is_read_to_its_end(tmp_path):
    data = encoded("JPEG", comment=b"x" * 30_000)
    path = tmp_path / "long.jpg"
    path.write_bytes(data)
    assert picture_size_of(path) == (63, 91)
    assert np.array_equal(read_rgb(path), load_picture(data).rgb)


@pytest.mark.parametrize("name", ["JPEG 75", "progressive", "PNG"])
def test_files_that_are_cut_off_are_refused(name):
    data = PLAIN[name]
    for length in (0, 1, 2, 3, 10, 20, 30, 100, len(data) // 2, len(data) - 40):
        with pytest.raises(DatasetError, match=r"^x: ") as caught:
            decode_rgb(data[:length], "x")
        assert "\n" not in str(caught.value)


def test_a_damaged_png_is_refused():
    data = bytearray(PLAIN["PNG"])
    data[len(data) // 2] ^= 1
    with pytest.raises(
        DatasetError,
        match=r"^x: damaged or incomplete \(the checksum of chunk 'IDAT' at byte 33 is wrong\),",
    ):
        decode_rgb(bytes(data), "x")


def test_any_damage_gives_pixels_or_one_line():
    rng = np.random.default_rng(0)
    for data in (PLAIN["JPEG 75"], PLAIN["PNG"]):
        for _ in range(60):
            damaged = bytearray(data)
            for _ in range(3):
                damaged[int(rng.integers(len(data)))] = int(rng.integers(256))
            for read in (decode_rgb, picture_size):
                try:
                    read(bytes(damaged), "x")
                except DatasetError as e:
                    assert "\n" not in str(e) and str(e).startswith("x: ")


@pytest.mark.parametrize("height", [16, 60_000])
def test_of_two_headers_neither_is_believed(height):
    """The sizes of both would be right for one decoder or another."""

    def chunk(kind, body):
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    heads = [chunk(b"IHDR", struct.pack(">II5B", 16, h, 8, 2, 0, 0, 0)) for h in (12, height)]
    pixels = chunk(b"IDAT", zlib.compress(bytes(12 * 49)))
    data = b"".join([b"\x89PNG\r\n\x1a\n", *heads, pixels, chunk(b"IEND", b"")])
    assert picture_size(data, "p.png") == (height, 16)
    for read in (decode_rgb, lambda data, name: load_picture(data, name=name)):
        with pytest.raises((DatasetError, ImageError), match=r"p\.png: .*IHDR stands there twice"):
            read(data, "p.png")


def test_a_picture_too_large_to_be_one_is_refused_from_its_header():
    data = bytearray(PLAIN["PNG"])
    data[16:24] = struct.pack(">II", 100_000, 100_000)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    with pytest.raises(DatasetError, match="found 100000×100000 = 10000000000 pixels, expected at"):
        decode_rgb(bytes(data), "x")


def test_files_that_are_not_there(tmp_path):
    for read in (read_rgb, picture_size_of):
        with pytest.raises(DatasetError) as caught:
            read(tmp_path / "nix.png")
        line = f"{tmp_path}/nix.png: no such file, expected a picture of the data set"
        assert str(caught.value) == line
        with pytest.raises(DatasetError, match="cannot be read"):
            read(tmp_path)
