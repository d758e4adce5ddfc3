"""`distortion-graph batch`: many pairs into a folder of tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from distortion_graph.base.counting import counted
from distortion_graph.base.errors import BatchError
from distortion_graph.cli.choice import TestSplit, ThreePairs, chosen
from distortion_graph.cli.console import Talk, talk_of
from distortion_graph.cli.extras import need_extra
from distortion_graph.cli.options import (
    DEFAULT_BACKGROUND,
    DEFAULT_MAX_PIXELS,
    REGIONS_HELP,
    Align,
    AlignOption,
    Background,
    EvidenceLevel,
    EvidenceOption,
    Fit,
    FitOption,
    GraphColumn,
    MaxPixels,
    Metrics,
    ModelAsInCompare,
    Providers,
    Quiet,
    Scale,
    ScaleOption,
    ScoreMetric,
    Verbose,
)
from distortion_graph.cli.pairs import (
    AllowUnmatched,
    ManifestOption,
    MatchOption,
    pairs_of,
)

if TYPE_CHECKING:
    from distortion_graph.batch.pairs import PairTask
    from distortion_graph.batch.run import BatchOptions, BatchReport
    from distortion_graph.batch.worker import Job
    from distortion_graph.work.ray_actors import RayActors

_ON_CARDS = ("CUDA", "Tensorrt", "NvTensorRTRTX")
"""How names of providers begin that compute on graphics cards which Ray hands out."""


class Engine(StrEnum):
    """Where pairs are compared."""

    local = "local"
    ray = "ray"


def batch(
    context: typer.Context,
    out: Annotated[
        Path,
        typer.Option(metavar="FOLDER", help="Write the tables into FOLDER, or go on there."),
    ],
    folders: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="ANCHORS TARGETS...",
            help="Folders or URLs: of the anchors, and of the targets of one or more methods.",
        ),
    ] = None,
    manifest: ManifestOption = None,
    root: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Take the pairs of a data-set root, with its regions unless --regions is given.",
        ),
    ] = None,
    split: TestSplit = None,
    pairs_of_root: ThreePairs = None,
    match: MatchOption = "name",
    allow_unmatched: AllowUnmatched = False,
    reference: Annotated[
        str | None,
        typer.Option(
            metavar="FOLDER|anchor|target|clean",
            help="Measure scores against these originals, of the same names, or against one side; "
            "clean means the clean pictures of a data-set root.",
        ),
    ] = None,
    score_metric: ScoreMetric = None,
    scale: ScaleOption = Scale.common,
    regions: Annotated[
        str | None,
        typer.Option(metavar="SPEC", help=f"{REGIONS_HELP} By default auto, or the root's."),
    ] = None,
    metric: Metrics = None,
    evidence: EvidenceOption = EvidenceLevel.fast,
    align: AlignOption = Align.auto,
    fit: FitOption = Fit.error,
    model: ModelAsInCompare = None,
    provider: Providers = None,
    background: Background = DEFAULT_BACKGROUND,
    max_pixels: MaxPixels = DEFAULT_MAX_PIXELS,
    workers: Annotated[
        int | None,
        typer.Option(
            min=0,
            metavar="N",
            help="Compare in N processes; by default one per core, of this machine or of the Ray "
            "cluster. 0 for none.",
        ),
    ] = None,
    engine: Annotated[
        Engine,
        typer.Option(help="Compare on this machine, or on a Ray cluster (the extra ray)."),
    ] = Engine.local,
    address: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT",
            help="Use the Ray cluster there; auto finds a running one. By default one is started "
            "on this machine.",
        ),
    ] = None,
    gpus_each: Annotated[
        float | None,
        typer.Option(
            min=0,
            metavar="SHARE",
            help="Let each worker of the Ray cluster reserve so many graphics cards; by default 1 "
            "with --provider CUDAExecutionProvider, else none. Below 1 workers share a card.",
        ),
    ] = None,
    graph_column: GraphColumn = False,
    graphs: Annotated[
        bool, typer.Option("--graphs", help="Write a file graphs/ID.json for each pair.")
    ] = False,
    reports: Annotated[
        bool, typer.Option("--reports", help="Write a page reports/ID.html for each pair.")
    ] = False,
    part_pairs: Annotated[
        int,
        typer.Option(
            min=1,
            metavar="N",
            help="Write the tables in parts of N pairs: what a stopped run has to do again is at "
            "most one part.",
        ),
    ] = 500,
    by: Annotated[
        str, typer.Option(metavar="COLUMN", help="Count means by this column.")
    ] = "method",
    strict: Annotated[
        bool, typer.Option("--strict", help="Stop at the first pair that cannot be compared.")
    ] = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Compare many pairs and write tables of them.

    Pairs are the pictures of two folders that belong together by their names, the rows of a list,
    or those of a data-set root. OUT gets two tables in Parquet, a row per pair and a row per
    region, a summary with means and intervals by method (summary.md, summary.tex) and a page to
    look at (index.html).

    A pair that cannot be compared is recorded with its reason, and the others go on. A run that was
    stopped, by whatever, goes on where it was when the same command is given again.

    \b
    Examples:
      distortion-graph batch originals avif jxl --match stem --out results
      distortion-graph batch --manifest pairs.csv --regions grid:3x3 --out results
      distortion-graph batch --root my-set --pairs hard --out results
      distortion-graph batch s3://bucket/a s3://bucket/b --out results --workers 8
      distortion-graph batch --manifest pairs.csv --engine ray --out results

    Exit codes: 0 done (also where some pairs failed), 2 the input is at fault, or every pair failed
    (one line says what), 1 a defect of the program, 130 interrupted.
    """
    talk = talk_of(context)
    talk.set(quiet=quiet, verbose=verbose, outputs=(out,))
    need_extra("batch", "batch", "pyarrow", "scipy")
    from distortion_graph.batch.run import BatchOptions
    from distortion_graph.batch.summary import check_by
    from distortion_graph.batch.worker import Comparing
    from distortion_graph.graph import SIDES
    from distortion_graph.measure.metrics.registry import map_metrics
    from distortion_graph.measure.quality import HAARPSI, get_metric
    from distortion_graph.pictures.backgrounds import check_background
    from distortion_graph.regions import RegionSpec
    from distortion_graph.work.executor import worker_count

    if regions is not None:
        RegionSpec.parse(regions)
    map_metrics(metric or ())
    if score_metric is not None:
        get_metric(score_metric)
    check_background(background)
    side = next((side for side in SIDES if side == reference), None)
    originals = None if side else reference
    if [bool(folders), manifest is not None, root is not None].count(True) != 1:
        raise BatchError(
            "expected either folders of anchors and targets, or --manifest FILE, or --root FOLDER"
        )
    if root is None:
        if split or pairs_of_root:
            raise BatchError("--split and --pairs are of a data-set root, expected --root too")
        pairs = pairs_of(folders or [], originals, manifest, match, allow_unmatched, talk)
    else:
        pairs = _pairs_of(root, split, pairs_of_root, regions is None, originals)
    check_by(by, pairs)
    comparing = Comparing(
        regions=regions or "auto",
        model=model,
        providers=tuple(provider) if provider else None,
        evidence=evidence.value,
        metrics=tuple(metric or ()),
        reference=side,
        score_metric=score_metric or HAARPSI.name,
        scale=scale.value,
        align=align.value,
        fit=fit.value,
        background=background,
        max_pixels=max_pixels,
    )
    options = BatchOptions(
        comparing,
        workers=worker_count(workers),
        part_pairs=part_pairs,
        strict=strict,
        graph_column=graph_column,
        graphs=graphs,
        reports=reports,
    )
    executor = _executor(engine, workers, address, gpus_each, comparing.providers or ())
    report = _run(pairs, out, options, executor, talk)
    _tell(report, out, model, by, talk)


