"""Figures of a stored result for papers: confusion, F1 by type, calibration, scores.

Everything is drawn from the file: its figures, and the answers that they come from. Widths are a
column (83 mm) or a page (170 mm); needs the figures extra.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import DistortionGraphError
from distortion_graph.base.vocabulary import Vocabulary
from distortion_graph.bench.answers import Answers, Truth
from distortion_graph.bench.figures import labels_of
from distortion_graph.bench.metrics import CALIBRATION_BINS, MISSED, reliability
from distortion_graph.bench.results import BenchResult, PairsResult, RunResult
from distortion_graph.bench.tables import shown
from distortion_graph.report.figures import (
    INCHES_PER_MM,
    FigureKind,
    drawable,
    figure_bytes,
    settings,
    shortened,
    unit,
)
from distortion_graph.report.palette import CATEGORIES, Rgb
from distortion_graph.report.wording import printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMN_MM, PAGE_MM = 83.0, 170.0
MANY_POINTS = 2000
"""From more points on scores are shown as a density."""

_HATCHES = ("", "////", "....", "xxxx")
_GREY: Rgb = (150, 154, 162)
_KINDS = ("distortion", "severity", "comparison")
_CELL_MM, _NAMES_MM, _POINTS = 8.6, 26.0, 7
_FEW_LABELS = 6


@dataclass(frozen=True)
class _Case:
    """A run over a list of pairs, of the regions that were counted."""

    pairs: str
    run: RunResult
    truth: Truth
    answers: Answers
    vocabulary: Vocabulary
    kind: FigureKind

    def title(self, room_mm: float) -> str:
        """What is shown, within the room."""
        return _title(f"{self.run.name}, {self.pairs}", room_mm, self.kind)

    def words(self, what: str) -> list[str]:
        """The labels of a kind, as the tables of results have them, to be drawn."""
        labels = labels_of(self.vocabulary, what)
        return [drawable(printable(label.replace("_", " ")), self.kind) for label in labels]


def plots(
    result: BenchResult,
    *,
    pairs: Sequence[str] = (),
    runs: Sequence[str] = (),
    kind: FigureKind = "svg",
) -> list[tuple[str, bytes]]:
    """(file name, bytes) of every figure of a result, for all its pairs, or of `pairs` alone.

    `runs` are names; without them all that are no baselines, or all where there is no other. F1
    has all of them in one figure; of the others each run has its own, and none where it gave no
    confidence or no score. Raises DistortionGraphError for a name that is not in the result.
    """
    files: dict[str, bytes] = {}
    with settings():
        for listed in _chosen_pairs(result, pairs):
            for name, figure in _figures(result, listed, _chosen_runs(listed, runs), kind):
                files[_free(name, kind, files)] = figure_bytes(figure, kind)
    return list(files.items())


def _chosen_pairs(result: BenchResult, names: Sequence[str]) -> list[PairsResult]:
    there = {listed.pairs: listed for listed in result.pairs}
    for name in names:
        if name not in there:
            raise DistortionGraphError(
                f"no {name} pairs in the result; there are: {', '.join(there)}"
            )
    return [there[name] for name in dict.fromkeys(names or there)]


def _chosen_runs(listed: PairsResult, names: Sequence[str]) -> list[RunResult]:
    there = {run.name: run for run in listed.runs}
    for name in names:
        if name not in there:
            raise DistortionGraphError(
                f"no run {name!r} over the {listed.pairs} pairs; there are: {', '.join(there)}"
            )
    if names:
        return [there[name] for name in dict.fromkeys(names)]
    return [run for run in listed.runs if run.kind != "baseline"] or listed.runs


def _figures(
    result: BenchResult, listed: PairsResult, runs: Sequence[RunResult], kind: FigureKind
) -> Iterator[tuple[str, Figure]]:
    """Names without suffix, and figures."""
    cases = []
    for run in runs:
        truth, rows = listed.table().without(run.left_out)
        answers = run.answers.table().take(rows)
        cases.append(_Case(listed.pairs, run, truth, answers, result.vocabulary, kind))
    if not cases or not any(len(case.truth) for case in cases):
        return
    yield f"f1-{listed.pairs}", _f1(cases)
    for case in cases:
        end = f"{listed.pairs}-{case.run.name}"
        yield f"confusion-{end}", _confusion(case)
        if any(not np.isnan(_pooled(case, what)[1]).all() for what in _KINDS):
            yield f"calibration-{end}", _calibration(case)
        if not np.isnan(case.answers.score).all():
            yield f"score-{end}", _score(case)


def _free(name: str, kind: FigureKind, taken: dict[str, bytes]) -> str:
    """A file name that any system has room for, numbered where it is taken."""
    stem = re.sub(r"[^\w.]+", "-", name)[:100].strip("-.")
    number, free = 1, f"{stem}.{kind}"
    while free.casefold() in {other.casefold() for other in taken}:
        number += 1
        free = f"{stem}-{number}.{kind}"
    return free


def _figure(width_mm: float, height_mm: float) -> Figure:
    from matplotlib.figure import Figure

    size = (width_mm * INCHES_PER_MM, height_mm * INCHES_PER_MM)
    return Figure(figsize=size, layout="constrained")


def _title(text: str, room_mm: float, kind: FigureKind) -> str:
    return shortened(drawable(printable(text), kind), room_mm, _POINTS)


def _confusion(case: _Case) -> Figure:
    """Distortions: a row per true type, its share called each type, and how many in the cell."""
    counts = np.array(case.run.figures.confusion["distortion"], np.int64)
    names = case.words("distortion")
    wide = len(names) > _FEW_LABELS
    width = max(PAGE_MM if wide else COLUMN_MM, _NAMES_MM + _CELL_MM * counts.shape[1])
    figure = _figure(width, 0.75 * width if wide else 0.95 * width)
    axes = figure.add_subplot()
    total = counts.sum(1, keepdims=True)
    share = np.where(total > 0, counts / np.maximum(total, 1), np.nan)
    image = axes.imshow(share, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for (row, column), count in np.ndenumerate(counts):
        if count and len(str(count)) <= 5:
            ink = "white" if share[row, column] > 0.6 else "black"
            axes.text(column, row, str(count), ha="center", va="center", color=ink, fontsize=6)
    axes.axvline(counts.shape[1] - 1.5, color="black", lw=0.8)
    axes.set_xticks(range(counts.shape[1]), [*names, "missed"], rotation=90)
    axes.set_yticks(range(len(names)), names)
    axes.set(xlabel="given", ylabel="true", title=case.title(width - 2 * _NAMES_MM))
    figure.colorbar(image, ax=axes, label="share of the true type", fraction=0.04, pad=0.01)
    return figure


def _f1(cases: Sequence[_Case]) -> Figure:
    """F1 of every distortion, runs side by side; none where a type is in neither side."""
    first = cases[0]
    labels, names = first.vocabulary.distortions, first.words("distortion")
    thick = 0.8 / len(cases)
    row_mm = max(4.0, 2.6 * len(cases))
    figure = _figure(COLUMN_MM, 22 + row_mm * len(labels) + 4 * len(cases))
    axes = figure.add_subplot()
    for k, case in enumerate(cases):
        f1 = case.run.figures.f1_by_label["distortion"]
        there = [(n, f1[label]) for n, label in enumerate(labels) if label in f1]
        places = [n - 0.4 + (k + 0.5) * thick for n, _ in there]
        turn, which = divmod(k, len(CATEGORIES))
        colour, hatch = CATEGORIES[which], _HATCHES[turn % len(_HATCHES)]
        bars = axes.barh(
            places, [v for _, v in there], 0.92 * thick, color=unit(colour), hatch=hatch,
            label=_title(case.run.name, COLUMN_MM - 20, case.kind),
        )  # fmt: skip
        axes.bar_label(bars, [shown(v, 2) for _, v in there], padding=1.5, fontsize=6)
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set(xlim=(0, 1.12), xticks=np.linspace(0, 1, 6), xlabel="F1")
    axes.spines[["top", "right"]].set_visible(False)
    if len(cases) > 1:
        figure.legend(loc="outside upper left", frameon=False)
        axes.set_title(_title(first.pairs, COLUMN_MM - _NAMES_MM, first.kind), loc="left")
    else:
        axes.set_title(first.title(COLUMN_MM - _NAMES_MM), loc="left")
    return figure


def _calibration(case: _Case) -> Figure:
    """How often answers are right by how sure they are, with the share of answers below."""
    figure = _figure(PAGE_MM, 72)
    grid = figure.subplots(2, 3, sharex=True, height_ratios=(4, 1))
    for column, what in enumerate(_KINDS):
        _reliability_axes(grid[0, column], grid[1, column], case, what)
    grid[0, 0].set_ylabel("share that is right")
    grid[1, 0].set_ylabel("answers")
    figure.supxlabel("confidence (larger dots: more of the answers)")
    figure.suptitle(case.title(PAGE_MM - _NAMES_MM))
    return figure


def _reliability_axes(axes: Axes, below: Axes, case: _Case, what: str) -> None:
    binned = reliability(*_pooled(case, what))
    there = binned.answers > 0
    count = np.maximum(binned.answers, 1)
    axes.plot([0, 1], [0, 1], color=unit(_GREY), lw=0.8, ls="--")
    share = binned.answers / max(1, binned.answers.sum())
    axes.scatter(
        (binned.confidence / count)[there], (binned.hits / count)[there], 4 + 60 * share[there],
        color=unit(CATEGORIES[0]), linewidths=0, clip_on=False, zorder=3,
    )  # fmt: skip
    ece = shown(case.run.figures.calibration[what])
    axes.text(0.04, 0.95, f"ECE {ece}", transform=axes.transAxes, va="top")
    axes.set(title=what, xlim=(0, 1), ylim=(0, 1.02))
    edges = np.arange(CALIBRATION_BINS) / CALIBRATION_BINS
    below.bar(edges, share, 1 / CALIBRATION_BINS, align="edge", color=unit(_GREY), ec="white")
    below.set(ylim=(0, 1), yticks=(0, 1))
    for part in (axes, below):
        part.spines[["top", "right"]].set_visible(False)


def _pooled(case: _Case, what: str) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Whether answers are right, and how sure they are; of nodes both sides together."""
    true = getattr(case.truth, what)
    correct = true == getattr(case.answers, what)
    confidence = np.where(true == MISSED, np.nan, getattr(case.answers, f"{what}_confidence"))
    return np.asarray(correct).ravel(), np.asarray(confidence, np.float64).ravel()


