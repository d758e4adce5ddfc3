"""From a guess to a fraction of a pixel: ECC on detail, coarse to fine, and the model it takes.

ECC (Evangelidis and Psarakis, TPAMI 30, 2008) is OpenCV's `findTransformECC`. At the finest levels
both pictures are filtered first so that each frequency counts by what they share of it.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from distortion_graph.pictures.align.detail import (
    Level,
    Plane,
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
from distortion_graph.pictures.align.spectra import Shared, matched, shared, soft_overlap

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
_LIKENESS_PX = 21
_MOST_ALIKE = 0.95
_MOST_WEIGHT = 3.0  # of the mean


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
    onto: Pyramid,
    of: Pyramid,
    matrix: Matrix,
    motion: Motion,
    pixels: int,
    iterations: int,
    *,
    matched_iterations: int = 0,
) -> Matrix:
    """`matrix` (picture pixels, `of` to `onto`) improved within a motion at one level.

    Where ECC does not converge, or leaves the frame, what was there before stays.
    """
    levels = levels_for(onto, of, matrix, pixels)
    indices = level_indices(matrix, *levels)
    planes = levels.onto.detail, levels.of.detail
    indices = stepped(*planes, indices, motion, iterations)
    if matched_iterations:
        filtered = comparable(*planes, indices)
        indices = stepped(*filtered, indices, motion, matched_iterations)
    found = within(picture_pixels(indices, *levels), motion, of)
    return found if keeps_frame(found, of.size) else matrix


def within(matrix: Matrix, motion: Motion, of: Pyramid) -> Matrix:
    """The nearest mapping of the motion."""
    if not keeps_frame(matrix, of.size):
        return matrix
    if motion == "translation":
        return nearest_shift(matrix, of.size)
    return nearest_similarity(matrix, of.size) if motion == "similarity" else matrix


def comparable(onto: Plane, of: Plane, indices: Matrix) -> tuple[Plane, Plane]:
    """Both filtered and weighted so that each frequency and place counts by what they share."""
    return _weighted_by_likeness(*matched(onto, of, shared(onto, of, indices)), indices)


def stepped(onto: Plane, of: Plane, indices: Matrix, motion: Motion, iterations: int) -> Matrix:
    """`indices` improved by ECC; themselves where OpenCV says that it does not converge."""
    start = indices.astype(np.float32)
    if motion != "homography":
        start = start[:2].copy()
    criteria = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, iterations, _LEAST_GAIN)
    try:
        _, found = cv2.findTransformECC(onto, of, start, _MOTIONS[motion], criteria, None, 1)  # type: ignore[call-overload]
    except cv2.error:
        return indices
    if not np.isfinite(found).all():
        return indices
    whole = np.vstack([found, [0, 0, 1]]) if len(found) == 2 else found
    return np.asarray(whole / whole[2, 2], np.float64)


def _weighted_by_likeness(onto: Plane, of: Plane, indices: Matrix) -> tuple[Plane, Plane]:
    """Both times a weight that is small where they are unlike: blown-out light, flakes, movement.

    It falls to 0 at the borders of either, where a blur has mixed in what the other does not show.

    The weight is ρ / √(1 − ρ²) of the local correlation ρ, as that of a frequency is of the
    coherence.
    """
    h, w = onto.shape
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    laid = cv2.warpPerspective(of, indices, (w, h), flags=flags)
    power, other, product = (
        cv2.blur(a * b, (_LIKENESS_PX, _LIKENESS_PX))
        for a, b in ((onto, onto), (laid, laid), (onto, laid))
    )
    likeness = np.clip(product / np.sqrt(power * other + 1e-4), 0, _MOST_ALIKE)
    weight = likeness / np.sqrt(1 - likeness * likeness)
    weight = np.minimum(weight / (float(weight.mean()) + 1e-6), _MOST_WEIGHT).astype(np.float32)
    weight *= soft_overlap((h, w), of.shape, indices)
    back = cv2.warpPerspective(weight, indices, of.shape[::-1], flags=cv2.INTER_LINEAR)
    return onto * weight, of * back
