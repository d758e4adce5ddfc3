"""Weather: haze, rain, snow. Lengths in pixels, densities per pixel.

The weather is drawn for the whole picture; only the pixels of the box are worked out.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from distortion_graph.masks.boxes import Box
from distortion_graph.synth.distort.common import Image, to_bytes, to_unit

_SUBPIXEL_BITS = 4
_NEAREST_DEPTH, _FARTHEST_DEPTH = 0.05, 0.7
_RAIN_GREY, _SNOW_WHITE = 0.85, 1.0
_LARGEST_FLAKE_PX = 3
_SOFTENING_REACH_PX = 1
_EDGE_PX = 2  # an anti-aliased edge spreads this far at most


def haze(
    image: Image,
    beta: float,
    rng: np.random.Generator,
    box: Box,
    depth: NDArray[np.float32] | None = None,
) -> Image:
    """Atmospheric scattering: I·t + A·(1 − t), t = exp(−beta·d), A drawn from .6 … .9.

    `depth` is H×W, larger is farther, any range (it is brought to [.05, .7]); without one a
    smooth depth-like field is drawn.
    """
    airlight = np.float32(rng.uniform(0.6, 0.9))
    field = depth_field(image.shape[:2], rng, box) if depth is None else _rescale(depth, box)
    transmission = cv2.exp(-np.float32(beta) * field)[..., None]
    hazy = to_unit(image[box.area])
    hazy *= transmission
    hazy += airlight * (1 - transmission)
    return to_bytes(hazy)


def rain(
    image: Image, shape: tuple[float, float, float], rng: np.random.Generator, box: Box
) -> Image:
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
    # Faint streaks first: where two cross, the stronger one shows.
    order = _faint_first(opacity, centres, margin, box)
    levels = np.rint(255 * opacity[order]).astype(int).tolist()
    starts = _fixed_point(centres[order] - half).tolist()
    ends = _fixed_point(centres[order] + half).tolist()
    alpha = np.zeros((height, width), np.uint8)
    for start, end, level in zip(starts, ends, levels, strict=True):
        cv2.line(alpha, start, end, level, 1, cv2.LINE_AA, _SUBPIXEL_BITS)
    return _cover(image[box.area], alpha[box.area], 1 - darkening, 0, _RAIN_GREY)


def snow(image: Image, shape: tuple[float, float], rng: np.random.Generator, box: Box) -> Image:
    """Soft round flakes of (count per pixel, whitening of the scene), radius 1 … 3 px."""
    density, whitening = shape
    height, width = image.shape[:2]
    count = max(1, round(density * height * width))
    centres = rng.uniform((0, 0), (width, height), (count, 2))
    radii = rng.uniform(1, _LARGEST_FLAKE_PX, count)
    opacity = rng.uniform(0.6, 1, count)
    margin = np.full(2, _LARGEST_FLAKE_PX + _SOFTENING_REACH_PX)
    order = _faint_first(opacity, centres, margin, box)
    levels = np.rint(255 * opacity[order]).astype(int).tolist()
    places = _fixed_point(centres[order]).tolist()
    sizes = np.rint(radii[order] * 2**_SUBPIXEL_BITS).astype(int).tolist()
    alpha = np.zeros((height, width), np.uint8)
    for place, size, level in zip(places, sizes, levels, strict=True):
        cv2.circle(alpha, place, size, level, -1, cv2.LINE_AA, _SUBPIXEL_BITS)
    seen = box.grown(_SOFTENING_REACH_PX).clipped(image.shape)
    soft = np.asarray(cv2.GaussianBlur(alpha[seen.area], (3, 3), 0.8), np.uint8)
    return _cover(image[box.area], soft[box.within(seen)], 1 - whitening, whitening, _SNOW_WHITE)


def depth_field(
    size: tuple[int, int], rng: np.random.Generator, box: Box | None = None
) -> NDArray[np.float32]:
    """Smooth field in [.05, .7]: farther towards the top, with broad random hills.

    `size` is (height, width); with a box only its part of the field is given.
    """
    height, width = size
    coarse = rng.standard_normal((4, 4)).astype(np.float32)
    hills = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    slope = np.linspace(1, -1, height, dtype=np.float32)[:, None] * np.float32(
        rng.uniform(0.5, 1.5)
    )
    return _rescale(hills + slope, box or Box.whole(size))


def _rescale(depth: NDArray[np.floating], box: Box) -> NDArray[np.float32]:
    low, high = float(depth.min()), float(depth.max())
    part = depth[box.area]
    unit = (part - low) / (high - low) if high > low else np.full(part.shape, 0.5)
    return (_NEAREST_DEPTH + unit * (_FARTHEST_DEPTH - _NEAREST_DEPTH)).astype(np.float32)


def _faint_first(
    opacity: NDArray[np.float64],
    centres: NDArray[np.float64],
    margin: NDArray[np.float64],
    box: Box,
) -> NDArray[np.intp]:
    """Indices, by rising opacity, of the things that may show in the box.

    `margin` is how far a thing reaches from its centre along x and y, in pixels.
    """
    beyond = margin + _EDGE_PX
    first = np.array([box.x, box.y])
    last = first + np.array([box.width, box.height])
    near = np.logical_and(centres >= first - beyond, centres <= last + beyond)
    order = np.argsort(opacity, kind="stable")
    return np.asarray(order[near.all(axis=1)[order]], np.intp)


def _fixed_point(points: NDArray[np.float64]) -> NDArray[np.int64]:
    # OpenCV draws with pixel centres at whole numbers; ours are at +0.5.
    return np.asarray(np.rint((points - 0.5) * 2**_SUBPIXEL_BITS), np.int64)


def _cover(
    image: Image, alpha: NDArray[np.uint8], scene_gain: float, scene_offset: float, colour: float
) -> Image:
    cover = (alpha.astype(np.float32) / 255)[..., None]
    scene = to_unit(image)
    scene *= np.float32(scene_gain)
    scene += np.float32(scene_offset)
    return to_bytes(scene + cover * (np.float32(colour) - scene))
