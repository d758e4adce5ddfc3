"""Distance guessed from a picture, for what grows with it: haze, focus."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from distortion_graph.synth.distort.common import Image

Depth = NDArray[np.float32]
"""H×W in [0, 1], larger is farther."""


def depth_from_cues(
    image: Image, rng: np.random.Generator, depth: NDArray[np.float32] | None = None
) -> Depth:
    """A mix, by random weights, of several cues; a given map is only brought to [0, 1].

    The cues: higher up is farther, a tilted plane, broad random hills, and where the darkest
    channel of the surroundings is bright (He et al. 2009: air and sky have no dark pixels).
    """
    if depth is not None:
        return _unit(np.asarray(depth, np.float32))
    height, width = image.shape[:2]
    weights = rng.dirichlet((1.5, 0.5, 1.0, 1.0)).astype(np.float32)
    rise = np.linspace(1, 0, height, dtype=np.float32)[:, None] ** np.float32(rng.uniform(0.5, 2))
    field = weights[0] * np.broadcast_to(rise, (height, width))
    slope_x, slope_y = rng.uniform(-1, 1, 2).astype(np.float32)
    x = np.linspace(0, 1, width, dtype=np.float32)[None, :]
    y = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    field = field + weights[1] * _unit(slope_x * x + slope_y * y)
    field += weights[2] * _hills(image, rng)
    field += weights[3] * _dark_channel(image)
    return _unit(field)


def _hills(image: Image, rng: np.random.Generator) -> Depth:
    height, width = image.shape[:2]
    knots = int(rng.integers(2, 7))
    coarse = rng.standard_normal((knots, knots), dtype=np.float32)
    hills = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return _unit(np.asarray(hills, np.float32))


def _dark_channel(image: Image) -> Depth:
    darkest = image.min(axis=2)
    reach = max(3, min(darkest.shape) // 30) | 1
    eroded = cv2.erode(darkest, np.ones((reach, reach), np.uint8))
    smooth = cv2.GaussianBlur(eroded.astype(np.float32), (0, 0), reach / 2)
    return _unit(np.asarray(smooth, np.float32))


def _unit(field: NDArray[np.float32]) -> Depth:
    low, high = float(field.min()), float(field.max())
    if high <= low:
        return np.full(field.shape, 0.5, np.float32)
    return np.asarray((field - low) / (high - low), np.float32)
