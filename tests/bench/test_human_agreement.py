"""Numbers beside opinions: correlations as SciPy has them, orders as counted by hand."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from optional import present
from scipy.optimize import curve_fit
from scipy.stats import kendalltau, pearsonr, spearmanr

from distortion_graph.bench.human.agreement import (
    VersionOrders,
    agreement,
    logistic,
    srcc_gain,
)


def said(seed=0, contents=8, each=10, noise=0.1):
    """Numbers, opinions and contents of pairs; some numbers and opinions are equal."""
    rng = np.random.default_rng(seed)
    opinion = np.round(rng.uniform(0, 1, contents * each), 1)
    given = np.round(opinion**2 + rng.normal(0, noise, len(opinion)), 1)
    return given, opinion, np.repeat([f"c{k}" for k in range(contents)], each)


@pytest.mark.parametrize("seed", range(3))
def test_rank_correlations_are_those_of_scipy(seed):
    given, opinion, content = said(seed)
    found = agreement(given, opinion, content)
    assert found.srcc == pytest.approx(spearmanr(given, opinion).statistic)
    assert found.krcc == pytest.approx(kendalltau(given, opinion).statistic)
    assert found.plcc == pytest.approx(pearsonr(logistic(given, opinion), opinion).statistic)
    for value, interval in (
        (found.srcc, found.srcc_interval),
        (found.accuracy, found.accuracy_interval),
    ):
        low, high = present(interval)
        assert low < present(value) < high


def five_parameters(x, b1, b2, b3, b4, b5):
    return b1 * (0.5 - 1 / (1 + np.exp(b2 * (x - b3)))) + b4 * x + b5


@pytest.mark.parametrize("seed", range(5))
def test_the_logistic_fits_as_well_as_one_that_knows_where_to_begin(seed):
    rng = np.random.default_rng(seed)
    true = (0.8, 12.0, 0.6, 0.1, 0.4)
    given = rng.uniform(0.2, 1, 200)
    opinion = five_parameters(given, *true) + rng.normal(0, 0.02, 200)
    best, _ = curve_fit(five_parameters, given, opinion, p0=true)
    least = np.sum((five_parameters(given, *best) - opinion) ** 2)
    assert np.sum((logistic(given, opinion) - opinion) ** 2) == pytest.approx(least, rel=1e-4)


def test_the_logistic_straightens_and_does_not_mind_the_scale():
    rng = np.random.default_rng(2)
    given = rng.uniform(-3, 3, 200)
    opinion = 1 / (1 + np.exp(-2 * given))
    plain = np.corrcoef(given, opinion)[0, 1]
    found = agreement(given, opinion, np.repeat(["a", "b"], 100))
    assert plain < 0.97 and found.plcc == pytest.approx(1, abs=1e-6)
    assert np.allclose(logistic(1000 * given + 7, opinion), logistic(given, opinion), atol=1e-6)


def test_what_cannot_be_fitted_stays_as_it_is():
    constant, few = np.full(9, 0.5), np.array([0.1, 0.4, 0.2])
    assert np.array_equal(logistic(constant, np.arange(9.0)), constant)
    assert np.array_equal(logistic(few, np.arange(3.0)), few)


@pytest.mark.parametrize("seed", range(3))
def test_the_better_of_two_is_counted_within_contents_alone(seed):
    given, opinion, content = said(seed)
    right = judged = 0.0
    for i, j in combinations(range(len(given)), 2):
        if content[i] == content[j] and opinion[i] != opinion[j]:
            judged += 1
            order = (given[i] - given[j]) * (opinion[i] - opinion[j])
            right += 1 if order > 0 else 0.5 if order == 0 else 0
    assert agreement(given, opinion, content).accuracy == pytest.approx(right / judged)


def test_a_number_that_ranks_contents_alone_finds_no_better_version():
    opinion = np.concatenate([np.linspace(0, 0.2, 6), np.linspace(0.8, 1, 6)])
    content = np.repeat(["dark", "bright"], 6)
    found = agreement((content == "bright").astype(float), opinion, content)
    assert present(found.srcc) > 0.8 and found.accuracy == 0.5


def test_turning_a_number_round_turns_its_figures_round():
    given, opinion, content = said()
    found, turned = agreement(given, opinion, content), agreement(-given, opinion, content)
    assert turned.srcc == pytest.approx(-present(found.srcc))
    assert turned.accuracy == pytest.approx(1 - present(found.accuracy))


def test_a_content_drawn_twice_counts_twice():
    given, opinion, content = said(contents=3)
    groups = np.unique(content, return_inverse=True)[1]
    orders = VersionOrders.of(given, opinion, groups, 3)
    twice = np.concatenate([np.flatnonzero(groups == k) for k in (0, 0, 2)])
    again = VersionOrders.of(given[twice], opinion[twice], np.repeat([0, 1, 2], 10), 3)
    assert orders.under(np.array([[2.0, 0, 1]])) == pytest.approx(again.under(np.ones((1, 3))))


def test_numbers_that_were_not_given_are_left_out():
    given, opinion, content = said()
    holes = given.copy()
    holes[::3] = np.nan
    there = ~np.isnan(holes)
    assert agreement(holes, opinion, content) == agreement(
        given[there], opinion[there], content[there]
    )
    nothing = agreement(np.full(80, np.nan), opinion, content)
    assert set(nothing.model_dump().values()) == {None}


def test_a_constant_has_no_correlation_and_guesses_every_order():
    _, opinion, content = said()
    found = agreement(np.ones(80), opinion, content)
    assert (found.srcc, found.krcc, found.plcc, found.accuracy) == (None, None, None, 0.5)


def test_one_content_has_no_interval():
    given, opinion, content = said(contents=1)
    found = agreement(given, opinion, content)
    assert found.srcc is not None and found.srcc_interval is None
    assert found.accuracy_interval is None


def test_a_better_number_has_a_gain_above_zero_and_the_same_one_none():
    given, opinion, content = said(noise=0.3)
    low, high = present(srcc_gain(given, opinion, opinion, content))
    assert 0 < low < high
    assert srcc_gain(given, given, opinion, content) == (0, 0)
