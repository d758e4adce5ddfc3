"""The vocabulary: labels and ids of the published table, the score rule, impossible values."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from distortion_graph.errors import VocabularyError
from distortion_graph.vocabulary import DEFAULT_VOCABULARY, ComparisonLevel, Vocabulary

SEVEN = [(-3, 0.5), (-2, 0.25), (-1, 0.05), (0, 0.0), (1, 0.05), (2, 0.25), (3, 0.5)]


def custom(
    distortions=("scratch", "fine", "dust"),
    severities=("fine", "bad"),
    comparisons=SEVEN,
) -> Vocabulary:
    levels = [ComparisonLevel(label=f"r{r}", rank=r, min_abs_d=d) for r, d in comparisons]
    return Vocabulary(distortions=distortions, severities=severities, comparisons=tuple(levels))


def test_default_words_are_the_published_ones_in_the_published_order():
    expected = (
        "clean, snow, contrast_inc, compression, brightness, oversharpen, noise, blur, haze, rain, "
        "saturate_inc, saturate_dec, contrast_dec, darken, pixelate"
    )
    assert ", ".join(DEFAULT_VOCABULARY.distortions) == expected
    assert DEFAULT_VOCABULARY.severities == ("clean", "minor", "moderate", "severe")
    assert DEFAULT_VOCABULARY.clean == "clean"
    assert DEFAULT_VOCABULARY.clean_index == 0


def test_default_comparisons_are_ordered_and_mirror_each_other():
    assert DEFAULT_VOCABULARY.comparison_labels == (
        "significantly_worse",
        "slightly_worse",
        "same",
        "slightly_better",
        "significantly_better",
    )
    assert [c.rank for c in DEFAULT_VOCABULARY.comparisons] == [-2, -1, 0, 1, 2]
    assert DEFAULT_VOCABULARY.thresholds == (0.1, 0.3)
    assert DEFAULT_VOCABULARY.neutral_index == 2


@pytest.mark.parametrize(
    ("anchor", "target", "label"),
    [
        (0.5, 0.5, "same"),
        (0.5, 0.59, "same"),
        (0.5, 0.39, "slightly_better"),
        (0.25, 0.5, "slightly_worse"),
        (1.0, 0.71, "slightly_better"),
        (1.0, 0.5, "significantly_better"),
        (0.0, 1.0, "significantly_worse"),
    ],
)
def test_score_rule(anchor, target, label):
    assert DEFAULT_VOCABULARY.compare_scores(anchor, target).label == label


def test_a_difference_on_the_threshold_is_the_stronger_label():
    halves = custom(comparisons=[(-1, 0.25), (0, 0.0), (1, 0.25)])
    assert halves.compare_scores(0.75, 0.5).rank == 1
    assert halves.compare_scores(0.5, 0.75).rank == -1


@given(st.floats(0, 1), st.floats(0, 1))
def test_exchanging_the_scores_negates_the_rank(a, b):
    for vocabulary in (DEFAULT_VOCABULARY, custom()):
        there, back = vocabulary.compare_scores(a, b), vocabulary.compare_scores(b, a)
        assert there.rank == -back.rank
        assert there.min_abs_d <= abs(a - b)


def test_a_custom_vocabulary_of_other_sizes_is_first_class():
    vocabulary = custom()
    assert vocabulary.clean == "fine"
    assert vocabulary.clean_index == 1
    assert vocabulary.neutral_index == 3
    assert vocabulary.thresholds == (0.05, 0.25, 0.5)
    assert vocabulary.compare_scores(0.9, 0.3).label == "r3"


def test_indices_and_their_errors_name_the_nearest_label():
    assert DEFAULT_VOCABULARY.distortion_index("pixelate") == 14
    assert DEFAULT_VOCABULARY.severity_index("severe") == 3
    assert DEFAULT_VOCABULARY.comparison_index("same") == 2
    with pytest.raises(VocabularyError, match=r"unknown distortion 'blurr'.*did you mean 'blur'\?"):
        DEFAULT_VOCABULARY.distortion_index("blurr")
    with pytest.raises(VocabularyError, match=r"unknown severity 'sever'.*did you mean 'severe'"):
        DEFAULT_VOCABULARY.severity_index("sever")
    with pytest.raises(VocabularyError, match=r"^unknown comparison 'zzz', expected one of [^;]*$"):
        DEFAULT_VOCABULARY.comparison_index("zzz")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"severities": ("good", "bad")}, "must be among the distortions"),
        ({"distortions": ("fine", "fine")}, "must be distinct"),
        ({"distortions": ("fine", "")}, "not empty"),
        ({"distortions": ("fine",)}, "at least 2"),
        ({"severities": ("fine",)}, "at least 2"),
        ({"comparisons": [(0, 0.0)]}, "at least 3"),
        ({"comparisons": [(0, 0.0), (1, 0.1), (2, 0.2)]}, "from −K to K"),
        ({"comparisons": [(1, 0.1), (0, 0.0), (-1, 0.1)]}, "from −K to K"),
        ({"comparisons": [(-1, 0.1), (0, 0.0), (1, 0.2)]}, "equal for rank k and −k"),
        ({"comparisons": [(-1, 0.1), (0, 0.05), (1, 0.1)]}, "must be 0 at rank 0"),
        ({"comparisons": [(-1, 0.0), (0, 0.0), (1, 0.0)]}, "grow with"),
    ],
)
def test_impossible_vocabularies_are_refused(change, says):
    with pytest.raises(ValidationError, match=says):
        custom(**change)


@pytest.mark.parametrize("bound", [float("inf"), float("nan"), -0.1])
def test_thresholds_are_finite_and_not_negative(bound):
    with pytest.raises(ValidationError):
        ComparisonLevel(label="x", rank=1, min_abs_d=bound)


def test_frozen_and_without_unknown_keys():
    with pytest.raises(ValidationError, match="frozen"):
        DEFAULT_VOCABULARY.severities = ("clean", "bad")
    with pytest.raises(ValidationError, match="Extra inputs"):
        ComparisonLevel(label="x", rank=1, min_abs_d=0.1, colour="red")


@pytest.mark.parametrize("vocabulary", [DEFAULT_VOCABULARY, custom()])
def test_json_round_trip(vocabulary):
    vocabulary.distortion_index(vocabulary.clean)  # cached values are no part of the text
    assert vocabulary.clean_index >= 0
    text = vocabulary.model_dump_json()
    assert set(json.loads(text)) == {"distortions", "severities", "comparisons"}
    assert Vocabulary.model_validate_json(text) == vocabulary
