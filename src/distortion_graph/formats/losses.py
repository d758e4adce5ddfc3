"""What each form can hold of a graph, and what of a given graph is lost in one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Literal, TypeAlias

from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY
from distortion_graph.formats.flat import flat_evidence
from distortion_graph.formats.marked import regions_left_out
from distortion_graph.graph import (
    SIDES,
    DistortionGraph,
    Evidence,
    FurtherDistortion,
    LabelBelief,
    Node,
    SceneNode,
)

Form: TypeAlias = Literal[
    "native",
    "published",
    "node-link",
    "graphml",
    "json-ld",
    "dot",
    "csv",
    "parquet",
    "coco",
    "label-studio",
    "cvat",
]
"""How a graph is written; the first five are read as well."""

_DECIMALS = 4  # of scores in the published form and in drawings

_MODEL, _PICTURES, _HASHES, _VOCABULARY = "model", "pictures", "picture hashes", "vocabulary"
_FIT, _TRANSPARENCY = "how sizes were fitted", "transparency"
_ALIGNED, _VALID, _ALONE = "alignment", "shares that both show", "regions of one picture"
_REFERENCE = "reference"
_IDS, _AREAS, _MASKS, _BOXES = "region ids", "areas", "masks", "boxes"
_PROBABILITIES, _OTHERS, _KNOWN = "probabilities", "probabilities of other labels", "known"
_OPINION, _FURTHER = "opinion", "further distortions"
_DIGITS, _EVIDENCE, _DIFFERS = "score digits", "evidence", "differences"
_METRICS, _JUDGED = "metric descriptions", "judgements"
_SCENE, _RELATIONS = "scene", "relations"

LOST: Mapping[Form, tuple[str, ...]] = MappingProxyType(
    {
        "native": (),
        "published": (
            _MODEL, _PICTURES, _FIT, _ALIGNED, _REFERENCE, _HASHES, _TRANSPARENCY, _VOCABULARY,
            _IDS, _AREAS, _VALID, _ALONE, _MASKS, _BOXES, _PROBABILITIES, _OTHERS, _KNOWN,
            _OPINION, _FURTHER, _DIGITS, _EVIDENCE, _METRICS, _DIFFERS, _JUDGED, _SCENE,
        ),
        "node-link": (),
        "graphml": (),
        "json-ld": (),
        "dot": (
            _MODEL, _PICTURES, _FIT, _ALIGNED, _REFERENCE, _HASHES, _TRANSPARENCY, _VOCABULARY,
            _AREAS, _VALID, _ALONE, _MASKS, _BOXES, _PROBABILITIES, _OTHERS, _KNOWN, _OPINION,
            _DIGITS, _EVIDENCE, _METRICS, _DIFFERS, _JUDGED,
        ),
        "csv": (
            _MODEL, _PICTURES, _FIT, _ALIGNED, _REFERENCE, _HASHES, _TRANSPARENCY, _VOCABULARY,
            _METRICS,
        ),
        "parquet": (
            _MODEL, _PICTURES, _FIT, _ALIGNED, _REFERENCE, _HASHES, _TRANSPARENCY, _VOCABULARY,
            _METRICS,
        ),
        "coco": (
            _FIT, _ALIGNED, _REFERENCE, _TRANSPARENCY, _VALID, _ALONE, _OTHERS, _JUDGED, _SCENE,
            _RELATIONS,
        ),
        "label-studio": (
            _FIT, _ALIGNED, _REFERENCE, _HASHES, _TRANSPARENCY, _VOCABULARY, _AREAS, _VALID,
            _ALONE, _BOXES, _OTHERS, _KNOWN, _OPINION, _FURTHER, _EVIDENCE, _METRICS, _DIFFERS,
            _JUDGED, _SCENE,
        ),
        "cvat": (
            _MODEL, _FIT, _ALIGNED, _REFERENCE, _HASHES, _TRANSPARENCY, _VOCABULARY, _VALID,
            _ALONE, _OTHERS, _METRICS, _JUDGED, _SCENE, _RELATIONS,
        ),
    }
)  # fmt: skip
"""The parts that a form cannot hold.

