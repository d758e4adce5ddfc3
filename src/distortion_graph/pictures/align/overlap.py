"""What two aligned pictures both show, in the pixels of one of them."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from distortion_graph.pictures.align.alignment import Alignment
from distortion_graph.pictures.align.matrices import scale_of
from distortion_graph.pictures.align.places import whole_shift
from distortion_graph.pictures.align.warping import warped

_SAME_SCALE = 0.01  # of a logarithm: pixels that differ by less are of one size


class Overlap(NamedTuple):
    """The part of a scene that two pictures both show.

    Attributes:
        frame: In whose pixels: 0 the anchor's, 1 the target's.
        window: The rows and columns of that picture that hold all of it, as few as can be.
        pair: Anchor and target, (h, w, 3) uint8 each, of the window. The picture that is not the
            frame is resampled, unless `copied`; where it shows nothing it has the frame's pixels.
        shown: (h, w) bool, where both show something.
        copied: Whether every pixel of the pair is one of its own picture: the two are moved by
            whole pixels.
    """

    frame: int
    window: tuple[slice, slice]
    pair: tuple[NDArray[np.uint8], NDArray[np.uint8]]
    shown: NDArray[np.bool_]
    copied: bool


def coarser(alignment: Alignment, first: int) -> int:
    """The picture with the coarser pixels, 0 the anchor or 1 the target; `first` of equal ones.

    Reducing the finer picture invents nothing, enlarging the coarser one would.
    """
    anchor_px_per_target_px = scale_of(alignment.matrix, alignment.target_size)
    ratio = math.log(anchor_px_per_target_px)
    if abs(ratio) < _SAME_SCALE:
        return first
    return int(ratio > 0)


def overlap_of(
    anchor: NDArray[np.uint8], target: NDArray[np.uint8], alignment: Alignment, frame: int
) -> Overlap | None:
    """What (H, W, 3) uint8 pictures both show, in the pixels of the picture `frame`.

    None where they have no pixel in common. Exchanging pictures and frame exchanges the answer's,
    to the bit.
    """
    pictures = anchor, target
    own = pictures[frame]
    laid = warped(pictures[1 - frame], alignment if frame == 0 else alignment.swapped())
    rows, columns = (np.flatnonzero(laid.valid.any(axis)) for axis in (1, 0))
    if not len(rows):
        return None
    window = slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
    shown = np.ascontiguousarray(laid.valid[window])
    mine = np.ascontiguousarray(own[window])
    other = np.where(shown[..., None], laid.rgb[window], mine)
    copied = alignment.flow is None and whole_shift(alignment.matrix) is not None
    pair = (mine, other) if frame == 0 else (other, mine)
    return Overlap(frame, window, pair, shown, copied)
