"""What rules measure of a pair, and findings: the amounts that are not allowed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from distortion_graph.gate.policy import DistortionRule, LossRule, Rule, Rules
from distortion_graph.gate.seeing import Seen
from distortion_graph.graph import SIDES, DistortionGraph, LabelBelief, RegionComparison, Side
from distortion_graph.masks.boxes import Box

BoxNumbers = tuple[int, int, int, int]

SCENE = "scene"
_NEAR_PX = 9
"""Differing pixels that are no farther apart are one place."""
_ROUNDING = 1e-9
_SHOWN_PLACES = 8


@dataclass(frozen=True)
class Amount:
    """How much of something a rule has found in a place.

    `key` tells it from others of the pair. `limit` is what the policy allows; None where it allows
    anything. A probability may not reach its limit, anything else may not exceed it. `said` is what
    was found, in words; `boxes` are where, in pixels of the anchor, the largest first.
    """

    rule: Rule
    key: str
    value: float
    limit: float | None
    said: str
    boxes: tuple[BoxNumbers, ...] = ()
    region: int | None = None

    @property
    def is_probability(self) -> bool:
        """Whether the amount is a probability."""
        return self.rule in ("comparison", "distortions")

    def finding(self, recorded: float | None = None, tolerance: float = 0.0) -> Finding | None:
        """What is wrong with the amount; None where it is allowed.

        What was `recorded` is allowed, and as much more as `tolerance`; of a probability what the
        policy allows too.
        """
        if self.rule == "size":
            return None if recorded else self._finding(0, "expected the same size")
        if recorded is None:
            if self.limit is None or not self._beyond(self.limit):
                return None
            below = "below " if self.is_probability else ""
            return self._finding(self.limit, f"allowed {below}{self._shown(self.limit)}")
        allowed = recorded + tolerance
        forgiven = self.is_probability and self.limit is not None and not self._beyond(self.limit)
        if forgiven or self.value <= allowed + _ROUNDING:
            return None
        return self._finding(
            allowed, f"recorded {self._shown(recorded)} and {self._shown(tolerance)} of noise"
        )

    def _beyond(self, limit: float) -> bool:
        return self.value >= limit if self.is_probability else self.value > limit + _ROUNDING

    def _shown(self, value: float) -> str:
        return f"{100 * value:.3g} %" if self.rule == "differs" else f"{value:.3g}"

    def _finding(self, limit: float, why: str) -> Finding:
        text = f"{self.said}, {why}"
        return Finding(self.rule, text, self.value, limit, self.boxes, self.region)


@dataclass(frozen=True)
class Finding:
    """Something that a policy does not allow: what, where and how much, in one line.

    `value` is more than `limit`. `boxes` (x, y, w, h) are where, in pixels of the anchor, and
    `region` is the id of the graph's region; () and None where it is the whole picture.
    """

    rule: Rule
    text: str
    value: float
    limit: float
    boxes: tuple[BoxNumbers, ...] = ()
    region: int | None = None


def amounts_of(seen: Seen, rules: Rules) -> list[Amount]:
    """All that the rules measure, and the losses in any case."""
    found: list[Amount] = []
    if seen.sizes is not None:
        (height, width), (now_height, now_width) = seen.sizes
        said = f"the picture is {now_width}×{now_height} pixels, and {width}×{height} before"
        found.append(Amount("size", "size", 1, None, said))
    if seen.counted is not None and rules.differs is not None:
        found.append(_differing(seen.counted, rules.differs.share))
    if seen.graph is not None:
        found += graph_amounts(seen.graph, rules)
    return found


def graph_amounts(graph: DistortionGraph, rules: Rules) -> Iterator[Amount]:
    """What the rules measure of a graph, and the losses in any case."""
    yield from _losses(graph, rules)
    yield from _worse(graph, rules)
    if rules.distortions is not None:
        for region in graph.regions:
            yield from _distortions(graph, region, rules.distortions)


def findings_of(
    amounts: Sequence[Amount],
    recorded: Mapping[str, float] | None = None,
    tolerance: Mapping[str, float] | None = None,
) -> list[Finding]:
    """What is not allowed, rule by rule, the farthest from its limit first.

    `recorded` are amounts by key, or by `worst_key` where regions do not keep their ids; a pair
    that was equal has none.
    """
    found = []
    for amount in amounts:
        before = None if recorded is None else _recorded(amount, recorded)
        finding = amount.finding(before, (tolerance or {}).get(amount.rule, 0.0))
        if finding is not None:
            found.append(finding)
    order = ["size", "differs", "comparison", "loss", "distortions"]
    return sorted(found, key=lambda f: (order.index(f.rule), f.limit - f.value))


def _recorded(amount: Amount, recorded: Mapping[str, float]) -> float | None:
    nothing = None if amount.is_probability else 0.0
    return recorded.get(amount.key, recorded.get(worst_key(amount), nothing))


def worst_key(amount: Amount) -> str:
    """The key of the largest such amount of any region."""
    return amount.key if amount.region is None else f"{amount.key.partition(' ')[0]} any"


def _differing(counted: NDArray[np.bool_], limit: float) -> Amount:
    pixels = int(np.count_nonzero(counted))
    boxes, places = _boxes(counted)
    said = f"{pixels} pixels ({100 * pixels / counted.size:.2g} %) differ visibly"
    if boxes:
        where = "in one place" if places == 1 else f"in {places} places, the largest"
        said += f" {where} {_box_text(boxes[0])}"
    return Amount("differs", "differs", pixels / counted.size, limit, said, boxes)


def _boxes(pixels: NDArray[np.bool_]) -> tuple[tuple[BoxNumbers, ...], int]:
    """Boxes around groups of near pixels, the largest first, and how many groups there are."""
    grown = cv2.dilate(pixels.astype(np.uint8), np.ones((_NEAR_PX, _NEAR_PX), np.uint8))
    count, groups, stats, _ = cv2.connectedComponentsWithStats(grown, connectivity=8)
    boxes = []
    for number in range(1, count):
        x, y, width, height = (int(n) for n in stats[number][:4])
        outer = Box(x, y, width, height)
        inner = Box.around(pixels[outer.area] & (groups[outer.area] == number))
        boxes.append(inner.moved(x, y).xywh)
    boxes.sort(key=lambda box: (-box[2] * box[3], box[1], box[0]))
    return tuple(boxes[:_SHOWN_PLACES]), count - 1


def _box_text(box: BoxNumbers) -> str:
    x, y, width, height = box
    return f"{width}×{height} at ({x}, {y})"


def _losses(graph: DistortionGraph, rules: Rules) -> Iterator[Amount]:
    limits = rules.loss or LossRule()
    if graph.scene is not None and graph.scene.comparison is not None:
        margin = graph.scene.comparison.margin
        if margin is not None:
            scores = f"{graph.scene.anchor.score:.3g} → {graph.scene.target.score:.3g}"
            said = f"the whole picture loses {margin:.3g} of its score ({scores})"
            yield Amount("loss", "loss scene", margin, limits.scene, said)
    for region in graph.regions:
        margin = region.comparison.margin
        if margin is None:
            continue
        said = (
            f"{_named(region)} loses {margin:.3g} of its score ({region.anchor.score:.3g} → "
            f"{region.target.score:.3g})"
        )
        yield Amount(
            "loss", f"loss {region.id}", margin, limits.region, said, _of(region), region=region.id
        )


def _worse(graph: DistortionGraph, rules: Rules) -> Iterator[Amount]:
    rule, vocabulary = rules.comparison, graph.vocabulary
    if rule is None:
        return
    worst = rule.rank(vocabulary)
    said = "worse" if worst == 0 else f"worse than {vocabulary.in_words(rule.worst)}"
    for region in graph.regions:
        belief = region.comparison
        if _both_clean(graph, region):
            continue
        # The graph says how the anchor compares with the target; the target is the mirror image.
        value = sum(
            _probability(belief, level.label) for level in vocabulary.comparisons
            if -level.rank < worst
        )  # fmt: skip
        text = f"{_named(region)} is {said} with probability {value:.2g}"
        yield Amount(
            "comparison",
            f"worse {region.id}",
            value,
            rule.probability,
            text,
            _of(region),
            region=region.id,
        )


def _both_clean(graph: DistortionGraph, region: RegionComparison) -> bool:
    """Whether a graph calls a region the same because nothing is wrong with it in either picture.

    What the pictures show there may be quite different; that is no matter of better and worse.
    """
    vocabulary = graph.vocabulary
    same = region.comparison.label == vocabulary.comparison_labels[vocabulary.neutral_index]
    labels = {region.node(side).distortion.label for side in SIDES}
    return same and labels == {vocabulary.clean}


def _distortions(
    graph: DistortionGraph, region: RegionComparison, rule: DistortionRule
) -> Iterator[Amount]:
    vocabulary = graph.vocabulary
    before = {label: index for label, index, _ in _suffered(graph, region, "anchor")}
    for label, severity, probability in _suffered(graph, region, "target"):
        if not rule.forbids(label) or before.get(label, -1) >= severity:
            continue
        how_bad = vocabulary.in_words(vocabulary.severities[severity])
        said = (
            f"{_named(region)} suffers {vocabulary.in_words(label)} ({how_bad}) with probability "
            f"{probability:.2g}"
        )
        yield Amount(
            "distortions",
            f"{label} {region.id}",
            probability,
            rule.probability,
            said,
            _of(region),
            region=region.id,
        )


def _suffered(
    graph: DistortionGraph, region: RegionComparison, side: Side
) -> Iterator[tuple[str, int, float]]:
    """Distortions of a region in one picture: label, position of the severity, probability."""
    vocabulary = graph.vocabulary
    node = region.node(side)
    if graph.is_uncertain(node):
        return
    label = node.distortion
    if label.label != vocabulary.clean:
        severity = vocabulary.severity_index(node.severity.label)
        yield label.label, severity, 1.0 if label.probability is None else label.probability
    for further in node.also:
        probability = 1.0 if further.probability is None else further.probability
        yield further.label, vocabulary.severity_index(further.severity), probability


def _probability(belief: LabelBelief, label: str) -> float:
    if belief.probabilities is not None:
        return belief.probabilities.get(label, 0.0)
    if belief.label != label:
        return 0.0
    return 1.0 if belief.probability is None else belief.probability


def _named(region: RegionComparison) -> str:
    plain = region.name == f"region {region.id}"
    return region.name if plain else f"region {region.id} “{region.name}”"


def _of(region: RegionComparison) -> tuple[BoxNumbers, ...]:
    box = region.bbox_of("anchor")
    return () if box is None else (box,)
