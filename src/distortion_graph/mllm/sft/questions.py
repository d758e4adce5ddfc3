"""Questions about a pair and their answers, which follow from the truth alone."""

from __future__ import annotations

import json
import string
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from distortion_graph.base.vocabulary import Vocabulary
from distortion_graph.datasets.samples import Sample
from distortion_graph.graph import (
    SIDES,
    ComparisonBelief,
    DistortionGraph,
    ImageInfo,
    Node,
    RegionComparison,
    Scene,
    SceneNode,
    Side,
    score_margin,
)
from distortion_graph.graph.build import DECIMALS
from distortion_graph.graph.truth import true_nodes
from distortion_graph.mllm.ask.compact import DECIMALS as COMPACT_DECIMALS
from distortion_graph.report.wording import rank_of, words

SHORT_KINDS = (
    "distortion", "severity", "score", "comparison", "better", "find", "check", "worst",
)  # fmt: skip
"""Questions with an answer of a few words."""

NONE, YES, NO, NEITHER = "none", "yes", "no", "neither"
MOST_NONE = 1 / 3
"""The share of "none" among answers to `find`."""

_CLEAR_GAP = 0.02
"""The worst region is asked for where its score is so far below the next one's, if possible."""


@dataclass(frozen=True)
class Turn:
    """A question and its answer; `label` is what is counted to keep answers balanced."""

    kind: str
    question: str
    answer: str
    label: str


def graph_of_labels(sample: Sample, vocabulary: Vocabulary) -> DistortionGraph:
    """The truth of a sample without pictures and masks: nothing is decoded for it."""
    labels = sample.labels
    areas = sample.regions.areas() / np.prod(sample.regions.size)
    regions = []
    for region, area, anchor, target, comparison in zip(
        sample.regions,
        areas.tolist(),
        *true_nodes(labels, vocabulary, sample.suffered),
        labels.comparison.tolist(),
        strict=True,
    ):
        label = vocabulary.comparison_labels[comparison]
        margin = score_margin(anchor.score, target.score)
        regions.append(
            RegionComparison(
                id=region.id,
                name=region.name,
                area_fraction=area,
                anchor=anchor,
                target=target,
                comparison=ComparisonBelief(label=label, margin=margin),
            )
        )
    scores = [round(float(score), DECIMALS) for score in labels.scene_score]
    scene = ComparisonBelief(
        label=vocabulary.comparison_labels[labels.scene_comparison],
        margin=score_margin(*scores),
    )
    return DistortionGraph(
        vocabulary=vocabulary,
        anchor=ImageInfo(),
        target=ImageInfo(),
        regions=tuple(regions),
        scene=Scene(
            anchor=SceneNode(score=scores[0]), target=SceneNode(score=scores[1]), comparison=scene
        ),
    )


@lru_cache
def phrases() -> Mapping[str, Sequence[str]]:
    """The wordings of every short question, from `phrases.json`."""
    text = (Path(__file__).parent / "phrases.json").read_text("utf-8")
    by_kind: dict[str, list[str]] = json.loads(text)
    return by_kind


@lru_cache
def _nouns() -> Mapping[str, str]:
    nouns: dict[str, str] = json.loads((Path(__file__).parent / "nouns.json").read_text("utf-8"))
    return nouns


def noun(vocabulary: Vocabulary, label: str) -> str:
    """A distortion as the end of "suffers from …": its words, or what `nouns.json` has instead."""
    own = vocabulary.words is not None and label in vocabulary.words
    return words(vocabulary, label) if own else _nouns().get(label, words(vocabulary, label))


def short_turn(
    kind: str, graph: DistortionGraph, counts: Counter[str], rng: np.random.Generator
) -> Turn:
    """A short question of a kind whose answer is one of the least counted so far."""
    if kind == "find":
        return _find(graph, counts, rng)
    if kind == "check":
        return _check(graph, counts, rng)
    if kind == "worst":
        return _worst(graph, rng)
    options = [
        (region, side, _label(kind, graph, region, side))
        for region in graph.regions
        for side in (SIDES[:1] if kind in ("comparison", "better") else SIDES)
    ]
    fewest = min(counts[label] for _, _, label in options)
    rare = [option for option in options if counts[option[2]] == fewest]
    region, side, label = rare[int(rng.integers(len(rare)))]
    answer = f"{region_score(region, side):.2f}" if kind == "score" else label
    return _turn(kind, graph, rng, answer, label, side=side, id=str(region.id))


def _label(kind: str, graph: DistortionGraph, region: RegionComparison, side: Side) -> str:
    node = region.node(side)
    if kind == "distortion":
        return node.distortion.label
    if kind == "severity":
        return node.severity.label
    if kind == "comparison":
        return region.comparison.label
    if kind == "better":
        rank = rank_of(graph, region.comparison.label)
        return NEITHER if rank == 0 else SIDES[0] if rank > 0 else SIDES[1]
    return f"{int(min(region_score(region, side), 0.999) * 10) / 10:.1f}"


def suffered(node: Node) -> tuple[str, ...]:
    """Every distortion of a node, the one that names it first; of a clean one its label."""
    return (node.distortion.label, *(further.label for further in node.also))


