"""One pair of a data set with what is true of it: what readers give and benchmarks take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.vocabulary import Vocabulary
from distortion_graph.datasets.layout import PairKey
from distortion_graph.masks.container import RegionSet
from distortion_graph.pictures.images import Picture, load_picture

Load = Callable[[], NDArray[np.uint8]]


@dataclass(frozen=True, eq=False)
class PairLabels:
    """True labels of R regions as positions in a vocabulary; row 0 is the anchor, 1 the target.

    `distortion`, `severity` (2, R) int64; `score` (2, R) float64 in [0, 1]; `comparison` (R,)
    int64, anchor against target, in the order of `Vocabulary.comparisons`; the whole pictures'
    `scene_score` (2,) and `scene_comparison`.
    """

    distortion: NDArray[np.int64]
    severity: NDArray[np.int64]
    score: NDArray[np.float64]
    comparison: NDArray[np.int64]
    scene_score: NDArray[np.float64]
    scene_comparison: int

    @classmethod
    def of(
        cls,
        distortion: NDArray[np.int64],
        severity: NDArray[np.int64],
        score: NDArray[np.float64],
        scene_score: NDArray[np.float64],
        vocabulary: Vocabulary,
    ) -> PairLabels:
        """Labels with the comparisons that follow from the scores."""
        whole = compare_positions(scene_score[:1], scene_score[1:], vocabulary)
        return cls(
            distortion,
            severity,
            score,
            compare_positions(score[0], score[1], vocabulary),
            scene_score,
            int(whole[0]),
        )

    def swapped(self, vocabulary: Vocabulary) -> PairLabels:
        """The labels of the pair (target, anchor)."""
        last = len(vocabulary.comparisons) - 1
        return PairLabels(
            self.distortion[::-1],
            self.severity[::-1],
            self.score[::-1],
            last - self.comparison,
            self.scene_score[::-1],
            last - self.scene_comparison,
        )


def compare_positions(
    anchor: NDArray[np.float64], target: NDArray[np.float64], vocabulary: Vocabulary
) -> NDArray[np.int64]:
    """`Vocabulary.compare_scores` for (R,) scores: positions in `Vocabulary.comparisons`."""
    d = anchor - target
    rank = (np.abs(d)[:, None] >= np.array(vocabulary.thresholds)).sum(axis=1)
    return np.asarray(vocabulary.neutral_index + np.where(d > 0, rank, -rank), np.int64)


@dataclass(frozen=True, eq=False)
class Sample:
    """Two versions of a picture, its usable regions, and what is true of them.

    `regions` keep the ids they have in the data set (the index in the stats file's list), also
    where others were skipped; `labels` stand in their order. `relations` are (subject id, object
    id, predicate number) between regions that are there. Pixels and masks are read when they are
    asked for, the same array at every call of one sample; treat them as read-only. `files` are the
    pictures' own, where they have some.
    """

    key: PairKey
    regions: RegionSet
    labels: PairLabels
    relations: tuple[tuple[int, int, int], ...]
    load_anchor: Load = field(repr=False)
    load_target: Load = field(repr=False)
    load_masks: Callable[[], NDArray[np.bool_]] = field(repr=False)
    files: tuple[Path, Path] | None = None

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
