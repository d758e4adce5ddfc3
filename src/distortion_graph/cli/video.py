"""`distortion-graph video`: two videos of one scene, compared over time."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from distortion_graph.base.counting import counted
from distortion_graph.cli.console import Talk, talk_of
from distortion_graph.cli.extras import need_extra
from distortion_graph.cli.options import (
    DEFAULT_MAX_PIXELS,
    REGIONS_HELP,
    Align,
    AlignOption,
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
    check_score_metric,
)

if TYPE_CHECKING:
    from distortion_graph.video import VideoOptions, VideoReport


class Sync(StrEnum):
    """What tells which frames belong together; `video.options.Sync` has the same words."""

    timestamp = "timestamp"
    content = "content"


class AlignEach(StrEnum):
    """How often the target is laid on the anchor; `video.comparing.AlignEach` has the same."""

    shot = "shot"
    frame = "frame"


def video(
    context: typer.Context,
    anchor: Annotated[str, typer.Argument(metavar="ANCHOR", help="The one video.")],
    target: Annotated[str, typer.Argument(metavar="TARGET", help="The other one.")],
    out: Annotated[
        Path,
        typer.Option(metavar="FOLDER", help="Write tables and page into FOLDER, or go on there."),
    ],
    reference: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|anchor|target",
            help="Measure scores against this original: a third video, or one of the two.",
        ),
    ] = None,
    every: Annotated[
        str,
        typer.Option(
            metavar="TIME|N",
            help="Compare a moment per TIME (1s, 250ms, 2min), or every Nth frame of the anchor; "
            "1 for every frame.",
        ),
    ] = "1s",
    frames: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Compare N moments, spread evenly, instead."),
    ] = None,
    sync: Annotated[
        Sync,
        typer.Option(
            help="Fit frames together that are shown equally long after each video's first one "
            "(timestamp), or that show the same, with an offset that is found (content)."
        ),
    ] = Sync.timestamp,
    offset: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            help="Take the target to show the same so much later; may be negative.",
        ),
    ] = None,
    search: Annotated[
        float,
        typer.Option(metavar="SECONDS", help="Find offsets of up to this with --sync content."),
    ] = 30.0,
    regions: Annotated[str, typer.Option(metavar="SPEC", help=REGIONS_HELP)] = "auto",
    hold: Annotated[
        str,
        typer.Option(
            metavar="shot|TIME|N",
            help="Keep regions that are found in the pictures for a shot, for TIME, or for N "
            "compared moments; 1 finds them anew in each.",
        ),
    ] = "shot",
    score_metric: ScoreMetric = None,
    scale: ScaleOption = Scale.common,
    metric: Metrics = None,
    evidence: EvidenceOption = EvidenceLevel.fast,
    align: AlignOption = Align.auto,
    align_each: Annotated[
        AlignEach,
        typer.Option(help="Lay the target on the anchor once per shot, or in each frame."),
    ] = AlignEach.shot,
    fit: FitOption = Fit.error,
    moments: Annotated[
        int,
        typer.Option(min=0, metavar="N", help="Show the N worst moments, with a report of each."),
    ] = 10,
    lossy: Annotated[
        bool,
        typer.Option("--lossy", help="Make these reports smaller, their pictures with loss."),
    ] = False,
    graph_column: GraphColumn = False,
    model: ModelAsInCompare = None,
    provider: Providers = None,
    max_pixels: MaxPixels = DEFAULT_MAX_PIXELS,
    workers: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Compare N moments at once; one per core."),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Stop at the first moment that cannot be compared.")
    ] = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Compare two videos of the same scene over time.

    FOLDER gets a page with the worst moments first and a timeline of scores, comparisons and
    distortions (index.html), a report of each of these moments, and two tables in Parquet, a row
    per moment and a row per region of it. Memory does not grow with the videos' length. A run that
    was stopped goes on where it was when the same command is given again.

    \b
    Examples:
      distortion-graph video original.mp4 encoded.mp4 --out results
      distortion-graph video a.mkv b.mp4 --every 250ms --regions whole --out new
      distortion-graph video a.mov b.mov --sync content --frames 100 --out new
      distortion-graph video a.mp4 b.mp4 --reference original.mov --out new

    Exit codes: 0 done (also where some moments failed), 2 the input is at fault (one line says
    what), 1 a defect of the program, 130 interrupted.
    """
    talk = talk_of(context)
    talk.set(quiet=quiet, verbose=verbose, outputs=(out,))
    need_extra("video", "video", "av", "pyarrow")
    check_score_metric(score_metric, reference)
    from distortion_graph.graph import SIDES
    from distortion_graph.measure.quality import HAARPSI
    from distortion_graph.video import Comparing, VideoOptions
    from distortion_graph.work.executor import worker_count

    side = next((side for side in SIDES if side == reference), None)
    comparing = Comparing(
        regions=regions,
        evidence=evidence.value,
        metrics=tuple(metric or ()),
        reference=side,
        score_metric=score_metric or HAARPSI.name,
        scale=scale.value,
        align=align.value,
        align_each=align_each.value,
        fit=fit.value,
    )
    options = VideoOptions(
        comparing,
        every=every,
        frames=frames,
        sync=sync.value,
        offset_s=offset,
        search_s=search,
        hold=hold,
        reference=None if side else reference,
        model=model,
        providers=tuple(provider) if provider else None,
        moments=moments,
        lossy=lossy,
        graph_column=graph_column,
        workers=worker_count(workers),
        strict=strict,
        max_pixels=max_pixels,
    )
    report = _run(anchor, target, out, options, talk)
    _tell(report, out, talk)


def _run(anchor: str, target: str, out: Path, options: VideoOptions, talk: Talk) -> VideoReport:
    from distortion_graph.cli.progress import WorkTalk
    from distortion_graph.video import compare_videos

    with WorkTalk(talk) as bar:
        return compare_videos(anchor, target, out, options, bar.follow("comparing", "moments"))


def _tell(report: VideoReport, out: Path, talk: Talk) -> None:
    from distortion_graph.video.writing import PAGE, SUMMARY

    for line in report.notes:
        talk.warn(line)
    for reason, count in report.reasons:
        talk.warn(f"{counted(count, 'moment')} failed: {reason}")
    talk.write((out / SUMMARY).read_text("utf-8"))
    for line in report.details:
        talk.detail(line)
    new = report.moments - report.kept
    rate = f", {new / report.seconds:.1f} moments per second" if new else ""
    kept = f", {report.kept} of them were there already" if report.kept else ""
    talk.detail(f"{report.moments} moments{kept}, {report.failed} failed{rate}")
    talk.detail(f"wrote {out / PAGE}")
