"""Moments of feature maps inside regions: sums over pixels, so that tiles of a picture add up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from distortion_graph.features.cells import CELL_PX


class Moments(NamedTuple):
    """Weighted sums over a region's cells, of both images I = 2 (anchor, target).

    `weight` (B, R, L): Σw for each of the L feature levels. `first` and `second` (B, I, R, F):
    Σw·f and Σw·f². `cross` (B, R, F): Σw·f_anchor·f_target.
    """

    weight: Tensor
    first: Tensor
    second: Tensor
    cross: Tensor


def coverage(strides: Sequence[int], weights: Tensor) -> list[Tensor]:
    """The share of its cells that each region covers, per level, (B, R, h, w).

    Args:
        strides: sides of the levels' cells in pixels, ascending, each a multiple of the one before.
        weights: (B, R, H/4, W/4), the shares of cells of `CELL_PX`.
    """
    found = {CELL_PX: weights}
    for stride in strides:
        if stride not in found:
            # A cell at the end may reach beyond the picture; what is there of it counts.
            finer = max(found)
            found[stride] = F.avg_pool2d(found[finer], stride // finer, ceil_mode=True)
    return [found[stride] for stride in strides]


def pool_moments(
    maps: Sequence[tuple[Tensor, Tensor]], strides: Sequence[int], covered: Sequence[Tensor]
) -> Moments:
    """Sum feature moments inside every region.

    Args:
        maps: per level the map and its square, each (B, 2, C, h, w); both already averaged to
            `strides[level]` ≥ `CELL_PX`, so that finer detail counts in the square.
        strides: stride of each level in pixels.
        covered: the `coverage` of each level.
    """
    total, first, second, cross = [], [], [], []
    for (value, square), stride, share in zip(maps, strides, covered, strict=True):
        # Squared coverage prefers cells well inside, where a wide receptive field has seen less
        # of the neighbours.
        w = (share if stride == CELL_PX else share * share).flatten(2)
        total.append(w.sum(2))
        flat = value.flatten(3)
        first.append(torch.matmul(w[:, None], flat.transpose(2, 3)))
        second.append(torch.matmul(w[:, None], square.flatten(3).transpose(2, 3)))
        cross.append(torch.matmul(w, (flat[:, 0] * flat[:, 1]).transpose(1, 2)))
    return Moments(
        torch.stack(total, 2), torch.cat(first, 3), torch.cat(second, 3), torch.cat(cross, 2)
    )
