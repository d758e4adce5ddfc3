"""Every distortion type and its sub-types by name, and how one is applied (docs/distortions.md)."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import ImageError, RecipeError
from distortion_graph.masks.boxes import Box
from distortion_graph.synth.distort.common import Image
from distortion_graph.synth.distort.published import PUBLISHED
from distortion_graph.synth.distort.sub_types import LEVELS, SubType
from distortion_graph.synth.distort.support import AnewFrame, InBox, Near, WholeFrame
from distortion_graph.synth.distort.wild.table import WILD

__all__ = ["LEVELS", "SUBTYPES", "SubType", "apply", "apply_in_box", "find_subtype"]

SUBTYPES: dict[str, dict[str, SubType]] = {}
"""distortion label → sub-type name → SubType; the published table's first, in its order."""
for _entry in (*PUBLISHED, *WILD):
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
    level: float,
    rng: np.random.Generator,
    *,
    depth: NDArray[np.float32] | None = None,
) -> Image:
    """The whole picture distorted at `level` 1 (weakest) … 5, or a fraction above 0.

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
    level: float,
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
        case AnewFrame():
            return entry.apply_level(image, strength, rng, **options)[box.area]


def find_strength(distortion: str, subtype: str, level: float) -> tuple[SubType, Any]:
    """The sub-type and its strength at a level; raises RecipeError for what is not known."""
    entry = find_subtype(distortion, subtype)
    if not entry.available:
        raise RecipeError(
            f"{entry.full_name} needs the Python module {entry.needs}, which is not installed"
        )
    return entry, entry.strength(level)


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
