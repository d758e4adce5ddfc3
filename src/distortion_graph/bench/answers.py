"""What is true of regions, and what is said of them: the columns that every figure comes from."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.vocabulary import Vocabulary
from distortion_graph.bench.metrics import MISSED
from distortion_graph.datasets.layout import PairKey
from distortion_graph.datasets.samples import Sample
from distortion_graph.graph import LabelBelief, RegionComparison
from distortion_graph.graph.build import DECIMALS
from distortion_graph.predict.decode import ChosenLabels

Positions = NDArray[np.int64]
Numbers = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Answers:
    """Labels as positions in a vocabulary and scores for N regions; row 0 anchor, 1 target.

    `distortion`, `severity` (2, N) and `comparison` (N,) are `MISSED` and `score` (2, N) is NaN
    where there is no answer. The confidences, of the same shapes, are the probabilities of the
    labels given, NaN where none came with them.

    Of each of D distortions, (2, D, N): `also` is whether it is named beside the first one, and
    `present` the probability that the region suffers it, NaN where it is not known. None where
    nobody said so for any region.
    """

    distortion: Positions
    severity: Positions
    comparison: Positions
    score: Numbers
    distortion_confidence: Numbers
    severity_confidence: Numbers
    comparison_confidence: Numbers
    also: NDArray[np.bool_] | None = None
    present: Numbers | None = None

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
        counts = [len(part) for part in parts]
        columns: dict[str, Any] = {
            f.name: np.concatenate([getattr(part, f.name) for part in parts], -1)
            for f in fields(cls)
            if f.name not in ("also", "present")
        }
        columns["also"] = _joined([part.also for part in parts], counts, False)
        columns["present"] = _joined([part.present for part in parts], counts, np.nan)
        return cls(**columns)

    def __len__(self) -> int:
        return len(self.comparison)

    @property
    def answered(self) -> NDArray[np.bool_]:
        """(N,) whether a region has an answer."""
        return np.asarray(self.comparison != MISSED)

    def take(self, rows: NDArray[np.bool_]) -> Answers:
        """The regions where `rows` (N,) is true."""
        return replace(self, **_taken(self, [f.name for f in fields(self)], rows))

    def named(self, vocabulary: Vocabulary) -> NDArray[np.bool_]:
        """(2, D, N) whether a region is said to suffer a distortion, as its first or beside it."""
        named = _one_of(self.distortion, vocabulary)
        return named if self.also is None else named | self.also

    def mirrors(self, other: Answers, vocabulary: Vocabulary) -> NDArray[np.bool_]:
        """(N,) whether `other`, said of the swapped pair, is this answer seen in a mirror.

        Node labels must be exchanged and comparisons mirrored; scores and confidences are free.
        """
        last = len(vocabulary.comparisons) - 1
        same = (self.distortion == other.distortion[::-1]) & (self.severity == other.severity[::-1])
        return np.asarray(same.all(0) & (last - self.comparison == other.comparison))


def _taken(table: Answers | Truth, columns: Collection[str], rows: NDArray[Any]) -> dict[str, Any]:
    """Some rows of columns by their name; one that is None stays so."""
    found = {name: getattr(table, name) for name in columns}
    return {name: None if c is None else c[..., rows] for name, c in found.items()}


def _joined(
    parts: Sequence[NDArray[Any] | None], counts: Sequence[int], unknown: float
) -> NDArray[Any] | None:
    """(2, D, N) of parts, `unknown` for the regions of one that is None; None where all are."""
    there = next((part for part in parts if part is not None), None)
    if there is None:
        return None
    shape = there.shape[:2]
    filled = (
        np.full((*shape, count), unknown, there.dtype) if part is None else part
        for part, count in zip(parts, counts, strict=True)
    )
    return np.concatenate(list(filled), -1)


def _one_of(distortion: Positions, vocabulary: Vocabulary) -> NDArray[np.bool_]:
    """(2, N) positions → (2, D, N) whether it is this distortion; clean and missed are none."""
    labels = np.arange(len(vocabulary.distortions))
    suffered: NDArray[np.bool_] = distortion[:, None] == labels[:, None]
    suffered[:, vocabulary.clean_index] = False
    return suffered


@dataclass(frozen=True, eq=False)
class TruthOfPair:
    """The truth of one pair's R regions, free of its pictures and masks.

    Where people judged, labels may be `MISSED` and scores are NaN: nobody said.
    `present` (2, D, R) is whether a region suffers a distortion, None where that is not known.
    """

    key: PairKey
    region: Positions
    distortion: Positions
    severity: Positions
    comparison: Positions
    score: Numbers
    present: NDArray[np.bool_] | None = None

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
            None if sample.suffered is None else sample.suffered.present.transpose(0, 2, 1),
        )


@dataclass(frozen=True, eq=False)
class Truth:
    """What is true of the N regions of all pairs.

    `pair` (N,) is a position in `keys`, `region` (N,) the id in the data set; labels and scores as
    in `Answers`, missing only where people judged and did not say: they count in no figure.
    `present` (2, D, N) is whether a region suffers a distortion, None where the data set does not
    say whether regions have several.
    """

    keys: tuple[PairKey, ...]
    pair: Positions
    region: Positions
    distortion: Positions
    severity: Positions
    comparison: Positions
    score: Numbers
    present: NDArray[np.bool_] | None = None

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
            _joined([pair.present for pair in pairs], counts, False),
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
        return replace(self, **_taken(self, ("pair", *_TRUE), rows))

    def without(self, left_out: Collection[int]) -> tuple[Truth, NDArray[np.bool_]]:
        """The truth without some pairs, by position, and which rows (N,) are left."""
        kept = [k for k in range(len(self.keys)) if k not in left_out]
        number = np.full(len(self.keys) + 1, -1, np.int64)
        number[kept] = np.arange(len(kept))
        rows = number[self.pair] >= 0
        pairs = tuple(self.keys[k] for k in kept)
        columns = _taken(self, _TRUE, rows)
        return replace(self, keys=pairs, pair=number[self.pair[rows]], **columns), rows


_TRUE = ("region", "distortion", "severity", "comparison", "score", "present")
"""Columns of `Truth` beside the number of the pair."""


def positions_in(vocabulary: Vocabulary, own: Vocabulary) -> Positions:
    """Where the distortions of another vocabulary, `own`, stand in `vocabulary`, (D,).

    Raises VocabularyError for a label that the vocabulary does not have.
    """
    return np.array([vocabulary.distortion_index(label) for label in own.distortions], np.int64)


def answers_of(
    chosen: ChosenLabels,
    own: Vocabulary,
    vocabulary: Vocabulary,
    *,
    also: NDArray[np.bool_] | None = None,
    present: Numbers | None = None,
) -> Answers:
    """Labels that were chosen in a vocabulary `own`, in the words of `vocabulary`.

    Args:
        chosen: of R regions.
        own: has the severities and comparisons of `vocabulary`.
        vocabulary: of the answers; one that lacks a distortion raises VocabularyError.
        also: (2, R, D) whether a distortion of `own` is named beside the first one.
        present: (2, R, D) probability that the region suffers it (`Predictions.present`).
    """
    places = positions_in(vocabulary, own)
    return Answers(
        distortion=places[chosen.distortion],
        severity=chosen.severity,
        comparison=chosen.comparison,
        score=chosen.score,
        distortion_confidence=_of_label(chosen.distortion_probabilities, chosen.distortion),
        severity_confidence=_of_label(chosen.severity_probabilities, chosen.severity),
        comparison_confidence=_of_label(chosen.comparison_probabilities, chosen.comparison),
        also=None if also is None else _of_each(also, places, vocabulary),
        present=None
        if present is None
        else _of_each(np.round(present, DECIMALS), places, vocabulary),
    )


def _of_each(values: NDArray[Any], places: Positions, vocabulary: Vocabulary) -> NDArray[Any]:
    """(2, R, D) of a vocabulary whose labels stand at `places` of another, (2, D', R) of that."""
    found = np.zeros((2, len(vocabulary.distortions), values.shape[1]), values.dtype)
    found[:, places] = values.transpose(0, 2, 1)
    return found


def answers_of_regions(
    regions: Sequence[RegionComparison | None], vocabulary: Vocabulary
) -> Answers:
    """The answers of a graph's regions, None where one is missing.

    Raises VocabularyError for a label that the vocabulary does not have.
    """
    answers = Answers.none(len(regions))
    also = np.zeros((2, len(vocabulary.distortions), len(regions)), np.bool_)
    for k, region in enumerate(regions):
        if region is None:
            continue
        for side, node in enumerate((region.anchor, region.target)):
            answers.distortion[side, k] = vocabulary.distortion_index(node.distortion.label)
            answers.severity[side, k] = vocabulary.severity_index(node.severity.label)
            answers.score[side, k] = np.nan if node.score is None else node.score
            answers.distortion_confidence[side, k] = _confidence(node.distortion)
            answers.severity_confidence[side, k] = _confidence(node.severity)
            for further in node.also:
                also[side, vocabulary.distortion_index(further.label), k] = True
        answers.comparison[k] = vocabulary.comparison_index(region.comparison.label)
        answers.comparison_confidence[k] = _confidence(region.comparison)
    return replace(answers, also=also)


def _of_label(probabilities: Numbers, labels: Positions) -> Numbers:
    """(…, L) probabilities of all labels → (…) those of the labels given."""
    return np.take_along_axis(probabilities, labels[..., None], -1)[..., 0]


def _confidence(belief: LabelBelief) -> float:
    return np.nan if belief.probability is None else belief.probability
