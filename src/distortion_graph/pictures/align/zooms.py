"""Zoom blur: a picture taken while it was magnified about its centre.

It matches the sharp picture best in the middle of the zoom, at another scale than the one it began
at. So the sharp picture is blurred in the same way before the two are laid over each other.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from distortion_graph.pictures.align.detail import Level, Plane, Pyramid, detail_of
from distortion_graph.pictures.align.matrices import (
    Matrix,
    Points,
    Size,
    in_indices,
    inverted,
    moved,
    scaling,
    shift,
)
from distortion_graph.pictures.align.refine import FINEST_PIXELS, MIDDLE_PIXELS, levels_for
from distortion_graph.pictures.align.spectra import shared

_STEP = 0.02  # from one copy to the next
_RANGES = (0.0, 0.06, 0.1, 0.14, 0.2, 0.28)  # the second tells whether there is a zoom
_RISE = 1.13  # of the information; borders that are soft anyway make it rise to 1.09
_PEAK, _PEAK_NATS = 1.3, 100.0  # and in the end
_SEARCH_STEPS = 7
_GOLDEN = 0.618


class Unzoomed(NamedTuple):
    """Both pictures, the sharp one blurred as the other is, and the mapping for these."""

    onto: Pyramid
    of: Pyramid
    matrix: Matrix


def with_equal_zoom(onto: Pyramid, of: Pyramid, matrix: Matrix) -> Unzoomed | None:
    """None where neither picture shows a zoom about its centre."""
    levels = levels_for(onto, of, matrix, MIDDLE_PIXELS)
    there = _Trial(of.size, levels.of, _reduced(onto, levels.onto), onto.size, matrix)
    back = _Trial(onto.size, levels.onto, _reduced(of, levels.of), of.size, inverted(matrix))
    found = there.best_range()
    if found:
        sharp = _zoomed(onto, moved(matrix, there.centre), found)
        return Unzoomed(sharp, of, there.at_start(found))
    found = back.best_range()
    if found:
        sharp = _zoomed(of, moved(inverted(matrix), back.centre), found)
        return Unzoomed(onto, sharp, inverted(back.at_start(found)))
    return None


class _Trial(NamedTuple):
    """A picture that may be zoomed (its size and level), and the grey of one that may be sharp.

    `matrix`: places of the first to places of the second, where the two match best.
    """

    size: Size
    level: Level
    sharp: Plane
    sharp_size: Size
    matrix: Matrix

    @property
    def centre(self) -> Points:
        return np.array([[self.size[1] / 2, self.size[0] / 2]])

    def at_start(self, by: float) -> Matrix:
        """The mapping at the beginning of a zoom up to 1 + `by`."""
        return np.asarray(self.matrix @ _about(self.centre, 1 + by / 2))

    def information(self, by: float) -> float:
        """What the two share if the first was zoomed so."""
        h, w = self.level.detail.shape
        onto_sharp = scaling(
            self.sharp.shape[1] / self.sharp_size[1], self.sharp.shape[0] / self.sharp_size[0]
        )
        of_level = scaling(1 / self.level.scale[0], 1 / self.level.scale[1])
        total = np.zeros((h, w), np.float32)
        for factor in _factors(by):
            place = self.at_start(by) @ _about(self.centre, 1 / factor)
            total += _sampled(self.sharp, onto_sharp @ place @ of_level, (h, w))
        zoomed, _ = detail_of(total)
        return shared(self.level.detail, zoomed, np.eye(3)).information

    def best_range(self) -> float:
        """By how much the first picture was magnified in the end; 0 where it was not."""
        values = [self.information(by) for by in _RANGES[:2]]
        plain = values[0]
        if values[1] < _RISE * plain:
            return 0.0
        while len(values) < len(_RANGES) and values[-1] >= values[-2]:
            values.append(self.information(_RANGES[len(values)]))
        best = int(np.argmax(values))
        if values[best] < max(_PEAK * plain, plain + _PEAK_NATS):
            return 0.0
        return self._between(_RANGES[best - 1], _RANGES[min(best + 1, len(_RANGES) - 1)])

    def _between(self, low: float, high: float) -> float:
        """The best range by golden section."""
        inner = [high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)]
        values = [self.information(by) for by in inner]
        for _ in range(_SEARCH_STEPS):
            if values[0] > values[1]:
                high, inner[1], values[1] = inner[1], inner[0], values[0]
                inner[0] = high - _GOLDEN * (high - low)
                values[0] = self.information(inner[0])
            else:
                low, inner[0], values[0] = inner[0], inner[1], values[1]
                inner[1] = low + _GOLDEN * (high - low)
                values[1] = self.information(inner[1])
        return inner[int(values[1] > values[0])]


def _zoomed(picture: Pyramid, centre: Points, by: float) -> Pyramid:
    """The picture as the mean of copies magnified about a place by 1 to 1 + `by`."""
    size = picture.reduced_size(picture.factor_for(FINEST_PIXELS))
    grey = cv2.resize(picture.grey, size[::-1], interpolation=cv2.INTER_AREA).astype(np.float32)
    scale = scaling(size[1] / picture.size[1], size[0] / picture.size[0])
    total = np.zeros(size, np.float32)
    factors = _factors(by)
    for factor in factors:
        place = scale @ _about(centre, 1 / factor) @ np.linalg.inv(scale)
        total += _sampled(grey, place, size)
    return Pyramid(picture.rgb, np.asarray(total / len(factors), np.float32))


def _sampled(plane: Plane, places: Matrix, size: Size) -> Plane:
    """The plane at `places` of a frame's pixels."""
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    indices = in_indices(places)
    out = cv2.warpPerspective(
        plane, indices, size[::-1], flags=flags, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(out, np.float32)


def _factors(by: float) -> Plane:
    return np.linspace(1, 1 + by, round(by / _STEP) + 1, dtype=np.float32)


def _about(centre: Points, scale: float) -> Matrix:
    (x, y) = centre[0]
    return np.asarray(shift(x, y) @ scaling(scale, scale) @ shift(-x, -y))


def _reduced(picture: Pyramid, level: Level) -> Plane:
    """The grey plane of a level, in which detail was found."""
    h, w = level.detail.shape
    return cv2.resize(picture.grey, (w, h), interpolation=cv2.INTER_AREA).astype(np.float32)
