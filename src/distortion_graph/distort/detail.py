"""Detail: unsharp masking overdone, and pixelation."""

from __future__ import annotations

import cv2
import numpy as np

from distortion_graph.distort.common import Image


def unsharp(image: Image, amount: float, rng: np.random.Generator) -> Image:
    """x + amount·(x − G·x) with G a 5×5 Gaussian of σ = 1.1 px."""
    del rng
    values = image.astype(np.float32)
    smooth = cv2.GaussianBlur(values, (5, 5), 1.1, borderType=cv2.BORDER_REFLECT)
    sharp = values + np.float32(amount) * (values - smooth)
    return np.asarray(np.rint(np.clip(sharp, 0, 255)), np.uint8)


def pixelate(image: Image, scale: float, rng: np.random.Generator) -> Image:
    """Shrink by area averaging to `scale` of the size, enlarge by nearest neighbour."""
    del rng
    height, width = image.shape[:2]
    small = (max(1, round(width * scale)), max(1, round(height * scale)))
    shrunk = cv2.resize(image, small, interpolation=cv2.INTER_AREA)
    out = cv2.resize(shrunk, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
    return np.asarray(out, np.uint8)
