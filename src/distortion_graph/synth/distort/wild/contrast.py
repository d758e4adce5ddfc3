"""Contrast: S-curves, local equalisation, levels cut off; flat and faded pictures."""

from __future__ import annotations

import cv2
import numpy as np

from distortion_graph.synth.distort.common import Image
from distortion_graph.synth.distort.wild.camera import saved
from distortion_graph.synth.distort.wild.exposure import fine

_TILES = (2, 9)


def s_curve(image: Image, slope: float, rng: np.random.Generator) -> Image:
    """A sigmoid of `slope` about a tone near the mean, black and white stay where they are."""
    unit = np.clip(fine(image, rng) / np.float32(255), 0, 1)
    pivot = np.float32(np.clip(float(unit.mean()) + rng.uniform(-0.1, 0.1), 0.2, 0.7))
    steepness = np.float32(4 * slope)
    low, high = (np.tanh(steepness * (end - pivot) / 2) for end in (0, 1))
    curved = (np.tanh(steepness * (unit - pivot) / 2) - low) / (high - low)
    return saved(255 * curved, rng)


def clahe(image: Image, share: float, rng: np.random.Generator) -> Image:
    """Contrast-limited adaptive equalisation of lightness (Zuiderveld 1994), `share` of its change.

    In tiles of a half to an eighth of the picture.
    """
    tiles = int(rng.integers(*_TILES))
    lightness = np.ascontiguousarray(cv2.cvtColor(image, cv2.COLOR_RGB2Lab)[..., 0])
    equal = cv2.createCLAHE(float(rng.uniform(2, 8)), (tiles, tiles)).apply(lightness)
    change = np.float32(share) * (np.asarray(equal, np.float32) - lightness)
    grey = fine(image, rng)
    if rng.random() < 0.5:  # the channels in proportion, so that colours grow with the contrast
        return saved(grey * (1 + change / np.maximum(lightness, 8))[..., None], rng)
    return saved(grey + change[..., None], rng)


def levels(image: Image, share: float, rng: np.random.Generator) -> Image:
    """Black and white points set such that `share` of the pixels are cut off at both together."""
    dark = share * float(rng.uniform(0.25, 0.75))
    luma = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    black, white = np.quantile(luma, (dark, 1 - share + dark))
    # A picture that does not use the whole range is not stretched to it by the smallest shares.
    moved = share / (share + 0.03)
    black, white = black * moved, 255 - (255 - white) * moved
    grey = fine(image, rng)
    return saved((grey - np.float32(black)) * np.float32(255 / max(white - black, 8)), rng)


def flat(image: Image, slope: float, rng: np.random.Generator) -> Image:
    """Tones drawn to a middle one by a `slope` below 1, less at the ends than in the middle."""
    grey = fine(image, rng)
    pivot = np.float32(0.5 * float(grey.mean()) + 0.5 * rng.uniform(90, 160))
    away = (grey - pivot) / np.float32(255)
    bend = np.float32(rng.uniform(0, 0.4) * (1 - slope))
    return saved(pivot + 255 * (np.float32(slope) * away + bend * away * np.abs(away)), rng)


def faded(image: Image, share: float, rng: np.random.Generator) -> Image:
    """A print that faded: blacks lifted and whites lowered, by `share` of the range together.

    A tone near the mean stays.
    """
    grey = fine(image, rng)
    stays = float(np.clip(float(grey.mean()) / 255 + rng.uniform(-0.1, 0.25), 0.2, 0.8))
    lift = share * stays
    tint = 1 + rng.uniform(-0.04, 0.04, 3).astype(np.float32)
    return saved(np.float32(255 * lift) * tint + np.float32(1 - share) * grey, rng)
