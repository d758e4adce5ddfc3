"""MS-SSIM: SSIM's structure at five scales, and its brightness at the coarsest.

Wang, Simoncelli, Bovik, *Multiscale structural similarity for image quality assessment*, Asilomar
Conference on Signals, Systems and Computers, 2003: luma, an 11×11 Gaussian window of σ 1.5,
K₁ = .01, K₂ = .03, means of 2×2 between the scales. The product of the scales' means to the powers
below; a negative mean counts as 0.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from distortion_graph.masks.boxes import Box
from distortion_graph.measure.metrics.metric import Level, MapMetric, Pooled, Slices
from distortion_graph.measure.metrics.planes import filtered, gaussian, halved, luma
from distortion_graph.measure.metrics.structure import structure

Floats = NDArray[np.float32]

POWERS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Of the scales, finest first."""

_RADIUS = 5
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
_TAPS = gaussian(_RADIUS, 1.5).astype(np.float32)


class MsSsimMaps:
    """One map per scale: 1 − structure, at the coarsest 1 − structure·brightness.

    There are five scales of pictures of any size; one smaller than the window is mirrored.
    """

    def __init__(self, height: int, width: int) -> None:
        sizes = [(height, width)]
        for _ in POWERS[1:]:
            sizes.append(((sizes[-1][0] + 1) // 2, (sizes[-1][1] + 1) // 2))
        self.levels = [
            Level(2**k, size, _RADIUS, Box.whole(size).grown(-_RADIUS))
            for k, size in enumerate(sizes)
        ]

    def planes(self, rgb: NDArray[np.uint8]) -> Floats:
        """Luma."""
        return luma(rgb)

    def terms(self, level: int, first: Floats, second: Floats) -> Floats:
        """(1, h, w)."""
        found = structure(first, second, _blur, _C2, offset=255)
        if level < len(POWERS) - 1:
            return found.loss[None]
        gap = found.mean_gap * found.mean_gap
        # 2(μ_x² + μ_y²) is (μ_x + μ_y)² + (μ_x − μ_y)².
        gap /= (found.mean_sum * found.mean_sum + gap) * np.float32(0.5) + np.float32(_C1)
        return np.asarray(found.loss + gap - found.loss * gap)[None]

    def shrink(self, level: int, planes: Floats, own: Slices) -> Floats:
        """Means of 2×2."""
        return halved(planes, own)

    def values(self, pooled: Sequence[Pooled]) -> tuple[float]:
        """The product over the scales."""
        product = 1.0
        for part, power in zip(pooled, POWERS, strict=True):
            product *= max(1.0 - float(part.means[0]), 0.0) ** power
        return (product,)


def _blur(plane: Floats) -> Floats:
    return filtered(plane, _TAPS, _TAPS, cv2.BORDER_REFLECT)


METRIC = MapMetric(
    name="ms_ssim",
    version="1",
    range=(0.0, 1.0),
    direction="higher_is_better",
    licence="Apache-2.0",
    pooling="the mean of each scale's map inside the region, then the product of the scales",
    maps=MsSsimMaps,
)
