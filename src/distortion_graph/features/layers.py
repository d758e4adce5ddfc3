"""Label maps of regions: one map for all that do not overlap."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from distortion_graph.masks.masks import Crop, Masks, crops

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


def label_layers(size: tuple[int, int], masks: Masks) -> list[Layer]:
    """Label maps of all regions, numbered from 1; those that overlap lie in different ones.

    There is at least one. Raises RegionError for a mask of another size or type.
    """
    layers = [Layer(np.zeros(size, np.uint8), [])]
    for number, crop in enumerate(crops(masks, size), start=1):
        layer = next((layer for layer in layers if _has_room(layer, crop)), None)
        if layer is None:
            layer = Layer(np.zeros(size, np.uint8), [])
            layers.append(layer)
        layer.regions.append(number)
        np.copyto(layer.labels[crop.box], np.uint8(len(layer.regions)), where=crop.mask)
    return layers


def _has_room(layer: Layer, crop: Crop) -> bool:
    if len(layer.regions) == _LAYER_REGIONS:
        return False
    taken = layer.labels[crop.box]
    return not crop.mask.size or not cv2.norm(taken, cv2.NORM_INF, crop.mask.view(np.uint8))
