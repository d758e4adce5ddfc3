"""The published losses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from distortion_graph.model.panda.network import PandaOutput

IGNORED = -1
"""Label of padding, and of what is not known."""


class PandaTargets(NamedTuple):
    """True labels as positions in the vocabulary, `IGNORED` where there is none; scores in [0, 1],
    NaN where there is none.

    `distortion`, `severity`, `score`: (B, 2, R); `comparison`: (B, R) in rank order.
    """

    distortion: Tensor
    severity: Tensor
    score: Tensor
    comparison: Tensor


class PandaLosses(NamedTuple):
    """Losses of a batch; `total` is their weighted sum."""

    total: Tensor
    distortion: Tensor
    severity: Tensor
    score: Tensor
    comparison: Tensor


@dataclass(frozen=True)
class PandaLossConfig:
    """Weights of the parts of the loss, and how much of a label is spread over all of them."""

    distortion: float = 1.0
    severity: float = 0.1
    score: float = 1.0
    comparison: float = 0.1
    distortion_smoothing: float = 0.5
    severity_smoothing: float = 0.5
    comparison_smoothing: float = 0.3


def criterion(
    output: PandaOutput,
    targets: PandaTargets,
    valid: Tensor,
    config: PandaLossConfig | None = None,
) -> PandaLosses:
    """Losses of a batch, each Σ loss·valid / Σ valid over regions, 0 where none is valid.

    Of anchor and target the mean is taken. An `IGNORED` label adds nothing and is counted, as
    published. `valid` is (B, R) bool.
    """
    config = config or PandaLossConfig()
    nodes = valid[:, None].expand(-1, 2, -1)
    scored = ~targets.score.isnan()
    distance = (output.score.float() - targets.score.nan_to_num()).abs()
    parts = {
        "distortion": _mean(
            _entropy(output.distortion, targets.distortion, config.distortion_smoothing), nodes
        ),
        "severity": _mean(
            _entropy(output.severity, targets.severity, config.severity_smoothing), nodes
        ),
        "score": _mean(distance, nodes & scored),
        "comparison": _mean(
            _entropy(output.comparison, targets.comparison, config.comparison_smoothing), valid
        ),
    }
    weighted = [getattr(config, name) * value for name, value in parts.items()]
    return PandaLosses(total=torch.stack(weighted).sum(), **parts)


def _entropy(logits: Tensor, labels: Tensor, smoothing: float) -> Tensor:
    """Cross-entropy (…, C), (…) → (…), 0 where the label is ignored."""
    flat = F.cross_entropy(
        logits.float().flatten(0, -2),
        labels.flatten(),
        ignore_index=IGNORED,
        reduction="none",
        label_smoothing=smoothing,
    )
    return flat.reshape(labels.shape)


def _mean(loss: Tensor, where: Tensor) -> Tensor:
    """Mean over the chosen entries, 0 when there is none; what is not chosen may be anything."""
    return torch.where(where, loss, 0).sum() / where.sum().clamp_min(1)
