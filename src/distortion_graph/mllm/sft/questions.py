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

from distortion_graph.data.samples import Sample
from distortion_graph.graph import (
    SIDES,
    ComparisonBelief,
    DistortionGraph,
    ImageInfo,
    LabelBelief,
    Node,
    RegionComparison,
    Scene,
    SceneNode,
    Side,
    score_margin,
)
from distortion_graph.mllm.assessment import SENTENCES, name_of
from distortion_graph.report.wording import rank_of, words, worst_first
from distortion_graph.runtime.decode import DECIMALS
from distortion_graph.vocabulary import Vocabulary

SHORT_KINDS = ("distortion", "severity", "score", "comparison", "find", "check", "worst")
"""Questions with an answer of a few words."""

NONE, YES, NO = "none", "yes", "no"
MOST_NONE = 1 / 3
"""The share of "none" among answers to `find`."""

_WORST_SHOWN = 2


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
    for k, region in enumerate(sample.regions):
        nodes = [
            Node(
                distortion=LabelBelief(label=vocabulary.distortions[labels.distortion[side, k]]),
                severity=LabelBelief(label=vocabulary.severities[labels.severity[side, k]]),
                score=round(float(labels.score[side, k]), DECIMALS),
            )
            for side in range(2)
        ]
        label = vocabulary.comparison_labels[labels.comparison[k]]
        margin = score_margin(nodes[0].score, nodes[1].score)
        regions.append(
            RegionComparison(
                id=region.id,
                name=region.name,
                area_fraction=float(areas[k]),
                anchor=nodes[0],
                target=nodes[1],
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
    found: dict[str, list[str]] = json.loads(text)
    return found


def short_turn(
    kind: str, graph: DistortionGraph, counts: Counter[str], rng: np.random.Generator
) -> Turn:
    """A short question of a kind whose answer is one of the least counted so far."""
    if kind == "find":
        return _find(graph, counts, rng)
    if kind == "check":
        return _check(graph, counts, rng)
    side = _side(rng)
    if kind == "worst":
        worst = min(graph.regions, key=lambda region: (_score(region, side), region.id))
        return _turn(kind, graph, rng, str(worst.id), side, side=side)
    options = [
        (region, side, _label(kind, region, side))
        for region in graph.regions
        for side in (SIDES if kind != "comparison" else SIDES[:1])
    ]
    fewest = min(counts[label] for _, _, label in options)
    rare = [option for option in options if counts[option[2]] == fewest]
    region, side, label = rare[int(rng.integers(len(rare)))]
    answer = f"{_score(region, side):.2f}" if kind == "score" else label
    return _turn(kind, graph, rng, answer, label, side=side, id=str(region.id))


def _label(kind: str, region: RegionComparison, side: Side) -> str:
    node = region.node(side)
    if kind == "distortion":
        return node.distortion.label
    if kind == "severity":
        return node.severity.label
    if kind == "comparison":
        return region.comparison.label
    return f"{int(min(_score(region, side), 0.999) * 10) / 10:.1f}"


def _find(graph: DistortionGraph, counts: Counter[str], rng: np.random.Generator) -> Turn:
    side = _side(rng)
    clean = graph.vocabulary.clean
    there: dict[str, list[int]] = {}
    for region in graph.regions:
        there.setdefault(region.node(side).distortion.label, []).append(region.id)
    present = [label for label in there if label != clean]
    absent = [label for label in graph.vocabulary.distortions if label not in there]
    wanted = counts[NONE] < MOST_NONE * (counts.total() + 1)
    if absent and (wanted or not present):
        label = absent[int(rng.integers(len(absent)))]
        return _turn("find", graph, rng, NONE, NONE, side=side, label=words(label))
    fewest = min(counts[label] for label in present or there)
    rare = [label for label in present or there if counts[label] == fewest]
    label = rare[int(rng.integers(len(rare)))]
    answer = ", ".join(map(str, sorted(there[label])))
    return _turn("find", graph, rng, answer, label, side=side, label=words(label))


def _check(graph: DistortionGraph, counts: Counter[str], rng: np.random.Generator) -> Turn:
    side = _side(rng)
    region = graph.regions[int(rng.integers(len(graph.regions)))]
    true = region.node(side).distortion.label
    clean = graph.vocabulary.clean
    others = [label for label in graph.vocabulary.distortions if label not in (true, clean)]
    if true != clean and (counts[YES] <= counts[NO] or not others):
        return _turn("check", graph, rng, YES, YES, side=side, id=str(region.id), label=words(true))
    label = others[int(rng.integers(len(others)))]
    return _turn("check", graph, rng, NO, NO, side=side, id=str(region.id), label=words(label))


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


def _score(region: RegionComparison, side: Side) -> float:
    score = region.node(side).score
    return 1.0 if score is None else score


def whole_answer(graph: DistortionGraph) -> str:
    """The answer to the question about whole pictures, as `mllm.whole` reads it."""
    spoilt = {side: _most_spoilt(graph, side) for side in SIDES}
    said = [
        f"the {side} suffers most from {words(labels[0])}"
        if labels
        else f"nothing is wrong with the {side}"
        for side, labels in spoilt.items()
    ]
    pictures = {
        side: {"distortions": labels, "score": _scene_score(graph, side)}
        for side, labels in spoilt.items()
    }
    reason = f"{said[0][0].upper()}{said[0][1:]}, and {said[1]}."
    return json.dumps({**pictures, "comparison": _scene_label(graph), "reason": reason})


def _most_spoilt(graph: DistortionGraph, side: Side) -> list[str]:
    """Distortions of a picture by how much quality they cost, over the area; the most first."""
    spoilt: dict[str, float] = {}
    for region in graph.regions:
        loss = (region.area_fraction or 0) * (1 - _score(region, side))
        label = region.node(side).distortion.label
        spoilt[label] = spoilt.get(label, 0.0) + loss
    spoilt.pop(graph.vocabulary.clean, None)
    return sorted(spoilt, key=lambda label: (-spoilt[label], label))


def _scene_score(graph: DistortionGraph, side: Side) -> float | None:
    if graph.scene is None:
        return None
    return (graph.scene.anchor if side == "anchor" else graph.scene.target).score


def _scene_label(graph: DistortionGraph) -> str:
    if graph.scene is None or graph.scene.comparison is None:
        return graph.vocabulary.comparison_labels[graph.vocabulary.neutral_index]
    return graph.scene.comparison.label


def assessment_answer(graph: DistortionGraph) -> str:
    """A written assessment, as `mllm.assessment` reads it: every sentence names its regions."""
    said: list[tuple[str, list[int]]] = [_overall(graph)]
    for side in SIDES:
        said += _worst_sentences(graph, side)
    clean = [
        region
        for region in graph.regions
        if all(region.node(side).distortion.label == graph.vocabulary.clean for side in SIDES)
    ]
    if clean:
        names = _listed([name_of(region) for region in clean])
        verb = "is" if len(clean) == 1 else "are"
        said.append((f"{names} {verb} unimpaired in both.", [region.id for region in clean]))
    sentences = [
        {"text": f"{text[0].upper()}{text[1:]}", "regions": ids} for text, ids in said[:SENTENCES]
    ]
    return json.dumps({"sentences": sentences}, ensure_ascii=False)


def _overall(graph: DistortionGraph) -> tuple[str, list[int]]:
    """Which picture is better, and in how many regions."""
    ranks = [rank_of(graph, region.comparison.label) for region in graph.regions]
    better, worse = sum(rank > 0 for rank in ranks), sum(rank < 0 for rank in ranks)
    rank = rank_of(graph, _scene_label(graph))
    verdict = words(_scene_label(graph))
    whole = f"the anchor is {verdict} than the target" if rank else "both pictures are equally good"
    count = f"it is better in {better} of {len(ranks)} regions and worse in {worse}"
    if not rank:
        count = f"the anchor is better in {better} of {len(ranks)} regions and worse in {worse}"
    return f"as a whole, {whole}; {count}.", [region.id for region in graph.regions]


def _worst_sentences(graph: DistortionGraph, side: Side) -> list[tuple[str, list[int]]]:
    """What is wrong with the worst regions of a picture."""
    clean = graph.vocabulary.clean
    spoilt = [r for r in worst_first(graph) if r.node(side).distortion.label != clean]
    spoilt.sort(key=lambda region: _score(region, side))
    if not spoilt:
        ids = [region.id for region in graph.regions]
        return [(f"nothing is wrong in the {side}.", ids)]
    found = []
    for region in spoilt[:_WORST_SHOWN]:
        node = region.node(side)
        text = (
            f"in the {side}, {name_of(region)} suffers from {words(node.distortion.label)} "
            f"({words(node.severity.label)}, score {_score(region, side):.2f})."
        )
        found.append((text, [region.id]))
    return found


def _listed(names: Sequence[str]) -> str:
    unique = list(dict.fromkeys(names))
    return unique[0] if len(unique) == 1 else f"{', '.join(unique[:-1])} and {unique[-1]}"
