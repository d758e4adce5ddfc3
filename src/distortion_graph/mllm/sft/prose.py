"""A written assessment that follows from the truth; every sentence names its regions."""

from __future__ import annotations

import json
from collections.abc import Sequence

from distortion_graph.graph import SIDES, DistortionGraph, RegionComparison, Side
from distortion_graph.mllm.ask.assessment import SENTENCES, name_of
from distortion_graph.mllm.sft.questions import (
    capital,
    noun,
    region_score,
    scene_score,
    suffered,
    verdict,
)
from distortion_graph.report.wording import rank_of, words

_NAMES_SHOWN = 4

Said = tuple[str, list[int]]
"""A sentence and the ids of the regions that it is about."""


def assessment_answer(graph: DistortionGraph) -> str:
    """A written assessment, as `mllm.ask.assessment` reads it."""
    said = [_overall(graph), *_largest_difference(graph)]
    for side in SIDES:
        said += _picture(graph, side)
    sentences = [{"text": capital(text), "regions": ids} for text, ids in said[:SENTENCES]]
    return json.dumps({"sentences": sentences}, ensure_ascii=False)


def _overall(graph: DistortionGraph) -> Said:
    """Which picture is better, and in how many regions."""
    ranks = [rank_of(graph, region.comparison.label) for region in graph.regions]
    better, worse = sum(rank > 0 for rank in ranks), sum(rank < 0 for rank in ranks)
    scores = [scene_score(graph, side) for side in SIDES]
    shown = "" if None in scores else f" (score {scores[0]:.2f} against {scores[1]:.2f})"
    parts = [f"{word} in {n}" for word, n in (("better", better), ("worse", worse)) if n]
    if len(ranks) > better + worse:
        parts.append(f"about the same in {len(ranks) - better - worse}")
    where = "the one region" if len(ranks) == 1 else f"the {len(ranks)} regions"
    ids = [region.id for region in graph.regions]
    return f"as a whole, {verdict(graph)}{shown}; of {where} the anchor is {_joined(parts)}.", ids


def _largest_difference(graph: DistortionGraph) -> list[Said]:
    """Where the two pictures differ most, if they do."""

    def difference(region: RegionComparison) -> float:
        return abs(region_score(region, "anchor") - region_score(region, "target"))

    if len(graph.regions) < 2:
        return []
    most = max(graph.regions, key=lambda region: (difference(region), -region.id))
    label = most.comparison.label
    if not rank_of(graph, label):
        return []
    said = words(graph.vocabulary, label)
    text = f"they differ most in {name_of(most)}, which is {said} in the anchor."
    return [(text, [most.id])]


def _picture(graph: DistortionGraph, side: Side) -> list[Said]:
    """What is wrong with a picture, where it is worst, and what is unimpaired."""
    clean = graph.vocabulary.clean
    spoilt = [r for r in graph.regions if r.node(side).distortion.label != clean]
    spoilt.sort(key=lambda region: (region_score(region, side), region.id))
    whole = [region for region in graph.regions if region not in spoilt]
    if not spoilt:
        return [(f"nothing is wrong with the {side}.", [region.id for region in whole])]
    labels = dict.fromkeys(label for r in spoilt for label in suffered(r.node(side)))
    nouns = list(dict.fromkeys(noun(graph.vocabulary, label) for label in labels))
    where = "in some regions" if whole else "everywhere"
    if len(nouns) > 1:
        where = "depending on the region"
    sentences = [
        (f"the {side} suffers from {_joined(nouns)} {where}.", sorted(r.id for r in spoilt))
    ]
    sentences.append((f"the {side} is worst in {_judged(graph, spoilt[0], side)}.", [spoilt[0].id]))
    if whole:
        names = _named(whole)
        verb = "is" if len(whole) == 1 else "are"
        sentences.append((f"{names} {verb} unimpaired in the {side}.", [r.id for r in whole]))
    elif len(spoilt) > 1:
        sentences.append(
            (f"second worst in the {side} is {_judged(graph, spoilt[1], side)}.", [spoilt[1].id])
        )
    return sentences


def _judged(graph: DistortionGraph, region: RegionComparison, side: Side) -> str:
    node, vocabulary = region.node(side), graph.vocabulary
    how = f"{words(vocabulary, node.severity.label)}, score {region_score(region, side):.2f}"
    return f"{name_of(region)}: {noun(vocabulary, node.distortion.label)} ({how})"


def _named(regions: Sequence[RegionComparison]) -> str:
    names = list(dict.fromkeys(name_of(region) for region in regions))
    more = len(names) - _NAMES_SHOWN
    if more > 1:
        names = [*names[:_NAMES_SHOWN], f"{more} more regions"]
    return _joined(names)


def _joined(parts: Sequence[str]) -> str:
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else last
