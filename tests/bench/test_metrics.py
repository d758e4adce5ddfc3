"""Our metrics against SciPy's and hand-counted values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import pearsonr, spearmanr

from distortion_graph.bench.metrics import (
    bootstrap_interval,
    f1_by_label,
    label_scores,
    score_agreement,
)


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


def test_nothing_to_score_is_not_a_number_and_not_a_crash():
    assert np.isnan(label_scores(np.array([], int), np.array([], int)).accuracy)


@given(st.integers(3, 60), st.integers(0, 10**6))
@settings(max_examples=40, deadline=None)
def test_agreement_is_scipys(count, seed):
    rng = np.random.default_rng(seed)
    x, y = rng.integers(0, 9, count) / 8, rng.integers(0, 9, count) / 8
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        assert np.isnan(score_agreement(x, y).srcc)
        return
    found = score_agreement(x, y)
    assert found.srcc == pytest.approx(spearmanr(x, y).statistic)
    assert found.plcc == pytest.approx(pearsonr(x, y).statistic)


@pytest.mark.parametrize(("x", "y"), [([0.1] * 3, [1, 2, 3]), ([1, 2, 3], [0.1] * 3), ([], [])])
def test_agreement_with_a_constant_or_nothing_is_not_a_number(x, y):
    # The mean of three tenths is not a tenth in floating point.
    found = score_agreement(np.array(x, float), np.array(y, float))
    assert np.isnan(found.srcc) and np.isnan(found.plcc)


def test_bootstrap_covers_the_mean_and_shrinks_with_more_groups():
    rng = np.random.default_rng(0)
    widths = []
    for groups in (20, 500):
        hits = rng.binomial(10, 0.7, groups).astype(float)
        low, high = bootstrap_interval(hits, np.full(groups, 10))
        assert low < hits.sum() / (10 * groups) < high
        widths.append(high - low)
    assert widths[1] < widths[0] / 3
