"""Whether a picture file is whole, by what it says of its own parts, before a decoder sees it.

Decoders differ in what they look at, and stop at the last pixel they need. Here every part that a
file announces must be there, and every sum that it holds must be right.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from distortion_graph.base.counting import counted
from distortion_graph.base.errors import DamageError
from distortion_graph.pictures.bmff_boxes import boxes, first_box
from distortion_graph.pictures.png_chunks import check_png
from distortion_graph.pictures.tiff_directories import check_tiff

_JXL_STREAM = b"\xff\x0a"
_GIF_EXTENSION, _GIF_PICTURE, _GIF_END = 0x21, 0x2C, 0x3B
_GIF_HAS_TABLE, _GIF_TABLE_SIZE = 0x80, 0x07


def check_whole(data: bytes, kind: str) -> tuple[str, ...]:
    """Check a picture file of a kind ("PNG", "TIFF", …); returns notes about it.

    JPEG has no sums and no lengths: `jpeg_decoding` finds its damage while decoding. Raises
    DamageError.
    """
    check = _CHECKS.get(kind)
    if check is None:
        return ()
    try:
        end = check(data)
    except (struct.error, IndexError) as e:
        raise DamageError("it is cut off") from e
    if end is None or end >= len(data):
        return ()
    left = len(data) - end
    return (f"{counted(left, 'byte')} after the end of the picture were not looked at",)


def _check_riff(data: bytes) -> int:
    """WebP: the file says its length, and every chunk its own."""
    end = 8 + int(struct.unpack_from("<I", data, 4)[0])
    if end > len(data):
        raise DamageError(f"it says {end} bytes, the file has {len(data)}")
    at = 12
    while at < end:
        (length,) = struct.unpack_from("<I", data, at + 4)
        kind = data[at : at + 4].decode("ascii", "replace")
        at += 8 + length
        if at > end:
            raise DamageError(f"its chunk {kind!r} says {length} bytes, the file ends before")
        at += length % 2
    return end


def _check_boxes(data: bytes) -> None:
    """AVIF and HEIF: boxes fill the file, and what they hold is described."""
    if first_box(data, b"meta") is None and first_box(data, b"moov") is None:
        raise DamageError("it has no part that describes its pictures (meta)")


def _check_jxl(data: bytes) -> None:
    if not data.startswith(_JXL_STREAM):
        for _ in boxes(data):
            pass


def _check_bmp(data: bytes) -> None:
    (size,) = struct.unpack_from("<I", data, 2)
    if size > len(data):
        raise DamageError(f"it says {size} bytes, the file has {len(data)}")


def _check_gif(data: bytes) -> int:
    """Follow the blocks of all frames to the trailer."""
    at = 13 + _gif_table_bytes(data[10])
    while data[at] != _GIF_END:
        if data[at] == _GIF_EXTENSION:
            at = _after_sub_blocks(data, at + 2)
        elif data[at] == _GIF_PICTURE:
            at = _after_sub_blocks(data, at + 11 + _gif_table_bytes(data[at + 9]))
        else:
            raise DamageError(f"no block begins at byte {at}, where one must")
    return at + 1


def _gif_table_bytes(flags: int) -> int:
    return 3 * 2 ** ((flags & _GIF_TABLE_SIZE) + 1) if flags & _GIF_HAS_TABLE else 0


def _after_sub_blocks(data: bytes, at: int) -> int:
    while data[at]:
        at += 1 + data[at]
    return at + 1


_CHECKS: dict[str, Callable[[bytes], int | None]] = {
    "PNG": check_png,
    "WebP": _check_riff,
    "TIFF": check_tiff,
    "BMP": _check_bmp,
    "AVIF": _check_boxes,
    "HEIF": _check_boxes,
    "JPEG XL": _check_jxl,
    "GIF": _check_gif,
}
