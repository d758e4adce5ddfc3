"""Hints say what they are said to: the controls are wrong exactly where they must be."""

from __future__ import annotations

import json

import numpy as np
import pytest
from graph_samples import native
from hypothesis import given
from hypothesis import strategies as st
from optional import present

from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY, Vocabulary
from distortion_graph.graph import (
    ComparisonBelief,
    DistortionGraph,
    ImageInfo,
    LabelBelief,
    Node,
    RegionComparison,
    graph_from_value,
    score_margin,
)
from distortion_graph.mllm.ask.asking import region_values
from distortion_graph.mllm.ask.assessment import Wish, assessment_values
from distortion_graph.mllm.ask.compact import compact, compact_text, form_text
from distortion_graph.mllm.ask.wording import distortion_lines
from distortion_graph.mllm.eval.hints import corrupted, shuffled

SMALL = Vocabulary(
    distortions=("fine", "grain"),
    severities=("fine", "bad"),
    comparisons=(
        {"label": "worse", "rank": -1, "min_abs_d": 0.2},
        {"label": "even", "rank": 0, "min_abs_d": 0},
        {"label": "better", "rank": 1, "min_abs_d": 0.2},
    ),
)


def random_graph(count: int, seed: int, vocabulary: Vocabulary) -> DistortionGraph:
    rng = np.random.default_rng(seed)

    def node() -> Node:
        label = str(rng.choice(vocabulary.distortions))
        clean = label == vocabulary.clean
        severity = vocabulary.clean if clean else str(rng.choice(vocabulary.severities[1:]))
        score = 1.0 if clean else round(float(rng.uniform(0, 1)), 4)
        return Node(
            distortion=LabelBelief(label=label), severity=LabelBelief(label=severity), score=score
        )

    regions = []
    for k in range(count):
        anchor, target = node(), node()
        level = vocabulary.compare_scores(present(anchor.score), present(target.score))
        regions.append(
            RegionComparison(
                id=3 * k + 1,
                name=f"region {k}",
                anchor=anchor,
                target=target,
                comparison=ComparisonBelief(
                    label=level.label, margin=score_margin(anchor.score, target.score)
                ),
            )
        )
    return DistortionGraph(
        vocabulary=vocabulary, anchor=ImageInfo(), target=ImageInfo(), regions=tuple(regions)
    )


GRAPHS = st.builds(
    random_graph,
    st.integers(1, 12),
    st.integers(0, 10_000),
    st.sampled_from([DEFAULT_VOCABULARY, SMALL]),
)


@given(GRAPHS)
def test_shuffling_moves_every_entry_to_another_region(graph: DistortionGraph) -> None:
    moved = shuffled(graph, 0, "a.png")
    old, new = compact(graph), compact(moved)
    assert list(old) == list(new)
    assert sorted(map(json.dumps, old.values())) == sorted(map(json.dumps, new.values()))
    tagged = graph.model_copy(
        update={
            "regions": tuple(
                region.model_copy(
                    update={
                        "anchor": region.anchor.model_copy(update={"score": k / 100}),
                        "target": region.target.model_copy(update={"score": None}),
                        "comparison": region.comparison.model_copy(update={"margin": None}),
                    }
                )
                for k, region in enumerate(graph.regions)
            )
        }
    )
    places = [round(100 * (r.anchor.score or 0)) for r in shuffled(tagged, 0, "a.png").regions]
    if len(places) > 1:
        assert all(place != k for k, place in enumerate(places))


@given(GRAPHS)
def test_half_of_a_corrupted_hint_is_wrong_in_every_word_and_half_is_true(
    graph: DistortionGraph,
) -> None:
    changed = corrupted(graph, 0, "a.png")
    wrong = 0
    for old, new in zip(graph.regions, changed.regions, strict=True):
        pairs = [
            (getattr(old.node(side), what).label, getattr(new.node(side), what).label)
            for side in ("anchor", "target")
            for what in ("distortion", "severity")
        ]
        pairs.append((old.comparison.label, new.comparison.label))
        differs = [a != b for a, b in pairs]
        assert all(differs) or not any(differs)
        wrong += all(differs)
        scores = new.anchor.score, new.target.score
        assert graph.vocabulary.compare_scores(*scores).label == new.comparison.label  # type: ignore[arg-type]
        for side in ("anchor", "target"):
            node = new.node(side)
            clean = graph.vocabulary.clean
            assert (node.distortion.label == clean) <= (node.severity.label == clean)
    assert wrong == (len(graph.regions) + 1) // 2


