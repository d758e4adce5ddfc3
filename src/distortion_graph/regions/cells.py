"""Area weights: how much of every square cell of a picture each region covers."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from distortion_graph.errors import RegionError
from distortion_graph.regions.container import Masks

CELL_PX = 4
"""Side of a cell; the finest grain at which the model pools regions."""

GRAIN_PX = 16
"""Pictures are padded to a multiple of this many pixels, the model's coarsest stride."""


def padded_size(height: int, width: int) -> tuple[int, int]:
    """Height and width rounded up to multiples of `GRAIN_PX`."""
    return -(-height // GRAIN_PX) * GRAIN_PX, -(-width // GRAIN_PX) * GRAIN_PX


def cell_weights(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """(H, W) bool, any size → (H'/4, W'/4) shares in [0, 1], H' × W' the padded size.

    Padding belongs to no region.
    """
    height, width = mask.shape
    padded = np.zeros(padded_size(height, width), np.uint8)
    padded[:height, :width] = mask
    cells = (padded.shape[1] // CELL_PX, padded.shape[0] // CELL_PX)
    shares = cv2.resize(padded * np.uint8(240), cells, interpolation=cv2.INTER_AREA)
    # 240 = 16 · 15, so the mean over a cell's 16 pixels is a whole number and nothing is rounded.
    return np.asarray(shares, np.float32) / np.float32(240)


def with_scene(
    size: tuple[int, int], masks: Masks
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Cell weights (1 + R, H'/4, W'/4) and shares of the picture (1 + R,), the scene first.

    Raises RegionError for a mask of another size or type.
    """
    whole = cell_weights(np.ones(size, bool))
    weights = np.empty((1 + len(masks), *whole.shape), np.float32)
    area = np.ones(1 + len(masks), np.float32)
    weights[0] = whole
    for k, mask in enumerate(masks, start=1):
        if mask.shape != size or mask.dtype != np.bool_:
            raise RegionError(
                f"masks must be (R, {size[0]}, {size[1]}) bool, got one of {mask.shape} "
                f"{mask.dtype}"
            )
        weights[k] = cell_weights(mask)
        area[k] = np.count_nonzero(mask) / mask.size
    return weights, area


def pad_picture(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(H, W, 3) → (H', W', 3), the last row and column repeated up to the padded size."""
    height, width = rgb.shape[:2]
    full_height, full_width = padded_size(height, width)
    if (height, width) == (full_height, full_width):
        return rgb
    return np.asarray(
        cv2.copyMakeBorder(
            rgb, 0, full_height - height, 0, full_width - width, cv2.BORDER_REPLICATE
        ),
        np.uint8,
    )
