"""Superpixels of pictures at a reduced size: what found regions are made of.

Work is done at a reduced size, so that the cost does not grow with the picture. Nothing is random.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

_WORK_SIDE = 320  # longest side of what is segmented, px
_ROOM_FOR_SLIC = 16
_MOST_BLOCKS_ALONG = 500


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
    values: NDArray[np.float32], count: int, compactness: float, iterations: int = 10
) -> NDArray[np.int64]:
    """(h, w) labels from 0 without gaps, each connected; blocks where SLIC has no room.

    SLIC (Achanta et al., PAMI 2012; scikit-image's) on (h, w, C) values, such as L*a*b* colours.
    `compactness` is the difference of values that weighs as much as one superpixel's width.
    """
    h, w = values.shape[:2]
    if min(h, w) < _ROOM_FOR_SLIC:
        # Square blocks, as many as superpixels would be: single pixels in the smallest pictures.
        steps = math.ceil(math.sqrt(h * w / count)), math.ceil(max(h, w) / _MOST_BLOCKS_ALONG)
        step = max(1, *steps)
        rows, cols = np.arange(h) // step, np.arange(w) // step
        blocks = rows[:, None] * (cols[-1] + 1) + cols[None, :]
        return np.asarray(blocks, np.int64)
    from skimage.segmentation import slic

    # scikit-image rescales its input to [0, 1].
    spread = max(float(np.ptp(values)), 1.0)
    segments = slic(
        values,
        n_segments=count,
        compactness=compactness / spread,
        max_num_iter=iterations,
        convert2lab=False,
        enforce_connectivity=True,
        start_label=0,
        channel_axis=-1,
    )
    return np.unique(segments, return_inverse=True)[1].reshape(h, w).astype(np.int64)


def by_place(labels: NDArray[np.int64]) -> NDArray[np.int32]:
    """Renumber from 1 in the order in which regions appear, row by row."""
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    rank = np.empty(first.size, np.int32)
    rank[np.argsort(first)] = np.arange(1, first.size + 1)
    return rank[inverse].reshape(labels.shape)
