"""What models say, in all the ways they say it, becomes labels of the vocabulary or a miss."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from graph_samples import native
from hypothesis import given
from hypothesis import strategies as st

from distortion_graph.graph import graph_from_value
from distortion_graph.mllm.answers import (
    Answer,
    NodeAnswer,
    RegionAnswer,
    answers_to_graph,
    json_in,
    parse_answer,
    region_number,
    score_in,
)
from distortion_graph.mllm.compact import answer_schema, compact, compact_text
from distortion_graph.mllm.wording import SYNONYMS, label_of, spelled, spellings
from distortion_graph.vocabulary import DEFAULT_VOCABULARY, Vocabulary

BLUR = {"distortion": "blur", "severity": 2, "score": 0.6}
CLEAN = {"distortion": "clean", "severity": 0, "score": 1.0}
ENTRY: dict[str, Any] = {"anchor": BLUR, "target": CLEAN, "comparison": "significantly_worse"}
EXPECTED = RegionAnswer(
    NodeAnswer("blur", "moderate", 0.6), NodeAnswer("clean", "clean", 1.0), "significantly_worse"
)


def read(text: str, ids: tuple[int, ...] = (1, 2)) -> Answer:
    return parse_answer(text, ids, DEFAULT_VOCABULARY)


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"1": ENTRY}),
        f"```json\n{json.dumps({'1': ENTRY}, indent=2)}\n```",
        f"Let me look {{carefully}}.\n\nHere it is:\n```\n{json.dumps({'1': ENTRY})}\n```\nDone.",
        f"Sure! {json.dumps({'1': ENTRY})}",
        json.dumps({"regions": {"1": ENTRY}}),
        json.dumps({"answer": {"regions": {"Region 1": ENTRY}}}),
        json.dumps([{"id": 1, **ENTRY}]),
        json.dumps({"regions": [{"region": "1", **ENTRY}]}),
        json.dumps({"mark": 1, **ENTRY}),
        json.dumps({"#1": ENTRY}),
        json.dumps({"1": ENTRY}).replace('"', "'"),
        json.dumps({"1": ENTRY})[:-1] + ",}",
        json.dumps({"1.0": ENTRY}),
        json.dumps([{"id": 1.0, **ENTRY}]),
        f"Regions [1] and [2]:\n{json.dumps({'1': ENTRY})}",
        json.dumps({"1": ENTRY}).replace('"severity": 2', '"severity": "2.0"'),
        json.dumps({"1": ENTRY, "explanation": "The first is blurred.", "summary": {"better": 2}}),
    ],
)
def test_an_answer_is_found_wherever_it_stands(text: str) -> None:
    assert read(text) == Answer(regions={1: EXPECTED})
    assert read(text).missing((1, 2)) == (2,)


def test_a_broken_off_answer_keeps_the_regions_that_were_whole() -> None:
    whole = json.dumps({"1": ENTRY, "2": ENTRY})
    for cut in range(whole.index('"2"'), whole.rindex('"significantly')):
        answer = read(whole[:cut])
        assert answer.regions == {1: EXPECTED}
        assert set(answer.unusable) <= {2}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"comparison": "better"}, "comparison is 'better'"),
        ({"comparison": None}, "comparison is None"),
        ({"anchor": {**BLUR, "distortion": "banding"}}, "anchor.distortion is 'banding'"),
        ({"target": {**CLEAN, "severity": 7}}, "target.severity is 7"),
        ({"target": {**CLEAN, "severity": True}}, "target.severity is True"),
        ({"anchor": "blur"}, "anchor is 'blur', expected an object"),
    ],
)
def test_a_word_that_is_no_label_makes_its_region_a_miss(change: dict[str, Any], why: str) -> None:
    answer = read(json.dumps({"1": {**ENTRY, **change}, "2": ENTRY}))
    assert answer.regions == {2: EXPECTED}
    assert answer.unusable == {1: why}
    assert answer.missing((1, 2)) == ()


def test_documented_synonyms_are_taken_and_counted() -> None:
    entry = {
        "anchor": {"distortion": "Gaussian Blur", "severity": "Medium", "score": "0.6"},
        "target": {"distortion": "none", "severity": "0", "score": 1},
        "comparison": "much worse",
    }
    answer = read(json.dumps({"1": entry}))
    assert answer.regions == {1: EXPECTED}
    assert answer.reworded == 4


def test_case_and_underscores_are_not_synonyms() -> None:
    entry = {**ENTRY, "comparison": "Significantly Worse"}
    assert read(json.dumps({"1": entry})).reworded == 0


def test_invented_regions_are_dropped_and_named() -> None:
    answer = read(json.dumps({"1": ENTRY, "99": ENTRY, "sky": ENTRY}))
    assert answer.regions == {1: EXPECTED}
    assert answer.invented == ("99", "sky")


def test_a_code_fence_a_region_is_read_as_one_answer() -> None:
    fences = [f"Region {k}:\n```json\n{json.dumps({k: ENTRY})}\n```\n" for k in (1, 2)]
    assert read("".join(fences)).regions == {1: EXPECTED, 2: EXPECTED}


@pytest.mark.parametrize("digits", [400, 5000])
@pytest.mark.parametrize("mark", ["", '"'])
@pytest.mark.parametrize("field", ['"severity": 2', '"score": 0.6'])
def test_numbers_too_long_to_be_meant_do_not_stop_the_reader(digits, mark, field) -> None:
    huge = f"{field.split(':')[0]}: {mark}{'1' * digits}{mark}"
    answer = read(json.dumps({"1": ENTRY, "2": ENTRY}).replace(field, huge, 1))
    assert answer.regions[2] == EXPECTED
    assert 1 in answer.unusable or answer.regions[1].anchor.score is None


@pytest.mark.parametrize("text", ["", "I cannot help with that.", "null", "{}", "[]", "42", "{[}"])
def test_text_without_an_answer_says_nothing(text: str) -> None:
    answer = read(text)
    assert not answer.regions
    assert answer.missing((1, 2)) == (1, 2)


@given(st.text(max_size=200))
def test_no_text_makes_the_reader_fail(text: str) -> None:
    assert not read(text).regions


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner) | st.dictionaries(st.text() | st.just("1") | st.just("anchor"), inner)
        ),
        max_leaves=8,
    )
)
def test_no_json_makes_the_reader_fail(value: Any) -> None:
    read(json.dumps(value))


@pytest.mark.parametrize(
    ("said", "score"),
    [(0, 0.0), ("0.25", 0.25), (1, 1.0), (85, None), (-0.1, None), ("high", None), (True, None),
     (None, None), (float("nan"), None), (float("inf"), None)],
)  # fmt: skip
def test_only_numbers_between_0_and_1_are_scores(said: object, score: float | None) -> None:
    assert score_in(said) == score


def test_keys_that_name_regions() -> None:
    for key in (7, 7.0, "7", "7.0", " 7 ", "region 7", "Region_7", "region-7", "#7", "mark 7"):
        assert region_number(key) == 7
    for other in ("sky", "7 and 8", "1.5", 7.5, "-7", float("nan"), None, True, "anchor"):
        assert region_number(other) is None


def test_json_in_gives_the_value_of_strict_json_unchanged() -> None:
    value = {"a": [1, 2.5, None, {"b": "ü"}]}
    assert json_in(json.dumps(value)) == value


def test_every_synonym_means_one_label_only() -> None:
    """Within distortions, severities and comparisons; a word may be a severity and a distortion."""
    for labels in (
        DEFAULT_VOCABULARY.distortions,
        DEFAULT_VOCABULARY.severities,
        DEFAULT_VOCABULARY.comparison_labels,
    ):
        words = [(spelled(word), label) for label in labels for word in SYNONYMS.get(label, ())]
        assert len({word for word, _ in words}) == len(words)
        for word, label in words:
            assert spellings(tuple(labels))[word] == label


def test_the_page_lists_every_synonym() -> None:
    text = (Path(__file__).parents[2] / "docs" / "mllm.md").read_text("utf-8")
    for label, words in SYNONYMS.items():
        assert f"| `{label}` | {', '.join(words)} |" in text


def test_the_words_that_people_read_are_taken_for_their_labels() -> None:
    for labels in (DEFAULT_VOCABULARY.distortions, DEFAULT_VOCABULARY.comparison_labels):
        for label in labels:
            assert label_of(DEFAULT_VOCABULARY.in_words(label), labels) == label


def test_synonyms_belong_to_labels_that_exist() -> None:
    known = {
        *DEFAULT_VOCABULARY.distortions,
        *DEFAULT_VOCABULARY.severities,
        *DEFAULT_VOCABULARY.comparison_labels,
    }
    assert set(SYNONYMS) <= known


def test_a_label_of_another_vocabulary_is_never_taken_for_a_synonym() -> None:
    vocabulary = Vocabulary(
        distortions=("fine", "fog", "grain"),
        severities=("fine", "high"),
        comparisons=DEFAULT_VOCABULARY.comparisons,
    )
    assert label_of("fog", vocabulary.distortions) == "fog"
    assert label_of("haze", vocabulary.distortions) is None
    assert label_of("HIGH", vocabulary.severities) == "high"


def test_labels_that_differ_in_signs_alone_are_told_apart() -> None:
    signs = tuple(
        level.model_copy(update={"label": label})
        for level, label in zip(
            DEFAULT_VOCABULARY.comparisons, ("--", "-", "=", "+", "++"), strict=True
        )
    )
    vocabulary = Vocabulary(
        distortions=("1", "blur"), severities=("1", "2", "3"), comparisons=signs
    )
    labels = vocabulary.comparison_labels
    assert [label_of(label, labels) for label in labels] == list(labels)
    assert label_of(" + ", labels) == "+" and label_of("?", labels) is None
    node = {"distortion": "blur", "severity": "2", "score": 0.5}
    entry = {"anchor": node, "target": {**node, "severity": 2}, "comparison": "+"}
    said = parse_answer(json.dumps({"1": entry}), [1], vocabulary).regions[1]
    assert (said.anchor.severity, said.target.severity, said.comparison) == ("2", "3", "+")


def test_mirroring_twice_gives_the_answer_back() -> None:
    answer = Answer(regions={1: EXPECTED}, unusable={2: "?"}, invented=("9",), reworded=1)
    mirrored = answer.mirrored(DEFAULT_VOCABULARY)
    assert mirrored.regions[1].comparison == "significantly_better"
    assert mirrored.regions[1].anchor == EXPECTED.target
    assert mirrored.mirrored(DEFAULT_VOCABULARY) == answer


def test_a_graph_in_compact_form_is_read_back_as_it_was() -> None:
    graph = graph_from_value(native(), "sample")
    text = compact_text(compact(graph))
    ids = [region.id for region in graph.regions]
    answer = parse_answer(text, ids, graph.vocabulary)
    assert answers_to_graph(answer, graph).regions and not answer.unusable
    for region, again in zip(graph.regions, answers_to_graph(answer, graph).regions, strict=True):
        for side in ("anchor", "target"):
            old, new = region.node(side), again.node(side)
            assert (old.distortion.label, old.severity.label) == (
                new.distortion.label,
                new.severity.label,
            )
            assert new.score == pytest.approx(old.score, abs=5e-5)
            assert (old.mask, old.bbox_xywh_px) == (new.mask, new.bbox_xywh_px)
        assert again.comparison.label == region.comparison.label


def test_the_schema_accepts_the_compact_form_and_nothing_less() -> None:
    from jsonschema import Draft202012Validator

    graph = graph_from_value(native(), "sample")
    ids = [region.id for region in graph.regions]
    validator = Draft202012Validator(answer_schema(ids, graph.vocabulary))
    value = compact(graph)
    validator.validate(value)
    assert not validator.is_valid({str(k): value[str(k)] for k in ids[1:]})
    assert not validator.is_valid({**value, "999": value[str(ids[0])]})
    wrong = {**value[str(ids[0])], "comparison": "better"}
    assert not validator.is_valid({**value, str(ids[0]): wrong})
