"""Colour: chroma in CIELAB, vibrance, filters. Strengths are factors of chroma."""

from __future__ import annotations

import cv2
import numpy as np

from distortion_graph.synth.distort.common import LUMA_BT601, Image
from distortion_graph.synth.distort.light import Values
from distortion_graph.synth.distort.wild.camera import saved
from distortion_graph.synth.distort.wild.exposure import fine

_MOST_CHROMA = 80.0  # of vivid sRGB colours in CIELAB


def lab(image: Image, factor: float, rng: np.random.Generator) -> Image:
    """Chroma of CIELAB times `factor`; lightness and hue stay, as far as sRGB holds the colour."""
    values = _to_lab(fine(image, rng))
    values[..., 1:] *= np.float32(factor)
    return _from_lab(values, rng)


def vibrance(image: Image, factor: float, rng: np.random.Generator) -> Image:
    """Chroma of pale colours times `factor`, of vivid ones less changed."""
    values = _to_lab(fine(image, rng))
    chroma = np.hypot(values[..., 1], values[..., 2])
    paleness = 1 - np.minimum(chroma / np.float32(_MOST_CHROMA), 1)
    values[..., 1:] *= (1 + np.float32(factor - 1) * paleness)[..., None]
    return _from_lab(values, rng)


def filtered(image: Image, factor: float, rng: np.random.Generator) -> Image:
    """Distance of each channel from luma times `factor`, around grey or a slightly toned grey."""
    grey = fine(image, rng)
    weights = LUMA_BT601 if rng.random() < 0.5 else rng.dirichlet((4, 6, 3)).astype(np.float32)
    luma = (grey @ weights)[..., None]
    tone = np.ones(3, np.float32)
    if factor < 1 and rng.random() < 0.5:  # sepia, cyanotype and what lies between
        tone += np.float32(1 - factor) * rng.uniform(-0.08, 0.08, 3).astype(np.float32)
    return saved(luma * tone + np.float32(factor) * (grey - luma), rng)


def _to_lab(grey: Values) -> Values:
    unit = np.clip(grey / np.float32(255), 0, 1)
    return np.asarray(cv2.cvtColor(unit, cv2.COLOR_RGB2Lab), np.float32)


def _from_lab(values: Values, rng: np.random.Generator) -> Image:
    return saved(np.asarray(cv2.cvtColor(values, cv2.COLOR_Lab2RGB), np.float32) * 255, rng)
