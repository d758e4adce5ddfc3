"""Pairs of one or several splits of a data set, read as one set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import DatasetError
from distortion_graph.base.vocabulary import Vocabulary
from distortion_graph.datasets.layout import PairKey
from distortion_graph.datasets.samples import Sample


class Reader(Protocol):
    """What is asked of a data set; `datasets.reader.PandaSet` is one."""

    root: Path
    vocabulary: Vocabulary

    def versions(self, split: str) -> Sequence[str]:
        """Names of the degraded versions of a split."""
        ...

    def keys(self, split: str, pairs: str) -> Sequence[PairKey]:
        """The pairs of a split: easy, medium, hard or all."""
        ...

    def sample(self, split: str, key: PairKey) -> Sample:
        """One pair with its truth."""
        ...

    def clean(self, split: str, tag: str) -> NDArray[np.uint8]:
        """A clean picture."""
        ...

    def has_clean(self, split: str, tag: str) -> bool:
        """Whether there is a clean picture."""
        ...


class ChosenPairs:
    """The pairs of some splits; a picture's name tells its split.

    Pairs are known by versions and picture alone, as files of graphs are, so no picture may have
    the same name in two of the splits.
    """

    def __init__(self, reader: Reader, splits: Sequence[str]) -> None:
        """Raises DatasetError where no split is named."""
        if not splits:
            raise DatasetError(f"{reader.root}: no split chosen, expected train, val or test")
        self.reader, self.splits = reader, tuple(dict.fromkeys(splits))
        self._split_of: dict[str, str] = {}

    def keys(self, pairs: str) -> list[PairKey]:
        """The pairs of all splits, split by split.

        Raises DatasetError as the reader does, and for a picture's name that is in two splits.
        """
        chosen = []
        for split in self.splits:
            for key in self.reader.keys(split, pairs):
                known = self._split_of.setdefault(key.tag, split)
                if known != split:
                    raise DatasetError(
                        f"{self.reader.root}: {key.tag} is in the splits {known} and {split}, "
                        "expected every name once; choose one --split at a time"
                    )
                chosen.append(key)
        return chosen

    def split_of(self, tag: str) -> str:
        """The split of a picture that `keys` has given."""
        return self._split_of[tag]

    def sample(self, key: PairKey) -> Sample:
        """A pair that `keys` has given, with its truth and its clean picture, if there is one."""
        sample = self.reader.sample(self._split_of[key.tag], key)
        if not self.has_clean(key.tag):
            return sample
        return replace(sample, load_clean=partial(self.clean, key.tag))

    def clean(self, tag: str) -> NDArray[np.uint8]:
        """The clean picture of a pair that `keys` has given."""
        return self.reader.clean(self._split_of[tag], tag)

    def has_clean(self, tag: str) -> bool:
        """Whether there is a clean picture of a pair that `keys` has given."""
        return self.reader.has_clean(self._split_of[tag], tag)

    def versions(self) -> tuple[str, ...]:
        """Names of the degraded versions that every split has."""
        first, *others = (self.reader.versions(split) for split in self.splits)
        return tuple(name for name in first if all(name in names for names in others))
