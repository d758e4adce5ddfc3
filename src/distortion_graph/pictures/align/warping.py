"""The target's pixels in the anchor's frame."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import ImageError
from distortion_graph.pictures.align.alignment import Alignment
from distortion_graph.pictures.align.matrices import scale_of
from distortion_graph.pictures.align.places import inside, places_in_target, whole_shift

_ROWS = 512  # worked out at a time: places of a whole large picture would take ten times its memory
_MOST_SIDE = 32_766  # of OpenCV's coordinates
_REDUCED_FROM = 1.5


class Warped(NamedTuple):
    """A target in its anchor's frame.

    `rgb`: (h, w, 3) uint8, black where the target shows nothing. `valid`: (h, w) bool, where it
    shows something.
    """

    rgb: NDArray[np.uint8]
    valid: NDArray[np.bool_]


def warped(target_rgb: NDArray[np.uint8], alignment: Alignment) -> Warped:
    """The target as it lies on the anchor, of the anchor's size.

    Whole shifts copy pixels. Anything else is resampled, with cubic splines, after a reduction by
    area means where the anchor is the smaller picture. Raises ImageError for a target of another
    size than the alignment's, and where it has to be resampled and has a side above 32 766 pixels.
    """
    if target_rgb.shape[:2] != alignment.target_size:
        h, w = alignment.target_size
        raise ImageError(
            f"target: is {target_rgb.shape[1]}×{target_rgb.shape[0]}, expected {w}×{h}, of which "
            "the alignment was made"
        )
    by = whole_shift(alignment.matrix) if alignment.flow is None else None
    return _copied(target_rgb, alignment, by) if by else _resampled(target_rgb, alignment)


def valid_pixels(alignment: Alignment) -> NDArray[np.bool_]:
    """Where the anchor shows what the target shows as well, (h, w) bool."""
    h, w = alignment.anchor_size
    valid = np.empty((h, w), np.bool_)
    for top in range(0, h, _ROWS):
        rows = (top, min(top + _ROWS, h))
        places = places_in_target(alignment, rows, (0, w))
        valid[slice(*rows)] = inside(places, alignment.target_size)
    return valid


def _copied(target: NDArray[np.uint8], alignment: Alignment, by: tuple[int, int]) -> Warped:
    h, w = alignment.anchor_size
    out, valid = np.zeros((h, w, 3), np.uint8), np.zeros((h, w), np.bool_)
    to, of = zip(
        *(
            _common(shift, n, m)
            for shift, n, m in zip(by[::-1], (h, w), target.shape[:2], strict=True)
        ),
        strict=True,
    )
    out[to] = target[of]
    valid[to] = True
    return Warped(out, valid)


def _common(shift: int, size: int, other: int) -> tuple[slice, slice]:
    """Along an axis, what lies in the frame and in the picture moved by `shift`."""
    first, last = max(shift, 0), max(min(size, other + shift), 0)
    first = min(first, last)
    return slice(first, last), slice(first - shift, last - shift)


def _resampled(target: NDArray[np.uint8], alignment: Alignment) -> Warped:
    if max(target.shape[:2]) > _MOST_SIDE:
        raise ImageError(
            f"target: has a side of {max(target.shape[:2])} pixels, expected at most {_MOST_SIDE} "
            "where it has to be resampled; reduce both pictures first"
        )
    h, w = alignment.anchor_size
    reduced = _reduced(target, alignment)
    scale = np.array(
        [reduced.shape[1] / target.shape[1], reduced.shape[0] / target.shape[0]], np.float32
    )
    out, valid = np.empty((h, w, 3), np.uint8), np.empty((h, w), np.bool_)
    for top in range(0, h, _ROWS):
        rows = (top, min(top + _ROWS, h))
        places = places_in_target(alignment, rows, (0, w))
        shown = inside(places, alignment.target_size)
        part = cv2.remap(  # type: ignore[call-overload]
            reduced, places * scale - 0.5, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
        )
        part[~shown] = 0
        out[slice(*rows)], valid[slice(*rows)] = part, shown
    return Warped(out, valid)


def _reduced(target: NDArray[np.uint8], alignment: Alignment) -> NDArray[np.uint8]:
    """The target at about the anchor's scale where it is much finer."""
    scale = scale_of(alignment.inverse, alignment.anchor_size)
    if scale < _REDUCED_FROM:
        return target
    h, w = (max(1, round(n / scale)) for n in target.shape[:2])
    return np.asarray(cv2.resize(target, (w, h), interpolation=cv2.INTER_AREA), np.uint8)
