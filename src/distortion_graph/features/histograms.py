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

from collections.abc import Callable, Iterator, Sequence
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
Plane = NDArray[np.uint8]


class OwnHistograms(NamedTuple):
    """Pixel counts of one picture as float32, the whole picture before its R regions.

    `own` (1 + R, 7, 256) by channel; `patterns` (1 + R, 64) of `equal_patterns`.
    """

    own: Counts
    patterns: Counts


class JointHistograms(NamedTuple):
    """Pixel counts of two pictures as float32, the whole picture before its R regions.

    `joint` (1 + R, 4, 32, 32): anchor's level × target's level. `detail` (1 + R, 4, 32, 32): the
    same of Haar magnitudes.
    """

    joint: Counts
    detail: Counts


class JointPlanes(NamedTuple):
    """What joint histograms count of some rows of a picture, uint8: `channels`, (h, W) each, and
    `details`, (h, W/2) each, of two maps one below the other.
    """

    channels: list[Plane]
    details: list[Plane]


def own_histograms(
    rgb: NDArray[np.uint8],
    layers: Callable[[], Sequence[Layer]],
    regions: int,
    band_px: int = BAND_PX,
) -> OwnHistograms:
    """Histograms of an (H, W, 3) uint8 picture inside so many regions, all of the layers'.

    The layers are asked for as late as they are needed: another thread may be at the masks.
    """

    def count(band: slice) -> list[list[Counts]]:
        channels, patterns = _channels(rgb[band]), equal_patterns(rgb, band)
        return [
            [
                *(_count([labels, values], (n, LEVELS)) for values in channels),
                _count([labels, patterns], (n, PATTERNS), PATTERNS),
            ]
            for labels, n in _labels(layers(), band)
        ]

    shapes = [(LEVELS,)] * len(CHANNELS) + [(PATTERNS,)]
    *own, patterns = _added(rgb.shape[:2], layers, regions, shapes, count, band_px)
    return OwnHistograms(np.stack(own, 1), patterns)


def joint_histograms(
    planes: Sequence[Callable[[slice], JointPlanes]],
    size: tuple[int, int],
    layers: Callable[[], Sequence[Layer]],
    regions: int,
    band_px: int = BAND_PX,
) -> JointHistograms:
    """Joint histograms of two pictures of `size` (h, w), by their `joint_planes` of a band of rows.

    Regions and layers as in `own_histograms`.
    """
    first, second = planes

    def count(band: slice) -> list[list[Counts]]:
        one, other = first(band), second(band)
        by_layer = []
        for labels, n in _labels(layers(), band):
            shape = (n, JOINT_LEVELS, JOINT_LEVELS)
            pairs = zip(one.channels, other.channels, strict=True)
            counts = [_count([labels, *pair], shape) for pair in pairs]
            cells = np.concatenate([labels[::2, ::2]] * 2)
            pairs = zip(one.details, other.details, strict=True)
            by_layer.append(counts + [_count([cells, *pair], shape) for pair in pairs])
        return by_layer

    joint = len(JOINT_CHANNELS)
    shapes = [(JOINT_LEVELS, JOINT_LEVELS)] * (joint + len(DETAIL_CHANNELS))
    counted = _added(size, layers, regions, shapes, count, band_px)
    return JointHistograms(np.stack(counted[:joint], 1), np.stack(counted[joint:], 1))


def joint_planes(rgb: NDArray[np.uint8], band: slice) -> JointPlanes:
    """What joint histograms count of some rows, from an even one on, of an (H, W, 3) picture."""
    channels = _channels(rgb[band])
    return JointPlanes([channels[c] for c in _JOINT], _details(rgb, band))


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


def _added(
    size: tuple[int, ...],
    layers: Callable[[], Sequence[Layer]],
    regions: int,
    shapes: Sequence[tuple[int, ...]],
    count: Callable[[slice], list[list[Counts]]],
    band_px: int,
) -> list[Counts]:
    """(1 + R, *shape) float32 for each of the shapes: what `count` gives of bands of rows, layer by
    layer and label by label, added up.
    """
    height, width = size
    rows = 2 * max(1, band_px // max(width, 1) // 2)  # whole cells of the half grid
    # 32-bit floats count exactly up to 2²⁴.
    kind = np.float32 if height * width < 1 << 24 else np.float64
    outs = [np.zeros((1 + regions, *shape), kind) for shape in shapes]
    bands = [slice(top, min(top + rows, height)) for top in range(0, height, rows)]
    for counts_by_layer in parallel_map(count, bands):
        for number, (layer, counts) in enumerate(zip(layers(), counts_by_layer, strict=True)):
            # A layer holds every pixel once, those of no region in row 0: the first one's rows
            # together are the whole picture.
            for out, part in zip(outs, counts, strict=True):
                out[layer.rows(len(part))] += part[1:]
                if number == 0:
                    out[0] += part.sum(0)
    return [np.asarray(out, np.float32) for out in outs]


def _labels(layers: Sequence[Layer], band: slice) -> Iterator[tuple[Plane, int]]:
    """The labels of some rows in each layer, and of how many labels from 0 on they are."""
    for layer in layers:
        labels = layer.labels[band]
        yield labels, int(labels.max()) + 1


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
