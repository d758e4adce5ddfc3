"""Heads: labels and score of a node, and the ordinal comparison of a pair of nodes."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from distortion_graph.model.config import NetworkConfig
from distortion_graph.model.familiarity import Familiarity

# log(0) for impossible pairs such as (blur, clean); finite, so that it can be multiplied by 0.
IMPOSSIBLE = -1e4

# At latent 0 the neutral step must be the most probable one. The whole side beyond the first cut
# has probability 1 − σ(sharpness·cut), so σ ≥ 2/3 is enough whatever the other cut points are.
_MIN_SHARPNESS = math.log(2)


class NodeOutput(NamedTuple):
    """What the node heads say; see `network.NetworkOutput`."""

    distortion: Tensor
    severity_given: Tensor
    score: Tensor
    known: Tensor
    present: Tensor | None


class NodeHeads(nn.Module):
    """Distortion, severity under each distortion, score, whether the node is known at all, and
    where the configuration asks for it every distortion that is present.

    `temperature` (2,) divides the logits of distortion and of severity, `known_threshold` is the
    P(known) below which a node is uncertain, and from the probability `also_threshold` on further
    distortions are listed; `training.calibration` sets them, and `familiarity`.

    Distortion and severity form one joint distribution in which a node is clean in both or in
    neither: P(d, s) = P(d)·P(s | d), P(clean | clean) = 1, P(clean | other) = 0.
    """

    clean_row: Tensor
    temperature: Tensor
    known_threshold: Tensor
    also_threshold: Tensor

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        vocabulary = config.vocabulary
        self.labels = len(vocabulary.distortions)
        self.degrees = len(vocabulary.severities) - 1
        clean = torch.zeros(self.labels, 1)
        clean[vocabulary.clean_index] = 1
        self.register_buffer("clean_row", clean, persistent=False)
        self.register_buffer("temperature", torch.ones(2))
        self.register_buffer("known_threshold", torch.zeros(()))
        self.norm = nn.LayerNorm(config.width)
        self.hidden = nn.Sequential(nn.Linear(config.width, config.width), nn.GELU())
        self.distortion = nn.Linear(config.width, self.labels)
        self.severity = nn.Linear(config.width, self.labels * self.degrees)
        self.score = nn.Linear(config.width, 1)
        self.known = nn.Linear(config.width, 1)
        self.present = nn.Linear(config.width, self.labels) if config.also else None
        self.register_buffer("also_threshold", torch.tensor(0.5), persistent=config.also)
        self.familiarity = Familiarity(self.labels, config.width)

    def reset_calibration(self) -> None:
        """Forget what `training.calibration` has set."""
        self.temperature.fill_(1)
        self.known_threshold.fill_(0)
        self.also_threshold.fill_(0.5)
        self.familiarity.reset()

    def learned(self, h: Tensor) -> tuple[Tensor, Tensor]:
        """(…, width) hidden features → the learned logit of known (…) and log P(d) (…, labels)."""
        known = self.known(h).squeeze(-1)
        return known, F.log_softmax(self.distortion(h) / self.temperature[0], -1)

    def forward(self, x: Tensor) -> NodeOutput:
        """(B, 2, R, width) → log P(d), log P(s | d), score, P(known) and P(d is present)."""
        h = self.hidden(self.norm(x))
        known, distortion = self.learned(h)
        degrees = self.severity(h).unflatten(-1, (self.labels, self.degrees))
        degrees = F.log_softmax(degrees / self.temperature[1], -1)
        is_clean = self.clean_row
        none = (1 - is_clean) * IMPOSSIBLE + 0 * degrees[..., :1]
        some = is_clean * IMPOSSIBLE + (1 - is_clean) * degrees
        score = torch.sigmoid(self.score(h)).squeeze(-1)
        known = self.familiarity(h, known, distortion)
        present = None if self.present is None else torch.sigmoid(self.present(h))
        return NodeOutput(distortion, torch.cat([none, some], -1), score, known, present)


class ComparisonHead(nn.Module):
    """Ordinal model on one antisymmetric latent, in score units, with mirrored cut points.

    u = (score_a − score_t) + g(a, t) − g(t, a);  P(rank ≤ k) = σ(sharpness·(cut_k − u)). The cut
    points start at the vocabulary's thresholds and stay mirrored and ordered; the sharpness is a
    symmetric function of the pair. `temperature` divides the log-probabilities
    (`training.calibration`).
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        thresholds = torch.tensor(config.vocabulary.thresholds)
        gaps = torch.diff(thresholds, prepend=torch.zeros(1))
        self.register_buffer("gaps", gaps, persistent=False)
        self.stretch = nn.Parameter(torch.zeros(len(gaps)))
        self.norm = nn.LayerNorm(config.width)
        self.hidden = nn.Sequential(nn.Linear(2 * config.width, config.width), nn.GELU())
        self.shift = nn.Linear(config.width, 1)
        self.sharpness = nn.Linear(config.width, 1)
        self.register_buffer("temperature", torch.ones(()))

    gaps: Tensor
    temperature: Tensor

    def cuts(self) -> Tensor:
        """(K,) positive cut points in score units; a gap stays within a quarter of its start."""
        return torch.cumsum(self.gaps * (1 + 0.25 * torch.tanh(self.stretch)), 0)

    def forward(self, anchor: Tensor, target: Tensor, score: Tensor) -> Tensor:
        """(B, R, width) twice and scores (B, 2, R) → (B, R, C) log-probabilities in rank order."""
        anchor, target = self.norm(anchor), self.norm(target)
        forth = self.hidden(torch.cat([anchor, target], -1))
        back = self.hidden(torch.cat([target, anchor], -1))
        shift = 0.2 * torch.tanh(self.shift(forth) - self.shift(back)).squeeze(-1)
        latent = score[:, 0] - score[:, 1] + shift
        sharpness = F.softplus(self.sharpness(forth) + self.sharpness(back) + 1).squeeze(-1)
        cuts = self.cuts()
        sharpness = (0.5 + sharpness).clamp_min(_MIN_SHARPNESS) / cuts[0]
        steps = ordinal_log_probabilities(latent, sharpness, cuts)
        return F.log_softmax(steps / self.temperature, -1)


def ordinal_log_probabilities(latent: Tensor, sharpness: Tensor, cuts: Tensor) -> Tensor:
    """Log-probabilities of 2K+1 ordered steps of a logistic latent.

    Args:
        latent: (…,) location u.
        sharpness: (…,) inverse scale, positive.
        cuts: (K,) positive ascending; the negative ones are their mirror.
    """
    edges = torch.cat([-cuts.flip(0), cuts])
    z = sharpness[..., None] * (edges - latent[..., None])
    below, above = torch.sigmoid(z), torch.sigmoid(-z)
    # Each difference is taken in the tail where it does not cancel.
    inner = torch.maximum(below[..., 1:] - below[..., :-1], above[..., :-1] - above[..., 1:])
    steps = torch.cat([below[..., :1], inner, above[..., -1:]], -1)
    steps = steps.clamp_min(1e-7)
    return torch.log(steps / steps.sum(-1, keepdim=True))
