"""Synthetic pairs with their true graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import RecipeError
from distortion_graph.base.vocabulary import Vocabulary
from distortion_graph.graph import (
    ComparisonBelief,
    DistortionGraph,
    LabelBelief,
    Node,
    Relation,
    Scene,
    SceneNode,
    score_margin,
)
from distortion_graph.graph.build import (
    DECIMALS,
    Decoded,
    DecodedRegion,
    assemble,
    distortion_shares,
    shared_areas,
)
from distortion_graph.masks.container import RegionSet
from distortion_graph.measure.quality import HAARPSI, FullReferenceMetric
from distortion_graph.pictures.images import Picture, load_picture
from distortion_graph.synth.keys import generator
from distortion_graph.synth.synthesis import (
    DEFAULT_RECIPE,
    MIXED,
    Recipe,
    Version,
    make_versions,
)

Difficulty = Literal["easy", "medium", "hard"]


@dataclass(frozen=True)
class SyntheticPair:
    """Two degraded versions of a clean picture, its regions, and what is true of them."""

    clean: Picture
    regions: RegionSet
    anchor: Version
    target: Version
    graph: DistortionGraph


def draw_versions(
    difficulty: Difficulty, types: Sequence[str], rng: np.random.Generator
) -> tuple[str, str]:
    """Names of anchor and target version: easy two different types, medium one mixed, hard two."""
    if difficulty == "hard":
        return MIXED if rng.random() < 0.5 else (MIXED[1], MIXED[0])
    if len(types) < 2:
        raise RecipeError(
            f"{difficulty} pairs are drawn from at least 2 distortion types, got {list(types)}"
        )
    first, second = (types[int(i)] for i in rng.choice(len(types), 2, replace=False))
    if difficulty == "easy":
        return first, second
    if difficulty == "medium":
        return (first, MIXED[0]) if rng.random() < 0.5 else (MIXED[0], first)
    raise RecipeError(f"unknown difficulty {difficulty!r}, expected easy, medium or hard")


def make_pair(
    clean: Picture | NDArray[np.uint8],
    regions: RegionSet,
    *,
    tag: str,
    seed: int = 0,
    difficulty: Difficulty = "hard",
    versions: tuple[str, str] | None = None,
    recipe: Recipe = DEFAULT_RECIPE,
    metric: FullReferenceMetric = HAARPSI,
    depth: NDArray[np.float32] | None = None,
) -> SyntheticPair:
    """Degrade a clean picture twice and write down the truth.

    Args:
        clean: the pristine picture.
        regions: what to degrade, each region on its own.
        tag: the picture's name; with `seed` it decides every draw.
        seed: of the data set.
        difficulty: how the two versions are chosen.
        versions: names of the two versions, instead of drawing them.
        recipe: vocabulary, severities and edges.
        metric: the full-reference metric behind the scores.
        depth: H×W, for haze; larger is farther.
    """
    picture = load_picture(clean, name=tag)
    rng = generator(seed, tag, "pair", difficulty)
    names = versions or draw_versions(difficulty, recipe.types, rng)
    masks = regions.masks()
    anchor, target = make_versions(
        picture.rgb,
        masks,
        regions.ids,
        names,
        tag=tag,
        seed=seed,
        recipe=recipe,
        metric=metric,
        depth=depth,
    )
    graph = true_graph(anchor, target, regions, recipe.vocabulary)
    return SyntheticPair(picture, regions, anchor, target, graph)


def true_graph(
    anchor: Version, target: Version, regions: RegionSet, vocabulary: Vocabulary
) -> DistortionGraph:
    """The graph of a synthetic pair: labels as drawn, scores as measured, no probabilities."""
    anchors, targets = (_nodes(version) for version in (anchor, target))
    scores = [round(version.scene_score, DECIMALS) for version in (anchor, target)]
    return graph_of_truth(
        (anchors, targets),
        [_compare(a.score, t.score, vocabulary) for a, t in zip(anchors, targets, strict=True)],
        (scores[0], scores[1]),
        _compare(scores[0], scores[1], vocabulary),
        regions,
        (load_picture(anchor.image), load_picture(target.image)),
        vocabulary,
    )


def graph_of_truth(
    nodes: tuple[Sequence[Node], Sequence[Node]],
    comparisons: Sequence[str],
    scene_scores: tuple[float, float],
    scene_comparison: str,
    regions: RegionSet,
    pictures: tuple[Picture, Picture],
    vocabulary: Vocabulary,
    relations: Sequence[Relation] = (),
) -> DistortionGraph:
    """The graph of labels that are known: every node with a score, nothing with a probability.

    Args:
        nodes: of the anchor and of the target, in the order of `regions`.
        comparisons: a label for each region.
        scene_scores: of the two whole pictures.
        scene_comparison: their label.
        regions: masks, names and ids.
        pictures: anchor and target.
        vocabulary: of all labels.
        relations: between ids of `regions`.

    Raises pydantic's `ValidationError` for labels that contradict each other.
    """
    answers = tuple(
        DecodedRegion(a, t, _belief(label, a.score, t.score))
        for a, t, label in zip(*nodes, comparisons, strict=True)
    )
    areas = shared_areas(regions.lazy_masks())
    shares = [distortion_shares(side, areas, vocabulary) for side in nodes]
    scores = [round(score, DECIMALS) for score in scene_scores]
    scene = Scene(
        anchor=SceneNode(score=scores[0], distortion_share=shares[0]),
        target=SceneNode(score=scores[1], distortion_share=shares[1]),
        comparison=_belief(scene_comparison, scores[0], scores[1]),
    )
    graph = assemble(Decoded(answers, scene), regions, *pictures, vocabulary=vocabulary)
    return graph.model_copy(update={"relations": tuple(relations)}) if relations else graph


def _nodes(version: Version) -> list[Node]:
    return [
        Node(
            distortion=LabelBelief(label=draw.distortion),
            severity=LabelBelief(label=draw.severity),
            score=round(float(score), DECIMALS),
        )
        for draw, score in zip(version.draws, version.scores, strict=True)
    ]


def _compare(anchor: float | None, target: float | None, vocabulary: Vocabulary) -> str:
    if anchor is None or target is None:
        raise RecipeError("a true graph needs the score of every node")
    return vocabulary.compare_scores(anchor, target).label


def _belief(label: str, anchor: float | None, target: float | None) -> ComparisonBelief:
    return ComparisonBelief(label=label, margin=score_margin(anchor, target))
