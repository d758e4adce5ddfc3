"""Metrics over regions pooled from all pairs, as the protocol asks (docs/benchmark.md)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.integer]


@dataclass(frozen=True)
class LabelScores:
    """Accuracy and macro precision, recall and F1 over the labels in truth or prediction."""

    accuracy: float
    precision: float
    recall: float
    f1: float


def label_scores(truth: Labels, predicted: Labels) -> LabelScores:
    """Scores of label indices, (N,) each; a division by zero counts as 0. N = 0 gives NaN."""
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


def _by_label(truth: Labels, predicted: Labels) -> dict[int, tuple[float, float, float]]:
    """Precision, recall and F1 of every label in truth or prediction."""
    rows = {}
    for label in np.union1d(truth, predicted).tolist():
        hits = int(np.sum((truth == label) & (predicted == label)))
        p = _ratio(hits, int(np.sum(predicted == label)))
        r = _ratio(hits, int(np.sum(truth == label)))
        rows[label] = (p, r, _ratio(2 * p * r, p + r))
    return rows


@dataclass(frozen=True)
class ScoreAgreement:
    """Spearman and Pearson correlation of scores; NaN where one side is constant or N = 0."""

    srcc: float
    plcc: float


def score_agreement(truth: NDArray[np.floating], predicted: NDArray[np.floating]) -> ScoreAgreement:
    """Rank and linear correlation of (N,) scores."""
    from scipy.stats import rankdata

    return ScoreAgreement(
        _pearson(rankdata(truth), rankdata(predicted)), _pearson(truth, predicted)
    )


def bootstrap_interval(
    per_group: NDArray[np.floating], sizes: NDArray[np.integer], *, seed: int = 0, draws: int = 1000
) -> tuple[float, float]:
    """95 % interval of Σ per_group / Σ sizes when whole groups (pictures) are drawn anew."""
    rng = np.random.default_rng(seed)
    picks = rng.integers(len(sizes), size=(draws, len(sizes)))
    ratios = per_group[picks].sum(1) / np.maximum(sizes[picks].sum(1), 1)
    low, high = np.percentile(ratios, [2.5, 97.5])
    return float(low), float(high)


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _pearson(x: NDArray[np.floating], y: NDArray[np.floating]) -> float:
    # Asked of the values themselves: a constant less its rounded mean need not be 0.
    if not len(x) or np.ptp(x) == 0 or np.ptp(y) == 0:
        return float("nan")
    x, y = x - np.mean(x), y - np.mean(y)
    scale = float(np.sqrt(np.sum(x * x) * np.sum(y * y)))
    return float(np.sum(x * y)) / scale if scale else float("nan")
