"""What worker processes do: pictures in, graphs, rankings and what shows them out.

Nothing here reads a file of a client's choice: pictures and masks come as their bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any, Literal, TypeAlias

import numpy as np

from distortion_graph.base.errors import ImageError, RankingError, RegionError
from distortion_graph.base.files import HeldFile, encode_image
from distortion_graph.graph import DistortionGraph, ImageInfo, Side
from distortion_graph.pictures.images import Picture, displayed_size, load_picture
from distortion_graph.pictures.pairs import load_pair, pair_warnings
from distortion_graph.pictures.turning import turned
from distortion_graph.pipeline import compare_pictures
from distortion_graph.predict.session import Model, load_model
from distortion_graph.ranking import Loaded, load_candidates, rank_loaded
from distortion_graph.ranking.page import RankedPictures, ranking_page
from distortion_graph.regions import RegionSource, resolve_regions
from distortion_graph.regions.spec import Grid, HeldRegions
from distortion_graph.report.html.page import ReportPicture, report_page
from distortion_graph.report.overlay import overlay
from distortion_graph.report.sources import FoundPicture
from distortion_graph.serve.access import value_spec
from distortion_graph.serve.http.settings import Limits, Working

JSON, HTML, PNG = "application/json", "text/html", "image/png"

Entries: TypeAlias = tuple[HeldFile | str, ...]
"""Regions as they were sent: what the command parts by commas, words or files."""

_CHOICE = "image="
_PIXELS_OF_A_RANKING = 4
"""All pictures of a ranking may have so many times the pixels of one."""


@dataclass(frozen=True)
class PairTask:
    """Two pictures to compare; `options` are those of `compare_pictures`.

    `forms` are the media types that are wanted.
    """

    anchor: HeldFile
    target: HeldFile
    reference: HeldFile | Side | None = None
    regions: Entries = ("auto",)
    target_regions: Entries = ()
    background: str = "white"
    rotate: Literal[0, 90, 180, 270] = 0
    options: Mapping[str, Any] = field(default_factory=dict)
    forms: tuple[str, ...] = (JSON,)
    colour: Literal["severity", "distortion"] = "severity"
    lossy: bool = False


@dataclass(frozen=True)
class RankTask:
    """Pictures to rank; `options` are those of `rank_loaded`."""

    candidates: tuple[HeldFile, ...]
    reference: HeldFile | None = None
    regions: Entries = ("auto",)
    background: str = "white"
    options: Mapping[str, Any] = field(default_factory=dict)
    form: str = JSON
    lossy: bool = False


@dataclass(frozen=True)
class Answer:
    """What came of a task: a body by its media type, what there is to know of the pictures in
    lines, and how many pixels and regions were looked at.
    """

    bodies: Mapping[str, bytes]
    notes: tuple[str, ...]
    pixels: int
    regions: int


def warm_up(working: Working, _: None) -> None:
    """Open the model and load what comparisons need, so that the first client does not wait."""
    rng = np.random.default_rng(0)
    anchor, target = (
        HeldFile(f"{k}.png", encode_image(f"{k}.png", rng.integers(0, 256, (64, 64, 3), np.uint8)))
        for k in range(2)
    )
    box = HeldFile("box.json", b'[{"segmentation": [[8, 8, 8, 40, 40, 40]]}]')
    compare_task(working, PairTask(anchor, target, regions=(box,), forms=(JSON, HTML, PNG)))


def compare_task(working: Working, task: PairTask) -> Answer:
    """Compare two pictures; raises as `compare` does, and RegionError for too many regions."""
    limits = working.limits
    anchor, target = load_pair(
        task.anchor.data,
        task.target.data,
        max_pixels=limits.pixels,
        background=task.background,
    )
    pictures = _named(anchor, task.anchor), turned(_named(target, task.target), task.rotate)
    third = None
    if isinstance(task.reference, HeldFile):
        third = _loaded(task.reference, "reference", task.background, limits)
    notes = [*pair_warnings(*pictures), *(third.warnings if third else ())]
    graph = compare_pictures(
        *pictures,
        regions=_regions(task.regions, pictures[0], limits, notes.append),
        target_regions=_regions(task.target_regions, pictures[1], limits, notes.append)
        if task.target_regions
        else None,
        reference=third if isinstance(task.reference, HeldFile) else task.reference,
        model=_model(working),
        warn=notes.append,
        **task.options,
    )
    files = task.anchor, task.target, task.reference
    bodies = {form: _shown(form, graph, (*pictures, third), files, task) for form in task.forms}
    pixels = sum(p.width * p.height for p in (*pictures, third) if isinstance(p, Picture))
    return Answer(bodies, tuple(notes), pixels, len(graph.regions) + len(graph.alone))


def rank_task(working: Working, task: RankTask) -> Answer:
    """Rank pictures; raises as `rank` does, RankingError for pictures that are too large."""
    limits = working.limits
    _check_pixels(task, limits)
    loaded = load_candidates(
        _by_name(task.candidates),
        None if task.reference is None else task.reference.data,
        strict=bool(task.options.get("strict")),
        max_pixels=limits.pixels,
        background=task.background,
    )
    notes = [*(f"{line}; left out" for _, line in loaded.left_out), *loaded.notes]
    base = loaded.reference or loaded.candidates[0].picture
    ranking = rank_loaded(
        loaded,
        regions=_regions(task.regions, base, limits, notes.append),
        model=_model(working),
        warn=notes.append,
        **task.options,
    )
    if task.form == HTML:
        body = ranking_page(ranking, RankedPictures.of(ranking, loaded, lossy=task.lossy)).encode()
    else:
        body = ranking.to_json().encode()
    return Answer({task.form: body}, tuple(notes), _pixels_of(loaded), len(ranking.regions))


def shown_name(name: str | None, otherwise: str) -> str:
    """What a sent file is called: the last part of its sender's name for it."""
    last = PurePosixPath(PureWindowsPath(name or "").name).name[-100:]
    return "".join(c for c in last if c.isprintable()).strip() or otherwise


