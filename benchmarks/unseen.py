"""Five distortions that no model of this project is trained on, to ask whether it knows that.

Pure functions of an (H, W, 3) uint8 picture and a strength 1 to 3.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]


def colour_cast(image: Image, strength: int) -> Image:
    """One channel raised and another lowered, as under the wrong white balance."""
    gain = np.array([1 + 0.12 * strength, 1.0, 1 - 0.12 * strength])
    return np.asarray(np.clip(np.rint(image * gain), 0, 255), np.uint8)


def banding(image: Image, strength: int) -> Image:
    """Every channel in 12, 8 or 5 equal steps."""
    steps = (12, 8, 5)[strength - 1]
    return np.rint(np.rint(image / 255 * (steps - 1)) * 255 / (steps - 1)).astype(np.uint8)


def vignette(image: Image, strength: int) -> Image:
    """Light falling off towards the corners with the square of the distance."""
    height, width = image.shape[:2]
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    fall = 1 - (0.25 + 0.15 * strength) * (x * x + y * y) / 2 * 1.4
    return np.asarray(np.clip(np.rint(image * np.clip(fall, 0, 1)[..., None]), 0, 255), np.uint8)


def smearing(image: Image, strength: int) -> Image:
    """A denoiser too strong: texture gone, edges kept (non-local means)."""
    reach = 6 + 5 * strength
    return np.asarray(cv2.fastNlMeansDenoisingColored(image, None, reach, reach, 5, 15), np.uint8)


def upscaling(image: Image, strength: int) -> Image:
    """Reduced and enlarged again with a Lanczos filter."""
    height, width = image.shape[:2]
    factor = (1.7, 2.3, 3.2)[strength - 1]
    small = (max(1, round(width / factor)), max(1, round(height / factor)))
    low = cv2.resize(image, small, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(low, (width, height), interpolation=cv2.INTER_LANCZOS4), np.uint8)


UNSEEN: dict[str, Callable[[Image, int], Image]] = {
    "colour cast": colour_cast,
    "banding": banding,
    "vignette": vignette,
    "denoise smearing": smearing,
    "upscaling": upscaling,
}