Names, labels, scores and comparisons are in every form. `vocabulary` means scales, thresholds and
words, `metric descriptions` what further metrics are, `reference` the original and by which metric
scores were measured.
"""

MASK_FORMS: tuple[Form, ...] = ("coco", "label-studio", "cvat")
"""Forms that leave out a region without a mask."""


def lost_parts(graph: DistortionGraph, form: Form) -> tuple[str, ...]:
    """The parts of this graph that the form cannot hold, in the order of the table."""
    return tuple(part for part in LOST[form] if _PRESENT[part](graph))


def loss_lines(graph: DistortionGraph, form: Form) -> Iterator[str]:
    """What to say of the losses, a line per kind: parts, and regions without a mask."""
    lost = lost_parts(graph, form)
    if lost:
        them = "they are" if len(lost) > 1 or lost[0].endswith("s") else "it is"
        yield f"{form} cannot hold: {', '.join(lost)}; {them} left out"
    regions = regions_left_out(graph) if form in MASK_FORMS else ()
    if regions:
        names = [f"{region.id} ({region.name:.40})" for region in regions[:5]]
        more = f" and {len(regions) - 5} more" if len(regions) > 5 else ""
        yield f"{form} holds masks; left out where there is none: region {', '.join(names)}{more}"


def _nodes(graph: DistortionGraph) -> Iterator[Node]:
    yield from (region.node(side) for region in graph.regions for side in SIDES)
    yield from (lone.node for lone in graph.alone)


def _all_nodes(graph: DistortionGraph) -> Iterator[Node | SceneNode]:
    yield from _nodes(graph)
    if graph.scene is not None:
        yield from (graph.scene.anchor, graph.scene.target)


def _beliefs(graph: DistortionGraph) -> Iterator[LabelBelief]:
    for region in graph.regions:
        for side in SIDES:
            yield from (region.node(side).distortion, region.node(side).severity)
        yield region.comparison
    if graph.scene is not None and graph.scene.comparison is not None:
        yield graph.scene.comparison


def _believed(graph: DistortionGraph) -> Iterator[LabelBelief | FurtherDistortion]:
    """Whatever may have a probability."""
    yield from _beliefs(graph)
    for node in _nodes(graph):
        yield from node.also


def _measured(evidence: Evidence | None) -> bool:
    more = evidence is not None and bool(evidence.more)
    return more or any(value is not None for value in flat_evidence(evidence).values())


def _rounded(score: float | None) -> bool:
    return score is not None and score != round(score, _DECIMALS)


_PRESENT: Mapping[str, Callable[[DistortionGraph], bool]] = {
    _MODEL: lambda graph: graph.model is not None,
    _PICTURES: lambda graph: any(
        value not in (None, 0)  # not turned, by no degrees, is implied
        for side in SIDES
        for key, value in graph.picture_of(side)
        if not key.startswith("sha256") and key != "transparency"
    ),
    _FIT: lambda graph: graph.fit is not None,
    _ALIGNED: lambda graph: graph.alignment is not None,
    _REFERENCE: lambda graph: (
        graph.reference is not None
        or (graph.scores is not None and graph.scores.source == "measured")
    ),
    _HASHES: lambda graph: any(graph.picture_of(side).sha256 is not None for side in SIDES),
    _TRANSPARENCY: lambda graph: any(graph.picture_of(s).transparency is not None for s in SIDES),
    _VOCABULARY: lambda graph: (
        graph.vocabulary != DEFAULT_VOCABULARY or graph.vocabulary.words is not None
    ),
    _IDS: lambda graph: any(region.id != k for k, region in enumerate(graph.regions)),
    _AREAS: lambda graph: any(region.area_fraction is not None for region in graph.regions),
    _VALID: lambda graph: any(region.valid is not None for region in graph.regions),
    _ALONE: lambda graph: bool(graph.alone),
    _MASKS: lambda graph: any(node.mask is not None for node in _nodes(graph)),
    _BOXES: lambda graph: any(node.bbox_xywh_px is not None for node in _nodes(graph)),
    _PROBABILITIES: lambda graph: any(b.probability is not None for b in _believed(graph)),
    _OTHERS: lambda graph: any(b.probabilities is not None for b in _beliefs(graph)),
    _KNOWN: lambda graph: any(node.known is not None for node in _nodes(graph)),
    _OPINION: lambda graph: any(node.opinion is not None for node in _all_nodes(graph)),
    _FURTHER: lambda graph: any(node.also for node in _nodes(graph)),
    _DIGITS: lambda graph: any(_rounded(node.score) for node in _nodes(graph)),
    _EVIDENCE: lambda graph: any(_measured(region.evidence) for region in graph.regions),
    _METRICS: lambda graph: bool(graph.metrics),
    _DIFFERS: lambda graph: any(
        part is not None and part.differs is not None for part in (*graph.regions, graph.scene)
    ),
    _JUDGED: lambda graph: any(region.judged is not None for region in graph.regions),
    _SCENE: lambda graph: graph.scene is not None,
    _RELATIONS: lambda graph: bool(graph.relations),
}
"""Whether a graph has a part; the default vocabulary is known and ids 0, 1, 2 … are implied."""
