"""Whether what a node shows is in the vocabulary at all."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Familiarity(nn.Module):
    """P(known) of a node, by three signs that its features give.

    What the network has learned to say of outliers; how far the features lie from those of the
    nearest label, in units of their common scatter (a Mahalanobis distance; Lee, Lee, Lee and Shin,
    NeurIPS 2018); and how probable the most probable label is. A distortion unlike the outliers of
    the training is noticed by the second. Until `training.familiarity` has weighed them, on
    outliers of other kinds than the training's, P(known) is the learned one alone.
    """

    SIGNS = 3

    centres: Tensor
    whitening: Tensor
    weights: Tensor

    def __init__(self, labels: int, width: int) -> None:
        super().__init__()
        self.register_buffer("centres", torch.zeros(labels, width))
        self.register_buffer("whitening", torch.zeros(width, width))
        self.register_buffer("weights", torch.zeros(1 + self.SIGNS))
        self.reset()

    def reset(self) -> None:
        """As it was before any fit."""
        self.weights.copy_(torch.tensor([0.0, 1.0, 0.0, 0.0]))

    def signs(self, hidden: Tensor, learned: Tensor, log_probabilities: Tensor) -> Tensor:
        """(…, width) features, (…) logit and (…, labels) → (…, 3) signs."""
        x, centres = hidden @ self.whitening, self.centres @ self.whitening
        squares = (x * x).sum(-1, keepdim=True) + (centres * centres).sum(-1)
        nearest = (squares - 2 * x @ centres.T).amin(-1).clamp_min(0) / hidden.shape[-1]
        return torch.stack([learned, torch.log1p(nearest), log_probabilities.amax(-1)], -1)

    def forward(self, hidden: Tensor, learned: Tensor, log_probabilities: Tensor) -> Tensor:
        """(…, width) features, (…) logit and (…, labels) → (…) P(known)."""
        signs = self.signs(hidden, learned, log_probabilities)
        return torch.sigmoid(self.weights[0] + (signs * self.weights[1:]).sum(-1))
