"""Videos as streams of frames: opened by FFmpeg's libraries (PyAV), one frame at a time.

A video is described once (`open_video`); its frames are read as often as they are needed, each
time from the file's beginning or from a place in it. Only what is decoded right now is in memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from distortion_graph.base.counting import counted
from distortion_graph.base.errors import VideoError
from distortion_graph.pictures.images import PICTURE_SUFFIXES
from distortion_graph.report.text import printable
from distortion_graph.video.colours import ColourTags, tags_of

if TYPE_CHECKING:
    from av import VideoFrame
    from av.container import InputContainer
    from av.video.stream import VideoStream

USUAL_RATE = 25.0
"""Frames per second of a video that says nothing of its time."""

_MOVING = {".gif", ".apng", ".png", ".webp", ".avif", ".avifs"}
"""Picture files that may hold a film."""
_STILL_FORMATS = ("image2", "image2pipe")
_CUT_SHORT_S = 0.5
_LONGEST_S = 3600.0
"""A frame that seems to be shown for longer has a damaged timestamp behind it."""
# (a, b, c, d) of a display matrix, by their signs → EXIF orientation.
_TURNS = {
    (1, 0, 0, 1): 1, (-1, 0, 0, 1): 2, (-1, 0, 0, -1): 3, (1, 0, 0, -1): 4,
    (0, 1, 1, 0): 5, (0, 1, -1, 0): 6, (0, -1, -1, 0): 7, (0, -1, 1, 0): 8,
}  # fmt: skip


@dataclass(frozen=True)
class Video:
    """What is known of a video before it is read.

    `stored_size` (h, w) is before `orientation` (EXIF, 1 … 8) is applied. `rate`: frames per
    second as the file says, None where it does not; `duration_s` likewise. `zero` is the timestamp
    of the first frame in units of `time_base` seconds, None of a video without timestamps.
    `notes`: what a person should know, a line each.
    """

    path: str
    stored_size: tuple[int, int]
    orientation: int
    tags: ColourTags
    rate: Fraction | None
    duration_s: float | None
    zero: int | None
    codec: str
    pixel_format: str
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The path as it stands in messages."""
        return printable(self.path)

    @property
    def size(self) -> tuple[int, int]:
        """(h, w) as displayed, in pixels."""
        h, w = self.stored_size
        return (w, h) if self.orientation >= 5 else (h, w)

    @property
    def frame_s(self) -> float:
        """How long a frame usually is shown, in seconds."""
        return 1 / float(self.rate or USUAL_RATE)


@dataclass(frozen=True, eq=False)
class Frame:
    """A decoded frame: its number from 0, when it is shown and for how long, both in seconds from
    the first frame, and its timestamp as stored.
    """

    number: int
    time_s: float
    lasts_s: float
    pts: int | None
    image: VideoFrame


@dataclass
class Trouble:
    """What went wrong while a video was read: damaged packets and frames, and where it began."""

    packets: int = 0
    frames: int = 0
    first_s: float | None = None
    unordered: int = 0
    ended_s: float = 0.0
    stopped: str | None = None

    def add(self, at_s: float, *, packets: int = 0, frames: int = 0) -> None:
        """Count damage at a time."""
        self.packets += packets
        self.frames += frames
        if self.first_s is None:
            self.first_s = at_s


