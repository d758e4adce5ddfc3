"""Moments of feature maps inside regions: sums over pixels, so that tiles of a picture add up."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from distortion_graph.regions.cells import CELL_PX


class Moments(NamedTuple):
    """Weighted sums over a region's cells, of both images I = 2 (anchor, target).

    `weight` (B, R, L): Σw for each of the L feature levels. `first` and `second` (B, I, R, F):
    Σw·f and Σw·f². `cross` (B, R, F): Σw·f_anchor·f_target.
    """

    weight: Tensor
    first: Tensor
    second: Tensor
    cross: Tensor


def pool_moments(maps: list[tuple[Tensor, Tensor]], strides: list[int], weights: Tensor) -> Moments:
    """Sum feature moments inside every region.

    Args:
        maps: per level the map and its square, each (B, 2, C, h, w); both already averaged to
            `strides[level]` ≥ `CELL_PX`, so that finer detail counts in the square.
        strides: stride of each level in pixels, ascending, each a multiple of the one before.
        weights: (B, R, H/4, W/4), the share of each 4×4 cell that the region covers.
    """
    coverage = {CELL_PX: weights}
    total, first, second, cross = [], [], [], []
    for (value, square), stride in zip(maps, strides, strict=True):
        if stride not in coverage:
            # A cell at the end may reach beyond the picture; what is there of it counts.
            finer = max(coverage)
            coverage[stride] = F.avg_pool2d(coverage[finer], stride // finer, ceil_mode=True)
        w = coverage[stride]
        # Squared coverage prefers cells well inside, where a wide receptive field has seen less
        # of the neighbours.
        w = (w if stride == CELL_PX else w * w).flatten(2)
        total.append(w.sum(2))
        flat = value.flatten(3)
        first.append(torch.matmul(w[:, None], flat.transpose(2, 3)))
        second.append(torch.matmul(w[:, None], square.flatten(3).transpose(2, 3)))
        cross.append(torch.matmul(w, (flat[:, 0] * flat[:, 1]).transpose(1, 2)))
    return Moments(
        torch.stack(total, 2), torch.cat(first, 3), torch.cat(second, 3), torch.cat(cross, 2)
    )