def _model(working: Working) -> Model:
    return load_model(working.model)


def _named(picture: Picture, file: HeldFile) -> Picture:
    """The picture under its sender's name: of annotations for several pictures it chooses some."""
    return replace(picture, source=file.name)


def _loaded(file: HeldFile, label: str, background: str, limits: Limits) -> Picture:
    picture = load_picture(file.data, max_pixels=limits.pixels, name=label, background=background)
    return _named(picture, file)


def _regions(
    entries: Entries, picture: Picture, limits: Limits, warn: Callable[[str], object]
) -> RegionSource:
    """The regions that were sent; masks lie on the picture.

    Raises RegionError for more than the limit, AccessError for words that would read something.
    """
    files = [entry for entry in entries if isinstance(entry, HeldFile)]
    words = [entry for entry in entries if isinstance(entry, str)]
    if not files:
        if len(words) > 1:
            raise RegionError(f"regions: found {len(words)} words, expected one, or files")
        spec = value_spec(words[0])
        if isinstance(spec, Grid):
            _check_count(spec.rows * spec.columns, limits)
        return spec
    chosen = [word.removeprefix(_CHOICE) for word in words if word.startswith(_CHOICE)]
    if len(chosen) < len(words) or len(chosen) > 1:
        raise RegionError(
            f"regions: found files and {', '.join(map(repr, words)):.80}, expected a word, or "
            "files and at most one image=NAME"
        )
    held = HeldRegions.of(files, next(iter(chosen), None))
    found = resolve_regions(held, picture, picture, warn=warn)
    _check_count(len(found), limits)
    return found


def _check_count(regions: int, limits: Limits) -> None:
    if regions > limits.regions:
        raise RegionError(f"regions: found {regions}, expected at most {limits.regions}")


def _shown(
    form: str,
    graph: DistortionGraph,
    pictures: tuple[Picture, Picture, Picture | None],
    files: tuple[HeldFile, HeldFile, HeldFile | Side | None],
    task: PairTask,
) -> bytes:
    """The graph as a media type."""
    anchor, target, third = pictures
    if form == JSON:
        return graph.to_json().encode()
    if form == PNG:
        drawn = overlay(graph, anchor.rgb, target.rgb, task.colour)
        return encode_image("overlay.png", drawn, fast=True)

    def shown(picture: Picture, file: object, info: ImageInfo) -> ReportPicture:
        data = file.data if isinstance(file, HeldFile) else None
        return ReportPicture.of(FoundPicture(picture, data, None), info, lossy=task.lossy)

    of_third = None
    if third is not None and graph.reference is not None and graph.reference.picture:
        of_third = shown(third, files[2], graph.reference.picture)
    both = shown(anchor, files[0], graph.anchor), shown(target, files[1], graph.target)
    return report_page(graph, both, reference=of_third).encode()


def _by_name(files: Sequence[HeldFile]) -> dict[str, bytes]:
    """Candidates by the shortest names that tell them apart, as the command calls files."""
    stems = [PurePosixPath(file.name).stem for file in files]
    named: dict[str, bytes] = {}
    for file, stem in zip(files, stems, strict=True):
        name = stem if stems.count(stem) == 1 else file.name
        number = 1
        while name in named:
            number += 1
            name = f"{file.name} ({number})"
        named[name] = file.data
    return named


def _check_pixels(task: RankTask, limits: Limits) -> None:
    """Refuse what is too large together, by the files' headers."""
    files: Iterable[HeldFile] = (*task.candidates, *([task.reference] if task.reference else []))
    total = 0
    for file in files:
        try:
            height, width = displayed_size(file.data, file.name, limits.pixels)
        except ImageError:
            continue  # left out, or refused, where it is read
        total += height * width
    most = _PIXELS_OF_A_RANKING * limits.pixels
    if total > most:
        raise RankingError(
            f"the pictures have {total} pixels together, expected at most {most}; rank fewer, or "
            "smaller ones"
        )


def _pixels_of(loaded: Loaded) -> int:
    pictures = [candidate.picture for candidate in loaded.candidates]
    pictures += [loaded.reference] if loaded.reference is not None else []
    return sum(picture.width * picture.height for picture in pictures)
