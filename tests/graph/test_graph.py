"""The graph: its JSON, its vocabulary, swapping, freezing and its JSON Schema."""

from __future__ import annotations

import copy
import json
import pickle
from pathlib import Path
from typing import Any

import pytest
from graph_samples import native
from hypothesis import given
from hypothesis import strategies as st
from optional import present
from pydantic import ValidationError

import distortion_graph
from distortion_graph.base.errors import GraphError
from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY, ComparisonLevel, Vocabulary
from distortion_graph.graph import (
    SCHEMA,
    ComparisonBelief,
    DistortionGraph,
    ImageInfo,
    LabelBelief,
    Node,
    RegionComparison,
    json_schema,
    json_schema_text,
    load_graph,
    score_margin,
)

# --- reading and writing -------------------------------------------------------------------


def test_native_json_survives_a_round_trip_unchanged():
    data = native()
    graph = load_graph(json.dumps(data))
    assert json.loads(graph.to_json()) == data
    assert DistortionGraph.model_validate_json(graph.to_json()) == graph
    assert DistortionGraph.model_validate_json(graph.model_dump_json()) == graph
    assert DistortionGraph.model_validate(graph.model_dump()) == graph


def test_json_is_compact_stable_and_keeps_its_order():
    text = load_graph(json.dumps(native())).to_json()
    assert text.startswith('{"schema":"distortion-graph/1","vocabulary":{"distortions":["clean",')
    assert text == load_graph(text).to_json()
    assert list(json.loads(text)) == list(native())
    assert list(json.loads(text)["regions"][0]) == list(native()["regions"][0])
    assert "Schläger" in text
    assert load_graph(load_graph(text).to_json(indent=2)) == load_graph(text)


def test_values_read_as_the_issue_shows_them():
    graph = load_graph(json.dumps(native()))
    assert graph.regions[0].target.distortion.label == "noise"
    assert graph.regions[0].comparison.margin == 0.7 - 0.6
    assert graph.region(2).name == "Schläger"
    assert graph.schema_ == SCHEMA
    with pytest.raises(GraphError, match=r"no region with the id 3 \(ids: 7, 2\)"):
        graph.region(3)


def test_a_graph_may_know_almost_nothing():
    known = {"label": "blur"}, {"label": "minor"}, {"label": "same"}
    part = {"distortion": known[0], "severity": known[1]}
    region = {"id": 0, "name": "x", "anchor": part, "target": part, "comparison": known[2]}
    data = {"schema": SCHEMA, "vocabulary": native()["vocabulary"], "anchor": {}, "target": {}}
    graph = load_graph(json.dumps({**data, "regions": [region]}))
    assert graph.regions[0].anchor.score is None
    assert graph.regions[0].comparison.margin is None
    assert load_graph(graph.to_json()) == graph
    assert load_graph(json.dumps({**data, "regions": []})).regions == ()


def test_direct_construction_is_validated_too():
    graph = load_graph(json.dumps(native()))
    with pytest.raises(ValidationError, match="also the id of"):
        DistortionGraph(
            vocabulary=graph.vocabulary,
            anchor=ImageInfo(),
            target=ImageInfo(),
            regions=(graph.regions[1], graph.regions[1]),
        )


# --- further distortions and opinion -------------------------------------------------------


def test_a_graph_from_before_further_distortions_has_none():
    def without(*keys, null=False):
        data = native()
        parts = [r[side] for r in data["regions"] for side in ("anchor", "target")]
        for part in [*parts, data["scene"]["anchor"], data["scene"]["target"]]:
            for key in set(keys) & set(part):
                part[key] = None
                if not null:
                    del part[key]
        return load_graph(json.dumps(data))

    absent, null = without("also", "opinion"), without("also", "opinion", null=True)
    assert absent == null
    assert absent.regions[0].target.also == () and absent.regions[0].target.opinion is None
    assert absent.scene.anchor.opinion is None
    assert json.loads(absent.to_json())["regions"][0]["target"]["also"] == []


def test_further_distortions_and_opinion_go_with_their_node_when_swapped():
    graph = load_graph(json.dumps(native()))
    node, scene = graph.regions[0].target, graph.scene
    swapped = graph.swapped()
    assert [f.label for f in swapped.regions[0].anchor.also] == ["darken", "blur"]
    assert swapped.regions[0].anchor.also == node.also
    assert swapped.regions[0].anchor.opinion == node.opinion == 0.375
    assert swapped.regions[0].target.also == ()
    assert present(swapped.scene).target.opinion == present(scene).anchor.opinion == 0.625


def test_a_node_reads_as_its_distortions_with_their_severities():
    graph = load_graph(json.dumps(native()))
    clean, noisy = graph.regions[1].anchor, graph.regions[0].target
    assert graph.text_of(noisy) == "noise, minor; also too dark, moderate; also blur, minor"
    assert graph.text_of(noisy, " · ") == (
        "noise · minor; also too dark · moderate; also blur · minor"
    )
    assert graph.text_of(clean) == "clean"
    assert graph.in_words(noisy) == ("noise", "minor")
    assert graph.text_of(noisy.model_copy(update={"known": 0.25})) == "uncertain"


# --- custom vocabulary ---------------------------------------------------------------------


