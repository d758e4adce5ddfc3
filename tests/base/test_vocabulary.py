"""The vocabulary: labels and ids of the published table, the score rule, impossible values."""

from __future__ import annotations

import json
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from distortion_graph.base.errors import VocabularyError
from distortion_graph.base.vocabulary import (
    DEFAULT_VOCABULARY,
    ComparisonLevel,
    Vocabulary,
    fine_scale,
    scaled,
)
from distortion_graph.predict.session import load_model

SEVEN = [(-3, 0.5), (-2, 0.25), (-1, 0.05), (0, 0.0), (1, 0.05), (2, 0.25), (3, 0.5)]


def custom(
    distortions=("scratch", "fine", "dust"),
    severities=("fine", "bad"),
    comparisons=SEVEN,
    words=None,
) -> Vocabulary:
    levels = [ComparisonLevel(label=f"r{r}", rank=r, min_abs_d=d) for r, d in comparisons]
    return Vocabulary(
        distortions=distortions, severities=severities, comparisons=tuple(levels), words=words
    )


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
        (
            {"words": {"dusty": "x"}},
            r"words: unknown label 'dusty', expected .*; did you mean 'dust'",
        ),
        ({"words": {"dust": " "}}, "the words of 'dust' are ' ', expected one line of text"),
        ({"words": {"dust": "a\nb"}}, r"the words of 'dust' are 'a\\nb', expected one line"),
        ({"words": {"dust": "scratch"}}, "scratch and dust read 'scratch', expected words that"),
        ({"words": {"r1": "r2"}}, "r1 and r2 read 'r2', expected words that tell them apart"),
        ({"words": {"dust": 3}}, "valid string"),
        ({"words": ["dust"]}, "valid dictionary"),
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
        DEFAULT_VOCABULARY.severities = ("clean", "bad")  # type: ignore[misc]
    with pytest.raises(ValidationError, match="Extra inputs"):
        ComparisonLevel(label="x", rank=1, min_abs_d=0.1, colour="red")  # type: ignore[call-arg]


@pytest.mark.parametrize("vocabulary", [DEFAULT_VOCABULARY, custom()])
def test_json_round_trip(vocabulary):
    vocabulary.distortion_index(vocabulary.clean)  # cached values are no part of the text
    assert vocabulary.clean_index >= 0
    text = vocabulary.model_dump_json()
    assert set(json.loads(text)) == {"distortions", "severities", "comparisons"}
    assert Vocabulary.model_validate_json(text) == vocabulary


def test_the_published_labels_have_words_that_tell_them_apart():
    said = {label: DEFAULT_VOCABULARY.in_words(label) for label in DEFAULT_VOCABULARY.distortions}
    assert len(set(said.values())) == len(said) == 15
    assert said["saturate_dec"] == "washed-out colours" and said["contrast_inc"] == (
        "too much contrast"
    )
    assert (said["darken"], said["brightness"], said["clean"]) == (
        "too dark",
        "too bright",
        "clean",
    )
    assert not any("_" in text for text in said.values())
    assert max(map(len, said.values())) <= 19  # what a table of 80 columns has room for
    assert DEFAULT_VOCABULARY.in_words("significantly_worse") == "significantly worse"
    assert DEFAULT_VOCABULARY.in_words("moderate") == "moderate"


def test_files_from_before_words_have_the_same_ones():
    old = json.loads(DEFAULT_VOCABULARY.model_dump_json())
    assert "words" not in old
    assert Vocabulary.model_validate(old).in_words("pixelate") == "pixelation"
    assert Vocabulary.model_validate(old | {"words": None}).in_words("pixelate") == "pixelation"
    assert load_model().vocabulary.in_words("pixelate") == "pixelation"


def test_a_vocabulary_of_its_own_labels_is_read_by_its_own_words():
    vocabulary = custom(
        distortions=("fine", "out_of_focus", "darken", "dust"), words={"darken": "shadow"}
    )
    said = [vocabulary.in_words(label) for label in ("out_of_focus", "darken", "dust", "r3")]
    assert said == ["out of focus", "shadow", "dust", "r3"]
    # A label of the same name may be made of anything else, so the published words are not its.
    assert custom(distortions=("fine", "darken", "dust")).in_words("darken") == "darken"


def test_single_words_may_be_given_to_published_labels():
    german = Vocabulary(**DEFAULT_VOCABULARY.model_dump(), words={"darken": "zu dunkel"})
    assert (
        german.in_words("darken") == "zu dunkel" and german.in_words("brightness") == "too bright"
    )


def test_words_do_not_make_another_vocabulary():
    with_words = custom(words={"dust": "dirt"})
    assert with_words == custom() and hash(with_words) == hash(custom())
    assert with_words != custom(severities=("fine", "worse")) and with_words != "dust"
    other = Vocabulary.model_validate_json(with_words.model_dump_json())
    assert other.words == with_words.words == {"dust": "dirt"} and "words" not in json.loads(
        custom().model_dump_json()
    )
    assert pickle.loads(pickle.dumps(with_words)).in_words("dust") == "dirt"
    with pytest.raises(TypeError, match="cannot be changed"):
        with_words.words["dust"] = "grain"  # type: ignore[index]


def test_the_fine_scale_has_thirds_of_the_common_steps_and_one_below():
    fine = fine_scale(DEFAULT_VOCABULARY)
    assert fine.thresholds == (0.003, 0.033, 0.1)
    thirds = [step / 3 for step in DEFAULT_VOCABULARY.thresholds]
    assert fine.thresholds[1:] == pytest.approx(thirds, abs=0.0005)
    assert fine.distortions == DEFAULT_VOCABULARY.distortions
    assert fine.severities == DEFAULT_VOCABULARY.severities
    assert fine.compare_scores(0.9893, 0.9843).label == "measurably_better"
    assert fine.in_words("visibly_worse") == "visibly worse"
    assert fine.in_words("darken") == "too dark"
    assert fine_scale(fine) == fine and scaled(DEFAULT_VOCABULARY, "fine") == fine
    assert scaled(DEFAULT_VOCABULARY, "common") is DEFAULT_VOCABULARY


def test_the_fine_scale_keeps_words_of_labels_that_it_keeps():
    told = custom(words={"dust": "dirt", "r1": "nicer"})
    assert fine_scale(told).words == {"dust": "dirt"}
