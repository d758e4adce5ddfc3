"""All that the network is told of regions beside the pictures."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from distortion_graph.features.cells import label_layers, with_scene
from distortion_graph.features.edges import edge_steps
from distortion_graph.features.histograms import region_histograms
from distortion_graph.masks.masks import MaskArrays, Masks, as_masks
from distortion_graph.work.threads import CachedCall


class RegionStatistics(NamedTuple):
    """Of the whole picture and then its R regions, all float32.

    `own` (2, 1 + R, 7, 256), `joint` and `detail` (1 + R, 4, 32, 32) and `patterns` (2, 1 + R, 64)
    are the counts of `histograms.Histograms`; `edges` (2, 1 + R, `edges.EDGE_STATISTICS`) see
    `edges.edge_steps`.
    """

    own: NDArray[np.float32]
    joint: NDArray[np.float32]
    detail: NDArray[np.float32]
    patterns: NDArray[np.float32]
    edges: NDArray[np.float32]


def region_statistics(
    anchor: NDArray[np.uint8], target: NDArray[np.uint8], masks: Masks | MaskArrays
) -> RegionStatistics:
    """Statistics of two (H, W, 3) uint8 pictures inside R masks of (H, W) bool.

    Raises RegionError for a mask of another size or type.
    """
    given = as_masks(masks, anchor.shape[:2])
    layers = CachedCall(lambda: label_layers(given))
    histograms = region_histograms(anchor, target, layers, len(masks))
    return RegionStatistics(*histograms, edge_steps((anchor, target), layers(), len(masks)))


class RegionInputs(NamedTuple):
    """Of the whole picture and then its R regions, float32.

    `weights` (1 + R, H'/4, W'/4) are shares of cells and `area` (1 + R,) shares of the picture, as
    `cells.with_scene` gives them.
    """

    weights: NDArray[np.float32]
    area: NDArray[np.float32]
    statistics: RegionStatistics


def region_inputs(
    anchor: NDArray[np.uint8], target: NDArray[np.uint8], masks: Masks | MaskArrays
) -> RegionInputs:
    """What a network in training takes of two (H, W, 3) uint8 pictures and R masks of (H, W) bool.

    Raises RegionError for a mask of another size or type.
    """
    masks = as_masks(masks, anchor.shape[:2])
    return RegionInputs(*with_scene(masks), region_statistics(anchor, target, masks))
