"""Pixel statistics (`model.pair_encoder.PixelStatistics`) by cells, computed outside the network.

Sixteen maps at full resolution are little work and much memory: as tensors of the network they
cost a third of its time. Here they are made in strips that stay in a core's cache, and only their
means and mean squares in every cell are kept, which is all the network looks at.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from distortion_graph.features.cells import CELL_PX

Floats = NDArray[np.float32]

CHANNELS = 16
_STRIP_PX = 1 << 16
_STEP = np.float32(1 / 255)
# Luma (BT.601) and the two colour differences R−Y and B−Y.
_LUMA_AND_COLOUR = np.array(
    [[0.299, 0.587, 0.114], [0.701, -0.587, -0.114], [-0.299, -0.587, 0.886]], np.float32
)
_NOISE = np.array([0.5, -1, 0.5], np.float32)  # times itself: Immerkær's filter
_NEAR_WHITE = np.exp(-24 * (1 - np.arange(256) / 255)).astype(np.float32)[None]


def cell_statistics(rgb: NDArray[np.uint8], counted: tuple[slice, slice]) -> Floats:
    """Means of the statistics and of their squares, (2, 16, h/4, w/4).

    `counted` are the pixels of the (H, W, 3) picture `rgb` that are wanted, h × w of them, both
    multiples of 4; the ones around them are seen, and the picture's edge is repeated.
    """
    rows, columns = counted
    height, width = rows.stop - rows.start, columns.stop - columns.start
    seen = _with_margin(rgb, rows, columns)
    out = np.empty((2, CHANNELS, height // CELL_PX, width // CELL_PX), np.float32)
    step = max(_STRIP_PX // width // CELL_PX, 1) * CELL_PX
    for top in range(0, height, step):
        bottom = min(top + step, height)
        maps = _maps(seen[top : bottom + 2])
        cells = slice(top // CELL_PX, bottom // CELL_PX)
        _average(maps, out[0, :, cells])
        np.multiply(maps, maps, out=maps)
        _average(maps, out[1, :, cells])
    return out


def _with_margin(rgb: NDArray[np.uint8], rows: slice, columns: slice) -> NDArray[np.uint8]:
    """The wanted pixels and one more on every side, the picture's edge repeated."""
    height, width = rgb.shape[:2]
    top, left = max(rows.start - 1, 0), max(columns.start - 1, 0)
    bottom, right = min(rows.stop + 1, height), min(columns.stop + 1, width)
    return np.asarray(
        cv2.copyMakeBorder(
            rgb[top:bottom, left:right],
            top - rows.start + 1,
            rows.stop + 1 - bottom,
            left - columns.start + 1,
            columns.stop + 1 - right,
            cv2.BORDER_REPLICATE,
        ),
        np.uint8,
    )


def _maps(seen: NDArray[np.uint8]) -> Floats:
    """(16, h, w) statistics of (h + 2, w + 2, 3) pixels."""
    height, width = seen.shape[0] - 2, seen.shape[1] - 2
    inner = np.s_[1:-1, 1:-1]
    rgb = seen.astype(np.float32)
    rgb *= _STEP
    planes = np.asarray(cv2.transform(rgb, _LUMA_AND_COLOUR), np.float32)
    noise = np.abs(cv2.sepFilter2D(planes, -1, _NOISE, _NOISE)[inner])
    luma = np.ascontiguousarray(planes[..., 0])
    here = luma[inner]
    red, green, blue = cv2.split(seen[inner])
    high = cv2.max(cv2.max(red, green), blue)
    spread = cv2.subtract(high, cv2.min(cv2.min(red, green), blue))

    out = np.empty((CHANNELS, height, width), np.float32)
    for k, plane in enumerate((red, green, blue)):
        np.multiply(plane, _STEP, out=out[k])
    np.multiply(spread, _STEP, out=out[4])
    nearly = high * _STEP
    nearly += _STEP
    np.divide(out[4], nearly, out=out[3])
    np.subtract(luma[1:-1, 2:], here, out=out[5])
    np.subtract(luma[2:, 1:-1], here, out=out[6])
    gradients = np.abs(out[5:7], out=out[5:7])
    np.multiply(gradients, np.float32(-128), out=out[7:9])
    gradients *= 4
    np.multiply(noise[..., 0], np.float32(4), out=out[9])
    # OpenCV's exponential takes a fifth of the time of NumPy's; it and the logarithm err as little.
    cv2.log(noise[..., 0] + _STEP, out[10])
    out[10] *= np.float32(0.25)
    np.multiply(noise[..., 1], np.float32(4), out=out[11])
    np.multiply(noise[..., 2], np.float32(4), out=out[12])
    np.multiply(here, np.float32(-24), out=out[13])
    out[14] = cv2.LUT(high, _NEAR_WHITE)
    np.subtract(out[3], np.float32(1), out=out[15])
    out[15] *= 12
    for k in (7, 8, 13, 15):
        cv2.exp(out[k], out[k])
    return out


def _average(maps: Floats, out: Floats) -> None:
    """Means of 4×4 cells."""
    rows = maps[:, 0::4] + maps[:, 1::4]
    rows += maps[:, 2::4]
    rows += maps[:, 3::4]
    cells = rows[..., 0::4] + rows[..., 1::4]
    cells += rows[..., 2::4]
    cells += rows[..., 3::4]
    np.multiply(cells, np.float32(1 / CELL_PX**2), out=out)
