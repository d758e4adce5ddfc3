"""What `bench human` finds, as values for a file and as tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from distortion_graph.bench.figures import Part
from distortion_graph.bench.human.agreement import Agreement, Numbers, agreement
from distortion_graph.bench.human.fitting import expected_opinions
from distortion_graph.bench.human.measuring import MARGIN, SCORE, Judged
from distortion_graph.bench.tables import Cell, ResultTable, Section, shown
from distortion_graph.graph import ModelInfo
from distortion_graph.predict.opinion import OpinionMaps

OPINION = "opinion"


class HumanFigures(Part):
    """Over some pairs: how far each number goes with people's opinions, by the number's name.

    `reference_lower` is the share of pairs whose reference the model scores lower than its
    distorted version.
    """

    pairs: int
    contents: int
    reference_lower: float | None
    agreement: Mapping[str, Agreement]


class HumanResult(Part):
    """All of it, over all pairs and by kind of distortion; `of` says in words what was measured."""

    format: Literal["distortion-graph human 1"] = "distortion-graph human 1"
    of: str
    model: ModelInfo
    seed: int
    overall: HumanFigures
    by_kind: Mapping[str, HumanFigures]


def human_result(
    judged: Judged, maps: OpinionMaps | None, model: ModelInfo, *, of: str, seed: int = 0
) -> HumanResult:
    """The figures of pairs that were judged, with the opinion by the model's maps if it has any."""
    given = dict(judged.given)
    if maps is not None:
        given = {
            SCORE: given.pop(SCORE),
            MARGIN: given.pop(MARGIN),
            OPINION: expected_opinions(maps, judged.given[SCORE], judged.shares),
        } | given
    kinds = sorted(set(judged.kind.tolist()))
    every = np.ones(len(judged.pairs), bool)
    return HumanResult(
        of=of,
        model=model,
        seed=seed,
        overall=_figures(judged, given, every, seed),
        by_kind={kind: _figures(judged, given, judged.kind == kind, seed) for kind in kinds},
    )


def _figures(
    judged: Judged, given: Mapping[str, Numbers], rows: NDArray[np.bool_], seed: int
) -> HumanFigures:
    content = judged.content[rows]
    margin = given[MARGIN][rows]
    margin = margin[~np.isnan(margin)]
    return HumanFigures(
        pairs=int(rows.sum()),
        contents=len(set(content.tolist())),
        reference_lower=float(np.mean(margin > 0)) if len(margin) else None,
        agreement={
            name: agreement(numbers[rows], judged.opinion[rows], content, seed)
            for name, numbers in given.items()
        },
    )


def human_tables(result: HumanResult) -> list[ResultTable]:
    """All numbers over all pairs; then, where there are kinds, two figures by kind."""
    figures = result.overall
    rows = tuple(
        (
            Cell(name),
            Cell(shown(row.srcc), row.srcc_interval),
            Cell(shown(row.krcc)),
            Cell(shown(row.plcc)),
            Cell(shown(row.accuracy), row.accuracy_interval),
        )
        for name, row in figures.agreement.items()
    )
    whole = ResultTable(
        f"{result.of}: agreement with people's opinion",
        ("number", "SRCC", "KRCC", "PLCC", "the better\nof two"),
        (Section("", rows, ""),),
        notes=(
            f"{figures.pairs} pairs of {figures.contents} contents. Intervals: 95 %, bootstrap "
            "over contents.",
            "PLCC: after the five-parameter logistic fit. The better of two: share of two versions "
            "of one content that are ranked as people rank them.",
            f"The reference scores lower in {shown(figures.reference_lower)} of the pairs.",
        ),
    )
    if len(result.by_kind) < 2:
        return [whole]
    return [
        whole,
        _by_kind(result, "SRCC", lambda a: Cell(shown(a.srcc), a.srcc_interval)),
        _by_kind(
            result, "the better of two", lambda a: Cell(shown(a.accuracy), a.accuracy_interval)
        ),
    ]


def _by_kind(result: HumanResult, figure: str, cell: Callable[[Agreement], Cell]) -> ResultTable:
    names = tuple(result.overall.agreement)
    rows = tuple(
        (
            Cell(kind or "–"),
            Cell(str(figures.pairs)),
            *(cell(figures.agreement[name]) for name in names),
            Cell(shown(figures.reference_lower)),
        )
        for kind, figures in result.by_kind.items()
    )
    return ResultTable(
        f"{result.of}: {figure} by kind",
        ("kind", "pairs", *names, "reference\nlower"),
        (Section("", rows),),
        notes=("Reference lower: share of pairs whose reference the model scores lower.",),
    )
