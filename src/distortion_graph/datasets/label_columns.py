"""Labels and scores of all regions of one version of a split's pictures, a few bytes a region."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.vocabulary import Vocabulary
from distortion_graph.graph.truth import compare_positions

UNKNOWN = -1
"""Stands for a label that the vocabulary does not have."""


class RegionLabels(NamedTuple):
    """One region: positions in the vocabulary or `UNKNOWN`, its score or NaN, and whether readers
    take it, for which it needs a box and a mask. `also` are positions of the distortions that it
    has beside its first; `judged` is the position of what people say of it against the other mixed
    version, or `UNKNOWN`."""

    distortion: int
    severity: int
    score: float
    usable: bool
    also: tuple[int, ...] = ()
    judged: int = UNKNOWN


class LabelColumn:
    """The regions of pictures in the order in which they were added; it can be pickled."""

    def __init__(self) -> None:
        self._rows: dict[str, int] = {}
        self._ends = array("q", [0])
        self._distortion, self._severity = array("h"), array("h")
        self._score, self._usable = array("d"), array("b")
        self._judged = array("h")
        self._scenes = array("d")
        self._also = Counter[int]()
        self._together = Counter[int]()

    def add(self, tag: str, regions: Iterable[RegionLabels], scene_score: float) -> None:
        """The next picture, which is not among those that are there."""
        self._rows[tag] = len(self._rows)
        for distortion, severity, score, usable, also, judged in regions:
            self._also.update(also)
            self._together[1 + len(also)] += 1
            self._distortion.append(distortion)
            self._severity.append(severity)
            self._score.append(score)
            self._usable.append(usable)
            self._judged.append(judged)
        self._ends.append(len(self._score))
        self._scenes.append(scene_score)

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, tag: object) -> bool:
        return tag in self._rows

    @property
    def tags(self) -> tuple[str, ...]:
        """The pictures in their order."""
        return tuple(self._rows)

    @property
    def counts(self) -> NDArray[np.int64]:
        """(N,) number of regions of each picture."""
        ends = np.array(self._ends, np.int64)
        return ends[1:] - ends[:-1]

    @property
    def distortion(self) -> NDArray[np.int64]:
        """(M,) of all regions of all pictures."""
        return np.array(self._distortion, np.int64)

    @property
    def severity(self) -> NDArray[np.int64]:
        """(M,) of all regions of all pictures."""
        return np.array(self._severity, np.int64)

    @property
    def score(self) -> NDArray[np.float64]:
        """(M,) of all regions of all pictures; NaN where it is none."""
        return np.array(self._score, np.float64)

    @property
    def usable(self) -> NDArray[np.bool_]:
        """(M,) of all regions of all pictures."""
        return np.array(self._usable, np.bool_)

    @property
    def scene_scores(self) -> NDArray[np.float64]:
        """(N,) score of each whole picture; NaN where it is none."""
        return np.array(self._scenes, np.float64)

    @property
    def also(self) -> Mapping[int, int]:
        """Number of regions by each distortion that they have beside their first."""
        return self._also

    @property
    def together(self) -> Mapping[int, int]:
        """Number of regions by how many labels they have, the first one counted, clean ones 1."""
        return self._together

    def scores_of(self, tag: str) -> NDArray[np.float64]:
        """(R,) of one picture; NaN also for regions that readers leave out."""
        row = self._rows[tag]
        part = slice(self._ends[row], self._ends[row + 1])
        usable = np.array(self._usable[part], np.bool_)
        return np.where(usable, np.array(self._score[part], np.float64), np.nan)

    def usable_of(self, tag: str) -> int:
        """How many regions of one picture readers take."""
        row = self._rows[tag]
        return sum(self._usable[self._ends[row] : self._ends[row + 1]])

    def judged_of(self, tag: str) -> NDArray[np.int64]:
        """(R,) of one picture: what people say against the other mixed version, or `UNKNOWN`."""
        row = self._rows[tag]
        return np.array(self._judged[self._ends[row] : self._ends[row + 1]], np.int64)

    def table(self, vocabulary: Vocabulary) -> NDArray[np.int64]:
        """(D, S) number of regions of each distortion and severity, without unknown ones."""
        shape = len(vocabulary.distortions), len(vocabulary.severities)
        known = (self.distortion != UNKNOWN) & (self.severity != UNKNOWN)
        flat = self.distortion[known] * shape[1] + self.severity[known]
        return np.bincount(flat, minlength=shape[0] * shape[1]).reshape(shape)


def compare_all(
    tag: str, columns: Sequence[LabelColumn], vocabulary: Vocabulary
) -> NDArray[np.int64]:
    """(C,) how often each comparison holds over all ordered pairs of versions of a picture.

    Regions without a score in one of the two are left out; so are versions that do not have the
    picture, or have it with another number of regions than the first that does.
    """
    scores = [column.scores_of(tag) for column in columns if tag in column]
    scores = [row for row in scores if len(row) == len(scores[0])]
    counts = np.zeros(len(vocabulary.comparisons), np.int64)
    if len(scores) < 2:
        return counts
    if len(columns) == 2:
        forth = compare_two(tag, columns[0], columns[1], vocabulary)
        return forth + forth[::-1]
    table = np.stack(scores)
    first, second = np.triu_indices(len(table), 1)
    forth = _counted(table[first].ravel(), table[second].ravel(), vocabulary)
    return forth + forth[::-1]


def compare_two(
    tag: str, anchor: LabelColumn, target: LabelColumn, vocabulary: Vocabulary
) -> NDArray[np.int64]:
    """(C,) how often each comparison holds, anchor against target; as `compare_all` leaves out."""
    sides = [column.scores_of(tag) for column in (anchor, target) if tag in column]
    if len(sides) < 2 or len(sides[0]) != len(sides[1]):
        return np.zeros(len(vocabulary.comparisons), np.int64)
    judged = anchor.judged_of(tag)
    said = np.bincount(judged[judged != UNKNOWN], minlength=len(vocabulary.comparisons))
    return _counted(sides[0], sides[1], vocabulary) + said


def _counted(
    anchor: NDArray[np.float64], target: NDArray[np.float64], vocabulary: Vocabulary
) -> NDArray[np.int64]:
    there = np.isfinite(anchor) & np.isfinite(target)
    positions = compare_positions(anchor[there], target[there], vocabulary)
    return np.bincount(positions, minlength=len(vocabulary.comparisons))
