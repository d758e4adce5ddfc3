"""From histograms of a region (`regions.histograms`) to what they say of its tones and detail."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from distortion_graph.regions.histograms import (
    CHANNELS,
    DETAIL_CHANNELS,
    JOINT_CHANNELS,
    JOINT_LEVELS,
    LEVELS,
)

_SMOOTHED_LEVELS = 9
_SCALE = 8.0
_MOST_PIXELS = 1 << 16
"""A region of more pixels counts as one of so many: training has seen no larger ones, and on them
every wrinkle of a photograph's own histogram is many times its scatter."""


class HistogramEncoder(nn.Module):
    """Convolutions along the 256 levels of a picture's own histograms.

    They see square roots of counts, whose scatter is the same whatever the count (Anscombe 1948):
    once divided by the number of pixels, which shows the shape, and once less their running mean,
    which shows gaps and spikes as multiples of the scatter.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(2 * len(CHANNELS), 32, (1, 7), padding=(0, 3)),
            nn.GELU(),
            nn.AvgPool2d((1, 2)),
            nn.Conv2d(32, 48, (1, 5), padding=(0, 2)),
            nn.GELU(),
            nn.AvgPool2d((1, 4)),
            nn.Conv2d(48, 64, (1, 3), padding=(0, 1)),
            nn.GELU(),
            nn.AvgPool2d((1, 4)),
            nn.Flatten(),
        )
        self.out = nn.Linear(64 * (LEVELS // 32) + 1, width)

    def forward(self, counts: Tensor) -> Tensor:
        """(N, channels, 256) counts → (N, width)."""
        pixels = counts.sum(-1, keepdim=True).clamp_min(1)
        counts = counts * (_MOST_PIXELS / pixels).clamp_max(1)
        pixels = pixels.clamp_max(_MOST_PIXELS)
        roots = counts.sqrt()
        half = _SMOOTHED_LEVELS // 2
        mean = F.avg_pool1d(F.pad(roots, (half, half), mode="replicate"), _SMOOTHED_LEVELS, 1)
        x = torch.cat([_SCALE * roots / pixels.sqrt(), 0.5 * (roots - mean).clamp(-6, 12)], 1)
        x = self.layers(_channels_last(x[:, :, None]))
        return F.gelu(self.out(torch.cat([x, torch.log(pixels[:, 0]) / 10], 1)))


class JointEncoder(nn.Module):
    """Convolutions on joint histograms, such as the tone curve from one picture to the other."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(channels, 24, 3, 2, 1),
            nn.GELU(),
            nn.Conv2d(24, 32, 3, 2, 1),
            nn.GELU(),
            nn.Conv2d(32, 48, 3, 2, 1),
            nn.GELU(),
            nn.Flatten(),
            nn.Linear(48 * (JOINT_LEVELS // 8) ** 2, width),
            nn.GELU(),
        )

    def forward(self, counts: Tensor) -> Tensor:
        """(N, channels, own level, other's level) counts → (N, width)."""
        pixels = counts.sum((-1, -2), keepdim=True).clamp_min(1)
        out: Tensor = self.layers(_channels_last(_SCALE * (counts / pixels).sqrt()))
        return out


class ToneEncoder(nn.Module):
    """What the histograms say of each picture's region: its own, the other's, and both together.

    The last layer starts at zero, so that a network can be given one when it is half trained.
    """

    def __init__(self, width: int, hidden: int = 96) -> None:
        super().__init__()
        self.own = HistogramEncoder(hidden)
        self.joint = JointEncoder(len(JOINT_CHANNELS), hidden)
        self.mix = nn.Sequential(
            nn.Linear(3 * hidden, width), nn.GELU(), _silent_linear(width, width)
        )

    def forward(self, own: Tensor, joint: Tensor) -> Tensor:
        """(B, 2, R, channels, 256) and (B, R, channels, 32, 32) counts → (B, 2, R, width)."""
        batch, _, regions = own.shape[:3]
        mine = self.own(own.flatten(0, 2)).reshape(batch, 2, regions, -1)
        both = self.joint(_from_both_sides(joint).flatten(0, 2)).reshape(batch, 2, regions, -1)
        out: Tensor = self.mix(torch.cat([mine, mine.flip(1), both], 3))
        return out


class DetailEncoder(nn.Module):
    """What the joint histograms of detail say of a region; its last layer starts at zero too."""

    def __init__(self, width: int, hidden: int = 96) -> None:
        super().__init__()
        self.joint = JointEncoder(len(DETAIL_CHANNELS), hidden)
        self.out = _silent_linear(hidden, width)

    def forward(self, counts: Tensor) -> Tensor:
        """(B, R, channels, 32, 32) counts → (B, 2, R, width)."""
        pair = _from_both_sides(counts)
        out: Tensor = self.out(self.joint(pair.flatten(0, 2)))
        return out.reshape(*pair.shape[:3], -1)


def _channels_last(x: Tensor) -> Tensor:
    """The layout in which convolutions of few channels take two thirds of the time on a CPU."""
    return x.contiguous(memory_format=torch.channels_last)


def _from_both_sides(joint: Tensor) -> Tensor:
    """(B, R, channels, anchor, target) → (B, 2, R, channels, own level, other's level)."""
    return torch.stack([joint, joint.transpose(3, 4)], 1)


def _silent_linear(inputs: int, outputs: int) -> nn.Linear:
    layer = nn.Linear(inputs, outputs)
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer
