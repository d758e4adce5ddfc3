"""`distortion-graph draw`: a graph file as pictures for papers and tickets."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from distortion_graph.base.errors import ImageError
from distortion_graph.cli.console import Talk, talk_of
from distortion_graph.cli.convert import GRAPH_HELP
from distortion_graph.cli.options import (
    DEFAULT_MAX_PIXELS,
    MaxPixels,
    MovedAnchor,
    MovedTarget,
    Quiet,
    check_outputs,
)
from distortion_graph.cli.streams import is_standard, named, write_all

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from distortion_graph.graph import DistortionGraph, Side


class ColourBy(StrEnum):
    """What the colour of a region means."""

    severity = "severity"
    comparison = "comparison"
    distortion = "distortion"


@dataclass(frozen=True)
class Job:
    """What one run of the command was asked for."""

    graph: Path
    overlay: Path | None
    sheet: Path | None
    drawing: Path | None
    colour: ColourBy
    worst: int
    collapse: bool
    given: tuple[str | None, str | None]
    max_pixels: int

    @property
    def needs_pictures(self) -> bool:
        """Whether the graph's two pictures are read."""
        return self.overlay is not None or self.sheet is not None

    def check(self, more_inputs: tuple[str, ...] = ()) -> None:
        """Refuse outputs that cannot be written, or that are read."""
        outputs = [
            (option, path, picture)
            for option, path, picture in (
                ("--overlay", self.overlay, True),
                ("--sheet", self.sheet, True),
                ("--graph", self.drawing, False),
            )
            if path is not None
        ]
        given = [name for name in self.given if name]
        check_outputs(outputs, [str(self.graph), *given, *more_inputs])


def draw(
    context: typer.Context,
    graph: Annotated[Path, typer.Argument(metavar="GRAPH", help=GRAPH_HELP)],
    overlay: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Draw the graph on both pictures, side by side."),
    ] = None,
    sheet: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Draw both pictures plain, and the worst regions enlarged below."
        ),
    ] = None,
    drawing: Annotated[
        Path | None,
        typer.Option(
            "--graph",
            metavar="FILE",
            help="Draw the graph itself, nodes and edges, as .svg, .png or .pdf; needs the figures "
            "extra.",
        ),
    ] = None,
    colour: Annotated[
        ColourBy, typer.Option(help="Colour the regions of --overlay by this.")
    ] = ColourBy.severity,
    worst: Annotated[
        int,
        typer.Option(min=0, metavar="N", help="Show the N worst regions in --sheet."),
    ] = 4,
    collapse: Annotated[
        bool,
        typer.Option(help="Draw one line in --graph for all regions that are clean and the same."),
    ] = True,
    anchor: MovedAnchor = None,
    target: MovedTarget = None,
    max_pixels: MaxPixels = DEFAULT_MAX_PIXELS,
    quiet: Quiet = False,
) -> None:
    """Draw a graph on its pictures, or its nodes and edges.

    At least one of --overlay, --sheet and --graph is needed, and one may be -, standard output: a
    PNG, or the SVG of --graph. --graph needs no pictures. Pictures are looked for where the graph
    says and beside the graph file. A picture that has changed since is drawn with a warning; a
    picture of another size is an error.

    \b
    Examples:
      distortion-graph draw graph.json --overlay over.png --colour comparison
      distortion-graph draw graph.json --sheet ticket.png --worst 3
      distortion-graph draw graph.json --graph figure.svg
      distortion-graph draw graph.json --sheet s.png --anchor a.png --target b.png

    Exit codes: 0 done, 2 the input is at fault (one line says what), 1 a defect of the program,
    130 interrupted.
    """
    talk = talk_of(context)
    talk.set(quiet=quiet, outputs=(overlay, sheet, drawing))
    if overlay is sheet is drawing is None:
        raise typer.BadParameter("one of --overlay, --sheet and --graph is needed")
    given = anchor, target
    job = Job(graph, overlay, sheet, drawing, colour, worst, collapse, given, max_pixels)
    job.check()
    _write(job, talk)


def _write(job: Job, talk: Talk) -> None:
    """All files or none."""
    from distortion_graph.base.files import encode_image
    from distortion_graph.formats.files import read_graph

    files: list[tuple[Path, bytes]] = []
    if job.drawing is not None:
        from distortion_graph.report.figures import figure_kind, need_matplotlib

        kind = "svg" if is_standard(job.drawing) else figure_kind(job.drawing)
        need_matplotlib()
    graph = read_graph(job.graph)
    if job.needs_pictures:
        pictures = _pictures(job, graph, talk)
    if job.overlay is not None:
        from distortion_graph.report.overlay import overlay

        drawn = overlay(graph, *pictures, job.colour.value)
        files.append((job.overlay, encode_image(named(job.overlay), drawn)))
    if job.sheet is not None:
        from distortion_graph.report.sheet import sheet

        drawn = sheet(graph, *pictures, job.worst)
        files.append((job.sheet, encode_image(named(job.sheet), drawn)))
    if job.drawing is not None:
        from distortion_graph.report.graph_drawing import draw_graph

        files.append((job.drawing, draw_graph(graph, kind, collapse=job.collapse)))
    write_all(files)


def _pictures(
    job: Job, graph: DistortionGraph, talk: Talk
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Anchor and target; raises ImageError where one is not there or of another size."""
    from distortion_graph.graph import SIDES

    anchor, target = (
        _picture(job, graph, side, given, talk)
        for side, given in zip(SIDES, job.given, strict=True)
    )
    return anchor, target


def _picture(
    job: Job, graph: DistortionGraph, side: Side, given: str | None, talk: Talk
) -> NDArray[np.uint8]:
    from distortion_graph.report.sources import find_picture

    info = graph.picture_of(side)
    found = find_picture(info, job.graph.parent, given, max_pixels=job.max_pixels)
    picture = found.picture
    if picture is None:
        raise ImageError(f"{job.graph}: {side}: {found.problem}; give it with --{side} FILE")
    job.check((str(picture.source),))
    if (info.width or picture.width, info.height or picture.height) != picture.size[::-1]:
        raise ImageError(f"{found.problem}; give the right one with --{side} FILE")
    for text in (*picture.warnings, *([found.problem] if found.problem else [])):
        talk.warn(text)
    return picture.rgb
