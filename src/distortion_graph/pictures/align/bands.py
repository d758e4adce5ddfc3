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
from functools import lru_cache
from typing import NamedTuple, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from distortion_graph.pictures.align.detail import Plane, Pyramid, level_indices, picture_pixels
from distortion_graph.pictures.align.matrices import (
    Matrix,
    Size,
    corners,
    in_indices,
    keeps_frame,
    moved,
)
from distortion_graph.pictures.align.motions import Motion, directions, movement
from distortion_graph.pictures.align.refine import MIDDLE_PIXELS, Levels, levels_for
from distortion_graph.pictures.align.softened import softened
from distortion_graph.pictures.align.spectra import soft_overlap

_BANDS = 4
_FIRST_PX, _OCTAVE_PX = 0.6, 1.6  # deviations of the smoothing that bounds a band, in its pixels
_LEAST_SIDE = 16
_WINDOW = (13, 13)  # the box over which the correlation is measured, in a band's pixels
_BORDER_PX = 3
_MOST_ALIKE = 0.95
_CHANCE = 0.03  # what ρ² comes to in such a box where nothing is shared
_NOISE = 0.03  # grey levels: far below what rounding leaves
_OUTLIER = 2.5  # deviations at which a pixel counts 0.7
_CELLS = 16  # along each side: where in a cell a pixel lies is not looked at
_PARTS = 8  # along each side; each votes
_WAYS = (True, False)  # which picture is the sharper one
_SOFTER = 0.8  # of the deviation
_STILL_PX, _STILL_SHARE = 0.01, 0.1  # the larger one; of the deviation
_LITTLE = 0.01  # of what all tell: a band that tells no more is not asked again
_SLOPE = np.array([[-0.5, 0, 0.5]])


Views: TypeAlias = Sequence[tuple[Pyramid, Pyramid]]
"""Two pictures, `onto` and `of`, once in every colour in which they are looked at."""


class Fitted(NamedTuple):
    """A mapping, the standard error of its corners' places in pixels of the level, and how.

    `softly`: whether one picture was softened because the other is blurred.
    """

    matrix: Matrix
    deviation_px: float
    softly: bool = False


def fitted_in_bands(
    views: Views, matrix: Matrix, motion: Motion, pixels: int, steps: int
) -> Fitted:
    """`matrix` (picture pixels, `of` to `onto`) improved within a motion at one level.

    Where that leaves the frame, what was there before stays. With no steps it stays, and its error
    is told.
    """
    levels = [levels_for(onto, of, matrix, pixels) for onto, of in views]
    return _fitted(levels, matrix, motion, steps, views[0][1].size)


def fitted_softly(views: Views, matrix: Matrix, motion: Motion, pixels: int, steps: int) -> Fitted:
    """The same, and again with the sharper picture softened if the other is plainly blurred.

    Which one is blurred, and which one noisy, is not known: softened is what makes the votes agree
    plainly better, at the middle level (where that costs little) and here.
    """
    size = views[0][1].size
    levels = [levels_for(onto, of, matrix, pixels) for onto, of in views]
    found = _fitted(levels, matrix, motion, steps, size)
    for level in (MIDDLE_PIXELS, pixels):
        first = _sharper(views[0], found.matrix, motion, level)
        if first is None:
            return found
    indices = level_indices(found.matrix, *levels[0])
    soft = [softened(level, indices, [bool(first)])[0] for level in levels]
    return _fitted(soft, found.matrix, motion, steps, size)._replace(softly=True)


def _sharper(
    view: tuple[Pyramid, Pyramid], matrix: Matrix, motion: Motion, pixels: int
) -> bool | None:
    """Whether the first of two pictures is to be softened, or the second; None for neither."""
    levels = levels_for(*view, matrix, pixels)
    ways = softened(levels, level_indices(matrix, *levels), _WAYS)
    plain, *soft = (
        _fitted([some], matrix, motion, 0, view[1].size).deviation_px for some in (levels, *ways)
    )
    least = min(soft)
    return _WAYS[soft.index(least)] if least < _SOFTER * plain else None


def _fitted(
    levels: Sequence[Levels], matrix: Matrix, motion: Motion, steps: int, of: Size
) -> Fitted:
    """The mapping after some steps, and its deviation before the last one."""
    bands = [dict(enumerate(_bands(level.onto.grey))) for level in levels]
    indices = level_indices(matrix, *levels[0])
    frame = corners(levels[0].onto.size)
    for left in reversed(range(max(steps, 1))):
        votes = _votes(levels, bands, indices, motion)
        every = _together([vote for of_view in votes for vote in of_view.values()])
        if not steps:
            return Fitted(matrix, every.deviation_px)
        step, deviation = every.step, every.deviation_px
        indices = np.asarray(indices @ np.linalg.inv(in_indices(step)), np.float64)
        if not np.isfinite(indices).all():
            return Fitted(matrix, deviation)
        moves = np.abs(moved(step, frame) - frame).max()
        if not left or moves < max(_STILL_PX, _STILL_SHARE * deviation):
            break
        bands = [
            {k: mine[k] for k, vote in of_view.items() if vote.told >= _LITTLE * every.told}
            for mine, of_view in zip(bands, votes, strict=True)
        ]
    found = picture_pixels(indices, *levels[0])
    return Fitted(found if keeps_frame(found, of) else matrix, deviation)


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
    def told(self) -> float:
        """How much is said at all."""
        return float(np.trace(self.normal))

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
        ridge = 1e-9 * (1 + self.told) * np.eye(len(self.normal))
        return np.asarray(np.linalg.inv(self.normal + ridge), np.float64)


def _together(votes: Sequence[_Votes]) -> _Votes:
    """All of several votes on one movement."""
    first, *others = votes
    normal = sum((v.normal for v in others), first.normal)
    return first._replace(normal=normal, parts=sum((v.parts for v in others), first.parts))


