"""One pair of a data set with what is true of it: what readers give and benchmarks take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from distortion_graph.datasets.layout import PairKey
from distortion_graph.graph.truth import PairLabels, SufferedDistortions
from distortion_graph.masks.container import RegionSet
from distortion_graph.pictures.images import Picture, load_picture

Load = Callable[[], NDArray[np.uint8]]


@dataclass(frozen=True, eq=False)
class Sample:
    """Two versions of a picture, its usable regions, and what is true of them.

    `regions` keep the ids they have in the data set (the index in the stats file's list), also
    where others were skipped; `labels` stand in their order. `relations` are (subject id, object
    id, predicate number) between regions that are there. Pixels and masks are read when they are
    asked for, the same array at every call of one sample; treat them as read-only. `files` are the
    pictures' own, where they have some. `suffered` is all that the regions suffer; None where a
    data set does not say whether they have several distortions, as the published one. `load_clean`
    gives the picture that the versions were made of; None where nobody said which.
    """

    key: PairKey
    regions: RegionSet
    labels: PairLabels
    relations: tuple[tuple[int, int, int], ...]
    load_anchor: Load = field(repr=False)
    load_target: Load = field(repr=False)
    load_masks: Callable[[], NDArray[np.bool_]] = field(repr=False)
    files: tuple[Path, Path] | None = None
    suffered: SufferedDistortions | None = None
    load_clean: Load | None = field(default=None, repr=False)

    @property
    def tag(self) -> str:
        """The picture's tag."""
        return self.key.tag

    @cached_property
    def anchor(self) -> NDArray[np.uint8]:
        """(H, W, 3) RGB."""
        return self.load_anchor()

    @cached_property
    def target(self) -> NDArray[np.uint8]:
        """(H, W, 3) RGB."""
        return self.load_target()

    @cached_property
    def masks(self) -> NDArray[np.bool_]:
        """(R, H, W), in the order of `regions`."""
        return self.load_masks()

    @property
    def pictures(self) -> tuple[Picture, Picture]:
        """Anchor and target with the hashes of their pixels, and the names of their files."""
        anchor, target = load_picture(self.anchor), load_picture(self.target)
        if self.files is None:
            return anchor, target
        first, second = map(str, self.files)
        return replace(anchor, source=first), replace(target, source=second)
