"""Small local motion that a global mapping leaves: dense flow by DIS.

DIS (Kroeger et al., ECCV 2016) is OpenCV's. It runs on the detail of both pictures, in both
directions; where the two directions contradict each other, nothing is said to move.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from distortion_graph.pictures.align.detail import (
    Level,
    Plane,
    Pyramid,
    as_bytes,
    level_indices,
)
from distortion_graph.pictures.align.matrices import Matrix, inverted
from distortion_graph.pictures.align.refine import levels_for

_PIXELS = 1_000_000
_MOST_SHARE = 0.03  # of the longer side: what is farther is no small motion
_AGREE_PX = 1.0
_SMOOTH_PX, _SMOOTH_SHARE = 4.0, 0.015  # the larger one; of the longer side
_LIKE_PX = 21
_MOST_ALIKE = 0.95
_CHANCE = 0.3  # flow makes any two textures alike: what ρ² comes to where nothing is shared
_DOUBT = 0.1  # as a weight for no motion


def local_flow(
    onto: Pyramid, of: Pyramid, matrix: Matrix
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """What to add to the mapped places, on a reduced grid of `onto` and on one of `of`.

    Each is (h, w, 2) float32 (x, y), in pixels of the other picture.
    """
    levels = levels_for(onto, of, matrix, _PIXELS)
    there = _one_way(levels.onto, levels.of, matrix)
    back = _one_way(levels.of, levels.onto, inverted(matrix))
    return there, back


def _one_way(onto: Level, of: Level, matrix: Matrix) -> NDArray[np.float32]:
    """The rest of the motion for every pixel of `onto`, in picture pixels of `of`."""
    indices = level_indices(matrix, onto, of)
    h, w = onto.detail.shape
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    laid = cv2.warpPerspective(of.detail, indices, (w, h), flags=flags)
    inside = cv2.warpPerspective(np.ones_like(of.detail), indices, (w, h), flags=flags)
    first, second = as_bytes(onto.detail), as_bytes(np.where(inside > 0.99, laid, onto.detail))
    dis = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)  # type: ignore[attr-defined]
    forth, back = dis.calc(first, second, None), dis.calc(second, first, None)
    shown = inside > 0.99
    moved = _agreed(forth, back, onto.detail, np.asarray(laid, np.float32), shown)
    return _in_picture_pixels(moved * shown[..., None], indices, of)


def _agreed(
    forth: NDArray[np.float32],
    back: NDArray[np.float32],
    onto: Plane,
    laid: Plane,
    shown: NDArray[np.bool_],
) -> NDArray[np.float32]:
    """Motion (h, w, 2) in pixels, a mean of what is sure around; none where little is.

    Sure is what cancels forth and back, by how much the pictures are alike once it is undone.
    """
    h, w = forth.shape[:2]
    x, y = np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32))
    places = x + forth[..., 0], y + forth[..., 1]
    border = cv2.BORDER_REPLICATE
    returned, undone = (
        cv2.remap(plane, *places, cv2.INTER_LINEAR, borderMode=border) for plane in (back, laid)
    )
    off = np.linalg.norm(forth + returned, axis=2)
    length = np.linalg.norm(forth, axis=2)
    sure = shown & (off < _AGREE_PX) & (length < _MOST_SHARE * max(h, w))
    weight = np.where(sure, _likeness(onto, np.asarray(undone, np.float32)), 0).astype(np.float32)
    smooth = max(_SMOOTH_PX, _SMOOTH_SHARE * max(h, w))
    around = cv2.GaussianBlur(weight, (0, 0), smooth)
    mean = cv2.GaussianBlur(forth * weight[..., None], (0, 0), smooth)
    return np.asarray(mean / (around + _DOUBT)[..., None], np.float32)


def _likeness(one: Plane, other: Plane) -> Plane:
    """ρ² / (1 − ρ²) of the local correlation ρ, less what chance makes of it."""
    box = (_LIKE_PX, _LIKE_PX)
    power, its, product = (cv2.blur(p, box) for p in (one * one, other * other, one * other))
    alike = np.clip(product / np.sqrt(power * its + 1e-4), 0, _MOST_ALIKE) ** 2
    alike = np.maximum(alike - _CHANCE, 0)
    return np.asarray(alike / (1 - alike), np.float32)


def _in_picture_pixels(moved: NDArray[np.float32], indices: Matrix, of: Level) -> Plane:
    """Motion in the frame of `onto`'s level, as it is in picture pixels of `of`."""
    h, w = moved.shape[:2]
    x, y = np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32))
    here = np.stack([x, y], 2)
    ends = (cv2.perspectiveTransform(place, indices) for place in (here + moved, here))
    one, other = ends
    return np.asarray((one - other) / np.array(of.scale, np.float32), np.float32)
