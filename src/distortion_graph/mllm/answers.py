"""What a model said, read with patience and without guessing.

The JSON may stand in other text or in a code fence, be broken off or slightly wrong; its entries
may be a list or lie one level deeper. A word that is neither a label nor a documented synonym of
one makes its region unusable: a miss, like a region that was left out. Regions that nobody asked
about are counted and dropped.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from distortion_graph.graph import (
    ComparisonBelief,
    DistortionGraph,
    LabelBelief,
    ModelInfo,
    Node,
    RegionComparison,
    score_margin,
)
from distortion_graph.mllm.wording import label_of, spelled
from distortion_graph.vocabulary import Vocabulary

_ID_KEYS = ("id", "region", "region_id", "mark", "number")


@dataclass(frozen=True)
class NodeAnswer:
    """Labels of the vocabulary, and a score in [0, 1] or none."""

    distortion: str
    severity: str
    score: float | None


@dataclass(frozen=True)
class RegionAnswer:
    """What was said of a region."""

    anchor: NodeAnswer
    target: NodeAnswer
    comparison: str


@dataclass(frozen=True)
class Answer:
    """Usable answers by region id, and what else was found.

    `unusable` says why an entry for a region that was asked about cannot be used, `invented` are
    keys of entries for regions that nobody asked about, `reworded` counts labels that were found
    through a synonym.
    """

    regions: Mapping[int, RegionAnswer] = field(default_factory=dict)
    unusable: Mapping[int, str] = field(default_factory=dict)
    invented: tuple[str, ...] = ()
    reworded: int = 0

    def missing(self, ids: Sequence[int]) -> tuple[int, ...]:
        """Those of `ids` that no entry was found for, usable or not."""
        return tuple(k for k in ids if k not in self.regions and k not in self.unusable)

    def merged(self, other: Answer) -> Answer:
        """Both; where both have a region, the first one's usable entry."""
        regions = {**other.regions, **self.regions}
        unusable = {
            k: why for k, why in {**other.unusable, **self.unusable}.items() if k not in regions
        }
        invented = tuple(dict.fromkeys((*self.invented, *other.invented)))
        return Answer(regions, unusable, invented, self.reworded + other.reworded)

    def mirrored(self, vocabulary: Vocabulary) -> Answer:
        """The answer to the same question with anchor and target exchanged."""
        labels = vocabulary.comparison_labels
        mirror = dict(zip(labels, labels[::-1], strict=True))
        regions = {
            k: RegionAnswer(said.target, said.anchor, mirror[said.comparison])
            for k, said in self.regions.items()
        }
        return replace(self, regions=regions)


def parse_answer(text: str, ids: Sequence[int], vocabulary: Vocabulary) -> Answer:
    """What the text says of the regions `ids`; text without any JSON says nothing."""
    asked = set(ids)
    regions: dict[int, RegionAnswer] = {}
    unusable: dict[int, str] = {}
    invented: dict[str, None] = {}
    reader = _Reader(vocabulary)
    for key, entry in _entries(json_in(text)):
        number = region_number(key)
        if number is None or number not in asked:
            invented[str(key)[:40]] = None
            continue
        found = reader.region(entry)
        if isinstance(found, RegionAnswer):
            regions[number] = found
        else:
            unusable[number] = found
    unusable = {k: why for k, why in unusable.items() if k not in regions}
    return Answer(regions, unusable, tuple(invented), reader.reworded)


def json_in(text: str) -> Any:
    """The JSON value in a text, mended where it is broken; None where there is none."""
    bare = text.strip()
    try:
        return json.loads(bare)
    except (ValueError, RecursionError):
        pass
    start = min((k for k in map(bare.find, "{[") if k >= 0), default=-1)
    if start < 0:
        return None
    from json_repair import repair_json

    fenced = re.findall(r"```(?:json)?\s*([\[{].*?)```", bare, re.DOTALL)
    try:
        return repair_json(fenced[-1] if fenced else bare[start:], return_objects=True)
    except (ValueError, RecursionError):
        return None


