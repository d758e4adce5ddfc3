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


def matrix_profile(gamma, swap=False):
    """A minimal ICC v2 RGB profile: the sRGB primaries (red and blue exchanged) and a gamma."""

    def s15(*values):
        return b"".join(struct.pack(">i", round(v * 65536)) for v in values)

    xyz = {
        "r": (0.4360, 0.2225, 0.0139),
        "g": (0.3851, 0.7169, 0.0971),
        "b": (0.1431, 0.0606, 0.7141),
    }
    if swap:
        xyz["r"], xyz["b"] = xyz["b"], xyz["r"]
    text = b"desc" + bytes(4) + struct.pack(">I", 5) + b"test\0" + bytes(78)
    tags = [(b"desc", text), (b"wtpt", b"XYZ " + bytes(4) + s15(0.9642, 1, 0.8249))]
    tags += [(f"{c}XYZ".encode(), b"XYZ " + bytes(4) + s15(*xyz[c])) for c in "rgb"]
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2)
    tags += [(f"{c}TRC".encode(), curve) for c in "rgb"]
    body, table = b"", struct.pack(">I", len(tags))
    for name, data in tags:
        data += bytes(-len(data) % 4)
        table += name + struct.pack(">II", 128 + 4 + 12 * len(tags) + len(body), len(data))
        body += data
    head = struct.pack(
        ">I4sI4s4s4s",
        132 + 12 * len(tags) + len(body),
        bytes(4),
        0x02100000,
        b"mntr",
        b"RGB ",
        b"XYZ ",
    )
    head += bytes(12) + b"acsp" + bytes(28) + s15(0.9642, 1, 0.8249)
    return head.ljust(128, b"\0") + table + body


def refusal(source, **options):
    with pytest.raises(ImageError) as caught:
        load_picture(source, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)
