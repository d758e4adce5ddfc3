"""What the trainer sees: a batch of synthetic pairs as tensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from distortion_graph.data.synthesis import Version
from distortion_graph.regions.cells import CELL_PX, cell_weights
from distortion_graph.vocabulary import Vocabulary

IGNORED = -1
"""Label index of padding, and of what the scene does not have."""


@dataclass(frozen=True)
class Sample:
    """Two versions of one clean crop, and its (R, H, W) masks."""

    anchor: Version
    target: Version
    masks: NDArray[np.bool_]


class Inputs(NamedTuple):
    """Arguments of `DistortionGraphNet.forward`; row 0 of the regions is the scene."""

    images: Tensor
    weights: Tensor
    area: Tensor
    is_scene: Tensor
    valid: Tensor


class Targets(NamedTuple):
    """True labels as indices, `IGNORED` where there is none; scores in [0, 1].

    `distortion`, `severity`, `score`: (B, 2, R); `comparison`: (B, R) in rank order.
    """

    distortion: Tensor
    severity: Tensor
    score: Tensor
    comparison: Tensor


class Batch(NamedTuple):
    """Inputs and targets of B pairs, padded to the largest number of regions."""

    inputs: Inputs
    targets: Targets

    def to(self, device: torch.device) -> Batch:
        """The batch on another device."""
        return Batch(
            Inputs(*(x.to(device) for x in self.inputs)),
            Targets(*(x.to(device) for x in self.targets)),
        )


def make_batch(samples: Sequence[Sample], vocabulary: Vocabulary) -> Batch:
    """Stack samples of one picture size; H and W must be multiples of 16."""
    count = 1 + max(len(s.masks) for s in samples)
    height, width = samples[0].masks.shape[1:]
    size = len(samples)
    weights = np.zeros((size, count, height // CELL_PX, width // CELL_PX), np.float32)
    area = np.zeros((size, count), np.float32)
    labels = np.full((3, size, 2, count), IGNORED, np.int64)
    score = np.ones((size, 2, count), np.float32)
    valid = np.zeros((size, count), bool)
    weights[:, 0] = 1
    area[:, 0] = 1
    for b, sample in enumerate(samples):
        regions = len(sample.masks)
        valid[b, : regions + 1] = True
        for r, mask in enumerate(sample.masks, start=1):
            weights[b, r] = cell_weights(mask)
        area[b, 1 : regions + 1] = sample.masks.mean(axis=(1, 2))
        for i, version in enumerate((sample.anchor, sample.target)):
            for r, draw in enumerate(version.draws, start=1):
                labels[0, b, i, r] = vocabulary.distortion_index(draw.distortion)
                labels[1, b, i, r] = vocabulary.severity_index(draw.severity)
            score[b, i, 0] = version.scene_score
            score[b, i, 1 : regions + 1] = version.scores
        labels[2, b, 0, : regions + 1] = [
            vocabulary.comparison_index(vocabulary.compare_scores(float(a), float(t)).label)
            for a, t in score[b, :, : regions + 1].T
        ]
    images = np.stack([np.stack([s.anchor.image, s.target.image]) for s in samples])
    is_scene = np.zeros((size, count), np.float32)
    is_scene[:, 0] = 1
    return Batch(
        Inputs(*map(torch.from_numpy, (images, weights, area, is_scene, valid))),
        Targets(*map(torch.from_numpy, (labels[0], labels[1], score, labels[2][:, 0]))),
    )
