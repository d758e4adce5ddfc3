"""`distortion-graph rank`: several pictures of one scene in, an order of them by region out."""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from distortion_graph.base.counting import counted
from distortion_graph.base.errors import OutputError, RankingError
from distortion_graph.cli.console import Talk, talk_of, write_json
from distortion_graph.cli.options import (
    DEFAULT_BACKGROUND,
    DEFAULT_MAX_PIXELS,
    REGIONS_HELP,
    Align,
    AlignOption,
    Background,
    Lossy,
    MaxPixels,
    Metrics,
    ModelOption,
    Providers,
    Quiet,
    ScoreMetric,
    Threads,
    Verbose,
    check_outputs,
)
from distortion_graph.cli.streams import is_standard, write_all

if TYPE_CHECKING:
    from distortion_graph.ranking import Loaded, Ranking
    from distortion_graph.regions import RegionSpec


class Form(StrEnum):
    """How a ranking is written."""

    json = "json"
    csv = "csv"
    parquet = "parquet"


class Wanted(StrEnum):
    """What orders the candidates of an original."""

    score = "score"
    opinion = "opinion"


@dataclass(frozen=True)
class Job:
    """What one run of the command was asked for."""

    candidates: tuple[str, ...]
    reference: str | None
    score_metric: str | None
    metrics: tuple[str, ...]
    regions: RegionSpec
    out: Path | None
    format: Form
    report: Path | None
    plot: Path | None
    lossy: bool
    json: bool
    by: Wanted
    tie: float | None
    size: bool
    ladders: dict[str, list[str]] | None
    align: Align
    strict: bool
    model: str | None
    background: str
    max_pixels: int
    providers: tuple[str, ...] | None
    threads: int


