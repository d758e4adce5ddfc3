"""What a model said, read with patience and without guessing.

Of a model that thinks aloud only the final answer is read (`thinking`). The JSON may stand in other
text or in a code fence, be broken off or slightly wrong; its entries may be a list or lie one level
deeper. A word that is neither a label nor a documented synonym of one makes its region unusable: a
miss, like a region that was left out. Regions that nobody asked about are counted and dropped.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from distortion_graph.base.vocabulary import Vocabulary
from distortion_graph.graph import (
    ComparisonBelief,
    DistortionGraph,
    LabelBelief,
    ModelInfo,
    Node,
    RegionComparison,
    score_margin,
)
from distortion_graph.mllm.ask.wording import label_of, spelled
from distortion_graph.mllm.client.thinking import final_answer

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

    def known(self, ids: Sequence[int]) -> Answer:
        """The answer with no region of `ids` among the invented: it was asked about elsewhere."""
        kept = tuple(key for key in self.invented if region_number(key) not in ids)
        return replace(self, invented=kept)

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
    for key, entry in _entries(values_in(text)):
        number = region_number(key)
        if number is None or number not in asked:
            if number is not None or _says_of_both(entry):
                invented[f"{key}"[:40]] = None
            continue
        answered = reader.region(entry)
        if isinstance(answered, RegionAnswer):
            regions[number] = answered
        else:
            unusable[number] = answered
    unusable = {k: why for k, why in unusable.items() if k not in regions}
    return Answer(regions, unusable, tuple(invented), reader.reworded)


def json_in(text: str) -> Any:
    """The JSON value in a text, the last of several; None where there is none."""
    values = values_in(text)
    return values[-1] if values else None


def values_in(text: str) -> list[Any]:
    """The JSON value in a text, or those of all its code fences, mended where they are broken.

    What the text says of a model's thinking holds none.
    """
    for bare in (text.strip(), final_answer(text)):
        try:
            return [json.loads(bare)]
        except (ValueError, RecursionError):
            pass
    start = min((k for k in map(bare.find, "{[") if k >= 0), default=-1)
    if start < 0:
        return []
    from json_repair import repair_json

    fenced = re.findall(r"```(?:json)?\s*([\[{].*?)```", bare, re.DOTALL | re.IGNORECASE)
    try:
        return [repair_json(part, return_objects=True) for part in fenced or [bare[start:]]]
    except (ValueError, RecursionError):
        return []


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
        metrics=frame.metrics,  # the evidence is the frame's own
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


def _says_of_both(entry: Any) -> bool:
    """Whether an entry is of a region, and no remark beside the regions."""
    return isinstance(entry, Mapping) and "anchor" in entry and "target" in entry


def _own_key(entry: Mapping[Any, Any]) -> str | None:
    """The key under which an entry of a list has its region's number."""
    return next((key for key in _ID_KEYS if region_number(entry.get(key)) is not None), None)


def region_number(key: Any) -> int | None:
    """The region that a key names: 7, 7.0, "7", "region 7", "#7"."""
    number = whole_number(key)
    if number is not None or not isinstance(key, str) or key.strip().startswith(("-", "−")):
        return number
    match = re.fullmatch(r"(?:regions?|mark|id)? ?(\d{1,9})", spelled(key))
    return int(match[1]) if match else None


def whole_number(value: Any) -> int | None:
    """7 of 7, 7.0, "7" and "7.0"; None for anything else, and for numbers too long to be meant."""
    if isinstance(value, str):
        match = re.fullmatch(r"(\d{1,9})(?:\.0+)?", value.strip())
        return int(match[1]) if match else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if abs(value) < 10**9 and value == int(value) else None


class _Reader:
    """Reads entries in a vocabulary's words and counts how often a synonym was needed."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary, self.reworded = vocabulary, 0

    def region(self, entry: Any) -> RegionAnswer | str:
        """The entry's answer, or why it is unusable."""
        if not isinstance(entry, Mapping):
            return f"its entry is {brief(entry)}, expected an object"
        nodes = []
        for side in ("anchor", "target"):
            node = self._node(entry.get(side), side)
            if isinstance(node, str):
                return node
            nodes.append(node)
        comparison = self._label(entry.get("comparison"), self.vocabulary.comparison_labels)
        if comparison is None:
            return f"comparison is {brief(entry.get('comparison'))}"
        return RegionAnswer(nodes[0], nodes[1], comparison)

    def _node(self, value: Any, side: str) -> NodeAnswer | str:
        if not isinstance(value, Mapping):
            return f"{side} is {brief(value)}, expected an object"
        distortion = self._label(value.get("distortion"), self.vocabulary.distortions)
        if distortion is None:
            return f"{side}.distortion is {brief(value.get('distortion'))}"
        severity = self._severity(value.get("severity"))
        if severity is None:
            return f"{side}.severity is {brief(value.get('severity'))}"
        return NodeAnswer(distortion, severity, score_in(value.get("score")))

    def _severity(self, value: Any) -> str | None:
        """A position on the scale, or the word for it."""
        names = self.vocabulary.severities
        label = self._label(value, names)
        if label is not None:
            return label
        place = whole_number(value)
        return names[place] if place is not None and 0 <= place < len(names) else None

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
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value <= 1 else None


def line_of(value: Any) -> str:
    """A text of an answer in one line; nothing where it is no text."""
    return " ".join(value.split()) if isinstance(value, str) else ""


def brief(value: Any) -> str:
    """The beginning of any value of an answer, for messages."""
    try:
        return f"{value!r:.60}"
    except ValueError:  # Python writes no number of so many digits
        return "a number of thousands of digits"
