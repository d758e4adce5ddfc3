"""`distortion-graph bench`: how good are graphs, on a data set's own lists of pairs."""

from __future__ import annotations

import os
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from distortion_graph.base.errors import DistortionGraphError, OutputError
from distortion_graph.cli.bench_figures import figures
from distortion_graph.cli.bench_human import human
from distortion_graph.cli.choice import TestSplit, ThreePairs, chosen
from distortion_graph.cli.console import Talk, talk_of
from distortion_graph.cli.options import (
    DataRoot,
    LatexTables,
    MarkdownTables,
    OnlyPictures,
    PairsIndex,
    PairsLimit,
    Quiet,
    Threads,
    Verbose,
)
from distortion_graph.cli.result_tables import Outputs, check_outside, show_tables

if TYPE_CHECKING:
    from distortion_graph.bench.benchmark import BenchOptions
    from distortion_graph.bench.evaluate import ModelRun
    from distortion_graph.bench.graph_folder import FolderRun
    from distortion_graph.bench.reference_run import ReferenceRun
    from distortion_graph.datasets.reader import PandaSet
    from distortion_graph.predict.session import Model


class DefaultGroup(TyperGroup):
    """A group that may be called without a command's name: `bench ROOT` is `bench run ROOT`.

    A folder called as one of the commands is reached as `./compare`.
    """

    default_command = "run"

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the default command's name in front, unless one is there."""
        if not args or args[0] not in self.commands:
            args = [self.default_command, *args]
        rest: list[str] = super().parse_args(ctx, args)
        return rest


bench_app = typer.Typer(cls=DefaultGroup, rich_markup_mode=None, help="Measure graphs.")


class Missing(StrEnum):
    """What to do about a pair without a file."""

    error = "error"
    miss = "miss"
    skip = "skip"