def _pairs_of(
    root: Path,
    split: list[str] | None,
    pairs: list[str] | None,
    regions: bool,
    originals: str | None,
) -> list[PairTask]:
    from distortion_graph.batch.roots import pairs_of_root

    if originals not in (None, "clean"):
        raise BatchError(
            f"--reference {originals}: expected clean, anchor or target with a data-set root"
        )
    return pairs_of_root(
        root,
        chosen(split, ("test",)),
        chosen(pairs, ("easy", "medium", "hard")),
        regions=regions,
        clean_reference=originals == "clean",
    )


def _executor(
    engine: Engine,
    workers: int | None,
    address: str | None,
    gpus_each: float | None,
    providers: Sequence[str],
) -> Callable[[Job], RayActors[Job]] | None:
    """What makes another executor than that of this machine's processes."""
    if engine is Engine.local:
        for option, value in (("--address", address), ("--gpus-each", gpus_each)):
            if value is not None:
                raise BatchError(f"{option} is for workers of a cluster, expected --engine ray too")
        return None
    from distortion_graph.work.ray_actors import RayActors

    on_cards = any(name.startswith(_ON_CARDS) for name in providers)
    share = float(on_cards) if gpus_each is None else gpus_each
    return partial(RayActors, workers=workers, gpus_each=share, address=address, option="--workers")


def _run(
    pairs: list[PairTask],
    out: Path,
    options: BatchOptions,
    executor: Callable[[Job], RayActors[Job]] | None,
    talk: Talk,
) -> BatchReport:
    from distortion_graph.batch.run import Progress, run_batch
    from distortion_graph.cli.progress import WorkTalk

    with WorkTalk(talk) as bar:
        tell = bar.follow("comparing", "pairs")

        def show(progress: Progress) -> None:
            tell(progress.pairs, progress.total)

        return run_batch(pairs, out, options, show, executor)


def _tell(report: BatchReport, out: Path, model: str | None, by: str, talk: Talk) -> None:
    from distortion_graph.base.files import atomic_write_all
    from distortion_graph.batch.dashboard import dashboard
    from distortion_graph.batch.summary import latex, markdown, summarise
    from distortion_graph.predict.session import load_model

    summary = summarise(out, by)
    text = markdown(summary)
    page = dashboard(out, summary, load_model(model).vocabulary, by)
    atomic_write_all(
        [
            (out / "summary.md", text.encode()),
            (out / "summary.tex", latex(summary).encode()),
            (out / "index.html", page.encode()),
        ]
    )
    for reason, count in report.reasons:
        talk.warn(f"{counted(count, 'pair')} failed: {reason}")
    talk.write(text)
    new = report.pairs - report.kept
    rate = f", {new / report.seconds:.1f} pairs per second" if new else ""
    kept = f", {report.kept} of them were there already" if report.kept else ""
    talk.detail(f"{counted(report.pairs, 'pair')}{kept}, {report.failed} failed{rate}")
    if report.failed == report.pairs:
        raise BatchError(f"{out}: no pair could be compared, {report.reasons[0][0]}")
