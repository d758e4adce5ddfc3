"""`distortion-graph compare`: two pictures in, a graph, a table and an overlay out."""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from distortion_graph.base.errors import OutputError
from distortion_graph.cli.console import Talk, talk_of, terminal_width, write_json
from distortion_graph.cli.fail_on import FailOn, check_fail_on, end_where_so
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
    Lossy,
    MaxPixels,
    Metrics,
    ModelOption,
    Providers,
    Quiet,
    ReferenceOption,
    Rotate,
    Scale,
    ScaleOption,
    ScoreMetric,
    Threads,
    Verbose,
    check_outputs,
    check_score_metric,
)
from distortion_graph.cli.streams import is_standard, named, write_all

if TYPE_CHECKING:
    from distortion_graph.graph import DistortionGraph
    from distortion_graph.pictures.images import Picture
    from distortion_graph.regions import RegionSpec
    from distortion_graph.report.colouring import ColourBy

_SIDES = ("anchor", "target")
_PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".avif")


class Format(StrEnum):
    """How a graph is written; `formats.losses.Form` has the same names."""

    native = "native"
    published = "published"
    node_link = "node-link"
    graphml = "graphml"
    json_ld = "json-ld"
    dot = "dot"
    csv = "csv"
    parquet = "parquet"
    coco = "coco"
    label_studio = "label-studio"
    cvat = "cvat"


FORMS_HELP = ", ".join(form.value for form in Format) + "."


@dataclass(frozen=True)
class Job:
    """What one run of the command was asked for."""

    anchor: str
    target: str
    regions: RegionSpec
    target_regions: RegionSpec | None
    reference: str | None
    score_metric: str | None
    scale: Scale
    out: Path | None
    format: Format
    overlay: Path | None
    distortion_map: Path | None
    report: Path | None
    lossy: bool
    json: bool
    evidence: EvidenceLevel
    metrics: tuple[str, ...]
    align: Align
    fit: Fit
    rotate: Rotate
    strict: bool
    model: str | None
    background: str
    max_pixels: int
    providers: tuple[str, ...] | None
    threads: int
    fail_on: tuple[str, ...]


