"""Blur: gaussian, motion, lens, zoom, glass, jitter. Lengths in pixels."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from distortion_graph.distort.common import Image

_ZOOM_STEP = 0.02


def gaussian(image: Image, sigma: float, rng: np.random.Generator) -> Image:
    """Isotropic Gaussian of standard deviation `sigma` px."""
    del rng
    return _gaussian(image, sigma)


def motion(image: Image, shape: tuple[int, float], rng: np.random.Generator) -> Image:
    """Line kernel of (radius, σ) px at a random angle, weights falling off as a Gaussian."""
    radius, sigma = shape
    return _filter(image, motion_kernel(radius, sigma, rng.uniform(0, math.pi)))


def lens(image: Image, radius: float, rng: np.random.Generator) -> Image:
    """Defocus: a disc of `radius` px with an anti-aliased rim."""
    del rng
    return _filter(image, disc_kernel(radius))


def zoom(image: Image, max_factor: float, rng: np.random.Generator) -> Image:
    """Mean of copies magnified about the centre by 1, 1.02, … up to `max_factor`."""
    del rng
    height, width = image.shape[:2]
    factors = np.arange(1, max_factor + 1e-9, _ZOOM_STEP)
    total = np.zeros(image.shape, np.float32)
    for factor in factors:
        # Pixel centres lie at +0.5, so the fixed point is (size − 1) / 2 in index coordinates.
        shift_x, shift_y = (1 - factor) * (width - 1) / 2, (1 - factor) * (height - 1) / 2
        matrix = np.array([[factor, 0, shift_x], [0, factor, shift_y]], np.float64)
        total += cv2.warpAffine(
            image, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
        )
    return np.rint(total / len(factors)).astype(np.uint8)


def glass(image: Image, shape: tuple[float, int, int], rng: np.random.Generator) -> Image:
    """Frosted glass of (σ, shift, rounds): blur, `rounds` local shuffles by ≤ shift px, blur."""
    sigma, shift, rounds = shape
    out = _gaussian(image, sigma)
    for _ in range(rounds):
        out = _shuffle(out, shift, rng)
    return _gaussian(out, sigma)


def jitter(image: Image, shift: int, rng: np.random.Generator) -> Image:
    """Every pixel is taken from a random place at most `shift` px away on each axis."""
    return _shuffle(image, shift, rng)


def motion_kernel(radius: int, sigma: float, angle: float) -> NDArray[np.float32]:
    """(2·radius+1)² line kernel through its centre at `angle` radians, summing to 1."""
    size = 2 * radius + 1
    kernel = np.zeros((size + 1, size + 1), np.float64)
    steps = np.linspace(-radius, radius, 4 * size + 1)
    weights = np.exp(-(steps**2) / (2 * sigma**2))
    x = radius + steps * math.cos(angle)
    y = radius + steps * math.sin(angle)
    x0, y0 = np.floor(x).astype(int), np.floor(y).astype(int)
    fx, fy = x - x0, y - y0
    for dy, wy in ((0, 1 - fy), (1, fy)):
        for dx, wx in ((0, 1 - fx), (1, fx)):
            np.add.at(kernel, (y0 + dy, x0 + dx), weights * wx * wy)
    kernel = kernel[:size, :size]
    return np.asarray(kernel / kernel.sum(), np.float32)


def disc_kernel(radius: float) -> NDArray[np.float32]:
    """Disc of `radius` px, each entry its covered share on a 5×5 subgrid, summing to 1."""
    half = math.ceil(radius)
    fine = (np.arange((2 * half + 1) * 5) + 0.5) / 5 - half - 0.5
    inside = fine[:, None] ** 2 + fine[None, :] ** 2 <= radius**2
    kernel = inside.reshape(2 * half + 1, 5, 2 * half + 1, 5).mean(axis=(1, 3))
    return np.asarray(kernel / kernel.sum(), np.float32)


def _gaussian(image: Image, sigma: float) -> Image:
    out = cv2.GaussianBlur(image, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)
    return np.asarray(out, np.uint8)


def _filter(image: Image, kernel: NDArray[np.float32]) -> Image:
    return np.asarray(cv2.filter2D(image, -1, kernel, borderType=cv2.BORDER_REFLECT), np.uint8)


def _shuffle(image: Image, shift: int, rng: np.random.Generator) -> Image:
    height, width = image.shape[:2]
    offsets = rng.integers(-shift, shift, (2, height, width), dtype=np.int32, endpoint=True)
    rows = np.clip(offsets[0] + np.arange(height, dtype=np.int32)[:, None], 0, height - 1)
    columns = np.clip(offsets[1] + np.arange(width, dtype=np.int32)[None, :], 0, width - 1)
    return np.asarray(image[rows, columns])
