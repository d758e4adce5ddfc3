"""Figures of what people judged: what nobody said counts nowhere."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY as V
from distortion_graph.bench.answers import Answers, Truth
from distortion_graph.bench.baselines import BASELINES
from distortion_graph.bench.figures import figures_of
from distortion_graph.bench.metrics import MISSED
from distortion_graph.bench.results import TruthColumns
from distortion_graph.datasets.layout import PairKey

KEYS = tuple(PairKey("mixed", "mixed2", f"{k}.png") for k in range(4))


def truth_of(rng, n=40):
    pair = np.arange(n) % 4
    return Truth(
        KEYS,
        pair,
        np.arange(n),
        rng.integers(0, 15, (2, n)),
        rng.integers(0, 4, (2, n)),
        rng.integers(0, 5, n),
        rng.random((2, n)),
    )


def answers_of(rng, n=40):
    answers = Answers.none(n)
    return replace(
        answers,
        distortion=rng.integers(0, 15, (2, n)),
        severity=rng.integers(0, 4, (2, n)),
        comparison=rng.integers(0, 5, n),
        score=rng.random((2, n)),
        distortion_confidence=rng.random((2, n)),
        severity_confidence=rng.random((2, n)),
        comparison_confidence=rng.random(n),
    )


def test_regions_of_which_nothing_is_said_change_no_figure():
    rng = np.random.default_rng(0)
    truth, answers = truth_of(rng), answers_of(rng)
    silent = np.arange(40) % 5 == 2
    unsaid = replace(
        truth,
        distortion=np.where(silent, MISSED, truth.distortion),
        severity=np.where(silent, MISSED, truth.severity),
        comparison=np.where(silent, MISSED, truth.comparison),
        score=np.where(silent, np.nan, truth.score),
    )
    found = figures_of(unsaid, answers, V, draws=50)
    wanted = figures_of(truth.take(~silent), answers.take(~silent), V, draws=50)
    whole = {"regions", "coverage", "score_coverage"}
    assert found.model_dump(exclude=whole) == wanted.model_dump(exclude=whole)
    assert found.regions == 40 and wanted.regions == 32


def test_without_scores_the_mean_is_of_the_other_three():
    rng = np.random.default_rng(1)
    truth, answers = truth_of(rng), answers_of(rng)
    unscored = replace(truth, score=np.full((2, 40), np.nan))
    found = figures_of(unscored, answers, V, draws=0)
    accuracies = [
        found.distortion.averaged.accuracy,
        found.severity.averaged.accuracy,
        found.comparison.accuracy,
    ]
    assert found.mean == pytest.approx(np.mean(np.array(accuracies, float)))
    assert found.score.averaged.srcc is None
    for baseline in BASELINES.values():
        figures_of(unscored, baseline(unscored, V, 0), V, draws=10)


def test_a_result_file_keeps_what_is_not_said():
    rng = np.random.default_rng(2)
    truth = truth_of(rng)
    truth.comparison[3], truth.distortion[1, 2], truth.score[0, 5] = MISSED, MISSED, np.nan
    columns = TruthColumns.of(truth)
    assert columns.comparison[3] is None and columns.score[0][5] is None
    back = TruthColumns.model_validate_json(columns.model_dump_json()).table(KEYS)
    for name in ("distortion", "severity", "comparison", "score"):
        assert np.array_equal(getattr(back, name), getattr(truth, name), equal_nan=name == "score")
