"""Made-up models whose behaviour is known are measured as what they are."""

from __future__ import annotations

import numpy as np
import pytest
from optional import present

from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY as WORDS
from distortion_graph.bench.answers import Answers, Truth
from distortion_graph.bench.metrics import MISSED
from distortion_graph.datasets.layout import PairKey
from distortion_graph.mllm.eval.behaviour import (
    copy_figures,
    order_figures,
    template_rate,
    truth_as_answers,
)

REGIONS, PAIRS = 8, 60


def truth(seed: int = 0) -> Truth:
    rng = np.random.default_rng(seed)
    n = PAIRS * REGIONS
    return Truth(
        tuple(PairKey("mixed", "mixed2", f"{k}.png") for k in range(PAIRS)),
        np.repeat(np.arange(PAIRS), REGIONS),
        np.tile(np.arange(REGIONS), PAIRS),
        rng.integers(0, 15, (2, n)),
        rng.integers(0, 4, (2, n)),
        rng.integers(0, 5, n),
        rng.random((2, n)),
    )


def answers(table: Truth, seed: int) -> Answers:
    """Someone who guesses."""
    other = truth(seed)
    return Answers(
        other.distortion,
        other.severity,
        other.comparison,
        other.score,
        *(truth_as_answers(table).distortion_confidence,) * 2,
        truth_as_answers(table).comparison_confidence,
    )


def test_who_copies_agrees_always_and_is_never_right_where_the_hint_is_wrong() -> None:
    table = truth()
    hint = answers(table, 1)
    for figures in copy_figures(table, hint, hint).values():
        assert figures.agreement == 1
        assert figures.override_rate == 0 and figures.override_precision is None
        assert figures.accuracy_where_wrong == 0 and figures.kept_right == 1
        assert figures.accuracy == figures.hint_accuracy


def test_who_knows_overrides_exactly_the_wrong_entries() -> None:
    table = truth()
    hint = answers(table, 1)
    knowing = truth_as_answers(table)
    for figures in copy_figures(table, hint, knowing, knowing).values():
        assert figures.override_precision == 1 and figures.accuracy_where_wrong == 1
        assert figures.override_rate == pytest.approx(1 - present(figures.hint_accuracy))
        assert figures.agreement == figures.agreement_unseen == figures.hint_accuracy


def test_figures_by_hand() -> None:
    """Four comparisons: agree and right, agree and wrong, override to right, override to wrong."""
    table = truth()
    rows = np.arange(len(table)) < 4
    table = Truth(
        table.keys,
        *(
            getattr(table, n)[..., rows]
            for n in ("pair", "region", "distortion", "severity", "comparison", "score")
        ),
    )
    table.comparison[:] = [0, 0, 0, 0]
    hint, said = truth_as_answers(table), truth_as_answers(table)
    hint.comparison.flags.writeable = True
    hint = Answers(
        hint.distortion,
        hint.severity,
        np.array([0, 1, 1, 1]),
        hint.score,
        hint.distortion_confidence,
        hint.severity_confidence,
        hint.comparison_confidence,
    )
    said = Answers(
        said.distortion,
        said.severity,
        np.array([0, 1, 0, 2]),
        said.score,
        said.distortion_confidence,
        said.severity_confidence,
        said.comparison_confidence,
    )
    figures = copy_figures(table, hint, said)["comparison"]
    assert figures.model_dump() == {
        "answered": 4,
        "agreement": 0.5,
        "agreement_unseen": None,
        "accuracy": 0.5,
        "hint_accuracy": 0.25,
        "kept_right": 1.0,
        "accuracy_where_wrong": pytest.approx(1 / 3),
        "override_rate": 0.5,
        "override_precision": 0.5,
    }


def test_missing_answers_count_in_no_share() -> None:
    table = truth()
    hint = answers(table, 1)
    figures = copy_figures(table, hint, Answers.none(len(table)))["severity"]
    assert figures.answered == 0
    assert set(figures.model_dump(exclude={"answered"}).values()) == {None}


def test_who_always_prefers_the_first_picture_has_a_bias_of_one() -> None:
    n = 100
    swapped = np.arange(n) % 2 == 1
    best, worst = len(WORDS.comparisons) - 1, 0
    said = np.where(swapped, worst, best)
    other = np.where(swapped, best, worst)
    figures = order_figures(said, swapped, other, WORDS)
    assert (figures.first_better, figures.second_better, figures.bias) == (1, 0, 1)
    assert figures.consistency == 0 and figures.answered == 2 * n


def test_who_does_not_mind_the_order_has_no_bias() -> None:
    table = truth()
    swapped = np.arange(len(table)) % 2 == 1
    figures = order_figures(table.comparison, swapped, table.comparison, WORDS)
    assert figures.bias == 0 and figures.consistency == 1


def test_order_figures_of_nothing_are_not_known() -> None:
    nothing = np.full(5, MISSED)
    figures = order_figures(nothing, np.zeros(5, bool), None, WORDS)
    assert figures.answered == 0 and figures.bias is None and figures.consistency is None


def test_one_answer_for_everything_is_a_template_and_the_truth_is_not() -> None:
    table = truth()
    same = answers(table, 1)
    for array in (same.distortion, same.severity, same.comparison):
        array[...] = np.tile(array[..., :REGIONS], PAIRS)
    assert template_rate(table, same) == 1
    assert template_rate(table, truth_as_answers(table)) == 0


def test_versions_of_one_picture_may_be_alike() -> None:
    table = truth()
    same_picture = Truth(
        tuple(PairKey("a", "b", "one.png") for _ in table.keys),
        *(
            getattr(table, n)
            for n in ("pair", "region", "distortion", "severity", "comparison", "score")
        ),
    )
    assert template_rate(same_picture, answers(table, 1)) is None


def test_a_slip_in_ten_labels_is_still_the_template() -> None:
    table = truth()
    said = answers(table, 1)
    for array in (said.distortion, said.severity, said.comparison):
        array[...] = np.tile(array[..., :REGIONS], PAIRS)
    said.comparison[::REGIONS] = np.arange(PAIRS) % 5  # one label of forty
    assert template_rate(table, said) == 1