@dataclass
class Reader:
    """The frames of a video from its beginning, one after the other.

    `trouble` is complete when the iteration has ended.
    """

    video: Video
    threads: int = 1
    trouble: Trouble = field(default_factory=Trouble)

    def __iter__(self) -> Iterator[Frame]:
        with _opened(self.video.path) as container:
            yield from self._timed(_decoded(container, self.threads, self.trouble))

    def _timed(self, images: Iterator[VideoFrame]) -> Iterator[Frame]:
        """Frames with their times; each waits for the next, which says how long it is shown."""
        usual, waiting = self.video.frame_s, None
        number, before = 0, -self.video.frame_s
        for image in images:
            time_s = self._time(image, before + usual)
            if not before < time_s < before + _LONGEST_S:
                self.trouble.unordered += 1
                time_s = before + usual
            if image.is_corrupt:
                self.trouble.add(time_s, frames=1)
            if waiting is not None:
                yield Frame(waiting[0], waiting[1], time_s - waiting[1], waiting[2].pts, waiting[2])
            waiting = (number, time_s, image)
            number, before = number + 1, time_s
            self.trouble.ended_s = time_s + usual
        if waiting is not None:
            image = waiting[2]
            given = float(image.duration * (image.time_base or 0)) if image.duration else 0.0
            self.trouble.ended_s = waiting[1] + (given or usual)
            yield Frame(waiting[0], waiting[1], given or usual, image.pts, image)

    def _time(self, image: VideoFrame, otherwise: float) -> float:
        if self.video.zero is None or image.pts is None or image.time_base is None:
            return otherwise
        return float((image.pts - self.video.zero) * image.time_base)

    def notes(self, *, complete: bool = True) -> list[str]:
        """What a person should know of a video that was read, a line each.

        Whether it is cut off is known of one that was read to its end, `complete`.
        """
        name, found = self.video.name, self.trouble
        lines = []
        if found.packets or found.frames:
            parts = [(found.packets, "packet"), (found.frames, "frame")]
            said = " and ".join(counted(n, what) for n, what in parts if n)
            at = "" if found.first_s is None else f", the first at {found.first_s:.2f} s"
            lines.append(f"{name}: {said} damaged{at}; what could be decoded was compared")
        if found.stopped is not None:
            lines.append(f"{name}: cannot be read beyond {found.ended_s:.2f} s ({found.stopped})")
        whole = self.video.duration_s if complete else None
        if whole is not None and found.ended_s < whole - max(_CUT_SHORT_S, 2 * self.video.frame_s):
            lines.append(
                f"{name}: ends at {found.ended_s:.2f} s, though it says that it lasts {whole:.2f} "
                "s; is it cut off?"
            )
        if found.unordered:
            lines.append(
                f"{name}: timestamps that go back or leap over an hour: {found.unordered}; such a "
                f"frame was taken {self.video.frame_s:.3f} s after the one before"
            )
        return lines


def open_video(path: str | Path) -> Video:
    """Describe a video by its file's header and its first frame.

    Raises VideoError, one line: no such file, a still picture, no video in it, nothing decodes.
    """
    if find_spec("av") is None:
        raise VideoError("videos need av, not installed: pip install 'distortion-graph[video]'")
    name = printable(str(path))
    place = Path(path)
    try:
        kind = "folder" if place.is_dir() else "" if place.is_file() else "missing"
    except (OSError, ValueError):
        kind = "missing"
    if kind == "folder":
        raise VideoError(f"{name}: is a folder, expected a video file")
    if kind:
        raise VideoError(f"{name}: no such file, expected a video; check the path")
    if place.suffix.lower() in PICTURE_SUFFIXES and place.suffix.lower() not in _MOVING:
        raise VideoError(_still(name))
    with _opened(str(path)) as container:
        if container.format.name in _STILL_FORMATS:
            raise VideoError(_still(name))
        stream = _stream(container, name)
        trouble = Trouble()
        images = _decoded(container, 1, trouble)
        first = next(images, None)
        if first is None:
            why = f" ({trouble.stopped})" if trouble.stopped else ""
            raise VideoError(f"{name}: no frame of it can be decoded{why}; is it cut off?")
        if place.suffix.lower() in PICTURE_SUFFIXES and next(images, None) is None:
            raise VideoError(_still(name))
        return _described(str(path), container, stream, first)


def frames_at(video: Video, wanted: dict[int, int | None]) -> Iterator[Frame]:
    """Frames by their numbers and timestamps, in order, found by seeking where that is possible.

    After a seek a number cannot be counted: frames are told by their timestamps. Of a video without
    them all are read from the beginning. A frame that is not found is left out.
    """
    if any(pts is None for pts in wanted.values()):
        yield from (frame for frame in Reader(video) if frame.number in wanted)
        return
    with _opened(video.path) as container:
        stream = _stream(container, video.name)
        for number, pts in sorted(wanted.items()):
            container.seek(int(pts or 0), stream=stream, backward=True)
            for image in _decoded(container, 1, Trouble()):
                if image.pts is not None and image.pts >= int(pts or 0):
                    if image.pts == pts:
                        yield Frame(number, 0.0, 0.0, pts, image)
                    break


