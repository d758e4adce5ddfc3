"""Two pictures to compare: loaded together, and what a person should know of them."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, cast, get_args

import numpy as np

from distortion_graph.pictures.backgrounds import DEFAULT_BACKGROUND, background_words
from distortion_graph.pictures.images import (
    DEFAULT_MAX_PIXELS,
    ImageSource,
    Picture,
    load_picture,
)
from distortion_graph.work.threads import side_by_side


def load_pair(
    anchor: ImageSource | Picture,
    target: ImageSource | Picture,
    *,
    max_pixels: int = DEFAULT_MAX_PIXELS,
    background: str = DEFAULT_BACKGROUND,
) -> tuple[Picture, Picture]:
    """`load_picture` of both, at the same time where they are files; raises ImageError."""

    def anchors() -> Picture:
        name = _unnamed(anchor, "anchor")
        return load_picture(anchor, max_pixels=max_pixels, name=name, background=background)

    def targets() -> Picture:
        name = _unnamed(target, "target")
        return load_picture(target, max_pixels=max_pixels, name=name, background=background)

    # Pillow images may share a file that only one thread can read.
    files = all(isinstance(source, str | Path | bytes) for source in (anchor, target))
    return side_by_side(anchors, targets) if files else (anchors(), targets())


OneOfThePair = Literal["anchor", "target"]


def load_reference(
    reference: ImageSource | Picture | None,
    *,
    max_pixels: int = DEFAULT_MAX_PIXELS,
    background: str = DEFAULT_BACKGROUND,
) -> Picture | OneOfThePair | None:
    """The original of a pair: a picture, or the word "anchor" or "target" as it is.

    A file of such a name is "./anchor". Raises ImageError as `load_picture` does.
    """
    if reference is None:
        return None
    if isinstance(reference, str) and reference in get_args(OneOfThePair):
        return cast(OneOfThePair, reference)
    name = _unnamed(reference, "reference")
    return load_picture(reference, max_pixels=max_pixels, name=name, background=background)


def pair_warnings(anchor: Picture, target: Picture) -> tuple[str, ...]:
    """What a person should know of two pictures: their own warnings, and transparency that differs.

    One line each. Where only one picture is transparent, its own warning says enough, unless
    nothing else tells the two apart.
    """
    warnings = (*anchor.warnings, *target.warnings)
    share = _alpha_difference(anchor, target)
    equal = share > 0 and np.array_equal(anchor.rgb, target.rgb)
    if share == 0 or not (equal or (anchor.alpha is not None and target.alpha is not None)):
        return warnings
    laid = background_words(anchor.background or target.background or DEFAULT_BACKGROUND)
    names = f"{anchor.source or 'anchor'} and {target.source or 'target'}"
    differ = f"differ in transparency ({100 * share:.1f} % of the pixels)"
    if equal:
        return (*warnings, f"{names} are equal once laid on {laid}; they {differ}")
    return (*warnings, f"{names} {differ}; what is compared is what they look like on {laid}")


def _alpha_difference(anchor: Picture, target: Picture) -> float:
    """The share of pixels whose alpha differs; 0 where the pictures have two sizes."""
    if anchor.size != target.size or (anchor.alpha is None and target.alpha is None):
        return 0.0
    opaque = np.full(anchor.size, 255, np.uint8)
    first, second = (opaque if p.alpha is None else p.alpha for p in (anchor, target))
    return float((first != second).mean())


def _unnamed(source: object, side: str) -> str | None:
    """What to call a picture that came without a path."""
    return None if isinstance(source, str | Path | Picture) else side
