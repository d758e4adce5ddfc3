"""What a model thinks aloud is no part of its answer, however its family marks it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY as WORDS
from distortion_graph.mllm.ask.answers import json_in, parse_answer
from distortion_graph.mllm.ask.assessment import parse_assessment
from distortion_graph.mllm.ask.whole import parse_whole
from distortion_graph.mllm.client.thinking import final_answer, is_thinking_mark, thinks_to_the_end


def entry(distortion, comparison):
    node = {"distortion": distortion, "severity": "moderate", "score": 0.5}
    clean = {"distortion": "clean", "severity": "clean", "score": 1.0}
    return json.dumps({"3": {"anchor": node, "target": clean, "comparison": comparison}})


DRAFT, FINAL = entry("noise", "same"), entry("blur", "significantly_worse")

PAIRS = [
    ("<think>", "</think>"),
    ("<Thinking>", "</Thinking>"),
    ("<thought>", "</thought>"),
    ("<reasoning>", "</reasoning>"),
    ("<reasoning effort='high'>", "</reasoning>"),
    ("<seed:think>", "</seed:think>"),
    ("[THINK]", "[/THINK]"),
    ("◁think▷", "◁/think▷"),
    ("<|START_THINKING|>", "<|END_THINKING|><|START_RESPONSE|>"),
    ("<|begin_of_thought|>", "<|end_of_thought|>\n<|begin_of_solution|>"),
    (
        "<|channel|>analysis<|message|>",
        "<|end|><|start|>assistant<|channel|>final<|message|>",
    ),
    (
        "<|start|>assistant<|channel|>analysis<|message|>",
        "<|end|><|start|>assistant<|channel|>final <|constrain|>json<|message|>",
    ),
    ("analysis", "assistantfinal"),
]


def ways(opening, closing):
    """The draft and the final answer as models of a family write them."""
    fence = "```json\n{}\n```".format
    yield f"{opening}First I thought: {DRAFT} but no.{closing}{FINAL}"
    yield f"{opening}\n{fence(DRAFT)}\nHm.\n{closing}\n\n{fence(FINAL)}\n"
    yield f"{opening}I write: {fence(DRAFT)}{closing}Here it is: {FINAL}"


@pytest.mark.parametrize(("opening", "closing"), PAIRS)
def test_a_draft_never_wins_over_the_answer(opening, closing):
    for text in ways(opening, closing):
        found = parse_answer(text, [3], WORDS)
        assert found.regions[3].anchor.distortion == "blur", text
        assert found.regions[3].comparison == "significantly_worse"
        assert not found.invented and not found.unusable


@pytest.mark.parametrize(("opening", "closing"), PAIRS[:10])
def test_the_opening_mark_may_stand_in_the_chat_template(opening, closing):
    found = parse_answer(f"Well: {DRAFT}\n{closing}\n{FINAL}", [3], WORDS)
    assert found.regions[3].anchor.distortion == "blur"


@pytest.mark.parametrize(("opening", "closing"), PAIRS[:12])
def test_thinking_that_never_ends_is_no_answer(opening, closing):
    text = f"{opening}Region 3 may be noisy: {DRAFT} or"
    assert not parse_answer(text, [3], WORDS).regions
    assert parse_answer(text, [3], WORDS).missing([3]) == (3,)
    assert parse_whole(f'{opening}{{"comparison": "same"}}', WORDS) is None
    assert parse_assessment(f"{opening}The cup is blurred [3].", [3]).sentences == ()
    assert thinks_to_the_end(text) and final_answer(text) == ""


def test_an_answer_before_more_thinking_stands():
    text = f"<think>{DRAFT}</think>{FINAL}<think>Was that right? {DRAFT}"
    assert parse_answer(text, [3], WORDS).regions[3].anchor.distortion == "blur"
    assert not thinks_to_the_end(text)


def test_a_model_that_writes_of_its_marks_is_read_all_the_same():
    text = f"<think>I put it into <think> tags. {DRAFT}</think>\n{FINAL}"
    assert parse_answer(text, [3], WORDS).regions[3].anchor.distortion == "blur"
    text = f"<think>a <think>b</think> {DRAFT}</think>{FINAL}"
    assert parse_answer(text, [3], WORDS).regions[3].anchor.distortion == "blur"


def test_only_the_last_final_channel_counts():
    text = (
        f"<|channel|>analysis<|message|>{DRAFT}<|end|><|start|>assistant<|channel|>commentary"
        f"<|message|>{DRAFT}<|end|><|start|>assistant<|channel|>final<|message|>{FINAL}<|return|>"
    )
    assert final_answer(text) == FINAL


def test_answers_in_tags_and_boxes_are_unwrapped():
    assert final_answer(f"<think>x</think><answer>{FINAL}</answer>") == FINAL
    assert final_answer(f"<think>x</think><|begin_of_box|>{FINAL}<|end_of_box|>") == FINAL


def test_whole_pictures_and_assessments_are_read_behind_the_thinking():
    whole = '{"anchor": {"distortions": [], "score": 0.9}, "comparison": "slightly_better"}'
    said = parse_whole(f'<think>{{"comparison": "same"}}</think>{whole}', WORDS)
    assert said is not None and said.comparison == "slightly_better"
    plain = parse_assessment("<think>Noise in [7]?</think>The cup is blurred [3].", [3, 7])
    assert [(s.text, tuple(s.regions)) for s in plain.sentences] == [("The cup is blurred.", (3,))]
    listed = parse_assessment(
        '[THINK]{"sentences": [{"text": "No.", "regions": [7]}]}[/THINK]'
        '{"sentences": [{"text": "The cup is blurred.", "regions": [3]}]}',
        [3, 7],
    )
    assert [s.text for s in listed.sentences] == ["The cup is blurred."]


def test_marks_inside_of_json_are_words():
    value = {"comparison": "same", "reason": "It says </think> on the sign."}
    assert json_in(json.dumps(value)) == value


def test_text_that_is_no_thinking_stays():
    for text in ("Analysis: the cup is blurred.", "I think so.", "a < b > c", FINAL):
        assert final_answer(text) == text


@given(st.text(), st.text(alphabet='abc {}[]":,\n0123456789'))
def test_an_answer_without_marks_is_found_behind_any_thinking(thinking, answer):
    thinking = "".join(c for c in thinking if c not in "<>[]◁▷")
    text = f"<think>{thinking}</think>{answer}"
    assert final_answer(text) == answer.strip()
    assert final_answer(final_answer(text)) == final_answer(text)


def test_marks_are_known_as_single_tokens():
    assert all(map(is_thinking_mark, ("<think>", "</think>", "[THINK]", "<|channel|>", "◁/think▷")))
    assert not any(map(is_thinking_mark, ("<|im_end|>", "</s>", "think", "<image>")))
