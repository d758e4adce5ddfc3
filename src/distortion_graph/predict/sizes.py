"""Two pictures of unequal size: what is compared of them, and what to advise.

Pictures are never scaled or cut unless the caller says so, and never squashed unless the caller
insists: what another shape means, only a person knows.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, NamedTuple, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import ImageError
from distortion_graph.graph import Fitting
from distortion_graph.pictures.images import Picture

Fit = Literal["error", "crop", "resize", "resize!"]
"""What to do with a target of another size; "resize!" also where the shapes differ."""

FITS: tuple[Fit, ...] = get_args(Fit)

_SQUASH = "--fit resize! (fit='resize!') squashes the target to the anchor's shape"
_CUT_PX = 2  # a difference of so few pixels on a side is cut off rather than scaled away


class Fitted(NamedTuple):
    """What is compared, two pictures of one size, and how they came to it; None as they are."""

    anchor: Picture
    target: Picture
    how: Fitting | None


def fit_pair(anchor: Picture, target: Picture, fit: Fit) -> Fitted:
    """Bring two pictures to one size.

    "crop" takes the common part of both, from their top left corner; "resize" scales the target to
    the anchor's size where the two have the same shape within a pixel, "resize!" in any case.
    Raises ImageError, with advice, for sizes that `fit` does not allow, and for another `fit`.
    """
    if fit not in FITS:
        raise ImageError(f"fit is {fit!r}, expected one of {', '.join(map(repr, FITS))}")
    if target.size == anchor.size:
        return Fitted(anchor, target, None)
    if fit == "crop":
        height, width = map(min, anchor.size, target.size)
        return Fitted(_cut(anchor, height, width), _cut(target, height, width), "crop")
    if fit == "error" or (fit == "resize" and not same_shape(anchor.size, target.size)):
        advice = size_advice(anchor.size, target.size)
        if fit == "resize" and _SQUASH not in advice:
            advice += f"; {_SQUASH}"
        raise ImageError(
            f"{target.source or 'target'}: is {_shown(target)}, expected {_shown(anchor)} as "
            f"{anchor.source or 'anchor'}; {advice}"
        )
    shrinks = target.width * target.height > anchor.width * anchor.height
    way = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    scaled = cv2.resize(target.rgb, (anchor.width, anchor.height), interpolation=way)
    return Fitted(anchor, with_pixels(target, np.asarray(scaled, np.uint8)), "resize")


def fit_reference(reference: Picture, pair: Fitted, fit: Fit) -> Picture:
    """The part of an original that lies on a fitted pair, pixel by pixel.

    With "crop" it is the top left of a larger one. An original is never scaled: it would not be the
    original any more. Raises ImageError, with advice, for another size.
    """
    if reference.size == pair.anchor.size:
        return reference
    larger = all(
        own >= wanted for own, wanted in zip(reference.size, pair.anchor.size, strict=True)
    )
    if larger and fit == "crop":
        return _cut(reference, *pair.anchor.size)
    what = "the common part of the two pictures" if pair.how == "crop" else "the two pictures"
    if pair.how == "resize":
        what = f"{pair.anchor.source or 'the anchor'}, to which the target is scaled"
    crop = "; --fit crop (fit='crop') takes its top left" if larger and fit == "error" else ""
    raise ImageError(
        f"{reference.source or 'reference'}: the reference is {_shown(reference)}, expected "
        f"{_shown(pair.anchor)} as {what}: an original lies on what it is compared with pixel by "
        f"pixel and is never scaled{crop}"
    )


def same_shape(first: tuple[int, int], second: tuple[int, int]) -> bool:
    """Whether scaling makes two sizes (h, w) equal, to a pixel of the smaller one.

    Two that share a side have the scale 1.
    """
    small, large = sorted((first, second), key=lambda size: size[0] * size[1])
    longer = int(large[1] > large[0])
    shared = small[0] == large[0] or small[1] == large[1]
    scale = 1 if shared else large[longer] / small[longer]
    return all(abs(large[side] / scale - small[side]) <= 1 for side in (0, 1))


def size_advice(anchor: tuple[int, int], target: tuple[int, int]) -> str:
    """What to do about two unequal sizes (h, w)."""
    crop = "--fit crop (fit='crop') compares the common part, top left"
    scale = "--fit resize (fit='resize') scales the target to the anchor's size"
    down, across = (there - here for there, here in zip(target, anchor, strict=True))
    nearly = max(abs(down), abs(across)) <= _CUT_PX
    if nearly or not (down and across):
        return f"the target is {_difference(down, across)}; {crop}"
    if same_shape(anchor, target):
        return f"the same shape at another scale; {scale}"
    if same_shape(anchor, target[::-1]):
        turned = "the sides are exchanged, one picture may be rotated by 90°"
        return f"{turned}; rotate it back, or {crop}"
    return f"another shape, {_difference(down, across)}; {crop}; {_SQUASH}"


def _difference(down: int, across: int) -> str:
    """Such as `20 rows taller`."""
    parts = []
    for count, unit, more, less in (
        (down, "row", "taller", "shorter"),
        (across, "column", "wider", "narrower"),
    ):
        if count:
            plural = "s" if abs(count) > 1 else ""
            parts.append(f"{abs(count)} {unit}{plural} {more if count > 0 else less}")
    return " and ".join(parts)


def _cut(picture: Picture, height: int, width: int) -> Picture:
    """The top left of a picture; itself where that is all of it."""
    if picture.size == (height, width):
        return picture
    return with_pixels(picture, np.ascontiguousarray(picture.rgb[:height, :width]))


def with_pixels(picture: Picture, rgb: NDArray[np.uint8]) -> Picture:
    """A picture with other pixels, (h, w, 3) uint8, as they are displayed."""
    rgb.setflags(write=False)
    return replace(picture, rgb=rgb, stored_size=rgb.shape[:2], orientation=1)


def _shown(picture: Picture) -> str:
    return f"{picture.width}×{picture.height}"
