"""The directories of a TIFF file, and of EXIF data, which are a small one."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

from distortion_graph.base.errors import DamageError
from distortion_graph.pictures.deflate import inflated_bytes

ORIENTATION, BITS_PER_SAMPLE, COMPRESSION = 274, 258, 259
SAMPLES_PER_PIXEL, SAMPLE_FORMAT = 277, 339
FLOATING_POINT = 3
_STRIPS, _STRIP_BYTES, _TILES, _TILE_BYTES = 273, 279, 324, 325
# Width, height, compression, photometric, orientation, samples, rows a strip, layout of planes.
_SINGLE = (256, 257, 259, 262, 274, 277, 278, 284)
_WIDTH, _HEIGHT, _ROWS_PER_STRIP, _PLANES = 256, 257, 278, 284
_DEFLATE = (8, 32946)
_MOST_DIRECTORIES = 10_000
# Field type → letter of `struct`; the rest (bytes, texts, rationals) only have to be there.
_NUMBERS = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_SIZES |= {16: 8, 17: 8, 18: 8}

Directory = Mapping[int, Sequence[int]]


def directories(data: bytes) -> list[Directory]:
    """The whole-number fields of every directory, by tag; raises DamageError.

    Every directory and every value that one points to must lie inside the file.
    """
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None or len(data) < 8:
        raise DamageError("it does not begin as TIFF data do")
    big = struct.unpack_from(order + "H", data, 2)[0] == 43
    listed: list[Directory] = []
    seen: set[int] = set()
    try:
        (at,) = struct.unpack_from(order + ("Q" if big else "I"), data, 8 if big else 4)
        while at and at not in seen and len(listed) < _MOST_DIRECTORIES:
            seen.add(at)
            directory, at = _directory(data, at, order, big)
            listed.append(directory)
    except (struct.error, OverflowError) as e:
        raise DamageError(f"directory {len(listed) + 1} lies outside the file") from e
    return listed


def _directory(data: bytes, at: int, order: str, big: bool) -> tuple[Directory, int]:
    """A directory, and where the next one begins (0: nowhere)."""
    (count,) = struct.unpack_from(order + ("Q" if big else "H"), data, at)
    at += 8 if big else 2
    entry, inline = (20, 8) if big else (12, 4)
    if at + count * entry > len(data):
        raise DamageError(f"a directory says {count} entries, the file ends before")
    fields: dict[int, Sequence[int]] = {}
    for place in range(at, at + count * entry, entry):
        tag, kind, length = struct.unpack_from(order + ("HHQ" if big else "HHI"), data, place)
        value_at = place + entry - inline
        if length * _SIZES.get(kind, 1) > inline:
            (value_at,) = struct.unpack_from(order + ("Q" if big else "I"), data, value_at)
            if value_at + length * _SIZES.get(kind, 1) > len(data):
                raise DamageError(f"the value of tag {tag} lies outside the file")
        if tag in _SINGLE and length != 1:
            raise DamageError(f"tag {tag} has {length} values, expected one")
        if kind in _NUMBERS:
            fields[tag] = struct.unpack_from(f"{order}{length}{_NUMBERS[kind]}", data, value_at)
    (following,) = struct.unpack_from(order + ("Q" if big else "I"), data, at + count * entry)
    return fields, following


def check_tiff(data: bytes) -> None:
    """Check that all pixels of a TIFF file are there, and the sums of deflated ones.

    Raises DamageError.
    """
    listed = directories(data)
    if not listed:
        raise DamageError("it has no directory")
    inflated = 0
    for directory in listed:
        for places, sizes in ((_STRIPS, _STRIP_BYTES), (_TILES, _TILE_BYTES)):
            offsets, lengths = directory.get(places, ()), directory.get(sizes, ())
            for k, (at, length) in enumerate(zip(offsets, lengths, strict=False)):
                if at + length > len(data):
                    raise DamageError(f"{length} bytes of pixels from byte {at}, the file ends")
                if directory.get(COMPRESSION, (1,))[0] in _DEFLATE and length:
                    inflated += length
                    if inflated > len(data):  # each part would be unpacked again and again
                        raise DamageError("the parts of its pixels lie on each other")
                    # Decoders stop at the last pixel and never reach the sum behind it.
                    held = inflated_bytes([memoryview(data)[at : at + length]])
                    if places == _STRIPS:
                        _check_strip(directory, k, held)


def _check_strip(directory: Mapping[int, Sequence[int]], k: int, held: int) -> None:
    """Raise DamageError where strip `k` holds another number of bytes than its rows have.

    Writers may fill up the last of several strips.
    """
    width, height = (directory.get(tag, (0,))[0] for tag in (_WIDTH, _HEIGHT))
    rows = min(directory.get(_ROWS_PER_STRIP, (height,))[0], height)
    if not width or not rows:
        return
    bits = directory.get(BITS_PER_SAMPLE, (1,))
    samples = directory.get(SAMPLES_PER_PIXEL, (1,))[0]
    apart = directory.get(_PLANES, (1,))[0] == 2
    strips = -(-height // rows)
    one = bits[min(k // strips, len(bits) - 1)]
    per_row = -(-width * (one if apart else one * samples) // 8)
    last = k % strips == strips - 1
    expected = {rows * per_row} if not last else {(height - (strips - 1) * rows) * per_row}
    if last and strips > 1:
        expected.add(rows * per_row)
    if held not in expected:
        raise DamageError(f"a strip holds {held} bytes of pixels, its rows have {min(expected)}")
