"""What a check wants to know of a mask, from its runs, without decoding it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distortion_graph.datasets.stats import LONGEST_SIDE_PX, mask_from_json
from distortion_graph.masks.rle import unpack_counts

DIGEST_BYTES = 8
NO_MASK = bytes(DIGEST_BYTES)
"""Stands for the digest of a mask that is null."""

Box = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class MaskFacts:
    """Size (h, w), the least box (x, y, w, h) around its pixels, None without one, and a digest
    that equal masks share."""

    size: tuple[int, int]
    box: Box | None
    digest: bytes


def mask_facts(value: Any, where: str) -> MaskFacts:
    """Facts of a `segmentation_mask` that is not null.

    Raises DatasetError exactly where `datasets.stats` does, with its words.
    """
    plain = _plain_runs(value)
    if plain is None:
        mask = mask_from_json(value, where, {})
        if mask is None:
            raise ValueError("a mask that is null has no facts")
        plain = unpack_counts(mask.counts), mask.size
    runs, size = plain
    digest = hashlib.blake2b(runs.tobytes(), digest_size=DIGEST_BYTES, key=b"%d %d" % size)
    return MaskFacts(size, _box(runs, size[0]), digest.digest())


def _plain_runs(value: Any) -> tuple[NDArray[np.int64], tuple[int, int]] | None:
    """Runs and size (h, w) of a mask that is as data sets write them; None for all others."""
    size = value.get("size") if isinstance(value, Mapping) else None
    counts = value.get("counts") if isinstance(value, Mapping) else None
    if not isinstance(size, list) or not isinstance(counts, list) or len(size) != 2:
        return None
    if set(map(type, size)) != {int} or set(map(type, counts)) != {int}:
        return None
    if min(size) < 1 or max(size) > LONGEST_SIDE_PX:
        return None
    try:
        runs = np.array(counts, np.int64)
    except OverflowError:
        return None
    # Beyond the first, a run of 0 joins its neighbours: equal masks would have different runs.
    plain = runs[0] >= 0 and runs[1:].min(initial=1) > 0
    if not plain or runs.max() >= 2**32 or int(runs.sum()) != size[0] * size[1]:
        return None
    return runs, (size[0], size[1])


def _box(runs: NDArray[np.int64], height: int) -> Box | None:
    """Runs go down the columns, and a mask's own are the second, the fourth and so on."""
    ends = np.cumsum(runs)
    first, last = ends[:-1:2], ends[1::2] - 1
    there = last >= first
    if not there.all():
        first, last = first[there], last[there]
    if not len(first):
        return None
    left, top = np.divmod(first, height)
    right, bottom = np.divmod(last, height)
    x, width = int(left[0]), int(right[-1] - left[0] + 1)
    if (left != right).any():  # a run that goes on at the top of the next column
        return x, 0, width, height
    y = int(top.min())
    return x, y, width, int(bottom.max()) - y + 1
