"""JSON-LD: the native object with a context, names and types, so that RDF tools get triples.

Every addition is a key that begins with `@`; without them the object is the native one, less its
nulls. The context is inside, nothing is fetched. A graph is named by the hash of its native JSON,
its parts by a fragment: `…#anchor:7` is region 7 in the anchor. Under `@included` stand the edges
as plain triples: `comparesTo` from anchor to target, and each relation with an IRI of its
predicate.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any
from urllib.parse import quote

from distortion_graph.base.errors import GraphError
from distortion_graph.formats.flat import SCENE, node_name
from distortion_graph.graph import SIDES, DistortionGraph, graph_from_value, parse_json

TERMS = "urn:distortion-graph:1#"
"""The IRIs of types and keys begin so: `urn:distortion-graph:1#score`."""
RELATIONS = "urn:distortion-graph:relation:"
"""The IRIs of relations begin so; the predicate follows, percent-encoded."""

_LABELLED = ("probabilities", "distortion_share", "more")
"""Keys of maps from labels, which may begin with `@` themselves, and from names of metrics."""

_EMPTY = ("more", *SIDES)
"""Keys of evidence and of judgements that are left out where they hold nothing."""

CONTEXT: dict[str, Any] = {
    "@version": 1.1,
    "@vocab": TERMS,
    "name": "http://www.w3.org/2000/01/rdf-schema#label",
    "comparesTo": {"@type": "@id"},
    **{key: {"@type": "@json"} for key in (*_LABELLED, "spots", "range")},
    **{
        key: {"@container": "@list"}
        for key in (
            *("distortions", "severities", "comparisons", "metrics", "also", "size"),
            "bbox_xywh_px",
        )
    },
}
"""What the keys mean: terms of `TERMS`, maps, spots and ranges as JSON, lists in their order."""


def to_json_ld(graph: DistortionGraph) -> dict[str, Any]:
    """The JSON-LD object of a graph."""
    # Nulls are left out: some readers make an empty list of one. So is what is empty in `also`,
    # `metrics` and `more`.
    value: dict[str, Any] = graph.model_dump(mode="json", by_alias=True, exclude_none=True)
    name = f"urn:distortion-graph:sha256:{hashlib.sha256(graph.to_json().encode()).hexdigest()}"
    for side in SIDES:
        value[side] = _named(f"{name}#{side}", "Picture", value[side])
    for key in {"vocabulary", "model", "reference", "scores"} & value.keys():
        value[key] = {"@type": key.capitalize(), **value[key]}
    if "picture" in value.get("reference", {}):
        original = _named(f"{name}#reference", "Picture", value["reference"]["picture"])
        value["reference"]["picture"] = original
    value["regions"] = [_region(name, region) for region in value["regions"]]
    if "scene" in value:
        value["scene"] = _compared(name, SCENE, "Scene", value["scene"])
    if metrics := value.pop("metrics"):
        value["metrics"] = [{"@type": "Metric", **metric} for metric in metrics]
    value["relations"] = [{"@type": "Relation", **relation} for relation in value["relations"]]
    edges = _edges(name, graph)
    return {
        "@context": CONTEXT,
        **_named(name, "DistortionGraph", value),
        **({"@included": edges} if edges else {}),
    }


def dumps(graph: DistortionGraph, indent: int | None = None) -> str:
    """JSON-LD text."""
    return json.dumps(to_json_ld(graph), ensure_ascii=False, allow_nan=False, indent=indent)


def is_json_ld(value: Any) -> bool:
    """Whether a JSON value is JSON-LD."""
    return isinstance(value, dict) and "@context" in value


def from_json_ld(value: Any, *, where: str = "JSON-LD graph") -> DistortionGraph:
    """The graph of such an object: what is left without its additions.

    It is read as JSON, so it must have the shape that `to_json_ld` gives it. Raises GraphError.
    """
    try:
        native = _stripped(value)
    except RecursionError as error:
        raise GraphError(f"{where}: JSON nested too deeply, expected a graph object") from error
    return graph_from_value(native, where)


def loads(text: str | bytes, *, where: str = "JSON-LD graph") -> DistortionGraph:
    """Read JSON-LD text; raises GraphError as `from_json_ld` does."""
    return from_json_ld(parse_json(text, where), where=where)


def _stripped(value: Any) -> Any:
    if isinstance(value, list):
        return [_stripped(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    return {
        key: entry if key in _LABELLED else _stripped(entry)
        for key, entry in value.items()
        if not key.startswith("@")
    }


def _named(name: str, kind: str, value: dict[str, Any]) -> dict[str, Any]:
    return {"@id": name, "@type": kind, **value}


def _region(graph: str, region: dict[str, Any]) -> dict[str, Any]:
    return _compared(graph, str(region["id"]), "Region", region)


def _compared(graph: str, what: str, kind: str, value: dict[str, Any]) -> dict[str, Any]:
    """A region or the scene: its two nodes and its comparison get names too."""
    prefix = "" if what == SCENE else "region:"
    value = _named(f"{graph}#{prefix}{what}", kind, value)
    for side in SIDES:
        node = _named(f"{graph}#{node_name(side, what)}", f"{kind}Node", value[side])
        for belief in {"distortion", "severity"} & node.keys():
            node[belief] = {"@type": "Belief", **node[belief]}
        if also := node.pop("also", []):
            node["also"] = [{"@type": "FurtherDistortion", **further} for further in also]
        value[side] = node
    if "comparison" in value:
        name = f"{graph}#comparison:{what}"
        value["comparison"] = _named(name, "Comparison", value["comparison"])
    parts = (("evidence", "Evidence"), ("differs", "Difference"), ("judged", "Judgement"))
    for key, kind in parts:
        if key in value:
            known = {name: fact for name, fact in value[key].items() if fact or name not in _EMPTY}
            value[key] = {"@type": kind, **known}
    return value


def _edges(name: str, graph: DistortionGraph) -> list[dict[str, Any]]:
    """A node object a starting point, with all edges from it."""
    edges: dict[str, dict[str, Any]] = {}

    def add(start: str, predicate: str, end: str) -> None:
        node = edges.setdefault(start, {"@id": f"{name}#{start}"})
        node.setdefault(predicate, []).append({"@id": f"{name}#{end}"})

    compared: list[int | str] = [region.id for region in graph.regions]
    for what in compared + ([SCENE] if graph.scene and graph.scene.comparison else []):
        add(node_name("anchor", what), "comparesTo", node_name("target", what))
    for relation in graph.relations:
        predicate = RELATIONS + quote(relation.predicate, safe="")
        for side in SIDES:
            if relation.image in (side, "both"):
                start, end = node_name(side, relation.subject), node_name(side, relation.object)
                add(start, predicate, end)
    return list(edges.values())
