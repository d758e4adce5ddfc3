"""How sure comparisons are that follow from scores: normal masses, mirrored to the bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY, fine_scale
from distortion_graph.predict.comparing import (
    comparisons_by_margin,
    implied_spreads,
    margin_masses,
)

FINE = fine_scale(DEFAULT_VOCABULARY)
SCALES = st.sampled_from([DEFAULT_VOCABULARY, FINE])


def masses(margin, spread, vocabulary=DEFAULT_VOCABULARY):
    return margin_masses(np.array([margin]), np.array([spread]), vocabulary)[0]


@pytest.mark.parametrize("margin", [-0.42, -0.1, 0.0, 0.004, 0.12, 0.3])
@pytest.mark.parametrize("spread", [0.0053, 0.05, 0.4])
def test_masses_are_those_of_scipys_normal_distribution(margin, spread):
    edges = np.array([-np.inf, -0.3, -0.1, 0.1, 0.3, np.inf])
    expected = np.diff(norm.cdf(edges, loc=margin, scale=spread))
    assert masses(margin, spread) == pytest.approx(expected, abs=1e-12)


def test_a_certain_margin_is_one_comparison_as_the_thresholds_say():
    assert masses(0.1, 0.0).tolist() == [0, 0, 0, 1, 0]
    assert masses(-0.3, 0.0).tolist() == [1, 0, 0, 0, 0]
    assert masses(0.0999, 0.0).tolist() == [0, 0, 1, 0, 0]
    assert masses(-0.033, 0.0, FINE).tolist() == [0, 1, 0, 0, 0, 0, 0]


@given(st.floats(-1, 1), st.floats(0, 1), SCALES)
def test_the_other_way_round_is_the_mirror_to_the_bit(margin, spread, vocabulary):
    forth, back = masses(margin, spread, vocabulary), masses(0.0 - margin, spread, vocabulary)
    assert forth.tolist() == back[::-1].tolist()
    assert forth.sum() == pytest.approx(1) and (forth >= 0).all()


@given(st.floats(0, 1), st.floats(0, 1))
def test_labels_are_those_of_the_vocabulary(anchor, target):
    [place] = comparisons_by_margin(np.array([[anchor], [target]]), FINE)
    assert FINE.comparisons[place] == FINE.compare_scores(anchor, target)


@pytest.mark.parametrize("margin", [0.0, 0.02, -0.15, 0.35])
@pytest.mark.parametrize("spread", [0.03, 0.08, 0.2])
def test_the_spread_that_a_model_means_is_found_again(margin, spread):
    said = masses(margin, spread)[None]
    [found] = implied_spreads(np.array([margin]), said, DEFAULT_VOCABULARY)
    assert found == pytest.approx(spread, rel=0.03)
    [mirrored] = implied_spreads(np.array([-margin]), said[:, ::-1], DEFAULT_VOCABULARY)
    assert mirrored == found


def test_what_is_equal_for_certain_has_no_spread():
    certain = np.array([[0, 0, 1.0, 0, 0], [0, 0, 1.0, 0, 0]])
    found = implied_spreads(np.array([0.0, 0.02]), certain, DEFAULT_VOCABULARY)
    assert found[0] == 0 and found[1] > 0
