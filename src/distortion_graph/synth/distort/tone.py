"""Brightness and contrast: shifts, gammas, scaling about the mean, sigmoid stretch."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from distortion_graph.masks.boxes import Box
from distortion_graph.synth.distort.common import (
    LUMA_BT601,
    Image,
    convert,
    to_bytes,
    to_unit,
)

_Values = NDArray[np.float64]

_DARKEST = 1e-6


def shift_value(image: Image, shift: float, rng: np.random.Generator) -> Image:
    """Add `shift` to V of HSV."""
    del rng
    hsv = convert(to_unit(image), cv2.COLOR_RGB2HSV)
    hsv[..., 2] = np.clip(hsv[..., 2] + np.float32(shift), 0, 1)
    return to_bytes(convert(hsv, cv2.COLOR_HSV2RGB))


def shift_rgb(image: Image, shift: float, rng: np.random.Generator) -> Image:
    """Add `shift` to R, G and B."""
    del rng
    return _through_table(image, lambda x: x + shift)


def gamma_value(image: Image, gamma: float, rng: np.random.Generator) -> Image:
    """V of HSV to the power `gamma`."""
    del rng
    hsv = convert(to_unit(image), cv2.COLOR_RGB2HSV)
    hsv[..., 2] = cv2.pow(hsv[..., 2], gamma)
    return to_bytes(convert(hsv, cv2.COLOR_HSV2RGB))


def gamma_rgb(image: Image, gamma: float, rng: np.random.Generator) -> Image:
    """R, G and B to the power `gamma`."""
    del rng
    return _through_table(image, lambda x: x**gamma)


def scale_about_mean(image: Image, factor: float, rng: np.random.Generator, box: Box) -> Image:
    """m + factor·(x − m) inside the box, m the whole picture's mean luma."""
    del rng
    mean = float(np.dot(cv2.mean(image)[:3], LUMA_BT601)) / 255
    return _through_table(image[box.area], lambda x: mean + factor * (x - mean))


def stretch(image: Image, power: float, rng: np.random.Generator, box: Box) -> Image:
    """1 / (1 + (m/x)^power) inside the box, m the whole picture's mean, x and m ≥ 1e-6."""
    del rng
    # Bounded as x is, so that a black picture turns mid-grey as any other flat one, not white.
    mean = max(float(np.mean(cv2.mean(image)[:3])) / 255, _DARKEST)
    return _through_table(
        image[box.area], lambda x: 1 / (1 + (mean / np.maximum(x, _DARKEST)) ** power)
    )


def _through_table(image: Image, curve: Callable[[_Values], _Values]) -> Image:
    # A pointwise curve on 8-bit values has 256 answers: a look-up is exact and fast.
    table = np.rint(np.clip(curve(np.arange(256) / 255), 0, 1) * 255).astype(np.uint8)
    return np.asarray(cv2.LUT(image, table), np.uint8)
