"""Random masks for tests of what is measured by region."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def random_masks(seed: int, count: int, height: int, width: int) -> NDArray[np.bool_]:
    """Overlapping rectangles, every other one with holes."""
    rng = np.random.default_rng(seed)
    masks = np.zeros((count, height, width), dtype=bool)
    for index, mask in enumerate(masks):
        top, left = rng.integers(0, height), rng.integers(0, width)
        bottom, right = rng.integers(top, height) + 1, rng.integers(left, width) + 1
        mask[top:bottom, left:right] = True
        if index % 2:
            mask &= rng.random((height, width)) < 0.5
        mask[top, left] = True
    return masks
