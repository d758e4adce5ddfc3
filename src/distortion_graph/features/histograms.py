"""Histograms of pixel values inside regions, of each picture and of both together.

Averages cannot tell a brightened region from a bright one. The shape of a histogram can: a tone
curve leaves gaps and spikes between its 8-bit levels, haze lifts the darkest values, clipping piles
up at the ends; and the joint histogram of two pictures is the curve that leads from one to the
other. The joint histogram of their Haar magnitudes, which the score is made of (`haar`), shows what
detail one has that the other lost. Counts are whole numbers, so they add up over parts of a
picture in any order.

So are those of pixels that equal their neighbours (`equal_patterns`). Pixelation repeats every
value a few times along rows and columns and changes it at the same places in all of them; a strong
codec leaves few steps inside its blocks, noise next to no equal neighbours. This shows however
small the steps are: on a sky, or in a photograph of many megapixels, where neighbours differ by a
grey level or not at all, little else is left of a distortion.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from distortion_graph.features.cells import Layer
from distortion_graph.features.colours import as_numbers, luma_of
from distortion_graph.measure import haar
from distortion_graph.work.threads import parallel_map

LEVELS = 256
"""Bins of a picture's own histograms: one for every 8-bit value."""

JOINT_LEVELS = 32
"""Bins an axis of the joint histograms."""

CHANNELS = ("red", "green", "blue", "highest", "lowest", "luma", "saturation")
"""What the own histograms are of; highest and lowest of a pixel's three, HSV saturation · 255."""

JOINT_CHANNELS = ("highest", "lowest", "luma", "saturation")
"""What the joint histograms are of."""

DETAIL_CHANNELS = ("size 2", "size 4", "size 8", "chroma")
"""What the joint histograms of detail are of: luma's Haar magnitudes, rows and columns together,
and those of both colour differences, of one 2×2 block of pixels each."""

PATTERNS = 64
"""A pixel's pattern has a bit for each of six pairs of neighbours, set where both have the same
three values: along the row this pixel and the next (1), the next two (2), and those two a row below
(4); and down the column likewise (8, 16), and in the column to the right (32). Where a pair lies
beyond the picture its bit is 0."""

BAND_PX = 1 << 18
"""Pixels worked on at once, so that memory does not grow with the picture."""

_JOINT = tuple(CHANNELS.index(name) for name in JOINT_CHANNELS)

# A level of detail is a fixed step of log2(1 + magnitude), magnitudes in quarters of a grey level;
# an 8×8 filter's are below 1,024.
_PARTS_A_GREY_LEVEL = 4
_DETAIL_LEVEL = (25.5 * np.log2(1 + np.arange(1 << 12) / _PARTS_A_GREY_LEVEL)).astype(np.uint8)
# Of the six maps of `haar.HaarMaps.detail` and the two of its weight, which a channel counts.
_DETAIL_MAPS = ((0, 1), (3, 4), (6, 7), (2, 5))
_DETAIL_PARTS = (
    _PARTS_A_GREY_LEVEL / np.concatenate([haar.DETAIL_SCALE, haar.WEIGHT_SCALE])
).astype(np.float32)[:, None, None]

Counts = NDArray[np.float32]


class Histograms(NamedTuple):
    """Pixel counts as float32, the whole picture before its R regions.

    `own` (2, 1 + R, 7, 256): per picture (0 anchor, 1 target) and channel. `joint`
    (1 + R, 4, 32, 32): anchor's level × target's level. `detail` (1 + R, 4, 32, 32): the same of
    Haar magnitudes. `patterns` (2, 1 + R, 64): of each picture's `equal_patterns`.
    """

    own: NDArray[np.float32]
    joint: NDArray[np.float32]
    detail: NDArray[np.float32]
    patterns: NDArray[np.float32]


