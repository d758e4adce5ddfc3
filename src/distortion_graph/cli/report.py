"""`distortion-graph report`: graph files as pages to look at, and a gallery of several."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from distortion_graph.base.errors import GraphError, OutputError
from distortion_graph.cli.console import Talk, talk_of
from distortion_graph.cli.convert import GRAPH_HELP
from distortion_graph.cli.options import (
    DEFAULT_MAX_PIXELS,
    Lossy,
    MaxPixels,
    MovedAnchor,
    MovedReference,
    MovedTarget,
    Quiet,
    check_outputs,
)
from distortion_graph.cli.streams import is_standard, write_all

if TYPE_CHECKING:
    from distortion_graph.graph import DistortionGraph
    from distortion_graph.report.html.gallery import Pair
    from distortion_graph.report.sources import FoundPicture

    Found: TypeAlias = tuple[FoundPicture, FoundPicture]

_INDEX = "index.html"


def report(
    context: typer.Context,
    graphs: Annotated[list[Path], typer.Argument(metavar="GRAPH...", help=GRAPH_HELP)],
    out: Annotated[
        Path,
        typer.Option(
            metavar="PATH",
            help="Write the page here; - is standard output. For several graphs, a new folder.",
        ),
    ],
    truth: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="Mark what differs from this true graph; for several graphs, a folder with files "
            "of the same names.",
        ),
    ] = None,
    anchor: MovedAnchor = None,
    target: MovedTarget = None,
    reference: MovedReference = None,
    lossy: Lossy = False,
    max_pixels: MaxPixels = DEFAULT_MAX_PIXELS,
    quiet: Quiet = False,
) -> None:
    """Write a graph as a page to look at.

    One HTML file that needs nothing else: both pictures with the regions on them (side by side,
    swiped, blinked or subtracted, at any zoom), the graph, and the table; and the reference, where
    scores were measured against a third picture. Pictures that browsers show are in it byte for
    byte, others as lossless WebP. They are looked for where the graph says, and beside the graph
    file; the page says which of them is missing or has changed.

    Several graphs become a folder with a page each and index.html, a gallery of all.

    \b
    Examples:
      distortion-graph report graph.json --out report.html
      distortion-graph report graph.json --truth true.json --out report.html
      distortion-graph report graphs/*.json --out gallery

    Exit codes: 0 done, 2 the input is at fault (one line says what), 1 a defect of the program,
    130 interrupted.
    """
    talk = talk_of(context)
    talk.set(quiet=quiet, outputs=(out,))
    if len(graphs) == 1:
        _one(graphs[0], out, truth, (anchor, target, reference), lossy, max_pixels, talk)
        return
    if anchor or target or reference:
        raise OutputError(
            "--anchor, --target and --reference are of one graph, but several are given"
        )
    if is_standard(out):
        raise OutputError("--out -: of several graphs it is a folder, expected its name")
    _several(graphs, out, truth, lossy, max_pixels, talk)


def _one(
    path: Path,
    out: Path,
    truth: Path | None,
    given: tuple[str | None, str | None, str | None],
    lossy: bool,
    max_pixels: int,
    talk: Talk,
) -> None:
    from distortion_graph.formats.files import read_graph

    inputs = [str(path), *(str(p) for p in (truth, *given) if p)]
    check_outputs([("--out", out, False)], inputs)
    graph = read_graph(path)
    true = None if truth is None else read_graph(truth, graph.vocabulary)
    pictures = _pictures(graph, path, given[:2], max_pixels, talk)
    original = _reference(graph, path, given[2], max_pixels, talk)
    for picture in (*pictures, *([original] if original else [])):
        if picture.picture is not None:
            check_outputs([("--out", out, False)], [str(picture.picture.source)])
    page = page_of(graph, pictures, true, reference=original, lossy=lossy)
    write_all([(out, page.encode())])


def _several(
    paths: list[Path], out: Path, truth: Path | None, lossy: bool, max_pixels: int, talk: Talk
) -> None:
    from distortion_graph.base.files import atomic_write_text, new_folder
    from distortion_graph.formats.files import read_graph
    from distortion_graph.report.html.gallery import gallery_page

    if truth is not None and not truth.is_dir():
        raise GraphError(f"{truth}: expected a folder, with a true graph of each graph's name")
    with new_folder(out) as folder:
        pairs = []
        for path, name in zip(paths, _names(paths), strict=True):
            graph = read_graph(path)
            true = None if truth is None else read_graph(truth / path.name, graph.vocabulary)
            pictures = _pictures(graph, path, (None, None), max_pixels, talk)
            original = _reference(graph, path, None, max_pixels, talk)
            page = page_of(graph, pictures, true, reference=original, lossy=lossy)
            atomic_write_text(folder / f"{name}.html", page)
            pairs.append(_pair(name, graph, pictures, true))
        atomic_write_text(folder / _INDEX, gallery_page(pairs))


def page_of(
    graph: DistortionGraph,
    pictures: Found,
    truth: DistortionGraph | None = None,
    *,
    reference: FoundPicture | None = None,
    lossy: bool,
) -> str:
    """The report of a graph and its pictures; `reference` is a third one, the original."""
    from distortion_graph.report.html.page import ReportPicture, report_page

    anchor, target = (
        ReportPicture.of(picture, info, lossy=lossy)
        for picture, info in zip(pictures, (graph.anchor, graph.target), strict=True)
    )
    third = None
    if reference is not None and graph.reference is not None and graph.reference.picture:
        third = ReportPicture.of(reference, graph.reference.picture, lossy=lossy)
    return report_page(graph, (anchor, target), truth, third)


def _pair(
    name: str, graph: DistortionGraph, pictures: Found, truth: DistortionGraph | None
) -> Pair:
    from distortion_graph.report.html.embedding import thumbnail
    from distortion_graph.report.html.gallery import THUMBNAIL_PX, Pair

    anchor, target = (
        None if f.picture is None else thumbnail(f.picture.rgb, THUMBNAIL_PX) for f in pictures
    )
    return Pair(name, f"{name}.html", graph, (anchor, target), truth)


def _pictures(
    graph: DistortionGraph,
    path: Path,
    given: tuple[str | None, str | None],
    max_pixels: int,
    talk: Talk,
) -> Found:
    """Anchor and target; what is wrong with them is a warning."""
    from distortion_graph.report.sources import find_picture

    anchor, target = (
        find_picture(info, path.parent, place, max_pixels=max_pixels)
        for info, place in zip((graph.anchor, graph.target), given, strict=True)
    )
    for picture in (anchor, target):
        if picture.problem:
            talk.warn(f"{path}: {picture.problem}")
    return anchor, target


def _reference(
    graph: DistortionGraph, path: Path, given: str | None, max_pixels: int, talk: Talk
) -> FoundPicture | None:
    """The third picture that is the original, where there is one; faults are a warning."""
    from distortion_graph.report.sources import find_picture

    info = None if graph.reference is None else graph.reference.picture
    if info is None:
        if given is not None:
            raise GraphError(f"{path}: was not measured against a third picture; no --reference")
        return None
    found = find_picture(info, path.parent, given, max_pixels=max_pixels)
    if found.problem:
        talk.warn(f"{path}: {found.problem}")
    return found


def _names(paths: list[Path]) -> list[str]:
    """A file name for each page: the graph's own, numbered where several are equal."""
    names: list[str] = []
    taken = {Path(_INDEX).stem}
    for path in paths:
        name, number = path.stem, 1
        while name.casefold() in taken:
            number += 1
            name = f"{path.stem}-{number}"
        taken.add(name.casefold())
        names.append(name)
    return names
