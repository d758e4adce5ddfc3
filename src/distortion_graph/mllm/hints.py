"""Graphs as hints: the predicted one, the true one, and controls that show who merely copies.

- `predicted`: what a model of ours says of the pair.
- `true`: what is true of it.
- `shuffled`: the predicted entries, each given to another region of the pair.
- `corrupted`: the true entries, but in half of the regions every word is replaced by a wrong one.
"""

from __future__ import annotations

from enum import StrEnum

import numpy as np

from distortion_graph.data.keys import KeyPart, generator
from distortion_graph.graph import (
    ComparisonBelief,
    DistortionGraph,
    LabelBelief,
    Node,
    RegionComparison,
    score_margin,
)
from distortion_graph.vocabulary import Vocabulary


class Hint(StrEnum):
    """What a model is told before it answers."""

    none = "none"
    predicted = "predicted"
    true = "true"
    shuffled = "shuffled"
    corrupted = "corrupted"


def bare(region: RegionComparison) -> RegionComparison:
    """A region with labels and scores, and how well each node is known: all that a hint says."""
    anchor, target = (
        Node(
            distortion=LabelBelief(label=node.distortion.label),
            severity=LabelBelief(label=node.severity.label),
            score=node.score,
            known=node.known,
        )
        for node in (region.anchor, region.target)
    )
    return _joined(region, anchor, target, region.comparison.label)


def _joined(region: RegionComparison, anchor: Node, target: Node, label: str) -> RegionComparison:
    """The region's id and name with other nodes and another comparison."""
    comparison = ComparisonBelief(label=label, margin=score_margin(anchor.score, target.score))
    return RegionComparison(
        id=region.id, name=region.name, anchor=anchor, target=target, comparison=comparison
    )


def shuffled(graph: DistortionGraph, *key: KeyPart) -> DistortionGraph:
    """The graph with every region's entry given to another region.

    A draw of `key`; a cycle through all regions, so none keeps its own. One region alone keeps it.
    """
    order = generator("shuffled hint", *key).permutation(len(graph.regions)).tolist()
    given = dict(zip(order, [*order[1:], *order[:1]], strict=True))
    regions = tuple(
        bare(graph.regions[given[k]]).model_copy(update={"id": region.id, "name": region.name})
        for k, region in enumerate(graph.regions)
    )
    return graph.model_copy(update={"regions": regions, "scene": None, "relations": ()})


def corrupted(graph: DistortionGraph, *key: KeyPart, wrong: int | None = None) -> DistortionGraph:
    """The graph with every word of `wrong` of its regions replaced by another one.

    A draw of `key`; None spoils half of the regions, rounded up. Scores of a corrupted region are
    drawn anew so that the wrong comparison follows from them.
    """
    rng = generator("corrupted hint", *key)
    count = len(graph.regions)
    spoilt = set(rng.permutation(count)[: (count + 1) // 2 if wrong is None else wrong].tolist())
    regions = tuple(
        _corrupted(region, graph.vocabulary, rng) if k in spoilt else bare(region)
        for k, region in enumerate(graph.regions)
    )
    return graph.model_copy(update={"regions": regions, "scene": None, "relations": ()})


def _corrupted(
    region: RegionComparison, vocabulary: Vocabulary, rng: np.random.Generator
) -> RegionComparison:
    places = [
        place
        for place in range(len(vocabulary.comparisons))
        if place != vocabulary.comparison_index(region.comparison.label)
    ]
    level = vocabulary.comparisons[int(rng.choice(places))]
    scores = _scores_of(level.rank, vocabulary, rng)
    anchor, target = (
        _wrong_node(node, score, vocabulary, rng)
        for node, score in zip((region.anchor, region.target), scores, strict=True)
    )
    return _joined(region, anchor, target, level.label)


def _scores_of(rank: int, vocabulary: Vocabulary, rng: np.random.Generator) -> tuple[float, float]:
    """Two scores whose difference falls on that rank of the comparison scale."""
    bounds = (0.0, *vocabulary.thresholds, 1.0)
    low, high = bounds[abs(rank)], bounds[abs(rank) + 1]
    difference = low + (high - low) * float(rng.uniform(0.1, 0.9))
    lower = float(rng.uniform(0, 1 - difference))
    scores = round(lower + difference, 4), round(lower, 4)
    return scores if rank > 0 else scores[::-1]


def _wrong_node(node: Node, score: float, vocabulary: Vocabulary, rng: np.random.Generator) -> Node:
    """Another distortion and another severity, which go with each other where they can."""
    clean = vocabulary.clean
    labels = [label for label in vocabulary.distortions if label != node.distortion.label]
    distortion = str(rng.choice(labels))
    levels = [label for label in vocabulary.severities if label != node.severity.label]
    if distortion == clean:
        levels = [clean]  # what is called clean was not, so this is another severity too
    elif len(levels) > 1:
        levels = [label for label in levels if label != clean]
    return Node(
        distortion=LabelBelief(label=distortion),
        severity=LabelBelief(label=str(rng.choice(levels))),
        score=score,
    )
