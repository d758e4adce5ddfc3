"""Which moments of a video are compared: every so many frames or seconds, or so many in all."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from distortion_graph.base.errors import VideoError
from distortion_graph.video.reading import Frame

_SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|min|h)?")
_UNITS = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0}
_INSTANT_S = 1e-6


@dataclass(frozen=True)
class Span:
    """A number of frames, or of seconds: what `1`, `250ms`, `1s` and `2min` say."""

    frames: int | None = None
    seconds: float | None = None

    @classmethod
    def parse(cls, text: str | int, option: str) -> Span:
        """Raises VideoError for anything else and for 0; `option` names what it was given for."""
        match = _SPAN.fullmatch(str(text).strip())
        if match is not None:
            number, unit = float(match[1]), match[2]
            if unit is not None and number > 0 and math.isfinite(number):
                return cls(seconds=number * _UNITS[unit])
            if unit is None and number >= 1 and number == int(number):
                return cls(frames=int(number))
        raise VideoError(
            f"{option} {text}: expected a time such as 1s, 250ms or 2min, or a whole number of "
            "frames such as 10"
        )

    def __str__(self) -> str:
        return str(self.frames) if self.frames is not None else f"{self.seconds:g}s"


@dataclass(frozen=True)
class Evenly:
    """So many moments, spread evenly over `seconds`, each in the middle of its part."""

    count: int
    seconds: float


def moments(sampling: Span | Evenly, frame: Frame) -> Iterator[float]:
    """The times, in seconds, that are compared while a frame is shown; frames come in order."""
    if isinstance(sampling, Span) and sampling.frames is not None:
        if frame.number % sampling.frames == 0:
            yield frame.time_s
        return
    if isinstance(sampling, Evenly):
        step, first = sampling.seconds / sampling.count, 0.5
    else:
        step, first = float(sampling.seconds or 1.0), 0.0
    number = max(0, math.ceil((frame.time_s - _INSTANT_S) / step - first))
    end = frame.time_s + frame.lasts_s - _INSTANT_S
    while (time_s := (number + first) * step) < end:
        if isinstance(sampling, Evenly) and number >= sampling.count:
            return
        yield max(time_s, frame.time_s)
        number += 1


def time_text(seconds: float, places: int = 2) -> str:
    """`0:12.48`, or `1:02:12.48` from an hour on."""
    ticks = round(seconds * 10**places)
    whole, rest = divmod(abs(ticks), 10**places)
    hours, minutes, part = whole // 3600, whole // 60 % 60, whole % 60
    clock = f"{hours}:{minutes:02d}:{part:02d}" if hours else f"{minutes}:{part:02d}"
    fraction = f".{rest:0{places}d}" if places else ""
    return f"{'−' * (ticks < 0)}{clock}{fraction}"
