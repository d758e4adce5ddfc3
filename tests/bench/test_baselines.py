from __future__ import annotations

from dataclasses import replace
from itertools import combinations_with_replacement

import numpy as np
import pytest
from bench_tables import SIZES, made_truth
from optional import present

from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY as WORDS
from distortion_graph.bench.baselines import (
    BASELINES,
    best_steps,
    majority_answers,
    metric_oracle,
    random_answers,
)
from distortion_graph.bench.figures import figures_of


@pytest.mark.parametrize("seed", range(12))
def test_best_steps_are_the_best_of_all_thresholds(seed):
    rng = np.random.default_rng(seed)
    score = rng.integers(0, 7, 30) / 6
    severity = np.clip(((1 - score) * 4 + rng.normal(0, 1, 30)).astype(int), 0, 3)
    given = best_steps(score, severity, 4)
    # Every way to place three thresholds between the seven values, one on top of another too.
    edges = np.append(np.unique(score), 2.0)
    right = [
        sum(int((sum(s < e for e in cut)) == y) for s, y in zip(score, severity, strict=True))
        for cut in combinations_with_replacement(edges, 3)
    ]
    assert np.sum(given == severity) == max(right)
    order = np.argsort(-score, kind="stable")
    assert (np.diff(given[order]) >= 0).all()
    assert all(len(set(given[score == s])) == 1 for s in score)


def test_random_is_uniform_and_a_regions_own():
    truth = made_truth(pictures=120, regions=10)
    answers = random_answers(truth, WORDS, 0)
    figures = figures_of(truth, answers, WORDS, draws=0)
    assert figures.distortion.averaged.accuracy == pytest.approx(1 / 15, abs=0.015)
    assert figures.severity.averaged.accuracy == pytest.approx(1 / 4, abs=0.02)
    assert figures.comparison.accuracy == pytest.approx(1 / 5, abs=0.02)
    assert abs(present(figures.score.averaged.srcc)) < 0.05
    # Says how unsure it is, so it is calibrated.
    assert max(map(present, figures.calibration.values())) < 0.03
    # The same region of the same pair gets the same answer, whoever stands beside it.
    half = truth.take(truth.region % 2 == 0)
    again = random_answers(half, WORDS, 0)
    assert np.array_equal(again.distortion, answers.distortion[:, truth.region % 2 == 0])
    assert not np.array_equal(random_answers(truth, WORDS, 1).score, answers.score)


def test_majority_gives_the_commonest_label_of_both_pictures():
    truth = made_truth()
    truth.distortion[0, :20], truth.distortion[1, :20] = 3, 3
    answers = majority_answers(truth, WORDS, 0)
    assert set(answers.distortion.ravel()) == {3}
    for name in SIZES:
        column = getattr(truth, name).ravel()
        share = max(np.mean(column == label) for label in column)
        assert np.mean(getattr(answers, name).ravel() == column) == share
    assert set(answers.score.ravel()) == {truth.score.mean()}
    figures = figures_of(truth, answers, WORDS)
    assert figures.score.averaged.srcc is None and figures.intervals["score.srcc"] is None
    assert figures.mean is None
    assert figures.calibration == dict.fromkeys(SIZES)


def test_the_metric_oracle_knows_all_that_scores_tell_and_no_more():
    truth = made_truth(pictures=10)
    clean = truth.score == 1
    truth.distortion[clean], truth.severity[clean] = WORDS.clean_index, 0
    truth.distortion[~clean] = np.maximum(truth.distortion[~clean], 1)
    answers = metric_oracle(truth, WORDS, 0)
    figures = figures_of(truth, answers, WORDS, draws=0)
    assert figures.comparison.accuracy == 1
    assert figures.score.averaged.srcc == pytest.approx(1)
    assert figures.score.averaged.mean_error == 0
    assert (answers.distortion[clean] == WORDS.clean_index).all()
    flawed = truth.distortion[~clean]
    best = max(np.mean(flawed == label) for label in flawed)
    assert np.mean(answers.distortion[~clean] == flawed) == best
    majority = figures_of(truth, majority_answers(truth, WORDS, 0), WORDS, draws=0)
    assert present(figures.severity.averaged.accuracy) >= present(
        majority.severity.averaged.accuracy
    )


@pytest.mark.parametrize("name", BASELINES)
def test_no_region_is_no_crash(name):
    truth = replace(made_truth(), keys=())
    none = truth.take(np.zeros(len(truth), bool))
    assert len(BASELINES[name](none, WORDS, 0)) == 0