def _find(graph: DistortionGraph, counts: Counter[str], rng: np.random.Generator) -> Turn:
    side = _side(rng)
    clean = graph.vocabulary.clean
    there: dict[str, list[int]] = {}
    for region in graph.regions:
        for label in suffered(region.node(side)):
            there.setdefault(label, []).append(region.id)
    present = [label for label in there if label != clean]
    absent = [label for label in graph.vocabulary.distortions if label not in there]
    wanted = counts[NONE] < MOST_NONE * (counts.total() + 1)
    if absent and (wanted or not present):
        label = absent[int(rng.integers(len(absent)))]
        return _turn("find", graph, rng, NONE, NONE, side=side, label=noun(graph.vocabulary, label))
    fewest = min(counts[label] for label in present or there)
    rare = [label for label in present or there if counts[label] == fewest]
    label = rare[int(rng.integers(len(rare)))]
    answer = ", ".join(map(str, sorted(there[label])))
    return _turn("find", graph, rng, answer, label, side=side, label=noun(graph.vocabulary, label))


def _check(graph: DistortionGraph, counts: Counter[str], rng: np.random.Generator) -> Turn:
    side = _side(rng)
    region = graph.regions[int(rng.integers(len(graph.regions)))]
    true, *further = suffered(region.node(side))
    clean = graph.vocabulary.clean
    taken = {true, clean, *further}
    others = [label for label in graph.vocabulary.distortions if label not in taken]
    if true != clean and (counts[YES] <= counts[NO] or not others):
        return _turn(
            "check",
            graph,
            rng,
            YES,
            YES,
            side=side,
            id=str(region.id),
            label=noun(graph.vocabulary, true),
        )
    label = others[int(rng.integers(len(others)))]
    return _turn(
        "check",
        graph,
        rng,
        NO,
        NO,
        side=side,
        id=str(region.id),
        label=noun(graph.vocabulary, label),
    )


def _worst(graph: DistortionGraph, rng: np.random.Generator) -> Turn:
    first = SIDES.index(_side(rng))
    sides = (SIDES[first], SIDES[1 - first])

    def gap(side: Side) -> float:
        lowest, *others = sorted(region_score(region, side) for region in graph.regions)
        return others[0] - lowest if others else 1.0

    side = next((s for s in sides if gap(s) >= _CLEAR_GAP), sides[0])
    clean = graph.vocabulary.clean
    if all(region.node(side).distortion.label == clean for region in graph.regions):
        return _turn("worst", graph, rng, NONE, NONE, side=side)
    lowest = min(region_score(region, side) for region in graph.regions)
    ids = sorted(region.id for region in graph.regions if region_score(region, side) == lowest)
    return _turn("worst", graph, rng, ", ".join(map(str, ids)), side, side=side)


def _turn(
    kind: str, graph: DistortionGraph, rng: np.random.Generator, answer: str, counted: str,
    **values: str,
) -> Turn:  # fmt: skip
    wordings = phrases()[kind]
    vocabulary = graph.vocabulary
    lists = {
        "distortions": ", ".join(vocabulary.distortions),
        "severities": ", ".join(vocabulary.severities),
        "comparisons": ", ".join(reversed(vocabulary.comparison_labels)),
    }
    wording = wordings[int(rng.integers(len(wordings)))]
    return Turn(kind, string.Template(wording).substitute(lists | values), answer, counted)


def _side(rng: np.random.Generator) -> Side:
    return SIDES[int(rng.integers(2))]


def region_score(region: RegionComparison, side: Side) -> float:
    """A region's score in a picture; 1 where there is none."""
    score = region.node(side).score
    return 1.0 if score is None else score


def whole_answer(graph: DistortionGraph) -> str:
    """The answer to the question about whole pictures, as `mllm.ask.whole` reads it."""
    vocabulary = graph.vocabulary
    spoilt = {side: _most_spoilt(graph, side) for side in SIDES}
    said = [
        f"the {side} suffers {'most ' if len(labels) > 1 else ''}from {noun(vocabulary, labels[0])}"
        if labels
        else f"nothing is wrong with the {side}"
        for side, labels in spoilt.items()
    ]
    pictures = {
        side: {"distortions": labels, "score": scene_score(graph, side)}
        for side, labels in spoilt.items()
    }
    reason = f"{capital(verdict(graph))}: {said[0]}, and {said[1]}."
    return json.dumps({**pictures, "comparison": _scene_label(graph), "reason": reason})


def _most_spoilt(graph: DistortionGraph, side: Side) -> list[str]:
    """Distortions of a picture by how much quality they cost, over the area; the most first."""
    spoilt: dict[str, float] = {}
    for region in graph.regions:
        loss = (region.area_fraction or 0) * (1 - region_score(region, side))
        label = region.node(side).distortion.label
        spoilt[label] = spoilt.get(label, 0.0) + loss
    spoilt.pop(graph.vocabulary.clean, None)
    return sorted(spoilt, key=lambda label: (-spoilt[label], label))


def scene_score(graph: DistortionGraph, side: Side) -> float | None:
    """A whole picture's score with as many places as an answer has; None where it is unknown."""
    if graph.scene is None:
        return None
    score = (graph.scene.anchor if side == "anchor" else graph.scene.target).score
    return None if score is None else round(score, COMPACT_DECIMALS)


def _scene_label(graph: DistortionGraph) -> str:
    if graph.scene is None or graph.scene.comparison is None:
        return graph.vocabulary.comparison_labels[graph.vocabulary.neutral_index]
    return graph.scene.comparison.label


def verdict(graph: DistortionGraph) -> str:
    """Which whole picture is better, as part of a sentence."""
    label = _scene_label(graph)
    if rank_of(graph, label) == 0:
        return "the two pictures are about equally good"
    return f"the anchor is {words(graph.vocabulary, label)} than the target"


def capital(text: str) -> str:
    """A sentence with a capital at its beginning."""
    return f"{text[:1].upper()}{text[1:]}"
