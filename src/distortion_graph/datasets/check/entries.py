"""One picture's entry in a stats file: everything about it that can be told from it alone."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from distortion_graph.base.errors import DatasetError
from distortion_graph.base.vocabulary import Vocabulary
from distortion_graph.datasets.check.findings import FindingLog
from distortion_graph.datasets.check.masks import NO_MASK, Box, MaskFacts, mask_facts
from distortion_graph.datasets.label_columns import UNKNOWN, RegionLabels
from distortion_graph.datasets.stats import (
    box_from_json,
    judged_from_json,
    number_from_json,
    relations_from_json,
)
from distortion_graph.synth.synthesis import MIXED

_LEAST_OVERLAP = 0.5
"""A box that overlaps its mask's by less (intersection over union) is another region's."""
_SLACK_PX = 1
"""Boxes are rounded in several ways."""


@dataclass(frozen=True)
class Rules:
    """What labels may be. `predicates` is their number, None where it is not known.

    `by_loss`: what lost next to nothing is called clean, whatever was done to it. `several`:
    whether regions say which further distortions they have; the published layout does not.
    `judged`: whether people gave the labels, so that some may be missing, and all scores are.
    """

    vocabulary: Vocabulary
    predicates: int | None
    by_loss: bool = False
    several: bool = False
    judged: bool = False

    @cached_property
    def position(self) -> Mapping[str, int]:
        """Of every distortion label."""
        return {label: k for k, label in enumerate(self.vocabulary.distortions)}


@dataclass(frozen=True, slots=True)
class EntryFacts:
    """What an entry says that has to agree with pictures and with other versions.

    `masks` has `DIGEST_BYTES` a region; `sizes` are (h, w, a region of that size), `reach` the
    largest (right, bottom, region) of boxes without a mask. `judged` are (region, version, rank) of
    what people say of this version against others.
    """

    regions: int
    masks: bytes
    names: bytes
    relations: bytes
    sizes: tuple[tuple[int, int, int], ...]
    reach: tuple[tuple[int, int, int], ...]
    judged: tuple[tuple[int, str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry that could be read at least in part."""

    facts: EntryFacts
    labels: tuple[RegionLabels, ...]
    scene_score: float


def check_entry(
    value: Any, version: str, place: str, rules: Rules, log: FindingLog
) -> Entry | None:
    """Report what is wrong with an entry; None where it has no list of regions at all."""
    if not isinstance(value, Mapping) or not isinstance(value.get("regions"), list):
        log.fault("stats", place, "expected an object with `score_fr` and a list `regions`")
        return None
    looks = [
        _Look(entry, version, f"{place}: region {k}", rules, log)
        for k, entry in enumerate(value["regions"])
    ]
    regions = [look.region() for look in looks]
    missing = rules.judged and value.get("score_fr") is None
    scene = math.nan if missing else _score(value.get("score_fr"), place, log)
    facts = EntryFacts(
        len(regions),
        b"".join(r.mask.digest if r.mask else NO_MASK for r in regions),
        _digest([r.name for r in regions]),
        _check_relations(value.get("relations"), len(regions), place, rules, log),
        _sizes(regions),
        _reach(regions),
        tuple((k, *said) for k, r in enumerate(regions) for said in r.judged),
    )
    return Entry(facts, tuple(r.labels for r in regions), scene)


@dataclass(frozen=True, slots=True)
class _Region:
    labels: RegionLabels
    name: str
    mask: MaskFacts | None
    box: Box | None
    judged: tuple[tuple[str, int], ...] = ()


_NOTHING = _Region(RegionLabels(UNKNOWN, UNKNOWN, math.nan, False), "", None, None)


