"""The folder of results once all moments are compared: reports, page, summary and `video.json`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from distortion_graph.base.errors import VideoError
from distortion_graph.base.files import atomic_write_all, atomic_write_bytes
from distortion_graph.graph import ImageInfo
from distortion_graph.pictures.images import Picture
from distortion_graph.report.html.embedding import embed, thumbnail
from distortion_graph.report.html.page import ReportPicture, report_page
from distortion_graph.video.colours import Conversion
from distortion_graph.video.comparing import Job, picture_of
from distortion_graph.video.page import ShownMoment, video_page
from distortion_graph.video.reading import Frame, Reader, Video, frames_at
from distortion_graph.video.summary import markdown
from distortion_graph.video.sync import Offset
from distortion_graph.video.timeline import timeline
from distortion_graph.video.worst import WorstMoment
from distortion_graph.work.threads import parallel_map

MANIFEST = "video.json"
PAGE = "index.html"
SUMMARY = "summary.md"
_THUMBNAIL_PX = 400


@dataclass(frozen=True)
class Folder:
    """A folder of results."""

    path: Path

    def read(self) -> dict[str, Any] | None:
        """What it says that it holds; None where it is not complete. Raises VideoError."""
        place = self.path / MANIFEST
        if not place.is_file():
            return None
        try:
            value: dict[str, Any] = json.loads(place.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise VideoError(f"{place}: cannot be read ({error}); choose a new folder") from error
        return value

    def report(self, moment: WorstMoment) -> Path:
        """Where the report of a moment is."""
        return self.path / "reports" / f"{moment.id}.html"


@dataclass(frozen=True)
class Told:
    """What is said of a whole run: how many moments, notes, what was assumed, and the target's
    offset.
    """

    moments: int
    notes: tuple[str, ...]
    details: tuple[str, ...]
    offset: Offset


def write_results(
    folder: Folder,
    job: Job,
    value: dict[str, Any],
    worst: list[WorstMoment],
    told: Told,
    *,
    lossy: bool,
    workers: int,
) -> None:
    """Write reports, `workers` at once, then the page, the summary and `video.json` together."""
    shown = parallel_map(lambda m: _shown(folder, job, m, lossy=lossy), worst, workers)
    found = timeline(folder.path, told.moments, job.vocabulary)
    names = [video.name for video in job.videos]
    page = video_page(
        found,
        shown,
        names,
        job.vocabulary,
        notes=told.notes,
        details=told.details,
        offset=told.offset,
        model=f"{job.model.identity.name} {job.model.identity.version}",
        measured=job.comparing.reference is not None or len(job.videos) > 2,
    )
    text = markdown(found, worst, names, job.vocabulary, told.offset)
    atomic_write_all(
        [
            (folder.path / PAGE, page.encode()),
            (folder.path / SUMMARY, text.encode()),
            (
                folder.path / MANIFEST,
                (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode(),
            ),
        ]
    )


def _shown(folder: Folder, job: Job, moment: WorstMoment, *, lossy: bool) -> ShownMoment:
    """A moment as the page shows it; its report is written."""
    graph = moment.graph
    infos: list[ImageInfo] = [graph.anchor, graph.target]
    if graph.reference is not None and graph.reference.picture is not None:
        infos.append(graph.reference.picture)
    pictures = [
        _picture(video, made, number, pts, info)
        for video, made, (number, pts), info in zip(
            job.videos, job.conversions, moment.frames, infos, strict=True
        )
    ]
    anchor, target, *third = [_report_picture(picture, lossy) for picture in pictures]
    page = report_page(graph, (anchor, target), reference=next(iter(third), None))
    path = folder.report(moment)
    atomic_write_bytes(path, page.encode())
    small = [None if p is None else thumbnail(p.rgb, _THUMBNAIL_PX) for p in pictures[:2]]
    return ShownMoment(moment, f"reports/{path.name}", (small[0], small[1]))


def _report_picture(picture: Picture | None, lossy: bool) -> ReportPicture:
    if picture is None:
        return ReportPicture(None, "A frame could not be read a second time.")
    return ReportPicture(embed(picture, None, lossy=lossy))


def _picture(
    video: Video, made: Conversion, number: int, pts: int | None, info: ImageInfo
) -> Picture | None:
    """The very frame that a graph was made of, told by its pixels; None where it is gone.

    It is looked for by seeking, and where that finds another one, from the beginning.
    """
    for frames in (frames_at(video, {number: pts}), _from_the_beginning(video, number)):
        for frame in frames:
            picture, _ = picture_of(video, made, frame)
            if picture.sha256 == info.sha256:
                return replace(picture, source=info.source)
    return None


def _from_the_beginning(video: Video, number: int) -> Iterator[Frame]:
    for frame in Reader(video):
        if frame.number >= number:
            yield frame
            return
