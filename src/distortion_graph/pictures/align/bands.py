"""The last fraction of a pixel: Gauss and Newton in bands of frequency, weighed place by place.

What a distortion leaves of a picture depends on frequency and place: a blur leaves what is coarse,
noise what has contrast, a codec some details here and none there. So both pictures are split into
bands an octave wide, and in each the local correlation ρ is measured. Where one is ρ times the
other plus noise, both of deviation 1, the most likely motion weighs a pixel by ρ / (1 − ρ²); a
pixel that is unlike its surroundings counts less. Parts of the picture vote apart: how far their
votes scatter gives the error of the mapping.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from distortion_graph.pictures.align.detail import Plane, Pyramid, level_indices, picture_pixels
from distortion_graph.pictures.align.matrices import (
    Matrix,
    Points,
    Size,
    corners,
    in_indices,
    keeps_frame,
    moved,
)
from distortion_graph.pictures.align.motions import Motion, directions, movement
from distortion_graph.pictures.align.refine import Levels, levels_for
from distortion_graph.pictures.align.softened import softened
from distortion_graph.pictures.align.spectra import soft_overlap

_BANDS = 4
_FIRST_PX, _OCTAVE_PX = 0.6, 1.6  # deviations of the smoothing that bounds a band, in its pixels
_LEAST_SIDE = 16
_WINDOW_PX = 13  # side of the box over which the correlation is measured, in a band's pixels
_BORDER_PX = 3
_MOST_ALIKE = 0.95
_CHANCE = 0.03  # what ρ² comes to in such a box where nothing is shared
_NOISE = 0.03  # grey levels: far below what rounding leaves
_OUTLIER = 2.5  # deviations at which a pixel counts 0.7
_CELLS = 16  # along each side: where in a cell a pixel lies is not looked at
_PARTS = 8  # along each side; each votes
_SOFTER = 0.8  # of the deviation
_STILL_PX = 0.01
_SLOPE = np.array([[-0.5, 0, 0.5]])


Views: TypeAlias = Sequence[tuple[Pyramid, Pyramid]]
"""Two pictures, `onto` and `of`, once in every colour in which they are looked at."""


def fitted_in_bands(
    views: Views, matrix: Matrix, motion: Motion, pixels: int, steps: int
) -> Matrix:
    """`matrix` (picture pixels, `of` to `onto`) improved within a motion at one level.

    Where that leaves the frame, what was there before stays.
    """
    levels = [levels_for(onto, of, matrix, pixels) for onto, of in views]
    return _fitted(levels, matrix, motion, steps, views[0][1].size)


def fitted_softly(views: Views, matrix: Matrix, motion: Motion, pixels: int, steps: int) -> Matrix:
    """The same, of a matrix fitted before, where one of the pictures is plainly blurred."""
    levels, softer, _ = _softened(views, matrix, motion, pixels)
    return _fitted(levels, matrix, motion, steps, views[0][1].size) if softer else matrix


def deviation_px(views: Views, matrix: Matrix, motion: Motion, pixels: int) -> float:
    """The standard error of the corners' places, in pixels of the level of so many pixels."""
    return _softened(views, matrix, motion, pixels)[2]


def _fitted(levels: list[Levels], matrix: Matrix, motion: Motion, steps: int, size: Size) -> Matrix:
    bands = [_bands(level.onto.grey) for level in levels]
    indices = level_indices(matrix, *levels[0])
    frame = corners(levels[0].onto.size)
    for _ in range(steps):
        step = _votes(levels, bands, indices, motion).step
        indices = np.asarray(indices @ np.linalg.inv(in_indices(step)), np.float64)
        if not np.isfinite(indices).all():
            return matrix
        if np.abs(moved(step, frame) - frame).max() < _STILL_PX:
            break
    found = picture_pixels(indices, *levels[0])
    return found if keeps_frame(found, size) else matrix


def _softened(
    views: Views, matrix: Matrix, motion: Motion, pixels: int
) -> tuple[list[Levels], bool, float]:
    """The pictures' levels, whether the sharper one was softened, and the deviation there.

    Which one is blurred, and which one noisy, is not known: softened is what makes the votes agree
    plainly better.
    """
    levels = [levels_for(onto, of, matrix, pixels) for onto, of in views]
    indices = level_indices(matrix, *levels[0])

    def deviation(some: list[Levels]) -> float:
        return _votes(some, [_bands(s.onto.grey) for s in some], indices, motion).deviation_px

    plain, one = deviation(levels), deviation(levels[:1])
    least, first = min(
        (deviation([softened(levels[0], indices, first)]), first) for first in (True, False)
    )
    if least >= _SOFTER * one:
        return levels, False, plain
    soft = [softened(level, indices, first) for level in levels]
    return soft, True, deviation(soft)


class _Band(NamedTuple):
    """Grey levels of a band, and how many pixels of the level one of its own is wide."""

    plane: Plane
    side: int


