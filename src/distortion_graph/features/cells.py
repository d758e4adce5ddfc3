"""Masks in the two forms in which regions are counted, both made of the masks' crops.

Area weights say how much of every square cell of a picture each region covers; label maps say which
region a pixel belongs to, one map for all regions that do not overlap.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from distortion_graph.masks.boxes import Crop
from distortion_graph.masks.masks import Masks, crops

CELL_PX = 4
"""Side of a cell; the finest grain at which the model pools regions."""

GRAIN_PX = 16
"""Pictures are padded to a multiple of this many pixels, the model's coarsest stride."""

_CELL_AREA = CELL_PX * CELL_PX
_LAYER_REGIONS = 255  # a layer's labels are 8-bit, 0 for no region

Labels = NDArray[np.uint8]


class Layer(NamedTuple):
    """(H, W) labels of regions that do not overlap: n of the region at `regions[n − 1]`."""

    labels: Labels
    regions: list[int]

    def rows(self, labels: int) -> slice | list[int]:
        """Where what is known of the labels from 1 up to `labels` belongs."""
        regions = self.regions[: labels - 1]
        return slice(1, labels) if regions == list(range(1, labels)) else regions


def padded_size(height: int, width: int) -> tuple[int, int]:
    """Height and width rounded up to multiples of `GRAIN_PX`."""
    return -(-height // GRAIN_PX) * GRAIN_PX, -(-width // GRAIN_PX) * GRAIN_PX


def cell_counts(masks: Masks) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Pixels in every cell, (1 + R, H'/4, W'/4), and in all, (1 + R,), the whole picture first.

    H' × W' is the padded size; padding belongs to no region.
    """
    size = masks.size
    rows, columns = (
        _covered(n, padded) for n, padded in zip(size, padded_size(*size), strict=True)
    )
    counts = np.zeros((1 + len(masks), len(rows), len(columns)), np.uint8)
    pixels = np.full(1 + len(masks), size[0] * size[1], np.int64)
    counts[0] = rows[:, None] * columns
    for k, crop in enumerate(crops(masks), start=1):
        pixels[k] = np.count_nonzero(crop.mask)
        if pixels[k]:
            _count(counts[k], crop)
    return counts, pixels


def shares(counts: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Pixels in cells as shares of the cell, which 32-bit floats hold exactly."""
    return counts * np.float32(1 / _CELL_AREA)


def halved(weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """Shares of cells, (R, h, w) → shares of cells of twice the side, (R, ⌈h/2⌉, ⌈w/2⌉).

    Where a cell reaches beyond the last one, what is there of it counts.
    """
    _, height, width = weights.shape
    if height % 2 or width % 2:
        weights = np.pad(weights, ((0, 0), (0, height % 2), (0, width % 2)), "edge")
    rows = weights[:, ::2] + weights[:, 1::2]
    out = rows[..., ::2] + rows[..., 1::2]
    out *= np.float32(0.25)
    return np.asarray(out, np.float32)


def with_scene(masks: Masks) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Cell weights (1 + R, H'/4, W'/4) and shares of the picture (1 + R,), the scene first."""
    counts, pixels = cell_counts(masks)
    return shares(counts), (pixels / pixels[0]).astype(np.float32)


def label_layers(masks: Masks) -> list[Layer]:
    """Label maps of all regions, numbered from 1; those that overlap lie in different ones.

    There is at least one.
    """
    layers = [Layer(np.zeros(masks.size, np.uint8), [])]
    for number, crop in enumerate(crops(masks), start=1):
        layer = next((layer for layer in layers if _has_room(layer, crop)), None)
        if layer is None:
            layer = Layer(np.zeros(masks.size, np.uint8), [])
            layers.append(layer)
        layer.regions.append(number)
        label = np.uint8(len(layer.regions))
        np.copyto(layer.labels[crop.box.area], label, where=crop.mask)
    return layers


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


def _covered(length: int, padded: int) -> NDArray[np.uint8]:
    """Pixels of a picture's side in each of the cells along it."""
    starts = np.arange(0, padded, CELL_PX)
    return np.clip(length - starts, 0, CELL_PX).astype(np.uint8)


def _count(out: NDArray[np.uint8], crop: Crop) -> None:
    """Write the counts of a mask that has a pixel."""
    touched = crop.box.in_cells(CELL_PX)
    pixels = crop.box.on_grid(CELL_PX)
    inside = np.zeros((pixels.height, pixels.width), np.uint8)
    # The mean over a cell of 16 times the mask is the number of pixels: nothing is rounded.
    np.multiply(crop.mask, np.uint8(_CELL_AREA), out=inside[crop.box.within(pixels)])
    size = (touched.width, touched.height)
    out[touched.area] = cv2.resize(inside, size, interpolation=cv2.INTER_AREA)


def _has_room(layer: Layer, crop: Crop) -> bool:
    if len(layer.regions) == _LAYER_REGIONS:
        return False
    taken = layer.labels[crop.box.area]
    return not crop.mask.size or not cv2.norm(taken, cv2.NORM_INF, crop.mask.view(np.uint8))
