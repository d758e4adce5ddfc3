"""A moment of two videos in a worker: frames in, a graph and its rows out.

Moments of one *stretch* share regions and how the target lies on the anchor. Both are found at the
stretch's *key*, its first moment that shows something, by whichever worker comes first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

from distortion_graph.base.errors import (
    DistortionGraphError,
    ImageError,
    ModelError,
    OutputError,
)
from distortion_graph.base.vocabulary import Scale, Vocabulary, scaled
from distortion_graph.batch.pairs import PairTask
from distortion_graph.batch.rows import Row, failed_row, pair_row, region_rows
from distortion_graph.graph import DistortionGraph, Side
from distortion_graph.masks.container import Region, RegionSet
from distortion_graph.masks.rle import Rle
from distortion_graph.measure.evidence import Level
from distortion_graph.measure.quality import HAARPSI
from distortion_graph.pictures.align import Alignment, AlignMode
from distortion_graph.pictures.images import Picture, load_picture
from distortion_graph.pipeline import compare_pictures
from distortion_graph.pipeline.laying import frame_on_frame, lay
from distortion_graph.predict.session import Model
from distortion_graph.predict.sizes import Fit, same_shape
from distortion_graph.video.colours import Conversion
from distortion_graph.video.pairing import Moment
from distortion_graph.video.reading import Frame, Video
from distortion_graph.work.threads import CachedCall, thread_budget

AlignEach = Literal["shot", "frame"]


@dataclass(frozen=True)
class Comparing:
    """How every moment is compared; see `compare`.

    `reference` is a side that is the original; a third video is one of the job's. `align_each`:
    whether the target is laid on the anchor once per shot, or in every frame.
    """

    regions: str = "auto"
    evidence: Level = "fast"
    metrics: tuple[str, ...] = ()
    reference: Side | None = None
    score_metric: str = HAARPSI.name
    scale: Scale = "common"
    align: AlignMode = "auto"
    align_each: AlignEach = "shot"
    fit: Fit = "error"


@dataclass(frozen=True, eq=False)
class Job:
    """What all moments have in common: the videos, the anchor first, how their frames become
    pictures, and the model.
    """

    videos: tuple[Video, ...]
    conversions: tuple[Conversion, ...]
    comparing: Comparing
    model: Model
    graph_column: bool = False

    @property
    def vocabulary(self) -> Vocabulary:
        """That of the graphs: the model's, with the steps of the chosen scale."""
        return scaled(self.model.vocabulary, self.comparing.scale)


class Settled(NamedTuple):
    """What a stretch shares, and what the key gave: its graph, or why there is none."""

    alignment: Alignment | None
    regions: RegionSet | None
    seen: Seen | DistortionGraphError


class Seen(NamedTuple):
    """A compared moment: its graph, what was said meanwhile, and the largest share of pixels
    above white of each video.
    """

    graph: DistortionGraph
    notes: tuple[str, ...]
    clipped: tuple[float, ...]


@dataclass
class Stretch:
    """Moments that share regions and alignment; `part` of the tables is the one it is in."""

    number: int
    part: int
    begins: Moment
    key: Moment | None = None
    count: int = 0
    settled: CachedCall[Settled] | None = None

    def take(self, job: Job, moment: Moment) -> None:
        """One more moment; the first that shows something becomes the key."""
        self.count += 1
        if self.key is None and not moment.flat:
            self.key = moment
            self.settled = CachedCall(lambda: _settle(job, moment))


@dataclass(frozen=True, eq=False)
class Task:
    """One moment to compare, in its stretch; `id` tells it from all others."""

    id: str
    moment: Moment
    stretch: Stretch
    settled: CachedCall[Settled] | None = field(default=None)

    @property
    def is_key(self) -> bool:
        """Whether the stretch's regions are found in this very moment."""
        return self.stretch.key is self.moment


class Compared(NamedTuple):
    """What came of a moment: its row and those of its regions; its graph, or why there is none."""

    row: Row
    regions: list[Row]
    graph: DistortionGraph | None
    failure: str | None
    clipped: tuple[float, ...] = ()


TIME_COLUMNS = {
    "time_s": float,
    "shot": int,
    "key_s": float,
    "anchor_frame": int,
    "target_frame": int,
    "anchor_time_s": float,
    "target_time_s": float,
    "reference_time_s": float,
}
"""Of the `pairs` table, behind a batch's columns: the moment and its shot, the moment in which the
regions were found (null: in this one), and which frames were compared, at their own times."""


def compare_moment(job: Job, task: Task) -> Compared:
    """Compare a moment; one that cannot be compared is a failure of its own.

    ModelError and OutputError end the run.
    """
    settled = None
    try:
        # A budget of one thread: moments are compared side by side.
        with thread_budget(1):
            settled = None if task.settled is None else task.settled()
            if settled is not None and task.is_key:
                if isinstance(settled.seen, DistortionGraphError):
                    raise settled.seen
                seen = settled.seen
            else:
                seen = _seen(job, task.moment, settled)
    except (ModelError, OutputError):
        raise
    except DistortionGraphError as error:
        pair = _pair(job, task, settled)
        return Compared(failed_row(pair, str(error)), [], None, str(error))
    pair = _pair(job, task, settled)
    row = pair_row(pair, seen.graph, seen.notes)
    if job.graph_column:
        row["graph"] = seen.graph.to_json()
    regions = [{**row, "time_s": task.moment.time_s} for row in region_rows(pair, seen.graph)]
    return Compared(row, regions, seen.graph, None, seen.clipped)


