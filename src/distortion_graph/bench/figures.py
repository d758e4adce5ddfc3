"""All figures of one run over one list of pairs, as values that go into a file."""

from __future__ import annotations

import math
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from distortion_graph.base.vocabulary import Vocabulary
from distortion_graph.bench.answers import Answers, Truth
from distortion_graph.bench.metrics import (
    MISSED,
    LabelScores,
    average_precision,
    calibration_error,
    confusion,
    f1_by_label,
    label_scores,
    quadratic_kappa,
    score_agreement,
)
from distortion_graph.bench.resampling import (
    DRAWS,
    FIGURES,
    WeightedFigures,
    bootstrap_intervals,
)


class Part(BaseModel):
    """Base of every part of a result: frozen, finite numbers only, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class LabelFigures(Part):
    """Accuracy, macro precision, recall and F1; null where there is no region."""

    accuracy: float | None
    precision: float | None
    recall: float | None
    f1: float | None


class NodeFigures(Part):
    """The same of anchor nodes, of target nodes, and the mean of the two."""

    anchor: LabelFigures
    target: LabelFigures
    averaged: LabelFigures


class ScoreSide(Part):
    """Rank and linear correlation with the true scores, and mean absolute error."""

    srcc: float | None
    plcc: float | None
    mean_error: float | None


class ScoreFigures(Part):
    """Of anchor, target, and the mean of the two."""

    anchor: ScoreSide
    target: ScoreSide
    averaged: ScoreSide


class SeveralFigures(Part):
    """Of anchor and target nodes together, where the data set says all that each node suffers.

    `exact_sets` is the share of the nodes of which exactly the distortions that they suffer are
    named, none for a clean one; a missing answer is wrong. Of the nodes that suffer two, as many as
    `nodes_with_two`, `both_named` is the share of which both are named, whatever else is.
    `average_precision` is by distortion, of the probabilities that a node suffers it, for those
    that occur, and `mean_average_precision` their mean; empty and null for a run without such
    probabilities.
    """

    nodes_with_two: int
    exact_sets: float | None
    both_named: float | None
    mean_average_precision: float | None
    average_precision: dict[str, float]


class Figures(Part):
    """What a run reaches on one list of pairs; what is not defined or not known is null.

    `coverage` is the share of regions that have labels, `score_coverage` of nodes that have a
    score. `mean` is the mean of the four headline figures, of those of which the truth says
    something. `f1_by_label` and `confusion` are over anchor and target nodes together; a confusion
    matrix has a row per true label, a column per given one, and a last column of missing answers.
    `kappa` is quadratic-weighted, `calibration` the expected calibration error. `swap_consistency`
    is the share of answered regions whose labels are exactly mirrored when the pair is swapped.
    `several` is null where the data set does not say whether regions have several distortions.
    """

    pairs: int
    pictures: int
    regions: int
    coverage: float | None
    score_coverage: float | None
    distortion: NodeFigures
    severity: NodeFigures
    comparison: LabelFigures
    score: ScoreFigures
    mean: float | None
    intervals: dict[str, tuple[float, float] | None]
    f1_by_label: dict[str, dict[str, float]]
    confusion: dict[str, tuple[tuple[int, ...], ...]]
    kappa: dict[str, float | None]
    calibration: dict[str, float | None]
    swap_consistency: float | None = None
    seconds_per_pair: dict[str, float] | None = None
    several: SeveralFigures | None = None

    def value(self, figure: str) -> float | None:
        """A figure of `resampling.FIGURES`, such as "distortion.accuracy"."""
        what, name = figure.split(".")
        part: Any = getattr(self, what)
        found: float | None = getattr(part if what == "comparison" else part.averaged, name)
        return found


def figures_of(
    truth: Truth,
    answers: Answers,
    vocabulary: Vocabulary,
    *,
    mirrored: NDArray[np.floating] | None = None,
    seconds: list[float] | None = None,
    seed: int = 0,
    draws: int = DRAWS,
) -> Figures:
    """Every figure of answers against the truth.

    `mirrored` (N,) is 1 where a region's answer was mirrored, 0 where it was not, NaN where the
    swapped pair was not answered. Intervals take `draws` draws; with 0 there are none.
    """
    ordered = {"severity": len(vocabulary.severities), "comparison": len(vocabulary.comparisons)}
    scores = [_score_side(truth.score[i], answers.score[i]) for i in (0, 1)]
    nodes = {name: _nodes(getattr(truth, name), getattr(answers, name)) for name in _NODES}
    comparison = _labels(label_scores(truth.comparison, answers.comparison))
    averaged = _mean_of(scores, ScoreSide)
    headline = {
        "distortion": nodes["distortion"].averaged.accuracy,
        "severity": nodes["severity"].averaged.accuracy,
        "comparison": comparison.accuracy,
        "score": averaged.srcc,
    }
    intervals: dict[str, tuple[float, float] | None] = dict.fromkeys(FIGURES)
    if len(truth) and draws:
        weighted = WeightedFigures.of(truth, answers, vocabulary)
        intervals = bootstrap_intervals(weighted, seed=seed, draws=draws)
    return Figures(
        pairs=len(truth.keys),
        pictures=len(truth.pictures),
        regions=len(truth),
        coverage=_mean(answers.answered),
        score_coverage=_mean(~np.isnan(answers.score)),
        distortion=nodes["distortion"],
        severity=nodes["severity"],
        comparison=comparison,
        score=ScoreFigures(anchor=scores[0], target=scores[1], averaged=averaged),
        mean=_mean_known([v for what, v in headline.items() if _is_said(truth, what)]),
        intervals=intervals,
        f1_by_label={what: _f1(truth, answers, what, vocabulary) for what in _KINDS},
        confusion={what: _confusion(truth, answers, what, vocabulary) for what in _KINDS},
        kappa={what: _kappa(truth, answers, what, size) for what, size in ordered.items()},
        calibration={what: _calibration(truth, answers, what) for what in _KINDS},
        swap_consistency=None if mirrored is None else _mean(mirrored[~np.isnan(mirrored)]),
        seconds_per_pair=_seconds(seconds),
        several=_several(truth, answers, vocabulary),
    )


_NODES = ("distortion", "severity")
_KINDS = (*_NODES, "comparison")
P = TypeVar("P", bound=Part)


def _is_said(truth: Truth, what: str) -> bool:
    """Whether the truth has any such label or score; true of no regions at all."""
    column = getattr(truth, what)
    return bool((~np.isnan(column) if what == "score" else column != MISSED).any()) or not len(
        truth
    )


def known(value: float) -> float | None:
    """The value, or None for NaN, which JSON does not have."""
    return None if math.isnan(value) else float(value)


def labels_of(vocabulary: Vocabulary, what: str) -> tuple[str, ...]:
    """The labels of "distortion", "severity" or "comparison", in the order of their positions."""
    return {
        "distortion": vocabulary.distortions,
        "severity": vocabulary.severities,
        "comparison": vocabulary.comparison_labels,
    }[what]


def _labels(scores: LabelScores) -> LabelFigures:
    return LabelFigures(**{name: known(value) for name, value in vars(scores).items()})


def _nodes(truth: NDArray[np.integer], given: NDArray[np.integer]) -> NodeFigures:
    sides = [_labels(label_scores(truth[i], given[i])) for i in (0, 1)]
    return NodeFigures(anchor=sides[0], target=sides[1], averaged=_mean_of(sides, LabelFigures))


def _score_side(truth: NDArray[np.floating], given: NDArray[np.floating]) -> ScoreSide:
    agreement = score_agreement(truth, given)
    there = ~np.isnan(given) & ~np.isnan(truth)
    error = _mean(np.abs(truth[there] - given[there]))
    return ScoreSide(srcc=known(agreement.srcc), plcc=known(agreement.plcc), mean_error=error)


def _mean_of(sides: list[P], kind: type[P]) -> P:
    names = kind.model_fields
    return kind(**{name: _mean_known([getattr(side, name) for side in sides]) for name in names})


def _mean_known(values: list[float | None] | tuple[float | None, ...]) -> float | None:
    """The mean, None where one of the values is not known."""
    there = [v for v in values if v is not None]
    return sum(there) / len(there) if len(there) == len(values) else None


def _mean(values: NDArray[np.floating] | NDArray[np.bool_]) -> float | None:
    return float(np.mean(values)) if values.size else None


def _both(truth: Truth, answers: Answers, what: str) -> list[NDArray[np.integer]]:
    return [getattr(truth, what).ravel(), getattr(answers, what).ravel()]


def _f1(truth: Truth, answers: Answers, what: str, vocabulary: Vocabulary) -> dict[str, float]:
    names = labels_of(vocabulary, what)
    return {names[k]: f1 for k, f1 in f1_by_label(*_both(truth, answers, what)).items()}


def _confusion(
    truth: Truth, answers: Answers, what: str, vocabulary: Vocabulary
) -> tuple[tuple[int, ...], ...]:
    true, given = _both(truth, answers, what)
    counts = confusion(true, given, len(labels_of(vocabulary, what)))
    return tuple(tuple(row) for row in counts.tolist())


def _sides(table: Truth | Answers, name: str) -> NDArray[Any]:
    return np.atleast_2d(getattr(table, name))


def _kappa(truth: Truth, answers: Answers, what: str, size: int) -> float | None:
    pairs = zip(_sides(truth, what), _sides(answers, what), strict=True)
    return _mean_known([known(quadratic_kappa(t, a, size)) for t, a in pairs])


def _calibration(truth: Truth, answers: Answers, what: str) -> float | None:
    true = _sides(truth, what)
    sure = np.where(true == MISSED, np.nan, _sides(answers, f"{what}_confidence"))
    sides = zip(true == _sides(answers, what), sure, strict=True)
    return _mean_known([known(calibration_error(right, p)) for right, p in sides])


def _seconds(seconds: list[float] | None) -> dict[str, float] | None:
    if not seconds:
        return None
    return {"median": float(np.median(seconds)), "mean": float(np.mean(seconds))}


def _several(truth: Truth, answers: Answers, vocabulary: Vocabulary) -> SeveralFigures | None:
    if truth.present is None:
        return None
    suffered, named = _by_node(truth.present), _by_node(answers.named(vocabulary))
    exact = (suffered == named).all(0) & (answers.distortion.ravel() != MISSED)
    two = suffered.sum(0) == 2
    by_label: dict[str, float] = {}
    if answers.present is not None:
        by_label = _average_precision(suffered, _by_node(answers.present), vocabulary)
    return SeveralFigures(
        nodes_with_two=int(two.sum()),
        exact_sets=_mean(exact),
        both_named=_mean((named | ~suffered).all(0)[two]),
        mean_average_precision=_mean(np.array(list(by_label.values()))),
        average_precision=by_label,
    )


def _by_node(columns: NDArray[Any]) -> NDArray[Any]:
    """(2, D, N) → (D, 2 N), the anchors' nodes first."""
    return columns.transpose(1, 0, 2).reshape(columns.shape[1], -1)


def _average_precision(
    suffered: NDArray[np.bool_], probability: NDArray[np.floating], vocabulary: Vocabulary
) -> dict[str, float]:
    """Of every distortion that occurs among the nodes whose probabilities are known."""
    known = ~np.isnan(probability).any(0)
    return {
        label: average_precision(true[known], p[known])
        for label, true, p in zip(vocabulary.distortions, suffered, probability, strict=True)
        if true[known].any()
    }
