"""What a source of clean pictures gives, whatever its files look like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from distortion_graph.datasets.folders import LeftOut
from distortion_graph.masks.container import RegionSet

Relation = tuple[int, int, int]
"""Subject's and object's region id, and the predicate's number in `Source.predicates`."""


@dataclass(frozen=True)
class SourceItem:
    """One picture of a source, before anything of it is read; cheap to list and to pickle.

    `stem` is unique in the source whatever the case of its letters, is safe as a file name, and is
    what random draws are keyed by. `split` is what the source itself says: "train", "val",
    "test" or None. `file` names the picture inside the source, with "/" between folders; it
    never leads out. Sources extend this class by what they need to load the item: hand it back
    as it was, or changed by `dataclasses.replace`.
    """

    stem: str
    picture: Path
    split: str | None = None
    file: str = ""

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file that loading this item reads, the picture first."""
        return (self.picture,)


@dataclass(frozen=True, eq=False)
class SourcePicture:
    """A clean picture and its regions.

    `rgb` is (H, W, 3) uint8. Ids and names of `regions` are the source's own; where masks overlap
    the later wins. `category_ids` and `descriptions` stand in the order of `regions`, None where
    the source has none. `relations` name regions by id. `notes` are what the reader says of the
    picture beside its pixels, a line each: transparency, a colour profile left out, more frames.
    """

    rgb: NDArray[np.uint8]
    regions: RegionSet
    category_ids: tuple[int | None, ...]
    descriptions: tuple[str | None, ...]
    relations: tuple[Relation, ...] = ()
    notes: tuple[str, ...] = ()


class Source(Protocol):
    """Clean pictures and their regions. Picklable, so that worker processes can load."""

    @property
    def name(self) -> str:
        """The user's name for it, or that of its folder or file; never a whole path."""
        ...

    @property
    def kind(self) -> str:
        """One of "labels", "coco", "psg" and "pictures"."""
        ...

    @property
    def predicates(self) -> tuple[str, ...]:
        """Names of what relations say, by number; empty where there are no relations."""
        ...

    @property
    def segmenter(self) -> str | None:
        """Name and version of what finds the regions, such as "auto 1"; None if they are given."""
        ...

    @property
    def tables(self) -> tuple[Path, ...]:
        """Files beside those of the items that decide what `load` gives: lists, names."""
        ...

    def items(self) -> Sequence[SourceItem]:
        """All pictures, sorted by stem; reads names only. Raises DatasetError if there is none."""
        ...

    def left_out(self) -> Sequence[LeftOut]:
        """What lies among the source's files and is not one of `items` or of their label maps."""
        ...

    def load(self, item: SourceItem) -> SourcePicture:
        """Pixels and regions of one of `items`.

        Raises ImageError or RegionError, one line, where they cannot be read or do not fit.
        """
        ...