@dataclass(frozen=True)
class _Look:
    """A look at one region of a version."""

    entry: Any
    version: str
    place: str
    rules: Rules
    log: FindingLog

    def region(self) -> _Region:
        """Everything that is right of it; the rest is reported."""
        if not isinstance(self.entry, Mapping):
            text = f"expected an object, got {type(self.entry).__name__}"
            self.log.fault("stats", self.place, text)
            return _NOTHING
        distortion, severity = self._distortion(self.entry), self._severity(self.entry)
        judged = self._judged()
        missing = self.rules.judged and self.entry.get("score_fr") is None
        score = math.nan if missing else _score(self.entry.get("score_fr"), self.place, self.log)
        self._check_labels(distortion, severity, score)
        also = self._also(distortion)
        mask, box = self._mask(), self._box()
        self._check_box(box, mask)
        usable = mask is not None and box is not None
        name = self.entry.get("name")
        return _Region(
            RegionLabels(distortion, severity, score, usable, also, self._position(judged)),
            str(name or ""),
            mask,
            box,
            judged,
        )

    def _position(self, judged: tuple[tuple[str, int], ...]) -> int:
        """The position of the one comparison there is between the mixed versions."""
        ranks = [level.rank for level in self.rules.vocabulary.comparisons]
        return ranks.index(judged[0][1]) if judged else UNKNOWN

    def _judged(self) -> tuple[tuple[str, int], ...]:
        """(version, rank) of what people say of this version against others."""
        try:
            judged = judged_from_json(self.entry, self.place)
        except DatasetError as e:
            self.log.refused("judged", self.place, e)
            return ()
        if (judged is None) == self.rules.judged:
            said = "is not said what people judged" if judged is None else "people judged"
            told = "says" if self.rules.judged else "does not say"
            self._fault("judged", f"{said}, but dataset.json {told} that people gave the labels")
        ranks = {level.label: level.rank for level in self.rules.vocabulary.comparisons}
        found = []
        for version, label in judged or ():
            if version == self.version or version not in MIXED:
                self._fault("judged", f"is compared with {version!r:.60}, expected another version")
            elif label not in ranks:
                self._fault(
                    "judged",
                    f"unknown comparison {label!r:.60}, expected one of {', '.join(ranks)}",
                )
            else:
                found.append((version, ranks[label]))
        return tuple(found)

    def _distortion(self, entry: Mapping[str, Any]) -> int:
        label = entry.get("degradation")
        if label is None and self.rules.judged:
            return UNKNOWN
        if not isinstance(label, str):
            self._fault("stats", f"degradation is {label!r:.40}, expected a label")
            return UNKNOWN
        if label not in self.rules.position:
            known = ", ".join(self.rules.position)
            self._fault("label", f"unknown degradation {label!r:.60}, expected one of {known}")
        return self.rules.position.get(label, UNKNOWN)

    def _severity(self, entry: Mapping[str, Any]) -> int:
        number = entry.get("severity")
        if number is None and self.rules.judged:
            return UNKNOWN
        if isinstance(number, bool) or not isinstance(number, int):
            self._fault("stats", f"severity is {number!r:.40}, expected a whole number")
            return UNKNOWN
        last = len(self.rules.vocabulary.severities) - 1
        if not 0 <= number <= last:
            self._fault("label", f"severity is {number}, expected 0 … {last}")
            return UNKNOWN
        return number

    def _check_labels(self, distortion: int, severity: int, score: float) -> None:
        vocabulary = self.rules.vocabulary
        if distortion == UNKNOWN:
            return
        label = vocabulary.distortions[distortion]
        clean = distortion == vocabulary.clean_index
        if severity != UNKNOWN and clean != (severity == 0):
            self._fault(
                "contradiction",
                f"is {label!r} of severity {severity} ({vocabulary.severities[severity]}), "
                f"expected severity 0 for {vocabulary.clean!r} and for nothing else",
            )
        elif clean and score < 1 and not self.rules.by_loss:
            self.log.warn("clean-score", self.place, f"is {label!r} with score {score}, expected 1")
        exempt = clean and self.rules.by_loss
        if self.version not in MIXED and label != self.version and not exempt:
            # The published generator leaves no region of a single-type picture clean; others may.
            tell = self.log.warn if clean else self.log.fault
            tell("type", self.place, f"is {label!r} in a version of {self.version!r} only")

    def _also(self, distortion: int) -> tuple[int, ...]:
        """Positions of the further distortions that can be told."""
        parts = self.entry.get("also")
        if parts is None:
            if self.rules.several:
                self._fault("also", "does not say which further distortions it has")
            return ()
        if not self.rules.several:
            text = "says which further distortions it has; the published layout has no such entry"
            self._fault("also", text)
        if not isinstance(parts, list) or not all(isinstance(part, Mapping) for part in parts):
            self._fault("stats", "also must be [{degradation, severity}, …]")
            return ()
        found = [(self._distortion(part), self._severity(part)) for part in parts]
        clean = self.rules.vocabulary.clean_index
        if any(label == clean or severity == 0 for label, severity in found):
            self._fault("also", "a further distortion is clean, expected only what it suffers")
        known = [label for label, _ in found if label not in (UNKNOWN, clean)]
        if known and distortion == clean:
            self._fault("also", "is clean and has further distortions, expected none")
        elif len({distortion, *known}) < 1 + len(known):
            self._fault("also", "has one distortion twice, expected each once")
        elif known and self.version not in MIXED:
            self._fault("also", f"has several distortions in a version of {self.version!r} only")
        return tuple(known)

    def _mask(self) -> MaskFacts | None:
        value = self.entry.get("segmentation_mask")
        if value is None:
            return None
        try:
            mask = mask_facts(value, self.place)
        except DatasetError as e:
            self.log.refused("mask", self.place, e)
            return None
        if mask.box is None:
            text = "its mask has no pixel, so readers leave the region out"
            self.log.warn("empty-mask", self.place, text)
        return mask

    def _box(self) -> Box | None:
        try:
            return box_from_json(self.entry.get("bbox"), self.place)
        except DatasetError as e:
            self.log.refused("stats", self.place, e)
            return None

    def _check_box(self, box: Box | None, mask: MaskFacts | None) -> None:
        if box is None:
            return
        x, y, w, h = box
        if x < 0 or y < 0 or w < 1 or h < 1:
            text = f"bbox is {list(box)}, expected x, y ≥ 0 and w, h ≥ 1"
            self._fault("box", text)
        elif mask is not None and (x + w > mask.size[1] or y + h > mask.size[0]):
            text = f"bbox is {list(box)}, expected a box inside {mask.size[1]}×{mask.size[0]}"
            self._fault("box", f"{text} pixels (width × height)")
        elif mask is not None and mask.box is not None:
            self._compare_boxes(box, mask.box)

    def _compare_boxes(self, box: Box, own: Box) -> None:
        slips = (abs(a - b) for a, b in zip(_edges(box), _edges(own), strict=True))
        if max(slips) > _SLACK_PX:
            tell = self.log.warn if _overlap(box, own) >= _LEAST_OVERLAP else self.log.fault
            text = f"bbox is {list(box)}, but the mask's pixels lie in {list(own)}"
            tell("box-mask", self.place, text)

    def _fault(self, kind: str, text: str) -> None:
        self.log.fault(kind, self.place, text)


