"""Frames of several videos that are shown at the same moment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from distortion_graph.video.colours import thumbnail
from distortion_graph.video.reading import Frame, Reader
from distortion_graph.video.sampling import Evenly, Span, moments
from distortion_graph.video.shots import THUMBNAIL, Shots, is_flat


@dataclass(frozen=True, eq=False)
class Moment:
    """What all videos show at a time.

    `time_s` counts from the anchor's first frame; `frames` are of the anchor, the target and, where
    there is one, the reference. `shot` counts from 0. `flat`: one of them shows hardly anything.
    """

    number: int
    time_s: float
    frames: tuple[Frame, ...]
    shot: int
    flat: bool


class Follower:
    """The frame of a video that is shown at a time of the anchor, which must not go back.

    That is the last one that has begun; one that begins within half a frame counts, so that times
    which were rounded differently fit together. `offset_s` is how much later this video shows the
    same thing.
    """

    def __init__(self, reader: Reader, offset_s: float) -> None:
        self.reader, self.offset_s = reader, offset_s
        self._frames: Iterator[Frame] = iter(reader)
        self._now: Frame | None = None
        self._next = next(self._frames, None)

    @property
    def ended(self) -> bool:
        """Whether the last frame is the one that was given."""
        return self._next is None

    def at(self, anchor_s: float, spacing_s: float) -> Frame | None:
        """None before the first frame and after the last one."""
        time_s = anchor_s + self.offset_s
        while (coming := self._next) is not None:
            since = coming.lasts_s if self._now is None else coming.time_s - self._now.time_s
            if coming.time_s - time_s >= min(spacing_s, since) / 2:
                break
            self._now, self._next = coming, next(self._frames, None)
        now = self._now
        if now is None or time_s >= now.time_s + now.lasts_s - 1e-6:
            return None
        return now

    def has_ended_at(self, anchor_s: float) -> bool:
        """Whether nothing is shown from this time on."""
        now = self._now
        over = now is not None and anchor_s + self.offset_s >= now.time_s + now.lasts_s - 1e-6
        return self.ended and over


class Moments:
    """The moments that are compared, in order; afterwards, what was left out."""

    def __init__(
        self, anchor: Reader, others: tuple[Follower, ...], sampling: Span | Evenly
    ) -> None:
        self.anchor, self.others, self.sampling = anchor, others, sampling
        self.before = self.count = 0
        self.from_s = self.to_s = 0.0
        self.ended: int | None = None
        """Which of `others` ended while the anchor went on."""

    def __iter__(self) -> Iterator[Moment]:
        shots = Shots()
        for frame in self.anchor:
            small = self._thumbnail(self.anchor, frame)
            shot = shots.see(small)
            for time_s in moments(self.sampling, frame):
                beside = [other.at(time_s, frame.lasts_s) for other in self.others]
                ended = [k for k, o in enumerate(self.others) if o.has_ended_at(time_s)]
                if ended:
                    self.ended = ended[0]
                    return
                found = [other for other in beside if other is not None]
                if len(found) < len(beside):
                    self.before += 1
                    continue
                flat = is_flat(small) or any(
                    is_flat(self._thumbnail(other.reader, image))
                    for other, image in zip(self.others, found, strict=True)
                )
                self.from_s = self.from_s if self.count else time_s
                self.to_s = time_s
                yield Moment(self.count, time_s, (frame, *found), shot, flat)
                self.count += 1

    @staticmethod
    def _thumbnail(reader: Reader, frame: Frame) -> NDArray[np.uint8]:
        return thumbnail(frame.image, *THUMBNAIL, reader.video.orientation)
