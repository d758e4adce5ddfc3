"""What equal neighbours in a region (`features.patterns`) say of how its picture was made."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from distortion_graph.features.patterns import PATTERNS
from distortion_graph.model.layers import silent_linear

_MOST_PIXELS = 1 << 12
"""A region of more pixels counts as one of so many: a rarer pattern is as good as none."""


class PatternEncoder(nn.Module):
    """Two layers on the patterns of both pictures, logarithms of their counts; the last one starts
    at zero.
    """

    def __init__(self, width: int, hidden: int = 128) -> None:
        super().__init__()
        self.hidden = nn.Linear(2 * PATTERNS, hidden)
        self.out = silent_linear(hidden, width)

    def forward(self, counts: Tensor) -> Tensor:
        """(B, 2, R, `PATTERNS`) → (B, 2, R, width)."""
        pixels = counts.sum(-1, keepdim=True).clamp_min(1)
        mine = torch.log1p(counts * (_MOST_PIXELS / pixels).clamp_max(1)) / 4
        out: Tensor = self.out(F.gelu(self.hidden(torch.cat([mine, mine.flip(1)], 3))))
        return out
