"""Bradley-Terry: published estimates, what a fit promises, and when there is none."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import t

from distortion_graph.ranking.strengths import SUREST, Strengths, bradley_terry, shares_as_wins

# Wins of the row over the column in 13 games each, American League East 1987: A. Agresti,
# Categorical Data Analysis. Milwaukee, Detroit, Toronto, New York, Boston, Cleveland, Baltimore.
BASEBALL = np.array(
    [
        [0, 7, 9, 7, 7, 9, 11],
        [6, 0, 7, 5, 11, 9, 9],
        [4, 6, 0, 7, 7, 8, 12],
        [6, 8, 6, 0, 6, 7, 10],
        [6, 2, 6, 7, 0, 7, 12],
        [4, 4, 5, 6, 6, 0, 6],
        [2, 4, 1, 3, 1, 7, 0],
    ],
    np.float64,
)
# As R's package BradleyTerry2 fits them, against Baltimore: estimates and standard errors.
ESTIMATES = [1.5814, 1.4364, 1.2945, 1.2476, 1.1077, 0.6839, 0.0]
ERRORS = [0.3433, 0.3396, 0.3367, 0.3359, 0.3339, 0.3319]
DEVIANCE = 15.737


def test_published_estimates_and_standard_errors_come_out():
    fit = bradley_terry(BASEBALL)
    assert fit.strength - fit.strength[6] == pytest.approx(ESTIMATES, abs=6e-5)
    c = fit.covariance
    against = [np.sqrt(c[k, k] + c[6, 6] - 2 * c[k, 6]) for k in range(6)]
    assert against == pytest.approx(ERRORS, abs=6e-5)
    upper = np.triu_indices(7, 1)
    y = BASEBALL[upper] / 13
    p = np.array([fit.probability(int(i), int(j)) for i, j in zip(*upper, strict=True)])
    deviance = 2 * 13 * np.sum(y * np.log(y / p) + (1 - y) * np.log((1 - y) / (1 - p)))
    assert deviance == pytest.approx(DEVIANCE, abs=6e-4)
    assert fit.freedom == 15
    assert fit.dispersion == pytest.approx(np.sum(13 * (y - p) ** 2 / (p * (1 - p))) / 15)


@pytest.mark.parametrize("freedom", [1, 2, 3, 6, 10, 15, 171, 4851])
def test_intervals_are_as_wide_as_students_t(freedom):
    fit = Strengths(np.zeros(2), np.eye(2), 0.01, freedom)
    low, high = fit.interval(0) or (0, 0)
    for end, share in ((low, 0.025), (high, 0.975)):
        reach = np.log(end / (1 - end)) / 0.1
        assert t.cdf(reach, freedom) == pytest.approx(share, abs=1e-12)


def test_two_candidates_have_the_odds_that_were_seen_and_no_interval():
    fit = bradley_terry(np.array([[0, 3], [1, 0]], np.float64))
    assert fit.probability(0, 1) == pytest.approx(0.75)
    assert fit.share(0) == pytest.approx(0.75) and fit.share(1) == pytest.approx(0.25)
    assert fit.dispersion is None and fit.interval(0) is None


def test_comparisons_that_one_scale_explains_leave_no_interval_open():
    strength = np.array([1.0, 0.2, -0.4, -0.8])
    shares = 1 / (1 + np.exp(strength[None] - strength[:, None]))
    fit = bradley_terry(shares_as_wins(shares))
    assert fit.strength == pytest.approx(strength)
    low, high = fit.interval(0) or (0, 1)
    assert low == pytest.approx(high, abs=1e-6) and low == pytest.approx(fit.share(0), abs=1e-6)


def test_the_more_comparisons_contradict_each_other_the_wider_the_interval():
    shares = np.array([[0.5, 0.8, 0.3], [0.2, 0.5, 0.8], [0.7, 0.2, 0.5]])  # a circle
    milder = 0.5 + (shares - 0.5) / 2
    widths = []
    for table in (shares, milder):
        low, high = bradley_terry(shares_as_wins(table)).interval(1) or (0, 0)
        widths.append(high - low)
    assert widths[0] > widths[1] > 0


@given(arrays(np.float64, (5, 5), elements=st.floats(0, 1)), st.permutations(range(5)))
def test_a_permutation_permutes_the_strengths_and_turning_round_negates_them(shares, order):
    shares = np.triu(shares, 1) + np.tril(1 - shares.T, -1)
    wins = shares_as_wins(shares)
    fit = bradley_terry(wins)
    assert fit.strength.sum() == pytest.approx(0, abs=1e-9)
    moved = bradley_terry(wins[np.ix_(order, order)])
    assert moved.strength == pytest.approx(fit.strength[list(order)], abs=1e-6)
    assert bradley_terry(wins.T).strength == pytest.approx(-fit.strength, abs=1e-6)
    # What was expected is what was seen: the likelihood is at its top.
    expected = [sum(fit.probability(i, j) for j in range(5) if j != i) for i in range(5)]
    assert expected == pytest.approx(wins.sum(1) - np.diag(wins), abs=1e-5)


def test_certain_preferences_stay_finite_and_missing_ones_count_for_nothing():
    shares = np.full((3, 3), np.nan)
    shares[0, 1], shares[1, 0] = 1, 0
    shares[1, 2], shares[2, 1] = 0.5, 0.5
    wins = shares_as_wins(shares)
    assert (wins[0, 1], wins[1, 0], wins[0, 2]) == (1 - SUREST, SUREST, 0)
    fit = bradley_terry(wins)
    assert fit.probability(0, 1) == pytest.approx(1 - SUREST)
    assert fit.probability(1, 2) == pytest.approx(0.5)
    assert fit.interval(0) is None  # two comparisons are just what three strengths need


def test_wins_without_a_way_from_each_to_each_are_refused():
    for wins in ([[0, 1], [0, 0]], [[0, 1, 0], [1, 0, 0], [0, 0, 0]]):
        with pytest.raises(ValueError, match="never preferred to any of the others, expected a wa"):
            bradley_terry(np.array(wins, np.float64))