def rank(
    context: typer.Context,
    candidates: Annotated[
        list[str],
        typer.Argument(metavar="CANDIDATE...", help="Pictures of one scene, or a folder of them."),
    ],
    reference: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Measure the candidates against this original."),
    ] = None,
    score_metric: ScoreMetric = None,
    metric: Metrics = None,
    regions: Annotated[str, typer.Option(metavar="SPEC", help=REGIONS_HELP)] = "auto",
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write the ranking to FILE (--format); - is standard output."
        ),
    ] = None,
    format: Annotated[
        Form, typer.Option(help="Write --out as JSON with all there is, or as one table.")
    ] = Form.json,
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write one HTML file to look at: order, map of who is best where, matrix, "
            "pictures side by side.",
        ),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Draw quality against file size as SVG; needs --size."),
    ] = None,
    lossy: Lossy = False,
    json: Annotated[
        bool, typer.Option("--json", help="Print the ranking as JSON instead of the tables.")
    ] = False,
    by: Annotated[
        Wanted,
        typer.Option(
            help="Rank the candidates of a --reference by measured scores, or by the opinion that "
            "people are expected to have of them."
        ),
    ] = Wanted.score,
    tie: Annotated[
        float | None,
        typer.Option(
            metavar="T",
            help="Count candidates that are at most T behind as tied; by default .005 of a "
            "score, .01 of an opinion, .1 of the probability of being preferred.",
        ),
    ] = None,
    size: Annotated[
        bool,
        typer.Option(
            "--size", help="Set quality against the sizes of the files: bits per pixel, BD-rates."
        ),
    ] = False,
    ladder: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=FILES",
            help="Take these candidates, names or patterns parted by commas, for steps of one "
            "ladder (repeat it for several); by default names tell: avif-q50 is a step of avif.",
        ),
    ] = None,
    align: AlignOption = Align.auto,
    strict: Annotated[
        bool,
        typer.Option(
            "--strict", help="Refuse candidates that cannot be read, come twice or are in doubt."
        ),
    ] = False,
    model: ModelOption = None,
    background: Background = DEFAULT_BACKGROUND,
    max_pixels: MaxPixels = DEFAULT_MAX_PIXELS,
    provider: Providers = None,
    threads: Threads = 0,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Rank several pictures of one scene.

    Says who is best, in each region and as a whole, by how much, and what is wrong with the
    others. With a reference every candidate is held against it; without one all pairs are
    compared, and one order is fitted to them (Bradley-Terry), with intervals.

    Candidates of another size are laid on the reference, or on the first candidate. One that cannot
    be read or laid is left out with a line, unless --strict. No output may overwrite an input.

    \b
    Examples:
      distortion-graph rank --reference original.png a.jpg b.jpg c.webp
      distortion-graph rank shots/ --report ranking.html
      distortion-graph rank --reference first.png encodes/ --size --plot rates.svg
      distortion-graph rank a.png b.png --regions grid:3x4 --json | jq .scene

    Exit codes: 0 done, 2 the input is at fault (one line says what), 1 a defect of the program,
    130 interrupted.
    """
    talk = talk_of(context)
    talk.set(quiet=quiet, verbose=verbose, outputs=(out, report, plot))
    from distortion_graph.regions import RegionSpec

    job = Job(
        tuple(candidates), reference, score_metric, tuple(metric or ()),
        RegionSpec.parse(regions), out, format, report, plot, lossy, json, by, tie, size,
        _ladders(ladder), align, strict, model, background, max_pixels,
        tuple(provider) if provider else None, threads,
    )  # fmt: skip
    _check(job)
    from distortion_graph.work.threads import thread_budget

    with thread_budget(job.threads):
        ranking = _run(job, talk)
    _report(job, ranking, talk)


def _ladders(given: list[str] | None) -> dict[str, list[str]] | None:
    """`--ladder NAME=FILES`, each time it was given."""
    if not given:
        return None
    ladders: dict[str, list[str]] = {}
    for text in given:
        name, _, files = text.partition("=")
        steps = [step for step in files.split(",") if step]
        if not name or not steps:
            raise RankingError(
                f"--ladder {text!r}: expected NAME=FILES, for example avif=avif-*.avif"
            )
        ladders.setdefault(name, []).extend(steps)
    return ladders


def _check(job: Job) -> None:
    """Refuse what can be known to fail before anything is computed."""
    from distortion_graph.measure.metrics.registry import map_metrics
    from distortion_graph.pictures.backgrounds import check_background
    from distortion_graph.ranking.candidates import candidate_files

    check_background(job.background)
    if job.format is not Form.json and not job.out:
        raise OutputError(
            f"--format {job.format.value} is the form of --out, expected --out FILE too"
        )
    for name, wanted in (("--score-metric", job.score_metric), ("--metric", job.metrics)):
        if wanted and not job.reference:
            raise OutputError(f"{name} measures against --reference, expected that too")
    map_metrics(job.metrics)
    for name, given in (("--plot", job.plot), ("--ladder", job.ladders)):
        if given and not job.size:
            raise OutputError(f"{name} is about file sizes, expected --size too")
    if job.by is Wanted.opinion and not job.reference:
        raise OutputError("--by opinion follows from scores against --reference, expected that too")
    if job.lossy and not job.report:
        raise OutputError("--lossy is about the pictures in --report, expected --report FILE too")
    if job.json and any(map(is_standard, (job.out, job.report, job.plot))):
        raise OutputError("--json prints to standard output too; leave it out, or name a file")
    outputs = (("--out", job.out), ("--report", job.report), ("--plot", job.plot))
    inputs: list[str | Path] = [*candidate_files(job.candidates), *job.regions.files]
    if job.reference:
        inputs.append(job.reference)
    check_outputs([(name, path, False) for name, path in outputs if path is not None], inputs)


def _run(job: Job, talk: Talk) -> Ranking:
    """Compute the ranking and write the files that were asked for."""
    start = time.perf_counter()
    from distortion_graph.cli.starting import import_all

    import_all(["predict.session", "ranking"])
    from distortion_graph.measure.quality import HAARPSI
    from distortion_graph.predict.session import load_model
    from distortion_graph.ranking import load_candidates, rank_loaded

    model = load_model(job.model, job.providers)
    ready = time.perf_counter()
    loaded = load_candidates(
        job.candidates,
        job.reference,
        strict=job.strict,
        max_pixels=job.max_pixels,
        background=job.background,
    )
    for _, line in loaded.left_out:
        talk.warn(f"{line}; left out")
    for line in loaded.notes:
        talk.warn(line)
    read = time.perf_counter()
    ranking = rank_loaded(
        loaded,
        regions=job.regions,
        score_metric=job.score_metric or HAARPSI.name,
        metrics=job.metrics,
        model=model,
        align=job.align.value,
        by=job.by.value,
        tolerance=job.tie,
        sizes=job.size,
        ladders=job.ladders,
        strict=job.strict,
        warn=talk.warn,
    )
    done = time.perf_counter()
    write_all(_files(job, ranking, loaded))
    identity = model.identity
    talk.detail(f"model {identity.name} {identity.version}, SHA-256 {identity.sha256[:12]}…")
    talk.detail(
        f"seconds: start {ready - start:.2f}, pictures {read - ready:.2f}, ranking "
        f"{counted(len(ranking.candidates), 'candidate')} in "
        f"{counted(len(ranking.regions), 'region')} {done - read:.2f}, "
        f"files {time.perf_counter() - done:.2f}"
    )
    return ranking


def _files(job: Job, ranking: Ranking, loaded: Loaded) -> list[tuple[Path, bytes]]:
    """What was asked for, with where it goes."""
    files: list[tuple[Path, bytes]] = []
    if job.out is not None:
        files.append((job.out, _written(job.format, ranking)))
    if job.report is not None:
        from distortion_graph.ranking.page import RankedPictures, ranking_page

        pictures = RankedPictures.of(ranking, loaded, lossy=job.lossy)
        files.append((job.report, ranking_page(ranking, pictures).encode()))
    if job.plot is not None:
        from distortion_graph.ranking.chart import chart

        files.append((job.plot, chart(ranking, alone=True).encode()))
    return files


def _written(form: Form, ranking: Ranking) -> bytes:
    if form is Form.json:
        return (ranking.to_json(indent=2) + "\n").encode()
    from distortion_graph.formats.tables import to_csv, to_parquet
    from distortion_graph.ranking.tables import table_of

    table = table_of(ranking)
    return to_parquet(table) if form is Form.parquet else to_csv(table).encode()


def _report(job: Job, ranking: Ranking, talk: Talk) -> None:
    if job.json:
        write_json(ranking.to_json())
    elif not talk.quiet:
        from distortion_graph.ranking.terminal import render

        talk.show(render(ranking))
    for path in (job.out, job.report, job.plot):
        if path is not None and not is_standard(path):
            talk.detail(f"wrote {path}")
