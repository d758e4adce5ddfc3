"""The network: two pictures and region weights in, named predictions out.

`PairEncoder` turns pixels into region moments, which are sums and so may be added over the tiles
of a large picture; `GraphHead` turns moments into predictions. Both treat anchor and target alike
and regions as a set, so swapping or permuting the input does the same to the output.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from distortion_graph.model.config import NetworkConfig
from distortion_graph.model.heads import ComparisonHead, NodeHeads
from distortion_graph.model.pair_encoder import Moments, PairEncoder
from distortion_graph.model.tones import (
    DetailEncoder,
    EdgeEncoder,
    PatternEncoder,
    Roots,
    SpectrumEncoder,
    ToneEncoder,
)

_MIN_VARIANCE = 1e-5
# What a key is to a query: in the same picture, in the other one, or its own counterpart there.
_RELATIONS = 3


class NetworkOutput(NamedTuple):
    """Predictions for B pairs of R regions; padded regions hold arbitrary finite numbers.

    `distortion` (B, 2, R, D) log-probabilities; `severity_given` (B, 2, R, D, S)
    log-probabilities of the severity under each label; `score` (B, 2, R) in [0, 1];
    `comparison` (B, R, C) log-probabilities in rank order; `known` (B, 2, R) probability that what
    the node shows is in the vocabulary.
    """

    distortion: Tensor
    severity_given: Tensor
    score: Tensor
    comparison: Tensor
    known: Tensor


class Statistics(NamedTuple):
    """`features.statistics.RegionStatistics` of B pairs: `own` (B, 2, R, channels, 256), `joint`
    and `detail` (B, R, channels, 32, 32), `patterns` and `edges` (B, 2, R, statistics).
    """

    own: Tensor
    joint: Tensor
    detail: Tensor
    patterns: Tensor
    edges: Tensor


class GraphHead(nn.Module):
    """Region moments and statistics → predictions."""

    levels: Tensor

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        features = sum(PairEncoder.channels)
        counts = torch.tensor(PairEncoder.channels)
        levels = torch.eye(len(counts)).repeat_interleave(counts, 1)
        self.register_buffer("levels", levels, persistent=False)
        self.own_norm = nn.BatchNorm1d(2 * features, momentum=0.02)
        self.pair_norm = nn.BatchNorm1d(features + 2, momentum=0.02)
        self.own = nn.Sequential(nn.Linear(2 * features, config.width), nn.GELU())
        # What a region says for itself and to its counterpart, and what both share.
        self.sides = nn.Linear(config.width, 2 * config.width, bias=False)
        self.shared = nn.Linear(config.width + features + 2, config.width)
        self.pair = nn.Sequential(
            nn.GELU(), nn.Dropout(config.dropout), nn.Linear(config.width, config.width)
        )
        self.tones = ToneEncoder(config.width)
        self.spectrum = SpectrumEncoder(config.width)
        self.detail = DetailEncoder(config.width)
        self.patterns = PatternEncoder(config.width)
        self.edges = EdgeEncoder(config.width)
        self.attention = nn.ModuleList(
            RegionAttention(config.width, config.heads, config.dropout)
            for _ in range(config.layers)
        )
        self.nodes = NodeHeads(config)
        self.comparison = ComparisonHead(config)

    def forward(
        self,
        moments: Moments,
        statistics: Statistics,
        area: Tensor,
        is_scene: Tensor,
        valid: Tensor,
    ) -> NetworkOutput:
        """Predictions of a batch.

        Args:
            moments: of R regions, the whole picture among them as the scene.
            statistics: of the same regions.
            area: (B, R) share of the picture that the region covers.
            is_scene: (B, R) 1 for the whole picture, 0 for a region of it.
            valid: (B, R) bool, False for padding.
        """
        return self.relate(moments, self.read(statistics), area, is_scene, valid)

    def read(self, statistics: Statistics) -> Tensor:
        """What the statistics say of every region by itself, (B, 2, R, width)."""
        shape = statistics.own.shape[:3]
        roots = Roots.of(statistics.own.flatten(0, 2))
        x = self.tones(roots, statistics.joint) + self.spectrum(roots, shape)
        x = x + self.detail(statistics.detail) + self.patterns(statistics.patterns)
        return x + self.edges(statistics.edges)  # type: ignore[no-any-return]

    def relate(
        self, moments: Moments, reading: Tensor, area: Tensor, is_scene: Tensor, valid: Tensor
    ) -> NetworkOutput:
        """Predictions from moments and what was `read`; see `forward`."""
        own, pair = self._describe(moments, area, is_scene)
        own = self.own(_normalise(self.own_norm, own, valid[:, None].expand(own.shape[:3])))
        pair = _normalise(self.pair_norm, pair, valid)
        mine, theirs = self.sides(own).chunk(2, 3)
        shared = self.shared(torch.cat([own[:, 0] * own[:, 1], pair], 2))
        x = self.pair(mine + theirs.flip(1) + shared[:, None]) + reading
        for layer in self.attention:
            x = layer(x, valid)
        nodes = self.nodes(x)
        comparison = self.comparison(x[:, 0], x[:, 1], nodes.score)
        return NetworkOutput(
            nodes.distortion, nodes.severity_given, nodes.score, comparison, nodes.known
        )

    def reset_calibration(self) -> None:
        """Forget what `training.calibration` has set."""
        self.nodes.reset_calibration()
        self.comparison.temperature.fill_(1)

    def _describe(self, moments: Moments, area: Tensor, is_scene: Tensor) -> tuple[Tensor, Tensor]:
        """Mean, log deviation, correlation of the pair, and size."""
        # Each feature's level has a column of `levels`: a product is faster than picking them.
        weight = (moments.weight @ self.levels).clamp_min(1e-6)
        mean = moments.first / weight[:, None]
        variance = (moments.second / weight[:, None] - mean * mean).clamp_min(0)
        covariance = moments.cross / weight - mean[:, 0] * mean[:, 1]
        spread = (variance[:, 0] * variance[:, 1] + _MIN_VARIANCE**2).sqrt() + _MIN_VARIANCE
        correlation = covariance / spread
        own = torch.cat([mean, 0.5 * torch.log(variance + _MIN_VARIANCE)], 3)
        size = torch.stack([torch.log(area.clamp_min(1e-6)), is_scene], 2)
        return own, torch.cat([correlation, size], 2)


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


class DistortionGraphNet(nn.Module):
    """The whole network, as it is trained."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = PairEncoder()
        self.head = GraphHead(config)

    def forward(
        self,
        images: Tensor,
        weights: Tensor,
        own_counts: Tensor,
        joint_counts: Tensor,
        detail_counts: Tensor,
        pattern_counts: Tensor,
        edges: Tensor,
        area: Tensor,
        is_scene: Tensor,
        valid: Tensor,
    ) -> NetworkOutput:
        """See `PairEncoder.forward`, `Statistics` and `GraphHead.forward`."""
        moments = self.encoder(images, weights)
        statistics = Statistics(own_counts, joint_counts, detail_counts, pattern_counts, edges)
        with torch.autocast(images.device.type, enabled=False):
            return self.head(moments, statistics, area, is_scene, valid)  # type: ignore[no-any-return]


def _normalise(norm: nn.BatchNorm1d, x: Tensor, valid: Tensor) -> Tensor:
    """Batch normalisation whose statistics come from valid rows alone."""
    if not norm.training:
        shape = x.shape
        rows: Tensor = norm(x.reshape(-1, shape[-1]))
        return rows.reshape(shape)
    out = torch.zeros_like(x)
    out[valid] = norm(x[valid])
    return out
