"""Saturation: S of HSV and chroma of YCrCb scaled."""

from __future__ import annotations

import cv2
import numpy as np

from distortion_graph.synth.distort.common import Image, convert, to_bytes, to_unit


def saturate_hsv(image: Image, factor: float, rng: np.random.Generator) -> Image:
    """S of HSV times `factor`, clipped at full saturation."""
    del rng
    hsv = convert(to_unit(image), cv2.COLOR_RGB2HSV)
    hsv[..., 1] = np.minimum(hsv[..., 1] * np.float32(factor), 1)
    return to_bytes(convert(hsv, cv2.COLOR_HSV2RGB))


def saturate_ycrcb(image: Image, factor: float, rng: np.random.Generator) -> Image:
    """Chroma of YCrCb times `factor` about neutral grey."""
    del rng
    ycrcb = convert(to_unit(image), cv2.COLOR_RGB2YCrCb)
    neutral = np.float32(0.5)
    ycrcb[..., 1:] = neutral + (ycrcb[..., 1:] - neutral) * np.float32(factor)
    return to_bytes(convert(ycrcb, cv2.COLOR_YCrCb2RGB))
