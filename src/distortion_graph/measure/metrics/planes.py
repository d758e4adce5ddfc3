"""Steps on planes that several metrics share."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from distortion_graph.measure.metrics.metric import Slices

Planes = NDArray[Any]
Rgb = NDArray[np.uint8]

_LUMA = np.array([[0.299, 0.587, 0.114]])


def luma(rgb: Rgb, kind: type[np.floating[Any]] = np.float32) -> Planes:
    """BT.601's luma, 0 to 255, (h, w), of (h, w, 3) RGB uint8."""
    return np.asarray(cv2.transform(rgb.astype(kind), _LUMA.astype(kind)))


def gaussian(radius: int, sigma: float) -> NDArray[np.float64]:
    """2·radius + 1 samples of a Gaussian, which sum to 1."""
    taps = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    return np.asarray(taps / taps.sum(), np.float64)


def filtered(planes: Planes, rows: Planes, columns: Planes, border: int) -> Planes:
    """(..., h, w) planes filtered along their rows and columns, extended as OpenCV's `border`."""
    if planes.ndim == 2:
        return np.asarray(cv2.sepFilter2D(planes, -1, rows, columns, borderType=border))
    return np.stack([filtered(plane, rows, columns, border) for plane in planes])


def length(x: Planes, y: Planes) -> Planes:
    """√(x² + y²); the last bit of OpenCV's depends on where the planes lie in memory."""
    squares = x * x
    squares += y * y
    return np.asarray(np.sqrt(squares, out=squares))


def halved(planes: Planes, own: Slices) -> Planes:
    """Means of 2×2 cells; at the frame's end the last row or column counts twice if it is odd."""
    part = planes[(..., *own)]
    odd = [size % 2 for size in part.shape[-2:]]
    if any(odd):
        part = np.pad(part, [(0, 0)] * (part.ndim - 2) + [(0, n) for n in odd], mode="edge")
    rows = part[..., ::2, :] + part[..., 1::2, :]
    means = rows[..., ::2] + rows[..., 1::2]
    means *= means.dtype.type(0.25)
    return np.asarray(means)
