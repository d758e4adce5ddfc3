"""What the page's script needs of a graph, as JSON: labels as positions, outlines as SVG paths."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from distortion_graph.formats.marked import size_of
from distortion_graph.graph import (
    SIDES,
    AnyRegion,
    DistortionGraph,
    LabelBelief,
    Node,
    RegionAlone,
    RegionComparison,
    Side,
    rows_of,
)
from distortion_graph.report.html.agreement import Agreement, RegionAgreement
from distortion_graph.report.html.judging import judgement_view
from distortion_graph.report.html.shapes import deepest_point, outlines
from distortion_graph.report.mapping import laid_of
from distortion_graph.report.places import differing_share, place_text, places, places_on
from distortion_graph.report.wording import (
    DIMMED,
    UNCERTAIN,
    all_regions,
    alone_last,
    alone_text,
    evidence_texts,
    marks,
    metric_texts,
    node_on,
    printable,
    score_places,
    shared_text,
    words,
)

# Probabilities below this are left out: they show as nothing.
_LEAST_SHOWN = 0.005


def view(graph: DistortionGraph, agreed: Agreement | None = None) -> dict[str, Any]:
    """The page's data.

    Regions stand in the graph's order, those of one picture alone last, with null for the other
    node and for the comparison; `worst_first` are their positions, worst and then most different
    first. Sizes are [width, height] in pixels, null where the graph tells none. `cropped`: only the
    common part of the pictures, from their top left corner, was compared. `laid`: how the target
    lies on the anchor, null where they lie on each other as they are. A region `differs` where
    people are told of places in it; their boxes are those of each picture.
    """
    regions = all_regions(graph)
    place = {region.id: k for k, region in enumerate(regions)}
    paths = list(zip(*(_paths(graph, regions, side) for side in SIDES), strict=True))
    return {
        "words": _words(graph),
        "cropped": graph.fit == "crop",
        "laid": _laid(graph),
        "sides": [_side(graph, side) for side in SIDES],
        "regions": [
            _lone(graph, region, there)
            if isinstance(region, RegionAlone)
            else _region(graph, region, there, agreed)
            for region, there in zip(regions, paths, strict=True)
        ],
        "worst_first": [place[region.id] for region in alone_last(graph)],
        "relations": [
            {
                "subject": place[relation.subject],
                "predicate": printable(relation.predicate),
                "object": place[relation.object],
                "image": relation.image,
            }
            for relation in graph.relations
        ],
        "truth": agreed is not None,
    }


def script_json(value: Mapping[str, Any]) -> str:
    """JSON that may stand inside a `<script>` element, whatever text is in it."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def title_of(graph: DistortionGraph, side: Side) -> str:
    """The picture's file name, or which side it is."""
    info = graph.picture_of(side)
    return printable(Path(info.source).name) if info.source else side


def reference_title(graph: DistortionGraph) -> str:
    """The file name of a third picture that is the original; empty where it has none."""
    info = graph.reference and graph.reference.picture
    return printable(Path(info.source).name) if info and info.source else ""


def _words(graph: DistortionGraph) -> dict[str, Any]:
    vocabulary = graph.vocabulary
    return {
        "clean": vocabulary.clean_index,
        "distortions": [words(vocabulary, label) for label in vocabulary.distortions],
        "severities": [words(vocabulary, label) for label in vocabulary.severities],
        "comparisons": [
            {
                "text": words(vocabulary, level.label),
                "rank": level.rank,
                "marks": marks(level.rank),
            }
            for level in vocabulary.comparisons
        ],
        "uncertain": UNCERTAIN,
        "scorePlaces": score_places(vocabulary),
    }


def _side(graph: DistortionGraph, side: Side) -> dict[str, Any]:
    size = size_of(graph, side)
    return {"name": side, "size": None if size is None else [size[1], size[0]]}


def _laid(graph: DistortionGraph) -> dict[str, Any] | None:
    """Matrices from the target's pixels to the anchor's, and the corners of what both show.

    `onto` lays the target on the anchor, `beside` shows it beside the anchor in its own shape.
    """
    laid = laid_of(graph)
    if laid is None:
        return None
    return {
        "onto": rows_of(laid.onto[0]),
        "beside": rows_of(laid.beside),
        "dimmed": DIMMED if laid.has_more else None,
        "shown": [laid.shown(side).round(2).tolist() for side in SIDES],
    }


