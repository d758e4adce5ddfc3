"""Pixels that differ only in how the same edges were drawn: anti-aliasing, and letters.

* `antialiased`: a pixel that smooths an edge in one of the pictures. It has a darker and a brighter
  neighbour and at most two of its own brightness, and its darkest or its brightest neighbour
  belongs to an even area in both pictures (Vyšniauskas, "Anti-aliased Pixel and Intensity Slope
  Detector", 2009, in the form that pixelmatch and odiff have).
* `redrawn`: a pixel that letters of other hinting, other sub-pixels or another position within a
  pixel explain. After a Gaussian of σ 1, which takes half-covered columns and coloured fringes
  together, the value of either picture lies between the smallest and the largest value that the
  other one has in the 3×3 pixels there, as in Birchfield and Tomasi, "A pixel dissimilarity measure
  that is insensitive to image sampling", 1998, and beyond that by no more than a share of the
  contrast around. What moved by more than a pixel is not explained.

Both are the same when the pictures are exchanged. benchmarks/screenshot_gate.py measures them.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from distortion_graph.masks.boxes import Box
from distortion_graph.measure.differences import changed_pixels
from distortion_graph.measure.quality import check_pair

SIGMA_PX = 1.0
"""Of the Gaussian before two drawings of letters are compared."""

BEYOND = 0.16
"""How far, as a share of the contrast around, a value may lie beyond those of the other picture."""

CONTRAST_PX = 7
"""Side of the square in which contrast is looked for."""

LEAST_CONTRAST = 20
"""8-bit steps; where there is less, values may lie beyond by as much as with this."""

_REACH_PX = 8  # a pixel depends on none farther away
_NEIGHBOURS = tuple((dy, dx) for dx in (-1, 0, 1) for dy in (-1, 0, 1) if dx or dy)
_LUMA = np.array([0.29889531, 0.58662247, 0.11448223])  # Y of YIQ
_MANY = 2
"""An even area has more neighbours than this of the pixel's own value."""

Rgb = NDArray[np.uint8]
Bools = NDArray[np.bool_]


def antialiased(anchor: Rgb, target: Rgb) -> Bools:
    """(H, W): the changed pixels that smooth an edge in one of two (H, W, 3) pictures.

    Raises ImageError unless both are RGB uint8 pictures of one size.
    """
    check_pair(anchor, target)
    out = changed_pixels(anchor, target)
    rows, columns = np.nonzero(out)
    even = [_in_even_area(rgb) for rgb in (anchor, target)]
    both_even = even[0] & even[1]
    smooths = [_smooths(rgb, rows, columns, both_even) for rgb in (anchor, target)]
    out[rows, columns] = smooths[0] | smooths[1]
    return out


def redrawn(anchor: Rgb, target: Rgb) -> Bools:
    """(H, W): the changed pixels of two (H, W, 3) pictures that another drawing explains.

    Raises ImageError unless both are RGB uint8 pictures of one size.
    """
    check_pair(anchor, target)
    changed = changed_pixels(anchor, target)
    out = np.zeros_like(changed)
    box = Box.around(changed)
    if box.empty:
        return out
    near = box.grown(_REACH_PX).clipped(changed.shape)
    pair = [np.ascontiguousarray(rgb[near.area]) for rgb in (anchor, target)]
    soft = [_softened(rgb) for rgb in pair]
    beyond = np.maximum(_beyond(*soft), _beyond(*soft[::-1]))
    contrast = np.maximum(*map(_contrast, pair))
    explained = beyond <= BEYOND * np.maximum(contrast, LEAST_CONTRAST)
    out[near.area] = changed[near.area] & explained
    return out


def _smooths(
    rgb: Rgb, rows: NDArray[np.int64], columns: NDArray[np.int64], both_even: Bools
) -> Bools:
    """(N,): whether each of some pixels smooths an edge of this picture."""
    height, width = rgb.shape[:2]
    light = rgb @ _LUMA
    steps = np.full((len(rows), len(_NEIGHBOURS)), np.nan)
    for k, (dy, dx) in enumerate(_NEIGHBOURS):
        y, x = rows + dy, columns + dx
        inside = (y >= 0) & (y < height) & (x >= 0) & (x < width)
        steps[inside, k] = light[rows[inside], columns[inside]] - light[y[inside], x[inside]]
    on_rim = (rows == 0) | (rows == height - 1) | (columns == 0) | (columns == width - 1)
    alike = (steps == 0).sum(1) + on_rim
    known = np.nan_to_num(steps)
    between = (alike <= _MANY) & (known.min(1) < 0) & (known.max(1) > 0)
    offsets = np.array(_NEIGHBOURS)
    beside_even = np.zeros(len(rows), np.bool_)
    for extreme in (known.argmin(1), known.argmax(1)):
        y, x = (offsets[extreme] + np.stack([rows, columns], 1)).T
        # Of a pixel that is not between, the extreme may be a neighbour outside the picture.
        beside_even |= both_even[y.clip(0, height - 1), x.clip(0, width - 1)]
    return np.asarray(between & beside_even, np.bool_)


def _in_even_area(rgb: Rgb) -> Bools:
    """(H, W): whether more than two neighbours have a pixel's very value."""
    height, width = rgb.shape[:2]
    packed = rgb.astype(np.int32) @ np.array([1 << 16, 1 << 8, 1], np.int32)
    around = np.pad(packed, 1, constant_values=-1)
    alike = np.zeros((height, width), np.uint8)
    for dy, dx in _NEIGHBOURS:
        alike += around[1 + dy : 1 + dy + height, 1 + dx : 1 + dx + width] == packed
    alike[[0, -1]] += 1
    alike[1:-1, [0, -1]] += 1
    return np.asarray(alike > _MANY, np.bool_)


def _softened(rgb: Rgb) -> NDArray[np.float32]:
    return np.asarray(cv2.GaussianBlur(rgb.astype(np.float32), (0, 0), SIGMA_PX), np.float32)


def _beyond(one: NDArray[np.float32], two: NDArray[np.float32]) -> NDArray[np.float32]:
    """(H, W): how far values of one lie outside those of the other in the 3×3 pixels there."""
    window = np.ones((3, 3), np.uint8)
    low, high = cv2.erode(two, window), cv2.dilate(two, window)
    return np.asarray(np.maximum(low - one, one - high).max(2), np.float32)


def _contrast(rgb: Rgb) -> NDArray[np.float32]:
    """(H, W): the largest range of a channel in the square around a pixel."""
    window = np.ones((CONTRAST_PX, CONTRAST_PX), np.uint8)
    return np.asarray((cv2.dilate(rgb, window) - cv2.erode(rgb, window)).max(2), np.float32)
