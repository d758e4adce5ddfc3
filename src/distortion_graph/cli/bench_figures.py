"""`distortion-graph bench figures`: a stored result as figures for papers."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from distortion_graph.base.errors import DistortionGraphError, OutputError
from distortion_graph.cli.choice import DrawnPairs
from distortion_graph.cli.console import talk_of
from distortion_graph.cli.options import Quiet, check_outputs


class Suffix(StrEnum):
    """The kind of the files."""

    svg = "svg"
    png = "png"
    pdf = "pdf"


def figures(
    context: typer.Context,
    result: Annotated[
        Path, typer.Argument(metavar="RESULT", help="A file written by `bench --json`.")
    ],
    out: Annotated[
        Path,
        typer.Option(
            metavar="FOLDER", help="Write the files to FOLDER, which is made if it does not exist."
        ),
    ],
    run: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="Draw only this run, which may be a baseline; may be repeated."
        ),
    ] = None,
    pairs: DrawnPairs = None,
    suffix: Annotated[Suffix, typer.Option(help="Write files of this kind.")] = Suffix.svg,
    quiet: Quiet = False,
) -> None:
    """Draw a stored result: confusion of types, F1 by type, calibration, scores.

    Each figure becomes one file, 83 or 170 mm wide, from the answers in the result; needs the
    figures extra. Files of the same names are replaced, all or none. Without --run it draws all
    runs that are no baselines.

    \b
    Examples:
      distortion-graph bench figures mine.json --out figures
      distortion-graph bench figures mine.json --out figures --pairs hard --suffix pdf
      distortion-graph bench figures mine.json --out figures --run mine --run majority

    Exit codes: 0 done, 2 the input is at fault (one line says what), 1 a defect of the program,
    130 interrupted.
    """
    talk = talk_of(context)
    talk.set(quiet=quiet)
    from distortion_graph.base.files import atomic_write_all
    from distortion_graph.bench.plots import plots
    from distortion_graph.bench.results import read_result
    from distortion_graph.report.figures import need_matplotlib

    need_matplotlib()
    if out.exists() and not out.is_dir():
        raise OutputError(f"{out}: is a file, expected a folder to write to")
    read = read_result(result)
    try:
        drawn = plots(read, pairs=pairs or (), runs=run or (), kind=suffix.value)
    except DistortionGraphError as error:
        raise DistortionGraphError(f"{result}: {error}") from error
    _make(out)
    paths = [(out / name, data) for name, data in drawn]
    check_outputs([("--out", path, False) for path, _ in paths], [str(result)])
    atomic_write_all(paths)
    for path, _ in paths:
        talk.say(str(path))


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be made ({error.strerror}); choose another") from error
