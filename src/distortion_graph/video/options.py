"""How two videos are compared, as data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

from distortion_graph.base.errors import VideoError
from distortion_graph.pictures.images import DEFAULT_MAX_PIXELS
from distortion_graph.video.comparing import Comparing
from distortion_graph.video.sampling import Span
from distortion_graph.video.sync import DEFAULT_SEARCH_S

Sync = Literal["timestamp", "content"]
"""What tells which frames belong together."""

HOLD_SHOT = "shot"


@dataclass(frozen=True)
class VideoOptions:
    """How two videos are compared.

    Attributes:
        comparing: how every moment is.
        every: a moment per so much time ("1s", "250ms") or so many frames of the anchor ("10").
        frames: so many moments, spread evenly, instead.
        sync: "timestamp", frames that are shown equally long after the first one of each video;
            "content", by an offset that is found within ±`search_s` seconds.
        offset_s: how much later the target shows the same thing, where that is known.
        hold: for how long regions that are found in the frames are kept: "shot", so many moments
            ("10") or so much time ("5s"); "1" finds them in each.
        reference: a third video, the original of both.
        model, providers: as in `compare`.
        moments: so many of the worst moments get a picture and a report of their own.
        lossy: whether these reports hold their pictures re-encoded with loss.
        graph_column: whether each graph's JSON stands in the table of moments.
        workers: so many moments are compared at once.
        strict: whether a moment that cannot be compared ends the run.
        max_pixels: videos with more pixels per frame are refused.
    """

    comparing: Comparing = field(default_factory=Comparing)
    every: str = "1s"
    frames: int | None = None
    sync: Sync = "timestamp"
    offset_s: float | None = None
    search_s: float = DEFAULT_SEARCH_S
    hold: str = HOLD_SHOT
    reference: str | None = None
    model: str | None = None
    providers: tuple[str, ...] | None = None
    moments: int = 10
    lossy: bool = False
    graph_column: bool = False
    workers: int = 1
    strict: bool = False
    max_pixels: int = DEFAULT_MAX_PIXELS

    def __post_init__(self) -> None:
        Span.parse(self.every, "--every")
        if self.hold != HOLD_SHOT:
            Span.parse(self.hold, "--hold")
        if self.sync not in get_args(Sync):
            raise VideoError(f"sync is {self.sync!r}, expected one of {get_args(Sync)}")
        if self.offset_s is not None and self.sync == "content":
            raise VideoError(
                f"--offset {self.offset_s:g} says what --sync content would find, expected one of "
                "them"
            )
        if self.frames is not None and self.frames < 1:
            raise VideoError(f"--frames {self.frames}: expected at least 1")
        if self.workers < 1 or self.moments < 0 or not 0 < self.search_s <= 3600:
            raise VideoError(
                f"workers is {self.workers}, moments {self.moments}, search_s {self.search_s:g}; "
                "expected at least 1, at least 0, and more than 0 up to 3600"
            )
        if self.reference is not None and self.comparing.reference is not None:
            raise VideoError(
                "a reference is a third video or one of the two, found both in the options"
            )
