"""Rain of several renderers. Strengths are streaks per 1000 pixels."""

from __future__ import annotations

import math

import cv2
import numpy as np

from distortion_graph.synth.distort.common import Image
from distortion_graph.synth.distort.wild.camera import finished
from distortion_graph.synth.distort.wild.falling import (
    behind,
    daylight,
    layer,
    streak,
    whitened,
)

_SUBPIXEL_BITS = 4


def sheets(image: Image, density: float, rng: np.random.Generator) -> Image:
    """Layers from far to near: fine dense streaks, then longer, wider and fainter ones."""
    colour = daylight(image, rng, 150)
    grey = whitened(image.astype(np.float32), _veil(density, rng), colour)
    wind, length_px = math.radians(rng.normal(0, 14)), rng.uniform(7, 22)
    opacity = rng.uniform(0.25, 0.75)
    layers = int(rng.integers(2, 5))
    for k in range(layers):
        near = k / (layers - 1)
        kernel = streak(
            length_px * (0.6 + near),
            0.45 + near * rng.uniform(0.2, 1.1),
            wind + math.radians(rng.normal(0, 2.5)),
        )
        share = 0.75 if k == 0 else 0.25 / (layers - 1)
        hidden = layer(image.shape[:2], density * share / 1000, kernel, rng)
        grey = behind(grey, np.float32(opacity * (1 - 0.45 * near)) * hidden, colour)
    return finished(grey, rng)


def drops(image: Image, density: float, rng: np.random.Generator) -> Image:
    """Single drops, each with its own length, slant and strength, some of them out of focus."""
    height, width = image.shape[:2]
    colour = daylight(image, rng, 170)
    grey = whitened(image.astype(np.float32), _veil(density, rng), colour)
    wind, scatter = rng.normal(0, 0.25), rng.uniform(0.01, 0.06)
    for blur_px, share in ((0.5, 0.8), (rng.uniform(1, 2), 0.2)):
        count = int(rng.poisson(share * density / 1000 * height * width))
        alpha = np.zeros((height, width), np.uint8)
        centres = rng.uniform((-10, -10), (width + 10, height + 10), (count, 2))
        lengths = 3 + rng.exponential(rng.uniform(6, 14), count)
        angles = rng.normal(wind, scatter, count)
        half = np.stack((np.sin(angles), np.cos(angles)), 1) * lengths[:, None] / 2
        strengths = np.rint(255 * rng.beta(2, 3, count)).astype(int).tolist()
        ends = np.rint(np.concatenate((centres - half, centres + half), 1) * 2**_SUBPIXEL_BITS)
        for (x0, y0, x1, y1), strength in zip(ends.astype(int).tolist(), strengths, strict=True):
            cv2.line(alpha, (x0, y0), (x1, y1), strength, 1, cv2.LINE_AA, _SUBPIXEL_BITS)
        seen = cv2.GaussianBlur(alpha.astype(np.float32) / 255, (0, 0), blur_px)
        grey = behind(grey, np.minimum(np.asarray(seen, np.float32) * 1.6, 1), colour)
    return finished(grey, rng)


def gusts(image: Image, density: float, rng: np.random.Generator) -> Image:
    """Rain as a texture: noise drawn out along the wind, its highest values seen, thicker here
    and thinner there.
    """
    height, width = image.shape[:2]
    colour = daylight(image, rng, 150)
    grey = whitened(image.astype(np.float32), _veil(density, rng), colour)
    wind, length_px = math.radians(rng.normal(0, 15)), float(rng.uniform(8, 25))
    field = rng.standard_normal((height, width), dtype=np.float32)
    kernel = streak(length_px, 0.6, wind)
    kernel /= np.sqrt((kernel**2).sum())
    drawn_out = np.asarray(
        cv2.filter2D(field, -1, kernel, borderType=cv2.BORDER_REFLECT), np.float32
    )
    # So many streaks cover about this share of the pixels; what is above its quantile is seen.
    covered = min(0.9, density / 1000 * length_px * 1.5)
    rim = float(np.quantile(drawn_out, 1 - covered))
    hidden = np.clip((drawn_out - np.float32(rim)) / np.float32(1.2), 0, 1)
    thickness = cv2.resize(
        rng.uniform(0.4, 1, (3, 4)).astype(np.float32),
        (width, height),
        interpolation=cv2.INTER_CUBIC,
    )
    return finished(behind(grey, np.float32(0.8) * hidden * np.clip(thickness, 0, 1), colour), rng)


def _veil(density: float, rng: np.random.Generator) -> float:
    """What rain too far away to be seen as streaks takes of the scene's contrast."""
    return float(min(0.35, density * rng.uniform(0, 0.025)))
