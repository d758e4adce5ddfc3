"""What the features of a region (histograms, edges and patterns) say of its tones."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from distortion_graph.features.edges import EDGE_STATISTICS
from distortion_graph.features.histograms import (
    CHANNELS,
    DETAIL_CHANNELS,
    JOINT_CHANNELS,
    JOINT_LEVELS,
    LEVELS,
    PATTERNS,
)

_RIPPLED = CHANNELS.index("highest")
"""So many channels come first, red, green and blue: tone curves leave their gaps and spikes in
these, the others are made of them and show them a second time or not at all."""

_LOWEST_WAVES = 4  # of a spectrum: waves over the 256 levels; slower ones are the picture's own
_SCALE = 8.0
_MOST_PIXELS = 1 << 16
"""A region of more pixels counts as one of so many: training has seen no larger ones, and on them
every wrinkle of a photograph's own histogram is many times its scatter."""
_MOST_PATTERNS = 1 << 12
"""The same for the patterns of equal neighbours: a rarer one is as good as none."""


class Roots(NamedTuple):
    """Square roots (N, channels, 256) of a picture's own counts, whose scatter is ½ whatever the
    count (Anscombe 1948); of how many pixels they are (N, channels, 1), at most `_MOST_PIXELS`; and
    the roots of `_RIPPLED` channels less their means over 9 and over 33 levels around each, in
    which gaps and spikes stand out.
    """

    roots: Tensor
    pixels: Tensor
    fine: Tensor
    coarse: Tensor

    @classmethod
    def of(cls, counts: Tensor) -> Roots:
        """Those of (N, channels, 256) counts."""
        pixels = counts.sum(-1, keepdim=True).clamp_min(1)
        roots = (counts * (_MOST_PIXELS / pixels).clamp_max(1)).sqrt()
        # Sums over 2, 4, 8, 16 and 32 levels from each on: a pooling layer would add up all windows
        # anew, and ONNX Runtime takes its time for running sums.
        rippled = roots[:, :_RIPPLED]
        padded = F.pad(rippled, (16, 16), mode="replicate")
        sums = [padded]
        for width in (1, 2, 4, 8, 16):
            sums.append(sums[-1][..., width:] + sums[-1][..., :-width])
        # The 9 levels around one begin 4 before it and end with the 4th after it.
        nine = sums[3][..., 12 : 12 + LEVELS] + padded[..., 20 : 20 + LEVELS]
        all_33 = sums[5][..., :LEVELS] + padded[..., 32:]
        fine, coarse = rippled - nine / 9, rippled - all_33 / 33
        return cls(roots, pixels.clamp_max(_MOST_PIXELS), fine, coarse)


def zero_linear(inputs: int, outputs: int) -> nn.Linear:
    """A linear layer of zeros: added to a trained network, it changes nothing at first."""
    layer = nn.Linear(inputs, outputs)
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


