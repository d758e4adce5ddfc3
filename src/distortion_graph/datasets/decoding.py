"""Encoded pictures of a data set to pixels: the quick way for plain ones, `images` for the rest.

Plain is an 8-bit RGB JPEG or PNG without colour profile, EXIF data and transparency, as a data
set's builder writes them. Both ways give the same pixels.
"""

from __future__ import annotations

import struct
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import DamageError, DatasetError, ImageError
from distortion_graph.pictures.images import DEFAULT_MAX_PIXELS, displayed_size, load_picture
from distortion_graph.pictures.jpeg_decoding import decode_jpeg
from distortion_graph.pictures.png_chunks import PNG_SIGNATURE, chunks
from distortion_graph.pictures.quiet_stderr import without_messages

_HEAD_BYTES = 4096
_PNG_END = b"\0\0\0\0IEND\xaeB`\x82"
_PNG_ODD = (b"iCCP", b"cICP", b"gAMA", b"cHRM", b"eXIf", b"tRNS", b"acTL")
_JPEG, _JPEG_END = b"\xff\xd8", b"\xff\xd9"
_JPEG_FRAMES = (0xC0, 0xC1, 0xC2)
_JPEG_ALONE = range(0xD0, 0xDA)
_JPEG_SCAN, _JPEG_APP0, _JPEG_APP_LAST = 0xDA, 0xE0, 0xEF


def decode_rgb(data: bytes, where: str) -> NDArray[np.uint8]:
    """(H, W, 3) RGB, read-only, of a picture file's bytes; `where` names it in errors.

    The pixels are those of `pictures.images.load_picture`. Raises DatasetError.
    """
    return decode_with_notes(data, where)[0]


def decode_with_notes(data: bytes, where: str) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """`decode_rgb`, and what the reader says of the picture: a line each, none of a plain one."""
    try:
        rgb = _decode_plain(data)
        if rgb is None:
            picture = load_picture(data, name=where)
            return picture.rgb, picture.warnings
    except DamageError as e:
        raise DatasetError(f"{where}: damaged or incomplete ({e}), expected a whole picture") from e
    except ImageError as e:
        raise DatasetError(str(e)) from e
    rgb.setflags(write=False)
    return rgb, ()


def _decode_plain(data: bytes) -> NDArray[np.uint8] | None:
    """The pixels of a plain picture, else None; raises DamageError."""
    if _plain_size(data, whole=True) is None:
        return None
    if data.startswith(_JPEG):
        return decode_jpeg(data, "RGB")[0]
    with without_messages(("libpng", "grfmt_png")):  # of damage that its sums do not show
        bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    return None if bgr is None else np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)


def picture_size(data: bytes, where: str) -> tuple[int, int]:
    """(h, w) in pixels as displayed, from the header of a picture file's bytes.

    Raises DatasetError.
    """
    size = _plain_size(data, whole=False)
    if size is not None:
        return size
    try:
        return displayed_size(data, where)
    except ImageError as e:
        raise DatasetError(str(e)) from e


def picture_size_of(path: Path) -> tuple[int, int]:
    """`picture_size` of a file, of which no more is read than is needed; raises DatasetError."""
    try:
        with path.open("rb") as stream:
            data = stream.read(_HEAD_BYTES)
            size = _plain_size(data, whole=False) if data.startswith(_JPEG) else None
            return size or picture_size(data + stream.read(), str(path))
    except OSError as e:
        raise missing_picture(path, e) from e


def read_rgb(path: Path) -> NDArray[np.uint8]:
    """`decode_rgb` of a file; raises DatasetError."""
    try:
        data = path.read_bytes()
    except OSError as e:
        raise missing_picture(path, e) from e
    return decode_rgb(data, str(path))


def missing_picture(path: Path, error: OSError) -> DatasetError:
    """What to say of a picture file that cannot be read."""
    if isinstance(error, FileNotFoundError):
        return DatasetError(f"{path}: no such file, expected a picture of the data set")
    return DatasetError(f"{path}: cannot be read ({error.strerror})")


def _plain_size(data: bytes, *, whole: bool) -> tuple[int, int] | None:
    """(h, w) of a plain picture, else None; with `whole` its bytes must look complete as well.

    Of a JPEG the beginning is enough without `whole`.
    """
    size = None
    try:
        if data.startswith(PNG_SIGNATURE):
            size = _plain_png(data, whole)
        elif data.startswith(_JPEG) and (not whole or data.endswith(_JPEG_END)):
            size = _plain_jpeg(data)
    except DamageError:
        if whole:
            raise
        return None
    except (struct.error, IndexError):
        return None  # cut off
    return size if size and 0 < size[0] * size[1] <= DEFAULT_MAX_PIXELS else None


def _plain_png(data: bytes, whole: bool) -> tuple[int, int] | None:
    width, height, depth, colour, _, _, interlaced = struct.unpack_from(">IIBBBBB", data, 16)
    if (depth, colour, interlaced) != (8, 2, 0) or not data.endswith(_PNG_END):
        return None
    # Decoders differ in whether they look at the sums.
    kinds = [chunk.kind for chunk in chunks(data, check=whole)]
    # Of two headers, decoders believe the second.
    odd = kinds.count(b"IHDR") != 1 or not set(kinds).isdisjoint(_PNG_ODD)
    return None if odd else (height, width)


def _plain_jpeg(data: bytes) -> tuple[int, int] | None:
    size, at = None, 2
    while True:
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker == 0xFF or marker in _JPEG_ALONE:
            return None  # legal here, and never written by an encoder of ours
        (length,) = struct.unpack_from(">H", data, at + 2)
        if marker == _JPEG_SCAN:
            return size
        # Beside JFIF's own, application data may turn the picture or change its colours.
        if _JPEG_APP0 < marker <= _JPEG_APP_LAST:
            return None
        if marker in _JPEG_FRAMES:
            precision, height, width, parts = struct.unpack_from(">BHHB", data, at + 4)
            if (precision, parts) != (8, 3) or not height or not width:
                return None
            size = height, width
        at += 2 + length
