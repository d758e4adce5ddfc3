"""Metrics over regions pooled from all pairs, as the protocol asks (docs/benchmark.md).

Labels are positions, (N,) integers. A prediction of `MISSED` is a region without an answer: it
counts in the denominator of the accuracy and as a miss of the true label, and is no label of its
own. A region whose true label is `MISSED`, or whose true score is NaN, counts nowhere: people
judged it, and did not say. What is not defined, such as the correlation of a constant, is NaN.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.integer]

MISSED = -1
"""The predicted label of a region without an answer, and the true one of which nobody said it."""

CALIBRATION_BINS = 15


@dataclass(frozen=True)
class LabelScores:
    """Accuracy and macro precision, recall and F1 over the labels in truth or prediction."""

    accuracy: float
    precision: float
    recall: float
    f1: float


def label_scores(truth: Labels, predicted: Labels) -> LabelScores:
    """Scores of label indices, (N,) each; a division by zero counts as 0. N = 0 gives NaN."""
    truth, predicted = _said(truth, predicted)
    if not len(truth):
        return LabelScores(*(float("nan"),) * 4)
    rows = np.array(list(_by_label(truth, predicted).values()))
    precision, recall, f1 = rows.mean(0)
    return LabelScores(
        float(np.mean(truth == predicted)), float(precision), float(recall), float(f1)
    )


def f1_by_label(truth: Labels, predicted: Labels) -> dict[int, float]:
    """F1 of every label index in truth or prediction, ascending."""
    return {label: f1 for label, (_, _, f1) in _by_label(truth, predicted).items()}


def _said(truth: Labels, predicted: Labels) -> tuple[Labels, Labels]:
    """The rows whose true label somebody said."""
    said = truth != MISSED
    return truth[said], predicted[said]


def _by_label(truth: Labels, predicted: Labels) -> dict[int, tuple[float, float, float]]:
    """Precision, recall and F1 of every label in truth or prediction."""
    truth, predicted = _said(truth, predicted)
    rows = {}
    for label in np.union1d(truth, predicted[predicted != MISSED]).tolist():
        hits = int(np.sum((truth == label) & (predicted == label)))
        p = _ratio(hits, int(np.sum(predicted == label)))
        r = _ratio(hits, int(np.sum(truth == label)))
        rows[label] = (p, r, _ratio(2 * p * r, p + r))
    return rows


def confusion(truth: Labels, predicted: Labels, labels: int) -> NDArray[np.int64]:
    """(L, L + 1) counts: row the true label, column the given one, the last column the missed."""
    truth, predicted = _said(truth, predicted)
    column = np.where(predicted == MISSED, labels, predicted)
    cells = np.bincount(truth * (labels + 1) + column, minlength=labels * (labels + 1))
    return cells.reshape(labels, labels + 1).astype(np.int64)


def quadratic_kappa(truth: Labels, predicted: Labels, labels: int) -> float:
    """Cohen's kappa on an ordered scale of L steps, disagreement weighted by its square.

    Over answered regions only: a missing answer has no place on the scale. NaN where there is
    none, or where truth and prediction are one and the same single label.
    """
    answered = predicted != MISSED
    counts = confusion(truth[answered], predicted[answered], labels)[:, :-1]
    return float(cohens_kappa(counts, ordered=True))


def cohens_kappa(counts: NDArray[Any], *, ordered: bool) -> NDArray[np.float64]:
    """Agreement of two raters beyond chance, (...) of (..., L, L) how often each pair of labels was
    given: 1 is full agreement, 0 that of chance.

    On an `ordered` scale a disagreement weighs the square of its steps, else all weigh the same.
    NaN where nothing was rated, or both gave one and the same single label.
    (Cohen, "Weighted kappa", Psychological Bulletin 70, 1968.)
    """
    step = np.arange(counts.shape[-1])
    apart = step[:, None] - step
    weight = apart**2.0 if ordered else (apart != 0).astype(np.float64)
    seen = np.einsum("ij,...ij->...", weight, counts)
    first, second, all_ = counts.sum(-1), counts.sum(-2), counts.sum((-2, -1))
    by_chance = np.einsum("ij,...i,...j->...", weight, first, second)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(by_chance > 0, 1 - seen * all_ / by_chance, np.nan)


@dataclass(frozen=True)
class Reliability:
    """Of B equal-width bins of confidence: answers in each, their hits, their summed confidence."""

    answers: NDArray[np.int64]
    hits: NDArray[np.float64]
    confidence: NDArray[np.float64]


def reliability(
    correct: NDArray[np.bool_], confidence: NDArray[np.floating], bins: int = CALIBRATION_BINS
) -> Reliability:
    """Answers by their confidence (N,), the probability of the label that was given.

    Rows where it is NaN are left out. A bin holds its upper edge, the first also 0.
    """
    known = ~np.isnan(confidence)
    hits, p = correct[known].astype(float), confidence[known]
    place = np.clip(np.ceil(p * bins).astype(int) - 1, 0, bins - 1)
    return Reliability(
        np.bincount(place, minlength=bins).astype(np.int64),
        np.asarray(np.bincount(place, hits, bins), np.float64),
        np.asarray(np.bincount(place, p, bins), np.float64),
    )


def calibration_error(
    correct: NDArray[np.bool_], confidence: NDArray[np.floating], bins: int = CALIBRATION_BINS
) -> float:
    """Expected calibration error: mean |accuracy − confidence| of the bins, by their size.

    Bins are those of `reliability`. NaN where no row has a confidence.
    (Naeini et al., AAAI 2015; bins as in Guo et al., ICML 2017.)
    """
    binned = reliability(correct, confidence, bins)
    answers = int(binned.answers.sum())
    if not answers:
        return float("nan")
    return float(np.abs(binned.hits - binned.confidence).sum() / answers)


def average_precision(truth: NDArray[np.bool_], probability: NDArray[np.floating]) -> float:
    """Precision averaged over recall, Σ (Rₙ − Rₙ₋₁) Pₙ, as a threshold falls; (N,) each.

    Equal probabilities pass it together; there is no interpolation. NaN where nothing is true.
    (Everingham et al., "The Pascal Visual Object Classes Challenge", IJCV 88, 2010, from 2010 on.)
    """
    if not truth.any():
        return float("nan")
    order = np.argsort(-probability, kind="stable")
    hits, falling = np.cumsum(truth[order]), probability[order]
    last = np.append(np.flatnonzero(np.diff(falling)), len(falling) - 1)
    precision, recall = hits[last] / (last + 1), hits[last] / hits[-1]
    return float(np.sum(np.diff(recall, prepend=0) * precision))


@dataclass(frozen=True)
class ScoreAgreement:
    """Spearman and Pearson correlation of scores; NaN where one side is constant or N = 0."""

    srcc: float
    plcc: float


def score_agreement(truth: NDArray[np.floating], predicted: NDArray[np.floating]) -> ScoreAgreement:
    """Rank and linear correlation of (N,) scores; rows of which one is NaN are left out."""
    known = ~np.isnan(predicted) & ~np.isnan(truth)
    x, y = truth[known], predicted[known]
    return ScoreAgreement(_pearson(_ranks(x), _ranks(y)), _pearson(x, y))


def _ranks(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Places in ascending order from 1; equal values have the mean of theirs."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(count) - (count - 1) / 2)[place], np.float64)


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _pearson(x: NDArray[np.floating], y: NDArray[np.floating]) -> float:
    # Asked of the values themselves: a constant less its rounded mean need not be 0.
    if not len(x) or np.ptp(x) == 0 or np.ptp(y) == 0:
        return float("nan")
    x, y = x - np.mean(x), y - np.mean(y)
    scale = float(np.sqrt(np.sum(x * x) * np.sum(y * y)))
    return float(np.sum(x * y)) / scale if scale else float("nan")
