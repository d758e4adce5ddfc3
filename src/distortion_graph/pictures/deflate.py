"""Deflated data followed to their end, where their sum stands, without keeping what is in them."""

from __future__ import annotations

import zlib
from collections.abc import Iterable

from distortion_graph.base.errors import DamageError

_STEP_BYTES = 16_384  # of packed data; at most a thousand times as much comes out


def inflated_bytes(parts: Iterable[bytes | memoryview], most: int | None = None) -> int:
    """How many bytes a zlib stream, in one or more parts, holds.

    Raises DamageError where it is damaged, its sum is wrong, its end is missing, or it holds more
    than `most`: a small file may unpack to a thousand times its size.
    """
    stream, total = zlib.decompressobj(), 0
    try:
        for part in parts:
            for at in range(0, len(part), _STEP_BYTES):
                if stream.eof:
                    return total
                total += len(stream.decompress(part[at : at + _STEP_BYTES]))
                if most is not None and total > most:
                    raise DamageError(f"its deflated pixels are more than {most} bytes")
    except zlib.error as e:
        raise DamageError(f"its deflated pixels are damaged: {e}") from e
    if not stream.eof:
        raise DamageError("its deflated pixels are cut off")
    return total
