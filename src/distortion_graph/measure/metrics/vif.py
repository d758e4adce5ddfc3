"""Visual information fidelity in the pixel domain (VIFp), of the worse direction.

Sheikh, Bovik, *Image information and visual quality*, IEEE Transactions on Image Processing 15(2),
2006, in the form of the authors' `vifp_mscale`: luma at four scales, Gaussian windows of 17, 9, 5
and 3 cells with σ a fifth of that, noise of variance 2 in the eye. Of a reference x and a picture
y, g = σ_xy/σ_x² and σ_v² = σ_y² − g·σ_xy; VIF is Σ log(1 + g²σ_x²/(σ_v² + 2)) over
Σ log(1 + σ_x²/2).

The information that two pictures share in one direction is never more than what the other picture
has, so the lower of both directions is at most 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from distortion_graph.masks.boxes import Box
from distortion_graph.measure.metrics.metric import Level, MapMetric, Pooled, Slices
from distortion_graph.measure.metrics.planes import filtered, gaussian, luma

Doubles = NDArray[np.float64]

_RADII = (8, 4, 2, 1)
_TAPS = [gaussian(radius, (2 * radius + 1) / 5) for radius in _RADII]
_PHASES = (0, 0, 1)
"""Which of two cells the next scale keeps: the authors cut the window's radius off before they
take every other cell, so that the last scale is made of odd ones."""

_NOISE = 2.0
_TINY = 1e-8
"""Variances below it are rounding, and so is the information of a region that is below it per
cell."""


class VifMaps:
    """Per scale, information of the one in the other, of the other in the one, and of each alone.

    There are four scales of pictures of any size; one of a pixel's width has no cell of the last.
    Maps and planes are in double precision: variances of plain areas are small differences of
    large numbers, and count.
    """

    def __init__(self, height: int, width: int) -> None:
        rows, columns = _axis(height), _axis(width)
        self.levels = [
            Level(2**k, (down.cells, across.cells), radius, _inner(down, across))
            for k, (down, across, radius) in enumerate(zip(rows, columns, _RADII, strict=True))
        ]

    def planes(self, rgb: NDArray[np.uint8]) -> Doubles:
        """Luma about 0."""
        return luma(rgb, np.float64) - 128.0

    def terms(self, level: int, first: Doubles, second: Doubles) -> Doubles:
        """(4, h, w)."""
        taps = _TAPS[level]
        means = [_blur(plane, taps) for plane in (first, second)]
        one, two = (
            _variance(_blur(plane * plane, taps) - mean * mean)
            for plane, mean in zip((first, second), means, strict=True)
        )
        both = _blur(first * second, taps) - means[0] * means[1]
        return np.stack(
            [
                _shared(one, two, both),
                _shared(two, one, both),
                np.log1p(one / _NOISE),
                np.log1p(two / _NOISE),
            ]
        )

    def shrink(self, level: int, planes: Doubles, own: Slices) -> Doubles:
        """Every other cell of the planes, smoothed."""
        phase = _PHASES[level]
        smooth = _blur(planes, _TAPS[level + 1])[own]
        return np.ascontiguousarray(smooth[phase::2, phase::2])

    def values(self, pooled: Sequence[Pooled]) -> tuple[float | None, ...]:
        """Both directions; None where the reference has no information."""
        seen = [part for part in pooled if part.cells]
        sums = np.sum([part.sums for part in seen], axis=0)
        least = _TINY * sum(part.cells for part in seen)
        shared, alone = sums[:2].tolist(), sums[2:].tolist()
        return tuple(s / own if own > least else None for s, own in zip(shared, alone, strict=True))


class _Axis(NamedTuple):
    """A scale's cells along one side, and the first and last whose window lies in the picture."""

    cells: int
    first: int
    last: int


def _axis(cells: int) -> list[_Axis]:
    """Of every scale; `first` is after `last` where there is no such cell."""
    scales = []
    first, last = 0, cells - 1  # of what depends on no pixel beyond the picture
    for radius, phase in zip(_RADII, (None, *_PHASES), strict=True):
        if phase is not None:
            cells = (cells + 1 - phase) // 2
            first, last = (first + radius - phase + 1) // 2, (last - radius - phase) // 2
        scales.append(_Axis(cells, first + radius, last - radius))
    return scales


def _inner(down: _Axis, across: _Axis) -> Box:
    width, height = across.last - across.first + 1, down.last - down.first + 1
    return Box(across.first, down.first, width, height)


def _blur(plane: Doubles, taps: Doubles) -> Doubles:
    return filtered(plane, taps, taps, cv2.BORDER_REFLECT)


def _variance(values: Doubles) -> Doubles:
    values[values < _TINY] = 0.0
    return values


def _shared(reference: Doubles, other: Doubles, both: Doubles) -> Doubles:
    """log(1 + g²σ_x²/(σ_v² + 2)), g²σ_x² being the part of σ_y² that x explains."""
    explained = np.zeros_like(both)
    np.divide(both * both, reference, out=explained, where=(reference > 0) & (both > 0))
    np.minimum(explained, other, out=explained)
    return np.asarray(np.log1p(explained / (other - explained + _NOISE)))


METRIC = MapMetric(
    name="vif",
    version="1",
    range=(0.0, 1.0),
    direction="higher_is_better",
    licence="Apache-2.0",
    pooling="information shared in the region over information of the reference there, over all "
    "scales; the lower of both directions unless one picture is the reference",
    maps=VifMaps,
)
