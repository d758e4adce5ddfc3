"""The decoder of one side: every region's map looks at the other picture.

Modules and parameters have the published names. Maps are kept as rows of tokens, N = h·w, and so
are the positions (`published.py` turns them); 1×1 convolutions are applied as linear layers.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from distortion_graph.model.panda.config import PandaConfig


def pointwise(conv: nn.Conv2d, tokens: Tensor) -> Tensor:
    """A 1×1 convolution on (…, N, inputs) tokens → (…, N, outputs)."""
    return F.linear(tokens, conv.weight.flatten(1), conv.bias)


class Positions(nn.Module):
    """Learned positions: of every pool entry, and of every token for both inputs."""

    def __init__(self, config: PandaConfig) -> None:
        super().__init__()
        tokens = config.grid**2
        self.x_region_pe = nn.Parameter(torch.empty(1, config.pool, 1, config.width))
        self.x_spatial_pe = nn.Parameter(torch.empty(1, 1, tokens, config.width))
        self.y_spatial_pe = nn.Parameter(torch.empty(1, tokens, config.width))
        for parameter in self.parameters():
            nn.init.trunc_normal_(parameter, std=0.02)

    def forward(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """(B, R, N, D) with R ≤ pool and (B, N, D) → the same with positions added."""
        x = x + self.x_region_pe[:, : x.shape[1]] + self.x_spatial_pe
        return x, y + self.y_spatial_pe


class FeedForward(nn.Module):
    """Two 1×1 convolutions with a GELU between them."""

    def __init__(self, width: int, expansion: int) -> None:
        super().__init__()
        self.project_in = nn.Conv2d(width, width * expansion, 1)
        self.project_out = nn.Conv2d(width * expansion, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(…, N, D) → (…, N, D)."""
        return pointwise(self.project_out, F.gelu(pointwise(self.project_in, x)))


class DecoderBlock(nn.Module):
    """Self-attention of y, cross-attention of each region's tokens to it, feed-forward.

    The first two norms are no side branch: from there on the normalised value is the stream.
    """

    def __init__(self, config: PandaConfig) -> None:
        super().__init__()
        width, heads = config.width, config.heads
        self.x_norm = nn.LayerNorm(width)
        self.y_norm = nn.LayerNorm(width)
        self.self_attention = nn.MultiheadAttention(width, heads, batch_first=True)
        self.cross_attention = nn.MultiheadAttention(width, heads, batch_first=True)
        self.norm2 = nn.LayerNorm(width)
        self.ffn = FeedForward(width, config.expansion)

    def forward(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """(B, R, N, D) and (B, N, D) → the same shapes."""
        x, y = self.x_norm(x), self.y_norm(y)
        y = y + self.self_attention(y, y, y, need_weights=False)[0]
        # Regions do not see each other: attending from all their tokens at once is the same as
        # region by region, and keys and values are projected once a pair.
        seen = self.cross_attention(x.flatten(1, 2), y, y, need_weights=False)[0]
        x = x + seen.reshape(x.shape)
        return x + self.ffn(self.norm2(x)), y


class Decoder(nn.Module):
    """Positions, blocks, and the mean over the tokens of each region."""

    def __init__(self, config: PandaConfig) -> None:
        super().__init__()
        self.positional_encoding = Positions(config)
        self.transformer = nn.ModuleList(DecoderBlock(config) for _ in range(config.blocks))

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Region maps (B, R, N, D) and the other picture (B, N, D) → (B, R, D)."""
        x, y = self.positional_encoding(x, y)
        for block in self.transformer:
            x, y = block(x, y)
        return x.mean(2)
