"""Results side by side: differences to the first run, with intervals and p-values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from distortion_graph.base.errors import DistortionGraphError
from distortion_graph.bench.answers import Answers, Truth
from distortion_graph.bench.figures import Part
from distortion_graph.bench.resampling import DRAWS
from distortion_graph.bench.results import BenchResult, PairsResult, RunResult, TruthColumns
from distortion_graph.bench.significance import PERMUTATIONS, Difference, differences, holm
from distortion_graph.bench.tables import Cell, ResultTable, Section, shown


class NamedResult(NamedTuple):
    """A result and what to call its file."""

    name: str
    result: BenchResult


class ComparedFigure(Part):
    """A headline figure of two runs; see `significance.Difference`. `p_holm` is corrected for all
    tests of the comparison."""

    figure: str
    first: float | None
    other: float | None
    difference: float | None
    interval: tuple[float, float] | None
    p: float | None
    p_holm: float | None = None


class ComparedRun(Part):
    """A run against the first one on one list; pairs that either left out are not counted."""

    pairs: str
    first: str
    other: str
    pair_count: int
    region_count: int
    figures: list[ComparedFigure]


class Comparison(Part):
    """Everything `bench compare` says."""

    seed: int
    draws: int
    permutations: int
    compared: list[ComparedRun]


@dataclass(frozen=True)
class _Entry:
    name: str
    run: RunResult


def compare_results(
    results: Sequence[NamedResult],
    *,
    seed: int = 0,
    draws: int = DRAWS,
    permutations: int = PERMUTATIONS,
) -> Comparison:
    """Every run of the files that is no baseline against the first one, list by list.

    Raises DistortionGraphError where the files are not of the same pairs with the same truth, or
    hold fewer than two runs.
    """
    check_same(results)
    compared = []
    for listed in results[0].result.pairs:
        entries = list(_entries(results, listed.pairs))
        if len(entries) < 2:
            raise DistortionGraphError(
                f"{results[0].name}: runs that are no baseline: {len(entries)} in all files, "
                "expected at least two"
            )
        for other in entries[1:]:
            truth, ours, theirs = _common(listed, entries[0].run, other.run)
            rows = differences(
                truth,
                ours,
                theirs,
                results[0].result.vocabulary,
                seed=seed,
                draws=draws,
                permutations=permutations,
            )
            compared.append(_compared(listed.pairs, entries[0], other, truth, rows))
    return Comparison(
        seed=seed, draws=draws, permutations=permutations, compared=_corrected(compared)
    )


def _compared(
    pairs: str, first: _Entry, other: _Entry, truth: Truth, rows: Sequence[Difference]
) -> ComparedRun:
    return ComparedRun(
        pairs=pairs,
        first=first.name,
        other=other.name,
        pair_count=len(truth.keys),
        region_count=len(truth),
        figures=[ComparedFigure(**vars(row)) for row in rows],
    )


def _corrected(runs: Sequence[ComparedRun]) -> list[ComparedRun]:
    """With Holm's p-values over all tests."""
    tested = [f.p for compared in runs for f in compared.figures if f.p is not None]
    p_values = iter(holm(tested))
    return [
        compared.model_copy(
            update={
                "figures": [
                    f if f.p is None else f.model_copy(update={"p_holm": next(p_values)})
                    for f in compared.figures
                ]
            }
        )
        for compared in runs
    ]


def check_same(results: Sequence[NamedResult]) -> None:
    """Raise DistortionGraphError unless all files have the same lists of pairs and truth."""
    (first_name, first), *others = results
    for name, result in others:
        if result.vocabulary != first.vocabulary:
            raise DistortionGraphError(
                f"{name}: its vocabulary is not that of {first_name}; results of one data set can "
                "be compared"
            )
        mine, theirs = ([found.pairs for found in r.pairs] for r in (result, first))
        if mine != theirs:
            raise DistortionGraphError(
                f"{name}: has the pairs {', '.join(mine)}, expected those of {first_name}: "
                f"{', '.join(theirs)}"
            )
        for listed, expected in zip(result.pairs, first.pairs, strict=True):
            difference = _difference(listed, expected)
            if difference:
                raise DistortionGraphError(
                    f"{name}: {listed.pairs}: {difference} in {first_name}; run both on the same "
                    "data set with the same options"
                )


def _difference(listed: PairsResult, expected: PairsResult) -> str | None:
    """What of a list is not as expected, worded to be followed by "in FILE"."""
    if len(listed.keys) != len(expected.keys):
        return f"{len(listed.keys)} pairs, but {len(expected.keys)}"
    for k, (mine, theirs) in enumerate(zip(listed.keys, expected.keys, strict=True)):
        if mine != theirs:
            return f"pair {k} is {'__'.join(mine)}, but {'__'.join(theirs)}"
    for name in TruthColumns.model_fields:
        if getattr(listed.truth, name) != getattr(expected.truth, name):
            return f"the true {name} of the regions is not that"
    return None


def _entries(results: Sequence[NamedResult], pairs: str) -> Iterator[_Entry]:
    """All runs of a list that are no baselines; equal names get their file's name."""
    runs = [
        (file, run)
        for file, result in results
        for listed in result.pairs
        if listed.pairs == pairs
        for run in listed.runs
        if run.kind != "baseline"
    ]
    names = [run.name for _, run in runs]
    for file, run in runs:
        alone = names.count(run.name) == 1
        yield _Entry(run.name if alone else f"{run.name} ({file})", run)


def _common(
    listed: PairsResult, first: RunResult, other: RunResult
) -> tuple[Truth, Answers, Answers]:
    """Truth and answers without the pairs that one of the two left out."""
    truth, rows = listed.table().without({*first.left_out, *other.left_out})
    if not len(truth):
        raise DistortionGraphError(f"{listed.pairs}: no pair that both runs answered")
    return truth, first.answers.table().take(rows), other.answers.table().take(rows)


def comparison_table(comparison: Comparison) -> ResultTable:
    """A section per list, a row per figure and run."""
    sections: dict[str, list[tuple[Cell, ...]]] = {}
    remarks: dict[str, str] = {}
    for compared in comparison.compared:
        rows = sections.setdefault(compared.pairs, [])
        remarks[compared.pairs] = f"{compared.pair_count} pairs, {compared.region_count} regions"
        rows += [(Cell(compared.other), *_cells(figure)) for figure in compared.figures]
    first = comparison.compared[0].first
    return ResultTable(
        f"Differences to {first}",
        ("run", "figure", "first", "this run", "difference", "p", "p (Holm)"),
        tuple(Section(name, tuple(rows), remarks[name]) for name, rows in sections.items()),
        narrow_decimals=3,
        notes=(
            f"Accuracies of nodes and SRCC are the mean of anchor and target. Interval: 95 %, "
            f"paired bootstrap over pictures, {comparison.draws} draws. p: two-sided sign-flip "
            f"test over pictures, {comparison.permutations} flips; Holm's correction is for all "
            "tests of this table.",
        ),
    )


def _cells(figure: ComparedFigure) -> Iterator[Cell]:
    what, name = figure.figure.split(".")
    yield Cell("SRCC" if name == "srcc" else what)
    yield Cell(shown(figure.first))
    yield Cell(shown(figure.other))
    sign = "+" if (figure.difference or 0) > 0 else ""
    yield Cell(sign + shown(figure.difference), figure.interval)
    yield Cell(shown(figure.p, 4))
    yield Cell(shown(figure.p_holm, 4))