@bench_app.command("run")
def run(
    context: typer.Context,
    root: DataRoot,
    pairs: ThreePairs = None,
    split: TestSplit = None,
    model: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[NAME=]FOLDER",
            help="Measure this model: a folder made by `export`, a panda network's folder, "
            "hf://ORG/NAME, or `shipped`, which is the default; may be repeated.",
        ),
    ] = None,
    predictions: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[NAME=]DIR",
            help="Measure the graphs in DIR, called <anchor>__<target>__<picture>.json; may be "
            "repeated.",
        ),
    ] = None,
    missing: Annotated[
        Missing,
        typer.Option(
            help="Stop with an error at a pair without a graph, count all its regions as missed "
            "(miss), or skip the pair."
        ),
    ] = Missing.error,
    reference: Annotated[
        bool,
        typer.Option(
            "--reference",
            help="Measure each model once more with the data set's clean picture as reference.",
        ),
    ] = False,
    baselines: Annotated[
        bool,
        typer.Option(
            help="Measure random labels, the commonest label and the metric oracle as well."
        ),
    ] = True,
    index: PairsIndex = None,
    only: OnlyPictures = None,
    limit: PairsLimit = None,
    json: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write figures and answers to FILE, for `bench compare`."
        ),
    ] = None,
    markdown: MarkdownTables = None,
    latex: LatexTables = None,
    graphs: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write the model's graphs to DIR.")
    ] = None,
    true_graphs: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write the true graphs to DIR, for `report --truth`."),
    ] = None,
    seed: Annotated[
        int, typer.Option(min=0, help="Seed the intervals and the random baseline.")
    ] = 0,
    threads: Threads = 0,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Measure models or anyone's graphs on the pairs of a data set.

    Accuracy and macro F1 of distortion, severity and comparison, rank correlation of the score,
    with 95 % intervals over pictures; calibration, agreement, symmetry and time; beside what
    chance, the commonest answer and a perfect metric reach. docs/benchmark.md has the protocol.

    Results of the same pairs are set side by side by `bench compare A.json B.json`. How far scores
    agree with people's opinion of pictures is measured by `bench human FOLDER`.

    \b
    Examples:
      distortion-graph bench my-set
      distortion-graph bench my-set --pairs hard --model shipped --model runs/mine/model
      distortion-graph bench my-set --pairs hard --reference
      distortion-graph bench PandaSet --predictions mine=graphs --missing miss --json mine.json
      distortion-graph bench compare first.json mine.json

    Exit codes: 0 done, 2 the input is at fault (one line says what), 1 a defect of the program,
    130 interrupted.
    """
    talk = talk_of(context)
    talk.set(quiet=quiet, verbose=verbose, outputs=(json, markdown, latex))
    outputs = Outputs(json, markdown, latex)
    outputs.check([str(p) for p in (only, index) if p], root)
    for option, folder in (("--graphs", graphs), ("--true-graphs", true_graphs)):
        if folder is not None:
            check_outside(option, folder, root)
    if true_graphs is not None and graphs is not None and _same_place(graphs, str(true_graphs)):
        raise OutputError(f"{graphs}: --graphs and --true-graphs are the same folder; name two")
    from distortion_graph.bench.benchmark import BenchOptions, lists_of
    from distortion_graph.datasets.pictures import read_names
    from distortion_graph.datasets.reader import PandaSet

    reader = PandaSet(root, index=index)
    options = BenchOptions(
        chosen(pairs, lists_of(reader.description)),
        chosen(split, ("test",)),
        read_names(only) if only else None,
        limit,
        seed,
        baselines,
    )
    runs = _runs(reader, model, predictions, missing, graphs, threads, reference)
    if true_graphs is not None:
        _write_truth(reader, options, true_graphs, talk)
    _measure(reader, runs, options, outputs, talk)


@bench_app.command("compare")
def compare(
    context: typer.Context,
    results: Annotated[
        list[Path], typer.Argument(metavar="RESULT…", help="Files written by `bench --json`.")
    ],
    json: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write all figures to FILE.")
    ] = None,
    markdown: MarkdownTables = None,
    latex: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the table to FILE as LaTeX.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed the intervals and tests.")] = 0,
    quiet: Quiet = False,
) -> None:
    """Set results side by side, with significance tests.

    Every run in the files that is no baseline is compared with the first one, on each headline
    figure: the difference, its paired bootstrap interval, and the p-value of a sign-flip test over
    pictures. All files must be of the same pairs.

    \b
    Examples:
      distortion-graph bench compare shipped.json mine.json
      distortion-graph bench compare a.json b.json c.json --markdown table.md

    Exit codes: 0 done, 2 the input is at fault (one line says what), 1 a defect of the program,
    130 interrupted.
    """
    talk = talk_of(context)
    talk.set(quiet=quiet, outputs=(json, markdown, latex))
    outputs = Outputs(json, markdown, latex)
    outputs.check([str(path) for path in results])
    from distortion_graph.bench.comparison import (
        NamedResult,
        compare_results,
        comparison_table,
    )
    from distortion_graph.bench.results import read_result

    read = [NamedResult(str(path), read_result(path)) for path in results]
    comparison = compare_results(read, seed=seed)
    table = comparison_table(comparison)
    outputs.write(comparison.model_dump_json(indent=1) + "\n", [table])
    show_tables([table], talk)


def _runs(
    reader: PandaSet,
    models: Sequence[str] | None,
    predictions: Sequence[str] | None,
    missing: Missing,
    graphs: Path | None,
    threads: int,
    reference: bool,
) -> list[ModelRun | FolderRun]:
    """What was asked for; the shipped model where nothing was."""
    from distortion_graph.bench.evaluate import ModelRun
    from distortion_graph.bench.graph_folder import FolderRun
    from distortion_graph.bench.panda_run import open_panda
    from distortion_graph.cli.extras import need_torch
    from distortion_graph.predict.names import NETWORK_FILE
    from distortion_graph.predict.registry import SHIPPED
    from distortion_graph.predict.session import load_model

    wanted = list(models or ([] if predictions else SHIPPED[:1]))
    if graphs is not None:
        if len(wanted) != 1:
            raise OutputError(f"{graphs}: --graphs takes the graphs of one --model")
        if any(_same_place(graphs, _named(text)[1]) for text in predictions or ()):
            raise OutputError(f"{graphs}: --graphs would overwrite --predictions; choose another")
        _make_folder(graphs)
    runs: list[ModelRun | FolderRun] = []
    for text in wanted:
        name, place = _named(text)
        if (Path(place) / NETWORK_FILE).is_file():
            if reference:
                raise OutputError(f"{place}: --reference takes exported models, expected no panda")
            need_torch("bench of a network that is not exported")
            runs.append(open_panda(Path(place), reader.vocabulary, name=name, graphs=graphs))
            continue
        loaded = load_model(place, threads=threads)
        runs.append(ModelRun(loaded, reader.vocabulary, name=name, graphs=graphs))
        if reference:
            runs.append(_with_reference(reader, loaded, runs[-1].name))
    for text in predictions or ():
        name, place = _named(text)
        folder = Path(place)
        called = name or folder.resolve().name
        runs.append(FolderRun(called, folder, reader.vocabulary, missing=missing.value))
    _check_names([run.name for run in runs])
    return runs


def _with_reference(reader: PandaSet, model: Model, name: str) -> ReferenceRun:
    """The row of a model with the reference, by the metric of the data set's scores."""
    from distortion_graph.bench.reference_run import SUFFIX, ReferenceRun
    from distortion_graph.measure.quality import HAARPSI, get_metric

    described = reader.description.metric if reader.description else {}
    metric = get_metric(str(described.get("name", HAARPSI.name)))
    return ReferenceRun(model, reader.vocabulary, name=name + SUFFIX, metric=metric)


