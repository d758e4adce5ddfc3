"""A graph beside the true one: which of its statements hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from distortion_graph.base.counting import counted
from distortion_graph.base.errors import GraphError
from distortion_graph.graph import SIDES, DistortionGraph, RegionComparison, Side


@dataclass(frozen=True)
class NodeAgreement:
    """Whether a node's labels are the true ones, and those."""

    distortion: bool
    severity: bool
    true_distortion: str
    true_severity: str
    true_score: float | None


@dataclass(frozen=True)
class RegionAgreement:
    """A region's nodes (anchor, target) and its comparison against the true ones."""

    nodes: tuple[NodeAgreement, NodeAgreement]
    comparison: bool
    true_comparison: str

    @property
    def mistakes(self) -> int:
        """How many of the five labels are wrong: two distortions, two severities, comparison."""
        right = [n.distortion for n in self.nodes] + [n.severity for n in self.nodes]
        return right.count(False) + (not self.comparison)


@dataclass(frozen=True)
class Agreement:
    """All regions that both graphs have, by id, and how many only one has."""

    regions: Mapping[int, RegionAgreement]
    missing: int
    extra: int
    score_error: float | None

    @property
    def mistakes(self) -> int:
        """Wrong labels in all regions."""
        return sum(region.mistakes for region in self.regions.values())

    def sentence(self) -> str:
        """How many labels are right, and how far off the scores are on average."""
        verdicts = list(self.regions.values())
        nodes = [node for region in verdicts for node in region.nodes]
        parts = [
            f"distortion {_right(n.distortion for n in nodes)}",
            f"severity {_right(n.severity for n in nodes)}",
            f"comparison {_right(r.comparison for r in verdicts)}",
        ]
        text = f"Right against the ground truth: {', '.join(parts)}"
        if self.score_error is not None:
            text += f"; scores are off by {self.score_error:.3f} on average"
        if self.missing:
            text += f"; not in the graph: {counted(self.missing, 'true region')}"
        if self.extra:
            text += f"; without truth: {counted(self.extra, 'region')}"
        return text + "."


def agreement(graph: DistortionGraph, truth: DistortionGraph) -> Agreement:
    """Compare a graph with the true one, region by region (by id).

    Raises GraphError where the two have different words or no region in common.
    """
    if graph.vocabulary != truth.vocabulary:
        raise GraphError("the graph and its ground truth have different vocabularies")
    true = {region.id: region for region in truth.regions}
    by_region = {
        region.id: _of_region(region, true[region.id])
        for region in graph.regions
        if region.id in true
    }
    if not by_region and graph.regions and truth.regions:
        raise GraphError("the graph and its ground truth have no region id in common")
    errors = [
        abs(score - node.true_score)
        for region in graph.regions
        if region.id in by_region
        for side, node in zip(SIDES, by_region[region.id].nodes, strict=True)
        if (score := region.node(side).score) is not None and node.true_score is not None
    ]
    alone = {region.id for region in graph.alone}
    return Agreement(
        regions=by_region,
        missing=len(true.keys() - by_region.keys() - alone),
        extra=len(graph.regions) - len(by_region),
        score_error=sum(errors) / len(errors) if errors else None,
    )


def _of_region(region: RegionComparison, true: RegionComparison) -> RegionAgreement:
    def of_node(side: Side) -> NodeAgreement:
        mine, other = region.node(side), true.node(side)
        return NodeAgreement(
            distortion=mine.distortion.label == other.distortion.label,
            severity=mine.severity.label == other.severity.label,
            true_distortion=other.distortion.label,
            true_severity=other.severity.label,
            true_score=other.score,
        )

    label = true.comparison.label
    nodes = of_node("anchor"), of_node("target")
    return RegionAgreement(nodes, region.comparison.label == label, label)


def _right(marks: Iterable[bool]) -> str:
    every = list(marks)
    return f"{sum(every)} of {len(every)}"
