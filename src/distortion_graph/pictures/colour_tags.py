"""What a picture file says of its colours, in the order in which its format's standard believes it.

PNG: cICP, iCCP, sRGB, then gAMA and cHRM (PNG specification, third edition, 4.3). AVIF and HEIF:
an ICC profile, then nclx code points (ISO/IEC 23000-22). Other formats: an ICC profile. A file that
says nothing is sRGB.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from distortion_graph.base.errors import DamageError
from distortion_graph.pictures.bmff_boxes import Box, boxes, first_box, primary_properties
from distortion_graph.pictures.colour_spaces import (
    PRIMARIES,
    SRGB_PRIMARIES,
    SRGB_TRANSFER,
    TRANSFERS,
    Chromaticities,
    ColourSpace,
    power,
    space_of,
)
from distortion_graph.pictures.icc_profiles import cicp_of
from distortion_graph.pictures.png_chunks import PNG_SIGNATURE, chunks

_UNSPECIFIED = 2
_RGB_MATRIX = 0
_HUNDRED_THOUSANDTHS = 100_000
# gAMA 45455 beside sRGB's primaries is how PNG writes sRGB for readers of gAMA alone.
_SRGB_GAMMA, _SAME_GAMMA = 0.45455, 0.005
_TRACK = (b"trak", b"mdia", b"minf", b"stbl", b"stsd")
_SAMPLE_TABLE_HEAD, _VISUAL_ENTRY_HEAD = 8, 78


@dataclass(frozen=True)
class ColourTag:
    """What a picture says of its colours.

    `icc`: a profile, which comes first. `space`: code points or chromaticities, where there is no
    profile or it cannot be used; None is sRGB. `plain`: whether every browser shows the file so.
    `notes`: what was said and cannot be used.
    """

    icc: bytes | None = None
    space: ColourSpace | None = None
    plain: bool = True
    notes: tuple[str, ...] = ()


def colour_tag(info: Mapping[Any, Any], data: bytes | None) -> ColourTag:
    """The colours of a picture from its file's bytes, and from Pillow's `info` of it."""
    notes: list[str] = []
    icc = info.get("icc_profile") or None
    if data is not None and data.startswith(PNG_SIGNATURE):
        return _of_png(_png_fields(data), icc, notes)
    if data is not None and data[4:8] == b"ftyp":
        return _of_boxes(data, icc, notes)
    return _of_png(_pillow_fields(info), icc, notes)


def _of_png(fields: Mapping[bytes, bytes], icc: bytes | None, notes: list[str]) -> ColourTag:
    coded = fields.get(b"cICP", b"")
    if len(coded) == 4:
        primaries, transfer, matrix, full = coded
        if matrix == _RGB_MATRIX and full in (0, 1):
            space, usable = _of_code_points(primaries, transfer, "cICP", notes, narrow=not full)
            if usable:
                return ColourTag(None, space, space is None and icc is None, tuple(notes))
        else:
            notes.append(
                f"its colours (cICP) have matrix {matrix} and range {full}, expected matrix 0 and "
                "range 0 or 1; left out"
            )
    if icc is None and b"iCCP" in fields:
        notes.append("its colour profile (iCCP) is damaged and was left out")
    if b"sRGB" in fields:
        return _of_profile(icc, None, notes)
    space = _of_chromaticities(fields, notes)
    tag = _of_profile(icc, space, notes)
    stated = b"gAMA" in fields or b"cHRM" in fields
    return ColourTag(tag.icc, tag.space, tag.plain and not (stated and icc is None), tag.notes)


def _of_profile(icc: bytes | None, space: ColourSpace | None, notes: list[str]) -> ColourTag:
    """An ICC profile; of one that is made for HDR only the code points in it mean that."""
    coded = cicp_of(icc) if icc else None
    if coded is not None and coded[1] in TRANSFERS and TRANSFERS[coded[1]].hdr:
        hdr, usable = _of_code_points(*coded, "the profile's cicp", notes)
        if usable:
            return ColourTag(None, hdr, False, tuple(notes))
    return ColourTag(icc, space, space is None or icc is not None, tuple(notes))


def _of_boxes(data: bytes, icc: bytes | None, notes: list[str]) -> ColourTag:
    try:
        described = [box.data for box in _described(data) if box.kind == b"colr"]
    except (DamageError, struct.error, IndexError):
        notes.append("its colours cannot be found (damaged boxes) and were taken as sRGB")
        return ColourTag(icc, None, False, tuple(notes))
    for colr in described:
        kind = bytes(colr[:4])
        if kind in (b"prof", b"rICC"):
            icc = icc or bytes(colr[4:])
    space = None
    if icc is None:
        for colr in described:
            if bytes(colr[:4]) == b"nclx" and len(colr) >= 10:
                primaries, transfer = struct.unpack_from(">HH", colr, 4)
                space, _ = _of_code_points(primaries, transfer, "nclx", notes)
    return _of_profile(icc, space, notes)


def _described(data: bytes) -> list[Box]:
    """The properties of the primary picture, else of a sequence's first track."""
    properties = primary_properties(data)
    if properties:
        return properties
    place = first_box(data, b"moov")
    for kind in _TRACK:
        place = None if place is None else first_box(place, kind)
    if place is None:
        return []
    entry = next(iter(boxes(place[_SAMPLE_TABLE_HEAD:])), None)
    return [] if entry is None else list(boxes(entry.data[_VISUAL_ENTRY_HEAD:]))


