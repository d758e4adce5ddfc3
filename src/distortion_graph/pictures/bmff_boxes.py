"""The boxes of ISO base media files (ISO/IEC 14496-12): AVIF, HEIF and JPEG XL in its container."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from distortion_graph.base.errors import DamageError

_LARGE, _TO_THE_END = 1, 0


@dataclass(frozen=True)
class Box:
    """A box: its four-letter kind and what it holds, without its own head."""

    kind: bytes
    data: memoryview


def boxes(data: bytes | memoryview) -> Iterator[Box]:
    """The boxes that stand one after the other in `data`; raises DamageError where one is cut."""
    view, at = memoryview(data), 0
    while at < len(view):
        if at + 8 > len(view):
            raise DamageError(f"{len(view) - at} bytes are left over at its end")
        size, kind = struct.unpack_from(">I4s", view, at)
        head = 8
        if size == _LARGE and at + 16 <= len(view):
            (size,) = struct.unpack_from(">Q", view, at + 8)
            head = 16
        if size == _TO_THE_END:
            size = len(view) - at
        if size < head or at + size > len(view):
            name = kind.decode("ascii", "replace")
            raise DamageError(f"its part {name!r} says {size} bytes, there are {len(view) - at}")
        yield Box(kind, view[at + head : at + size])
        at += size


def first_box(data: bytes | memoryview, kind: bytes) -> memoryview | None:
    """What the first box of this kind holds; None where there is none."""
    return next((box.data for box in boxes(data) if box.kind == kind), None)


def primary_properties(data: bytes) -> list[Box]:
    """The properties of a HEIF file's primary item, in the order of their association.

    ISO/IEC 23008-12; empty where the file has no such item. Raises DamageError, struct.error or
    IndexError where the file contradicts itself.
    """
    meta = first_box(data, b"meta")
    if meta is None:
        return []
    inside = meta[4:]  # behind version and flags
    primary, properties = first_box(inside, b"pitm"), first_box(inside, b"iprp")
    if primary is None or properties is None:
        return []
    (item,) = struct.unpack_from(">H" if primary[0] == 0 else ">I", primary, 4)
    container = first_box(properties, b"ipco")
    listed = list(boxes(container)) if container is not None else []
    associations = [box.data for box in boxes(properties) if box.kind == b"ipma"]
    places = [place for table in associations for place in _associated(table, item)]
    return [listed[place - 1] for place in places if 0 < place <= len(listed)]


def _associated(table: memoryview, item: int) -> list[int]:
    """The places, from 1, of an item's properties in an association table."""
    wide_items, wide_places = table[0] >= 1, bool(table[3] & 1)
    (entries,) = struct.unpack_from(">I", table, 4)
    at = 8
    for _ in range(entries):
        (number,) = struct.unpack_from(">I" if wide_items else ">H", table, at)
        at += 4 if wide_items else 2
        count, at = table[at], at + 1
        width = 2 if wide_places else 1
        if number == item:
            raw = struct.unpack_from(f">{count}{'H' if wide_places else 'B'}", table, at)
            return [value & (0x7FFF if wide_places else 0x7F) for value in raw]
        at += count * width
    return []