def _described(
    path: str, container: InputContainer, stream: VideoStream, first: VideoFrame
) -> Video:
    name, notes = printable(path), []
    rate = stream.guessed_rate or stream.average_rate
    if not rate or rate <= 0 or rate > 1000:
        rate = None
    if first.pts is None:
        shown = float(rate or USUAL_RATE)
        notes.append(f"{name}: has no timestamps; frames are counted at {shown:g} per second")
    if first.interlaced_frame:
        notes.append(
            f"{name}: is interlaced; both fields of a frame are compared together, deinterlace it "
            "first for the fields themselves"
        )
    if _is_transparent(first):
        notes.append(f"{name}: its transparency is left out")
    aspect = stream.sample_aspect_ratio
    if aspect and aspect > 0 and aspect != 1:
        notes.append(
            f"{name}: its pixels are not square ({aspect.numerator}:{aspect.denominator}); frames "
            "are compared as they are stored"
        )
    if len(container.streams.video) > 1:
        notes.append(
            f"{name}: holds {len(container.streams.video)} videos, stream {stream.index} is taken"
        )
    orientation, odd = _orientation(first)
    if odd is not None:
        notes.append(f"{name}: {odd}")
    return Video(
        path,
        (first.height, first.width),
        orientation,
        tags_of(first),
        rate,
        _duration(container, stream),
        first.pts,
        stream.codec.name,
        first.format.name,
        tuple(notes),
    )


def _is_transparent(first: VideoFrame) -> bool:
    if not any(part.is_alpha for part in first.format.components):
        return False
    return bool(first.to_ndarray(format="rgba")[..., 3].min() < 255)


def _duration(container: InputContainer, stream: VideoStream) -> float | None:
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    # That of the whole file may be the sound's.
    if container.duration and len(container.streams) == 1:
        return container.duration / 1_000_000
    return None


def _orientation(first: VideoFrame) -> tuple[int, str | None]:
    """How frames are turned to be seen (EXIF, 1 … 8), and what to say where that is not done."""
    import numpy as np

    pieces: Any = first.side_data
    for data in pieces:
        if data.type.name != "DISPLAYMATRIX":
            continue
        matrix = np.frombuffer(bytes(data), "<i4")[:9].astype(np.int64).reshape(3, 3)
        four = (*matrix[0, :2], *matrix[1, :2])
        largest = max(map(abs, four)) or 1
        signs = tuple(round(float(value) / largest) for value in four)
        exact = all(abs(float(v) / largest - s) < 0.01 for v, s in zip(four, signs, strict=True))
        if exact and signs in _TURNS:
            return _TURNS[signs], None
        return 1, f"is to be turned by {first.rotation}°, which is left out"
    return 1, None


def _opened(path: str) -> InputContainer:
    """The file alone: a playlist in it may name other files, but no address of a network."""
    import av

    try:
        return av.open(
            f"file:{Path(path).absolute()}", options={"protocol_whitelist": "file"}, mode="r"
        )
    except (av.FFmpegError, OSError, ValueError) as error:
        raise VideoError(
            f"{printable(path)}: cannot be read as a video ({_reason(error)}); it is cut off, or "
            "something else"
        ) from error


def _stream(container: InputContainer, name: str) -> VideoStream:
    stream = container.streams.best("video")
    moving = [s for s in container.streams.video if not int(s.disposition) & _ATTACHED]
    if stream is None or not moving:
        raise VideoError(f"{name}: holds no video, expected one")
    chosen: VideoStream = stream if stream in moving else moving[0]
    if chosen.codec_context is None:
        raise VideoError(f"{name}: its video is in a form that is not known here, or damaged")
    return chosen


_ATTACHED = 0x400  # AV_DISPOSITION_ATTACHED_PIC: the cover of a piece of music


def _decoded(container: InputContainer, threads: int, trouble: Trouble) -> Iterator[VideoFrame]:
    """Frames as they come out of the decoder; damage is counted, and what is behind it goes on."""
    import av

    stream = _stream(container, container.name)
    if not stream.codec_context.is_open:
        stream.thread_type = "AUTO"
        stream.codec_context.thread_count = threads
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except (av.FFmpegError, OSError) as error:
            trouble.stopped = _reason(error)
            return
        if packet is None:
            return
        try:
            images: list[Any] = packet.decode()
        except (av.FFmpegError, OSError):
            trouble.add(trouble.ended_s, packets=1)
            continue
        yield from images


def _still(name: str) -> str:
    return (
        f"{name}: is a still picture, expected a video; `distortion-graph compare` takes pictures"
    )


def _reason(error: Exception) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return printable(str(text))
