"""Synthetic pairs with their true graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import RecipeError
from distortion_graph.base.vocabulary import Vocabulary
from distortion_graph.graph import DistortionGraph
from distortion_graph.graph.truth import PairLabels, SufferedDistortions, graph_of_truth
from distortion_graph.masks.container import RegionSet
from distortion_graph.measure.quality import HAARPSI, FullReferenceMetric
from distortion_graph.pictures.images import Picture, load_picture
from distortion_graph.synth.keys import generator
from distortion_graph.synth.shots import NO_HISTORY, ShotShares
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
    """Two degraded versions of a clean picture, its regions, and what is true of them.

    A version that was made of another look of the picture, or of a moved one, has it in its `shot`.
    """

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
    shares: ShotShares = NO_HISTORY,
) -> SyntheticPair:
    """Degrade a clean picture twice and write down the truth.

    The same tag, seed and options give the pictures that a data set has (`datasets.make`).

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
        shares: how often the two have looks of their own, and one is moved against the other.
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
        shares=shares,
    )
    graph = true_graph(anchor, target, regions, recipe.vocabulary)
    return SyntheticPair(picture, regions, anchor, target, graph)


def labels_of(anchor: Version, target: Version, vocabulary: Vocabulary) -> PairLabels:
    """Labels as drawn, and scores as measured, of two versions of a picture."""
    draws = [version.draws for version in (anchor, target)]
    distortion = [[vocabulary.distortion_index(draw.distortion) for draw in row] for row in draws]
    severity = [[vocabulary.severity_index(draw.severity) for draw in row] for row in draws]
    return PairLabels.of(
        np.array(distortion, np.int64),
        np.array(severity, np.int64),
        np.stack([anchor.scores, target.scores]),
        np.array([anchor.scene_score, target.scene_score]),
        vocabulary,
    )


def suffered_by(anchor: Version, target: Version, vocabulary: Vocabulary) -> SufferedDistortions:
    """All that the regions of two versions suffer, their first distortions among them."""
    found = np.zeros((2, len(anchor.draws), len(vocabulary.distortions)), np.int64)
    for side, version in enumerate((anchor, target)):
        for k, draw in enumerate(version.draws):
            for part in (draw, *draw.also):
                severity = vocabulary.severity_index(part.severity)
                found[side, k, vocabulary.distortion_index(part.distortion)] = severity
    return SufferedDistortions(found > 0, found)


def true_graph(
    anchor: Version, target: Version, regions: RegionSet, vocabulary: Vocabulary
) -> DistortionGraph:
    """The graph of a synthetic pair, without probabilities."""
    labels = labels_of(anchor, target, vocabulary).rounded(vocabulary)
    pictures = load_picture(anchor.image), load_picture(target.image)
    suffered = suffered_by(anchor, target, vocabulary)
    return graph_of_truth(labels, regions, pictures, vocabulary, suffered=suffered)