def answers_to_graph(
    answer: Answer, frame: DistortionGraph, model: ModelInfo | None = None
) -> DistortionGraph:
    """A graph of the regions that were answered, with the pictures, masks and names of `frame`.

    No node has probabilities, since nobody gave any; regions without a usable answer are left out.
    """
    regions = tuple(
        _region(region, answer.regions[region.id])
        for region in frame.regions
        if region.id in answer.regions
    )
    return DistortionGraph(
        vocabulary=frame.vocabulary,
        anchor=frame.anchor,
        target=frame.target,
        model=model,
        regions=regions,
    )


def _region(frame: RegionComparison, said: RegionAnswer) -> RegionComparison:
    return frame.model_copy(
        update={
            "anchor": _node(frame.anchor, said.anchor),
            "target": _node(frame.target, said.target),
            "comparison": ComparisonBelief(
                label=said.comparison, margin=score_margin(said.anchor.score, said.target.score)
            ),
        }
    )


def _node(frame: Node, said: NodeAnswer) -> Node:
    return Node(
        mask=frame.mask,
        bbox_xywh_px=frame.bbox_xywh_px,
        distortion=LabelBelief(label=said.distortion),
        severity=LabelBelief(label=said.severity),
        score=said.score,
    )


def _entries(value: Any) -> Iterator[tuple[Any, Any]]:
    """Key and entry of every region in an object, a list, or one of them a level deeper."""
    if isinstance(value, Mapping):
        if any(region_number(key) is not None for key in value):
            yield from value.items()
        elif _own_key(value) is not None:
            yield value[_own_key(value)], value
        else:
            for inner in value.values():
                yield from _entries(inner)
    elif isinstance(value, list):
        for entry in value:
            yield from _entries(entry)


def _own_key(entry: Mapping[Any, Any]) -> str | None:
    """The key under which an entry of a list has its region's number."""
    return next((key for key in _ID_KEYS if region_number(entry.get(key)) is not None), None)


def region_number(key: Any) -> int | None:
    """The region that a key names: 7, "7", "region 7", "#7"."""
    if isinstance(key, bool):
        return None
    if isinstance(key, int):
        return key
    found = re.fullmatch(r"(?:regions?|mark|id)? ?(\d{1,9})", spelled(str(key)))
    return int(found[1]) if found and isinstance(key, str) else None


class _Reader:
    """Reads entries in a vocabulary's words and counts how often a synonym was needed."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary, self.reworded = vocabulary, 0

    def region(self, entry: Any) -> RegionAnswer | str:
        """The entry's answer, or why it is unusable."""
        if not isinstance(entry, Mapping):
            return f"its entry is {entry!r:.40}, expected an object"
        nodes = []
        for side in ("anchor", "target"):
            node = self._node(entry.get(side), side)
            if isinstance(node, str):
                return node
            nodes.append(node)
        comparison = self._label(entry.get("comparison"), self.vocabulary.comparison_labels)
        if comparison is None:
            return f"comparison is {entry.get('comparison')!r:.60}"
        return RegionAnswer(nodes[0], nodes[1], comparison)

    def _node(self, value: Any, side: str) -> NodeAnswer | str:
        if not isinstance(value, Mapping):
            return f"{side} is {value!r:.40}, expected an object"
        distortion = self._label(value.get("distortion"), self.vocabulary.distortions)
        if distortion is None:
            return f"{side}.distortion is {value.get('distortion')!r:.60}"
        severity = self._severity(value.get("severity"))
        if severity is None:
            return f"{side}.severity is {value.get('severity')!r:.60}"
        return NodeAnswer(distortion, severity, score_in(value.get("score")))

    def _severity(self, value: Any) -> str | None:
        """A position on the scale, or the word for it."""
        names = self.vocabulary.severities
        if isinstance(value, str) and value.strip().isdecimal():
            value = int(value)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool):
            return names[value] if 0 <= value < len(names) else None
        return self._label(value, names)

    def _label(self, value: Any, labels: Sequence[str]) -> str | None:
        label = label_of(value, labels)
        if label is not None and spelled(label) != spelled(value):
            self.reworded += 1
        return label


def score_in(value: Any) -> float | None:
    """A number in [0, 1], also as text; None for anything else, which is not guessed at."""
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value) if 0 <= value <= 1 else None
