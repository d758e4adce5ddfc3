"""Our metrics against scikit-learn's, SciPy's and hand-counted values."""

from __future__ import annotations

from dataclasses import astuple
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import pearsonr, spearmanr
from sklearn import metrics as sk

from distortion_graph.bench.metrics import (
    MISSED,
    average_precision,
    calibration_error,
    confusion,
    f1_by_label,
    label_scores,
    quadratic_kappa,
    score_agreement,
)

LABELS = 5


def labels(count, seed, *, missing):
    """True and given labels; not every label occurs."""
    rng = np.random.default_rng(seed)
    used = rng.permutation(LABELS)[: rng.integers(1, LABELS + 1)]
    truth, predicted = rng.choice(used, count), rng.choice(used, count)
    predicted[rng.random(count) < 0.4] = rng.integers(LABELS)
    predicted[rng.random(count) < missing] = MISSED
    return truth, predicted


CASES = given(st.integers(1, 60), st.integers(0, 10**6), st.sampled_from([0.0, 0.2, 1.0]))


def test_label_scores_by_hand():
    truth = np.array([0, 0, 1, 1, 2])
    predicted = np.array([0, 1, 1, 1, 3])
    scores = label_scores(truth, predicted)
    # Labels 0 … 3: precision 1, 2/3, 0, 0; recall 1/2, 1, 0, 0.
    assert scores.accuracy == 3 / 5
    assert scores.precision == pytest.approx((1 + 2 / 3) / 4)
    assert scores.recall == pytest.approx((1 / 2 + 1) / 4)
    assert scores.f1 == pytest.approx((2 / 3 + 4 / 5) / 4)
    assert f1_by_label(truth, predicted) == pytest.approx({0: 2 / 3, 1: 4 / 5, 2: 0, 3: 0})


def test_a_missing_answer_is_a_miss_of_its_label_and_no_label_of_its_own():
    truth, predicted = np.array([0, 0, 1]), np.array([0, MISSED, 1])
    scores = label_scores(truth, predicted)
    assert scores.accuracy == pytest.approx(2 / 3)
    assert (scores.precision, scores.recall) == (1, pytest.approx(3 / 4))  # type: ignore[comparison-overlap]
    assert f1_by_label(truth, predicted) == pytest.approx({0: 2 / 3, 1: 1})


@CASES
def test_label_scores_are_scikit_learns(count, seed, missing):
    truth, predicted = labels(count, seed, missing=missing)
    there = sorted((set(truth) | set(predicted)) - {MISSED})
    found = label_scores(truth, predicted)
    macro = sk.precision_recall_fscore_support(
        truth, predicted, labels=there, average="macro", zero_division=0
    )
    assert found.accuracy == pytest.approx(sk.accuracy_score(truth, predicted))
    assert (found.precision, found.recall, found.f1) == pytest.approx(macro[:3])
    each = sk.f1_score(truth, predicted, labels=there, average=None, zero_division=0)
    assert f1_by_label(truth, predicted) == pytest.approx(dict(zip(there, each, strict=True)))


@CASES
def test_confusion_is_scikit_learns(count, seed, missing):
    truth, predicted = labels(count, seed, missing=missing)
    theirs = sk.confusion_matrix(truth, predicted, labels=[*range(LABELS), MISSED])
    assert confusion(truth, predicted, LABELS).tolist() == theirs[:-1].tolist()


@CASES
def test_kappa_is_scikit_learns_over_the_answered(count, seed, missing):
    truth, predicted = labels(count, seed, missing=missing)
    answered = predicted != MISSED
    ours = quadratic_kappa(truth, predicted, LABELS)
    if not answered.any() or len(set(truth[answered]) | set(predicted[answered])) == 1:
        theirs = np.nan
    else:
        theirs = sk.cohen_kappa_score(
            truth[answered], predicted[answered], labels=range(LABELS), weights="quadratic"
        )
    assert ours == pytest.approx(theirs, nan_ok=True)


