"""The tables of a result."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from distortion_graph.base.counting import counted
from distortion_graph.bench.figures import Figures
from distortion_graph.bench.reference_run import SUFFIX
from distortion_graph.bench.results import BenchResult, PairsResult, RunResult
from distortion_graph.bench.tables import Cell, ResultTable, Section, shown

_INTERVALS = (
    "Distortion, severity and score: mean of anchor and target. Intervals: 95 %, bootstrap over "
    "pictures."
)

_GAINED = (
    ("distortion", "distortion.accuracy"),
    ("severity", "severity.accuracy"),
    ("comparison", "comparison.accuracy"),
    ("SRCC", "score.srcc"),
)


def tables_of(result: BenchResult) -> list[ResultTable]:
    """What the paper reports, what it lacks, regions with several distortions, F1 by distortion."""
    return [
        _main_table(result),
        _more_table(result),
        *_several_tables(result),
        *_type_tables(result),
    ]


def _main_table(result: BenchResult) -> ResultTable:
    columns = ("run", "distortion", "F1", "severity", "F1", "comparison", "F1", "SRCC", "PLCC")
    return ResultTable(
        f"{title(result)}: accuracy, macro F1, score correlation",
        columns,
        tuple(_section(listed, _main_row) for listed in result.pairs),
        notes=(
            _INTERVALS,
            *_gain_notes(result),
            *_pristine_notes(result),
            *_count_notes(result),
        ),
    )


def _main_row(figures: Figures) -> Iterator[Cell]:
    for what in ("distortion", "severity", "comparison"):
        yield _with_interval(figures, f"{what}.accuracy")
        yield Cell(shown(figures.value(f"{what}.f1")))
    yield _with_interval(figures, "score.srcc")
    yield Cell(shown(figures.value("score.plcc")))


def _with_interval(figures: Figures, name: str) -> Cell:
    return Cell(shown(figures.value(name)), figures.intervals[name])


def _more_table(result: BenchResult) -> ResultTable:
    columns = (
        "run", "answered", "κ\nsev.", "κ\ncomp.", "ECE\ndist.", "ECE\nsev.", "ECE\ncomp.",
        "score\nMAE", "swap", "ms a\npair",
    )  # fmt: skip
    return ResultTable(
        f"{title(result)}: agreement, calibration, symmetry, time",
        columns,
        tuple(_section(listed, _more_row) for listed in result.pairs),
        notes=(
            "κ: quadratic-weighted. ECE: expected calibration error, 15 bins. swap: share of "
            "answers exactly mirrored when the pair is swapped. ms: median, regions given.",
        ),
    )


def _more_row(figures: Figures) -> Iterator[Cell]:
    kappa, error, seconds = figures.kappa, figures.calibration, figures.seconds_per_pair
    values = [figures.coverage, kappa["severity"], kappa["comparison"]]
    values += [error["distortion"], error["severity"], error["comparison"]]
    values += [figures.score.averaged.mean_error, figures.swap_consistency]
    yield from (Cell(shown(value)) for value in values)
    yield Cell("–" if seconds is None else f"{1000 * seconds['median']:.1f}")


def _several_tables(result: BenchResult) -> Iterator[ResultTable]:
    """Of data sets that say all that a region suffers."""
    lists = [found for found in result.pairs if found.truth.present is not None]
    if not lists:
        return
    yield ResultTable(
        f"{title(result)}: several distortions in a region",
        ("run", "mAP", "exact\nsets", "both\nnamed"),
        tuple(_section(found, _several_row) for found in lists),
        notes=(
            "Anchor and target nodes together. mAP: mean average precision over the distortions "
            "that occur. exact sets: nodes of which exactly what they suffer is named. both named: "
            "of the nodes that suffer two distortions.",
            *(f"{found.pairs}: {_with_two(found)} nodes suffer two." for found in lists),
        ),
    )


def _several_row(figures: Figures) -> Iterator[Cell]:
    several = figures.several
    for name in ("mean_average_precision", "exact_sets", "both_named"):
        yield Cell(shown(None if several is None else getattr(several, name)))


def _with_two(found: PairsResult) -> int:
    present = found.table().present
    return 0 if present is None else int((present.sum(1) == 2).sum())


def _type_tables(result: BenchResult) -> Iterator[ResultTable]:
    """F1 by distortion type: a column per list, a section per run that is no baseline."""
    lists = result.pairs
    names = [run.name for run in lists[0].runs if run.kind != "baseline"]
    if not names:
        return
    sections = []
    for k, name in enumerate(names):
        by_list = [listed.runs[k].figures.f1_by_label["distortion"] for listed in lists]
        # Worst first, by the last list, which is the hardest.
        labels = [d for d in result.vocabulary.distortions if any(d in f1 for f1 in by_list)]
        labels.sort(key=lambda label: by_list[-1].get(label, 2.0))
        rows = tuple(
            (Cell(label), *(Cell(shown(f1.get(label), 2)) for f1 in by_list)) for label in labels
        )
        sections.append(Section(name, rows))
    yield ResultTable(
        f"{title(result)}: F1 by distortion",
        ("distortion", *(listed.pairs for listed in lists)),
        tuple(sections),
        section_title="run",
        notes=("Anchor and target nodes together; worst first.",),
    )


def title(result: BenchResult) -> str:
    """What was measured on: `my-set, test`, or `my-set, val and test`."""
    return f"{result.root.name}, {' and '.join(result.splits)}"


def size_of(listed: PairsResult) -> str:
    """`300 pairs of 96 pictures, 2210 regions`."""
    pictures = len({tag for _, _, tag in listed.keys})
    return size_text(len(listed.keys), pictures, len(listed.truth.region))


def size_text(pairs: int, pictures: int, regions: int) -> str:
    """`300 pairs of 96 pictures, 2210 regions`."""
    of = f"{counted(pairs, 'pair')} of {counted(pictures, 'picture')}"
    return f"{of}, {counted(regions, 'region')}"


def _section(listed: PairsResult, cells_of: Callable[[Figures], Iterator[Cell]]) -> Section:
    rows = tuple((Cell(run.name), *cells_of(run.figures)) for run in listed.runs)
    return Section(listed.pairs, rows, size_of(listed))


def _pristine_notes(result: BenchResult) -> Iterator[str]:
    for name, identity in result.identities.items():
        pristine = identity.pristine
        if pristine is None:
            continue
        beside = (
            f", {shown(pristine.beside_version)} beside {pristine.version}"
            if pristine.version
            else ""
        )
        yield (
            f"Regions of clean pictures called clean by {name}: {shown(pristine.beside_itself)} "
            f"beside the clean picture itself{beside}."
        )


def _gain_notes(result: BenchResult) -> Iterator[str]:
    """What the clean picture as reference adds to a model's figures, a line for each list."""
    for listed in result.pairs:
        plain = {run.name: run.figures for run in listed.runs}
        for name, figures in plain.items():
            own = plain.get(name.removesuffix(SUFFIX))
            if own is None or not name.endswith(SUFFIX):
                continue
            gains = [
                f"{what} {_gain(own.value(figure), figures.value(figure))}"
                for what, figure in _GAINED
            ]
            yield f"{listed.pairs}, what the reference adds: {', '.join(gains)}."


def _gain(before: float | None, after: float | None) -> str:
    if before is None or after is None:
        return "–"
    return ("+" if after >= before else "−") + shown(abs(after - before))


def _count_notes(result: BenchResult) -> Iterator[str]:
    for listed in result.pairs:
        for run in listed.runs:
            facts = _facts(run)
            if facts:
                yield f"{listed.pairs}, {run.name}: {', '.join(facts)}."


def _facts(run: RunResult) -> Sequence[str]:
    facts = []
    if run.left_out:
        facts.append(f"{len(run.left_out)} pairs without a file left out")
    elif run.missing_files:
        facts.append(f"{run.missing_files} pairs without a file counted as missed")
    if run.figures.score_coverage != run.figures.coverage:
        facts.append(f"scores for {shown(run.figures.score_coverage)} of the nodes")
    if run.extra_regions:
        facts.append(f"{run.extra_regions} regions that the pairs do not have ignored")
    return facts
