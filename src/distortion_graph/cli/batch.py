"""`distortion-graph batch`: many pairs into a folder of tables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from distortion_graph.cli.compare import EvidenceLevel
from distortion_graph.cli.console import Talk, talk_of
from distortion_graph.cli.options import (
    DEFAULT_BACKGROUND,
    DEFAULT_MAX_PIXELS,
    REGIONS_HELP,
    Align,
    AlignOption,
    Background,
    Fit,
    FitOption,
    MaxPixels,
    Metrics,
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
    WorkersOption,
    pairs_of,
)

if TYPE_CHECKING:
    from distortion_graph.batch.pairs import PairTask
    from distortion_graph.batch.run import BatchOptions, BatchReport


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
    match: MatchOption = "name",
    allow_unmatched: AllowUnmatched = False,
    reference: Annotated[
        str | None,
        typer.Option(
            metavar="FOLDER|anchor|target",
            help="Measure scores against these originals, of the same names, or against one side.",
        ),
    ] = None,
    score_metric: ScoreMetric = None,
    scale: ScaleOption = Scale.common,
    regions: Annotated[str, typer.Option(metavar="SPEC", help=REGIONS_HELP)] = "auto",
    metric: Metrics = None,
    evidence: Annotated[
        EvidenceLevel,
        typer.Option(
            help="Measure everything, everything but the mean CIEDE2000 (fast), or nothing."
        ),
    ] = EvidenceLevel.fast,
    align: AlignOption = Align.auto,
    fit: FitOption = Fit.error,
    model: Annotated[
        str | None,
        typer.Option(metavar="MODEL", help="Use this model, as in `compare`."),
    ] = None,
    provider: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Run on this ONNX Runtime provider; when repeated, on the first available.",
        ),
    ] = None,
    background: Background = DEFAULT_BACKGROUND,
    max_pixels: MaxPixels = DEFAULT_MAX_PIXELS,
    workers: WorkersOption = None,
    graph_column: Annotated[
        bool, typer.Option("--graph-column", help="Write each graph as JSON into the table too.")
    ] = False,
    graphs: Annotated[
        bool, typer.Option("--graphs", help="Write a file graphs/ID.json for each pair.")
    ] = False,
    reports: Annotated[
        bool, typer.Option("--reports", help="Write a page reports/ID.html for each pair.")
    ] = False,
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

    Pairs are the pictures of two folders that belong together by their names, or the rows of a
    list. OUT gets two tables in Parquet, a row per pair and a row per region, a summary with means
    and intervals by method (summary.md, summary.tex) and a page to look at (index.html).

    A pair that cannot be compared is recorded with its reason, and the others go on. A run that was
    stopped, by whatever, goes on where it was when the same command is given again.

    \b
    Examples:
      distortion-graph batch originals avif jxl --match stem --out results
      distortion-graph batch --manifest pairs.csv --regions grid:3x3 --out results
      distortion-graph batch s3://bucket/a s3://bucket/b --out results --workers 8

    Exit codes: 0 done (also where some pairs failed), 2 the input is at fault (one line says what),
    1 a defect of the program, 130 interrupted.
    """
    talk = talk_of(context)
    talk.set(quiet=quiet, verbose=verbose, outputs=(out,))
    from distortion_graph.batch.run import BatchOptions
    from distortion_graph.batch.worker import Comparing
    from distortion_graph.graph import SIDES
    from distortion_graph.measure.quality import HAARPSI
    from distortion_graph.regions import RegionSpec
    from distortion_graph.work.executor import worker_count

    RegionSpec.parse(regions)
    side = next((side for side in SIDES if side == reference), None)
    originals = None if side else reference
    pairs = pairs_of(folders or [], originals, manifest, match, allow_unmatched, talk)
    comparing = Comparing(
        regions=regions,
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
        strict=strict,
        graph_column=graph_column,
        graphs=graphs,
        reports=reports,
    )
    report = _run(pairs, out, options, talk)
    _tell(report, out, model, by, talk)


def _run(pairs: list[PairTask], out: Path, options: BatchOptions, talk: Talk) -> BatchReport:
    from distortion_graph.batch.run import Progress, run_batch
    from distortion_graph.cli.progress import WorkTalk

    with WorkTalk(talk) as bar:
        tell = bar.follow("comparing", "pairs")

        def show(progress: Progress) -> None:
            tell(progress.pairs, progress.total)

        return run_batch(pairs, out, options, show)


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
        talk.warn(f"{count} pair{'s' * (count > 1)} failed: {reason}")
    talk.write(text)
    new = report.pairs - report.kept
    rate = f", {new / report.seconds:.1f} pairs per second" if new else ""
    kept = f", {report.kept} of them were there already" if report.kept else ""
    talk.detail(f"{report.pairs} pairs{kept}, {report.failed} failed{rate}")
