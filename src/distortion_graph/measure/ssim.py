"""Structural similarity maps with the 11×11 Gaussian window, in float32.

Wang, Bovik, Sheikh, Simoncelli, *Image quality assessment: from error visibility to structural
similarity*, IEEE Transactions on Image Processing 13(4), 2004. Luma is BT.601's
0.299 R + 0.587 G + 0.114 B in floating point, 0 to 255; σ is 1.5, cut to 11 taps; covariances are
the population's. The values are scikit-image's with ``gaussian_weights=True, sigma=1.5,
use_sample_covariance=False, data_range=255`` on that luma.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

# Pixels that the window reads to either side; nearer the frame's edge a value is extrapolated.
RADIUS = 5
_C1, _C2 = np.float32(2 * (0.01 * 255) ** 2), np.float32(2 * (0.03 * 255) ** 2)
_OFFSET = np.float32(255)
_LUMA = np.array([[0.299, 0.587, 0.114]], dtype=np.float32)


def _taps() -> NDArray[np.float32]:
    weights = np.exp(-0.5 * (np.arange(-RADIUS, RADIUS + 1) / 1.5) ** 2)
    return np.asarray(weights / weights.sum(), dtype=np.float32)


_TAPS = _taps()


def ssim_map(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.float32]:
    """SSIM of every pixel; the same bits for either order of the pictures.

    It is computed on the luma's sum p = x + y and difference q = x − y, which turn the five
    filtered pictures of the textbook into four: 2·E[xy] = (E[p²] − E[q²])/2 and
    E[x²] + E[y²] = (E[p²] + E[q²])/2. Both fractions are doubled, hence 2·C₁ and 2·C₂.

    Args:
        first: (H, W, 3) RGB uint8.
        second: The same shape.

    Returns:
        (H, W) float32 in [−1, 1] up to rounding; the frame's edge is mirrored.
    """
    x, y = _luma(first), _luma(second)
    p, q = x + y, x - y
    p -= _OFFSET  # about zero the squares are smaller, and so is their rounding
    mean_p, mean_q = _blur(p), _blur(q)
    var_p, var_q = _blur(p * p), _blur(q * q)
    var_p -= mean_p * mean_p
    mean_q *= mean_q
    var_q -= mean_q
    mean_p += _OFFSET
    mean_p *= mean_p
    top = mean_p - mean_q
    top += _C1
    top *= var_p - var_q + _C2
    mean_p += mean_q
    mean_p += _C1
    var_p += var_q
    var_p += _C2
    mean_p *= var_p
    top /= mean_p
    return top


def _luma(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.asarray(cv2.transform(rgb.astype(np.float32), _LUMA), dtype=np.float32)


def _blur(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(
        cv2.sepFilter2D(plane, -1, _TAPS, _TAPS, borderType=cv2.BORDER_REFLECT), dtype=np.float32
    )
