"""Weather: haze, rain, snow. Lengths in pixels, densities per pixel."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from distortion_graph.distort.common import Image, to_bytes, to_unit

_SUBPIXEL_BITS = 4
_NEAREST_DEPTH, _FARTHEST_DEPTH = 0.05, 0.7
_RAIN_GREY, _SNOW_WHITE = 0.85, 1.0


def haze(
    image: Image,
    beta: float,
    rng: np.random.Generator,
    depth: NDArray[np.float32] | None = None,
) -> Image:
    """Atmospheric scattering: I·t + A·(1 − t), t = exp(−beta·d), A drawn from .6 … .9.

    `depth` is H×W, larger is farther, any range (it is brought to [.05, .7]); without one a
    smooth depth-like field is drawn.
    """
    airlight = np.float32(rng.uniform(0.6, 0.9))
    field = depth_field(image.shape[:2], rng) if depth is None else _rescale(depth)
    transmission = cv2.exp(-np.float32(beta) * field)[..., None]
    return to_bytes(to_unit(image) * transmission + airlight * (1 - transmission))


def rain(image: Image, shape: tuple[float, float, float], rng: np.random.Generator) -> Image:
    """Slanted streaks of (count per pixel, length, darkening of the scene)."""
    density, length, darkening = shape
    height, width = image.shape[:2]
    slant = math.radians(rng.uniform(-20, 20))
    half = np.array([math.sin(slant), math.cos(slant)]) * length / 2
    # Streaks may start outside the frame, so that its borders get their share.
    margin = np.abs(half)
    count = max(1, round(density * (width + 2 * margin[0]) * (height + 2 * margin[1])))
    centres = rng.uniform(-margin, np.array([width, height]) + margin, (count, 2))
    opacity = rng.uniform(0.4, 0.9, count)
    alpha = np.zeros((height, width), np.uint8)
    starts = _fixed_point(centres - half)
    ends = _fixed_point(centres + half)
    # Faint streaks first: where two cross, the stronger one shows.
    for i in np.argsort(opacity, kind="stable"):
        level = round(255 * opacity[i])
        cv2.line(alpha, starts[i].tolist(), ends[i].tolist(), level, 1, cv2.LINE_AA, _SUBPIXEL_BITS)
    return _cover(image, alpha, scene_gain=1 - darkening, scene_offset=0, colour=_RAIN_GREY)


def snow(image: Image, shape: tuple[float, float], rng: np.random.Generator) -> Image:
    """Soft round flakes of (count per pixel, whitening of the scene), radius 1 … 3 px."""
    density, whitening = shape
    height, width = image.shape[:2]
    count = max(1, round(density * height * width))
    centres = _fixed_point(rng.uniform((0, 0), (width, height), (count, 2)))
    radii = np.rint(rng.uniform(1, 3, count) * 2**_SUBPIXEL_BITS).astype(int)
    opacity = rng.uniform(0.6, 1, count)
    alpha = np.zeros((height, width), np.uint8)
    for i in np.argsort(opacity, kind="stable"):
        level = round(255 * opacity[i])
        cv2.circle(
            alpha, centres[i].tolist(), int(radii[i]), level, -1, cv2.LINE_AA, _SUBPIXEL_BITS
        )
    alpha = np.asarray(cv2.GaussianBlur(alpha, (3, 3), 0.8), np.uint8)
    return _cover(image, alpha, 1 - whitening, whitening, _SNOW_WHITE)


def depth_field(size: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float32]:
    """Smooth field in [.05, .7]: farther towards the top, with broad random hills."""
    height, width = size
    coarse = rng.standard_normal((4, 4)).astype(np.float32)
    hills = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    slope = np.linspace(1, -1, height, dtype=np.float32)[:, None] * np.float32(
        rng.uniform(0.5, 1.5)
    )
    return _rescale(hills + slope)


def _rescale(depth: NDArray[np.floating]) -> NDArray[np.float32]:
    low, high = float(depth.min()), float(depth.max())
    unit = (depth - low) / (high - low) if high > low else np.full(depth.shape, 0.5)
    return (_NEAREST_DEPTH + unit * (_FARTHEST_DEPTH - _NEAREST_DEPTH)).astype(np.float32)


def _fixed_point(points: NDArray[np.float64]) -> NDArray[np.int64]:
    # OpenCV draws with pixel centres at whole numbers; ours are at +0.5.
    return np.asarray(np.rint((points - 0.5) * 2**_SUBPIXEL_BITS), np.int64)


def _cover(
    image: Image, alpha: NDArray[np.uint8], scene_gain: float, scene_offset: float, colour: float
) -> Image:
    cover = (alpha.astype(np.float32) / 255)[..., None]
    scene = to_unit(image) * np.float32(scene_gain) + np.float32(scene_offset)
    return to_bytes(scene + cover * (np.float32(colour) - scene))
