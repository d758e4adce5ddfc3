"""FLIP: the difference that a person sees who flips between two pictures on a screen.

Andersson, Nilsson, Akenine-Möller, Oskarsson, Åström, Fairchild, *FLIP: a difference evaluator for
alternating images*, Proceedings of the ACM on Computer Graphics and Interactive Techniques 3(2),
2020. The constants are those of its authors' implementation, version 1.7 (NVIDIA, BSD-3-Clause),
for pictures of a low dynamic range on its default screen: 0.7 m wide, 3840 pixels, seen from 0.7 m.

Colour: contrast sensitivity filters in YCxCz, then the HyAB distance of Hunt-adjusted Lab.
Features: edges and points of luminance. Both windows are a pixel's own; the frame's edge is
replicated.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from distortion_graph.measure.ciede2000 import linear_light
from distortion_graph.measure.metrics.metric import Level, MapMetric, Pooled, Slices
from distortion_graph.measure.metrics.planes import filtered, length

Floats = NDArray[np.float32]

PIXELS_PER_DEGREE = 0.7 * 3840 / 0.7 * math.pi / 180

_TO_XYZ = np.array(
    [
        [10135552 / 24577794, 8788810 / 24577794, 4435075 / 24577794],
        [2613072 / 12288897, 8788810 / 12288897, 887015 / 12288897],
        [1425312 / 73733382, 8788810 / 73733382, 70074185 / 73733382],
    ]
)
_OVER_WHITE = _TO_XYZ / _TO_XYZ.sum(axis=1, keepdims=True)
_OPPONENT = np.array([[0, 116, 0], [500, -500, 0], [0, 200, -200]], np.float64)
# Linear RGB to YCxCz and back, without Y's offset of −16: the filters' weights sum to 1.
_TO_YCXCZ = (_OPPONENT @ _OVER_WHITE).astype(np.float32)
_FROM_YCXCZ = np.linalg.inv(_OPPONENT @ _OVER_WHITE).astype(np.float32)
_TO_F = _OVER_WHITE.astype(np.float32)
_TO_LAB = _OPPONENT.astype(np.float32)

_QC, _PC, _PT, _QF = 0.7, 0.4, 0.95, 0.5
_FEATURE_WIDTH = 0.082
_CUBE = np.float32((6 / 29) ** 3)
_SLOPE, _OFFSET = np.float32(1 / (3 * (6 / 29) ** 2)), np.float32(4 / 29)


class _Gaussian(NamedTuple):
    """One of a channel's filters: its weight, and taps that sum to 1, of rows and of columns."""

    weight: float
    taps: Floats


def _sensitivity(terms: Sequence[tuple[float, float]]) -> list[_Gaussian]:
    """The filter a·√(π/b)·exp(−π²·r²/b) of some (a, b), r in degrees, over the common window."""
    radius = math.ceil(3 * math.sqrt(0.04 / (2 * math.pi**2)) * PIXELS_PER_DEGREE)
    squares = (np.arange(-radius, radius + 1) / PIXELS_PER_DEGREE) ** 2
    made = []
    for a, b in terms:
        taps = np.exp(-(math.pi**2) * squares / b)
        total = taps.sum()
        # Where it is less than rounding, a narrow filter need not look.
        taps = taps[taps > 1e-9]
        made.append((a * math.sqrt(math.pi / b) * total**2, (taps / total).astype(np.float32)))
    whole = sum(weight for weight, _ in made)
    return [_Gaussian(weight / whole, taps) for weight, taps in made]


_CHANNELS = (
    _sensitivity([(1.0, 0.0047)]),
    _sensitivity([(1.0, 0.0053)]),
    _sensitivity([(34.1, 0.04), (13.5, 0.025)]),
)


class _Feature(NamedTuple):
    """Filters along a row and across it; both sides of what is looked for weigh 1."""

    along: Floats
    across: Floats


def _features() -> tuple[_Feature, _Feature]:
    """Edges, the first derivative of a Gaussian, and points, its second."""
    deviation = 0.5 * _FEATURE_WIDTH * PIXELS_PER_DEGREE
    radius = math.ceil(3 * deviation)
    x = np.arange(-radius, radius + 1, dtype=np.float64)
    smooth = np.exp(-(x**2) / (2 * deviation**2))
    found = []
    for along in (-x * smooth, (x**2 / deviation**2 - 1) * smooth):
        sides = along[along > 0].sum(), -along[along < 0].sum()
        balanced = np.where(along > 0, along / sides[0], along / sides[1])
        found.append(
            _Feature(balanced.astype(np.float32), (smooth / smooth.sum()).astype(np.float32))
        )
    return found[0], found[1]