class HistogramEncoder(nn.Module):
    """Convolutions along the 256 levels of a picture's own histograms.

    They see the roots once divided by the number of pixels, which shows the shape, and once less
    their running mean, which shows gaps and spikes as multiples of the scatter.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        # Their sum is one convolution of all channels; ONNX Runtime is almost twice as fast on two
        # of few, which it takes in the order they come in.
        self.shape = nn.Conv2d(len(CHANNELS), 32, (1, 8), (1, 4), (0, 2))
        self.ripple = nn.Conv2d(_RIPPLED, 32, (1, 8), (1, 4), (0, 2), bias=False)
        self.layers = nn.Sequential(
            nn.ReLU(True),
            nn.Conv2d(32, 48, (1, 4), (1, 4)),
            nn.ReLU(True),
            nn.Flatten(),
        )
        self.out = nn.Linear(48 * (LEVELS // 16) + 1, width)

    def forward(self, own: Roots) -> Tensor:
        """Of N regions with all channels → (N, width)."""
        ripple = 0.5 * own.fine.clamp(-6, 12)
        shape = own.roots * (_SCALE / own.pixels.sqrt())
        x = self.layers(self.shape(_rows(shape)) + self.ripple(_rows(ripple)))
        return F.gelu(self.out(torch.cat([x, torch.log(own.pixels[:, 0]) / 10], 1)))


class SpectrumEncoder(nn.Module):
    """Convolutions along the power spectra of a picture's own histograms.

    A tone curve of slope g leaves gaps or spikes every g/|g − 1| levels. Later noise, of JPEG at a
    high quality say, smears each of them, but a wave over the whole range still stands out of the
    scatter (Stamm & Liu, IEEE TIFS 5(3), 2010, find contrast enhancement by it). Its power is 1 on
    average where there is nothing but scatter. The last layer starts at zero.
    """

    cosine: Tensor
    sine: Tensor

    def __init__(self, width: int, hidden: int = 96) -> None:
        super().__init__()
        waves = torch.arange(_LOWEST_WAVES, LEVELS // 2) / LEVELS
        # Counted from the middle of the levels cosines are even and sines odd, so that half of each
        # is enough; a power does not depend on where waves are counted from.
        window = torch.hann_window(LEVELS, periodic=False)[: LEVELS // 2, None]
        angle = 2 * torch.pi * (torch.arange(LEVELS // 2) - (LEVELS - 1) / 2)[:, None] * waves
        # The roots of counts scatter by ½.
        window = 2 * window / (2 * window.square().sum()).sqrt()
        self.register_buffer("cosine", window * torch.cos(angle), persistent=False)
        self.register_buffer("sine", window * torch.sin(angle), persistent=False)
        self.layers = nn.Sequential(
            nn.Conv2d(_RIPPLED, 24, (1, 8), (1, 4), (0, 2)),
            nn.ReLU(True),
            nn.Conv2d(24, 40, (1, 3), (1, 2), (0, 1)),
            nn.ReLU(True),
            nn.Flatten(),
        )
        self.hidden = nn.Linear(40 * -(-len(waves) // 8), hidden)
        self.out = zero_linear(2 * hidden, width)

    def forward(self, own: Roots, shape: tuple[int, ...]) -> Tensor:
        """Of N regions with all channels → (B, 2, R, width), `shape` is (B, 2, R)."""
        x = self.layers(_rows(torch.log1p(self.power(own))))
        mine = F.gelu(self.hidden(x)).reshape(*shape, -1)
        out: Tensor = self.out(torch.cat([mine, mine.flip(1)], 3))
        return out

    def power(self, own: Roots) -> Tensor:
        """Of N regions → (N, `_RIPPLED`, 124): of 4 to 127 waves over the levels."""
        ripple = own.coarse.clamp(-8, 16)
        low, high = ripple[..., : LEVELS // 2], ripple[..., LEVELS // 2 :].flip(-1)
        even, odd = (low + high) @ self.cosine, (low - high) @ self.sine
        return even.square() + odd.square()


class JointEncoder(nn.Module):
    """Convolutions on joint histograms, such as the tone curve from one picture to the other."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(channels, 32, 4, 4),
            nn.ReLU(True),
            nn.Conv2d(32, 48, 2, 2),
            nn.ReLU(True),
            nn.Flatten(),
            nn.Linear(48 * (JOINT_LEVELS // 8) ** 2, width),
            nn.GELU(),
        )

    def forward(self, counts: Tensor) -> Tensor:
        """(B, R, channels, anchor's level, target's level) counts → (B, 2, R, width)."""
        pixels = counts.sum((-1, -2), keepdim=True).clamp_min(1)
        roots = (counts * (_SCALE**2 / pixels)).sqrt()
        # Seen from both sides: own level, other's level.
        both = torch.stack([roots, roots.transpose(3, 4)], 1)
        out: Tensor = self.layers(_channels_last(both.flatten(0, 2)))
        return out.reshape(*both.shape[:3], -1)


class ToneEncoder(nn.Module):
    """What the histograms say of each picture's region: its own, the other's, and both together.

    The last layer starts at zero, so that a network can be given one when it is half trained.
    """

    def __init__(self, width: int, hidden: int = 96) -> None:
        super().__init__()
        self.own = HistogramEncoder(hidden)
        self.joint = JointEncoder(len(JOINT_CHANNELS), hidden)
        self.mix = nn.Sequential(nn.Linear(3 * hidden, width), nn.GELU(), zero_linear(width, width))

    def forward(self, own: Roots, joint: Tensor) -> Tensor:
        """Roots of N = B·2·R regions and (B, R, channels, 32, 32) counts → (B, 2, R, width)."""
        batch, regions = joint.shape[:2]
        mine = self.own(own).reshape(batch, 2, regions, -1)
        out: Tensor = self.mix(torch.cat([mine, mine.flip(1), self.joint(joint)], 3))
        return out


class DetailEncoder(nn.Module):
    """What the joint histograms of detail say of a region; its last layer starts at zero too."""

    def __init__(self, width: int, hidden: int = 96) -> None:
        super().__init__()
        self.joint = JointEncoder(len(DETAIL_CHANNELS), hidden)
        self.out = zero_linear(hidden, width)

    def forward(self, counts: Tensor) -> Tensor:
        """(B, R, channels, 32, 32) counts → (B, 2, R, width)."""
        out: Tensor = self.out(self.joint(counts))
        return out


class EdgeEncoder(nn.Module):
    """Two layers on a region's edge in both pictures; the last one starts at zero.

    They also see by how much each magnitude is larger than in the other picture.
    """

    def __init__(self, width: int, hidden: int = 128) -> None:
        super().__init__()
        self.hidden = nn.Linear(3 * EDGE_STATISTICS, hidden)
        self.out = zero_linear(hidden, width)

    def forward(self, edges: Tensor) -> Tensor:
        """(B, 2, R, `EDGE_STATISTICS`) → (B, 2, R, width)."""
        other = edges.flip(1)
        steeper = edges.abs() - other.abs()
        out: Tensor = self.out(F.gelu(self.hidden(torch.cat([edges, other, steeper], 3))))
        return out


class PatternEncoder(nn.Module):
    """Two layers on the patterns of both pictures, logarithms of their counts; the last one starts
    at zero.
    """

    def __init__(self, width: int, hidden: int = 128) -> None:
        super().__init__()
        self.hidden = nn.Linear(2 * PATTERNS, hidden)
        self.out = zero_linear(hidden, width)

    def forward(self, counts: Tensor) -> Tensor:
        """(B, 2, R, `PATTERNS`) → (B, 2, R, width)."""
        pixels = counts.sum(-1, keepdim=True).clamp_min(1)
        mine = torch.log1p(counts * (_MOST_PATTERNS / pixels).clamp_max(1)) / 4
        out: Tensor = self.out(F.gelu(self.hidden(torch.cat([mine, mine.flip(1)], 3))))
        return out


def _rows(x: Tensor) -> Tensor:
    """(N, channels, levels) as pictures of one row."""
    return _channels_last(x[:, :, None])


def _channels_last(x: Tensor) -> Tensor:
    """The layout in which convolutions of few channels take two thirds of the time on a CPU."""
    return x.contiguous(memory_format=torch.channels_last)
