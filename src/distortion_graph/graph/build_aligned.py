"""From decoded answers to the graph of two pictures that an alignment lays on each other."""

from __future__ import annotations

from typing import NamedTuple

from distortion_graph.base.vocabulary import Vocabulary
from distortion_graph.graph import (
    SIDES,
    AlignmentInfo,
    DistortionGraph,
    ModelInfo,
    Node,
    RegionAlone,
    RegionComparison,
    Scores,
    Side,
)
from distortion_graph.graph.build import (
    DECIMALS,
    Decoded,
    difference_part,
    evidence_part,
    evidence_parts,
    metric_parts,
    picture_info,
    placed,
    shapes_of,
)
from distortion_graph.masks.container import RegionSet
from distortion_graph.measure.differences import MeasuredDifferences
from distortion_graph.measure.evidence import MeasuredEvidence
from distortion_graph.measure.metrics.measuring import MeasuredMetrics
from distortion_graph.pictures.images import Picture


class LoneNodes(NamedTuple):
    """Regions that one picture alone shows, and its node of each."""

    regions: RegionSet
    nodes: tuple[Node, ...]


def assemble_aligned(
    decoded: Decoded,
    shared: tuple[RegionSet, RegionSet],
    valid: dict[int, float],
    area: dict[int, float],
    alone: tuple[LoneNodes, LoneNodes],
    pictures: tuple[Picture, Picture],
    *,
    vocabulary: Vocabulary,
    model: ModelInfo,
    scores: Scores,
    evidence: MeasuredEvidence,
    metrics: MeasuredMetrics,
    differences: MeasuredDifferences,
    frame: int,
    alignment: AlignmentInfo,
) -> DistortionGraph:
    """Build the graph.

    `shared` are the regions on all of the anchor and on all of the target, in the order of the
    answers. By id, `valid` is the share of a region that both show, and `area` its share of the
    picture that it was given on. Boxes of differences lie in the picture `frame`.
    """
    on_anchor, on_target = (shapes_of(regions, regions.lazy_masks()) for regions in shared)
    differing = differences.regions or (None,) * len(shared[0])
    frame_size = pictures[frame].size
    parts = [
        RegionComparison(
            id=region.id,
            name=region.name,
            area_fraction=round(area[region.id], DECIMALS),
            valid=round(valid[region.id], DECIMALS),
            anchor=answer.anchor.model_copy(update=mine._asdict()),
            target=placed(answer.target, other, mine),
            comparison=answer.comparison,
            evidence=facts,
            differs=difference_part(difference, frame_size),
        )
        for region, answer, mine, other, facts, difference in zip(
            shared[0],
            decoded.regions,
            on_anchor,
            on_target,
            evidence_parts(evidence, metrics, len(shared[0])),
            differing,
            strict=True,
        )
    ]
    scene = decoded.scene.model_copy(
        update={
            "evidence": evidence_part(evidence.scene, metrics.scene),
            "differs": difference_part(differences.scene, frame_size),
        }
    )
    lone = [r for side, of in zip(SIDES, alone, strict=True) for r in _lone(side, of, area)]
    return DistortionGraph(
        vocabulary=vocabulary,
        anchor=picture_info(pictures[0]),
        target=picture_info(pictures[1]),
        alignment=alignment,
        scores=scores,
        model=model,
        metrics=metric_parts(metrics),
        regions=tuple(parts),
        alone=tuple(sorted(lone, key=lambda region: region.id)),
        scene=scene,
    )


def _lone(side: Side, lone: LoneNodes, area: dict[int, float]) -> list[RegionAlone]:
    regions = lone.regions
    shapes = shapes_of(regions, regions.lazy_masks())
    return [
        RegionAlone(
            id=region.id,
            name=region.name,
            area_fraction=round(area[region.id], DECIMALS),
            valid=0,
            **{"anchor": None, "target": None, side: node.model_copy(update=shape._asdict())},
        )
        for region, node, shape in zip(regions, lone.nodes, shapes, strict=True)
    ]
