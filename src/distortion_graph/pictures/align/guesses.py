"""Where one picture may lie in another: guesses from frames, spectra and features."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from distortion_graph.pictures.align.detail import Pyramid, as_bytes, level_indices
from distortion_graph.pictures.align.matrices import (
    Matrix,
    about_centres,
    keeps_frame,
    normalised,
    scaling,
    shift,
)
from distortion_graph.pictures.align.spectra import shift_between, turn_and_scale

_SPECTRUM_SIDE = 256
_FEATURE_PIXELS = 150_000
_FEATURES = 800
_FEATURE_CONTRAST = 0.02
_FEATURE_RATIO = 0.85
_WITHIN_PX = 4.0
_LEAST_FEATURES = 4


def cheap_guesses(onto: Pyramid, of: Pyramid) -> Iterator[Matrix]:
    """Mappings of picture pixels, `of` to `onto`.

    The whole frame on the whole frame, the same scale, and what the spectra say of turn and scale,
    each shifted by phase correlation.
    """
    frames = scaling(onto.size[1] / of.size[1], onto.size[0] / of.size[0])
    factor = min(1.0, _SPECTRUM_SIDE / max(*onto.size, *of.size))
    first, second = onto.level(factor), of.level(factor)
    turn, scale = turn_and_scale(first.detail, second.detail)
    starts = [frames, about_centres(0, 1, of.size, onto.size)]
    starts += [about_centres(turn + half, scale, of.size, onto.size) for half in (0, math.pi)]
    for start in starts:
        indices = level_indices(start, first, second)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        h, w = first.detail.shape
        laid = cv2.warpPerspective(second.detail, indices, (w, h), flags=flags)
        dx, dy = shift_between(first.detail, laid)  # type: ignore[arg-type]
        yield shift(dx / first.scale[0], dy / first.scale[1]) @ start


def guess_by_features(onto: Pyramid, of: Pyramid) -> Iterator[Matrix]:
    """The similarity that most features of `of` agree on, where some do."""
    (points, words), (other_points, other_words) = _features(onto), _features(of)
    if min(len(points), len(other_points)) < _LEAST_FEATURES:
        return
    pairs = cv2.BFMatcher(cv2.NORM_L2).knnMatch(other_words, words, k=2)
    good = [p[0] for p in pairs if len(p) == 2 and p[0].distance < _FEATURE_RATIO * p[1].distance]
    if len(good) < _LEAST_FEATURES:
        return
    there = points[[match.trainIdx for match in good]]
    here = other_points[[match.queryIdx for match in good]]
    within = _WITHIN_PX / onto.factor_for(_FEATURE_PIXELS)
    # OpenCV's RANSAC draws from a generator of its own with a fixed seed.
    affine, _ = cv2.estimateAffinePartial2D(
        here,
        there,
        method=cv2.RANSAC,
        ransacReprojThreshold=within,
        maxIters=3000,
        confidence=0.999,
    )
    if affine is None:
        return  # type: ignore[unreachable]
    matrix = normalised(np.vstack([affine, [0, 0, 1]]))
    if keeps_frame(matrix, of.size):
        yield matrix


def _features(picture: Pyramid) -> tuple[NDArray[np.float64], NDArray[Any]]:
    """Places in picture pixels (n, 2), and RootSIFT words (n, 128), of features of the detail."""
    level = picture.level(picture.factor_for(_FEATURE_PIXELS))
    sift = cv2.SIFT_create(_FEATURES, contrastThreshold=_FEATURE_CONTRAST)  # type: ignore[attr-defined]
    points, words = sift.detectAndCompute(as_bytes(level.detail), None)
    if words is None:
        return np.zeros((0, 2)), np.zeros((0, 128), np.float32)
    places = np.array([point.pt for point in points], np.float64)
    root = np.sqrt(words / np.maximum(words.sum(1, keepdims=True), 1e-6))
    return (places + 0.5) / level.scale, root.astype(np.float32)
