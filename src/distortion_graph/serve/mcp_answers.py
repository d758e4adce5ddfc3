"""What the tools of the MCP server give back: facts with a schema, a paragraph, and a picture.

The facts have short names and numbers of four places, for a language model to read; every key is
always there, and null where nothing is known.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from distortion_graph.base.vocabulary import ComparisonLevel, Vocabulary
from distortion_graph.graph import (
    SIDES,
    AnyRegion,
    ComparisonBelief,
    Difference,
    DistortionGraph,
    Evidence,
    FurtherDistortion,
    ImageInfo,
    Node,
    Scene,
    SceneNode,
    Side,
)
from distortion_graph.graph.basis import Part
from distortion_graph.graph.referenced import Scores
from distortion_graph.mllm.ask.compact import DECIMALS
from distortion_graph.mllm.ask.wording import (
    comparison_lines,
    distortion_lines,
    meaning,
    severity_words,
)
from distortion_graph.report.places import boxes_on
from distortion_graph.report.wording import (
    node_on,
    node_text,
    summary,
    uncertain_places,
    words,
)

OVERLAY_PX = 2048
"""An overlay whose longer side is longer is scaled down to this."""

SCHEMA_URI = "distortion-graph://schema"
"""The resource that holds the JSON Schema of native graphs."""

_NAMED = 5


class NodeFacts(Part):
    """A region in one picture."""

    distortion: str = Field(description="The label of what is wrong (describe_vocabulary).")
    severity: str
    words: str = Field(
        description="All of it as people read it; 'uncertain' for an uncertain node."
    )
    score: float | None = Field(description="Quality from 0 to 1, 1 = pristine.")
    opinion: float | None = Field(description="The mean opinion to expect of people, 0 to 1.")
    known: float | None = Field(description="Probability that the vocabulary has a word for it.")
    uncertain: bool = Field(description="the model calls its own label of this node unreliable.")
    also: list[FurtherDistortion] = Field(
        description="Further distortions of the region, the most probable first."
    )


class DifferenceFacts(Part):
    """Where the two pictures show different things."""

    share: float = Field(description="Of the pixels, those that differ visibly.")
    spots_xywh_px: list[tuple[int, int, int, int]] = Field(
        description="Left, top, width and height of the places, the largest first, in pixels of "
        "the anchor."
    )


class RegionFacts(Part):
    """A region in both pictures."""

    id: int = Field(description="The number in the overlay.")
    name: str
    area_fraction: float | None = Field(description="Share of the picture.")
    bbox_xywh_px: tuple[int, int, int, int] | None = Field(
        description="Left, top, width and height in pixels of the anchor."
    )
    anchor: NodeFacts
    target: NodeFacts
    comparison: str = Field(description="What the anchor is against the target here.")
    margin: float | None = Field(description="Score of the anchor minus score of the target.")
    evidence: Evidence | None = Field(
        description="Measured between the two pictures, without a model; psnr_db is null where "
        "the pixels are identical."
    )
    differs: DifferenceFacts | None = Field(
        description="Measured: what the two pictures show differently here, without a model."
    )


class LoneFacts(Part):
    """A region that one picture alone has, or of which the other one shows nothing."""

    id: int = Field(description="The number in the overlay.")
    name: str
    image: Side = Field(description="The picture that has it.")
    area_fraction: float | None = Field(description="Share of that picture.")
    bbox_xywh_px: tuple[int, int, int, int] | None = Field(
        description="Left, top, width and height in pixels of that picture."
    )
    node: NodeFacts


class PictureFacts(Part):
    """A whole picture."""

    width_px: int | None
    height_px: int | None
    score: float | None = Field(description="Quality from 0 to 1, 1 = pristine.")
    opinion: float | None = Field(description="The mean opinion to expect of people, 0 to 1.")
    distortion_share: dict[str, float] | None = Field(
        description="Share of the picture's area under each distortion."
    )


class SceneFacts(Part):
    """The pictures as wholes."""

    anchor: PictureFacts
    target: PictureFacts
    comparison: str | None = Field(description="What the anchor is against the target.")
    margin: float | None
    evidence: Evidence | None
    differs: DifferenceFacts | None


class Comparison(Part):
    """What comparing two pictures gave."""

    summary: str
    notes: list[str] = Field(description="What in the files was not taken quite as it is.")
    reference: Literal["anchor", "target", "third"] | None = Field(
        description="Which picture is the original; null where none was given."
    )
    scores: Scores | None = Field(
        description="Whether a model predicted the scores or they were measured against the "
        "reference, and by which metric."
    )
    scene: SceneFacts
    regions: list[RegionFacts] = Field(description="Those that both pictures have.")
    alone: list[LoneFacts] = Field(
        description="Regions that one picture alone has; they are compared with nothing."
    )
    graph: dict[str, Any] | None = Field(
        description="With detail 'full' the native graph, all probabilities in it; its schema is "
        f"the resource {SCHEMA_URI}."
    )


class DistortionWord(Part):
    """A distortion label, its words, and its meaning, where that is known."""

    label: str
    words: str = Field(description="What people read instead.")
    meaning: str | None


class Words(Part):
    """The words that comparisons use."""

    distortions: list[DistortionWord]
    severities: list[str] = Field(description="From nothing wrong to the worst.")
    comparisons: list[ComparisonLevel] = Field(
        description="Of the anchor against the target, the worst first; a difference of scores "
        "has the highest |rank| whose min_abs_d it reaches."
    )
    known_threshold: float | None = Field(description="A node known less than this is uncertain.")


def comparison_facts(
    graph: DistortionGraph, notes: Sequence[str], *, full: bool = False, masks: bool = False
) -> Comparison:
    """The facts of a graph.

    Args:
        graph: as `compare` makes it.
        notes: warnings of the pictures.
        full: whether the graph itself is among them.
        masks: whether it keeps the run lengths of its masks.
    """
    scene = graph.scene or Scene()
    return Comparison(
        summary=summary(graph),
        notes=list(notes),
        reference=graph.reference and graph.reference.role,
        scores=graph.scores,
        scene=SceneFacts(
            anchor=_picture(graph.anchor, scene.anchor),
            target=_picture(graph.target, scene.target),
            comparison=scene.comparison and scene.comparison.label,
            margin=_margin(scene.comparison),
            evidence=_evidence(scene.evidence),
            differs=_differs(graph, scene.differs),
        ),
        regions=[
            RegionFacts(
                id=region.id,
                name=region.name,
                area_fraction=_short(region.area_fraction),
                bbox_xywh_px=region.bbox_of("anchor"),
                anchor=_node(graph, region.anchor),
                target=_node(graph, region.target),
                comparison=region.comparison.label,
                margin=_margin(region.comparison),
                evidence=_evidence(region.evidence),
                differs=_differs(graph, region.differs),
            )
            for region in graph.regions
        ],
        alone=[
            LoneFacts(
                id=region.id,
                name=region.name,
                image=region.side,
                area_fraction=_short(region.area_fraction),
                bbox_xywh_px=region.bbox_of(region.side),
                node=_node(graph, region.node),
            )
            for region in graph.alone
        ],
        graph=(graph if masks else without_masks(graph)).model_dump(mode="json") if full else None,
    )


def paragraph(graph: DistortionGraph, notes: Sequence[str]) -> str:
    """The graph in one sentence, then which labels are unreliable, then the notes."""
    said = [summary(graph)]
    unsure = uncertain_places(graph)
    if unsure:
        more = f" and {len(unsure) - _NAMED} more" if len(unsure) > _NAMED else ""
        said.append(f"The model is not sure about {', '.join(unsure[:_NAMED])}{more}.")
    return " ".join([*said, *(f"Note: {note}." for note in notes)])


def vocabulary_facts(vocabulary: Vocabulary, known_threshold: float | None) -> Words:
    """The words of a vocabulary."""
    return Words(
        distortions=[
            DistortionWord(
                label=label, words=words(vocabulary, label), meaning=meaning(vocabulary, label)
            )
            for label in vocabulary.distortions
        ],
        severities=list(vocabulary.severities),
        comparisons=list(vocabulary.comparisons),
        known_threshold=known_threshold,
    )


def vocabulary_text(vocabulary: Vocabulary) -> str:
    """The words of a vocabulary for a language model."""
    return (
        f"Distortions:\n{distortion_lines(vocabulary)}\n\n"
        f"Severities: {severity_words(vocabulary)}.\n\n"
        "Scores are of quality, from 0 to 1, 1 = pristine. Comparisons say what the anchor is "
        f"against the target:\n{comparison_lines(vocabulary)}"
    )


def without_masks(graph: DistortionGraph) -> DistortionGraph:
    """The graph without the run lengths of its masks; boxes stay."""

    def bare(region: AnyRegion) -> AnyRegion:
        nodes = ((side, node_on(region, side)) for side in SIDES)
        return region.model_copy(
            update={side: n.model_copy(update={"mask": None}) for side, n in nodes if n is not None}
        )

    return graph.model_copy(
        update={
            "regions": tuple(map(bare, graph.regions)),
            "alone": tuple(map(bare, graph.alone)),
        }
    )


def fitted(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """An overlay, scaled down where its longer side is longer than `OVERLAY_PX`."""
    height, width = rgb.shape[:2]
    scale = OVERLAY_PX / max(height, width)
    if scale >= 1:
        return rgb
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)


def _node(graph: DistortionGraph, node: Node) -> NodeFacts:
    return NodeFacts(
        distortion=node.distortion.label,
        severity=node.severity.label,
        words=node_text(graph, node),
        score=_short(node.score),
        opinion=_short(node.opinion),
        known=_short(node.known),
        uncertain=graph.is_uncertain(node),
        also=[
            further.model_copy(update={"probability": _short(further.probability)})
            for further in node.also
        ],
    )


def _picture(info: ImageInfo, node: SceneNode) -> PictureFacts:
    shares = node.distortion_share
    return PictureFacts(
        width_px=info.width,
        height_px=info.height,
        score=_short(node.score),
        opinion=_short(node.opinion),
        distortion_share=shares and {label: round(v, DECIMALS) for label, v in shares.items()},
    )


def _evidence(evidence: Evidence | None) -> Evidence | None:
    if evidence is None:
        return None
    more = {name: _short(value) for name, value in evidence.more.items()}
    four = {name: _short(value) for name, value in evidence if name != "more"}
    return Evidence(**four, more=more)


def _differs(graph: DistortionGraph, differs: Difference | None) -> DifferenceFacts | None:
    if differs is None:
        return None
    boxes = [
        (
            math.floor(x),
            math.floor(y),
            math.ceil(x + w) - math.floor(x),
            math.ceil(y + h) - math.floor(y),
        )
        for x, y, w, h in boxes_on(graph, "anchor", differs.spots, differs)
    ]
    return DifferenceFacts(share=round(differs.share, DECIMALS), spots_xywh_px=boxes)


def _margin(comparison: ComparisonBelief | None) -> float | None:
    return None if comparison is None else _short(comparison.margin)


def _short(value: float | None) -> float | None:
    return None if value is None else round(value, DECIMALS)
