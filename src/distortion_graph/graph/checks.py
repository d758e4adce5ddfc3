"""Checks of a graph that need more than one value, and their wording as one line for a person.

`graph/graph.py` holds the types; this module holds what must be true *between* their values (labels
against the vocabulary, masks against picture sizes, relations against regions), and turns
pydantic's reports into a single line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from distortion_graph.base.errors import VocabularyError

if TYPE_CHECKING:
    from distortion_graph.base.vocabulary import Vocabulary
    from distortion_graph.graph import DistortionGraph
    from distortion_graph.graph.judged import Judgement, NodeJudgement
    from distortion_graph.graph.metrics import MetricInfo
    from distortion_graph.graph.parts import (
        ComparisonBelief,
        Difference,
        Evidence,
        ImageInfo,
        LabelBelief,
        Mask,
        Node,
        RegionComparison,
        Scene,
        Side,
    )

_SIDES: tuple[Side, Side] = ("anchor", "target")

PROBABILITY_TOLERANCE = 1e-3
"""How far a sum of probabilities may be from 1, and P(severity clean) from P(distortion clean)."""


def graph_problems(graph: DistortionGraph) -> Iterator[str]:
    """Every way in which a graph contradicts itself or its vocabulary, each as `place: what`."""
    vocabulary = graph.vocabulary
    names = [metric.name for metric in graph.metrics]
    for i, name in enumerate(names):
        if name in names[:i]:
            yield f"metrics[{i}].name: {name!r} is also the name of metrics[{names.index(name)}]"
    seen: dict[int, int] = {}
    for i, region in enumerate(graph.regions):
        place = f"regions[{i}]"
        if region.id in seen:
            yield f"{place}.id: {region.id} is also the id of regions[{seen[region.id]}]"
        seen.setdefault(region.id, i)
        yield from _node_problems(f"{place}.anchor", region.anchor, vocabulary)
        yield from _node_problems(f"{place}.target", region.target, vocabulary)
        for side in _SIDES:
            shape = region.mask_of(side), region.bbox_of(side)
            yield from _extent_problems(f"{place}.{side}", *shape, graph.picture_of(side), side)
        yield from _part_problems(place, region, "anchor", graph.common_part())
        yield from _part_problems(place, region, "target", graph.common_part())
        yield from _comparison_problems(f"{place}.comparison", region.comparison, vocabulary)
        yield from _difference_problems(f"{place}.differs", region.differs, graph)
        yield from _metric_problems(f"{place}.evidence", region.evidence, graph.metrics)
        yield from judged_problems(f"{place}.judged", region.judged, vocabulary)
    for i, lone in enumerate(graph.alone, start=len(graph.regions)):
        place = f"regions[{i}]"
        if lone.id in seen:
            yield f"{place}.id: {lone.id} is also the id of regions[{seen[lone.id]}]"
        seen.setdefault(lone.id, i)
        spot = f"{place}.{lone.side}"
        yield from _node_problems(spot, lone.node, vocabulary)
        shape = lone.node.mask, lone.node.bbox_xywh_px
        yield from _extent_problems(spot, *shape, graph.picture_of(lone.side), lone.side)
    sizes = _size(graph.anchor), _size(graph.target)
    if graph.fit is not None and sizes[0] == sizes[1] and None not in sizes[0]:
        yield f"fit: {graph.fit!r} for two pictures of one size, expected null"
    yield from _reference_problems(graph)
    if graph.scene is not None:
        yield from _scene_problems(graph.scene, vocabulary)
        yield from _difference_problems("scene.differs", graph.scene.differs, graph)
        yield from _metric_problems("scene.evidence", graph.scene.evidence, graph.metrics)
    for i, relation in enumerate(graph.relations):
        for role in ("subject", "object"):
            region_id = getattr(relation, role)
            if region_id not in seen:
                known = ", ".join(map(str, sorted(seen))) or "none"
                yield f"relations[{i}].{role}: no region has the id {region_id} (ids: {known})"


def _node_problems(place: str, node: Node, vocabulary: Vocabulary) -> Iterator[str]:
    problems = [
        *_belief_problems(
            f"{place}.distortion",
            node.distortion,
            vocabulary.distortions,
            vocabulary.distortion_index,
        ),
        *_belief_problems(
            f"{place}.severity", node.severity, vocabulary.severities, vocabulary.severity_index
        ),
    ]
    yield from problems
    if not problems:
        yield from _clean_problems(place, node, vocabulary.clean)
        yield from _further_problems(place, node, vocabulary)


def _belief_problems(
    place: str,
    belief: LabelBelief | ComparisonBelief,
    labels: Sequence[str],
    index: Callable[[str], int],
) -> Iterator[str]:
    yield from _label_problems(place, belief.label, index)
    if belief.probabilities is not None:
        yield from _key_problems(f"{place}.probabilities", belief.probabilities, labels, index)


def _key_problems(
    place: str, keys: Mapping[str, float], labels: Sequence[str], index: Callable[[str], int]
) -> Iterator[str]:
    if len(keys) == len(labels) and all(map(keys.__contains__, labels)):
        return
    for key in keys:
        try:
            index(key)
        except VocabularyError as error:
            yield f"{place}: {error}"
            return
    missing = [label for label in labels if label not in keys]
    if missing:
        yield f"{place}: no probability for {missing[0]!r}, expected one for each of the labels"


def _comparison_problems(
    place: str, comparison: ComparisonBelief, vocabulary: Vocabulary
) -> Iterator[str]:
    yield from _belief_problems(
        place, comparison, vocabulary.comparison_labels, vocabulary.comparison_index
    )


def _clean_problems(place: str, node: Node, clean: str) -> Iterator[str]:
    if (node.distortion.label == clean) != (node.severity.label == clean):
        yield (
            f"{place}: distortion {node.distortion.label!r} with severity "
            f"{node.severity.label!r}, expected both or neither to be {clean!r}"
        )
    if node.distortion.probabilities is not None and node.severity.probabilities is not None:
        p, q = node.distortion.probabilities[clean], node.severity.probabilities[clean]
        if abs(p - q) > PROBABILITY_TOLERANCE:
            yield (
                f"{place}: the probability of {clean!r} is {p} as a distortion and {q} as a "
                "severity, expected the same"
            )


def _further_problems(place: str, node: Node, vocabulary: Vocabulary) -> Iterator[str]:
    """What is wrong with the distortions that a node suffers beside the one that it names."""
    clean, own = vocabulary.clean, node.distortion.label
    if node.also and own == clean:
        yield f"{place}.also: {node.also[0].label!r} beside {clean!r}, expected an empty list"
        return
    refused = {clean: "expected a distortion", own: "which is the node's own distortion"}
    least = 1.0
    for k, further in enumerate(node.also):
        spot = f"{place}.also[{k}]"
        yield from _label_problems(f"{spot}.label", further.label, vocabulary.distortion_index)
        yield from _label_problems(f"{spot}.severity", further.severity, vocabulary.severity_index)
        if further.label in refused:
            yield f"{spot}.label: is {further.label!r}, {refused[further.label]}"
        if further.severity == clean:
            yield f"{spot}.severity: is {clean!r}, expected how severe {further.label!r} is"
        if further.probability is not None and further.probability > least:
            yield (
                f"{spot}.probability: is {further.probability} after {least}, expected the most "
                "probable first"
            )
        refused.setdefault(further.label, f"which is also[{k}] already")
        least = least if further.probability is None else further.probability


def _label_problems(place: str, label: str, index: Callable[[str], int]) -> Iterator[str]:
    try:
        index(label)
    except VocabularyError as error:
        yield f"{place}: {error}"


def judged_problems(place: str, judged: Judgement | None, vocabulary: Vocabulary) -> Iterator[str]:
    """Labels that the vocabulary does not have, and a clean distortion that is severe."""
    if judged is None:
        return
    clean = vocabulary.clean
    for side in _SIDES:
        said: NodeJudgement = getattr(judged, side)
        if said.distortion is not None:
            spot = f"{place}.{side}.distortion"
            yield from _label_problems(spot, said.distortion, vocabulary.distortion_index)
        if said.severity is not None:
            spot = f"{place}.{side}.severity"
            yield from _label_problems(spot, said.severity, vocabulary.severity_index)
        both = None not in (said.distortion, said.severity)
        if both and (said.distortion == clean) != (said.severity == clean):
            yield (
                f"{place}.{side}: distortion {said.distortion!r} with severity "
                f"{said.severity!r}, expected both or neither to be {clean!r}"
            )
    if judged.comparison is not None:
        spot = f"{place}.comparison"
        yield from _label_problems(spot, judged.comparison, vocabulary.comparison_index)


def _extent_problems(
    place: str,
    mask: Mask | None,
    box: tuple[int, int, int, int] | None,
    image: ImageInfo,
    side: Side,
) -> Iterator[str]:
    """A mask or box that does not fit its picture; the target's may be the anchor's."""
    if image.width is None or image.height is None:
        return
    extent = f"but the {side} picture is {image.height} × {image.width} (height × width)"
    if mask is not None and mask.size != (image.height, image.width):
        yield f"{place}.mask: its size is {mask.size[0]} × {mask.size[1]}, {extent}"
    if box is not None and (box[0] + box[2] > image.width or box[1] + box[3] > image.height):
        yield f"{place}.bbox_xywh_px: {list(box)} leaves the picture, {extent}"


def _part_problems(
    place: str, region: RegionComparison, side: Side, part: tuple[int, int] | None
) -> Iterator[str]:
    """A box that leaves the part of the pictures that was compared, (h, w)."""
    box = region.bbox_of(side)
    if part is None or box is None:
        return
    if box[0] + box[2] > part[1] or box[1] + box[3] > part[0]:
        yield (
            f"{place}.{side}.bbox_xywh_px: {list(box)} leaves the common part of the pictures, "
            f"which is {part[0]} × {part[1]} (height × width)"
        )


def _size(image: ImageInfo) -> tuple[int | None, int | None]:
    return image.height, image.width


def _difference_problems(
    place: str, differs: Difference | None, graph: DistortionGraph
) -> Iterator[str]:
    """A size that is neither a picture's nor that of their common part, where these are known."""
    sizes = [_size(graph.anchor), _size(graph.target)]
    if differs is None or any(None in size for size in sizes):
        return
    if differs.size in (*sizes, graph.common_part()):
        return
    known = " and ".join(f"{height} × {width}" for height, width in dict.fromkeys(sizes))
    yield (
        f"{place}.size: is {differs.size[0]} × {differs.size[1]}, but the pictures are {known} "
        "(height × width)"
    )


