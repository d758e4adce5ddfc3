"""Two videos made ready: opened, their colours settled, their offset known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from distortion_graph.base.errors import VideoError
from distortion_graph.predict.session import load_model
from distortion_graph.regions import RegionSpec
from distortion_graph.video.colours import conversion, settle
from distortion_graph.video.comparing import Job, Stretch, Task
from distortion_graph.video.options import HOLD_SHOT, VideoOptions
from distortion_graph.video.pairing import Follower, Moment, Moments
from distortion_graph.video.reading import Reader, Video, open_video
from distortion_graph.video.sampling import Evenly, Span, time_text
from distortion_graph.video.sync import Offset, find_offset

PART_MOMENTS = 100
"""Moments of a part of the tables at least; it ends with the stretch in which they are reached."""

_MOST_MOMENTS = 400


class NothingComparedError(VideoError):
    """Not one moment of two videos could be compared."""


@dataclass(frozen=True, eq=False)
class Prepared:
    """What a run knows before it compares: the job, offsets against the anchor (of the target and
    of a third video), what a person should know, and what was assumed, a line each.
    """

    job: Job
    offsets: tuple[Offset, ...]
    notes: tuple[str, ...]
    details: tuple[str, ...]
    options: VideoOptions
    threads: int = 1

    def moments(self) -> Moments:
        """The moments to compare, read from the videos' beginning."""
        anchor, *others = (Reader(video, self.threads) for video in self.job.videos)
        followers = tuple(
            Follower(reader, offset.seconds)
            for reader, offset in zip(others, self.offsets, strict=True)
        )
        return Moments(anchor, followers, self._sampling())

    def tasks(self, moments: Moments) -> Iterator[Task]:
        """The same moments in their stretches and parts."""
        hold = None if self.options.hold == HOLD_SHOT else Span.parse(self.options.hold, "--hold")
        stretch: Stretch | None = None
        part = size = 0
        before = ""
        for moment in moments:
            if stretch is None or size >= _MOST_MOMENTS or _is_over(stretch, moment, hold):
                if size >= PART_MOMENTS:
                    part, size = part + 1, 0
                stretch = Stretch(0 if stretch is None else stretch.number + 1, part, moment)
            stretch.take(self.job, moment)
            size += 1
            name = _id_of(moment.time_s)
            if name == before:  # less than a millisecond apart
                name = f"{name}-{moment.number}"
            else:
                before = name
            yield Task(name, moment, stretch, stretch.settled)

    def _sampling(self) -> Span | Evenly:
        count = self.options.frames
        if count is None:
            return Span.parse(self.options.every, "--every")
        lengths = []
        for video, offset in zip(self.job.videos, (Offset(0.0), *self.offsets), strict=True):
            if video.duration_s is None:
                raise VideoError(
                    f"{video.name}: does not say how long it lasts, which --frames {count} needs; "
                    "expected --every TIME"
                )
            lengths.append(video.duration_s - offset.seconds)
        seconds = min(lengths)
        if seconds <= 0:
            raise VideoError(_nothing_shared(self))
        return Evenly(count, seconds)


def prepare(anchor: str, target: str, options: VideoOptions, threads: int = 1) -> Prepared:
    """Open everything, and find the offset where that is asked for.

    Raises VideoError, RegionError and ModelError, one line each.
    """
    RegionSpec.parse(options.comparing.regions)
    names = [anchor, target, *([options.reference] if options.reference is not None else [])]
    videos = [open_video(name) for name in names]
    for video in videos:
        pixels = video.size[0] * video.size[1]
        if pixels > options.max_pixels:
            raise VideoError(
                f"{video.name}: has frames of {video.size[1]}×{video.size[0]} pixels, allowed are "
                f"{options.max_pixels}; allow more with --max-pixels"
            )
    tags, said = settle([v.tags for v in videos], videos[0].size, [v.name for v in videos])
    videos = [replace(video, tags=tag) for video, tag in zip(videos, tags, strict=True)]
    conversions = tuple(conversion(video.tags, video.orientation) for video in videos)
    model = load_model(options.model, options.providers)
    job = Job(tuple(videos), conversions, options.comparing, model, options.graph_column)
    notes = [line for video in videos for line in video.notes]
    kinds = {made.hdr for made in conversions}
    if len(kinds) > 1:
        words = ", ".join(
            f"{video.name} is {made.hdr or 'not HDR'}"
            for video, made in zip(videos, conversions, strict=True)
        )
        notes.append(f"{words}; what HDR shows beyond white is lost in the comparison")
    offsets = tuple(_offset(job, video, options, threads) for video in videos[1:])
    return Prepared(job, offsets, tuple(notes), tuple(said), options, threads)


def _offset(job: Job, video: Video, options: VideoOptions, threads: int) -> Offset:
    if options.sync == "content":
        return find_offset(job.videos[0], video, options.search_s, threads)
    # An offset that is given is the target's.
    given = options.offset_s if video is job.videos[1] else None
    return Offset(given or 0.0)


def _is_over(stretch: Stretch, moment: Moment, hold: Span | None) -> bool:
    """Whether a moment begins another stretch."""
    first = stretch.begins
    if moment.shot != first.shot or _sizes(moment) != _sizes(first):
        return True
    if hold is None:
        return False
    if hold.frames is not None:
        return stretch.count >= hold.frames
    return moment.time_s - first.time_s >= float(hold.seconds or 0.0) - 1e-6


def _sizes(moment: Moment) -> list[tuple[int, int]]:
    return [(frame.image.width, frame.image.height) for frame in moment.frames]


def _id_of(time_s: float) -> str:
    """`00-01-12.480`: a name for a file too, sorted as time goes."""
    ms = round(time_s * 1000)
    return f"{ms // 3_600_000:02d}-{ms // 60_000 % 60:02d}-{ms // 1000 % 60:02d}.{ms % 1000:03d}"


def _nothing_shared(prepared: Prepared) -> str:
    videos = prepared.job.videos
    ends = ", ".join(
        f"{v.name} lasts {time_text(v.duration_s)}" for v in videos if v.duration_s is not None
    )
    return (
        f"{videos[1].name}: shows nothing at the times of {videos[0].name} (offset "
        f"{prepared.offsets[0].seconds:+.3f} s; {ends}); check --offset"
    )


def nothing_shared(prepared: Prepared) -> VideoError:
    """What is raised where no moment was compared."""
    return NothingComparedError(_nothing_shared(prepared))
