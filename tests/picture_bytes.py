"""Pictures as file bytes, for the tests of reading them."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from distortion_graph.errors import ImageError
from distortion_graph.images import load_picture

RNG = np.random.default_rng(7)
RGB = RNG.integers(0, 256, (5, 7, 3)).astype(np.uint8)
SMOOTH = np.kron(RGB, np.ones((8, 8, 1), np.uint8))

DEEP = RNG.integers(0, 65536, (6, 9, 4)).astype(np.uint16)
DEEP[0, :4, 0] = [0, 65535, 128, 129]  # 128/257 rounds down to 0, 129/257 up to 1
SCALED = np.floor(DEEP / 257 + 0.5).astype(np.uint8)


def encode(image, kind, **options):
    buffer = io.BytesIO()
    if isinstance(image, np.ndarray):
        image = Image.fromarray(image)
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def png(values, colour_type, bits=16, extra=b""):
    """A PNG written by hand, so that no library's idea of 16 bits is its own judge."""

    def chunk(tag, body):
        return struct.pack(">I", len(body)) + tag + body + struct.pack(">I", zlib.crc32(tag + body))

    h, w = values.shape[:2]
    rows = b"".join(b"\0" + row.astype(">u2" if bits == 16 else "u1").tobytes() for row in values)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, bits, colour_type, 0, 0, 0))
        + extra
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def chunk_trns(*key):
    body = struct.pack(f">{len(key)}H", *key)
    return (
        struct.pack(">I", len(body))
        + b"tRNS"
        + body
        + struct.pack(">I", zlib.crc32(b"tRNS" + body))
    )


def refusal(source, **options):
    with pytest.raises(ImageError) as caught:
        load_picture(source, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)
