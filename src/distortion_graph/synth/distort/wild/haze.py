"""Haze of several renderers. Strengths are optical depths where the scene is farthest.

All follow the law of Koschmieder, I·t + A·(1 − t) with t = exp(−optical depth), and differ in
where the air is, in what colour it has, and in what it does to the picture's detail.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from distortion_graph.synth.distort.common import Image
from distortion_graph.synth.distort.light import Values, to_grey, to_linear
from distortion_graph.synth.distort.wild.camera import finished
from distortion_graph.synth.distort.wild.depth import depth_from_cues
from distortion_graph.synth.distort.wild.exposure import fine

GivenDepth = NDArray[np.float32] | None


def air(
    image: Image, thickness: float, rng: np.random.Generator, depth: GivenDepth = None
) -> Image:
    """Still air, in linear light: thicker with distance, its light grey, bluish or warm.

    Red passes a little better than blue.
    """
    light = to_linear(fine(image, rng))
    optical = np.float32(thickness) * _distance(image, rng, depth)[..., None]
    bluer = np.float32(rng.uniform(0, 0.25))
    through = np.exp(-optical * np.array([1 - bluer, 1, 1 + bluer], np.float32))
    return finished(to_grey(light * through + _air_light(light, rng) * (1 - through)), rng)


def mist(
    image: Image, thickness: float, rng: np.random.Generator, depth: GivenDepth = None
) -> Image:
    """Drifting banks: the air is thicker here and thinner there, mixed in grey levels."""
    grey = fine(image, rng)
    banks = np.exp(np.float32(rng.uniform(0.3, 1)) * clouds(image.shape[:2], rng))
    optical = np.float32(thickness) * _distance(image, rng, depth) * banks
    through = np.exp(-optical)[..., None]
    air_grey = to_grey(_air_light(to_linear(image), rng))
    return finished(np.asarray(grey * through + air_grey * (1 - through), np.float32), rng)


def fog(
    image: Image, thickness: float, rng: np.random.Generator, depth: GivenDepth = None
) -> Image:
    """Droplets that scatter again and again: light spreads into a glow, and detail goes first."""
    light = to_linear(fine(image, rng))
    optical = np.float32(thickness) * _distance(image, rng, depth)[..., None]
    through = np.exp(-optical)
    glow = cv2.GaussianBlur(light, (0, 0), max(image.shape[:2]) / float(rng.uniform(25, 60)))
    sharp = np.exp(-np.float32(rng.uniform(0.2, 0.6)) * optical)
    spread_light = sharp * light + (1 - sharp) * glow
    white = np.float32(rng.uniform(0.55, 0.95))
    return finished(to_grey(spread_light * through + white * (1 - through)), rng)


def clouds(size: tuple[int, int], rng: np.random.Generator) -> Values:
    """Noise of four octaves, wider than high, of mean 0 and deviation 1; (H, W)."""
    height, width = size
    field = np.zeros((height, width), np.float32)
    stretch = rng.uniform(1, 3)
    for octave in range(4):
        rows = 2 ** (octave + 1) + 1
        coarse = rng.standard_normal((rows, max(2, round(rows / stretch))), dtype=np.float32)
        smooth = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
        field += np.float32(0.55**octave) * np.asarray(smooth, np.float32)
    field -= field.mean()
    return np.asarray(field / max(float(field.std()), 1e-6), np.float32)


def _distance(image: Image, rng: np.random.Generator, depth: GivenDepth) -> Values:
    """How much air lies before each pixel, 1 where there is most; often nearly alike all over."""
    nearest = np.float32(rng.uniform(0.05, 0.9))
    return nearest + (1 - nearest) * depth_from_cues(image, rng, depth)


def _air_light(light: Values, rng: np.random.Generator) -> NDArray[np.float32]:
    """Colour of the air in linear light: of grey 100 to 245, with a tint, or as the sky is."""
    level = to_linear(np.float32(rng.uniform(100, 245)) * np.ones(1, np.float32))
    warmth = rng.normal(-0.04, 0.07)
    tint = np.array([1 + warmth, 1, 1 - warmth], np.float32)
    if rng.random() < 0.3:
        brightest = np.quantile(light.reshape(-1, 3), 0.97, axis=0).astype(np.float32)
        return np.asarray(0.5 * level * tint + 0.5 * brightest, np.float32)
    return np.asarray(level * tint, np.float32)
