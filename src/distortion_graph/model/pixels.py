"""Hand-made pixel statistics: what a convolution at stride 2 has already smoothed away."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# Fixed 3×3 filters on one channel: horizontal and vertical difference, and the noise filter of
# Immerkær (1996), which is blind to planes and edges.
_DX = [[0, 0, 0], [0, -1, 1], [0, 0, 0]]
_DY = [[0, 0, 0], [0, -1, 0], [0, 1, 0]]
_NOISE = [[1 / 4, -2 / 4, 1 / 4], [-2 / 4, 4 / 4, -2 / 4], [1 / 4, -2 / 4, 1 / 4]]


class PixelStatistics(nn.Module):
    """(N, 3, H, W) RGB in [0, 1] → (N, 16, H, W) local statistics at full resolution.

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
