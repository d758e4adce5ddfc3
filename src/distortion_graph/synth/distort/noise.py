"""Noise: gaussian in RGB and YCrCb, speckle, spatially correlated, Poisson, impulse.

Standard deviations are on the [0, 1] scale. Every function draws for exactly the pixels that it is
given.
"""

from __future__ import annotations

import cv2
import numpy as np

from distortion_graph.synth.distort.common import FloatImage, Image, convert, to_bytes, to_unit

_BOX_PX = 3
CORRELATED_REACH_PX = _BOX_PX // 2


def gaussian_rgb(image: Image, sigma: float, rng: np.random.Generator) -> Image:
    """Independent Gaussian noise on R, G and B."""
    noisy = _normal(image, sigma, rng)
    noisy += to_unit(image)
    return to_bytes(noisy)


def gaussian_ycrcb(image: Image, sigmas: tuple[float, float], rng: np.random.Generator) -> Image:
    """Gaussian noise of (σ of luma, σ of both chroma channels) in YCrCb."""
    ycrcb = convert(to_unit(image), cv2.COLOR_RGB2YCrCb)
    noise = _normal(image, 1, rng)
    noise *= np.array([sigmas[0], sigmas[1], sigmas[1]], np.float32)
    ycrcb += noise
    return to_bytes(convert(ycrcb, cv2.COLOR_YCrCb2RGB))


def speckle(image: Image, sigma: float, rng: np.random.Generator) -> Image:
    """Multiplicative Gaussian noise: x + x·n."""
    factor = _normal(image, sigma, rng)
    factor += 1
    factor *= to_unit(image)
    return to_bytes(factor)


def correlated(image: Image, sigma: float, rng: np.random.Generator) -> Image:
    """Gaussian noise smoothed by a 3×3 box (the noise only, not the picture)."""
    return to_bytes(to_unit(image) + cv2.blur(_normal(image, sigma, rng), (_BOX_PX, _BOX_PX)))


def poisson(image: Image, peak: float, rng: np.random.Generator) -> Image:
    """Photon noise where white stands for `peak` photons."""
    return to_bytes((rng.poisson(to_unit(image) * peak) / peak).astype(np.float32))


def impulse(image: Image, share: float, rng: np.random.Generator) -> Image:
    """Salt and pepper: `share` of the pixels become white or black, all channels at once."""
    draw = rng.random(image.shape[:2], dtype=np.float32)
    out = image.copy()
    out[draw < share] = 0
    out[draw < share / 2] = 255
    return out


def _normal(image: Image, sigma: float, rng: np.random.Generator) -> FloatImage:
    noise = rng.standard_normal(image.shape, dtype=np.float32)
    noise *= np.float32(sigma)
    return noise