def _bands(grey: Plane) -> list[_Band]:
    out: list[_Band] = []
    plane, side = cv2.GaussianBlur(grey, (0, 0), _FIRST_PX), 1
    while len(out) < _BANDS and min(plane.shape) >= _LEAST_SIDE:
        low = cv2.GaussianBlur(plane, (0, 0), _OCTAVE_PX)
        out.append(_Band(np.asarray(plane - low, np.float32), side))
        plane, side = np.ascontiguousarray(low[::2, ::2]), 2 * side
    return out or [_Band(np.asarray(plane - plane.mean(), np.float32), 1)]


def _votes(
    levels: Sequence[Levels], bands: Sequence[dict[int, _Band]], indices: Matrix, motion: Motion
) -> list[dict[int, _Votes]]:
    """Of each view, of these bands of one picture and the other picture laid on it by `indices`."""
    size = levels[0].onto.size
    both = (soft_overlap(size, levels[0].of.size, indices) > 0.5).astype(np.uint8)
    shown = [_inner(both[::side, ::side]) for side in (1 << k for k in range(_BANDS))]
    flags, border = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP, cv2.BORDER_REPLICATE
    planes = cv2.merge([level.of.grey for level in levels])
    laid = cv2.warpPerspective(planes, indices, size[::-1], flags=flags, borderMode=border)
    out = []
    for plane, mine in zip(cv2.split(laid), bands, strict=True):
        others = _bands(np.asarray(plane, np.float32)) if mine else []
        out.append(
            {k: _vote(band, others[k].plane, shown[k], size, motion) for k, band in mine.items()}
        )
    return out


def _inner(both: NDArray[np.uint8]) -> Plane:
    """1 where a band is shown and is not spoilt by a border, else 0."""
    box = np.ones((2 * _BORDER_PX + 1,) * 2, np.uint8)
    return cv2.erode(np.ascontiguousarray(both), box, borderValue=0).astype(np.float32)


def _vote(mine: _Band, other: Plane, shown: Plane, size: Size, motion: Motion) -> _Votes:
    """What one band says."""
    along_x, along_y = _directions(size, motion, mine.plane.shape, mine.side)
    sums = _sums(mine, other, shown).reshape(-1, 5).T.astype(np.float64)
    xx, xy, yy, x, y = sums[:, :, None]
    mixed = along_x.T @ (xy * along_y)
    normal = along_x.T @ (xx * along_x) + along_y.T @ (yy * along_y) + mixed + mixed.T
    half = _CELLS // _PARTS
    scores = (x * along_x + y * along_y).reshape(_PARTS, half, _PARTS, half, -1)
    return _Votes(size, motion, normal, scores.sum((1, 3)).reshape(_PARTS**2, -1))


def _sums(mine: _Band, other: Plane, shown: Plane) -> Plane:
    """Over each cell (cells, cells, 5): slopes squared xx, xy, yy, and what they explain, x, y.

    In place where it can be: fresh memory would cost as much as the sums.
    """
    one, two = mine.plane * shown, other * shown
    alike, noise, spare = _made_even(one, two)
    slope_x, slope_y = (
        cv2.filter2D(np.add(one, two, out=spare), -1, k / (2 * mine.side))
        for k in (_SLOPE, _SLOPE.T)
    )
    apart = np.subtract(two, np.multiply(alike, one, out=spare), out=spare)
    apart *= apart
    apart /= noise
    apart *= _OUTLIER**-2
    apart += 1
    np.sqrt(apart, out=apart)
    noise *= apart
    weight = np.divide(shown, noise, out=noise)
    weight *= alike
    two -= one
    explained = np.multiply(two, weight, out=two)
    squares = np.multiply(weight, alike, out=weight)
    along_x = np.multiply(squares, slope_x, out=one)
    along_y = np.multiply(squares, slope_y, out=squares)
    products = (
        *((along_x, slope_x), (along_x, slope_y), (along_y, slope_y)),
        *((explained, slope_x), (explained, slope_y)),
    )
    grid = (_CELLS, _CELLS)
    cells = [
        cv2.resize(np.multiply(a, b, out=spare), grid, interpolation=cv2.INTER_AREA)
        for a, b in products
    ]
    return np.dstack(cells) * np.float32(one.size / _CELLS**2)


def _made_even(one: Plane, two: Plane) -> tuple[Plane, Plane, Plane]:
    """Two planes to a local deviation of 1, in place; ρ, 1 − ρ², and a plane to spare."""
    alike, spare, deviation = one * two, np.empty_like(one), np.empty_like(one)
    cv2.blur(alike, _WINDOW, dst=alike)
    for plane in (one, two):
        cv2.blur(np.multiply(plane, plane, out=spare), _WINDOW, dst=deviation)
        np.maximum(deviation, 0, out=deviation)
        deviation += _NOISE**2
        np.sqrt(deviation, out=deviation)
        plane /= deviation
        alike /= deviation
    np.maximum(alike, 0, out=alike)
    alike *= alike
    alike -= _CHANCE
    np.clip(alike, 0, _MOST_ALIKE**2, out=alike)
    noise = np.subtract(1, alike, out=deviation)
    np.sqrt(alike, out=alike)
    return alike, noise, spare


@lru_cache(64)
def _directions(size: Size, motion: Motion, shape: Size, side: int) -> NDArray[np.float64]:
    """By how much each step moves the centres of a band's cells, row by row."""
    x, y = (((np.arange(_CELLS) + 0.5) * n / _CELLS - 0.5) * side + 0.5 for n in shape[::-1])
    across, down = np.meshgrid(x, y)
    return directions(size, motion, np.stack([across.ravel(), down.ravel()], 1))
