"""The compact form of a graph in a prompt, which is also the form of an answer.

One entry per region, keyed by its mark, the region's id as text:

    {"3": {"anchor": {"distortion": "blur", "severity": 2, "score": 0.6123},
           "target": {"distortion": "clean", "severity": 0, "score": 1.0},
           "comparison": "significantly_worse"}}

Labels stand in it as they are, since answers are to have them; severity is a position on the
vocabulary's scale, the score has four places.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import Any

from distortion_graph.base.vocabulary import Vocabulary
from distortion_graph.graph import DistortionGraph, Node, RegionComparison

DECIMALS = 4


def compact(graph: DistortionGraph, ids: Collection[int] | None = None) -> dict[str, Any]:
    """The regions of a graph, or those of them in `ids`, in the graph's order."""
    return {
        str(region.id): compact_region(region, graph.vocabulary)
        for region in graph.regions
        if ids is None or region.id in ids
    }


def compact_region(region: RegionComparison, vocabulary: Vocabulary) -> dict[str, Any]:
    """One region's two nodes and their comparison."""
    return {
        "anchor": _node(region.anchor, vocabulary),
        "target": _node(region.target, vocabulary),
        "comparison": region.comparison.label,
    }


def _node(node: Node, vocabulary: Vocabulary) -> dict[str, Any]:
    return {
        "distortion": node.distortion.label,
        "severity": vocabulary.severity_index(node.severity.label),
        "score": None if node.score is None else round(node.score, DECIMALS),
    }


def compact_text(value: dict[str, Any]) -> str:
    """Its JSON, a line per entry."""
    lines = (f"{json.dumps(key)}: {json.dumps(entry)}" for key, entry in value.items())
    return "{" + ",\n ".join(lines) + "}"


def form_text(ids: Sequence[int]) -> str:
    """The form as a prompt shows it, without anything that could be taken for an answer."""
    node = '{"distortion": "…", "severity": …, "score": …}'
    entry = f'{{"anchor": {node}, "target": {node}, "comparison": "…"}}'
    first = f'{{"{ids[0]}": {entry}'
    return first + (", …}" if len(ids) > 1 else "}")


def answer_schema(ids: Sequence[int], vocabulary: Vocabulary) -> dict[str, Any]:
    """The JSON Schema of an answer for these regions, in the subset that endpoints take as strict.

    Every property is required and no other allowed. What all regions share stands once, in
    `$defs`, because endpoints bound how many words all enumerations may have.
    """
    node = {
        "distortion": {"type": "string", "enum": list(vocabulary.distortions)},
        "severity": {"type": "integer", "enum": list(range(len(vocabulary.severities)))},
        "score": {"type": "number"},
    }
    entry = {
        "anchor": {"$ref": "#/$defs/node"},
        "target": {"$ref": "#/$defs/node"},
        "comparison": {"type": "string", "enum": list(reversed(vocabulary.comparison_labels))},
    }
    regions = {str(region_id): {"$ref": "#/$defs/region"} for region_id in ids}
    return {**closed(regions), "$defs": {"node": closed(node), "region": closed(entry)}}


def closed(properties: dict[str, Any]) -> dict[str, Any]:
    """The schema of an object with exactly these properties."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
