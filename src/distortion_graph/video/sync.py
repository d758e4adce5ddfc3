"""How much later one video shows the same thing than another, found by what they show.

Small grey pictures of both, taken at equal steps of time, lose what stays the same: what is left is
motion, cuts and changes of light, which a new encoding, size or look hardly touches. They are
correlated at every offset (by FFT, all pixels together). Every part of the video then looks for
itself: how many parts agree says how sure the offset is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import VideoError
from distortion_graph.video.colours import thumbnail
from distortion_graph.video.reading import Frame, Reader, Video

DEFAULT_SEARCH_S = 30.0
"""Offsets of up to so many seconds are looked for."""

_SIZE = (16, 9)
_CALM_S = 1.0
"""What changes more slowly than in about this time does not count."""
_LEAST_STEPS = 12
_LEAST_MOTION = 0.35
"""Of 255, the mean change below which nothing moves."""
_SURE = 0.5
_PARTS = 8
_NEAR_S = 0.3
_RIVAL = 0.1
_CHANCE, _PLAIN = 0.15, 0.35
"""Correlations that chance reaches, and that only one scene does: 0.05 and 0.5 were measured, the
latter of a copy that was cropped by an eighth."""

Signal: TypeAlias = NDArray[np.float32]
"""(T, P): what moves in P pixels at T steps of time."""


@dataclass(frozen=True)
class Offset:
    """`seconds`: how much later the target shows what the anchor shows.

    `confidence` is the share of the videos' parts that find this offset by themselves, less where
    another one fits nearly as well or none fits well; None where nobody looked.
    """

    seconds: float
    confidence: float | None = None


def find_offset(
    anchor: Video, target: Video, search_s: float = DEFAULT_SEARCH_S, threads: int = 1
) -> Offset:
    """The offset of a target by content, within ±`search_s` seconds.

    Reads 2 · `search_s` seconds of both. Raises VideoError where nothing moves, or no offset is
    found that can be relied on.
    """
    step = max(min(anchor.frame_s, target.frame_s), 1 / 60)
    signals = [_signal(Reader(video, threads), step, 2 * search_s) for video in (anchor, target)]
    for video, signal in zip((anchor, target), signals, strict=True):
        motion = float(np.abs(signal).mean()) if len(signal) else 0.0
        if len(signal) < _LEAST_STEPS or motion < _LEAST_MOTION:
            raise VideoError(
                f"{video.name}: too little moves in it to find its offset by content; give "
                "--offset SECONDS or --sync timestamp"
            )
    found = offset_of(signals[0], signals[1], step, search_s)
    if found.confidence is None or found.confidence < _SURE:
        raise VideoError(
            f"{target.name}: no offset against {anchor.name} within ±{search_s:g} s can be relied "
            f"on (best {found.seconds:+.3f} s, confidence {found.confidence:.2f}); give --offset "
            "SECONDS or --sync timestamp"
        )
    return found


def offset_of(anchor: Signal, target: Signal, step_s: float, search_s: float) -> Offset:
    """The offset between two signals of equal steps, and how sure it is."""
    lags, fits = _fits(anchor, target, round(search_s / step_s))
    best = int(np.argmax(fits))
    lag, fit = int(lags[best]), float(fits[best])
    near = max(2, round(_NEAR_S / step_s))
    others = fits[np.abs(lags - lag) > near]
    rival = float(others.max()) if len(others) else 0.0
    alone = min(1.0, max(0.0, (fit - max(rival, 0.0)) / (_RIVAL * max(fit, 1e-9))))
    alike = min(1.0, max(0.0, (fit - _CHANCE) / (_PLAIN - _CHANCE)))
    sure = alike * alone
    confidence = sure * _agreement(anchor, target, lag, near) if sure else 0.0
    return Offset(round(lag * step_s, 6), round(confidence, 4))


def _agreement(anchor: Signal, target: Signal, lag: int, near: int) -> float:
    """The share of parts, by what moves in them, whose own best offset is this one.

    Each looks around it, as far as a part is long: from one end to the other is another scene.
    """
    start, end = max(0, -lag), min(len(anchor), len(target) - lag)
    bounds = np.linspace(start, end, max(2, min(_PARTS, (end - start) // _LEAST_STEPS) + 1))
    agreeing = total = 0.0
    for first, last in zip(bounds[:-1].astype(int), bounds[1:].astype(int), strict=True):
        part = anchor[first:last]
        weight = float((part**2).sum())
        total += weight
        reach = max(near + 2, last - first)
        low = max(0, first + lag - reach)
        around = target[low : last + lag + reach]
        if len(around) < len(part) or not weight:
            continue
        lags, fits = _fits(part, around, len(around), whole=True)
        if abs(int(lags[np.argmax(fits)]) + low - first - lag) <= 1:
            agreeing += weight
    return agreeing / total if total else 0.0


def _fits(
    anchor: Signal, target: Signal, most: int, *, whole: bool = False
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Lags of at most so many steps, and the correlation of what both signals have there.

    At least half of the shorter one has to be in both; with `whole`, all of the anchor.
    """
    size = 1 << (len(anchor) + len(target) - 1).bit_length()
    pixels = np.fft.rfft(anchor, size, axis=0).conj() * np.fft.rfft(target, size, axis=0)
    products = np.fft.irfft(pixels.sum(axis=1), size)
    sums = [np.concatenate([[0.0], np.cumsum((s.astype(np.float64) ** 2).sum(axis=1))])
            for s in (anchor, target)]  # fmt: skip
    shorter = min(len(anchor), len(target))
    least = len(anchor) if whole else max(1, shorter // 2)
    lags = np.arange(-min(most, len(anchor) - 1), min(most, len(target) - 1) + 1)
    first = np.maximum(0, -lags)
    last = np.minimum(len(anchor), len(target) - lags)
    lags, first, last = (values[last - first >= least] for values in (lags, first, last))
    energy = (sums[0][last] - sums[0][first]) * (sums[1][last + lags] - sums[1][first + lags])
    return lags, products[lags % size] / np.sqrt(np.maximum(energy, 1e-12))


def _signal(reader: Reader, step_s: float, most_s: float) -> Signal:
    """What moves in a video's first seconds, at equal steps."""
    rows = list(_steps(reader, step_s, most_s))
    if len(rows) < 2:
        return np.zeros((0, _SIZE[0] * _SIZE[1]), np.float32)
    stack = np.stack(rows)
    # A running mean over the time in which nothing counts as motion.
    half = max(1, round(_CALM_S / 2 / step_s))
    padded = np.concatenate([stack[:1].repeat(half, 0), stack, stack[-1:].repeat(half, 0)])
    sums = np.concatenate([np.zeros_like(padded[:1]), np.cumsum(padded, axis=0)])
    calm = (sums[2 * half + 1 :] - sums[: -2 * half - 1]) / (2 * half + 1)
    return np.asarray(stack - calm, np.float32)


def _steps(reader: Reader, step_s: float, most_s: float) -> Iterable[NDArray[np.float64]]:
    """The small picture that is shown at each step."""
    number = 0
    for frame in reader:
        if frame.time_s > most_s:
            return
        row: NDArray[np.float64] | None = None
        while number * step_s < frame.time_s + frame.lasts_s - step_s / 2:
            row = _row(reader.video, frame) if row is None else row
            yield row
            number += 1


def _row(video: Video, frame: Frame) -> NDArray[np.float64]:
    return thumbnail(frame.image, *_SIZE, video.orientation).astype(np.float64).ravel()
