"""Fingerprints of pictures: equal pixels, and pictures that look the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from distortion_graph.pictures.images import rgb_sha256

__all__ = ["NEAR_BITS", "bits_apart", "near_hash", "near_pairs", "pixel_hash"]

NEAR_BITS = 4
"""Pictures whose `near_hash` differs in at most so many of 64 bits are taken for the same."""

_MARGIN = np.float32(1)


def pixel_hash(rgb: NDArray[np.uint8]) -> str:
    """Hex SHA-256 of size and pixels of an (H, W, 3) uint8 picture: equal for equal pictures."""
    return rgb_sha256(rgb)


def near_hash(rgb: NDArray[np.uint8]) -> int:
    """64-bit difference hash of an (H, W, 3) uint8 RGB picture, whatever its size.

    The luma is averaged over 8 rows of 9 cells; a bit is set where a cell is darker than its right
    neighbour by more than one of 255 levels (top left first), so that the noise of codecs in even
    areas sets none.

    It finds copies that were encoded again or resized: those of photographs differ in at most 4
    bits (`NEAR_BITS`), different photographs in 10 and more. It does not find copies that were
    cropped, turned, mirrored or changed in places, nor two photographs of one scene. Pictures that
    are flat, dark or of one vertical gradient have few bits set and pass for each other.
    """
    luma = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
    cells = cv2.resize(luma, (9, 8), interpolation=cv2.INTER_AREA)
    return int.from_bytes(np.packbits(cells[:, :-1] + _MARGIN < cells[:, 1:]).tobytes(), "big")


def bits_apart(a: int, b: int) -> int:
    """Number of bits in which two hashes of `near_hash` differ, 0 … 64."""
    return (a ^ b).bit_count()


def near_pairs(hashes: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Pairs of different hashes of `near_hash` at most `NEAR_BITS` apart, some several times.

    Of `NEAR_BITS` + 1 bands of bits, such a pair agrees in at least one.
    """
    values, bands = sorted(set(hashes)), NEAR_BITS + 1
    ends = [64 * k // bands for k in range(bands + 1)]
    for low, high in pairwise(ends):
        alike: dict[int, list[int]] = {}
        for value in values:
            others = alike.setdefault((value >> low) & ((1 << (high - low)) - 1), [])
            yield from ((other, value) for other in others if bits_apart(other, value) <= NEAR_BITS)
            others.append(value)
