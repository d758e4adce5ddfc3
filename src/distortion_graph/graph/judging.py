"""Setting what a person says of a region: a new graph, the old one stays as it is."""

from __future__ import annotations

from distortion_graph.base.errors import GraphError
from distortion_graph.graph.checks import judged_problems
from distortion_graph.graph.graph import DistortionGraph
from distortion_graph.graph.judged import Judgement


def judge(graph: DistortionGraph, region_id: int, judgement: Judgement | None) -> DistortionGraph:
    """The graph in which a person says this of a region; None takes back what was said.

    Everything else stays the model's. Raises GraphError for a region that the graph does not have
    or that one picture alone has, and for labels that the graph's vocabulary does not have.
    """
    old = graph.region(region_id)
    if problems := list(judged_problems(f"region {region_id}.judged", judgement, graph.vocabulary)):
        raise GraphError(problems[0])
    new = old.model_copy(update={"judged": judgement})
    regions = tuple(new if region is old else region for region in graph.regions)
    return graph.model_copy(update={"regions": regions})
