"""Regions that one picture alone has, and how two pictures lie on each other, in the graph."""

from __future__ import annotations

import json
from typing import Any

import pytest
from graph_samples import native

from distortion_graph.base.errors import GraphError
from distortion_graph.graph import DistortionGraph, json_schema, load_graph

SHIFT = [[1.0, 0.0, 2.0], [0.0, 1.0, 3.5], [0.0, 0.0, 1.0]]
BACK = [[1.0, 0.0, -2.0], [0.0, 1.0, -3.5], [0.0, 0.0, 1.0]]


def alone(side: str, region_id: int = 9) -> dict[str, Any]:
    """A region of one picture, as a file has it: the anchor's first region without a partner."""
    node = native()["regions"][0]["anchor"]
    other = "target" if side == "anchor" else "anchor"
    return {
        "id": region_id,
        "name": "kite",
        "area_fraction": 0.1,
        "valid": 0,
        side: node,
        other: None,
        "comparison": None,
        "evidence": None,
        "differs": None,
        "judged": None,
    }


def aligned(*regions: Any, **alignment: Any) -> dict[str, Any]:
    """The sample graph with further regions and a shift."""
    data: dict[str, Any] = native()
    data["regions"] += regions
    data["alignment"] = {
        "model": "translation",
        "matrix": SHIFT,
        "inverse": BACK,
        "residual_px": 0.1,
        "overlap": 0.9,
        "target_overlap": 0.8,
        "confidence": 0.99,
        "same_scene": 0.98,
        "reason": None,
        "frame": "anchor",
    } | alignment
    return data


def test_regions_of_one_picture_stand_in_the_one_list_of_a_file_after_the_others():
    data = aligned(alone("anchor"), alone("target", 11))
    graph = load_graph(json.dumps(data))
    assert [region.id for region in graph.regions] == [7, 2]
    assert [(region.id, region.side) for region in graph.alone] == [(9, "anchor"), (11, "target")]
    written = json.loads(graph.to_json())
    assert written["regions"] == data["regions"]
    assert written == data
    assert load_graph(graph.to_json()) == graph
    assert DistortionGraph.model_validate(graph.model_dump()) == graph


def test_swapping_exchanges_lone_regions_and_the_alignment_and_twice_gives_the_graph_back():
    graph = load_graph(json.dumps(aligned(alone("anchor"))))
    swapped = graph.swapped()
    assert [region.side for region in swapped.alone] == ["target"]
    assert swapped.alignment is not None
    assert json.loads(swapped.to_json())["alignment"]["matrix"] == BACK
    assert (swapped.alignment.overlap, swapped.alignment.frame) == (0.8, "target")
    assert swapped.swapped() == graph


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"target": None, "anchor": None}, "regions[2]: anchor and target are both null"),
        ({"id": 7}, "regions[2].id: 7 is also the id of regions[0]"),
        ({"comparison": {"label": "same"}}, "expected None"),
        ({"valid": 0.5}, "valid"),
    ],
)
def test_what_a_lone_region_may_not_have_is_said(change, line):
    region = alone("anchor") | change
    with pytest.raises(GraphError) as error:
        load_graph(json.dumps(aligned(region)))
    assert line.split(": ")[-1] in str(error.value)


def test_a_key_alone_is_refused_in_a_file_beside_regions_of_one_picture():
    data = aligned(alone("anchor")) | {"alone": []}
    with pytest.raises(GraphError, match="unknown key 'alone'"):
        load_graph(json.dumps(data))


def test_a_region_without_a_comparison_must_be_of_one_picture():
    data = native()
    data["regions"][0]["comparison"] = None
    with pytest.raises(GraphError, match=r"regions\[0\].comparison"):
        load_graph(json.dumps(data))


def test_a_matrix_belongs_to_every_model_but_flow():
    with pytest.raises(GraphError, match="no matrix given of the model 'translation'"):
        load_graph(json.dumps(aligned(matrix=None, inverse=None)))
    assert load_graph(json.dumps(aligned(model="flow", matrix=None, inverse=None))).alignment


def test_the_json_schema_lists_both_kinds_of_regions_in_one_list():
    items = json_schema()["properties"]["regions"]["items"]
    assert {part["$ref"] for part in items["anyOf"]} == {
        "#/$defs/RegionComparison",
        "#/$defs/RegionAlone",
    }
