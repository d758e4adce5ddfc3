"""From histograms of a region (`regions.histograms`) to what they say about its tones."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from distortion_graph.regions.histograms import CHANNELS, JOINT_CHANNELS, JOINT_LEVELS, LEVELS

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
        self.first = nn.Conv1d(2 * len(CHANNELS), 32, 7, padding=3)
        self.second = nn.Conv1d(32, 48, 5, padding=2)
        self.third = nn.Conv1d(48, 64, 3, padding=1)
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
        x = F.avg_pool1d(F.gelu(self.first(x)), 2)
        x = F.avg_pool1d(F.gelu(self.second(x)), 4)
        x = F.avg_pool1d(F.gelu(self.third(x)), 4).flatten(1)
        return F.gelu(self.out(torch.cat([x, torch.log(pixels[:, 0]) / 10], 1)))


class JointEncoder(nn.Module):
    """Convolutions on the joint histograms: the tone curve from one picture to the other."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(len(JOINT_CHANNELS), 24, 3, 2, 1),
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
        out: Tensor = self.layers(_SCALE * (counts / pixels).sqrt())
        return out


class ToneEncoder(nn.Module):
    """What the histograms say of each picture's region: its own, the other's, and both together.

    The last layer starts at zero, so that a network can be given one when it is half trained.
    """

    def __init__(self, width: int, hidden: int = 96) -> None:
        super().__init__()
        self.own = HistogramEncoder(hidden)
        self.joint = JointEncoder(hidden)
        last = nn.Linear(width, width)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.mix = nn.Sequential(nn.Linear(3 * hidden, width), nn.GELU(), last)

    def forward(self, own: Tensor, joint: Tensor) -> Tensor:
        """(B, 2, R, channels, 256) and (B, R, channels, 32, 32) counts → (B, 2, R, width)."""
        batch, _, regions = own.shape[:3]
        mine = self.own(own.flatten(0, 2)).reshape(batch, 2, regions, -1)
        pair = torch.stack([joint, joint.transpose(3, 4)], 1)
        both = self.joint(pair.flatten(0, 2)).reshape(batch, 2, regions, -1)
        out: Tensor = self.mix(torch.cat([mine, mine.flip(1), both], 3))
        return out
