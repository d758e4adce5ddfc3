"""What the colour of a region means on a picture, and which colour that is."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

from distortion_graph.graph import SIDES, DistortionGraph, Node
from distortion_graph.report.palette import (
    NEUTRAL,
    Rgb,
    comparison_colours,
    label_colours,
    severity_colours,
)
from distortion_graph.report.wording import UNCERTAIN, all_regions, node_on, words

ColourBy: TypeAlias = Literal["severity", "comparison", "distortion"]
"""What the colour of a region means."""


class Paint(NamedTuple):
    """A region's colour, and whether it is filled with it."""

    colour: Rgb
    filled: bool


class Meaning(NamedTuple):
    """What a colour means; a comparison has its rank."""

    text: str
    colour: Rgb
    rank: int | None = None


def paint(graph: DistortionGraph, colour_by: ColourBy, node: Node, rank: int) -> Paint:
    """Of a region in a picture that is better than the other one by `rank`.

    Severities are filled where something is wrong, comparisons where the pictures are not the same,
    distortions always.
    """
    vocabulary = graph.vocabulary
    if colour_by == "comparison":
        colours = comparison_colours(len(vocabulary.comparisons))
        return Paint(colours[rank + vocabulary.neutral_index], rank != 0)
    if graph.is_uncertain(node):
        return Paint(NEUTRAL, colour_by == "distortion")
    if colour_by == "distortion":
        labels = label_colours(len(vocabulary.distortions), vocabulary.clean_index)
        return Paint(labels[vocabulary.distortion_index(node.distortion.label)], True)
    level = vocabulary.severity_index(node.severity.label)
    return Paint(severity_colours(len(vocabulary.severities))[level], level > 0)


def meanings(graph: DistortionGraph, colour_by: ColourBy) -> list[Meaning]:
    """What the colours mean: all severities or comparisons, best first; distortions that occur."""
    vocabulary = graph.vocabulary
    if colour_by == "comparison":
        colours = comparison_colours(len(vocabulary.comparisons))
        levels = zip(vocabulary.comparisons, colours, strict=True)
        return [Meaning(words(vocabulary, v.label), c, v.rank) for v, c in levels][::-1]
    both = [node_on(region, side) for region in all_regions(graph) for side in SIDES]
    nodes = [node for node in both if node is not None]
    sure = [node for node in nodes if not graph.is_uncertain(node)]
    unsure = [Meaning(UNCERTAIN, NEUTRAL)] if len(sure) < len(nodes) else []
    if colour_by == "severity":
        shown = zip(
            vocabulary.severities, severity_colours(len(vocabulary.severities)), strict=True
        )
        return [*(Meaning(words(vocabulary, label), c) for label, c in shown), *unsure]
    labels = label_colours(len(vocabulary.distortions), vocabulary.clean_index)
    there = {node.distortion.label for node in sure}
    found = zip(vocabulary.distortions, labels, strict=True)
    return [
        *(Meaning(words(vocabulary, label), c) for label, c in found if label in there),
        *unsure,
    ]