def _paths(
    graph: DistortionGraph, regions: Sequence[AnyRegion], side: Side
) -> Sequence[str | None]:
    size = size_of(graph, side)
    if size is None:
        return [None] * len(regions)
    return outlines([region.mask_of(side) for region in regions], size)


def _spot(graph: DistortionGraph, region: AnyRegion, side: Side) -> tuple[int, int] | None:
    """Where the region's number stands."""
    size = size_of(graph, side)
    return None if size is None else deepest_point(region.mask_of(side), size)


def _region(
    graph: DistortionGraph,
    region: RegionComparison,
    paths: Sequence[str | None],
    agreed: Agreement | None,
) -> dict[str, Any]:
    vocabulary = graph.vocabulary
    truth = agreed.regions.get(region.id) if agreed else None
    labels = vocabulary.comparison_labels
    entry = _any_region(graph, region, paths) | {
        "comparison": vocabulary.comparison_index(region.comparison.label),
        "beliefs": _beliefs(region.comparison, labels),
    }
    if region.evidence is not None:
        entry["evidence"] = evidence_texts(region.evidence)
        entry["metrics"] = metric_texts(graph, region.evidence)
    if places(graph, region):
        entry["differs"] = {
            "text": place_text(graph, region),
            "share": differing_share(region),
            "boxes": [
                [[round(v, 1) for v in box] for box in places_on(graph, region, side)]
                for side in SIDES
            ],
        }
    if region.judged is not None:
        entry["judged"] = judgement_view(graph, region.judged)
    if truth is not None:
        entry["truth"] = _truth(graph, truth)
    return entry


def _lone(
    graph: DistortionGraph, region: RegionAlone, paths: Sequence[str | None]
) -> dict[str, Any]:
    more: dict[str, Any] = {"comparison": None, "beliefs": [], "alone": alone_text(region)}
    return _any_region(graph, region, paths) | more


def _any_region(
    graph: DistortionGraph, region: AnyRegion, paths: Sequence[str | None]
) -> dict[str, Any]:
    return {
        "id": region.id,
        "name": printable(region.name),
        "area": region.area_fraction,
        "shared": shared_text(region),
        "nodes": [_node(graph, node_on(region, side)) for side in SIDES],
        "paths": list(paths),
        "boxes": [region.bbox_of(side) for side in SIDES],
        "spots": [_spot(graph, region, side) for side in SIDES],
    }


def _node(graph: DistortionGraph, node: Node | None) -> dict[str, Any] | None:
    if node is None:
        return None
    vocabulary = graph.vocabulary
    found: dict[str, Any] = {
        "distortion": vocabulary.distortion_index(node.distortion.label),
        "severity": vocabulary.severity_index(node.severity.label),
        "score": node.score,
        "known": None if node.known is None else round(node.known, 3),
        "beliefs": {
            "distortion": _beliefs(node.distortion, vocabulary.distortions),
            "severity": _beliefs(node.severity, vocabulary.severities),
        },
    }
    if graph.is_uncertain(node):
        found["uncertain"] = True
    if node.opinion is not None:
        found["opinion"] = round(node.opinion, 3)
    if node.also:
        found["also"] = [
            (
                vocabulary.distortion_index(further.label),
                vocabulary.severity_index(further.severity),
            )
            for further in node.also
        ]
    return found


def _beliefs(belief: LabelBelief, labels: Sequence[str]) -> list[tuple[int, float]]:
    """(position, probability), the likeliest first."""
    known = belief.probabilities
    if known is None:
        known = {} if belief.probability is None else {belief.label: belief.probability}
    likely = [(labels.index(label), round(p, 3)) for label, p in known.items() if p >= _LEAST_SHOWN]
    return sorted(likely, key=lambda entry: (-entry[1], entry[0]))


def _truth(graph: DistortionGraph, truth: RegionAgreement) -> dict[str, Any]:
    vocabulary = graph.vocabulary
    return {
        "mistakes": truth.mistakes,
        "nodes": [
            {
                "distortion": vocabulary.distortion_index(node.true_distortion),
                "severity": vocabulary.severity_index(node.true_severity),
                "score": node.true_score,
            }
            for node in truth.nodes
        ],
        "comparison": vocabulary.comparison_index(truth.true_comparison),
    }
