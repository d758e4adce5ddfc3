"""A graph beside the true one."""

from __future__ import annotations

import pytest
from report_samples import pair

from distortion_graph import Vocabulary
from distortion_graph.base.errors import GraphError
from distortion_graph.report.html.agreement import agreement


def test_a_graph_agrees_with_itself():
    graph = pair().graph
    found = agreement(graph, graph)
    assert (found.mistakes, found.missing, found.extra, found.score_error) == (0, 0, 0, 0)
    assert "distortion 12 of 12, severity 12 of 12, comparison 6 of 6" in found.sentence()


def test_regions_are_matched_by_id_and_the_rest_is_counted():
    graph = pair().graph
    part = graph.model_copy(update={"regions": graph.regions[4::-2]})
    found = agreement(part, graph)
    assert (found.mistakes, found.missing, found.extra) == (0, 3, 0)
    assert sorted(found.regions) == [0, 2, 4]
    assert agreement(graph, part).extra == 3


def test_the_swapped_graph_differs_where_the_pictures_do():
    graph = pair(3, 3).graph
    found = agreement(graph.swapped(), graph)
    neutral = graph.vocabulary.comparison_labels[graph.vocabulary.neutral_index]
    expected = sum(region.comparison.label != neutral for region in graph.regions)
    assert sum(not region.comparison for region in found.regions.values()) == expected


def test_graphs_that_cannot_be_compared_are_refused():
    graph = pair().graph
    words = Vocabulary(
        distortions=("clean", "blur"),
        severities=("clean", "bad"),
        comparisons=graph.vocabulary.comparisons,
    )
    other = graph.model_copy(update={"vocabulary": words})
    with pytest.raises(GraphError, match="different vocabularies"):
        agreement(graph, other)
    moved = [r.model_copy(update={"id": r.id + 100}) for r in graph.regions]
    with pytest.raises(GraphError, match="no region id in common"):
        agreement(graph, graph.model_copy(update={"regions": tuple(moved)}))