def picture_of(video: Video, conversion: Conversion, frame: Frame) -> tuple[Picture, float]:
    """A frame as a picture, and the share of its pixels above white (HDR alone)."""
    rgb, clipped = conversion.rgb(frame.image)
    picture = load_picture(rgb, name=video.name)
    return replace(picture, source=f"{video.path}#t={frame.time_s:.3f}", plain=False), clipped


def _settle(job: Job, key: Moment) -> Settled:
    """What a stretch shares, found in its key."""
    try:
        seen, alignment = _compared(job, key, job.comparing.regions, None)
    except (ModelError, OutputError):
        raise
    except DistortionGraphError as error:
        return Settled(None, None, error)
    return Settled(alignment, _regions_of(seen.graph), seen)


def _seen(job: Job, moment: Moment, settled: Settled | None) -> Seen:
    """A moment with what its stretch has settled; by itself where nothing is."""
    regions: str | RegionSet = job.comparing.regions
    alignment = None
    if settled is not None and settled.regions is not None:
        regions, alignment = settled.regions, settled.alignment
    if job.comparing.align_each == "frame":
        alignment = None
    return _compared(job, moment, regions, alignment, follows=settled is not None)[0]


def _compared(
    job: Job,
    moment: Moment,
    regions: str | RegionSet,
    alignment: Alignment | None,
    *,
    follows: bool = False,
) -> tuple[Seen, Alignment | None]:
    how, notes = job.comparing, list[str]()
    made = [
        picture_of(video, conversion, frame)
        for video, conversion, frame in zip(job.videos, job.conversions, moment.frames, strict=True)
    ]
    anchor, target, *third = [picture for picture, _ in made]
    reference: Picture | Side | None = third[0] if third else how.reference
    if reference is None and alignment is None:
        alignment = _laid(anchor, target, how, moment.flat, notes.append)
    # Whether an original lies on its copies is asked at the key alone.
    mode: AlignMode = how.align if reference is not None and not follows else "none"
    graph = compare_pictures(
        anchor,
        target,
        regions=regions,
        model=job.model,
        reference=reference,
        score_metric=how.score_metric,
        scale=how.scale,
        evidence=how.evidence,
        metrics=how.metrics,
        align=mode,
        laid=alignment,
        fit=how.fit,
        warn=notes.append,
    )
    return Seen(graph, tuple(notes), tuple(clipped for _, clipped in made)), alignment


def _laid(
    anchor: Picture,
    target: Picture,
    how: Comparing,
    flat: bool,
    warn: Callable[[str], object],
) -> Alignment | None:
    """How the target lies on the anchor; frame on frame where two sizes cannot be told it."""
    scaled = anchor.size != target.size and same_shape(anchor.size, target.size)
    if how.align != "auto" or how.fit != "error" or not scaled:
        return lay(anchor, target, how.align, how.fit, strict=False, warn=warn)
    try:
        return lay(anchor, target, how.align, how.fit, strict=False, warn=warn, advise=False)
    except ImageError as error:
        if not flat:
            warn(f"{error}; the frames are laid on each other as a whole")
        return frame_on_frame(anchor, target)


def _regions_of(graph: DistortionGraph) -> RegionSet:
    """The regions of the anchor in a graph, to be looked at in other frames."""
    size = graph.anchor.height or 1, graph.anchor.width or 1
    lone = [alone for alone in graph.alone if alone.side == "anchor"]
    masks = [(r.id, r.name, r.mask_of("anchor")) for r in graph.regions]
    masks += [(alone.id, alone.name, alone.mask) for alone in lone]
    return RegionSet(
        size,
        tuple(
            Region(number, name, Rle(mask.size, mask.counts))
            for number, name, mask in masks
            if mask is not None
        ),
    )


def _pair(job: Job, task: Task, settled: Settled | None) -> PairTask:
    """The moment as a row names it."""
    moment = task.moment
    anchor, target, *third = moment.frames
    held = settled is not None and settled.regions is not None and not task.is_key
    key = task.stretch.key
    return PairTask(
        task.id,
        job.videos[0].path,
        job.videos[1].path,
        reference=job.videos[2].path if third else job.comparing.reference,
        columns={
            "time_s": round(moment.time_s, 6),
            "shot": moment.shot,
            "key_s": round(key.time_s, 6) if held and key is not None else None,
            "anchor_frame": anchor.number,
            "target_frame": target.number,
            "anchor_time_s": round(anchor.time_s, 6),
            "target_time_s": round(target.time_s, 6),
            "reference_time_s": round(third[0].time_s, 6) if third else None,
        },
    )
