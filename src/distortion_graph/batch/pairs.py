"""One pair of a batch, and what every list of pairs has to fulfil."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from distortion_graph.base.errors import BatchError
from distortion_graph.masks.container import RegionSet

Cell: TypeAlias = str | int | float | bool | None
"""What a further column may hold."""

GIVEN = ("id", "anchor", "target", "reference", "regions")
"""Columns of a manifest that mean something here; all others are carried through."""

METHOD = "method"
"""The column that summaries group by: an encoder, a camera, a restoration network."""


@dataclass(frozen=True)
class PairTask:
    """Two pictures to be compared.

    `id` tells the pair from all others of its batch. Pictures and regions are paths or URLs
    (`batch.storage`); `regions` is a region spec of this pair alone, or its masks. `columns` are
    carried through to the results.
    """

    id: str
    anchor: str
    target: str
    reference: str | None = None
    regions: str | RegionSet | None = None
    columns: Mapping[str, Cell] = field(default_factory=dict)


def checked(pairs: Sequence[PairTask], where: str) -> Sequence[PairTask]:
    """The same pairs; raises BatchError where there is none, two have the same id, or something is
    said of one that is no text and cannot stand in a table.
    """
    if not pairs:
        raise BatchError(f"{where}: no pair left, expected at least one")
    seen: dict[str, int] = {}
    for number, pair in enumerate(pairs, start=1):
        if pair.id in seen:
            raise BatchError(
                f"{where}: pairs {seen[pair.id]} and {number} both have the id {pair.id!r:.80}, "
                "expected a different id for each"
            )
        seen[pair.id] = number
        said = (pair.id, pair.anchor, pair.target, pair.reference, *pair.columns)
        for text in (*said, *pair.columns.values()):
            if isinstance(text, str) and not _is_text(text):
                raise BatchError(
                    f"{where}: pair {number}: {text!r:.80} has bytes or halves of characters that "
                    "are no text, expected UTF-8; rename that file or column"
                )
    return pairs


def _is_text(value: str) -> bool:
    """Names of files may hold any bytes, and JSON halves of characters."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def digest(pairs: Iterable[PairTask]) -> str:
    """SHA-256 of all that a list of pairs says, in its order."""
    sha = hashlib.sha256()
    said: dict[RegionSet, str] = {}  # many pairs share their masks
    for pair in pairs:
        regions = pair.regions
        if isinstance(regions, RegionSet):
            regions = said.get(regions) or said.setdefault(regions, _digest_of(regions))
        parts = (pair.id, pair.anchor, pair.target, pair.reference, regions)
        sha.update(json.dumps([*parts, dict(pair.columns)], sort_keys=True).encode())
        sha.update(b"\n")
    return sha.hexdigest()


def _digest_of(regions: RegionSet) -> str:
    said = [[region.id, region.name, region.rle.counts] for region in regions]
    return hashlib.sha256(json.dumps([regions.size, said]).encode()).hexdigest()
