"""Every distortion type, its sub-types and the five levels of each (docs/distortions.md)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distortion_graph.distort import blur, colour, compression, detail, noise, tone, weather
from distortion_graph.distort.common import Image
from distortion_graph.errors import ImageError, RecipeError

LEVELS = 5


@dataclass(frozen=True)
class SubType:
    """One way a distortion type can look.

    `apply_level(image, strength, rng)` gets the entry of `strengths` for its level 1 … 5.
    `drawn` says whether random synthesis uses it; others are there by name only. `takes_depth`
    marks the ones that can use a depth map.
    """

    distortion: str
    name: str
    apply_level: Callable[..., Image]
    strengths: tuple[Any, ...]
    drawn: bool = True
    takes_depth: bool = False


_TABLE = (
    SubType("blur", "gaussian", blur.gaussian, (1, 2, 3, 4, 5)),
    SubType("blur", "motion", blur.motion, ((5, 3), (10, 5), (15, 7), (15, 9), (20, 12))),
    SubType("blur", "lens", blur.lens, (2, 3, 4, 6, 8)),
    SubType("blur", "zoom", blur.zoom, (1.03, 1.06, 1.10, 1.15, 1.21)),
    SubType(
        "blur",
        "glass",
        blur.glass,
        ((0.7, 1, 1), (0.9, 2, 1), (1.2, 2, 2), (1.4, 3, 2), (1.6, 4, 2)),
    ),
    SubType("blur", "jitter", blur.jitter, (1, 2, 3, 4, 5)),
    SubType("noise", "gaussian_rgb", noise.gaussian_rgb, (0.05, 0.10, 0.15, 0.20, 0.25)),
    SubType(
        "noise",
        "gaussian_ycrcb",
        noise.gaussian_ycrcb,
        tuple(
            (luma, luma * ratio)
            for luma, ratio in zip(
                (0.05, 0.06, 0.07, 0.08, 0.09), (1, 1.45, 1.9, 2.35, 2.8), strict=True
            )
        ),
    ),
    SubType("noise", "speckle", noise.speckle, (0.14, 0.21, 0.28, 0.35, 0.42)),
    SubType("noise", "correlated", noise.correlated, (0.08, 0.11, 0.14, 0.18, 0.22)),
    SubType("noise", "poisson", noise.poisson, (80, 60, 40, 25, 15)),
    SubType("noise", "impulse", noise.impulse, (0.01, 0.03, 0.05, 0.07, 0.10)),
    SubType("compression", "jpeg", compression.jpeg, (25, 18, 12, 8, 5)),
    SubType("compression", "jpeg2000", compression.jpeg2000, (29, 27.5, 26, 24.5, 23)),
    SubType("compression", "webp", compression.webp, (20, 12, 8, 4, 1), drawn=False),
    SubType("brightness", "hsv_shift", tone.shift_value, (0.1, 0.2, 0.3, 0.4, 0.5)),
    SubType("brightness", "rgb_shift", tone.shift_rgb, (0.1, 0.15, 0.2, 0.27, 0.35)),
    SubType("brightness", "hsv_gamma", tone.gamma_value, (0.7, 0.58, 0.47, 0.36, 0.25)),
    SubType("brightness", "rgb_gamma", tone.gamma_rgb, (0.8, 0.7, 0.6, 0.45, 0.3)),
    SubType("darken", "hsv_shift", tone.shift_value, (-0.1, -0.2, -0.3, -0.4, -0.5)),
    SubType("darken", "rgb_shift", tone.shift_rgb, (-0.1, -0.15, -0.2, -0.27, -0.35)),
    SubType("darken", "hsv_gamma", tone.gamma_value, (1.5, 1.8, 2.2, 2.7, 3.5)),
    SubType("darken", "rgb_gamma", tone.gamma_rgb, (1.4, 1.7, 2.1, 2.6, 3.2)),
    SubType("contrast_inc", "scale", tone.scale_about_mean, (1.4, 1.7, 2.1, 2.6, 4)),
    SubType("contrast_inc", "stretch", tone.stretch, (2, 4, 6, 8, 10)),
    SubType("contrast_dec", "scale", tone.scale_about_mean, (0.75, 0.6, 0.45, 0.3, 0.2)),
    SubType("contrast_dec", "stretch", tone.stretch, (1, 0.9, 0.8, 0.6, 0.4)),
    SubType("saturate_inc", "hsv", colour.saturate_hsv, (3, 6, 12, 20, 64)),
    SubType("saturate_inc", "ycrcb", colour.saturate_ycrcb, (2, 3, 5, 8, 16)),
    SubType("saturate_dec", "hsv", colour.saturate_hsv, (0.7, 0.55, 0.4, 0.2, 0)),
    SubType("saturate_dec", "ycrcb", colour.saturate_ycrcb, (0.6, 0.4, 0.2, 0.1, 0)),
    SubType("oversharpen", "unsharp", detail.unsharp, (2, 2.8, 4, 6, 8)),
    SubType("pixelate", "block", detail.pixelate, (0.5, 0.4, 0.3, 0.25, 0.2)),
    SubType("haze", "scattering", weather.haze, (0.6, 0.9, 1.2, 1.6, 2.0), takes_depth=True),
    SubType(
        "rain",
        "streaks",
        weather.rain,
        (
            (0.0006, 8, 0),
            (0.001, 12, 0.05),
            (0.0015, 18, 0.1),
            (0.0022, 24, 0.15),
            (0.003, 30, 0.2),
        ),
    ),
    SubType(
        "snow",
        "flakes",
        weather.snow,
        ((0.0006, 0), (0.0012, 0.03), (0.002, 0.06), (0.003, 0.09), (0.0045, 0.12)),
    ),
)

SUBTYPES: dict[str, dict[str, SubType]] = {}
"""distortion label → sub-type name → SubType, in the table's order."""
for _entry in _TABLE:
    SUBTYPES.setdefault(_entry.distortion, {})[_entry.name] = _entry