def region_histograms(
    anchor: NDArray[np.uint8],
    target: NDArray[np.uint8],
    layers: Callable[[], Sequence[Layer]],
    regions: int,
    band_px: int = BAND_PX,
) -> Histograms:
    """Histograms of two (H, W, 3) uint8 pictures inside so many regions, all of the layers'.

    The layers are asked for as late as they are needed: another thread may be at the masks.
    """
    height, width = anchor.shape[:2]
    rows = 2 * max(1, band_px // max(width, 1) // 2)  # whole cells of the half grid
    # 32-bit floats count exactly up to 2²⁴.
    kind = np.float32 if height * width < 1 << 24 else np.float64
    pair = (1 + regions, JOINT_LEVELS, JOINT_LEVELS)
    own = np.zeros((2, len(CHANNELS), 1 + regions, LEVELS), kind)
    joint = np.zeros((len(JOINT_CHANNELS), *pair), kind)
    detail = np.zeros((len(DETAIL_CHANNELS), *pair), kind)
    patterns = np.zeros((2, 1 + regions, PATTERNS), kind)

    def count(top: int) -> list[list[Counts]]:
        band = slice(top, min(top + rows, height))
        return _band(anchor, target, layers, band)

    outs = [*own.reshape(-1, *own.shape[2:]), *joint, *detail, *patterns]
    for counts_by_layer in parallel_map(count, range(0, height, rows)):
        for number, (layer, counts) in enumerate(zip(layers(), counts_by_layer, strict=True)):
            # A layer holds every pixel once, those of no region in row 0: the first one's rows
            # together are the whole picture.
            for out, part in zip(outs, counts, strict=True):
                out[layer.rows(len(part))] += part[1:]
                if number == 0:
                    out[0] += part.sum(0)
    return Histograms(
        np.ascontiguousarray(np.moveaxis(own, 1, 2), np.float32),
        np.ascontiguousarray(np.moveaxis(joint, 0, 1), np.float32),
        np.ascontiguousarray(np.moveaxis(detail, 0, 1), np.float32),
        np.asarray(patterns, np.float32),
    )


def equal_patterns(rgb: NDArray[np.uint8], rows: slice) -> NDArray[np.uint8]:
    """(h, W) patterns, 0 to 63, of h rows of a (H, W, 3) picture."""
    seen = rgb[rows.start : rows.stop + 2]
    height, width = rows.stop - rows.start, rgb.shape[1]
    pixels = as_numbers(seen)
    right = np.zeros((height + 2, width + 1), np.uint8)
    down = np.zeros((height + 1, width + 1), np.uint8)
    np.equal(pixels[:, 1:], pixels[:, :-1], out=right[: len(seen), : width - 1].view(bool))
    steps = len(seen) - 1
    np.equal(pixels[1:], pixels[:-1], out=down[:steps, :width].view(bool))
    patterns = right[:height, :width].copy()
    others = (right[:height, 1:], right[1:-1, :-1], down[:-1, :-1], down[1:, :-1], down[:-1, 1:])
    for bit, alike in enumerate(others, start=1):
        patterns |= alike << bit
    return patterns


def _band(
    anchor: NDArray[np.uint8],
    target: NDArray[np.uint8],
    layers: Callable[[], Sequence[Layer]],
    band: slice,
) -> list[list[Counts]]:
    """Counts of some rows, layer by layer: anchor's and target's channels, (n, 256) each, then the
    joint histograms' and those of detail, (n, 32, 32) each, then both pictures' patterns, (n, 64)
    each; n labels from 0.
    """
    first, second = _channels(anchor[band]), _channels(target[band])
    details = _details(anchor, band), _details(target, band)
    patterns = equal_patterns(anchor, band), equal_patterns(target, band)
    counts_by_layer = []
    for layer in layers():
        labels = layer.labels[band]
        n = int(labels.max()) + 1
        shape = (n, JOINT_LEVELS, JOINT_LEVELS)
        counts = [_count([labels, values], (n, LEVELS)) for values in (*first, *second)]
        counts += [_count([labels, first[c], second[c]], shape) for c in _JOINT]
        cells = np.concatenate([labels[::2, ::2]] * 2)
        counts += [_count([cells, *pair], shape) for pair in zip(*details, strict=True)]
        counts += [_count([labels, values], (n, PATTERNS), PATTERNS) for values in patterns]
        counts_by_layer.append(counts)
    return counts_by_layer


def _details(rgb: NDArray[np.uint8], band: slice) -> list[NDArray[np.uint8]]:
    """Levels of detail of some rows of a picture, in the order of `DETAIL_CHANNELS`: two maps of
    (h/2, w/2), one below the other.
    """
    rows = band.start // 2, (band.stop + 1) // 2
    maps = haar.haar_maps(haar.window_planes(rgb, rows, (0, (rgb.shape[1] + 1) // 2)))
    magnitudes = np.concatenate([maps.detail, maps.weight])
    magnitudes *= _DETAIL_PARTS
    levels = _DETAIL_LEVEL.take(magnitudes.astype(np.uint16))
    return [np.concatenate([levels[i], levels[j]]) for i, j in _DETAIL_MAPS]


def _channels(rgb: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """(h, w, 3) → seven times (h, w), in the order of `CHANNELS`."""
    red, green, blue = cv2.split(rgb)
    high = cv2.max(cv2.max(red, green), blue)
    low = cv2.min(cv2.min(red, green), blue)
    luma = luma_of(rgb)
    # The quotient is at least 1/255 from the next whole number where it is none itself, far more
    # than its rounding: what is cut off is the same as in whole numbers.
    share = cv2.divide(cv2.subtract(high, low), np.maximum(high, 1), scale=255, dtype=cv2.CV_32F)
    return [red, green, blue, high, low, luma, share.astype(np.uint8)]  # type: ignore[list-item]


def _count(values: list[NDArray[np.uint8]], shape: tuple[int, ...], most: int = LEVELS) -> Counts:
    """Joint histogram of a label map and one or two pictures of values below `most`."""
    ranges = [0, shape[0], *[0, most] * (len(shape) - 1)]
    return np.asarray(
        cv2.calcHist(values, list(range(len(shape))), None, list(shape), ranges), np.float32
    )
