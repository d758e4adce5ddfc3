"""Where one shot ends and the next begins, found in small grey pictures of every frame."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

THUMBNAIL = (32, 18)
"""Width and height of the pictures."""

_JUMP = 10.0  # of 255, the mean change of a cut at least
_TIMES_USUAL = 4.0
_ALIKE = 0.75
_LOST = 0.2
_REMEMBERED = 12
_FLAT = 5.0


class Shots:
    """Tells, frame by frame, in which shot (from 0) a frame is.

    A shot ends at a cut: a change far above those before it, into a picture that is not alike. It
    also ends where nothing is left of its first picture, as after a dissolve or a pan.
    """

    def __init__(self) -> None:
        self.number = 0
        self._first: NDArray[np.float32] | None = None
        self._last: NDArray[np.float32] | None = None
        self._usual: list[float] = []

    def see(self, thumbnail: NDArray[np.uint8]) -> int:
        """The shot of the next frame, of which this is the small picture."""
        now = thumbnail.astype(np.float32)
        if self._last is None or self._first is None or self._last.shape != now.shape:
            self.number += self._last is not None
            self._begin(now)
        else:
            change = float(np.abs(now - self._last).mean())
            usual = float(np.median(self._usual)) if self._usual else 0.0
            jump = change > max(_JUMP, _TIMES_USUAL * usual)
            cut = jump and likeness(now, self._last) < _ALIKE
            lost = not is_flat(self._first) and likeness(now, self._first) < _LOST
            if cut or lost:
                self.number += 1
                self._begin(now)
            else:
                self._usual = [*self._usual, change][-_REMEMBERED:]
                if is_flat(self._first):  # a fade from black: the shot is what comes of it
                    self._first = now
        self._last = now
        return self.number

    def _begin(self, now: NDArray[np.float32]) -> None:
        self._first, self._usual = now, []


def likeness(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """The correlation of two small pictures; 1 of two without structure."""
    a, b = one - one.mean(), other - other.mean()
    norms = float(np.linalg.norm(a)) * float(np.linalg.norm(b))
    return float((a * b).sum()) / norms if norms > 0 else 1.0


def is_flat(thumbnail: NDArray[np.generic]) -> bool:
    """Whether a small picture shows hardly anything, as black frames do."""
    return float(np.asarray(thumbnail, np.float32).std()) < _FLAT