def find_subtype(distortion: str, name: str) -> SubType:
    """The sub-type by its two names; raises RecipeError naming the nearest one."""
    if distortion not in SUBTYPES:
        raise RecipeError(_unknown("distortion type", distortion, SUBTYPES))
    if name not in SUBTYPES[distortion]:
        raise RecipeError(_unknown(f"sub-type of {distortion}", name, SUBTYPES[distortion]))
    return SUBTYPES[distortion][name]


def apply(
    image: Image,
    distortion: str,
    subtype: str,
    level: int,
    rng: np.random.Generator,
    *,
    depth: NDArray[np.float32] | None = None,
) -> Image:
    """The whole picture distorted at `level` 1 (weakest) … 5.

    Takes and gives H×W×3 RGB uint8; never changes its input. All randomness comes from `rng`.
    `depth` (H×W, larger is farther) is used by haze alone. Raises RecipeError for an unknown
    type, sub-type or level and ImageError for another array.
    """
    entry = find_subtype(distortion, subtype)
    if level not in range(1, LEVELS + 1):
        raise RecipeError(f"level of {distortion}:{subtype} must be 1 to {LEVELS}, got {level}")
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
        raise ImageError(f"image must be (H, W, 3) uint8, got {image.shape} {image.dtype}")
    if depth is not None and depth.shape != image.shape[:2]:
        raise ImageError(f"depth must be {image.shape[:2]}, as the image, got {depth.shape}")
    if depth is not None and not np.isfinite(depth).all():
        raise ImageError("depth must be finite numbers, got NaN or infinity")
    strength = entry.strengths[level - 1]
    if entry.takes_depth:
        return entry.apply_level(image, strength, rng, depth)
    return entry.apply_level(image, strength, rng)


def _unknown(what: str, name: str, known: dict[str, Any]) -> str:
    near = get_close_matches(name, list(known), n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"unknown {what} {name!r}, expected one of {', '.join(known)}{hint}"
