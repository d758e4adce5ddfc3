"""Attention between the regions of both pictures."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# What a key is to a query: in the same picture, in the other one, or its own counterpart there.
_RELATIONS = 3


class RegionAttention(nn.Module):
    """One transformer layer over the 2·R regions of a pair, pre-normalised.

    A learned bias per head tells a region of the same picture, of the other picture, and the same
    region in the other picture apart; there are no positions and no sides, so that swapping the
    pictures or permuting the regions does the same to the output.
    """

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(width)
        self.norm2 = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.relation = nn.Parameter(torch.zeros(heads, _RELATIONS))
        self.feed = nn.Sequential(
            nn.Linear(width, width), nn.GELU(), nn.Dropout(dropout), nn.Linear(width, width)
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, valid: Tensor) -> Tensor:
        """(B, 2, R, width) and (B, R) bool → (B, 2, R, width)."""
        batch, images, regions, width = x.shape
        tokens = x.reshape(batch, images * regions, width)
        tokens = tokens + self.dropout(self._attend(self.norm1(tokens), valid, regions))
        tokens = tokens + self.dropout(self.feed(self.norm2(tokens)))
        out: Tensor = tokens.reshape(batch, images, regions, width)
        return out

    def _attend(self, tokens: Tensor, valid: Tensor, regions: int) -> Tensor:
        batch, count, width = tokens.shape
        q, k, v = (
            self.qkv(tokens)
            .reshape(batch, count, 3, self.heads, width // self.heads)
            .permute(2, 0, 3, 1, 4)
        )
        logits = torch.matmul(q, k.transpose(2, 3)) * (width // self.heads) ** -0.5
        logits = logits + self._relation_bias(regions, tokens)
        blocked = ~torch.cat([valid, valid], 1)[:, None, None, :]
        weights = F.softmax(logits.masked_fill(blocked, -1e4), dim=-1)
        mixed = torch.matmul(weights, v).transpose(1, 2).reshape(batch, count, width)
        out: Tensor = self.out(mixed)
        return out

    def _relation_bias(self, regions: int, like: Tensor) -> Tensor:
        """(heads, 2R, 2R)."""
        same, other, twin = self.relation[:, 0], self.relation[:, 1], self.relation[:, 2]
        ones = torch.ones(regions, regions, device=like.device, dtype=like.dtype)
        eye = torch.eye(regions, device=like.device, dtype=like.dtype)
        within = same[:, None, None] * ones
        across = other[:, None, None] * ones + twin[:, None, None] * eye
        return torch.cat([torch.cat([within, across], 2), torch.cat([across, within], 2)], 1)
