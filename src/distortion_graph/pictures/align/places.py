"""Where places of one picture lie in the other, by matrix and flow."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from distortion_graph.pictures.align.alignment import Alignment
from distortion_graph.pictures.align.matrices import Matrix, Size, is_shift

_SLACK_PX = 1e-3


def places_in_target(
    alignment: Alignment, rows: tuple[int, int], columns: tuple[int, int]
) -> NDArray[np.float32]:
    """Places (h, w, 2) of the anchor's pixel centres in rows and columns (from, to)."""
    return _places(alignment.inverse, alignment.flow, alignment.anchor_size, rows, columns)


def places_in_anchor(
    alignment: Alignment, rows: tuple[int, int], columns: tuple[int, int]
) -> NDArray[np.float32]:
    """Places (h, w, 2) of the target's pixel centres in rows and columns (from, to)."""
    return _places(alignment.matrix, alignment.back_flow, alignment.target_size, rows, columns)


def inside(places: NDArray[np.float32], size: Size) -> NDArray[np.bool_]:
    """Whether places lie in a frame, borders included; float32 knows no thousandth of a pixel."""
    h, w = size
    x, y = places[..., 0], places[..., 1]
    across = (x >= -_SLACK_PX) & (x <= w + _SLACK_PX)
    return np.asarray(across & (y >= -_SLACK_PX) & (y <= h + _SLACK_PX), np.bool_)


def whole_shift(matrix: Matrix) -> tuple[int, int] | None:
    """By how many whole pixels (x, y) a mapping moves; None where it does anything else."""
    dx, dy = float(matrix[0, 2]), float(matrix[1, 2])
    if is_shift(matrix) and dx.is_integer() and dy.is_integer():
        return int(dx), int(dy)
    return None


def _places(
    matrix: Matrix,
    flow: NDArray[np.float32] | None,
    size: Size,
    rows: tuple[int, int],
    columns: tuple[int, int],
) -> NDArray[np.float32]:
    x, y = np.meshgrid(np.arange(*columns) + 0.5, np.arange(*rows) + 0.5)
    w = matrix[2, 0] * x + matrix[2, 1] * y + matrix[2, 2]
    out = np.empty((*x.shape, 2), np.float32)
    for axis in (0, 1):
        out[..., axis] = (matrix[axis, 0] * x + matrix[axis, 1] * y + matrix[axis, 2]) / w
    if flow is not None:
        scale_x, scale_y = flow.shape[1] / size[1], flow.shape[0] / size[0]
        out += cv2.remap(
            flow,
            (x * scale_x - 0.5).astype(np.float32),
            (y * scale_y - 0.5).astype(np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
    return out