def test_calibration_error_by_hand():
    # Bins of 1/15: .05 alone; .97 and 1 together with accuracy 1/2; NaN is left out.
    correct = np.array([False, True, False, True])
    confidence = np.array([0.05, 0.97, 1.0, np.nan])
    expected = (0.05 + abs(1 - 1.97)) / 3
    assert calibration_error(correct, confidence) == pytest.approx(expected)
    # An edge belongs to the bin below it: 1/3 is in the fifth of 15 bins with .3.
    edge = calibration_error(np.array([True, False]), np.array([1 / 3, 0.3]))
    assert edge == pytest.approx(abs(1 - 1 / 3 - 0.3) / 2)
    assert calibration_error(np.array([True]), np.array([0.0])) == 1
    assert np.isnan(calibration_error(correct, np.full(4, np.nan)))


@given(st.integers(0, 10**6))
@settings(max_examples=20)
def test_calibration_error_is_the_mean_gap_of_a_calibration_curve(seed):
    rng = np.random.default_rng(seed)
    p = rng.random(200)
    correct = rng.random(200) < p
    edges = np.linspace(0, 1, 16)
    parts = [(p > low) & (p <= high) for low, high in pairwise(edges)]
    gaps = [abs(correct[i].mean() - p[i].mean()) * i.sum() for i in parts if i.any()]
    assert calibration_error(correct, p) == pytest.approx(sum(gaps) / 200)


def test_nothing_to_score_is_not_a_number_and_not_a_crash():
    none = np.array([], int)
    assert np.isnan(label_scores(none, none).accuracy)
    assert np.isnan(quadratic_kappa(none, none, LABELS))


@given(st.integers(3, 60), st.integers(0, 10**6), st.sampled_from([0.0, 0.3]))
def test_agreement_is_scipys(count, seed, missing):
    rng = np.random.default_rng(seed)
    x, y = rng.integers(0, 9, count) / 8, rng.integers(0, 9, count) / 8
    y[rng.random(count) < missing] = np.nan
    there = ~np.isnan(y)
    agreement = score_agreement(x, y)
    x, y = x[there], y[there]
    if not len(x) or np.ptp(x) == 0 or np.ptp(y) == 0:
        theirs = (np.nan, np.nan)
    else:
        theirs = (spearmanr(x, y).statistic, pearsonr(x, y).statistic)
    assert astuple(agreement) == pytest.approx(theirs, nan_ok=True)


@pytest.mark.parametrize(("x", "y"), [([0.1] * 3, [1, 2, 3]), ([1, 2, 3], [0.1] * 3), ([], [])])
def test_agreement_with_a_constant_or_nothing_is_not_a_number(x, y):
    # The mean of three tenths is not a tenth in floating point.
    found = score_agreement(np.array(x, float), np.array(y, float))
    assert np.isnan(found.srcc) and np.isnan(found.plcc)


def test_average_precision_by_hand():
    # Thresholds .9, .6, .3: 1 of 1, 2 of 4, 3 of 5 are right; recall rises by a third each time.
    truth = np.array([True, False, True, False, True])
    probability = np.array([0.9, 0.6, 0.6, 0.6, 0.3])
    expected = (1 + 2 / 4 + 3 / 5) / 3
    assert average_precision(truth, probability) == pytest.approx(expected)
    assert average_precision(truth, truth.astype(float)) == 1
    assert np.isnan(average_precision(~truth & truth, probability))


@given(st.integers(1, 60), st.integers(0, 10**6), st.integers(1, 20))
def test_average_precision_is_scikit_learns(count, seed, steps):
    rng = np.random.default_rng(seed)
    truth, probability = rng.random(count) < 0.3, rng.integers(0, steps + 1, count) / steps
    truth[rng.integers(count)] = True
    expected = sk.average_precision_score(truth, probability)
    assert average_precision(truth, probability) == pytest.approx(expected, abs=1e-12)
    order = rng.permutation(count)
    again = average_precision(truth[order], probability[order])
    assert again == average_precision(truth, probability)
