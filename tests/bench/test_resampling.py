"""Weights are copies: figures under weights are the figures of a data set written out."""

from __future__ import annotations

import numpy as np
import pytest
from bench_tables import made_answers, made_truth
from optional import present

from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY as WORDS
from distortion_graph.bench.answers import Answers, Truth
from distortion_graph.bench.figures import figures_of
from distortion_graph.bench.resampling import (
    FIGURES,
    WeightedFigures,
    bootstrap_intervals,
    bootstrap_weights,
)
from distortion_graph.bench.significance import differences, holm, p_value


def values(truth, answers):
    figures = figures_of(truth, answers, WORDS, draws=0)
    return {name: figures.value(name) for name in FIGURES}


COLUMNS = [name for name, column in vars(Answers.none(0)).items() if column is not None]


def rows_of(truth, answers, rows):
    """The same regions again and again, in any order."""
    columns = ("region", "distortion", "severity", "comparison", "score")
    picked = Truth(truth.keys, truth.pair[rows], *(getattr(truth, c)[..., rows] for c in columns))
    return picked, answers.take(rows)


def test_ones_give_the_figures_themselves():
    truth = made_truth()
    answers = made_answers(truth)
    under = WeightedFigures.of(truth, answers, WORDS).under(np.ones((1, 6)))
    assert {name: under[name][0] for name in FIGURES} == pytest.approx(values(truth, answers))


@pytest.mark.parametrize("seed", range(8))
def test_whole_weights_are_copies_of_pictures(seed):
    truth = made_truth(seed)
    answers = made_answers(truth, seed, missing=0.3)
    weights = np.random.default_rng(seed).integers(0, 4, 6)
    weights[seed % 6] = 2
    rows = np.repeat(np.arange(len(truth)), weights[truth.picture])
    under = WeightedFigures.of(truth, answers, WORDS).under(weights[None].astype(float))
    expected = values(*rows_of(truth, answers, rows))
    assert {name: under[name][0] for name in FIGURES} == pytest.approx(expected)


def test_a_constant_score_has_no_correlation_and_no_interval():
    truth = made_truth()
    answers = made_answers(truth)
    answers.score[:] = 0.1
    found = bootstrap_intervals(WeightedFigures.of(truth, answers, WORDS), draws=20)
    assert found["score.srcc"] is None and found["score.plcc"] is None
    assert found["severity.accuracy"] is not None


def test_a_draw_of_pictures_with_one_score_has_no_correlation():
    truth = made_truth()
    answers = made_answers(truth, missing=0)
    answers.score[:, truth.picture == 2] = 0.1
    weights = np.eye(6)[[2, 3]] * 3
    under = WeightedFigures.of(truth, answers, WORDS).under(weights)
    for name in ("score.srcc", "score.plcc"):
        assert np.isnan(under[name]).tolist() == [True, False]


def test_nothing_has_a_score():
    truth = made_truth()
    answers = made_answers(truth)
    answers.score[:] = np.nan
    under = WeightedFigures.of(truth, answers, WORDS).under(np.ones((2, 6)))
    assert np.isnan([under["score.srcc"], under["score.plcc"]]).all()


def test_one_picture_has_no_interval():
    truth = made_truth(pictures=1)
    found = bootstrap_intervals(WeightedFigures.of(truth, made_answers(truth), WORDS))
    assert found == dict.fromkeys(FIGURES)


def test_bootstrap_covers_the_figure_and_shrinks_with_more_pictures():
    widths = []
    for pictures in (10, 160):
        truth = made_truth(pictures=pictures)
        answers = made_answers(truth)
        intervals = bootstrap_intervals(WeightedFigures.of(truth, answers, WORDS), draws=300)
        # F1 of few regions is biased, as any non-linear figure is; the others are covered.
        for name in ("distortion.accuracy", "comparison.accuracy", "score.srcc", "score.plcc"):
            low, high = present(intervals[name])
            assert low < values(truth, answers)[name] < high
        low, high = present(intervals["severity.accuracy"])
        widths.append(high - low)
    assert widths[1] < widths[0] / 2.5


def test_draws_are_seeded_and_the_same_in_any_number_of_blocks():
    whole = np.concatenate(list(bootstrap_weights(7, seed=3, draws=50)))
    blocks = list(bootstrap_weights(7, seed=3, draws=50, largest_block=7 * 8))
    assert len(blocks) == 7 and np.array_equal(np.concatenate(blocks), whole)
    assert (whole.sum(1) == 7).all() and whole.shape == (50, 7)
    other = np.concatenate(list(bootstrap_weights(7, seed=4, draws=50)))
    assert not np.array_equal(whole, other)


def test_a_run_against_itself_does_not_differ():
    truth = made_truth()
    answers = made_answers(truth)
    rows = differences(truth, answers, answers, WORDS, draws=30, permutations=30)
    assert rows
    for row in rows:
        assert (row.difference, row.interval, row.p) == (0, (0, 0), 1)


def test_a_better_run_is_found_and_the_sign_follows_the_order():
    truth = made_truth(pictures=40)
    bad, good = made_answers(truth, 1, right=0.3), made_answers(truth, 2, right=0.8)
    forth = {r.figure: r for r in differences(truth, bad, good, WORDS, permutations=400)}
    back = {r.figure: r for r in differences(truth, good, bad, WORDS, permutations=400)}
    for name in ("distortion.accuracy", "severity.accuracy", "comparison.accuracy"):
        low, high = present(forth[name].interval)
        assert 0.2 < low < present(forth[name].difference) < high
        assert forth[name].p == pytest.approx(1 / 401)
        assert back[name].difference == -present(forth[name].difference)
        assert back[name].interval == pytest.approx((-high, -low))
    # The scores were made alike.
    assert present(forth["score.srcc"].p) > 0.01


def test_flips_of_a_mixture_are_the_exact_test_of_few_pictures():
    """All 2^4 exchanges by hand, weighed by drawing them many times."""
    truth = made_truth(5, pictures=4)
    first, other = made_answers(truth, 1, right=0.5), made_answers(truth, 2, right=0.75)
    here = {r.figure: r for r in differences(truth, first, other, WORDS, permutations=4000)}
    for name in ("severity.accuracy", "score.srcc"):
        exact = []
        for code in range(16):
            flip = np.array([code >> k & 1 for k in range(4)], bool)[truth.picture]
            both = [(other, first), (first, other)]
            mixed = [
                Answers(*(np.where(flip, getattr(x, c), getattr(y, c)) for c in COLUMNS))
                for x, y in both
            ]
            one, two = (values(truth, m)[name] for m in mixed)
            exact.append(abs(one - two) >= abs(present(here[name].difference)) - 1e-12)
        assert here[name].p == pytest.approx(np.mean(exact), abs=0.03)


def test_undefined_figures_have_no_test():
    truth = made_truth()
    answers, flat = made_answers(truth), made_answers(truth)
    flat.score[:] = 0.5
    row = differences(truth, answers, flat, WORDS, draws=20, permutations=20)[-1]
    assert (row.figure, row.other, row.difference, row.p) == ("score.srcc", None, None, None)
    assert row.first is not None


def test_p_value_counts_itself_and_holm_is_monotone():
    assert p_value(0.5, np.array([0.1, -0.5, 0.7])) == 3 / 4
    # By hand: sorted .01 .02 .03 .9 times 4 3 2 1, each at least the one before.
    assert holm([0.03, 0.01, 0.9, 0.02]) == pytest.approx([0.06, 0.04, 0.9, 0.06])
    assert holm([0.6, 0.7]) == [1, 1]
    assert holm([]) == []
