"""All that the network is told of regions beside the pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from distortion_graph.features.cells import Layer, label_layers, with_scene
from distortion_graph.features.edges import edge_steps
from distortion_graph.features.histograms import (
    JointHistograms,
    joint_histograms,
    joint_planes,
    own_histograms,
)
from distortion_graph.masks.masks import MaskArrays, Masks, as_masks
from distortion_graph.work.threads import CachedCall


class OwnStatistics(NamedTuple):
    """Of one picture, the whole of it and then its R regions, all float32.

    `own` (1 + R, 7, 256) and `patterns` (1 + R, 64) are the counts of `histograms.OwnHistograms`;
    `edges` (1 + R, `edges.EDGE_STATISTICS`) see `edges.edge_steps`.
    """

    own: NDArray[np.float32]
    patterns: NDArray[np.float32]
    edges: NDArray[np.float32]


class RegionStatistics(NamedTuple):
    """Of the whole picture and then its R regions, all float32.

    `own` (2, 1 + R, 7, 256), `patterns` (2, 1 + R, 64) and `edges` (2, 1 + R, …) are the
    `OwnStatistics` of both pictures, `joint` and `detail` (1 + R, 4, 32, 32) the counts of
    `histograms.JointHistograms`.
    """

    own: NDArray[np.float32]
    joint: NDArray[np.float32]
    detail: NDArray[np.float32]
    patterns: NDArray[np.float32]
    edges: NDArray[np.float32]

    @classmethod
    def of(cls, pictures: Sequence[OwnStatistics], together: JointHistograms) -> RegionStatistics:
        """Those of two pictures, and what is counted of both together."""
        own, patterns, edges = (np.stack(both) for both in zip(*pictures, strict=True))
        return cls(own, together.joint, together.detail, patterns, edges)


def own_statistics(
    rgb: NDArray[np.uint8], layers: Callable[[], Sequence[Layer]], regions: int
) -> OwnStatistics:
    """Statistics of an (H, W, 3) uint8 picture inside so many regions, all of the layers'."""
    histograms = own_histograms(rgb, layers, regions)
    [edges] = edge_steps([rgb], layers(), regions)
    return OwnStatistics(*histograms, edges)


def region_statistics(
    anchor: NDArray[np.uint8], target: NDArray[np.uint8], masks: Masks | MaskArrays
) -> RegionStatistics:
    """Statistics of two (H, W, 3) uint8 pictures inside R masks of (H, W) bool.

    Raises RegionError for a mask of another size or type.
    """
    size = anchor.shape[0], anchor.shape[1]
    given = as_masks(masks, size)
    layers = CachedCall(lambda: label_layers(given))
    pictures = anchor, target
    own = [own_statistics(rgb, layers, len(given)) for rgb in pictures]
    planes = [partial(joint_planes, rgb) for rgb in pictures]
    return RegionStatistics.of(own, joint_histograms(planes, size, layers, len(given)))


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
