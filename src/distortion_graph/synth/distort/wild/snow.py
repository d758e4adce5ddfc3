"""Falling snow of several renderers. Strengths are flakes per 1000 pixels."""

from __future__ import annotations

import math

import cv2
import numpy as np

from distortion_graph.synth.distort.common import Image
from distortion_graph.synth.distort.wild.camera import finished
from distortion_graph.synth.distort.wild.falling import (
    behind,
    daylight,
    flake,
    layer,
    streak,
    whitened,
)


def flurry(image: Image, density: float, rng: np.random.Generator) -> Image:
    """Layers from far to near: dust, flakes in focus, and a few large ones out of focus."""
    colour = daylight(image, rng, 215)
    grey = whitened(image.astype(np.float32), _veil(density, rng), colour)
    wind, speed_px = rng.normal(0, 0.6), rng.uniform(0, 4)
    scale = rng.uniform(0.7, 1.5)
    for radius_px, share, opacity in (
        (0.4 * scale, 0.62, rng.uniform(0.5, 0.9)),
        (scale, 0.3, rng.uniform(0.7, 1)),
        (1.9 * scale, 0.07, rng.uniform(0.6, 0.95)),
        (rng.uniform(3, 6) * scale, 0.01, rng.uniform(0.25, 0.6)),
    ):
        angle = wind + rng.normal(0, 0.15)
        kernel = flake(radius_px, speed_px * (0.4 + radius_px / 2), angle)
        hidden = layer(image.shape[:2], density * share / 1000, kernel, rng)
        grey = behind(grey, np.float32(opacity) * hidden, colour)
    return finished(grey, rng)


def blown(image: Image, density: float, rng: np.random.Generator) -> Image:
    """Snow in the wind: short soft streaks of many sizes, slanted, before a whitened scene."""
    colour = daylight(image, rng, 210)
    grey = whitened(image.astype(np.float32), 1.5 * _veil(density, rng), colour)
    wind, length_px = rng.uniform(-1.2, 1.2), rng.uniform(2.5, 9)
    for k in range(4):
        size = math.exp(rng.normal(0, 0.3)) * (0.7 + 0.35 * k)
        kernel = streak(length_px * size, 0.6 * size, wind + rng.normal(0, 0.12))
        hidden = layer(image.shape[:2], density * (0.5, 0.27, 0.15, 0.08)[k] / 1000, kernel, rng)
        grey = behind(grey, np.float32(rng.uniform(0.55, 0.95)) * hidden, colour)
    return finished(grey, rng)


def clumps(image: Image, density: float, rng: np.random.Generator) -> Image:
    """Wet flakes of any shape: the highest places of smooth noise of two sizes."""
    colour = daylight(image, rng, 220)
    grey = whitened(image.astype(np.float32), _veil(density, rng), colour)
    for size_px, share in ((0.9, 0.8), (2.0, 0.2)):
        noise = rng.standard_normal(image.shape[:2], dtype=np.float32)
        field = np.asarray(cv2.GaussianBlur(noise, (0, 0), size_px), np.float32)
        field /= max(float(field.std()), 1e-6)
        # A flake covers about 2.5 size² pixels.
        covered = min(0.8, density * share / 1000 * 2.5 * size_px**2)
        rim = np.float32(np.quantile(field, 1 - covered))
        hidden = np.clip((field - rim) * np.float32(1.6), 0, 1)
        grey = behind(grey, np.float32(rng.uniform(0.7, 1)) * hidden, colour)
    return finished(grey, rng)


def _veil(density: float, rng: np.random.Generator) -> float:
    """What flakes too far away to be seen one by one take of the scene's contrast."""
    return float(min(0.35, density * rng.uniform(0, 0.012)))
