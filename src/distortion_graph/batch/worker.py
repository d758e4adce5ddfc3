"""One pair in a worker: pictures in, rows and contents of files out. Nothing is written here."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote

from distortion_graph.base.errors import DistortionGraphError, ModelError
from distortion_graph.base.vocabulary import Scale
from distortion_graph.batch.pairs import PairTask
from distortion_graph.batch.rows import Row, failed_row, pair_row, region_rows
from distortion_graph.batch.storage import load_from
from distortion_graph.graph import DistortionGraph, Side
from distortion_graph.measure.evidence import Level
from distortion_graph.measure.quality import HAARPSI
from distortion_graph.pictures.align import AlignMode
from distortion_graph.pictures.backgrounds import DEFAULT_BACKGROUND
from distortion_graph.pictures.images import DEFAULT_MAX_PIXELS, Picture
from distortion_graph.pictures.pairs import pair_warnings
from distortion_graph.pipeline import compare_pictures
from distortion_graph.predict.session import Model, load_model
from distortion_graph.predict.sizes import Fit

NO_MEMORY = "not enough memory for this pair; use smaller pictures or fewer --workers"
_LONGEST_NAME = 180  # file systems take 255 bytes, suffix included


@dataclass(frozen=True)
class Comparing:
    """How every pair of a batch is compared; see `compare`.

    A `reference` is a side that is the original in every pair; pairs may have pictures of their
    own.
    """

    regions: str = "auto"
    model: str | None = None
    providers: tuple[str, ...] | None = None
    evidence: Level = "fast"
    metrics: tuple[str, ...] = ()
    reference: Side | None = None
    score_metric: str = HAARPSI.name
    scale: Scale = "common"
    align: AlignMode = "auto"
    fit: Fit = "error"
    background: str = DEFAULT_BACKGROUND
    max_pixels: int = DEFAULT_MAX_PIXELS


@dataclass(frozen=True)
class Job:
    """What all pairs of a run have in common."""

    comparing: Comparing = field(default_factory=Comparing)
    graph_column: bool = False
    graphs: bool = False
    reports: bool = False


class Compared(NamedTuple):
    """What came of a pair: its row, those of its regions, the reason where it failed, and the files
    that were asked for, by their names in the folder of results.
    """

    pair: Row
    regions: list[Row]
    failure: str | None
    files: tuple[tuple[str, bytes], ...] = ()


def compare_task(job: Job, task: PairTask) -> Compared:
    """Compare a pair, wherever the worker is.

    A pair whose pictures or regions cannot be used, or that memory does not hold, is a failure of
    its own; a model that cannot be used ends the run.
    """
    notes: list[str] = []
    try:
        pictures, graph = compare_pair(job.comparing, task, notes.append)
    except ModelError:
        raise
    except (DistortionGraphError, MemoryError) as error:
        reason = NO_MEMORY if isinstance(error, MemoryError) else str(error)
        return Compared(failed_row(task, reason), [], reason)
    row = pair_row(task, graph, notes)
    if job.graph_column:
        row["graph"] = graph.to_json()
    files = []
    if job.graphs:
        files.append((graph_name(task.id), f"{graph.to_json()}\n".encode()))
    if job.reports:
        files.append((report_name(task.id), _report(graph, pictures)))
    return Compared(row, region_rows(task, graph), None, tuple(files))


def compare_pair(
    how: Comparing, task: PairTask, warn: Callable[[str], object], model: Model | None = None
) -> tuple[tuple[Picture, Picture], DistortionGraph]:
    """The pictures of a pair and their graph; raises as `compare` does."""
    anchor, target = (loaded_picture(how, name) for name in (task.anchor, task.target))
    original = how.reference if task.reference is None else loaded_picture(how, task.reference)
    for text in pair_warnings(anchor, target):
        warn(text)
    graph = compare_pictures(
        anchor,
        target,
        regions=how.regions if task.regions is None else task.regions,
        model=model or loaded_model(how),
        reference=original,
        score_metric=how.score_metric,
        scale=how.scale,
        evidence=how.evidence,
        metrics=how.metrics,
        align=how.align,
        fit=how.fit,
        warn=warn,
    )
    return (anchor, target), graph


def graph_name(pair_id: str) -> str:
    """The file of a pair's graph in the folder of results."""
    return f"graphs/{file_name(pair_id)}.json"


def report_name(pair_id: str) -> str:
    """The file of a pair's report in the folder of results."""
    return f"reports/{file_name(pair_id)}.html"


def file_name(pair_id: str) -> str:
    """A pair's id as a name of a file, different ids as different names."""
    name = quote(pair_id, safe=" ()+,=@[]{}~-_.")
    if name.strip(". ") != name:
        name = name.replace(".", "%2E").replace(" ", "%20")
    if len(name) <= _LONGEST_NAME:
        return name
    return f"{name[: _LONGEST_NAME - 40]}~{hashlib.sha256(pair_id.encode()).hexdigest()[:16]}"


def loaded_picture(how: Comparing, name: str) -> Picture:
    """A picture of a pair; raises ImageError."""
    return load_from(name, max_pixels=how.max_pixels, background=how.background)


def loaded_model(how: Comparing) -> Model:
    """The model of a batch, loaded once per process; raises ModelError."""
    return _model(how.model, how.providers)


@lru_cache(maxsize=2)
def _model(source: str | None, providers: tuple[str, ...] | None) -> Model:
    return load_model(source, providers)


def _report(graph: DistortionGraph, pictures: tuple[Picture, Picture]) -> bytes:
    from distortion_graph.report.html.page import ReportPicture, report_page
    from distortion_graph.report.sources import file_of

    anchor, target = (
        ReportPicture.of(file_of(picture), info)
        for picture, info in zip(pictures, (graph.anchor, graph.target), strict=True)
    )
    return report_page(graph, (anchor, target)).encode()
