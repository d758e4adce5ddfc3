"""Pictures in other forms of colour, made on the calling thread alone.

OpenCV shares a conversion of more than 65,536 pixels among threads of its own, and when it is done
they go on asking for work for a while, on a core that the rest of a comparison needs.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

_UNSHARED_PX = 1 << 16


def luma_of(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(H, W, 3) → (H, W), BT.601."""
    return _converted(rgb, cv2.COLOR_RGB2GRAY, np.empty(rgb.shape[:2], np.uint8))


def as_numbers(rgb: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """(H, W, 3) → (H, W): equal where all three values are."""
    out = np.empty((*rgb.shape[:2], 4), np.uint8)
    return _converted(rgb, cv2.COLOR_RGB2RGBA, out).view(np.uint32)[..., 0]


def _converted(rgb: NDArray[np.uint8], code: int, out: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = rgb.shape[:2]
    rows = max(_UNSHARED_PX // width, 1)
    for top in range(0, height, rows):
        band = slice(top, top + rows)
        cv2.cvtColor(rgb[band], code, dst=out[band])
    return out
