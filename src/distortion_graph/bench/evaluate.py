"""Run a predictor over pairs and pool what it says of every region."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from distortion_graph.bench.metrics import (
    LabelScores,
    ScoreAgreement,
    bootstrap_interval,
    label_scores,
    score_agreement,
)
from distortion_graph.bench.protocol import BenchPair
from distortion_graph.runtime.decode import decode
from distortion_graph.runtime.predictions import Predictions
from distortion_graph.vocabulary import Vocabulary


class Predictor(Protocol):
    """Anything that looks at two pictures and their masks."""

    def predict(
        self,
        anchor: NDArray[np.uint8],
        target: NDArray[np.uint8],
        masks: NDArray[np.bool_],
    ) -> Predictions:
        """Predictions for R regions, in the order of the masks."""
        ...


@dataclass
class Pool:
    """True and predicted label indices and scores of all regions seen so far.

    Arrays a pair adds: nodes (2, R) for anchor and target, comparisons (R,).
    """

    vocabulary: Vocabulary
    tags: list[str] = field(default_factory=list)
    distortion: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = field(default_factory=list)
    severity: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = field(default_factory=list)
    comparison: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = field(default_factory=list)
    score: list[tuple[NDArray[np.float64], NDArray[np.float64]]] = field(default_factory=list)

    def add(self, pair: BenchPair, predictions: Predictions) -> None:
        """Decode the predictions of a pair and keep them beside the truth."""
        words = self.vocabulary
        decoded = decode(predictions, words)
        versions = (pair.anchor, pair.target)
        nodes = [[r.anchor for r in decoded.regions], [r.target for r in decoded.regions]]
        self.tags.append(pair.picture.tag)
        self.distortion.append(
            (
                np.array(
                    [[words.distortion_index(d.distortion) for d in v.draws] for v in versions]
                ),
                np.array([[words.distortion_index(n.distortion.label) for n in i] for i in nodes]),
            )
        )
        self.severity.append(
            (
                np.array([[words.severity_index(d.severity) for d in v.draws] for v in versions]),
                np.array([[words.severity_index(n.severity.label) for n in i] for i in nodes]),
            )
        )
        true_scores = np.stack([v.scores for v in versions])
        self.score.append((true_scores, np.array([[n.score for n in i] for i in nodes])))
        self.comparison.append(
            (
                np.array(
                    [
                        words.comparison_index(words.compare_scores(float(a), float(t)).label)
                        for a, t in true_scores.T
                    ]
                ),
                np.array([words.comparison_index(r.comparison.label) for r in decoded.regions]),
            )
        )

    def summary(self) -> Summary:
        """Metrics over everything pooled; anchor and target are averaged for scores."""
        truth, predicted = _join(self.score)
        sides = [score_agreement(truth[i], predicted[i]) for i in range(2)]
        return Summary(
            regions=truth.shape[1],
            distortion=label_scores(*(x.ravel() for x in _join(self.distortion))),
            severity=label_scores(*(x.ravel() for x in _join(self.severity))),
            comparison=label_scores(*_join(self.comparison)),
            score=ScoreAgreement(
                float(np.mean([s.srcc for s in sides])), float(np.mean([s.plcc for s in sides]))
            ),
            score_error=float(np.mean(np.abs(truth - predicted))),
        )

    def accuracy_interval(self, what: str) -> tuple[float, float]:
        """95 % bootstrap interval over pictures of an accuracy, `what` a field of the pool."""
        hits: dict[str, list[int]] = {}
        for tag, (truth, predicted) in zip(self.tags, getattr(self, what), strict=True):
            entry = hits.setdefault(tag, [0, 0])
            entry[0] += int(np.sum(truth == predicted))
            entry[1] += truth.size
        counts = np.array(list(hits.values()))
        return bootstrap_interval(counts[:, 0].astype(float), counts[:, 1])


@dataclass(frozen=True)
class Summary:
    """The row of a results table."""

    regions: int
    distortion: LabelScores
    severity: LabelScores
    comparison: LabelScores
    score: ScoreAgreement
    score_error: float

    @property
    def mean(self) -> float:
        """Mean of the four headline figures; what a checkpoint is chosen by."""
        return (
            self.distortion.accuracy
            + self.severity.accuracy
            + self.comparison.accuracy
            + self.score.srcc
        ) / 4


def run(predictor: Predictor, pairs: Iterable[BenchPair], vocabulary: Vocabulary) -> Pool:
    """Predict every pair and pool the results."""
    pool = Pool(vocabulary)
    for pair in pairs:
        pool.add(pair, predictor.predict(pair.anchor.image, pair.target.image, pair.picture.masks))
    return pool


def _join(pairs: Sequence[tuple[NDArray, NDArray]]) -> tuple[NDArray, NDArray]:  # type: ignore[type-arg]
    """Concatenate the arrays of all pairs along regions."""
    truth, predicted = zip(*pairs, strict=True)
    return np.concatenate(truth, -1), np.concatenate(predicted, -1)
