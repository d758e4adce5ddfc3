"""From pixels to moments: sums of features over the pixels of every region.

Two sources of features are pooled, statistics of the pixels and the maps of a convolutional
encoder. Sums of the tiles of a large picture add up.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from distortion_graph.features.cells import CELL_PX
from distortion_graph.model.encoder import Lite0Encoder

_IMAGENET_MEAN = (0.485, 0.456, 0.406)
_IMAGENET_STD = (0.229, 0.224, 0.225)
_REDUCTION = 2  # of the pictures that the encoder sees

# Fixed 3×3 filters on one channel: horizontal and vertical difference, and the noise filter of
# Immerkær (1996), which is blind to planes and edges.
_DX = [[0, 0, 0], [0, -1, 1], [0, 0, 0]]
_DY = [[0, 0, 0], [0, -1, 0], [0, 1, 0]]
_NOISE = [[1 / 4, -2 / 4, 1 / 4], [-2 / 4, 4 / 4, -2 / 4], [1 / 4, -2 / 4, 1 / 4]]


class PixelStatistics(nn.Module):
    """(N, 3, H, W) RGB in [0, 1] → (N, 16, H, W) local statistics at full resolution.

    Hand-made: what a convolution at stride 2 has already smoothed away.

    Channels: R, G, B; HSV saturation and chroma range; gradients of luma along x and y, their
    share of exact zeros (pixelation, clipping); noise residuals of luma and of both colour
    differences, linear and on a log scale; nearness to black, to white, to full saturation.
    """

    channels = 16

    filters: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("filters", torch.tensor([_DX, _DY, _NOISE])[:, None], persistent=False)

    def forward(self, rgb: Tensor) -> Tensor:
        """(N, 3, H, W) in [0, 1] → (N, 16, H, W)."""
        red, green, blue = rgb[:, 0:1], rgb[:, 1:2], rgb[:, 2:3]
        luma = 0.299 * red + 0.587 * green + 0.114 * blue
        high = rgb.amax(1, keepdim=True)
        spread = high - rgb.amin(1, keepdim=True)
        saturation = spread / (high + 1 / 255)
        padded = F.pad(luma, (1, 1, 1, 1), mode="replicate")
        local = F.conv2d(padded, self.filters)
        dx, dy, noise = local[:, 0:1].abs(), local[:, 1:2].abs(), local[:, 2:3].abs()
        # Colour residuals share one convolution: Immerkær's filter on R−Y and B−Y.
        colour = F.pad(torch.cat([red - luma, blue - luma], 1), (1, 1, 1, 1), mode="replicate")
        shape = colour.shape
        colour = F.conv2d(colour.reshape(-1, 1, shape[2], shape[3]), self.filters[2:]).abs()
        colour = colour.reshape(shape[0], 2, shape[2] - 2, shape[3] - 2)
        return torch.cat(
            [
                rgb,
                saturation,
                spread,
                4 * dx,
                4 * dy,
                torch.exp(-128 * dx),
                torch.exp(-128 * dy),
                4 * noise,
                torch.log(noise + 1 / 255) / 4,
                4 * colour,
                torch.exp(-24 * luma),
                torch.exp(-24 * (1 - high)),
                torch.exp(-12 * (1 - saturation)),
            ],
            1,
        )


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
    by_stride = {CELL_PX: weights}
    for stride in strides:
        if stride not in by_stride:
            # A cell at the end may reach beyond the picture; what is there of it counts.
            finer = max(by_stride)
            by_stride[stride] = F.avg_pool2d(by_stride[finer], stride // finer, ceil_mode=True)
    return [by_stride[stride] for stride in strides]


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
        w = cell_weights(share, stride)
        total.append(w.sum(2))
        flat = value.flatten(3)
        first.append(torch.matmul(w[:, None], flat.transpose(2, 3)))
        second.append(torch.matmul(w[:, None], square.flatten(3).transpose(2, 3)))
        cross.append(torch.matmul(w, (flat[:, 0] * flat[:, 1]).transpose(1, 2)))
    return Moments(
        torch.stack(total, 2), torch.cat(first, 3), torch.cat(second, 3), torch.cat(cross, 2)
    )


def cell_weights(share: Tensor, stride: int) -> Tensor:
    """(…, R, h, w) shares of a level's cells that regions cover → (…, R, h·w) weights in sums."""
    # Squared coverage prefers cells well inside, where a wide receptive field has seen less of the
    # neighbours.
    return (share if stride == CELL_PX else share * share).flatten(-2)


class PairEncoder(nn.Module):
    """Pixels of both pictures → moments of features inside every region.

    The encoder sees the pictures at half their size, which costs a quarter: what is finer than that
    is in the pixel statistics, and in the histograms that the head sees.
    """

    mean: Tensor
    std: Tensor

    # Level of each feature: pixel statistics, then the encoder's four maps.
    channels = (PixelStatistics.channels, *Lite0Encoder.channels)
    strides = (CELL_PX, 4, 8, 16, 32)
    map_strides = strides[1:]

    def __init__(self) -> None:
        super().__init__()
        self.pixels = PixelStatistics()
        self.encoder = Lite0Encoder()
        self.register_buffer("mean", torch.tensor(_IMAGENET_MEAN)[:, None, None], persistent=False)
        self.register_buffer("std", torch.tensor(_IMAGENET_STD)[:, None, None], persistent=False)

    def forward(self, images: Tensor, weights: Tensor) -> Moments:
        """Moments of a batch.

        Args:
            images: (B, 2, H, W, 3) uint8, H and W multiples of 16.
            weights: (B, R, H/4, W/4), share of each cell that the region covers.
        """
        rgb = _as_floats(images)
        pixels = _average(self.pixels(rgb).float(), CELL_PX)
        maps = [(m, m * m) for m in self.maps(rgb)]
        moments = (
            self._pooled([pixels], self.strides[:1], [weights]),
            self._pooled(maps, self.map_strides, coverage(self.map_strides, weights)),
        )
        return Moments(*(torch.cat(parts, -1) for parts in zip(*moments, strict=True)))

    def maps(self, rgb: Tensor) -> list[Tensor]:
        """The encoder's maps of (N, 3, H, W) pictures in [0, 1], (N, C, h, w) each."""
        maps = self.encoder((F.avg_pool2d(rgb, _REDUCTION) - self.mean) / self.std)
        return [m.float() for m in maps]

    def _pooled(
        self,
        maps: Sequence[tuple[Tensor, Tensor]],
        strides: Sequence[int],
        covered: Sequence[Tensor],
    ) -> Moments:
        """Moments of maps (2·B, C, h, w) and their squares."""
        # Variances are small differences of large sums: in bfloat16 nothing would be left of them.
        with torch.autocast(covered[0].device.type, enabled=False):
            paired = [
                (v.reshape(-1, 2, *v.shape[1:]), square.reshape(-1, 2, *v.shape[1:]))
                for v, square in maps
            ]
            return pool_moments(paired, strides, covered)


def _as_floats(images: Tensor) -> Tensor:
    """(B, 2, H, W, 3) uint8 → (2·B, 3, H, W) in [0, 1]."""
    return images.flatten(0, 1).permute(0, 3, 1, 2).float() / 255


def _average(x: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Cell means of a map and of its square."""
    return F.avg_pool2d(x, size), F.avg_pool2d(x * x, size)