def _score(case: _Case) -> Figure:
    """Given scores over true ones, anchors and targets together."""
    there = ~np.isnan(case.answers.score) & ~np.isnan(case.truth.score)
    true, given = case.truth.score[there], case.answers.score[there]
    figure = _figure(COLUMN_MM, 0.9 * COLUMN_MM)
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], color=unit(_GREY), lw=0.8, ls="--", zorder=3)
    if len(true) > MANY_POINTS:
        grid: dict[str, Any] = {"gridsize": 36, "extent": (0, 1, 0, 1), "mincnt": 1}
        density = axes.hexbin(true, given, bins="log", cmap="cividis_r", linewidths=0.1, **grid)
        bar = figure.colorbar(
            density, ax=axes, label="nodes per cell", shrink=0.8, format="{x:.0f}"
        )
        bar.minorticks_off()
    else:
        axes.scatter(true, given, s=4, color=unit(CATEGORIES[0]), alpha=0.4, linewidths=0)
    agreement = case.run.figures.score.averaged
    text = f"SRCC {shown(agreement.srcc)}\nPLCC {shown(agreement.plcc)}"
    ground = {"boxstyle": "round,pad=0.3", "fc": "white", "alpha": 0.8, "lw": 0}
    axes.text(0.04, 0.96, text, transform=axes.transAxes, va="top", bbox=ground)
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="true score", ylabel="given score", aspect="equal")
    axes.set_title(case.title(COLUMN_MM - _NAMES_MM))
    return figure
