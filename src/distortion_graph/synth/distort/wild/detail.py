"""Sharpening overdone, by several sharpeners; and pixelation on grids of any size and place."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from distortion_graph.synth.distort.common import LUMA_BT601, Image
from distortion_graph.synth.distort.light import Values, rounded
from distortion_graph.synth.distort.wild.camera import saved


def halo(image: Image, amount: float, rng: np.random.Generator) -> Image:
    """Unsharp masking with a wide Gaussian, 1.5 to 8 px, on all channels or on luma alone."""
    grey = image.astype(np.float32)
    detail = grey - np.asarray(cv2.GaussianBlur(grey, (0, 0), float(rng.uniform(1.5, 8))))
    if rng.random() < 0.4:
        detail = (detail @ LUMA_BT601)[..., None]
    return saved(grey + np.float32(amount) * detail, rng)


def crisp(image: Image, amount: float, rng: np.random.Generator) -> Image:
    """A 3×3 Laplacian added, maybe after a little noise was left in, as phones do."""
    grey = image.astype(np.float32)
    corners = float(rng.uniform(0, 1))
    kernel = np.array(
        [[corners, 1, corners], [1, -4 - 4 * corners, 1], [corners, 1, corners]], np.float32
    ) / np.float32(4 + 4 * corners)
    grain = rng.standard_normal(image.shape[:2], dtype=np.float32)
    grey += np.float32(rng.choice((0.0, rng.uniform(0.3, 1.5)))) * grain[..., None]
    detail = cv2.filter2D(grey, -1, kernel, borderType=cv2.BORDER_REFLECT)
    return saved(grey - np.float32(amount) * detail, rng)


def upscaled(image: Image, amount: float, rng: np.random.Generator) -> Image:
    """A picture of .5 to .85 of the size enlarged and sharpened for it, as upscalers do."""
    height, width = image.shape[:2]
    scale = float(rng.uniform(0.5, 0.85))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    grey = np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)
    detail = grey - cv2.GaussianBlur(grey, (0, 0), float(rng.uniform(0.8, 1.6) / scale))
    return saved(grey + np.float32(amount) * detail, rng)


def ringing(image: Image, amount: float, rng: np.random.Generator) -> Image:
    """Deconvolution of a blur that is not there, which leaves rings beside edges.

    `amount` is the sum of the gains of four steps of van Cittert's iteration (1931).
    """
    grey = image.astype(np.float32)
    sigma_px = float(rng.uniform(1, 1.8))
    restored = grey.copy()
    for _ in range(4):
        again = np.asarray(cv2.GaussianBlur(restored, (0, 0), sigma_px), np.float32)
        restored += np.float32(amount / 4) * (grey - again)
    return saved(restored, rng)


def mosaic(image: Image, block_px: float, rng: np.random.Generator) -> Image:
    """Blocks of one colour about `block_px` wide and high, on a grid that starts anywhere.

    The colour is the mean of the block, or its middle pixel as a nearest-neighbour reduction has
    it. Sizes need not be whole, nor width and height the same.
    """
    sides = block_px * np.exp(rng.uniform(-0.2, 0.2, 2)) if rng.random() < 0.3 else [block_px] * 2
    rows, columns = (
        np.floor((np.arange(length) + rng.uniform(0, side)) / side).astype(int)
        for length, side in zip(image.shape[:2], sides, strict=True)
    )
    if rng.random() < 0.3:
        return np.ascontiguousarray(image[_middles(rows)[:, None], _middles(columns)])
    return rounded(_means(_means(image.astype(np.float32), rows, 0), columns, 1))


def _starts(blocks: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.flatnonzero(np.diff(blocks, prepend=blocks[0] - 1))


def _middles(blocks: NDArray[np.int64]) -> NDArray[np.int64]:
    """For every place the middle one of its block."""
    starts = _starts(blocks)
    sizes = np.diff(starts, append=len(blocks))
    return np.repeat(starts + sizes // 2, sizes)


def _means(values: Values, blocks: NDArray[np.int64], axis: int) -> Values:
    """For every place along an axis the mean of its block."""
    starts = _starts(blocks)
    sizes = np.diff(starts, append=len(blocks))
    sums = np.add.reduceat(values, starts, axis=axis)
    shape = [1, 1, 1]
    shape[axis] = -1
    return np.asarray(np.repeat(sums / sizes.reshape(shape), sizes, axis=axis), np.float32)
