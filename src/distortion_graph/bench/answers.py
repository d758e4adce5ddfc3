"""What is true of regions, and what is said of them: the columns that every figure comes from."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.vocabulary import Vocabulary
from distortion_graph.bench.metrics import MISSED
from distortion_graph.datasets.layout import PairKey
from distortion_graph.datasets.samples import Sample
from distortion_graph.graph import LabelBelief, RegionComparison
from distortion_graph.predict.decode import ChosenLabels

Positions = NDArray[np.int64]
Numbers = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Answers:
    """Labels as positions in a vocabulary and scores for N regions; row 0 anchor, 1 target.

    `distortion`, `severity` (2, N) and `comparison` (N,) are `MISSED` and `score` (2, N) is NaN
    where there is no answer. The confidences, of the same shapes, are the probabilities of the
    labels given, NaN where none came with them.
    """

    distortion: Positions
    severity: Positions
    comparison: Positions
    score: Numbers
    distortion_confidence: Numbers
    severity_confidence: Numbers
    comparison_confidence: Numbers

    @classmethod
    def none(cls, regions: int) -> Answers:
        """No answer for any region."""
        two, one = (2, regions), (regions,)
        return cls(
            np.full(two, MISSED, np.int64),
            np.full(two, MISSED, np.int64),
            np.full(one, MISSED, np.int64),
            *(np.full(shape, np.nan) for shape in (two, two, two, one)),
        )

    @classmethod
    def joined(cls, parts: Sequence[Answers]) -> Answers:
        """The answers of several pairs one after the other."""
        if not parts:
            return cls.none(0)
        return cls(*(np.concatenate([getattr(p, f.name) for p in parts], -1) for f in fields(cls)))

    def __len__(self) -> int:
        return len(self.comparison)

    @property
    def answered(self) -> NDArray[np.bool_]:
        """(N,) whether a region has an answer."""
        return np.asarray(self.comparison != MISSED)

    def take(self, rows: NDArray[np.bool_]) -> Answers:
        """The regions where `rows` (N,) is true."""
        return Answers(*(getattr(self, f.name)[..., rows] for f in fields(self)))

    def mirrors(self, other: Answers, vocabulary: Vocabulary) -> NDArray[np.bool_]:
        """(N,) whether `other`, said of the swapped pair, is this answer seen in a mirror.

        Node labels must be exchanged and comparisons mirrored; scores and confidences are free.
        """
        last = len(vocabulary.comparisons) - 1
        same = (self.distortion == other.distortion[::-1]) & (self.severity == other.severity[::-1])
        return np.asarray(same.all(0) & (last - self.comparison == other.comparison))


@dataclass(frozen=True, eq=False)
class TruthOfPair:
    """The truth of one pair's R regions, free of its pictures and masks."""

    key: PairKey
    region: Positions
    distortion: Positions
    severity: Positions
    comparison: Positions
    score: Numbers

    @classmethod
    def of(cls, sample: Sample) -> TruthOfPair:
        """What a sample says is true."""
        labels = sample.labels
        return cls(
            sample.key,
            np.array(sample.regions.ids, np.int64),
            np.asarray(labels.distortion, np.int64),
            np.asarray(labels.severity, np.int64),
            np.asarray(labels.comparison, np.int64),
            np.asarray(labels.score, np.float64),
        )