def compare(
    context: typer.Context,
    anchor: Annotated[str, typer.Argument(metavar="ANCHOR", help="The first picture.")],
    target: Annotated[
        str, typer.Argument(metavar="TARGET", help="The second picture, of the same scene.")
    ],
    regions: Annotated[str, typer.Option(metavar="SPEC", help=REGIONS_HELP)] = "auto",
    target_regions: Annotated[
        str | None,
        typer.Option(
            metavar="SPEC",
            help="Take these regions of the target, and those of --regions of the anchor alone; "
            "they are matched one to one.",
        ),
    ] = None,
    reference: ReferenceOption = None,
    score_metric: ScoreMetric = None,
    scale: ScaleOption = Scale.common,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write the graph to FILE (--format); - is standard output."
        ),
    ] = None,
    format: Annotated[
        Format,
        typer.Option(metavar="FORM", help="Write --out in this form: " + FORMS_HELP),
    ] = Format.native,
    overlay: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Draw the graph on both pictures, side by side."),
    ] = None,
    distortion_map: Annotated[
        Path | None,
        typer.Option(
            "--map",
            metavar="FILE",
            help="Draw a map of the distortions on both pictures, side by side: a colour for each.",
        ),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write one HTML file to look at and send: pictures, graph and table.",
        ),
    ] = None,
    lossy: Lossy = False,
    json: Annotated[
        bool, typer.Option("--json", help="Print the graph as native JSON instead of the table.")
    ] = False,
    evidence: EvidenceOption = EvidenceLevel.all,
    metric: Metrics = None,
    align: AlignOption = Align.auto,
    fit: Annotated[
        Fit,
        typer.Option(
            help="Fit a target of another size instead of laying it on the anchor: crop both to "
            "the common part, top left; resize the target if it has the anchor's shape; or "
            "resize! it in any case."
        ),
    ] = Fit.error,
    rotate: Annotated[
        Rotate,
        typer.Option(metavar="DEGREES", help="Turn the target clockwise first: 90, 180 or 270."),
    ] = Rotate.not_at_all,
    strict: Annotated[
        bool,
        typer.Option("--strict", help="Refuse pictures that may not show the same scene."),
    ] = False,
    fail_on: FailOn = None,
    model: ModelOption = None,
    background: Background = DEFAULT_BACKGROUND,
    max_pixels: MaxPixels = DEFAULT_MAX_PIXELS,
    provider: Providers = None,
    threads: Threads = 0,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Compare two pictures region by region.

    Says what is wrong in each region of either picture, how bad it is, and which picture is
    better: as a table, the worst regions first (by the lower of a region's two scores) and then
    those that differ most, and one sentence about the whole. Where the pictures show different
    things, the table and the sentence say where.

    Files are written when everything is done, under a temporary name and then renamed: a run that
    fails writes nothing and leaves an existing file as it was; one that succeeds replaces it. No
    output may overwrite an input.

    \b
    Examples:
      distortion-graph compare a.jpg b.jpg
      distortion-graph compare a.jpg b.jpg --regions masks.png --out graph.json
      distortion-graph compare a.jpg b.jpg --regions grid:3x4 --overlay over.png
      distortion-graph compare a.jpg b.jpg --regions distortions --map map.png
      distortion-graph compare a.jpg b.jpg --report report.html
      distortion-graph compare a.jpg b.jpg --metric flip --metric ssimulacra2
      distortion-graph compare a.jpg b.jpg --reference original.png --scale fine
      distortion-graph compare a.jpg b.jpg --json --evidence fast | jq .scene
      distortion-graph compare old.png new.png --fail-on worse --fail-on blur

    Exit codes: 0 done, 2 the input is at fault (one line says what), 3 what --fail-on names is so,
    1 a defect of the program, 130 interrupted.
    """
    talk = talk_of(context)
    talk.set(quiet=quiet, verbose=verbose, outputs=(out, overlay, distortion_map, report))
    from distortion_graph.regions import RegionSpec

    providers = tuple(provider) if provider else None
    job = Job(
        anchor, target, RegionSpec.parse(regions),
        None if target_regions is None else RegionSpec.parse(target_regions),
        reference, score_metric, scale, out, format, overlay, distortion_map, report, lossy, json,
        evidence, tuple(metric or ()), align, fit, rotate, strict, model, background, max_pixels,
        providers, threads, tuple(fail_on or ()),
    )  # fmt: skip
    _check(job)
    from distortion_graph.work.threads import thread_budget

    with thread_budget(job.threads):
        graph = _run(job, talk)
    _report(job, graph, talk)
    end_where_so(graph, job.fail_on)


def _check(job: Job) -> None:
    """Refuse what can be known to fail before anything is computed."""
    from distortion_graph.measure.metrics.registry import map_metrics
    from distortion_graph.pictures.backgrounds import check_background

    map_metrics(job.metrics)
    check_background(job.background)
    check_score_metric(job.score_metric, job.reference)
    if job.out and job.out.suffix.lower() in _PICTURE_SUFFIXES:
        raise OutputError(f"{job.out}: --out is the graph, as JSON; the picture is --overlay")
    if job.format is not Format.native and not job.out:
        raise OutputError(
            f"--format {job.format.value} is the form of --out, expected --out FILE too"
        )
    if job.report and job.report.suffix.lower() in _PICTURE_SUFFIXES:
        raise OutputError(f"{job.report}: --report is a page, as HTML; the picture is --overlay")
    if job.lossy and not job.report:
        raise OutputError("--lossy is about the pictures in --report, expected --report FILE too")
    if job.json and any(map(is_standard, (job.out, *_drawings(job), job.report))):
        raise OutputError("--json prints to standard output too; leave it out, or name a file")
    if is_standard(job.out) and len(_graph_paths(job)) > 1:
        raise OutputError(
            f"--format {job.format.value} is two files, which standard output cannot hold; name one"
        )
    outputs = [("--out", path, False) for path in _graph_paths(job)]
    outputs += [
        (option, path, picture)
        for option, path, picture in (
            ("--overlay", job.overlay, True),
            ("--map", job.distortion_map, True),
            ("--report", job.report, False),
        )
        if path is not None
    ]
    third = [job.reference] if job.reference and job.reference not in _SIDES else []
    read = [*job.regions.files, *(job.target_regions.files if job.target_regions else ())]
    check_outputs(outputs, [job.anchor, job.target, *third, *read])


def _graph_paths(job: Job) -> list[Path]:
    """The files of --out; tables are two."""
    if job.out is None:
        return []
    from distortion_graph.formats.forms import output_paths

    return output_paths(job.out, job.format.value)


def _drawings(job: Job) -> dict[Path, ColourBy]:
    """The files of --overlay and --map, and what their colours mean."""
    drawn: dict[Path, ColourBy] = {}
    if job.overlay is not None:
        drawn[job.overlay] = "severity"
    if job.distortion_map is not None:
        drawn[job.distortion_map] = "distortion"
    return drawn


def _run(job: Job, talk: Talk) -> DistortionGraph:
    """Compute the graph and write the files that were asked for."""
    start = time.perf_counter()
    from distortion_graph.cli.starting import import_all, read_pair

    shown = [] if job.json or talk.quiet else ["report.table"]
    import_all(["predict.session", "pipeline", *shown])
    from distortion_graph.base.vocabulary import scaled
    from distortion_graph.measure.quality import HAARPSI
    from distortion_graph.pictures.images import Picture
    from distortion_graph.pictures.pairs import load_reference, pair_warnings
    from distortion_graph.pictures.turning import TURNS, turned
    from distortion_graph.pipeline import compare_pictures
    from distortion_graph.predict.session import load_model

    model = load_model(job.model, job.providers)
    check_fail_on(job.fail_on, scaled(model.vocabulary, job.scale.value), job.evidence.value)
    ready = time.perf_counter()
    anchor, target = read_pair(model, job.anchor, job.target, job.max_pixels, job.background)
    original = load_reference(job.reference, max_pixels=job.max_pixels, background=job.background)
    third = (original,) if isinstance(original, Picture) else ()
    turn = next(turn for turn in TURNS if str(turn) == job.rotate.value)
    pictures = anchor, turned(target, turn)
    for text in (*pair_warnings(*pictures), *(text for p in third for text in p.warnings)):
        talk.warn(text)
    for picture in (*pictures, *third):
        talk.detail(f"{picture.source}: {picture.width}×{picture.height} pixels")
    read = time.perf_counter()
    graph = compare_pictures(
        *pictures,
        regions=job.regions,
        target_regions=job.target_regions,
        reference=original,
        score_metric=job.score_metric or HAARPSI.name,
        scale=job.scale.value,
        model=model,
        evidence=job.evidence.value,
        metrics=job.metrics,
        align=job.align.value,
        fit=job.fit.value,
        strict=job.strict,
        warn=talk.warn,
    )
    done = time.perf_counter()
    _write(job, graph, (*pictures, *third), talk)
    identity, regions = model.identity, len(graph.regions)
    talk.detail(f"model {identity.name} {identity.version}, SHA-256 {identity.sha256[:12]}…")
    talk.detail(
        f"seconds: start {ready - start:.2f}, pictures {read - ready:.2f}, comparing {regions} "
        f"region{'s' * (regions != 1)} {done - read:.2f}, files {time.perf_counter() - done:.2f}"
    )
    return graph


def _write(job: Job, graph: DistortionGraph, pictures: tuple[Picture, ...], talk: Talk) -> None:
    """All files or none; `pictures` are anchor, target, and a third one that is the original."""
    from distortion_graph.base.files import encode_image

    files: list[tuple[Path, bytes]] = []
    if job.out is not None:
        from distortion_graph.formats.forms import graph_files
        from distortion_graph.formats.losses import loss_lines

        files += graph_files(graph, job.format.value, job.out)
        for text in loss_lines(graph, job.format.value):
            talk.warn(text)
    for path, colour_by in _drawings(job).items():
        from distortion_graph.report.overlay import overlay

        picture = overlay(graph, pictures[0].rgb, pictures[1].rgb, colour_by)
        files.append((path, encode_image(named(path), picture)))
    if job.report is not None:
        files.append((job.report, _page(job, graph, pictures).encode()))
    write_all(files)


def _page(job: Job, graph: DistortionGraph, pictures: tuple[Picture, ...]) -> str:
    """The report; the very bytes of the files go into it."""
    from distortion_graph.cli.report import page_of
    from distortion_graph.report.sources import file_of

    anchor, target, *third = map(file_of, pictures)
    return page_of(graph, (anchor, target), reference=next(iter(third), None), lossy=job.lossy)


def _report(job: Job, graph: DistortionGraph, talk: Talk) -> None:
    if job.json:
        write_json(graph.to_json())
    elif not talk.quiet:
        from distortion_graph.report.table import render

        talk.show(render(graph, terminal_width()))
    for path in (*_graph_paths(job), *_drawings(job), job.report):
        if path is not None and not is_standard(path):
            talk.detail(f"wrote {path}")
