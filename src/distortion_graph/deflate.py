"""Deflated data followed to their end, where their sum stands, without keeping what is in them."""

from __future__ import annotations

import zlib
from collections.abc import Iterable

from distortion_graph.errors import DamageError

_STEP_BYTES = 16_384  # of packed data; at most a thousand times as much comes out


def inflated_bytes(parts: Iterable[bytes | memoryview]) -> int:
    """How many bytes a zlib stream, in one or more parts, holds.

    Raises DamageError where it is damaged, its sum is wrong, or its end is missing.
    """
    stream, total = zlib.decompressobj(), 0
    try:
        for part in parts:
            for at in range(0, len(part), _STEP_BYTES):
                if stream.eof:
                    return total
                total += len(stream.decompress(part[at : at + _STEP_BYTES]))
    except zlib.error as e:
        raise DamageError(f"its deflated pixels are damaged: {e}") from e
    if not stream.eof:
        raise DamageError("its deflated pixels are cut off")
    return total