def test_the_same_key_gives_the_same_hint_and_another_key_another_one() -> None:
    graph = random_graph(12, 1, DEFAULT_VOCABULARY)
    for make in (shuffled, corrupted):
        assert make(graph, 0, "a") == make(graph, 0, "a")
        assert make(graph, 0, "a") != make(graph, 1, "a")


def test_the_compact_form_is_the_one_of_the_papers_slides() -> None:
    graph = graph_from_value(native(), "sample")
    value = compact(graph, {7})
    assert value == {
        "7": {
            "anchor": {"distortion": "blur", "severity": 3, "score": 0.7},
            "target": {"distortion": "noise", "severity": 1, "score": 0.6},
            "comparison": "same",
        }
    }
    assert json.loads(compact_text(compact(graph))) == compact(graph)


def test_a_hint_keeps_labels_and_says_where_its_own_model_is_uncertain() -> None:
    value = native()
    value["regions"][0]["target"]["known"] = 0.25
    value["regions"][1]["anchor"]["known"] = 0.25
    graph = graph_from_value(value, "sample")
    hint = region_values([7, 2], graph.vocabulary, graph)["hint"]
    told, line = hint.rsplit("\n", 1)
    assert json.loads(told) == compact(graph)
    assert line == (
        "The program itself is uncertain about region 7 of the target, region 2 of the anchor."
    )
    assert region_values([2], graph.vocabulary, graph)["hint"].endswith(
        "is uncertain about region 2 of the anchor."
    )
    assert region_values([7], graph.vocabulary, graph.swapped())["hint"].endswith(
        "is uncertain about region 7 of the anchor."
    )
    # So does its shuffled control, which could be told from it otherwise.
    other = shuffled(graph, 0)
    assert "region 2 of the target, region" not in hint and region_values(
        [7, 2], graph.vocabulary, other
    )["hint"].endswith("is uncertain about region 7 of the anchor, region 2 of the target.")
    sure = graph_from_value(native(), "sample")
    assert json.loads(region_values([7, 2], graph.vocabulary, sure)["hint"]) == compact(sure)


def test_an_assessment_is_asked_for_in_words() -> None:
    value = native()
    value["regions"][0]["target"]["known"] = 0.25
    graph = graph_from_value(value, "sample")
    assert json.loads(assessment_values(graph, {7, 2}, Wish())["hint"]) == {
        "7": {
            "anchor": {"found": "blur, severe", "score": 0.7},
            "target": {"found": "uncertain", "score": 0.6},
            "comparison": "same",
        },
        "2": {
            "anchor": {"found": "clean", "score": 1.0},
            "target": {"found": "haze, severe", "score": 0.25},
            "comparison": "significantly better",
        },
    }


def test_labels_are_explained_by_a_vocabularys_own_words_first() -> None:
    own = Vocabulary(
        distortions=("fine", "brightness", "soft", "x"),
        severities=("fine", "bad"),
        comparisons=SMALL.comparisons,
        words={"brightness": "uneven light", "soft": "out of focus"},
    )
    assert distortion_lines(own) == (
        '- "fine"\n- "brightness": uneven light\n- "soft": out of focus\n- "x"'
    )
    assert '- "brightness": too bright, overexposed\n' in distortion_lines(DEFAULT_VOCABULARY)


def test_scores_have_four_places() -> None:
    value = native()
    value["regions"][0]["anchor"]["score"] = 0.123456
    value["regions"][0]["comparison"]["margin"] = 0.123456 - 0.6
    graph = graph_from_value(value, "sample")
    assert compact(graph)["7"]["anchor"]["score"] == 0.1235


@pytest.mark.parametrize("ids", [[3], [3, 4]])
def test_the_form_in_a_prompt_names_a_region_that_is_asked_about(ids: list[int]) -> None:
    assert form_text(ids).startswith('{"3": {"anchor"')
