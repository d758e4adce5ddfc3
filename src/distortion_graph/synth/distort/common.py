"""Conversions that the distortion families share. Images are H×W×3 RGB."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
"""H×W×3 RGB, 8 bit."""

FloatImage = NDArray[np.float32]
"""H×W×3, [0, 1]."""

LUMA_BT601 = np.array([0.299, 0.587, 0.114], np.float32)
"""Weights of R, G, B in luma (ITU-R BT.601)."""


def to_unit(image: Image) -> FloatImage:
    """8-bit values → float32 in [0, 1], an array of its own."""
    return image.astype(np.float32) / np.float32(255)


def to_bytes(image: FloatImage) -> Image:
    """Values in [0, 1] → 8 bit, rounded, clipped."""
    scaled = image * np.float32(255)
    np.rint(scaled, out=scaled)
    np.clip(scaled, 0, 255, out=scaled)
    return scaled.astype(np.uint8)


def convert(image: FloatImage, code: int) -> FloatImage:
    """OpenCV colour conversion of a float image in [0, 1]."""
    return np.asarray(cv2.cvtColor(image, code), np.float32)