def _score(value: Any, place: str, log: FindingLog) -> float:
    """A score in [0, 1]; NaN and a finding for anything else."""
    try:
        score = number_from_json(value, f"{place}: score_fr")
    except DatasetError as e:
        log.refused("score", place, e)
        return math.nan
    if not 0 <= score <= 1:
        log.fault("score", place, f"score_fr is {score}, expected a number in [0, 1]")
        return math.nan
    return score


def _check_relations(value: Any, regions: int, place: str, rules: Rules, log: FindingLog) -> bytes:
    try:
        relations = relations_from_json(value, place)
    except DatasetError as e:
        log.refused("relation", place, e)
        return b""
    for relation in relations:
        if not all(0 <= k < regions for k in relation[:2]):
            text = f"the relation {list(relation)} names a region that is not there, "
            log.fault("relation", place, f"{text}expected 0 … {regions - 1}")
        if rules.predicates is not None and not 0 <= relation[2] < rules.predicates:
            text = f"the relation {list(relation)} has a predicate that dataset.json does not "
            log.fault("relation", place, f"{text}list, expected 0 … {rules.predicates - 1}")
    return _digest(relations)


def _digest(value: object) -> bytes:
    return hashlib.blake2b(repr(value).encode("utf-8", "surrogatepass"), digest_size=8).digest()


def _sizes(regions: list[_Region]) -> tuple[tuple[int, int, int], ...]:
    """The different sizes of masks, each with the first region that has it."""
    first: dict[tuple[int, int], int] = {}
    for k, region in enumerate(regions):
        if region.mask is not None:
            first.setdefault(region.mask.size, k)
    return tuple((h, w, k) for (h, w), k in first.items())


def _reach(regions: list[_Region]) -> tuple[tuple[int, int, int], ...]:
    """The boxes without a mask that end farthest right and farthest down."""
    ends = [
        (r.box[0] + r.box[2], r.box[1] + r.box[3], k)
        for k, r in enumerate(regions)
        if r.box is not None and r.mask is None
    ]
    if not ends:
        return ()
    farthest = max(ends, key=lambda end: end[0]), max(ends, key=lambda end: end[1])
    return tuple(dict.fromkeys(farthest))


def _edges(box: Box) -> tuple[int, int, int, int]:
    x, y, w, h = box
    return x, y, x + w, y + h


def _overlap(a: Box, b: Box) -> float:
    """Intersection over union."""
    (ax0, ay0, ax1, ay1), (bx0, by0, bx1, by1) = _edges(a), _edges(b)
    shared = max(0, min(ax1, bx1) - max(ax0, bx0)) * max(0, min(ay1, by1) - max(ay0, by0))
    return shared / (a[2] * a[3] + b[2] * b[3] - shared)