def custom_graph(label="dust", severity="bad", comparison_label="r2") -> DistortionGraph:
    steps = [(-2, 0.5), (-1, 0.25), (0, 0.0), (1, 0.25), (2, 0.5)]
    levels = tuple(ComparisonLevel(label=f"r{k}", rank=k, min_abs_d=d) for k, d in steps)
    part = Node(
        distortion=LabelBelief(label=label), severity=LabelBelief(label=severity), score=0.75
    )
    fine = Node(distortion=LabelBelief(label="fine"), severity=LabelBelief(label="fine"), score=1.0)
    return DistortionGraph(
        vocabulary=Vocabulary(
            distortions=("dust", "fine"), severities=("fine", "bad"), comparisons=levels
        ),
        anchor=ImageInfo(),
        target=ImageInfo(),
        regions=(
            RegionComparison(
                id=0,
                name="film",
                anchor=fine,
                target=part,
                comparison=ComparisonBelief(label=comparison_label, margin=0.25),
            ),
        ),
    )


def test_labels_obey_the_graphs_own_vocabulary():
    graph = custom_graph()
    assert load_graph(graph.to_json()) == graph
    assert graph.swapped().regions[0].comparison.label == "r-2"
    for wrong in ({"label": "blur"}, {"severity": "severe"}, {"comparison_label": "same"}):
        with pytest.raises(ValidationError, match="unknown"):
            custom_graph(**wrong)
    with pytest.raises(ValidationError, match="both or neither to be 'fine'"):
        custom_graph(severity="fine")


# --- shared masks, swapping, freezing ------------------------------------------------------


def with_target_mask():
    data = native()
    data["regions"][0]["target"] |= {
        "mask": {"size": [4, 3], "counts": "228"},
        "bbox_xywh_px": [0, 2, 1, 2],
    }
    return data


def test_the_targets_mask_and_box_fall_back_to_the_anchors():
    region = load_graph(json.dumps(native())).regions[0]
    assert region.target.mask is None
    assert region.mask_of("target") == region.mask_of("anchor") == region.anchor.mask
    assert region.bbox_of("target") == (0, 0, 1, 2)
    own = load_graph(json.dumps(with_target_mask())).regions[0]
    assert present(own.mask_of("target")).counts == "228"
    assert own.bbox_of("target") == (0, 2, 1, 2)
    assert own.bbox_of("anchor") == (0, 0, 1, 2)


@pytest.mark.parametrize("data", [native(), with_target_mask()])
def test_swapping_mirrors_everything_and_twice_gives_the_graph_back(data):
    graph = load_graph(json.dumps(data))
    swapped = graph.swapped()
    assert load_graph(swapped.to_json()) == swapped  # valid by every rule
    assert swapped.swapped() == graph
    assert swapped.swapped().to_json() == graph.to_json()
    assert swapped.anchor == graph.target
    assert swapped.relations[0].image == "target"
    assert present(present(swapped.scene).comparison).label == "slightly_worse"
    assert present(swapped.scene).anchor == present(graph.scene).target
    for there, back in zip(graph.regions, swapped.regions, strict=True):
        assert back.anchor.distortion == there.target.distortion
        assert back.mask_of("anchor") == there.mask_of("target")
        assert back.mask_of("target") == there.mask_of("anchor")
        assert back.comparison.margin == -present(there.comparison.margin)
        p, q = there.comparison.probabilities, back.comparison.probabilities
        assert present(q)["significantly_worse"] == present(p)["significantly_better"]
        assert present(q)["same"] == present(p)["same"]
    assert swapped.regions[1].comparison.label == "significantly_worse"


@given(st.floats(0, 1), st.floats(0, 1))
def test_margins_are_exact_and_never_minus_zero(a, b):
    margin = score_margin(a, b)
    assert margin == a - b
    mirrored = ComparisonBelief(label="same", margin=margin).mirrored(DEFAULT_VOCABULARY)
    assert mirrored.margin == score_margin(b, a)
    assert repr(mirrored.margin) == repr(score_margin(b, a))
    assert repr(mirrored.margin) != "-0.0"


def test_frozen_all_through_hashable_and_copyable():
    graph = load_graph(json.dumps(native()))
    beliefs: Any = graph.regions[0].anchor.distortion.probabilities
    before = graph.to_json()
    with pytest.raises(ValidationError, match="frozen"):
        graph.regions[0].anchor.score = 0.1  # type: ignore[misc]
    for change in (
        lambda: beliefs.__setitem__("blur", 0.0),
        lambda: beliefs.update(blur=0.0),
        lambda: beliefs.pop("blur"),
        lambda: beliefs.__delitem__("blur"),
        lambda: beliefs.setdefault("x", 0.0),
        lambda: beliefs.__ior__({"blur": 0.0}),
        beliefs.popitem,
        beliefs.clear,
    ):
        with pytest.raises(TypeError, match="cannot be changed"):
            change()
    assert graph.to_json() == before
    assert hash(graph) == hash(load_graph(before))
    assert pickle.loads(pickle.dumps(graph)) == graph
    assert copy.deepcopy(graph) == graph
    assert graph.model_copy(deep=True) == graph


# --- JSON Schema ---------------------------------------------------------------------------


def test_the_stored_json_schema_is_current():
    folder = Path(distortion_graph.__file__).parent / "schema"
    stored = (folder / "distortion-graph-1.schema.json").read_text(encoding="utf-8")
    assert stored == json_schema_text(), (
        "the types have changed: write distortion_graph.graph.json_schema_text() to the file"
    )


def test_the_json_schema_describes_what_is_written():
    schema = json_schema()
    data = native()
    assert set(schema["properties"]) == set(data)
    assert {"schema", "vocabulary", "anchor", "target", "regions"} == set(schema["required"])
    assert schema["properties"]["schema"]["const"] == SCHEMA
    assert set(schema["$defs"]["RegionComparison"]["properties"]) == set(data["regions"][0])
    assert set(schema["$defs"]["Node"]["properties"]) == set(data["regions"][0]["anchor"])
    for part in (schema, *schema["$defs"].values()):
        assert part["additionalProperties"] is False