class _Votes(NamedTuple):
    """What the parts of a frame say of its movement: JᵀWJ of all, and JᵀWr of each (n, steps)."""

    size: Size
    motion: Motion
    normal: NDArray[np.float64]
    parts: NDArray[np.float64]

    @property
    def step(self) -> Matrix:
        """The movement that all of them together ask for, in pixels of the frame."""
        return movement(self.size, self._covariance @ self.parts.sum(0))

    @property
    def deviation_px(self) -> float:
        """Of the mean corner: by the scatter of the votes, and by noise alone, added up."""
        influence = self.parts @ self._covariance
        variance = influence.T @ influence + self._covariance
        of_corners = directions(self.size, self.motion, corners(self.size))
        total = np.einsum("dns,st,dnt->", of_corners, variance, of_corners)
        return math.sqrt(max(float(total), 0.0) / of_corners.shape[1])

    @property
    def _covariance(self) -> NDArray[np.float64]:
        ridge = 1e-9 * (1 + float(np.trace(self.normal))) * np.eye(len(self.normal))
        return np.asarray(np.linalg.inv(self.normal + ridge), np.float64)


def _bands(grey: Plane) -> list[_Band]:
    out: list[_Band] = []
    plane, side = cv2.GaussianBlur(grey, (0, 0), _FIRST_PX), 1
    while len(out) < _BANDS and min(plane.shape) >= _LEAST_SIDE:
        low = cv2.GaussianBlur(plane, (0, 0), _OCTAVE_PX)
        out.append(_Band(np.asarray(plane - low, np.float32), side))
        plane, side = np.ascontiguousarray(low[::2, ::2]), 2 * side
    return out or [_Band(np.asarray(plane - plane.mean(), np.float32), 1)]


def _votes(
    levels: list[Levels], bands: list[list[_Band]], indices: Matrix, motion: Motion
) -> _Votes:
    """Of the bands of one picture, and the grey levels of another laid on it by `indices`."""
    size = levels[0].onto.size
    both = (soft_overlap(size, levels[0].of.size, indices) > 0.5).astype(np.uint8)
    normal, scores = np.zeros((1, 1)), np.zeros((1, 1))
    for level, mine in zip(levels, bands, strict=True):
        flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
        border = cv2.BORDER_REPLICATE
        laid = cv2.warpPerspective(
            level.of.grey, indices, size[::-1], flags=flags, borderMode=border
        )
        for band, other in zip(mine, _bands(np.asarray(laid, np.float32)), strict=True):
            sums = _sums(band, other.plane, both[:: band.side, :: band.side])
            along_x, along_y = directions(size, motion, _places(band))
            xx, xy, yy, x, y = sums.reshape(-1, 5).T.astype(np.float64)[:, :, None]
            mixed = along_x.T @ (xy * along_y)
            normal = normal + along_x.T @ (xx * along_x) + along_y.T @ (yy * along_y)
            normal += mixed + mixed.T
            scores = scores + x * along_x + y * along_y
    half = _CELLS // _PARTS
    parts = scores.reshape(_PARTS, half, _PARTS, half, -1).sum((1, 3))
    return _Votes(size, motion, normal, parts.reshape(_PARTS**2, -1))


def _sums(mine: _Band, other: Plane, both: NDArray[np.uint8]) -> Plane:
    """Over each cell (cells, cells, 5): slopes squared xx, xy, yy, and what they explain, x, y."""
    side = 2 * _BORDER_PX + 1
    inner = cv2.erode(np.ascontiguousarray(both), np.ones((side, side), np.uint8), borderValue=0)
    shown = inner.astype(np.float32)
    one, two = mine.plane * shown, other * shown
    window = (_WINDOW_PX, _WINDOW_PX)
    powers = [np.maximum(cv2.blur(p * p, window), 0) + _NOISE**2 for p in (one, two)]
    alike = cv2.blur(one * two, window) / np.sqrt(powers[0] * powers[1])
    alike = np.sqrt(np.clip(np.maximum(alike, 0) ** 2 - _CHANCE, 0, _MOST_ALIKE**2))
    one, two = (p / np.sqrt(power) for p, power in zip((one, two), powers, strict=True))
    noise = 1 - alike * alike
    apart = two - alike * one
    weight = alike / noise * shown / np.sqrt(1 + apart * apart / (_OUTLIER**2 * noise))
    mean = (one + two) / 2
    slope_x, slope_y = (cv2.filter2D(mean, -1, k / mine.side) for k in (_SLOPE, _SLOPE.T))
    explained = weight * (two - one)
    squares = weight * alike
    products = (
        *(squares * slope_x * slope_x, squares * slope_x * slope_y, squares * slope_y * slope_y),
        *(explained * slope_x, explained * slope_y),
    )
    cells = [cv2.resize(p, (_CELLS, _CELLS), interpolation=cv2.INTER_AREA) for p in products]
    return np.dstack(cells) * np.float32(one.size / _CELLS**2)


def _places(band: _Band) -> Points:
    """The centres of the cells, row by row, in pixels of the level."""
    h, w = band.plane.shape
    x, y = (((np.arange(_CELLS) + 0.5) * n / _CELLS - 0.5) * band.side + 0.5 for n in (w, h))
    across, down = np.meshgrid(x, y)
    return np.stack([across.ravel(), down.ravel()], 1)