def _of_code_points(
    primaries: int, transfer: int, what: str, notes: list[str], *, narrow: bool = False
) -> tuple[ColourSpace | None, bool]:
    """The space of H.273 code points (None for sRGB), and whether they can be used."""
    unknown = [
        f"{word} {code}"
        for word, code, known in (
            ("primaries", primaries, PRIMARIES),
            ("transfer", transfer, TRANSFERS),
        )
        if code != _UNSPECIFIED and code not in known
    ]
    if unknown:
        notes.append(
            f"its colours ({what}: {' and '.join(unknown)}) are not known here and were left out"
        )
        return None, False
    if (primaries == _UNSPECIFIED) != (transfer == _UNSPECIFIED):
        word = "primaries" if primaries == _UNSPECIFIED else "transfer function"
        notes.append(f"its {word} is left open by {what} and was taken as sRGB's")
    space = space_of(
        PRIMARIES.get(primaries, SRGB_PRIMARIES),
        TRANSFERS.get(transfer, SRGB_TRANSFER),
        narrow=narrow,
    )
    return (None if space.is_srgb() else space), True


def _of_chromaticities(fields: Mapping[bytes, bytes], notes: list[str]) -> ColourSpace | None:
    """The space of gAMA and cHRM; what one of them leaves open is sRGB's."""
    primaries: Chromaticities = SRGB_PRIMARIES
    transfer = SRGB_TRANSFER
    if len(fields.get(b"cHRM", b"")) >= 32:
        raw = struct.unpack_from(">8I", fields[b"cHRM"])
        pairs = [
            (raw[k] / _HUNDRED_THOUSANDTHS, raw[k + 1] / _HUNDRED_THOUSANDTHS)
            for k in (2, 4, 6, 0)  # white stands first
        ]
        primaries = tuple(pairs)
    try:
        space = space_of(primaries, transfer)
    except ValueError as e:
        notes.append(f"its primaries (cHRM) cannot be used ({e}) and were left out")
        space = space_of(SRGB_PRIMARIES, transfer)
        primaries = SRGB_PRIMARIES
    if len(fields.get(b"gAMA", b"")) >= 4:
        (raw_gamma,) = struct.unpack_from(">I", fields[b"gAMA"])
        gamma = raw_gamma / _HUNDRED_THOUSANDTHS
        if gamma == 0:
            notes.append("its gamma (gAMA) is 0, which means nothing; left out")
        elif not (space.is_srgb() and abs(gamma - _SRGB_GAMMA) < _SAME_GAMMA):
            space = space_of(primaries, power(1 / gamma))
    return None if space.is_srgb() else space


def _png_fields(data: bytes) -> dict[bytes, bytes]:
    """The chunks about colour, which all stand before the pixels; the first of each kind."""
    fields: dict[bytes, bytes] = {}
    for chunk in chunks(data, check=False):
        if chunk.kind == b"IDAT":
            break
        if chunk.kind in (b"cICP", b"iCCP", b"sRGB", b"gAMA", b"cHRM"):
            fields.setdefault(chunk.kind, bytes(chunk.data))
    return fields


def _pillow_fields(info: Mapping[Any, Any]) -> dict[bytes, bytes]:
    """As `_png_fields`, of a Pillow image that was read from PNG."""
    fields: dict[bytes, bytes] = {}
    if "srgb" in info:
        fields[b"sRGB"] = b""
    if "gamma" in info:
        fields[b"gAMA"] = struct.pack(">I", round(info["gamma"] * _HUNDRED_THOUSANDTHS))
    if "chromaticity" in info:
        numbers = (round(value * _HUNDRED_THOUSANDTHS) for value in info["chromaticity"])
        fields[b"cHRM"] = struct.pack(">8I", *numbers)
    return fields
