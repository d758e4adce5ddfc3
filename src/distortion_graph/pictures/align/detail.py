"""What of a picture is compared to lay it over another one: its detail, freed of light and haze."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from distortion_graph.pictures.align.matrices import (
    Matrix,
    Size,
    in_indices,
    in_pixels,
    normalised,
    scaling,
)

Plane: TypeAlias = NDArray[np.float32]

_SMOOTH_PX = 0.6
_LOW_PX = 25  # side of the box, applied twice, whose mean is taken off
_GAIN_PX = 33  # side of the box over which contrast is evened out
_MOST = 3.0
_LEAST_SIDE = 8


@dataclass(frozen=True, eq=False)
class Level:
    """A reduced picture: its grey levels (h, w), and its detail, made when it is asked for.

    `scale`: how many of its pixels one of the picture's is, along x and y.
    """

    grey: Plane
    scale: tuple[float, float]

    @property
    def detail(self) -> Plane:
        """About 1 where there is structure (h, w)."""
        return self._detail[0]

    @property
    def contrast(self) -> float:
        """Grey levels of detail (rms)."""
        return self._detail[1]

    @cached_property
    def _detail(self) -> tuple[Plane, float]:
        return detail_of(self.grey)

    @property
    def size(self) -> Size:
        """(h, w) in its own pixels."""
        return self.grey.shape[0], self.grey.shape[1]


class Pyramid:
    """A picture, one grey plane of it, and that plane's detail at any reduction, made once each."""

    def __init__(
        self, rgb: NDArray[np.uint8], grey: Plane | NDArray[np.uint8] | None = None
    ) -> None:
        """`rgb`: (H, W, 3) uint8. `grey`: (h, w) of the same view, or else the luma."""
        self.rgb = rgb
        self.size: Size = (rgb.shape[0], rgb.shape[1])
        self.grey: NDArray[Any] = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY) if grey is None else grey
        self._levels: dict[Size, Level] = {}

    @property
    def pixels(self) -> int:
        """Number of pixels."""
        return self.size[0] * self.size[1]

    def level(self, factor: float) -> Level:
        """The detail at a reduction `factor` of at most 1."""
        size = self.reduced_size(factor)
        if size not in self._levels:
            self._levels[size] = self._made(size)
        return self._levels[size]

    def mirrored(self) -> Pyramid:
        """The same picture with left and right exchanged."""
        return Pyramid(np.ascontiguousarray(self.rgb[:, ::-1]))

    def factor_for(self, pixels: float) -> float:
        """The reduction that leaves about so many pixels; 1 where there are no more."""
        return min(1.0, math.sqrt(pixels / self.pixels))

    def reduced_size(self, factor: float) -> Size:
        """(h, w) at a reduction."""
        h, w = (min(n, max(_LEAST_SIDE, round(n * factor))) for n in self.size)
        return h, w

    def _made(self, size: Size) -> Level:
        h, w = size
        grey = self.grey
        if size != grey.shape:
            grey = cv2.resize(grey, (w, h), interpolation=cv2.INTER_AREA)
        return Level(grey.astype(np.float32), (w / self.size[1], h / self.size[0]))


def level_indices(matrix: Matrix, onto: Level, of: Level) -> Matrix:
    """From a mapping of picture pixels, `of` to `onto`: the indices of `of` for those of `onto`.

    That is what OpenCV's ECC and its inverse warps take.
    """
    between = scaling(*onto.scale) @ matrix @ scaling(1 / of.scale[0], 1 / of.scale[1])
    return in_indices(np.linalg.inv(between))  # type: ignore[arg-type]


def picture_pixels(indices: Matrix, onto: Level, of: Level) -> Matrix:
    """The way back from `level_indices`."""
    between = np.linalg.inv(in_pixels(indices))
    whole = scaling(1 / onto.scale[0], 1 / onto.scale[1]) @ between @ scaling(*of.scale)
    return normalised(whole)


def as_bytes(detail: Plane) -> NDArray[np.uint8]:
    """Detail as a grey picture, for functions that take nothing else."""
    return np.asarray(np.clip(detail * (127 / _MOST) + 128, 0, 255), np.uint8)


def band_pass(grey: Plane) -> Plane:
    """Grey levels, of one channel or several, smoothed a little and without their local mean."""
    low = cv2.blur(cv2.blur(grey, (_LOW_PX, _LOW_PX)), (_LOW_PX, _LOW_PX))
    return np.asarray(cv2.GaussianBlur(grey, (0, 0), _SMOOTH_PX) - low, np.float32)


def detail_of(grey: Plane) -> tuple[Plane, float]:
    """The band of grey levels divided by its local contrast, and its mean contrast (rms).

    The mean contrast is added to the local one, so that noise in a smooth sky stays small; bright
    flakes and borders are clipped.
    """
    band = band_pass(grey)
    power = cv2.blur(band * band, (_GAIN_PX, _GAIN_PX))
    mean = float(power.mean())
    even = band / np.sqrt(power + mean + 0.25)
    return np.clip(even, -_MOST, _MOST).astype(np.float32), math.sqrt(mean)
