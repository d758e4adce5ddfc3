"""Light and grey levels: sRGB's curve, and values between the steps of 8 bits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from distortion_graph.synth.distort.common import Image

Values = NDArray[np.float32]
"""H×W×3 or H×W, in grey levels 0 … 255, or in linear light 0 … 1."""

_STEPS = 1 << 16
_INDEX = np.arange(_STEPS) / (_STEPS - 1)
_LINEAR_OF_GREY = np.where(
    _INDEX <= 0.04045, _INDEX / 12.92, ((_INDEX + 0.055) / 1.055) ** 2.4
).astype(np.float32)
_GREY_OF_LINEAR = (
    255 * np.where(_INDEX <= 0.0031308, 12.92 * _INDEX, 1.055 * _INDEX ** (1 / 2.4) - 0.055)
).astype(np.float32)


def to_linear(grey: Image | Values) -> Values:
    """sRGB grey levels 0 … 255 → linear light 0 … 1 (IEC 61966-2-1), clipped."""
    return _look_up(_LINEAR_OF_GREY, grey, (_STEPS - 1) / 255)


def to_grey(linear: Values) -> Values:
    """Linear light 0 … 1 → sRGB grey levels 0 … 255, clipped, not rounded."""
    return _look_up(_GREY_OF_LINEAR, linear, _STEPS - 1)


def spread(image: Image, rng: np.random.Generator) -> Values:
    """8-bit values → float32 in [−0.5, 255.5], each anywhere in the step that it stands for.

    A curve applied to these leaves no empty levels between 8-bit values, as none are left by a
    camera, which has more bits to begin with.
    """
    within = rng.random(image.shape, dtype=np.float32)
    within -= np.float32(0.5)
    within += image
    return within


def rounded(grey: Values) -> Image:
    """Grey levels → 8 bit, clipped. Changes its input."""
    np.rint(grey, out=grey)
    return np.clip(grey, 0, 255, out=grey).astype(np.uint8)


def _look_up(table: Values, values: Image | Values, scale: float) -> Values:
    index = values * np.float32(scale)
    index += np.float32(0.5)
    return np.asarray(table.take(index.astype(np.int32), mode="clip"))
