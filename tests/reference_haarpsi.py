"""HaarPSI written plainly from its definition, one cell at a time in float64, and test pictures."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
YIQ = np.array([[0.299, 0.587, 0.114], [0.5959, -0.2746, -0.3213], [0.2115, -0.5227, 0.3112]])


def blocks_and_noise(
    seed: int, height: int, width: int, sigma: float
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (height // 8 + 1, width // 8 + 1, 3))
    clean = np.kron(coarse, np.ones((8, 8, 1)))[:height, :width].astype(np.uint8)
    noisy = np.clip(np.rint(clean + rng.normal(0, sigma, clean.shape)), 0, 255).astype(np.uint8)
    return clean, noisy


def naive_magnitudes(rgb: NDArray[np.uint8]) -> tuple[list[Array], Array]:
    """Detail maps (rows 2, 4; columns 2, 4; I, Q) and weights, one cell at a time in float64."""
    yiq = rgb.astype(np.float64) @ YIQ.T
    height, width = rgb.shape[:2]
    yiq = np.pad(yiq, ((0, height % 2), (0, width % 2), (0, 0)))
    half = (yiq[0::2, 0::2] + yiq[1::2, 0::2] + yiq[0::2, 1::2] + yiq[1::2, 1::2]) / 4
    h, w = half.shape[:2]

    def filtered(plane: Array, kernel: Array) -> Array:
        size = len(kernel)
        before = size // 2 - 1
        padded = np.pad(plane, ((before, size - 1 - before),) * 2)
        return np.array(
            [
                [abs((padded[i : i + size, j : j + size] * kernel).sum()) for j in range(w)]
                for i in range(h)
            ]
        )

    by_size = {}
    for size in (2, 4, 8):
        kernel = np.ones((size, size)) / size
        kernel[: size // 2] *= -1
        by_size[size] = [filtered(half[..., 0], k) for k in (kernel, kernel.T)]
    box = np.full((2, 2), 0.25)
    rows, columns = zip(by_size[2], by_size[4], strict=True)  # (size 2, size 4) of either
    chroma = [filtered(half[..., c], box) for c in (1, 2)]
    return [*rows, *columns, *chroma], np.array(by_size[8])


def naive_pooled(clean: NDArray[np.uint8], other: NDArray[np.uint8], cover: Array) -> float:
    details_x, weights_x = naive_magnitudes(clean)
    details_y, weights_y = naive_magnitudes(other)
    s = [(2 * x * y + 30) / (x**2 + y**2 + 30) for x, y in zip(details_x, details_y, strict=True)]
    local = np.array([(s[0] + s[1]) / 2, (s[2] + s[3]) / 2, (s[4] + s[5]) / 2])
    weight = np.maximum(weights_x, weights_y)
    weight = np.concatenate([weight, weight.mean(axis=0, keepdims=True)]) * cover
    squashed = 1 / (1 + np.exp(-4.2 * local))
    if weight.sum() > 0:
        h = (weight * squashed).sum() / weight.sum()
    else:
        h = (cover * squashed).sum() / (3 * cover.sum())
    return float(np.clip((math.log(h / (1 - h)) / 4.2) ** 2, 0, 1))


def naive_cover(mask: NDArray[np.bool_]) -> Array:
    """Share of every 2×2 block's pixels, those within the frame, that are in the mask."""
    cover = np.zeros(((mask.shape[0] + 1) // 2, (mask.shape[1] + 1) // 2))
    for i in range(cover.shape[0]):
        for j in range(cover.shape[1]):
            cover[i, j] = mask[2 * i : 2 * i + 2, 2 * j : 2 * j + 2].mean()
    return cover
