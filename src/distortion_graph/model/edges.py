"""What the steps along a region's edge (`features.edges`) say of its tones."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from distortion_graph.features.edges import EDGE_STATISTICS
from distortion_graph.model.layers import silent_linear


class EdgeEncoder(nn.Module):
    """Two layers on a region's edge in both pictures; the last one starts at zero.

    They also see by how much each magnitude is larger than in the other picture.
    """

    def __init__(self, width: int, hidden: int = 128) -> None:
        super().__init__()
        self.hidden = nn.Linear(3 * EDGE_STATISTICS, hidden)
        self.out = silent_linear(hidden, width)

    def forward(self, edges: Tensor) -> Tensor:
        """(B, 2, R, `EDGE_STATISTICS`) → (B, 2, R, width)."""
        other = edges.flip(1)
        steeper = edges.abs() - other.abs()
        out: Tensor = self.out(F.gelu(self.hidden(torch.cat([edges, other, steeper], 3))))
        return out
