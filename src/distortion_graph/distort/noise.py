"""Noise: gaussian in RGB and YCrCb, speckle, spatially correlated, Poisson, impulse.

Standard deviations are on the [0, 1] scale.
"""

from __future__ import annotations

import cv2
import numpy as np

from distortion_graph.distort.common import FloatImage, Image, convert, to_bytes, to_unit


def gaussian_rgb(image: Image, sigma: float, rng: np.random.Generator) -> Image:
    """Independent Gaussian noise on R, G and B."""
    return to_bytes(to_unit(image) + _normal(image, sigma, rng))


def gaussian_ycrcb(image: Image, sigmas: tuple[float, float], rng: np.random.Generator) -> Image:
    """Gaussian noise of (σ of luma, σ of both chroma channels) in YCrCb."""
    ycrcb = convert(to_unit(image), cv2.COLOR_RGB2YCrCb)
    scale = np.array([sigmas[0], sigmas[1], sigmas[1]], np.float32)
    return to_bytes(convert(ycrcb + _normal(image, 1, rng) * scale, cv2.COLOR_YCrCb2RGB))


def speckle(image: Image, sigma: float, rng: np.random.Generator) -> Image:
    """Multiplicative Gaussian noise: x + x·n."""
    unit = to_unit(image)
    return to_bytes(unit + unit * _normal(image, sigma, rng))


def correlated(image: Image, sigma: float, rng: np.random.Generator) -> Image:
    """Gaussian noise smoothed by a 3×3 box (the noise only, not the picture)."""
    return to_bytes(to_unit(image) + cv2.blur(_normal(image, sigma, rng), (3, 3)))


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
    return rng.standard_normal(image.shape, dtype=np.float32) * np.float32(sigma)
