"""Where scores come from, and the original: what a graph says of them, and what contradicts it."""

from __future__ import annotations

import json

import pytest
from graph_samples import native, node

from distortion_graph.base.errors import GraphError
from distortion_graph.graph import DistortionGraph, ReferenceInfo, Scores, load_graph


def read(**changes):
    return load_graph(json.dumps(native() | changes))


def line(**changes):
    with pytest.raises(GraphError) as caught:
        read(**changes)
    return str(caught.value).removeprefix("graph text: ")


def with_clean_anchor(score):
    """The sample with an anchor in which nothing is wrong, which is the reference."""
    data = native()
    for region in data["regions"]:
        region["anchor"] = node("clean", "clean", score)
        region["comparison"]["margin"] = score - region["target"]["score"]
    return data | {"reference": {"role": "anchor"}}


def test_both_may_be_left_out_and_a_third_picture_is_kept():
    graph = read(reference=None, scores=None)
    assert (graph.reference, graph.scores) == (None, None)
    data = native()
    del data["reference"], data["scores"]
    assert load_graph(json.dumps(data)) == graph
    assert DistortionGraph.model_validate(native()).to_json().count('"original.png"') == 1
    assert read(reference=None, scores={"source": "predicted"}).scores == Scores(source="predicted")


def test_the_side_that_is_the_reference_swaps_with_the_pictures():
    graph = load_graph(json.dumps(with_clean_anchor(1.0)))
    assert graph.reference == ReferenceInfo(role="anchor") and graph.reference.side == "anchor"
    back = graph.swapped()
    assert back.reference == ReferenceInfo(role="target")
    assert DistortionGraph.model_validate_json(back.to_json()) == back
    assert back.swapped() == graph
    third = load_graph(json.dumps(native()))
    assert third.swapped().reference == third.reference and third.swapped().scores == third.scores


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (
            {"reference": {"role": "third"}},
            "reference: picture is null with the role 'third', expected the third picture",
        ),
        (
            {"reference": {"role": "anchor", "picture": {"source": "a.png"}}},
            "reference: picture is given with the role 'anchor', expected null",
        ),
        (
            {"reference": {"role": "both"}},
            "reference.role: expected 'anchor', 'target' or 'third', found 'both'",
        ),
        ({"scores": None}, "scores: source is null beside a reference, expected 'measured'"),
        (
            {"scores": {"source": "predicted"}},
            "scores: source is 'predicted' beside a reference, expected 'measured'",
        ),
        (
            {"reference": {"role": "target"}},
            "regions[0].target.distortion: is 'noise' in the reference, expected 'clean' "
            "(and 3 more problems)",
        ),
    ],
)
def test_contradictions_are_named(changes, says):
    assert line(**changes) == says


def test_the_reference_scores_one():
    with pytest.raises(GraphError) as caught:
        load_graph(json.dumps(with_clean_anchor(0.875)))
    assert "regions[0].anchor.score: is 0.875 in the reference, expected 1" in str(caught.value)
