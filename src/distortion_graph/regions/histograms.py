"""Histograms of pixel values inside regions, of each picture and of both together.

Averages cannot tell a brightened region from a bright one. The shape of a histogram can: a tone
curve leaves gaps and spikes between its 8-bit levels, haze lifts the darkest values, clipping piles
up at the ends; and the joint histogram of two pictures is the curve that leads from one to the
other. Counts are whole numbers, so they add up over parts of a picture in any order.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from distortion_graph.errors import RegionError
from distortion_graph.regions.container import Masks

LEVELS = 256
"""Bins of a picture's own histograms: one for every 8-bit value."""

JOINT_LEVELS = 32
"""Bins an axis of the joint histograms."""

CHANNELS = ("red", "green", "blue", "highest", "lowest", "luma", "saturation")
"""What the own histograms are of; highest and lowest of a pixel's three, HSV saturation · 255."""

JOINT_CHANNELS = ("highest", "lowest", "luma", "saturation")
"""What the joint histograms are of."""

_JOINT = tuple(CHANNELS.index(name) for name in JOINT_CHANNELS)
_BAND_PX = 1 << 20  # pixels worked on at once, so that memory does not grow with the picture


class Histograms(NamedTuple):
    """Pixel counts as float32, the whole picture before its R regions.

    `own` (2, 1 + R, 7, 256): per picture (0 anchor, 1 target) and channel. `joint`
    (1 + R, 4, 32, 32): anchor's level × target's level.
    """

    own: NDArray[np.float32]
    joint: NDArray[np.float32]


def region_histograms(
    anchor: NDArray[np.uint8], target: NDArray[np.uint8], masks: Masks
) -> Histograms:
    """Histograms of two (H, W, 3) uint8 pictures inside R masks of (H, W) bool.

    Raises RegionError for a mask of another size or type.
    """
    size = anchor.shape[:2]
    rows = max(1, _BAND_PX // max(size[1], 1))
    count = 1 + len(masks)
    own = np.zeros((2, len(CHANNELS), count, LEVELS), np.int64)
    joint = np.zeros((len(_JOINT), count, JOINT_LEVELS, JOINT_LEVELS), np.int64)
    for number, layer in enumerate(_layers(size, masks)):
        for top in range(0, size[0], rows):
            band = slice(top, top + rows)
            place = layer[band].ravel()
            values = [_channels(picture[band]) for picture in (anchor, target)]
            for side, channels in enumerate(values):
                for c, channel in enumerate(channels):
                    _add(own[side, c], place, channel)
            for c, place_of in enumerate(_JOINT):
                first, second = (v[place_of] // (LEVELS // JOINT_LEVELS) for v in values)
                _add(joint[c], place, first.astype(np.intp) * JOINT_LEVELS + second)
        if number == 0:
            # The first layer holds every pixel once, those of no region in row 0: together they
            # are the whole picture.
            scene = own.sum(2), joint.sum(1)
    own[:, :, 0], joint[:, 0] = scene
    return Histograms(
        own.swapaxes(1, 2).astype(np.float32), joint.swapaxes(0, 1).astype(np.float32)
    )


def _layers(size: tuple[int, int], masks: Masks) -> list[NDArray[np.intp]]:
    """Label maps of regions from 1, 0 elsewhere; regions that overlap lie in different ones."""
    layers = [np.zeros(size, np.intp)]
    for number, mask in enumerate(masks, start=1):
        if mask.shape != size or mask.dtype != np.bool_:
            raise RegionError(
                f"masks must be (R, {size[0]}, {size[1]}) bool, got one of {mask.shape} "
                f"{mask.dtype}"
            )
        free = next((layer for layer in layers if not layer[mask].any()), None)
        if free is None:
            free = np.zeros(size, np.intp)
            layers.append(free)
        free[mask] = number
    return layers


def _channels(rgb: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """(h, w, 3) → seven times (h·w,), in the order of `CHANNELS`."""
    red, green, blue = (np.ascontiguousarray(plane).ravel() for plane in np.moveaxis(rgb, 2, 0))
    high = np.maximum(np.maximum(red, green), blue)
    low = np.minimum(np.minimum(red, green), blue)
    luma = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.uint8).ravel()
    share = (high - low).astype(np.uint16) * np.uint16(LEVELS - 1) // np.maximum(high, 1)
    return [red, green, blue, high, low, luma, share.astype(np.uint8)]


def _add(counts: NDArray[np.int64], place: NDArray[np.intp], value: NDArray[np.integer]) -> None:
    """Count values (n,) by region into (1 + R, …)."""
    found = np.bincount(place * counts[0].size + value, minlength=counts.size)
    counts += found.reshape(counts.shape)
