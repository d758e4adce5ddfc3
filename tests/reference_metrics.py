"""GMSD, MS-SSIM and VIF by region, written plainly from their definitions with SciPy in float64.

Maps are of the whole pictures, and a region's share of a cell is the mean of its mask there.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import correlate1d
from scipy.signal import convolve2d

Array = NDArray[np.float64]
Rgb = NDArray[np.uint8]
Bools = NDArray[np.bool_]


def luma(rgb: Rgb) -> Array:
    found: Array = rgb.astype(np.float64) @ np.array([0.299, 0.587, 0.114])
    return found


def halved(plane: Array) -> Array:
    """Means of 2×2, the last row or column of an odd frame twice."""
    plane = np.pad(plane, [(0, size % 2) for size in plane.shape], mode="edge")
    found: Array = (plane[::2, ::2] + plane[1::2, ::2] + plane[::2, 1::2] + plane[1::2, 1::2]) / 4
    return found


def blurred(plane: Array, radius: int, sigma: float) -> Array:
    taps = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    taps /= taps.sum()
    for axis in (0, 1):
        plane = correlate1d(plane, taps, axis=axis, mode="reflect")
    return plane


def moments(x: Array, y: Array, radius: int, sigma: float) -> tuple[Array, ...]:
    """Means, variances and covariance."""
    mx, my = blurred(x, radius, sigma), blurred(y, radius, sigma)
    vx, vy = blurred(x * x, radius, sigma) - mx**2, blurred(y * y, radius, sigma) - my**2
    return mx, my, vx, vy, blurred(x * y, radius, sigma) - mx * my


def weights(share: Array, inner: Bools) -> Array:
    """A region's shares of the inner cells, or of all where there is none of them."""
    inside = share * inner
    return inside if inside.sum() > 0 else share


def margin(size: tuple[int, ...], px: int) -> Bools:
    inner = np.zeros(size, np.bool_)
    inner[px : size[0] - px, px : size[1] - px] = True
    return inner


def gmsd(first: Rgb, second: Rgb, mask: Bools) -> float:
    prewitt = np.array([[1, 0, -1]] * 3) / 3
    sizes = []
    for rgb in (first, second):
        # "same" of an even kernel begins one cell later in MATLAB than in SciPy.
        small = convolve2d(luma(rgb), np.full((2, 2), 0.25))[1::2, 1::2]
        gradients = (convolve2d(small, kernel, mode="same") for kernel in (prewitt, prewitt.T))
        sizes.append(np.hypot(*gradients))
    one, two = sizes
    similarity = (2 * one * two + 170) / (one**2 + two**2 + 170)
    share = halved(mask.astype(np.float64))
    mean = (similarity * share).sum() / share.sum()
    return float(np.sqrt((((similarity - mean) ** 2) * share).sum() / share.sum()))


def ms_ssim(first: Rgb, second: Rgb, mask: Bools) -> float:
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    x, y, share, product = luma(first), luma(second), mask.astype(np.float64), 1.0
    powers = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
    for scale, power in enumerate(powers):
        mx, my, vx, vy, cov = moments(x, y, 5, 1.5)
        found = (2 * cov + c2) / (vx + vy + c2)
        if scale == len(powers) - 1:
            found *= (2 * mx * my + c1) / (mx**2 + my**2 + c1)
        weight = weights(share, margin(x.shape, 5))
        product *= max(float((found * weight).sum() / weight.sum()), 0.0) ** power
        x, y, share = halved(x), halved(y), halved(share)
    return product


def vif(first: Rgb, second: Rgb, mask: Bools) -> float | None:
    """The lower of both directions."""
    x, y, share = luma(first) - 128, luma(second) - 128, mask.astype(np.float64)
    valid = np.ones(x.shape, np.bool_)  # cells that no pixel beyond the picture has touched
    sums = np.zeros((2, 2))
    for scale, radius in enumerate((8, 4, 2, 1)):
        sigma = (2 * radius + 1) / 5
        if scale:
            # The authors cut the window's radius off, and then take every other cell.
            phase = 1 if scale == 3 else 0
            x, y = (blurred(plane, radius, sigma)[phase::2, phase::2] for plane in (x, y))
            valid = shrunk(valid, radius)[phase::2, phase::2]
            share = halved(share)[: x.shape[0], : x.shape[1]]
        if not x.size:
            continue
        _, _, vx, vy, cov = moments(x, y, radius, sigma)
        weight = weights(share, shrunk(valid, radius))
        for way, (ref, other) in enumerate(((vx, vy), (vy, vx))):
            ref, other = np.maximum(ref, 0), np.maximum(other, 0)
            g = np.where((ref > 1e-8) & (cov > 0), cov / np.maximum(ref, 1e-8), 0)
            noise = np.maximum(other - g * cov, 0)
            sums[way] += (
                (np.log1p(g * g * ref / (noise + 2)) * weight).sum(),
                (np.log1p(ref / 2) * weight).sum(),
            )
    known = [float(shared / own) for shared, own in sums if own > 1e-6]
    return min(known) if known else None


def shrunk(valid: Bools, radius: int) -> Bools:
    """The cells around which `radius` cells are valid; those beyond the frame are not."""
    padded = np.pad(valid, radius)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (2 * radius + 1,) * 2)
    return np.asarray(windows.all(axis=(2, 3)), np.bool_)
