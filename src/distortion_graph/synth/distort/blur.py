"""Blur: gaussian, motion, lens, zoom, glass, jitter. Lengths in pixels."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from distortion_graph.masks.boxes import Box
from distortion_graph.synth.distort.common import Image

_ZOOM_STEP = 0.02
_REMAP_LIMIT_PX = 32766  # of OpenCV's 16-bit coordinates


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


def zoom(image: Image, max_factor: float, rng: np.random.Generator, box: Box) -> Image:
    """Mean of copies magnified about the picture's centre by 1, 1.02, … up to `max_factor`."""
    del rng
    height, width = image.shape[:2]
    factors = np.arange(1, max_factor + 1e-9, _ZOOM_STEP)
    size = (box.width, box.height)
    total = np.zeros((box.height, box.width, 3), np.float32)
    for factor in factors:
        # Pixel centres lie at +0.5, so the fixed point is (size − 1) / 2 in index coordinates.
        shift_x, shift_y = (1 - factor) * (width - 1) / 2, (1 - factor) * (height - 1) / 2
        matrix = np.array([[factor, 0, shift_x - box.x], [0, factor, shift_y - box.y]], np.float64)
        copy = cv2.warpAffine(
            image, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
        )
        cv2.accumulate(copy, total)
    total /= np.float32(len(factors))
    return np.rint(total, out=total).astype(np.uint8)


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


def gaussian_reach_px(sigma: float) -> int:
    """Half the side of OpenCV's Gaussian for 8 bit, or a pixel more."""
    return math.ceil(3 * sigma) + 1


def glass_reach_px(shape: tuple[float, int, int]) -> int:
    """Two blurs and the shuffles between them."""
    sigma, shift, rounds = shape
    return 2 * gaussian_reach_px(sigma) + rounds * shift


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
    places = rng.integers(-shift, shift, (height, width, 2), dtype=np.int16, endpoint=True)
    # A place beyond the border is the border's nearest pixel.
    if max(height, width) > _REMAP_LIMIT_PX:
        rows = np.clip(places[..., 1] + np.arange(height)[:, None], 0, height - 1)
        columns = np.clip(places[..., 0] + np.arange(width), 0, width - 1)
        return np.asarray(image[rows, columns])
    places[..., 0] += np.arange(width, dtype=np.int16)
    places[..., 1] += np.arange(height, dtype=np.int16)[:, None]
    no_fractions = np.empty(0, np.uint16)
    moved = cv2.remap(
        image, places, no_fractions, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(moved, np.uint8)
