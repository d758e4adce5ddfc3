"""Candidates without an original: every one compared with every other one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.vocabulary import Vocabulary
from distortion_graph.graph import (
    SIDES,
    ComparisonBelief,
    DistortionGraph,
    Node,
    Scene,
    SceneNode,
    Side,
)
from distortion_graph.masks.container import Region, RegionSet
from distortion_graph.masks.rle import Rle
from distortion_graph.pictures.images import Picture
from distortion_graph.ranking.consensus import mean_node, mean_scene
from distortion_graph.ranking.seen import Looking, Seen, SeenCandidate, Warn, at_once, compared
from distortion_graph.work.threads import parallel_map

Pair = tuple[int, int]


def see_pairs(
    looking: Looking, candidates: Sequence[Picture], regions: RegionSet, warn: Warn
) -> Seen:
    """Compare all pairs; the regions lie on the first candidate.

    A candidate that cannot be laid on the first one is compared with none, and its line is a
    problem. What is to be warned of a candidate is what its comparison with the first one warns of.
    """
    base = candidates[0]
    graphs: dict[Pair, DistortionGraph] = {}
    problems = {}
    first = parallel_map(
        lambda other: compared(looking, base, other, regions), candidates[1:], at_once(base)
    )
    for k, one in enumerate(first, start=1):
        for note in one.notes:
            warn(note)
        if one.graph is None:
            problems[k] = one.problem
        else:
            graphs[0, k] = one.graph
    sets = {k: _regions_on_target(graph, regions) for (_, k), graph in graphs.items()}
    pairs = list(combinations(sets, 2))
    others = parallel_map(
        lambda pair: compared(looking, candidates[pair[0]], candidates[pair[1]], sets[pair[0]]),
        pairs,
        at_once(base),
    )
    for pair, one in zip(pairs, others, strict=True):
        if one.graph is None:
            warn(one.problem)
        else:
            graphs[pair] = one.graph
    seen = [
        _mean_candidate(k, graphs, looking.model.vocabulary) if k in {0, *sets} else None
        for k in range(len(candidates))
    ]
    preferred = _preferred(graphs, regions.ids, len(candidates), looking.model.vocabulary)
    return Seen(regions, tuple(seen), problems, preferred)


def probability_better(comparison: ComparisonBelief, vocabulary: Vocabulary) -> float:
    """That the anchor is better: what is on better ranks, and half of what is on none."""
    beliefs = comparison.probabilities or {}
    return math.fsum(
        beliefs.get(level.label, 0.0) * (1.0 if level.rank > 0 else 0.5)
        for level in vocabulary.comparisons
        if level.rank >= 0
    )


def _regions_on_target(graph: DistortionGraph, regions: RegionSet) -> RegionSet:
    """The regions as the target of a graph shows them; those that it does not are left out."""
    if graph.alignment is None or graph.alignment.frame is None:
        return regions
    shown = []
    for region in graph.regions:
        mask = region.mask_of("target")
        if mask is not None:
            shown.append(Region(region.id, region.name, Rle(mask.size, mask.counts)))
    size = graph.target.height or 0, graph.target.width or 0
    return RegionSet(size, tuple(shown))


def _mean_candidate(
    number: int, graphs: Mapping[Pair, DistortionGraph], vocabulary: Vocabulary
) -> SeenCandidate:
    """What all graphs of a candidate say of it together."""
    nodes: dict[int, list[Node]] = {}
    scenes: list[SceneNode] = []
    for pair, graph in graphs.items():
        if number in pair:
            side = SIDES[pair.index(number)]
            scenes.append(_scene_node(graph, side))
            for region in graph.regions:
                nodes.setdefault(region.id, []).append(region.node(side))
    own = graphs.get((0, number))
    boxes = {} if own is None else {r.id: r.target.bbox_xywh_px for r in own.regions}
    return SeenCandidate(
        nodes={
            key: mean_node(of_region, vocabulary).model_copy(
                update={"bbox_xywh_px": boxes.get(key)}
            )
            for key, of_region in nodes.items()
        },
        scene=mean_scene(scenes) if scenes else SceneNode(),
        valid={} if own is None else {r.id: r.valid for r in own.regions},
        alignment=None if own is None else own.alignment,
    )


def _scene_node(graph: DistortionGraph, side: Side) -> SceneNode:
    scene = graph.scene or Scene()
    return scene.anchor if side == "anchor" else scene.target


def _preferred(
    graphs: Mapping[Pair, DistortionGraph],
    ids: Sequence[int],
    count: int,
    vocabulary: Vocabulary,
) -> NDArray[np.float64]:
    """(1 + R, n, n), as `Seen.preferred`."""
    place = {key: k for k, key in enumerate(ids, start=1)}
    found = np.full((1 + len(ids), count, count), np.nan)
    for (i, j), graph in graphs.items():
        compared_in = [(place[region.id], region.comparison) for region in graph.regions]
        if graph.scene is not None and graph.scene.comparison is not None:
            compared_in.append((0, graph.scene.comparison))
        for where, comparison in compared_in:
            better = probability_better(comparison, vocabulary)
            found[where, i, j], found[where, j, i] = better, 1 - better
    return found
