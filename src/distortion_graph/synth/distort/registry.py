"""Every distortion type, its sub-types and the five levels of each (docs/distortions.md)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import ImageError, RecipeError
from distortion_graph.masks.boxes import Box
from distortion_graph.synth.distort import blur, colour, compression, detail, noise, tone, weather
from distortion_graph.synth.distort.common import Image
from distortion_graph.synth.distort.support import InBox, Near, Support, WholeFrame

LEVELS = 5


@dataclass(frozen=True)
class SubType:
    """One way a distortion type can look.

    `apply_level(image, strength, rng)` gets the entry of `strengths` for its level 1 … 5; what
    part of the picture it gets and gives is said by `support`. `drawn` says whether random
    synthesis uses it; others are there by name only. `takes_depth` marks the ones that can use a
    depth map, `colour` the ones that leave a grey picture as it is.
    """

    distortion: str
    name: str
    apply_level: Callable[..., Image]
    strengths: tuple[Any, ...]
    support: Support
    drawn: bool = True
    takes_depth: bool = False
    colour: bool = False


_ITSELF = Near()
_IN_BOX = InBox()

_TABLE = (
    SubType("blur", "gaussian", blur.gaussian, (1, 2, 3, 4, 5), Near(blur.gaussian_reach_px)),
    SubType(
        "blur",
        "motion",
        blur.motion,
        ((5, 3), (10, 5), (15, 7), (15, 9), (20, 12)),
        Near(lambda shape: int(shape[0])),
    ),
    SubType("blur", "lens", blur.lens, (2, 3, 4, 6, 8), Near(math.ceil)),
    SubType("blur", "zoom", blur.zoom, (1.03, 1.06, 1.10, 1.15, 1.21), _IN_BOX),
    SubType(
        "blur",
        "glass",
        blur.glass,
        ((0.7, 1, 1), (0.9, 2, 1), (1.2, 2, 2), (1.4, 3, 2), (1.6, 4, 2)),
        Near(blur.glass_reach_px),
    ),
    SubType("blur", "jitter", blur.jitter, (1, 2, 3, 4, 5), Near(int)),
    SubType("noise", "gaussian_rgb", noise.gaussian_rgb, (0.05, 0.10, 0.15, 0.20, 0.25), _ITSELF),
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
        _ITSELF,
    ),
    SubType("noise", "speckle", noise.speckle, (0.14, 0.21, 0.28, 0.35, 0.42), _ITSELF),
    SubType(
        "noise",
        "correlated",
        noise.correlated,
        (0.08, 0.11, 0.14, 0.18, 0.22),
        Near(lambda _: noise.CORRELATED_REACH_PX),
    ),
    SubType("noise", "poisson", noise.poisson, (80, 60, 40, 25, 15), _ITSELF),
    SubType("noise", "impulse", noise.impulse, (0.01, 0.03, 0.05, 0.07, 0.10), _ITSELF),
    SubType(
        "compression",
        "jpeg",
        compression.jpeg,
        (25, 18, 12, 8, 5),
        Near(lambda _: compression.JPEG_REACH_PX, compression.JPEG_GRID_PX),
    ),
    SubType(
        "compression",
        "jpeg2000",
        compression.jpeg2000,
        compression.JPEG2000_PSNR_DB,
        WholeFrame(compression.jpeg2000_stream),
    ),
    SubType("compression", "webp", compression.webp, (20, 12, 8, 4, 1), WholeFrame(), drawn=False),
    SubType(
        "compression", "avif", compression.avif, (40, 30, 20, 12, 3), WholeFrame(), drawn=False
    ),
    SubType("brightness", "hsv_shift", tone.shift_value, (0.1, 0.2, 0.3, 0.4, 0.5), _ITSELF),
    SubType("brightness", "rgb_shift", tone.shift_rgb, (0.1, 0.15, 0.2, 0.27, 0.35), _ITSELF),
    SubType("brightness", "hsv_gamma", tone.gamma_value, (0.7, 0.58, 0.47, 0.36, 0.25), _ITSELF),
    SubType("brightness", "rgb_gamma", tone.gamma_rgb, (0.8, 0.7, 0.6, 0.45, 0.3), _ITSELF),
    SubType("darken", "hsv_shift", tone.shift_value, (-0.1, -0.2, -0.3, -0.4, -0.5), _ITSELF),
    SubType("darken", "rgb_shift", tone.shift_rgb, (-0.1, -0.15, -0.2, -0.27, -0.35), _ITSELF),
    SubType("darken", "hsv_gamma", tone.gamma_value, (1.5, 1.8, 2.2, 2.7, 3.5), _ITSELF),
    SubType("darken", "rgb_gamma", tone.gamma_rgb, (1.4, 1.7, 2.1, 2.6, 3.2), _ITSELF),
    SubType("contrast_inc", "scale", tone.scale_about_mean, (1.4, 1.7, 2.1, 2.6, 4), _IN_BOX),
    SubType("contrast_inc", "stretch", tone.stretch, (2, 4, 6, 8, 10), _IN_BOX),
    SubType("contrast_dec", "scale", tone.scale_about_mean, (0.75, 0.6, 0.45, 0.3, 0.2), _IN_BOX),
    SubType("contrast_dec", "stretch", tone.stretch, (1, 0.9, 0.8, 0.6, 0.4), _IN_BOX),
    SubType("saturate_inc", "hsv", colour.saturate_hsv, (3, 6, 12, 20, 64), _ITSELF, colour=True),
    SubType("saturate_inc", "ycrcb", colour.saturate_ycrcb, (2, 3, 5, 8, 16), _ITSELF, colour=True),
    SubType(
        "saturate_dec", "hsv", colour.saturate_hsv, (0.7, 0.55, 0.4, 0.2, 0), _ITSELF, colour=True
    ),
    SubType(
        "saturate_dec",
        "ycrcb",
        colour.saturate_ycrcb,
        (0.6, 0.4, 0.2, 0.1, 0),
        _ITSELF,
        colour=True,
    ),
    SubType(
        "oversharpen",
        "unsharp",
        detail.unsharp,
        (2, 2.8, 4, 6, 8),
        Near(lambda _: detail.UNSHARP_REACH_PX),
    ),
    SubType("pixelate", "block", detail.pixelate, (0.5, 0.4, 0.3, 0.25, 0.2), WholeFrame()),
    SubType(
        "haze", "scattering", weather.haze, (0.6, 0.9, 1.2, 1.6, 2.0), _IN_BOX, takes_depth=True
    ),
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
        _IN_BOX,
    ),
    SubType(
        "snow",
        "flakes",
        weather.snow,
        ((0.0006, 0), (0.0012, 0.03), (0.002, 0.06), (0.003, 0.09), (0.0045, 0.12)),
        _IN_BOX,
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
    check_image(image)
    box = Box.whole(image.shape)
    return apply_in_box(image, distortion, subtype, level, rng, box, depth=depth)


def apply_in_box(
    image: Image,
    distortion: str,
    subtype: str,
    level: int,
    rng: np.random.Generator,
    box: Box,
    *,
    depth: NDArray[np.float32] | None = None,
) -> Image:
    """What `apply` makes of the pixels of a box: (box.height, box.width, 3) uint8.

    Works out little more than the box where the sub-type allows it. Without randomness the pixels
    are those of the whole picture, but for a grey level where OpenCV filters parts of different
    sizes in different ways. Random fields that belong to the pixels (noise, jitter, glass) are
    drawn for the box: of the same distribution, but others than for another box. Weather, means
    and block grids are the whole picture's. Raises as `apply` does, and ImageError for a box that
    is empty or not inside the picture.
    """
    entry, strength = find_strength(distortion, subtype, level)
    check_image(image)
    check_box(box, image)
    options = _depth_option(entry, image, depth)
    match entry.support:
        case Near(reach_px, grid_px):
            seen = box.grown(reach_px(strength)).on_grid(grid_px).clipped(image.shape)
            part = entry.apply_level(np.ascontiguousarray(image[seen.area]), strength, rng)
            return part[box.within(seen)]
        case InBox():
            return entry.apply_level(image, strength, rng, box, **options)
        case WholeFrame(prepare):
            return entry.apply_level(prepare(image), strength, rng)[box.area]


def find_strength(distortion: str, subtype: str, level: int) -> tuple[SubType, Any]:
    """The sub-type and its strength at a level; raises RecipeError for what is not known."""
    entry = find_subtype(distortion, subtype)
    if level not in range(1, LEVELS + 1):
        raise RecipeError(f"level of {distortion}:{subtype} must be 1 to {LEVELS}, got {level}")
    return entry, entry.strengths[level - 1]


def check_image(image: Image) -> None:
    """Raise ImageError unless it is (H, W, 3) uint8 with at least one pixel."""
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
        raise ImageError(f"image must be (H, W, 3) uint8, got {image.shape} {image.dtype}")


def check_box(box: Box, image: Image) -> None:
    """Raise ImageError unless the box has pixels and all of them are the picture's."""
    height, width = image.shape[:2]
    if box.empty or box.clipped(image.shape) != box:
        raise ImageError(f"box must be inside the {width}×{height} picture, got {tuple(box)}")


def _depth_option(
    entry: SubType, image: Image, depth: NDArray[np.float32] | None
) -> dict[str, Any]:
    if depth is None:
        return {}
    if depth.shape != image.shape[:2]:
        raise ImageError(f"depth must be {image.shape[:2]}, as the image, got {depth.shape}")
    if not np.isfinite(depth).all():
        raise ImageError("depth must be finite numbers, got NaN or infinity")
    return {"depth": depth} if entry.takes_depth else {}


def _unknown(what: str, name: str, known: dict[str, Any]) -> str:
    near = get_close_matches(name, list(known), n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"unknown {what} {name!r}, expected one of {', '.join(known)}{hint}"
