"""Maps from score to opinion: isotonic, one scale for all distortions, fitted on other contents."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given as cases
from hypothesis import strategies as st
from optional import present
from scipy.stats import spearmanr

from distortion_graph.base.errors import DatasetError
from distortion_graph.bench.human.fitting import (
    MOST_KNOTS,
    expected_opinions,
    fit_maps,
    fit_opinions,
    left_out_opinions,
    monotone_points,
)
from distortion_graph.bench.human.measuring import Judged, Numbers
from distortion_graph.bench.human.opinions import OpinionPair
from distortion_graph.predict.opinion import OpinionMaps


def judged(seed=0, contents=6, each=16) -> Judged:
    """Two labels whose scores lie .4 apart at one opinion."""
    rng = np.random.default_rng(seed)
    count = contents * each
    opinion = rng.uniform(0, 1, count)
    label = np.where(rng.random(count) < 0.5, "blur", "noise")
    score = np.where(label == "blur", 0.4, 0) + opinion / 2
    content = [f"c{k}" for k in np.repeat(np.arange(contents), each)]
    pairs = tuple(
        OpinionPair(Path(f"{c}.png"), Path(f"{c}_{k}.png"), float(o), str(name), c)
        for k, (c, o, name) in enumerate(zip(content, opinion, label, strict=True))
    )
    return Judged(pairs, {"score": score}, tuple({str(name): 1.0} for name in label))


def relabelled(found: Judged, place: int, shares: dict[str, float]) -> Judged:
    return replace(found, shares=(*found.shares[:place], shares, *found.shares[place + 1 :]))


def test_steps_are_those_of_isotonic_regression():
    sklearn = pytest.importorskip("sklearn.isotonic", reason="needs the dev extra")
    rng = np.random.default_rng(1)
    x = np.sort(rng.integers(0, 10**6, 60)) / 10**6
    weight = rng.uniform(0.1, 2, 60)
    y: Numbers = np.clip(x**2 + rng.normal(0, 0.2, 60), 0, 1)
    steps = sklearn.IsotonicRegression().fit_transform(x, y, sample_weight=weight)
    points = monotone_points(x, y, weight, most=60)
    expected = [
        (np.average(x[steps == height], weights=weight[steps == height]), height)
        for height in np.unique(steps)
    ]
    assert np.allclose(points, expected, atol=1e-6)


def test_equal_scores_get_their_mean_opinion():
    points = monotone_points(
        np.array([0.1, 0.1, 0.9]), np.array([0.2, 0.4, 0.8]), np.array([1.0, 3.0, 1.0])
    )
    assert points == ((0.1, 0.35), (0.9, 0.8))


def test_opinions_that_fall_with_the_score_make_one_level():
    points = monotone_points(np.array([0.2, 0.5, 0.8]), np.array([0.9, 0.5, 0.1]), np.ones(3))
    assert points == ((0.5, 0.5),)


@cases(
    st.lists(st.tuples(*[st.floats(0, 1)] * 2, st.floats(0.01, 9)), min_size=1, max_size=40),
    st.integers(1, 12),
)
def test_points_rise_within_bounds_and_keep_the_mean(rows, most):
    score, opinion, weight = np.array(rows).T
    points = np.array(monotone_points(score, opinion, weight, most))
    assert 1 <= len(points) <= most
    assert (np.diff(points[:, 0]) > 0).all() and (np.diff(points[:, 1]) >= 0).all()
    assert points.min() >= 0 and points.max() <= 1
    if most == 1:
        assert points[0, 1] == pytest.approx(np.average(opinion, weights=weight), abs=1e-6)


def test_the_neighbours_that_differ_least_are_joined_first():
    score = np.linspace(0.1, 0.9, 5)
    points = monotone_points(score, np.array([0.0, 0.5, 0.51, 0.9, 1.0]), np.ones(5), most=4)
    assert points == ((0.1, 0.0), (0.4, 0.505), (0.7, 0.9), (0.9, 1.0))


def test_maps_bring_distortions_to_one_scale():
    found = judged()
    plain = spearmanr(found.given["score"], found.opinion).statistic
    mapped = left_out_opinions(found)
    assert plain < 0.7 < 0.95 < spearmanr(mapped, found.opinion).statistic
    assert np.abs(mapped - found.opinion).mean() < 0.06
    assert len(fit_maps(found).common) <= MOST_KNOTS


def test_a_content_has_no_part_in_its_own_maps():
    found = judged()
    own = found.content == "c2"
    turned = tuple(
        pair._replace(opinion=1 - pair.opinion) if mine else pair
        for pair, mine in zip(found.pairs, own, strict=True)
    )
    before, after = left_out_opinions(found), left_out_opinions(replace(found, pairs=turned))
    assert np.array_equal(before[own], after[own])
    assert not np.array_equal(before[~own], after[~own])


def test_the_order_of_the_pairs_does_not_matter():
    found = judged()
    order = np.random.default_rng(3).permutation(len(found.pairs))
    shuffled = Judged(
        tuple(found.pairs[k] for k in order),
        {"score": found.given["score"][order]},
        tuple(found.shares[k] for k in order),
    )
    assert np.allclose(left_out_opinions(shuffled), left_out_opinions(found)[order], atol=1e-6)


def test_a_distortion_that_one_pair_shows_gets_nearly_the_common_map():
    found = relabelled(judged(each=60), 0, {"rain": 1.0})
    maps = fit_maps(found)
    assert set(maps.by_distortion) == {"blur", "noise", "rain"}

    def apart(label: str) -> float:
        at = np.linspace(0.1, 0.9, 33)
        return float(np.mean([abs(maps.opinion(x, label) - maps.opinion(x)) for x in at]))

    assert apart("rain") < 0.1 < apart("noise")


def test_a_picture_of_several_distortions_has_their_opinions_by_area():
    maps = OpinionMaps(common=((0.0, 0.8), (1.0, 0.8)), by_distortion={"blur": ((0.5, 0.2),)})
    score = np.array([0.3] * 4)
    shares: list[dict[str, float]] = [
        {"blur": 1.0},
        {"blur": 0.5, "noise": 0.5},
        {"blur": 0.25},
        {},
    ]
    assert expected_opinions(maps, score, shares) == pytest.approx([0.2, 0.5, 0.65, 0.8])


def test_a_fit_says_what_it_gains_on_other_contents():
    fit = fit_opinions(judged())
    assert (fit.pairs, fit.contents) == (96, 6)
    before, after = present(fit.before.srcc), present(fit.after.srcc)
    assert before < 0.7 < 0.95 < after
    low, high = present(fit.srcc_gain)
    assert 0 < low <= after - before <= high
    assert OpinionMaps.model_validate_json(fit.maps.model_dump_json()) == fit.maps


def test_no_pair_is_refused():
    with pytest.raises(DatasetError, match="no pair to fit a map to"):
        fit_maps(Judged((), {"score": np.zeros(0)}, ()))
