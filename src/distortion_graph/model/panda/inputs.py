"""From pictures and masks of any size to what the network takes, and the published augmentation."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from distortion_graph.masks.masks import MaskArrays, Masks, as_masks, crops
from distortion_graph.measure.quality import check_pair
from distortion_graph.model.panda.network import PandaInputs

_FLIP_HORIZONTALLY, _FLIP_VERTICALLY, _TURN = 0.5, 0.2, 0.5


def fit_picture(rgb: NDArray[np.uint8], side_px: int) -> NDArray[np.uint8]:
    """(H, W, 3) → (side, side, 3), bilinear and squeezed to a square, as published."""
    size = (side_px, side_px)
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_LINEAR), np.uint8)


def fit_mask(mask: NDArray[np.bool_], side_px: int) -> NDArray[np.bool_]:
    """(H, W) → (side, side) by the nearest pixel; a small region may vanish."""
    size = (side_px, side_px)
    fitted = cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    return np.asarray(fitted, np.bool_)


def fit_pair(
    anchor: NDArray[np.uint8], target: NDArray[np.uint8], masks: Masks | MaskArrays, side_px: int
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Two (H, W, 3) pictures and R ≥ 0 masks (H, W) → (2, side, side, 3) and (R, side, side).

    Raises ImageError for pictures of unequal size or of another type, RegionError for such masks.
    """
    check_pair(anchor, target)
    masks = as_masks(masks, anchor.shape[:2])
    fitted = np.zeros((len(masks), side_px, side_px), np.bool_)
    for k, crop in enumerate(crops(masks)):
        fitted[k] = fit_mask(crop.on_picture(masks.size), side_px)
    return np.stack([fit_picture(rgb, side_px) for rgb in (anchor, target)]), fitted


def prepare_pair(
    anchor: NDArray[np.uint8], target: NDArray[np.uint8], masks: Masks | MaskArrays, side_px: int
) -> PandaInputs:
    """The network's inputs for one pair (B = 1); raises as `fit_pair` does."""
    images, fitted = fit_pair(anchor, target, masks, side_px)
    valid = np.ones((1, len(fitted)), np.bool_)
    return PandaInputs(*map(torch.from_numpy, (images[None], fitted[None], valid)))


def augment(
    images: NDArray[np.uint8], masks: NDArray[np.bool_], rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """The published augmentation, the same for both pictures and their masks.

    Mirrored left to right with probability .5 and top to bottom with .2; with .5 turned by 0, 90,
    180 or 270 degrees, each as likely.

    Args:
        images: (2, S, S, 3), square.
        masks: (R, S, S).
        rng: four numbers are drawn from it, whatever comes out.
    """
    chances, turns = rng.random(3), int(rng.integers(4))
    if chances[0] < _FLIP_HORIZONTALLY:
        images, masks = images[:, :, ::-1], masks[:, :, ::-1]
    if chances[1] < _FLIP_VERTICALLY:
        images, masks = images[:, ::-1], masks[:, ::-1]
    if chances[2] < _TURN:
        images, masks = np.rot90(images, turns, (1, 2)), np.rot90(masks, turns, (1, 2))
    return np.ascontiguousarray(images), np.ascontiguousarray(masks)
