"""Fitting `model.familiarity`: where the labels' features lie, and what each sign weighs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from distortion_graph.bench.clean_pairs import CleanSample
from distortion_graph.data.samples import Sample
from distortion_graph.model.heads import NodeHeads
from distortion_graph.training.outliers import STRANGERS

_SHRINKAGE = 0.01
"""Share of the mean variance that is added to every one, so that the scatter can be inverted."""

_RIDGE = 1e-3
_NEWTON_STEPS = 50
_STRANGE_COPIES = 2

Image = NDArray[np.uint8]
Numbers = NDArray[np.float64]


class Strange(NamedTuple):
    """A pair with nodes that no label fits: both pictures, and (2, R) where those nodes are."""

    anchor: NDArray[np.uint8]
    target: NDArray[np.uint8]
    where: NDArray[np.bool_]


def make_strange(sample: Sample, clean: int, rng: np.random.Generator) -> Strange:
    """A sample whose clean regions show outliers that no network was trained on; `clean` is the
    label's position.
    """
    pictures = []
    where = sample.labels.distortion == clean
    for picture, chosen in zip((sample.anchor, sample.target), where, strict=True):
        out = picture.copy()
        for mask in sample.masks[chosen]:
            stranger = STRANGERS[int(rng.integers(len(STRANGERS)))]
            out[mask] = stranger(picture, rng)[mask]
        pictures.append(out)
    return Strange(pictures[0], pictures[1], where)


def strange_pairs(sample: CleanSample, rng: np.random.Generator) -> Iterator[tuple[Image, Image]]:
    """Pairs whose first picture is an outlier all over: beside a version whose regions are
    damaged differently, beside the clean picture, and beside itself.
    """
    picture, versions = sample
    for k in rng.choice(len(STRANGERS), _STRANGE_COPIES, replace=False).tolist():
        strange = STRANGERS[k](picture, rng)
        yield from ((strange, other) for other in (versions.target, picture, strange))


class KnownFeatures(NamedTuple):
    """Hidden features by what they are of.

    - `labelled` (N, width): nodes of the protocol's pairs; `labels` (N,) are their positions;
    - `clean` (K, width): nodes of pictures that are clean all over;
    - `unknown` (M, width): nodes that no label fits.
    """

    labelled: Tensor
    labels: Tensor
    clean: Tensor
    unknown: Tensor


def fit_familiarity(nodes: NodeHeads, features: KnownFeatures) -> tuple[Numbers, Numbers]:
    """Fit P(known) of `nodes` to features; temperatures must have been set before.

    Without unknown nodes P(known) stays the learned one.

    Returns:
        (N,) P(known) of the labelled nodes and (K,) of the clean ones.
    """
    familiarity = nodes.familiarity
    familiarity.reset()
    known, clean = features.labelled, features.clean
    centres, whitening = _scatter(known.double(), features.labels, len(familiarity.centres))
    familiarity.centres.copy_(centres)
    familiarity.whitening.copy_(whitening)
    if len(clean):
        one = torch.zeros(len(clean), dtype=torch.long, device=clean.device)
        centres, whitening = _scatter(clean.double(), one, 1)
    else:
        # Nothing is nearer to a clean picture's region than to a clean region.
        centres = centres[features.labels[:1]]
    familiarity.clean_centre.copy_(centres)
    familiarity.clean_whitening.copy_(whitening)
    with torch.no_grad():
        every = torch.cat([known, clean])
        signs = [
            familiarity.signs(h, *nodes.learned(h)).double() for h in (every, features.unknown)
        ]
        if len(features.unknown):
            familiarity.weights.copy_(_logistic_weights(*signs))
        said = familiarity(every, *nodes.learned(every)).double().cpu().numpy()
    return np.asarray(said[: len(known)]), np.asarray(said[len(known) :])


def _scatter(features: Tensor, labels: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Mean features of every label, and W with W·Wᵀ the inverse of their common covariance."""
    present = torch.unique(labels)
    means = torch.stack([features[labels == label].mean(0) for label in present])
    rest = features - means[torch.searchsorted(present, labels)]
    covariance = rest.T @ rest / len(rest)
    width = covariance.shape[0]
    identity = torch.eye(width, dtype=features.dtype, device=features.device)
    level = covariance.diagonal().mean().clamp_min(1e-6)
    whitening = torch.linalg.cholesky(torch.linalg.inv(covariance + _SHRINKAGE * level * identity))
    # A label that nothing had lies where another one does: it draws nothing nearer.
    centres = means[:1].repeat(count, 1)
    centres[present] = means
    return centres, whitening


def _logistic_weights(known: Tensor, unknown: Tensor) -> Tensor:
    """(1 + signs,) weights of a logistic regression in which both kinds count alike."""
    x = torch.cat([known, unknown])
    x = torch.cat([torch.ones_like(x[:, :1]), x], 1)
    y = torch.cat([torch.ones(len(known)), torch.zeros(len(unknown))]).to(x)
    share = torch.where(y == 1, 0.5 / len(known), 0.5 / len(unknown))
    weights = x.new_zeros(x.shape[1])
    ridge = _RIDGE * torch.eye(x.shape[1]).to(x)
    for _ in range(_NEWTON_STEPS):
        p = torch.sigmoid(x @ weights)
        slope = x.T @ (share * (p - y)) + ridge @ weights
        curvature = (x * (share * p * (1 - p))[:, None]).T @ x + ridge
        weights = weights - torch.linalg.solve(curvature, slope)
    return weights
