"""Whether what a node shows is in the vocabulary at all."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Familiarity(nn.Module):
    """P(known) of a node, by three signs that its features give.

    What the network has learned to say of outliers; how far the features lie from what is known, in
    units of its scatter (a Mahalanobis distance; Lee, Lee, Lee and Shin, NeurIPS 2018); and how
    probable the most probable label is. A distortion unlike the outliers of the training is noticed
    by the second. Until `training.familiarity` has weighed them, on outliers of other kinds than
    the training's, P(known) is the learned one alone.

    Known are the labels as pairs of the protocol show them, each with a centre of its own and all
    with one scatter, and the regions of pictures that are clean all over, with a centre and a
    scatter of their own: the network sees the other regions too, so that a clean region among clean
    ones has other features than a clean one among damaged ones. The nearer of the two counts.
    """

    SIGNS = 3

    centres: Tensor
    whitening: Tensor
    clean_centre: Tensor
    clean_whitening: Tensor
    weights: Tensor

    def __init__(self, labels: int, width: int) -> None:
        super().__init__()
        self.register_buffer("centres", torch.zeros(labels, width))
        self.register_buffer("whitening", torch.zeros(width, width))
        self.register_buffer("clean_centre", torch.zeros(1, width))
        self.register_buffer("clean_whitening", torch.zeros(width, width))
        self.register_buffer("weights", torch.zeros(1 + self.SIGNS))
        self.reset()

    def reset(self) -> None:
        """As it was before any fit."""
        self.weights.copy_(torch.tensor([0.0, 1.0, 0.0, 0.0]))

    def signs(self, hidden: Tensor, learned: Tensor, log_probabilities: Tensor) -> Tensor:
        """(…, width) features, (…) logit and (…, labels) → (…, 3) signs."""
        among_others = _nearest(hidden, self.centres, self.whitening)
        among_clean = _nearest(hidden, self.clean_centre, self.clean_whitening)
        nearest = torch.minimum(among_others, among_clean)
        return torch.stack([learned, torch.log1p(nearest), log_probabilities.amax(-1)], -1)

    def forward(self, hidden: Tensor, learned: Tensor, log_probabilities: Tensor) -> Tensor:
        """(…, width) features, (…) logit and (…, labels) → (…) P(known)."""
        signs = self.signs(hidden, learned, log_probabilities)
        return torch.sigmoid(self.weights[0] + (signs * self.weights[1:]).sum(-1))


def _nearest(features: Tensor, centres: Tensor, whitening: Tensor) -> Tensor:
    """(…, width) features and (C, width) centres → (…) squared distance to the nearest of the
    centres by number of features, where `whitening` gives every direction the same scatter.
    """
    x, c = features @ whitening, centres @ whitening
    squares = (x * x).sum(-1, keepdim=True) + (c * c).sum(-1)
    return (squares - 2 * x @ c.T).amin(-1).clamp_min(0) / features.shape[-1]
