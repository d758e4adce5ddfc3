"""Pictures made of blocks: reduced, and enlarged again by repeating pixels.

What a block shows is the mean of what lies below it. So the other picture is laid on the fine grid,
reduced to the same blocks, and compared there: what blocks add that is not in the scene (aliasing)
is then the same in both.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from distortion_graph.pictures.align.detail import Plane, Pyramid
from distortion_graph.pictures.align.matrices import (
    Matrix,
    Size,
    corners,
    in_indices,
    inverted,
    keeps_frame,
    moved,
    normalised,
)
from distortion_graph.pictures.align.motions import STEPS, Motion, movement
from distortion_graph.pictures.align.refine import FINEST_PIXELS

Picture: TypeAlias = NDArray[np.uint8]

_MOST_EDGES = 0.7  # of the places between two columns or rows
_ROWS_FIRST = 64
_LOW_PX, _GAIN_PX = 11, 15  # in blocks; as for detail
_LEAST_BLOCKS = 8
_STEPS = 3
_NUDGE_PX = 0.25
_OUTLIER = 2.0  # deviations at which a block counts half


class _Blocks(NamedTuple):
    """A picture made of blocks: its size, a pixel for each block, and these with even contrast."""

    size: Size
    pixels: Plane


def refined_on_blocks(onto: Pyramid, of: Pyramid, matrix: Matrix, motion: Motion) -> Matrix:
    """`matrix` improved where one of the pictures is made of blocks and small enough."""
    blocks = _blocks(of)
    if blocks is not None:
        found = _fitted(blocks, onto, matrix, motion)
        return found if _is_near(found, matrix, blocks) else matrix
    blocks = _blocks(onto)
    if blocks is None:
        return matrix
    found = _fitted(blocks, of, inverted(matrix), motion)
    return inverted(found) if _is_near(found, inverted(matrix), blocks) else matrix


def _is_near(found: Matrix, start: Matrix, blocks: _Blocks) -> bool:
    """Whether a fit ended within a block of where it began, as it does where it converges."""
    away = moved(inverted(start), moved(found, corners(blocks.size))) - corners(blocks.size)
    side = max(blocks.size) / max(blocks.pixels.shape)
    return keeps_frame(found, blocks.size) and bool(np.abs(away).max() < side)


def _blocks(picture: Pyramid) -> _Blocks | None:
    """None where the picture is large, or not made of blocks of one size."""
    if picture.pixels > FINEST_PIXELS:
        return None
    grey = np.asarray(cv2.cvtColor(picture.rgb, cv2.COLOR_RGB2GRAY), np.uint8)
    if _changes(grey[:_ROWS_FIRST]).mean() > _MOST_EDGES:
        return None
    x, y = (np.flatnonzero(np.append(True, _changes(plane))) for plane in (grey, grey.T))
    if min(len(x), len(y)) < _LEAST_BLOCKS or not (_regular(x) and _regular(y)):
        return None
    return _Blocks(picture.size, grey[np.ix_(y, x)].astype(np.float32))


def _regular(starts: NDArray[np.intp]) -> bool:
    """Whether blocks are of one size to a pixel, and of more than one; the last may be cut."""
    sizes = np.diff(starts)
    return bool(sizes.mean() > 1 / _MOST_EDGES and sizes.max() - sizes.min() <= 1)


def _changes(grey: Picture) -> NDArray[np.bool_]:
    """Between which neighbouring columns anything changes."""
    return np.asarray((grey[:, 1:] != grey[:, :-1]).any(0), np.bool_)


def _fitted(blocks: _Blocks, sharp: Pyramid, matrix: Matrix, motion: Motion) -> Matrix:
    """`matrix`, places of the blocks' picture to places of the sharp one, by Gauss and Newton."""
    grey = np.asarray(cv2.cvtColor(sharp.rgb, cv2.COLOR_RGB2GRAY), np.float32)
    truth, even = _detail(blocks.pixels)
    outlier: float | None = None
    for _ in range(_STEPS):
        now, shown = _seen_in_blocks(grey, matrix, blocks)
        columns = [
            (_seen_in_blocks(grey, matrix @ nudged, blocks)[0] - now) / _NUDGE_PX
            for nudged in _nudges(blocks.size, motion, _NUDGE_PX)
        ]
        stacked = np.stack([*columns, now, truth - now], 2)
        table = np.asarray(stacked[shown] * even[shown][:, None], np.float64)
        if len(table) <= 2 * table.shape[1]:
            return matrix
        rest = np.abs(table[:, -1])
        outlier = outlier or _OUTLIER * float(np.median(rest)) + 1e-6
        table = table / np.sqrt(1 + (rest / outlier) ** 2)[:, None]
        # The last column but one is the contrast, the last one what is to be explained.
        normal = np.asarray(cv2.mulTransposed(table, True), np.float64)
        ridge = 1e-9 * float(np.trace(normal)) * np.eye(len(normal) - 1)
        step = np.asarray(np.linalg.solve(normal[:-1, :-1] + ridge, normal[:-1, -1]), np.float64)
        matrix = normalised(matrix @ movement(blocks.size, step[:-1]))
    return matrix


def _seen_in_blocks(
    grey: Plane, matrix: Matrix, blocks: _Blocks
) -> tuple[Plane, NDArray[np.bool_]]:
    """Detail of a picture laid on the blocks' one, a pixel for each, and which of them it fills."""
    h, w = blocks.size
    small = blocks.pixels.shape[::-1]
    indices, flags = in_indices(matrix), cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    laid = cv2.warpPerspective(grey, indices, (w, h), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    full = np.ones(grey.shape, np.float32)
    inside = cv2.warpPerspective(
        full, indices, (w, h), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    )
    reduced, cover = (cv2.resize(p, small, interpolation=cv2.INTER_AREA) for p in (laid, inside))
    shown = cv2.erode((cover > 1 - 1e-3).astype(np.uint8), np.ones((3, 3), np.uint8), borderValue=0)
    return _detail(reduced.astype(np.float32))[0], shown > 0


def _detail(pixels: Plane) -> tuple[Plane, Plane]:
    """Grey levels without their local mean, and by what they are to be evened out."""
    low = cv2.blur(cv2.blur(pixels, (_LOW_PX, _LOW_PX)), (_LOW_PX, _LOW_PX))
    band = pixels - low
    power = cv2.blur(band * band, (_GAIN_PX, _GAIN_PX))
    return band, np.asarray(1 / np.sqrt(power + float(power.mean()) + 0.25), np.float32)


def _nudges(size: Size, motion: Motion, by: float) -> list[Matrix]:
    """A movement for each step of the motion."""
    count = STEPS[motion]
    return [movement(size, by * np.eye(count)[k]) for k in range(count)]
