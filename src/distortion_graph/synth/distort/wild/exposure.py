"""Exposure, flare and curves of light. Computed between the steps of 8 bits, as cameras do.

Strengths of exposures are stops, of curves exponents.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from distortion_graph.synth.distort.common import Image
from distortion_graph.synth.distort.light import Values, spread, to_grey, to_linear
from distortion_graph.synth.distort.wild.camera import saved


def fine(image: Image, rng: np.random.Generator) -> Values:
    """Grey levels of the picture, four in five spread over their steps (`spread`)."""
    return spread(image, rng) if rng.random() < 0.8 else image.astype(np.float32)


def overexposed(image: Image, stops: float, rng: np.random.Generator) -> Image:
    """Light times 2^`stops`, cut off at white or rolled off towards it, maybe by channel."""
    light = np.float32(2**stops) * to_linear(fine(image, rng))
    if rng.random() < 0.5:  # a shoulder from `knee` on; what is below stays as it is
        knee = np.float32(rng.uniform(0.4, 0.9))
        over = np.maximum(light - knee, 0)
        light = np.minimum(light, knee) + (1 - knee) * (1 - np.exp(-over / (1 - knee)))
    return _developed(light, rng)


def underexposed(image: Image, stops: float, rng: np.random.Generator) -> Image:
    """Light times 2^−`stops`, with the little noise that a sensor has in the dark."""
    light = np.float32(2**-stops) * to_linear(fine(image, rng))
    noise = rng.standard_normal(image.shape, dtype=np.float32)
    photon, read = rng.uniform(0.5e-5, 4e-5), rng.uniform(1e-4, 6e-4)
    light += noise * np.sqrt(np.float32(photon) * light + np.float32(read**2))
    if rng.random() < 0.4:  # a black level set too high
        light -= np.float32(rng.uniform(0, 0.003))
    return _developed(light, rng)


def flare(image: Image, light_added: float, rng: np.random.Generator) -> Image:
    """Stray light: a veil over everything and a glow about a bright point in or near the frame.

    `light_added` is the mean of the linear light that comes on top.
    """
    height, width = image.shape[:2]
    x0, y0 = rng.uniform(-0.3, 1.3) * width, rng.uniform(-0.3, 1.0) * height
    x, y = np.arange(width, dtype=np.float32)[None, :] - x0, np.arange(height)[:, None] - y0
    reach = np.float32(rng.uniform(0.25, 0.9) * max(height, width))
    far = np.hypot(x, y).astype(np.float32)
    glow = 1 / (1 + (far / reach) ** 2) ** np.float32(1.5)
    if rng.random() < 0.4:
        glow *= _rays(np.arctan2(y, x), rng)
    added = np.float32(rng.uniform(0.2, 0.8)) + glow / max(float(glow.mean()), 1e-6)
    added *= np.float32(light_added / float(added.mean()))
    tint = np.array([1, rng.uniform(0.85, 1), rng.uniform(0.65, 1.05)], np.float32)
    return _developed(to_linear(fine(image, rng)) + added[..., None] * tint, rng)


def _rays(angle: NDArray[np.floating], rng: np.random.Generator) -> Values:
    """A factor about 1 that changes at random around the light."""
    factor = np.ones(angle.shape, np.float32)
    for waves in rng.integers(1, 30, 8).tolist():
        factor += np.float32(0.09) * np.cos(waves * angle + rng.uniform(0, 7)).astype(np.float32)
    return factor


def brighter(image: Image, exponent: float, rng: np.random.Generator) -> Image:
    """A curve that lifts the middle tones by an exponent below 1, black and white stay."""
    return _curved(image, exponent, rng)


def darker(image: Image, exponent: float, rng: np.random.Generator) -> Image:
    """A curve that lowers the middle tones by an exponent above 1, black and white stay."""
    return _curved(image, exponent, rng)


def vignette(image: Image, stops: float, rng: np.random.Generator) -> Image:
    """Light that falls off: everywhere by half of `stops`, towards a side or the corners more."""
    height, width = image.shape[:2]
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, :] - np.float32(rng.uniform(-0.6, 0.6))
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None] - np.float32(rng.uniform(-0.6, 0.6))
    far = x**2 + y**2
    loss = np.float32(stops) * (0.5 + far / max(float(far.mean()), 1e-6) * np.float32(0.5))
    return _developed(to_linear(fine(image, rng)) * np.exp2(-loss)[..., None], rng)


def _curved(image: Image, exponent: float, rng: np.random.Generator) -> Image:
    """Either on each channel, or on luma with the channels in proportion."""
    unit = np.clip(fine(image, rng) / np.float32(255), 0, 1)
    if rng.random() < 0.5:
        return saved(255 * unit ** np.float32(exponent), rng)
    strongest = np.maximum(unit.max(axis=2, keepdims=True), np.float32(1e-4))
    return saved(255 * unit * strongest ** np.float32(exponent - 1), rng)


def _developed(light: Values, rng: np.random.Generator) -> Image:
    return saved(to_grey(light), rng)
