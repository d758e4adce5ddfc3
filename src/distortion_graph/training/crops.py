"""Square parts of clean pictures and of their regions, for training."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from distortion_graph.datasets.pictures import CleanPicture


def random_crop(
    picture: CleanPicture, side: int, rng: np.random.Generator, enlargement: float = 1.0
) -> tuple[NDArray[np.uint8], NDArray[np.uint16]]:
    """A square crop of picture and label map, mirrored or turned, at a random scale.

    The scale is ½ to 1, less where the crop still shows no more than the whole picture, more where
    the picture is smaller than the crop; an `enlargement` above 1 is the scale instead.
    """
    label_map = picture.label_maps[int(rng.integers(len(picture.label_maps)))]
    rgb = picture.rgb
    smallest = side / min(rgb.shape[:2])
    lowest = min(smallest, 0.5)
    scale = max(smallest, float(rng.uniform(lowest, 1)) if rng.random() < 0.5 else 1.0)
    if enlargement > 1:
        scale = max(smallest, enlargement)
    if scale != 1:
        size = (max(side, round(rgb.shape[1] * scale)), max(side, round(rgb.shape[0] * scale)))
        way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        rgb = np.asarray(cv2.resize(rgb, size, interpolation=way), np.uint8)
        label_map = np.asarray(
            cv2.resize(label_map, size, interpolation=cv2.INTER_NEAREST_EXACT), np.uint16
        )
    top = int(rng.integers(rgb.shape[0] - side + 1))
    left = int(rng.integers(rgb.shape[1] - side + 1))
    rgb = rgb[top : top + side, left : left + side]
    label_map = label_map[top : top + side, left : left + side]
    if rng.random() < 0.5:
        rgb, label_map = rgb[:, ::-1], label_map[:, ::-1]
    if rng.random() < 0.15:
        rgb, label_map = np.rot90(rgb), np.rot90(label_map)
    return np.ascontiguousarray(rgb), np.ascontiguousarray(label_map)


def split_regions(
    label_map: NDArray[np.uint16],
    rng: np.random.Generator,
    *,
    min_share: float,
    max_regions: int,
    grid_share: float = 0.0,
) -> NDArray[np.bool_]:
    """(R, H, W) masks of a crop's regions, each of at least `min_share` of it.

    Few large ones are sometimes cut up further. A `grid_share` of the crops is cut into a grid
    instead, whatever they show.
    """
    labels = label_map.astype(np.int32)
    present = int((np.bincount(labels.ravel())[1:] > 0).sum())
    if grid_share and rng.random() < grid_share:
        labels = 1 + _grid(labels.shape, rng)
    elif present < 3 or rng.random() < 0.15:
        labels = np.where(labels > 0, labels * 8 + _cells(labels.shape, rng), 0)
    counts = np.bincount(labels.ravel())
    counts[0] = 0
    ids = np.flatnonzero(counts >= min_share * labels.size)
    if len(ids) > max_regions:
        ids = np.sort(rng.choice(ids, max_regions, replace=False))
    return np.asarray(labels[None] == ids[:, None, None])


def _grid(shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.int32]:
    """The number of its cell for every pixel, of a grid of one to four rows and columns."""
    rows, columns = (int(n) for n in rng.integers(1, 5, 2))
    y, x = (
        np.arange(side) * parts // side for side, parts in zip(shape, (rows, columns), strict=True)
    )
    return np.asarray(y[:, None] * columns + x, np.int32)


def _cells(shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.int32]:
    """Nearest of 2 … 7 random points for every pixel: a random partition into convex cells."""
    count = int(rng.integers(2, 8))
    points = rng.uniform((0, 0), shape, (count, 2))
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    distance = [(rows - y) ** 2 + (columns - x) ** 2 for y, x in points]
    return np.asarray(np.argmin(distance, axis=0), np.int32)
