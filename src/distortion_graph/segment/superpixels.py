"""Superpixels of pictures at a reduced size: what found regions are made of.

Work is done at a reduced size, so that the cost does not grow with the picture. Nothing is random.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

_WORK_SIDE = 320  # longest side of what is segmented, px


def work_size(h: int, w: int) -> tuple[int, int]:
    """The reduced size (h, w) of a picture: at most 320 pixels along each side."""
    scale = min(1.0, _WORK_SIDE / max(h, w))
    return max(1, round(h * scale)), max(1, round(w * scale))


def reduced(rgb: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.float32]:
    """(h, w, 3) float32 in [0, 1], each pixel the mean of the area it covers."""
    import cv2

    small = cv2.resize(rgb, (size[1], size[0]), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32) / np.float32(255)


def enlarged(labels: NDArray[np.int32], size: tuple[int, int]) -> NDArray[np.int32]:
    """Nearest neighbour; connected regions stay connected as no size shrinks."""
    rows = np.arange(size[0]) * labels.shape[0] // size[0]
    cols = np.arange(size[1]) * labels.shape[1] // size[1]
    return np.asarray(labels[rows[:, None], cols[None, :]], np.int32)


def look(rgb: NDArray[np.float32]) -> NDArray[np.float32]:
    """(h, w, 4) of an RGB picture in [0, 1]: L*, a*, b*, and the deviation of L* in 7×7 pixels."""
    import cv2

    lab = cv2.cvtColor(cv2.GaussianBlur(rgb, (3, 3), 0.8), cv2.COLOR_RGB2LAB)
    light = lab[..., 0]
    spread = cv2.blur(light * light, (7, 7)) - cv2.blur(light, (7, 7)) ** 2
    return np.dstack([lab, np.sqrt(np.maximum(spread, 0))]).astype(np.float32)


def superpixels(
    values: NDArray[np.float32], count: int, compactness: float, iterations: int
) -> NDArray[np.int64]:
    """About `count` connected parts of (h, w, C) values, such as L*a*b* colours; labels from 0.

    SLIC (Achanta et al., PAMI 2012): every pixel joins the mean that is nearest in values and place
    of the nine whose cells of a grid are its own and those around it (as in gSLIC, Ren and Reid
    2011), and means move with their pixels. `compactness` is the difference of values that weighs
    as much as the width of a cell.
    """
    h, w = values.shape[:2]
    width = max(1.0, math.sqrt(h * w / count))
    tall, wide = (math.ceil(n / max(1, round(n / width))) for n in (h, w))
    rows, cols = math.ceil(h / tall), math.ceil(w / wide)
    places = np.mgrid[:h, :w].astype(np.float32) * np.float32(compactness / math.sqrt(tall * wide))
    looks = np.dstack([values, *places])
    whole = np.pad(looks, ((0, rows * tall - h), (0, cols * wide - w), (0, 0)), mode="edge")
    cells = _by_cell(whole, tall, wide)
    row, col = np.divmod(np.arange(rows * cols), cols)
    around = [
        (row + down).clip(0, rows - 1) * cols + (col + right).clip(0, cols - 1)
        for down in (-1, 0, 1)
        for right in (-1, 0, 1)
    ]
    near = np.stack(around, 1)
    labels = np.arange(h)[:, None] // tall * cols + np.arange(w) // wide
    for _ in range(iterations):
        means = _means(looks, labels, rows * cols)[near]
        # |cell − mean|², less what is the same for all means.
        apart = (means**2).sum(2)[:, None] - 2 * cells @ means.transpose(0, 2, 1)
        chosen = np.take_along_axis(near, apart.argmin(2), 1).reshape(rows, cols, tall, wide)
        labels = chosen.transpose(0, 2, 1, 3).reshape(rows * tall, cols * wide)[:h, :w]
    return _without_scraps(connected_parts(labels), h * w / (rows * cols) / 2)


def _by_cell(looks: NDArray[np.float32], tall: int, wide: int) -> NDArray[np.float32]:
    """(cells, pixels of a cell, C) of (h, w, C)."""
    h, w, channels = looks.shape
    parts = looks.reshape(h // tall, tall, w // wide, wide, channels).transpose(0, 2, 1, 3, 4)
    return np.ascontiguousarray(parts.reshape(-1, tall * wide, channels))


def _means(
    looks: NDArray[np.float32], labels: NDArray[np.int64], count: int
) -> NDArray[np.float32]:
    """(count, C): 0 where a label has no pixel left."""
    flat = labels.ravel()
    sums = [np.bincount(flat, plane.ravel(), count) for plane in np.moveaxis(looks, 2, 0)]
    pixels = np.bincount(flat, minlength=count).clip(1)
    return np.asarray(np.stack(sums, 1) / pixels[:, None], np.float32)


def _without_scraps(parts: NDArray[np.int64], least: float) -> NDArray[np.int64]:
    """The map with every part of fewer pixels given to the nearest larger ones."""
    import cv2

    lost = (np.bincount(parts.ravel()) < least)[parts]
    if lost.all() or not lost.any():
        return parts
    _, nearest = cv2.distanceTransformWithLabels(
        lost.astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    part = np.zeros(int(nearest.max()) + 1, np.int64)
    part[nearest[~lost]] = parts[~lost]
    return connected_parts(part[nearest])


def connected_parts(labels: NDArray[np.integer]) -> NDArray[np.int64]:
    """(h, w): every connected piece (4-neighbours) of a label by itself, from 0 by place."""
    import cv2

    h, w = labels.shape
    # Between two pixels stands one more, which joins them where their labels are equal.
    joints = np.zeros((2 * h - 1, 2 * w - 1), np.uint8)
    joints[::2, ::2] = 1
    joints[1::2, ::2] = labels[1:] == labels[:-1]
    joints[::2, 1::2] = labels[:, 1:] == labels[:, :-1]
    _, parts = cv2.connectedComponents(joints, connectivity=4)
    return by_place(parts[::2, ::2].astype(np.int64)).astype(np.int64) - 1


def by_place(labels: NDArray[np.integer]) -> NDArray[np.int32]:
    """Renumber from 1 in the order in which regions appear, row by row."""
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    rank = np.empty(first.size, np.int32)
    rank[np.argsort(first)] = np.arange(1, first.size + 1)
    return rank[inverse].reshape(labels.shape)