def _metric_problems(
    place: str, evidence: Evidence | None, metrics: Sequence[MetricInfo]
) -> Iterator[str]:
    """Values of metrics that the graph does not describe, or outside the range that it names."""
    known = {metric.name: metric for metric in metrics}
    for name, value in (evidence.more if evidence is not None else {}).items():
        if name not in known:
            names = ", ".join(known) or "none"
            yield f"{place}.more: {name!r} is not among the graph's metrics (names: {names})"
            continue
        low, high = known[name].range
        if value is not None and low is not None and value < low:
            yield f"{place}.more: {name} is {value}, expected at least {low}, as metrics says"
        if value is not None and high is not None and value > high:
            yield f"{place}.more: {name} is {value}, expected at most {high}, as metrics says"


def _reference_problems(graph: DistortionGraph) -> Iterator[str]:
    """Scores that are not measured beside a reference, and nodes of the reference with faults."""
    if graph.reference is None:
        return
    if graph.scores is None or graph.scores.source != "measured":
        found = "null" if graph.scores is None else repr(graph.scores.source)
        yield f"scores: source is {found} beside a reference, expected 'measured'"
    side, clean = graph.reference.side, graph.vocabulary.clean
    if side is None:
        return
    nodes = [(i, region.node(side)) for i, region in enumerate(graph.regions)]
    alone = enumerate(graph.alone, start=len(nodes))
    nodes += [(i, lone.node) for i, lone in alone if lone.side == side]
    for i, node in nodes:
        place, label = f"regions[{i}].{side}", node.distortion.label
        if label != clean:
            yield f"{place}.distortion: is {label!r} in the reference, expected {clean!r}"
        if node.score not in (None, 1):
            yield f"{place}.score: is {node.score} in the reference, expected 1"


def _scene_problems(scene: Scene, vocabulary: Vocabulary) -> Iterator[str]:
    for side, node in (("anchor", scene.anchor), ("target", scene.target)):
        for label in node.distortion_share or ():
            shares = f"scene.{side}.distortion_share"
            yield from _label_problems(shares, label, vocabulary.distortion_index)
    if scene.comparison is not None:
        yield from _comparison_problems("scene.comparison", scene.comparison, vocabulary)