_EDGE, _POINT = _features()
RADIUS = max(len(_EDGE.along) // 2, *(len(g.taps) // 2 for c in _CHANNELS for g in c))


class FlipMaps:
    """One map, of every pixel: FLIP's error, 0 to 1."""

    def __init__(self, height: int, width: int) -> None:
        self.levels = (Level(1, (height, width), RADIUS),)

    def planes(self, rgb: NDArray[np.uint8]) -> Floats:
        """Y + 16, Cx and Cz."""
        linear = cv2.LUT(rgb, linear_light())
        return np.ascontiguousarray(cv2.transform(linear, _TO_YCXCZ).transpose(2, 0, 1))

    def terms(self, level: int, first: Floats, second: Floats) -> Floats:
        """(1, h, w)."""
        colour = _colour_error(_seen(first), _seen(second))
        feature = _feature_error(first[0], second[0])
        np.subtract(1, feature, out=feature)
        return np.asarray(np.power(colour, feature, out=colour))[None]

    def shrink(self, level: int, planes: Floats, own: Slices) -> Floats:
        """Never asked for: there is one level."""
        raise NotImplementedError

    def values(self, pooled: Sequence[Pooled]) -> tuple[float]:
        """The mean."""
        return (float(pooled[0].means[0]),)


def _seen(planes: Floats) -> Floats:
    """Hunt-adjusted Lab, (3, h, w), of what the eye makes of a picture in YCxCz."""
    smooth = np.empty((*planes.shape[1:], 3), np.float32)
    for channel, gaussians in enumerate(_CHANNELS):
        parts = (
            filtered(planes[channel], g.taps, g.taps, cv2.BORDER_REPLICATE) * np.float32(g.weight)
            for g in gaussians
        )
        smooth[..., channel] = sum(parts)
    linear = np.clip(cv2.transform(smooth, _FROM_YCXCZ), 0, 1)
    lab = _hunt_lab(np.asarray(linear, np.float32))
    return np.ascontiguousarray(lab.transpose(2, 0, 1))


def _hunt_lab(linear: Floats) -> Floats:
    """(..., 3) Lab of linear RGB, a and b times L/100."""
    ratio = cv2.transform(linear, _TO_F)
    lab = cv2.transform(np.where(ratio > _CUBE, np.cbrt(ratio), ratio * _SLOPE + _OFFSET), _TO_LAB)
    lab[..., 0] -= 16
    lab[..., 1:] = lab[..., 1:] * lab[..., :1] * np.float32(0.01)
    return np.asarray(lab, np.float32)


def _distance(one: Floats, two: Floats) -> Floats:
    """HyAB of (3, …) Lab."""
    gap = one - two
    return np.asarray(np.abs(gap[0]) + length(gap[1], gap[2]))


def _largest_distance() -> float:
    """The HyAB of pure green and pure blue, to the power."""
    pure = np.array([[[0, 1, 0], [0, 0, 1]]], np.float32)
    lab = _hunt_lab(pure).transpose(2, 0, 1)
    return math.pow(_distance(lab[:, :, :1], lab[:, :, 1:]).item(), _QC)


_LARGEST = _largest_distance()


def _colour_error(one: Floats, two: Floats) -> Floats:
    """Colour differences, 0 to 1: small ones get most of the range."""
    error = _distance(one, two)
    np.power(error, np.float32(_QC), out=error)
    knee = _PC * _LARGEST
    low = error * np.float32(_PT / knee)
    error -= np.float32(knee)
    error *= np.float32((1 - _PT) / (_LARGEST - knee))
    error += np.float32(_PT)
    # The first line is steeper, so the lower of both is the one that counts.
    np.minimum(low, error, out=low)
    return low


def _feature_error(one: Floats, two: Floats) -> Floats:
    """Differences of edges and points, 0 to 1; of luminance with its offset times 116."""
    found = [
        np.abs(_strength(one, feature) - _strength(two, feature)) for feature in (_EDGE, _POINT)
    ]
    error = np.maximum(*found)
    error *= np.float32(math.sqrt(0.5) / 116)
    np.power(error, np.float32(_QF), out=error)
    np.minimum(error, 1, out=error)
    return np.asarray(error, np.float32)


def _strength(plane: Floats, feature: _Feature) -> Floats:
    across = filtered(plane, feature.along, feature.across, cv2.BORDER_REPLICATE)
    down = filtered(plane, feature.across, feature.along, cv2.BORDER_REPLICATE)
    return length(across, down)


METRIC = MapMetric(
    name="flip",
    version="1.7",
    range=(0.0, 1.0),
    direction="lower_is_better",
    licence="BSD-3-Clause",
    pooling="the mean of the error over the region's pixels",
    maps=FlipMaps,
)
