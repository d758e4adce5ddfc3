"""How far small parts of two pictures lie apart once one is laid on the other."""

from __future__ import annotations

import cv2
import numpy as np

from distortion_graph.pictures.align.detail import as_bytes, level_indices
from distortion_graph.pictures.align.matrices import Matrix
from distortion_graph.pictures.align.refine import Levels

_ACROSS, _DOWN = 12, 9
_WINDOW_PX = 21
_MARGIN_PX = _WINDOW_PX // 2 + 2
_LEAST_TEXTURE = 1e-3
_LEAST_POINTS = 5


def residual(levels: Levels, matrix: Matrix) -> float | None:
    """The median distance, in pixels of the coarser picture, over a grid of textured places.

    Each is measured by Lucas and Kanade's method (OpenCV's `calcOpticalFlowPyrLK`) in a window of
    21 pixels. None where fewer than five places can be measured.
    """
    onto, of = levels
    h, w = onto.detail.shape
    indices = level_indices(matrix, onto, of)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    laid = cv2.warpPerspective(of.detail, indices, (w, h), flags=flags)
    inside = cv2.warpPerspective(np.ones(of.detail.shape, np.uint8), indices, (w, h), flags=flags)
    side = 2 * _MARGIN_PX + 1
    inside = cv2.erode(inside, np.ones((side, side), np.uint8), borderValue=0)
    x, y = np.meshgrid(
        np.linspace(_MARGIN_PX, w - 1 - _MARGIN_PX, _ACROSS),
        np.linspace(_MARGIN_PX, h - 1 - _MARGIN_PX, _DOWN),
    )
    points = np.stack([x.ravel(), y.ravel()], 1)
    points = points[(points >= 0).all(1)]
    whole = points.round().astype(np.intp)
    points = points[inside[whole[:, 1], whole[:, 0]] > 0].astype(np.float32)
    if len(points) < _LEAST_POINTS:
        return None
    found, status, _ = cv2.calcOpticalFlowPyrLK(  # type: ignore[call-overload]
        as_bytes(onto.detail),
        as_bytes(laid),  # type: ignore[arg-type]
        points[:, None],
        None,
        winSize=(_WINDOW_PX, _WINDOW_PX),
        maxLevel=0,
        minEigThreshold=_LEAST_TEXTURE,
    )
    sure = status[:, 0] > 0
    if sure.sum() < _LEAST_POINTS:
        return None
    apart = np.sort(np.linalg.norm(found[:, 0] - points, axis=1)[sure])
    # `np.median`, which would load NumPy's masked arrays first.
    median = (apart[(len(apart) - 1) // 2] + apart[len(apart) // 2]) / 2
    return float(median) / max(onto.scale[0], of.scale[0])