@dataclass(frozen=True, eq=False)
class Truth:
    """What is true of the N regions of all pairs.

    `pair` (N,) is a position in `keys`, `region` (N,) the id in the data set; labels and scores as
    in `Answers`, none of them missing.
    """

    keys: tuple[PairKey, ...]
    pair: Positions
    region: Positions
    distortion: Positions
    severity: Positions
    comparison: Positions
    score: Numbers

    @classmethod
    def of(cls, pairs: Sequence[TruthOfPair]) -> Truth:
        """The truth of the pairs, in order."""
        counts = [len(pair.region) for pair in pairs]
        one, two = [np.zeros(0, np.int64)], [np.zeros((2, 0), np.int64)]
        return cls(
            tuple(pair.key for pair in pairs),
            np.repeat(np.arange(len(pairs), dtype=np.int64), counts),
            np.concatenate(one + [pair.region for pair in pairs]),
            np.concatenate(two + [pair.distortion for pair in pairs], 1),
            np.concatenate(two + [pair.severity for pair in pairs], 1),
            np.concatenate(one + [pair.comparison for pair in pairs]),
            np.concatenate([np.zeros((2, 0)), *(pair.score for pair in pairs)], 1),
        )

    def __len__(self) -> int:
        return len(self.region)

    @property
    def pictures(self) -> tuple[str, ...]:
        """Tags of the pictures, sorted."""
        return tuple(sorted({key.tag for key in self.keys}))

    @property
    def picture(self) -> Positions:
        """(N,) each region's position in `pictures`."""
        place = {tag: k for k, tag in enumerate(self.pictures)}
        by_pair = np.array([place[key.tag] for key in self.keys], np.int64)
        return by_pair[self.pair]

    def take(self, rows: NDArray[np.bool_]) -> Truth:
        """The regions where `rows` (N,) is true; the pairs stay."""
        columns = ("pair", "region", "distortion", "severity", "comparison", "score")
        return Truth(self.keys, *(getattr(self, name)[..., rows] for name in columns))

    def without(self, left_out: Collection[int]) -> tuple[Truth, NDArray[np.bool_]]:
        """The truth without some pairs, by position, and which rows (N,) are left."""
        kept = [k for k in range(len(self.keys)) if k not in left_out]
        number = np.full(len(self.keys) + 1, -1, np.int64)
        number[kept] = np.arange(len(kept))
        rows = number[self.pair] >= 0
        columns = ("region", "distortion", "severity", "comparison", "score")
        return Truth(
            tuple(self.keys[k] for k in kept),
            number[self.pair[rows]],
            *(getattr(self, name)[..., rows] for name in columns),
        ), rows


def positions_in(vocabulary: Vocabulary, own: Vocabulary) -> Positions:
    """Where the distortions of another vocabulary, `own`, stand in `vocabulary`, (D,).

    Raises VocabularyError for a label that the vocabulary does not have.
    """
    return np.array([vocabulary.distortion_index(label) for label in own.distortions], np.int64)


def answers_of(chosen: ChosenLabels, own: Vocabulary, vocabulary: Vocabulary) -> Answers:
    """Labels that were chosen in a vocabulary `own`, in the words of `vocabulary`.

    The two have the same severities and comparisons. Raises VocabularyError for distortions that
    `vocabulary` does not have.
    """
    return Answers(
        distortion=positions_in(vocabulary, own)[chosen.distortion],
        severity=chosen.severity,
        comparison=chosen.comparison,
        score=chosen.score,
        distortion_confidence=_of_label(chosen.distortion_probabilities, chosen.distortion),
        severity_confidence=_of_label(chosen.severity_probabilities, chosen.severity),
        comparison_confidence=_of_label(chosen.comparison_probabilities, chosen.comparison),
    )


def answers_of_regions(
    regions: Sequence[RegionComparison | None], vocabulary: Vocabulary
) -> Answers:
    """The answers of a graph's regions, None where one is missing.

    Raises VocabularyError for a label that the vocabulary does not have.
    """
    answers = Answers.none(len(regions))
    for k, region in enumerate(regions):
        if region is None:
            continue
        for side, node in enumerate((region.anchor, region.target)):
            answers.distortion[side, k] = vocabulary.distortion_index(node.distortion.label)
            answers.severity[side, k] = vocabulary.severity_index(node.severity.label)
            answers.score[side, k] = np.nan if node.score is None else node.score
            answers.distortion_confidence[side, k] = _confidence(node.distortion)
            answers.severity_confidence[side, k] = _confidence(node.severity)
        answers.comparison[k] = vocabulary.comparison_index(region.comparison.label)
        answers.comparison_confidence[k] = _confidence(region.comparison)
    return answers


def _of_label(probabilities: Numbers, labels: Positions) -> Numbers:
    """(…, L) probabilities of all labels → (…) those of the labels given."""
    return np.take_along_axis(probabilities, labels[..., None], -1)[..., 0]


def _confidence(belief: LabelBelief) -> float:
    return np.nan if belief.probability is None else belief.probability
