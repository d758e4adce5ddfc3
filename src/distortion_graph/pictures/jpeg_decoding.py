"""JPEG decoded strictly: what libjpeg only warns of is damage here.

Pillow and OpenCV swallow the decoder's warnings; simplejpeg, a thin layer over libjpeg-turbo as
they have it, raises them. The pixels are the same.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import DamageError

_END = b"\xff\xd9"
_SCAN = 0xDA
# Not a marker: a stuffed zero, a fill byte, and markers that stand alone.
_MARKER = re.compile(rb"\xff[^\x00\x01\xff\xd0-\xd8]")
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SEQUENTIAL = (0xC0, 0xC1, 0xC9)
_PROGRESSIVE = (0xC2, 0xCA)
_WHOLE_SPECTRUM = bytes((0, 63, 0))
# What simplejpeg says of sampling factors that it cannot name, rare and legal.
_UNKNOWN_SAMPLING = "Could not determine subsampling"


@dataclass
class _Outline:
    """What the markers of a JPEG file say.

    `frame` is the marker of its frame, `components` their number, `scans` the places of the three
    bytes of every scan that say which part of the spectrum it holds; `refined` are the (component,
    coefficient) that some scan has given in full.
    """

    frame: int = 0
    components: int = 0
    scans: list[int] = field(default_factory=list)
    refined: set[tuple[int, int]] = field(default_factory=set)
    ended: bool = False


def decode_jpeg(data: bytes, colours: str) -> tuple[NDArray[np.uint8] | None, tuple[str, ...]]:
    """(H, W, C) pixels of a whole JPEG file as `colours` ("RGB", "GRAY" or "CMYK"), and notes.

    None, with a note, where the file's chroma is sampled in a way that cannot be decoded strictly.
    A file that lacks only its end marker is whole; a note says so. Raises DamageError for what
    libjpeg reports, its warnings included.
    """
    import simplejpeg

    outline = _outline(data)
    notes: tuple[str, ...] = ()
    if not outline.ended:
        if not _all_coefficients(outline):
            raise DamageError("it ends before its last scan")
        data += _END
        notes = ("its end marker is missing, all pixels are there",)
    if outline.frame in _SEQUENTIAL:
        data = _with_plain_scans(data, outline)
    try:
        return simplejpeg.decode_jpeg(data, colours, strict=True), notes
    except ValueError as e:
        if _UNKNOWN_SAMPLING in str(e):
            return None, (*notes, "its chroma sampling is unusual, damage cannot be noticed")
        raise DamageError(" ".join(str(e).split())) from e


def _outline(data: bytes) -> _Outline:
    """Follow the markers to the end of the first picture of the file.

    Entropy-coded data are skipped: in them 0xFF is followed by 0 or a restart marker.
    """
    outline, at = _Outline(), 2
    while (marked := _MARKER.search(data, at)) is not None:
        marker, at = data[marked.start() + 1], marked.end()
        if marker == _END[1]:
            outline.ended = True
            break
        if at + 2 > len(data):
            break
        (length,) = struct.unpack_from(">H", data, at)
        _note_segment(outline, marker, data, at + 2, at + length)
        at += length
    return outline


def _note_segment(outline: _Outline, marker: int, data: bytes, at: int, end: int) -> None:
    segment = data[at:end]
    if marker in _FRAMES and len(segment) > 5:
        outline.frame, outline.components = marker, segment[5]
    elif marker == _SCAN and segment and len(segment) == 4 + 2 * segment[0]:
        first, last, bits = segment[-3:]
        outline.scans.append(end - 3)
        if bits & 0x0F == 0:
            names = segment[1 : 1 + 2 * segment[0] : 2]
            outline.refined |= {
                (name, k) for name in names for k in range(first, min(last, 63) + 1)
            }


def _all_coefficients(outline: _Outline) -> bool:
    """Whether the scans give every component in full, so that no later one can be missing."""
    if outline.frame in _PROGRESSIVE:
        return len(outline.refined) == 64 * outline.components
    return len({name for name, _ in outline.refined}) == outline.components > 0


def _with_plain_scans(data: bytes, outline: _Outline) -> bytes:
    """The scans of a sequential file with the spectrum they have by definition.

    Some phones write another one, which decoders overlook with a warning; one warning would hide
    the next.
    """
    if all(data[at : at + 3] == _WHOLE_SPECTRUM for at in outline.scans):
        return data
    mended = bytearray(data)
    for at in outline.scans:
        mended[at : at + 3] = _WHOLE_SPECTRUM
    return bytes(mended)
