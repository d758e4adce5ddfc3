"""The chunks of a PNG file, each checked against its own sum."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from distortion_graph.errors import DamageError

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER_BYTES = 13


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
    """Compare every sum of a PNG file; returns where its last chunk ends.

    Raises DamageError.
    """
    found = list(chunks(data, check=True))
    if found[0].kind != b"IHDR" or len(found[0].data) != _HEADER_BYTES:
        raise DamageError("its first chunk is not its header IHDR")
    if not any(chunk.kind == b"IDAT" for chunk in found):
        raise DamageError("it has no pixels (no chunk IDAT)")
    return found[-1].at + 12 + len(found[-1].data)


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