def _named(text: str) -> tuple[str | None, str]:
    """`NAME=PLACE`, or a place alone; a place that is there is taken as it stands."""
    name, equals, place = text.partition("=")
    if not equals or Path(text).exists():
        return None, text
    return name.strip() or None, place


def _check_names(names: Sequence[str]) -> None:
    from distortion_graph.bench.baselines import BASELINES

    for k, name in enumerate(names):
        if name in names[:k] or name in BASELINES:
            raise DistortionGraphError(
                f"two rows would be called {name!r}; name one: --model NAME=FOLDER or "
                "--predictions NAME=DIR"
            )


def _same_place(first: Path, second: str) -> bool:
    return os.path.realpath(first) == os.path.realpath(second)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be made ({error.strerror}); choose another") from error


def _write_truth(reader: PandaSet, options: BenchOptions, folder: Path, talk: Talk) -> None:
    from distortion_graph.bench.true_graphs import write_true_graphs
    from distortion_graph.cli.progress import WorkTalk

    _make_folder(folder)
    with WorkTalk(talk) as work:
        write_true_graphs(reader, options, folder, work.follow("true graphs", "pairs"))


def _measure(
    reader: PandaSet,
    runs: Sequence[ModelRun | FolderRun],
    options: BenchOptions,
    outputs: Outputs,
    talk: Talk,
) -> None:
    from distortion_graph.bench.benchmark import Progress, benchmark
    from distortion_graph.bench.summary import tables_of
    from distortion_graph.cli.progress import WorkTalk

    with WorkTalk(talk) as work:
        result = benchmark(reader, runs, options, Progress(work.begin, work.advance))
    tables = tables_of(result)
    outputs.write(result.to_json(), tables)
    show_tables(tables, talk)
    for name, identity in result.identities.items():
        if identity.sha256:
            talk.detail(f"{name}: SHA-256 {identity.sha256[:12]}…")


bench_app.command("figures")(figures)
bench_app.command("human")(human)
