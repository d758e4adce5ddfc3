"""Pairs of pictures with people's opinion of the second, whatever the layout they come in.

A layout's reader (`layouts`) says what the owners' list holds; here its names become files that are
there, and its scores opinions in [0, 1].
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np

from distortion_graph.base.errors import DatasetError
from distortion_graph.base.files import kind_of
from distortion_graph.bench.human.layouts import LAYOUTS, read_csv_list
from distortion_graph.bench.human.listing import Listing
from distortion_graph.datasets.folders import list_folder
from distortion_graph.pictures.images import PICTURE_SUFFIXES
from distortion_graph.pictures.picture_names import parts_of

CSV = "csv"
LAYOUT_NAMES = (*LAYOUTS, CSV)


class OpinionPair(NamedTuple):
    """Two pictures, and people's mean opinion of the second, in [0, 1], higher is better.

    `kind` is what was done to the second in the set's own word, "" where the set does not say;
    pairs of one `content` show the same scene.
    """

    reference: Path
    distorted: Path
    opinion: float
    kind: str
    content: str


def read_opinions(folder: Path, layout: str, *, higher_is_worse: bool = False) -> list[OpinionPair]:
    """The pairs of a folder.

    Args:
        folder: of a set, as its owners distribute it (docs/human.md).
        layout: one of `LAYOUT_NAMES`.
        higher_is_worse: what a higher score says, for the layout "csv" alone.

    Raises:
        DatasetError: one line for a list, a number or a picture that is not as it must be, and for
            fewer than two contents.
    """
    if layout not in LAYOUT_NAMES:
        raise DatasetError(f"layout {layout!r}: expected one of {', '.join(LAYOUT_NAMES)}")
    if not folder.is_dir():
        raise DatasetError(f"{folder}: is not a folder, expected one of the layout {layout!r}")
    if layout == CSV:
        listing = read_csv_list(folder, higher_is_worse=higher_is_worse)
    elif higher_is_worse:
        raise DatasetError(
            f"layout {layout!r}: says itself what a higher score means; expected higher_is_worse "
            f"with the layout {CSV!r} alone"
        )
    else:
        listing = LAYOUTS[layout](folder)
    return _pairs(folder, listing)


def _pairs(folder: Path, listing: Listing) -> list[OpinionPair]:
    files = _Files(folder)
    opinions = _opinions(listing)
    pairs, missing = [], []
    for entry, opinion in zip(listing.entries, opinions, strict=True):
        paths = files.find(entry.reference), files.find(entry.distorted)
        for name, path in zip((entry.reference, entry.distorted), paths, strict=True):
            if path is None:
                missing.append(f"{entry.where}: {name}")
        reference, distorted = paths
        if reference is not None and distorted is not None:
            pairs.append(OpinionPair(reference, distorted, opinion, entry.kind, entry.content))
    if missing:
        more = f", and so are {len(missing) - 1} more" if len(missing) > 1 else ""
        raise DatasetError(
            f"{missing[0]} is not in {folder}{more}; expected every picture of the list "
            "(docs/human.md says where they lie)"
        )
    if len({pair.content for pair in pairs}) < 2:
        raise DatasetError(f"{listing.path}: expected pairs of at least two contents")
    return pairs


def _opinions(listing: Listing) -> Sequence[float]:
    """The scores on the scale from 0, worst, to 1, best."""
    scores = np.array([entry.score for entry in listing.entries])
    if not len(scores):
        raise DatasetError(f"{listing.path}: has no pair in it")
    worst, best = listing.scale or (scores.min(), scores.max())
    if listing.scale is None and listing.higher_is_worse:
        worst, best = best, worst
    if worst == best:
        raise DatasetError(f"{listing.path}: all scores are {worst:g}, expected different ones")
    opinions = (scores - worst) / (best - worst)
    outside = np.flatnonzero((opinions < 0) | (opinions > 1))
    if len(outside):
        entry = listing.entries[outside[0]]
        raise DatasetError(
            f"{entry.where}: score is {entry.score:g}, expected {min(worst, best):g} to "
            f"{max(worst, best):g}"
        )
    return [float(opinion) for opinion in opinions]


@dataclass(frozen=True)
class _Files:
    """Pictures below a folder by the end of their path, in whatever case their letters are."""

    folder: Path

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        names: dict[str, list[str]] = defaultdict(list)
        for name in list_folder(self.folder, PICTURE_SUFFIXES).names:
            names[parts_of(name)[-1].casefold()].append(name)
        return names

    def find(self, name: str) -> Path | None:
        """The picture of that name, or the only one whose path ends so; None where none is."""
        if not name:
            return None
        exact = self.folder / name
        if kind_of(exact) == "file":
            return exact
        wanted = [part.casefold() for part in parts_of(name)]
        ending = [
            path
            for path in self._by_name.get(wanted[-1], ())
            if [part.casefold() for part in parts_of(path)[-len(wanted) :]] == wanted
        ]
        return self.folder / ending[0] if len(ending) == 1 else None
