"""What forms made of masks hold of a graph: per picture, the regions that have a mask there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from distortion_graph.formats.flat import (
    Scalar,
    flat_differences,
    flat_evidence,
    flat_further,
    flat_more,
)
from distortion_graph.graph import (
    SIDES,
    ComparisonBelief,
    DistortionGraph,
    Node,
    RegionComparison,
    Side,
)
from distortion_graph.masks.rle import Rle


@dataclass(frozen=True)
class Marked:
    """A region in one picture, its mask there, and the comparison as seen from that picture."""

    region: RegionComparison
    node: Node
    mask: Rle
    comparison: ComparisonBelief

    def attributes(self) -> dict[str, Scalar]:
        """What is known of it beside mask, box and distortion, as scalars."""
        region, node, seen = self.region, self.node, self.comparison
        facts = {
            "region_id": region.id,
            "name": region.name,
            "area_fraction": region.area_fraction,
            "distortion_probability": node.distortion.probability,
            "severity": node.severity.label,
            "severity_probability": node.severity.probability,
            "score": node.score,
            "known": node.known,
            "opinion": node.opinion,
            "also": flat_further(node.also),
            "comparison": seen.label,
            "comparison_probability": seen.probability,
            "margin": seen.margin,
            **flat_evidence(region.evidence),
            "more": flat_more(region.evidence),
            **flat_differences(region.differs),
        }
        return {key: value for key, value in facts.items() if value is not None}


def marked_regions(graph: DistortionGraph, side: Side) -> Iterator[Marked]:
    """The regions with a mask of at least one pixel in that picture, in the graph's order."""
    for region in graph.regions:
        mask = _drawn(region, side)
        if mask is not None:
            seen = region.comparison
            seen = seen if side == "anchor" else seen.mirrored(graph.vocabulary)
            yield Marked(region, region.node(side), mask, seen)


def regions_left_out(graph: DistortionGraph) -> tuple[RegionComparison, ...]:
    """The regions that have no such mask in one of the pictures, or in both."""
    return tuple(r for r in graph.regions if any(_drawn(r, side) is None for side in SIDES))


def _drawn(region: RegionComparison, side: Side) -> Rle | None:
    mask = region.mask_of(side)
    rle = None if mask is None else Rle(mask.size, mask.counts)
    return rle if rle is not None and rle.area() else None


def size_of(graph: DistortionGraph, side: Side) -> tuple[int, int] | None:
    """Height and width of a picture, else of its masks; None where neither is known."""
    picture = graph.picture_of(side)
    if picture.height is not None and picture.width is not None:
        return picture.height, picture.width
    return next((marked.mask.size for marked in marked_regions(graph, side)), None)


def source_of(graph: DistortionGraph, side: Side) -> str:
    """The picture's path as the graph has it; the side's name where it has none."""
    return graph.picture_of(side).source or side
