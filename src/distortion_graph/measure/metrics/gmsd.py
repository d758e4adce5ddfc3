"""GMSD: how unevenly the similarity of gradients is spread.

Xue, Zhang, Mou, Bovik, *Gradient magnitude similarity deviation: a highly efficient perceptual
image quality index*, IEEE Transactions on Image Processing 23(2), 2014: luma averaged over 2×2 and
subsampled by 2, Prewitt gradients, (2·g₁·g₂ + T)/(g₁² + g₂² + T) with T = 170, and the standard
deviation of that map. Beyond the picture there are zeros.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from distortion_graph.measure.metrics.metric import Level, MapMetric, Pooled, Slices
from distortion_graph.measure.metrics.planes import filtered, length, luma

Floats = NDArray[np.float32]

FEWEST_CELLS = 2
"""A spread needs as many; a cell is 2×2 pixels."""

_T = np.float32(170)
_EVEN = np.full(3, 1 / 3, np.float32)
_STEP = np.array([-1, 0, 1], np.float32)


class GmsdMaps:
    """On the half grid, 1 − the similarity of gradients, and its square."""

    def __init__(self, height: int, width: int) -> None:
        self.levels = (Level(2, ((height + 1) // 2, (width + 1) // 2), 1),)

    def planes(self, rgb: NDArray[np.uint8]) -> Floats:
        """Luma of 2×2 pixels, zeros beyond the picture."""
        plane = luma(rgb)
        odd = [(0, size % 2) for size in plane.shape]
        plane = np.pad(plane, odd)
        rows = plane[::2] + plane[1::2]
        return np.asarray((rows[:, ::2] + rows[:, 1::2]) * np.float32(0.25), np.float32)

    def terms(self, level: int, first: Floats, second: Floats) -> Floats:
        """(2, h, w)."""
        one, two = _gradient(first), _gradient(second)
        loss = one - two
        loss *= loss
        one *= one
        two *= two
        one += two
        one += _T
        loss /= one
        return np.stack([loss, loss * loss])

    def shrink(self, level: int, planes: Floats, own: Slices) -> Floats:
        """Never asked for: there is one level."""
        raise NotImplementedError

    def values(self, pooled: Sequence[Pooled]) -> tuple[float | None]:
        """The standard deviation of the population of cells."""
        if pooled[0].cells < FEWEST_CELLS:
            return (None,)
        mean, square = pooled[0].means.tolist()
        return (math.sqrt(max(square - mean * mean, 0.0)),)


def _gradient(plane: Floats) -> Floats:
    across = filtered(plane, _STEP, _EVEN, cv2.BORDER_CONSTANT)
    down = filtered(plane, _EVEN, _STEP, cv2.BORDER_CONSTANT)
    return length(across, down)


METRIC = MapMetric(
    name="gmsd",
    version="1",
    range=(0.0, 0.5),
    direction="lower_is_better",
    licence="Apache-2.0",
    pooling="the standard deviation of the similarity of gradients over the region",
    maps=GmsdMaps,
)
