"""Detail: unsharp masking overdone, and pixelation."""

from __future__ import annotations

import cv2
import numpy as np

from distortion_graph.synth.distort.common import Image

_UNSHARP_PX = 5
UNSHARP_REACH_PX = _UNSHARP_PX // 2


def unsharp(image: Image, amount: float, rng: np.random.Generator) -> Image:
    """x + amount·(x − G·x) with G a 5×5 Gaussian of σ = 1.1 px."""
    del rng
    values = image.astype(np.float32)
    smooth = cv2.GaussianBlur(
        values, (_UNSHARP_PX, _UNSHARP_PX), 1.1, borderType=cv2.BORDER_REFLECT
    )
    sharp = cv2.addWeighted(values, 1 + amount, smooth, -amount, 0)
    np.rint(sharp, out=sharp)
    return np.clip(sharp, 0, 255, out=sharp).astype(np.uint8)


def pixelate(image: Image, scale: float, rng: np.random.Generator) -> Image:
    """Shrink by area averaging to `scale` of the size, enlarge by nearest neighbour."""
    del rng
    height, width = image.shape[:2]
    small = (max(1, round(width * scale)), max(1, round(height * scale)))
    shrunk = cv2.resize(image, small, interpolation=cv2.INTER_AREA)
    out = cv2.resize(shrunk, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
    return np.asarray(out, np.uint8)
