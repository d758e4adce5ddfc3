"""From a guess to about a pixel: ECC on detail, coarse to fine.

ECC (Evangelidis and Psarakis, TPAMI 30, 2008) is OpenCV's `findTransformECC`.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from distortion_graph.pictures.align.detail import (
    Level,
    Pyramid,
    level_indices,
    picture_pixels,
)
from distortion_graph.pictures.align.matrices import (
    Matrix,
    keeps_frame,
    nearest_shift,
    nearest_similarity,
    scale_of,
)
from distortion_graph.pictures.align.motions import Motion
from distortion_graph.pictures.align.spectra import Shared, shared

COARSE_PIXELS = 12_000
MIDDLE_PIXELS = 40_000
FINE_PIXELS = 240_000
FINEST_PIXELS = 1_000_000

_MOTIONS = {
    "translation": cv2.MOTION_TRANSLATION,
    "similarity": cv2.MOTION_AFFINE,  # OpenCV's ECC has none; the nearest one is taken afterwards
    "affine": cv2.MOTION_AFFINE,
    "homography": cv2.MOTION_HOMOGRAPHY,
}
_LEAST_GAIN = 1e-6  # of the correlation in an iteration
_MOST_REDUCED = 4.0


class Levels(NamedTuple):
    """Both pictures reduced so that what they show has about one scale."""

    onto: Level
    of: Level

    def shared(self, matrix: Matrix) -> Shared:
        """What the two have in common where `matrix`, in picture pixels, lays one on the other."""
        return shared(self.onto.detail, self.of.detail, level_indices(matrix, *self))


def levels_for(onto: Pyramid, of: Pyramid, matrix: Matrix, pixels: int) -> Levels:
    """The levels at which `onto` has about so many pixels or, where it is finer, `of` has all."""
    scale = scale_of(matrix, of.size)
    factor = min(1.0, 1 / scale, onto.factor_for(pixels))
    # A small part enlarged to a whole picture would make a huge level of the other one.
    most = min(1.0, of.factor_for(_MOST_REDUCED * pixels) / (factor * scale))
    factor *= most
    return Levels(onto.level(factor), of.level(min(1.0, factor * scale)))


def refined(
    onto: Pyramid, of: Pyramid, matrix: Matrix, motion: Motion, pixels: int, iterations: int
) -> Matrix:
    """`matrix` (picture pixels, `of` to `onto`) improved by ECC within a motion at one level.

    Where ECC does not converge, or leaves the frame, what was there before stays.
    """
    levels = levels_for(onto, of, matrix, pixels)
    start = level_indices(matrix, *levels).astype(np.float32)
    if motion != "homography":
        start = start[:2].copy()
    planes = levels.onto.detail, levels.of.detail
    criteria = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, iterations, _LEAST_GAIN)
    try:
        _, ended = cv2.findTransformECC(*planes, start, _MOTIONS[motion], criteria, None, 1)  # type: ignore[call-overload]
    except cv2.error:
        return matrix
    if not np.isfinite(ended).all():
        return matrix
    whole = np.vstack([ended, [0, 0, 1]]) if len(ended) == 2 else ended
    indices = np.asarray(whole / whole[2, 2], np.float64)
    found = picture_pixels(indices, *levels)
    if not keeps_frame(found, of.size):
        return matrix
    if motion == "translation":
        return nearest_shift(found, of.size)
    return nearest_similarity(found, of.size) if motion == "similarity" else found
