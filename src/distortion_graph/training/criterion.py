"""The criterion judges what the network predicted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from distortion_graph.model.network import NetworkOutput
from distortion_graph.training.batch import Targets
from distortion_graph.training.extras import IGNORED


class Losses(NamedTuple):
    """Mean losses of a batch; `total` is their weighted sum."""

    total: Tensor
    distortion: Tensor
    severity: Tensor
    score: Tensor
    margin: Tensor
    comparison: Tensor
    known: Tensor
    present: Tensor


@dataclass(frozen=True)
class LossWeights:
    """Weights of the parts of the loss. `score` and `margin` weigh absolute errors."""

    distortion: float = 1.0
    severity: float = 1.0
    score: float = 4.0
    margin: float = 2.0
    comparison: float = 1.0
    known: float = 0.5
    present: float = 0.5


def criterion(
    output: NetworkOutput, targets: Targets, valid: Tensor, weights: LossWeights
) -> Losses:
    """Losses of a batch, each the mean over the nodes or regions that have the label or score.

    Severity is judged under the true distortion, or under what the network says of it where people
    said the severity alone. Unknown nodes are few, so `known` weighs both
    kinds alike. `present` is the sum over the labels, of which few are. `valid` is (B, R) bool.
    """
    known = (targets.distortion != IGNORED) & valid[:, None]
    label = targets.distortion.clamp_min(0)
    distortion = _nll(output.distortion, label)
    rows = output.severity_given.gather(
        3, label[..., None, None].expand(*label.shape, 1, output.severity_given.shape[-1])
    ).squeeze(3)
    graded = (targets.severity != IGNORED) & valid[:, None]
    if (graded & ~known).any():
        joint = torch.logsumexp(output.distortion[..., None] + output.severity_given, 3)
        rows = torch.where(known[..., None], rows, joint)
    severity = _nll(rows, targets.severity.clamp_min(0))
    scored = ~targets.score.isnan() & valid[:, None]
    true_score = targets.score.nan_to_num()
    score = (output.score - true_score).abs()
    true_margin = true_score[:, 0] - true_score[:, 1]
    margin = (output.score[:, 0] - output.score[:, 1] - true_margin).abs()
    comparison = _nll(output.comparison, targets.comparison.clamp_min(0))
    parts = (
        _mean(distortion, known),
        _mean(severity, graded),
        _mean(score, scored),
        _mean(margin, scored.all(1)),
        _mean(comparison, valid & (targets.comparison != IGNORED)),
        _known_loss(output.known, targets.known, valid),
        _present_loss(output.present, targets.present, known),
    )
    scales = (
        weights.distortion,
        weights.severity,
        weights.score,
        weights.margin,
        weights.comparison,
        weights.known,
        weights.present,
    )
    total = sum((w * p for w, p in zip(scales, parts, strict=True)), torch.zeros(()).to(parts[0]))
    return Losses(total, *parts)


def _nll(log_probabilities: Tensor, label: Tensor) -> Tensor:
    return -log_probabilities.gather(-1, label[..., None]).squeeze(-1)


def _known_loss(probability: Tensor, known: Tensor, valid: Tensor) -> Tensor:
    """Mean of the cross-entropies of known and of unknown nodes, of those that there are."""
    p = probability.clamp(1e-6, 1 - 1e-6)
    kinds = [(known == 1, -torch.log(p)), (known == 0, -torch.log(1 - p))]
    losses = [_mean(loss, where & valid[:, None]) for where, loss in kinds]
    return (losses[0] + losses[1]) / 2


def _present_loss(probability: Tensor | None, present: Tensor, where: Tensor) -> Tensor:
    """Mean over the nodes of the cross-entropies of all labels; 0 for a network without them."""
    if probability is None:
        return torch.zeros((), device=present.device)
    p = probability.clamp(1e-6, 1 - 1e-6)
    loss = -(present * torch.log(p) + (1 - present) * torch.log(1 - p)).sum(-1)
    return _mean(loss, where)


def _mean(loss: Tensor, where: Tensor) -> Tensor:
    """Mean over the chosen entries, 0 when there is none."""
    return (loss * where).sum() / where.sum().clamp_min(1)
