"""How a picture is turned to be seen, as EXIF data or XMP say."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from distortion_graph.pictures.tiff_directories import ORIENTATION

_P = TypeVar("_P", bound=np.generic)
_XMP = re.compile(rb"tiff:Orientation(?:=[\"']|>)([1-8])")
_SHORT = 3


def orient(stored: NDArray[_P], orientation: int) -> NDArray[_P]:
    """Turn an (H, W, …) array as the EXIF orientation 1 … 8 asks; a copy unless it is 1."""
    turns: dict[int, Callable[[NDArray[_P]], NDArray[_P]]] = {
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.swapaxes(0, 1),
        6: lambda a: a.swapaxes(0, 1)[:, ::-1],
        7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
        8: lambda a: a.swapaxes(0, 1)[::-1],
    }
    turn = turns.get(orientation)
    return stored if turn is None else turn(stored).copy()


def orientation_of(info: Mapping[Any, Any]) -> int:
    """The orientation, 1 … 8, of a file from Pillow's `info`; 1 where nothing usable says one.

    Only the one number is looked for: the rest of EXIF data is often broken, and good pixels are
    no worse for it.
    """
    exif = info.get("exif")
    if not isinstance(exif, bytes):
        exif = _unwrapped(info.get("Raw profile type exif"))
    in_exif = _in_exif(exif.removeprefix(b"Exif\0\0")) if exif else None
    return in_exif or _in_xmp(info.get("XML:com.adobe.xmp") or info.get("xmp")) or 1


def _in_exif(data: bytes) -> int | None:
    """The orientation in the first directory of EXIF data."""
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None:
        return None
    try:
        (at,) = struct.unpack_from(order + "I", data, 4)
        (count,) = struct.unpack_from(order + "H", data, at)
        for place in range(at + 2, at + 2 + 12 * count, 12):
            tag, kind, _, value = struct.unpack_from(order + "HHIH", data, place)
            if (tag, kind) == (ORIENTATION, _SHORT):
                return value if 1 <= value <= 8 else None
    except struct.error:
        pass
    return None


def _in_xmp(xmp: object) -> int | None:
    text = xmp.encode() if isinstance(xmp, str) else xmp
    match = _XMP.search(text) if isinstance(text, bytes) else None
    return int(match[1]) if match else None


def _unwrapped(text: object) -> bytes | None:
    """EXIF data as some programs put them into a PNG's text: hexadecimal below three lines."""
    try:
        return bytes.fromhex("".join(str(text).split("\n")[3:])) if text else None
    except ValueError:
        return None
