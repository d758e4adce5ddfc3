"""Figures of regions with several distortions, and the columns that they come from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from bench_tables import made_answers, made_truth
from optional import present as there

from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY as WORDS
from distortion_graph.bench.answers import Answers, answers_of
from distortion_graph.bench.figures import figures_of
from distortion_graph.bench.metrics import MISSED
from distortion_graph.bench.results import AnswerColumns, TruthColumns
from distortion_graph.predict.decode import choose_labels
from distortion_graph.predict.predictions import Predictions

D = len(WORDS.distortions)
BLUR, NOISE, RAIN = (WORDS.distortion_index(label) for label in ("blur", "noise", "rain"))


def sets(*nodes):
    """(2, D, N) of the distortions of N anchor and then N target nodes."""
    found = np.zeros((D, len(nodes)), bool)
    for k, node in enumerate(nodes):
        found[list(node), k] = True
    return found.reshape(D, 2, -1).transpose(1, 0, 2)


def said(first, also=None, present=None):
    """Answers of N pairs of nodes, of which only the distortions matter."""
    distortion = np.array(first).reshape(2, -1)
    answers = Answers.none(distortion.shape[1])
    further = None if also is None else sets(*also)
    return replace(answers, distortion=distortion, also=further, present=present)


def true(*nodes):
    truth = made_truth(pictures=1, pairs=1, regions=len(nodes) // 2)
    first = [min(node, default=WORDS.clean_index) for node in nodes]
    return replace(truth, distortion=np.array(first).reshape(2, -1), present=sets(*nodes))


def several(truth, answers):
    return figures_of(truth, answers, WORDS, draws=0).several


TRUTH = true({BLUR}, {NOISE, BLUR}, set(), {NOISE, RAIN, BLUR}, {NOISE, RAIN}, {BLUR})
FIRST = [BLUR, NOISE, WORDS.clean_index, RAIN, RAIN, NOISE]


def test_sets_by_hand():
    alone = several(TRUTH, said(FIRST))
    # Only the first and the clean node name all that they suffer.
    assert (alone.exact_sets, alone.nodes_with_two, alone.both_named) == (2 / 6, 2, 0)
    also = [set(), {BLUR}, set(), {NOISE, BLUR}, {NOISE, BLUR}, set()]
    both = several(TRUTH, said(FIRST, also))
    # Of the last but one both are named, and one more that it does not suffer.
    assert (both.exact_sets, both.both_named) == (4 / 6, 1)


def test_a_missing_answer_is_wrong_also_of_a_clean_node():
    missed = [MISSED if k == 2 else d for k, d in enumerate(FIRST)]
    assert several(TRUTH, said(missed)).exact_sets == 1 / 6


def test_mean_average_precision_is_over_the_distortions_that_occur():
    certain = np.where(TRUTH.present, 0.75, 0.25)
    perfect = several(TRUTH, said(FIRST, present=certain))
    assert perfect.average_precision == {"noise": 1, "blur": 1, "rain": 1}
    assert perfect.mean_average_precision == 1
    certain[:, RAIN] = 0.5
    level = several(TRUTH, said(FIRST, present=certain))
    assert level.average_precision["rain"] == pytest.approx(2 / 6)
    assert level.mean_average_precision == pytest.approx((1 + 1 + 2 / 6) / 3)
    certain[:, :, 1] = np.nan  # a pair without an answer: nodes 1 and 4 are left out
    fewer = several(TRUTH, said(FIRST, present=certain))
    assert fewer.average_precision["rain"] == pytest.approx(1 / 4)


def test_without_knowledge_of_several_there_are_no_such_figures():
    truth = made_truth()
    assert several(truth, made_answers(truth)) is None


def test_columns_are_joined_taken_and_stored_with_it():
    present = np.linspace(0, 1, 2 * D * 3).round(6).reshape(2, D, 3)
    also = [set(), {BLUR}, set(), {NOISE, BLUR}, {NOISE, BLUR}, set()]
    answers = said(FIRST, also, present)
    joined = Answers.joined([answers, Answers.none(2), answers])
    all_present, all_also = there(joined.present), there(joined.also)
    assert all_present.shape == all_also.shape == (2, D, 8)
    assert np.isnan(all_present[..., 3:5]).all() and not all_also[..., 3:5].any()
    rest = joined.take(np.arange(8) >= 5)
    assert np.array_equal(there(rest.present), present)
    assert np.array_equal(there(rest.also), there(answers.also))
    again = AnswerColumns.model_validate_json(AnswerColumns.of(joined).model_dump_json()).table()
    assert np.array_equal(there(again.present), all_present, equal_nan=True)
    assert np.array_equal(there(again.also), all_also)
    assert AnswerColumns.of(Answers.none(3)).table().present is None
    stored = TruthColumns.model_validate_json(TruthColumns.of(TRUTH).model_dump_json())
    suffered = there(TRUTH.present)
    assert np.array_equal(there(stored.table(TRUTH.keys).present), suffered)
    kept, _ = TRUTH.without({0})
    assert there(kept.present).shape == (2, D, 0)
    some = TRUTH.take(np.array([True, False, True]))
    assert np.array_equal(there(some.present), suffered[..., ::2])


def test_probabilities_are_said_in_the_words_of_the_data_set():
    own = WORDS.model_copy(update={"distortions": ("clean", "rain", "blur")})
    given = np.zeros((2, 1, 3, len(WORDS.severities)))
    given[..., 0, 0] = given[..., 1:, 1] = 1
    predictions = Predictions(
        distortion=np.full((2, 1, 3), [0.2, 0.5, 0.3]),
        severity_given=given,
        score=np.full((2, 1), 0.5),
        comparison=np.full((1, 5), 0.2),
        scene_score=np.full(2, 0.5),
        scene_comparison=np.full(5, 0.2),
        present=np.full((2, 1, 3), [0.1, 0.8, 0.6]),
    )
    answers = answers_of(
        choose_labels(predictions, own),
        own,
        WORDS,
        also=np.full((2, 1, 3), [False, False, True]),
        present=predictions.present,
    )
    assert there(answers.present)[:, [RAIN, BLUR, NOISE], 0].tolist() == [[0.8, 0.6, 0]] * 2
    assert np.argwhere(answers.named(WORDS)[0, :, 0]).ravel().tolist() == sorted((RAIN, BLUR))
