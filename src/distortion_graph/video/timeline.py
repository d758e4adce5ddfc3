"""The moments of two videos in a bounded number of steps of time, made of what is in the tables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from distortion_graph.base.vocabulary import Vocabulary
from distortion_graph.batch.results import part_rows
from distortion_graph.batch.rows import DONE, Row
from distortion_graph.graph import SIDES

MOST_STEPS = 240
_MOST_REGIONS = 24


@dataclass
class Step:
    """Some moments one after the other, from `start_s` on.

    `lowest` and `sums` are of the scene's scores, by side. `rank` and `margin` are those of the
    region (or scene) that is farthest apart, `regions` the same by region id. `shares` is, by side,
    the area under each distortion, added up, and `area` that of all regions.
    """

    start_s: float
    end_s: float = 0.0
    moments: int = 0
    failed: int = 0
    sums: dict[str, float] = field(default_factory=lambda: dict.fromkeys(SIDES, 0.0))
    lowest: dict[str, float] = field(default_factory=dict)
    scored: int = 0
    rank: int = 0
    margin: float = 0.0
    regions: dict[int, tuple[float, int]] = field(default_factory=dict)
    shares: dict[str, defaultdict[str, float]] = field(
        default_factory=lambda: {side: defaultdict(float) for side in SIDES}
    )
    area: float = 0.0

    def mean(self, side: str) -> float | None:
        """The mean score of a side; None where no moment has one."""
        return self.sums[side] / self.scored if self.scored else None

    def share(self, side: str, label: str) -> float:
        """The share of the regions' area under a distortion."""
        return self.shares[side][label] / self.area if self.area else 0.0


@dataclass
class Timeline:
    """All steps, and totals over the moments.

    `regions` are names by id where they are the same all along and not too many; `better`, `same`
    and `worse` count moments by their scenes, the anchor's side; `means` are of columns.
    """

    steps: list[Step]
    from_s: float
    to_s: float
    moments: int
    failed: int
    better: int
    same: int
    worse: int
    means: dict[str, float]
    regions: dict[int, str]
    shots: list[float]

    def mean_share(self, side: str, label: str) -> float:
        """The share of all regions' area, over the whole time, under a distortion."""
        area = sum(step.area for step in self.steps)
        return sum(step.shares[side][label] for step in self.steps) / area if area else 0.0


MEANS: Mapping[str, str] = {
    "anchor_score": "score of the anchor",
    "target_score": "score of the target",
    "haarpsi": "HaarPSI",
    "ssim": "SSIM",
    "psnr_db": "PSNR dB",
    "delta_e": "ΔE",
}
"""Columns whose means are shown, and what they are called."""


def timeline(out: Path, moments: int, vocabulary: Vocabulary) -> Timeline:
    """Read the tables of `moments` moments; memory does not grow with their number."""
    ranks = {c.label: c.rank for c in vocabulary.comparisons}
    count = min(MOST_STEPS, max(1, moments))
    found = Timeline([], 0.0, 0.0, 0, 0, 0, 0, 0, {}, {}, [])
    totals: dict[str, list[float]] = {name: [0.0, 0.0] for name in MEANS}
    rows = part_rows(out, "regions")
    coming = next(rows, None)
    stable, shot = True, -1
    for number, row in enumerate(part_rows(out, "pairs")):
        if number * count // moments >= len(found.steps):
            found.steps.append(Step(row["time_s"]))
        step = found.steps[-1]
        step.moments += 1
        step.end_s = found.to_s = row["time_s"]
        found.from_s = row["time_s"] if not number else found.from_s
        found.moments += 1
        if row["shot"] != shot:
            shot = row["shot"]
            found.shots.append(row["time_s"])
        own: list[Row] = []
        while coming is not None and coming["pair"] == row["id"]:
            own.append(coming)
            coming = next(rows, None)
        if row["status"] != DONE:
            step.failed += 1
            found.failed += 1
            continue
        _count(found, step, row, totals)
        stable = _count_regions(found, step, own, ranks, stable)
    found.means = {name: total / n for name, (total, n) in totals.items() if n}
    if not stable:
        found.regions = {}
    return found


def spans(found: Timeline) -> Iterator[tuple[Step, float, float]]:
    """Steps with their beginning and end as shares of the whole time, 0 … 1."""
    steps = found.steps
    last = steps[-1]
    usual = (last.end_s - found.from_s) / max(1, found.moments - 1)
    end_s = last.end_s + (usual or 1.0)
    length = end_s - found.from_s
    starts = [step.start_s for step in steps] + [end_s]
    for step, first, following in zip(steps, starts, starts[1:], strict=False):
        yield step, (first - found.from_s) / length, (following - found.from_s) / length


def _count(found: Timeline, step: Step, row: Row, totals: Mapping[str, list[float]]) -> None:
    for name, total in totals.items():
        if row.get(name) is not None:
            total[0] += row[name]
            total[1] += 1
    if row["anchor_score"] is not None and row["target_score"] is not None:
        step.scored += 1
        for side in SIDES:
            score = row[f"{side}_score"]
            step.sums[side] += score
            step.lowest[side] = min(step.lowest.get(side, 1.0), score)
    rank = int(row["rank"] or 0)
    found.better += rank > 0
    found.worse += rank < 0
    found.same += row["rank"] == 0
    if row["margin"] is not None and abs(row["margin"]) > abs(step.margin):
        step.margin, step.rank = row["margin"], rank


def _count_regions(
    found: Timeline, step: Step, rows: list[Row], ranks: Mapping[str, int], stable: bool
) -> bool:
    """Count regions in; whether they still are the same all along."""
    for row in rows:
        weight = row["area_fraction"] or 0.0
        step.area += weight
        for side in SIDES:
            if row[f"{side}_distortion"] is not None:
                step.shares[side][row[f"{side}_distortion"]] += weight
        if row["margin"] is None or row["comparison"] is None:
            continue
        margin, rank = row["margin"], ranks[row["comparison"]]
        if stable and abs(margin) >= abs(step.regions.get(row["region"], (0.0, 0))[0]):
            step.regions[row["region"]] = margin, rank
        if abs(margin) > abs(step.margin):
            step.margin, step.rank = margin, rank
    if not stable:
        step.regions = {}
        return False
    names = {row["region"]: row["name"] for row in rows}
    found.regions = found.regions or names
    return names == found.regions and len(names) <= _MOST_REGIONS
