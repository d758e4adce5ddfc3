"""The chunks of a PNG file, each checked against its own sum."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from distortion_graph.base.errors import DamageError
from distortion_graph.pictures.deflate import inflated_bytes

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER_BYTES = 13
_SPARE_BYTES = 1 << 20  # some encoders leave a little behind the last row
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
# Left, top and steps of the passes of an interlaced picture (PNG specification, 8.1).
_ADAM7 = (
    (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)
)  # fmt: skip


@dataclass(frozen=True)
class Chunk:
    """A chunk: its four-letter kind, the place of its first byte in the file, and its data."""

    kind: bytes
    at: int
    data: memoryview


def chunks(data: bytes, *, check: bool) -> Iterator[Chunk]:
    """The chunks of a PNG file up to its end chunk, which is the last.

    With `check` every sum is compared. Raises DamageError where the file is cut or a sum is wrong.
    """
    view, at = memoryview(data), len(PNG_SIGNATURE)
    while True:
        if at + 12 > len(data):
            raise DamageError("it ends before its end chunk IEND")
        length, kind = struct.unpack_from(">I4s", data, at)
        end = at + 8 + length
        if end + 4 > len(data):
            raise DamageError(
                f"chunk {_shown(kind)} at byte {at} says {length} bytes, the file ends before"
            )
        if check and zlib.crc32(view[at + 4 : end]) != struct.unpack_from(">I", data, end)[0]:
            raise DamageError(f"the checksum of chunk {_shown(kind)} at byte {at} is wrong")
        yield Chunk(kind, at, view[at + 8 : end])
        if kind == b"IEND":
            return
        at = end + 4


def _shown(kind: bytes) -> str:
    return repr(kind.decode("ascii", "replace"))


def check_png(data: bytes) -> int:
    """Compare every sum of a PNG file and count its pixels; returns where its last chunk ends.

    Raises DamageError.
    """
    read = list(chunks(data, check=True))
    if read[0].kind != b"IHDR" or len(read[0].data) != _HEADER_BYTES:
        raise DamageError("its first chunk is not its header IHDR")
    kinds = [chunk.kind for chunk in read]
    if kinds.count(b"IHDR") > 1:  # decoders believe the last one
        raise DamageError("its header IHDR stands there twice")
    if b"IDAT" in kinds and b"acTL" in kinds[kinds.index(b"IDAT") :]:
        raise DamageError("what makes it a film, its chunk 'acTL', stands behind its pixels")
    expected = _pixel_bytes(read[0].data)
    packed = (chunk.data for chunk in read if chunk.kind == b"IDAT")
    there = inflated_bytes(packed, most=2 * expected + _SPARE_BYTES)
    if there < expected:
        raise DamageError(f"it holds {there} bytes of pixels, its header says {expected}")
    return read[-1].at + 12 + len(read[-1].data)


def _pixel_bytes(header: memoryview) -> int:
    """How many bytes the rows have, with the filter's number before each; 0 if not known."""
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", header)
    bits = depth * _CHANNELS.get(colour, 0)
    passes = _ADAM7 if interlaced else ((0, 0, 1, 1),)
    total = 0
    for left, top, across, down in passes:
        columns, rows = -(-(width - left) // across), -(-(height - top) // down)
        if columns > 0 and rows > 0:
            total += rows * (1 + (columns * bits + 7) // 8)
    return total


def words_behind_pixels(data: bytes) -> bool:
    """Whether EXIF data or texts, which may hold them, stand behind the pixels; False if cut."""
    behind = False
    try:
        for chunk in chunks(data, check=False):
            behind |= chunk.kind == b"IDAT"
            if behind and chunk.kind in (b"eXIf", b"tEXt", b"zTXt", b"iTXt"):
                return True
    except DamageError:
        pass
    return False
