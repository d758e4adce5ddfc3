"""What the trainer sees: a batch of synthetic pairs as tensors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from distortion_graph.base.vocabulary import Vocabulary
from distortion_graph.features.cells import CELL_PX
from distortion_graph.features.edges import EDGE_STATISTICS
from distortion_graph.features.histograms import (
    CHANNELS,
    DETAIL_CHANNELS,
    JOINT_CHANNELS,
    JOINT_LEVELS,
    LEVELS,
    PATTERNS,
)
from distortion_graph.features.statistics import region_inputs
from distortion_graph.graph.truth import compare_positions
from distortion_graph.synth.synthesis import Version
from distortion_graph.training.extras import IGNORED, Extras


@dataclass(frozen=True)
class Sample:
    """Two versions of one clean crop, its (R, H, W) masks, and what the protocol does not have.

    `original` is the side that is known to be the original, 0 or 1, None where neither is.
    `judged` is what people say of the regions, whose draws and scores then count for nothing.
    """

    anchor: Version
    target: Version
    masks: NDArray[np.bool_]
    extras: Extras | None = None
    original: int | None = None
    judged: JudgedLabels | None = None


@dataclass(frozen=True, eq=False)
class JudgedLabels:
    """What people say of R regions, as positions, `IGNORED` where nobody said.

    `distortion` and `severity` (2, R), `comparison` (R,) in rank order.
    """

    distortion: NDArray[np.int64]
    severity: NDArray[np.int64]
    comparison: NDArray[np.int64]


class Inputs(NamedTuple):
    """Arguments of `DistortionGraphNet.forward`; row 0 of the regions is the scene."""

    images: Tensor
    weights: Tensor
    own_counts: Tensor
    joint_counts: Tensor
    detail_counts: Tensor
    pattern_counts: Tensor
    edges: Tensor
    area: Tensor
    is_scene: Tensor
    valid: Tensor
    is_original: Tensor


class Targets(NamedTuple):
    """True labels as indices, `IGNORED` where there is none; scores in [0, 1], NaN where none is.

    `distortion`, `severity`, `score`: (B, 2, R); `comparison`: (B, R) in rank order. `present`
    (B, 2, R, D) is 1 for every distortion of the node, of which `distortion` is the one that costs
    most; `known` (B, 2, R) is 1 where the vocabulary has a label for the node, 0 where it has none,
    and `IGNORED` where people judged and did not say.
    """

    distortion: Tensor
    severity: Tensor
    score: Tensor
    comparison: Tensor
    present: Tensor
    known: Tensor


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


Collate = Callable[[Sequence[Sample], Vocabulary, np.random.Generator], Any]
"""Makes a batch of samples: a named tuple of `inputs`, the network's arguments with `images` and
`valid` among them, and `targets`, both named tuples of tensors. May draw from the generator."""


def collate(samples: Sequence[Sample], vocabulary: Vocabulary, rng: np.random.Generator) -> Batch:
    """`make_batch`, which draws nothing, as a `Collate`."""
    del rng
    return make_batch(samples, vocabulary)


def make_batch(samples: Sequence[Sample], vocabulary: Vocabulary) -> Batch:
    """Stack samples of one picture size; H and W must be multiples of 16."""
    count = 1 + max(len(s.masks) for s in samples)
    height, width = samples[0].masks.shape[1:]
    size = len(samples)
    weights = np.zeros((size, count, height // CELL_PX, width // CELL_PX), np.float32)
    area = np.zeros((size, count), np.float32)
    labels = np.full((4, size, 2, count), IGNORED, np.int64)
    present = np.zeros((size, 2, count, len(vocabulary.distortions)), np.float32)
    is_original = np.zeros((size, 2), np.float32)
    own = np.zeros((size, 2, count, len(CHANNELS), LEVELS), np.float32)
    levels = JOINT_LEVELS, JOINT_LEVELS
    joint = np.zeros((size, count, len(JOINT_CHANNELS), *levels), np.float32)
    detail = np.zeros((size, count, len(DETAIL_CHANNELS), *levels), np.float32)
    patterns = np.zeros((size, 2, count, PATTERNS), np.float32)
    edges = np.zeros((size, 2, count, EDGE_STATISTICS), np.float32)
    score = np.ones((size, 2, count), np.float32)
    valid = np.zeros((size, count), bool)
    for b, sample in enumerate(samples):
        regions = len(sample.masks)
        valid[b, : regions + 1] = True
        if sample.original is not None:
            is_original[b, sample.original] = 1
        given = region_inputs(sample.anchor.image, sample.target.image, sample.masks)
        weights[b, : regions + 1], area[b, : regions + 1] = given.weights, given.area
        seen = given.statistics
        own[b, :, : regions + 1] = seen.own
        joint[b, : regions + 1], detail[b, : regions + 1] = seen.joint, seen.detail
        patterns[b, :, : regions + 1], edges[b, :, : regions + 1] = seen.patterns, seen.edges
        for i, version in enumerate((sample.anchor, sample.target)):
            for r, draw in enumerate(version.draws, start=1):
                labels[0, b, i, r] = vocabulary.distortion_index(draw.distortion)
                labels[1, b, i, r] = vocabulary.severity_index(draw.severity)
                for part in (draw, *draw.also):
                    present[b, i, r, vocabulary.distortion_index(part.distortion)] = 1
            extras = sample.extras or Extras.none(regions)
            labels[3, b, i, 1 : regions + 1] = extras.known[i]
            labels[:2, b, i, 1 : regions + 1][:, ~extras.known[i]] = IGNORED
            score[b, i, 0] = version.scene_score
            score[b, i, 1 : regions + 1] = version.scores
        exact = score[b, :, : regions + 1].astype(np.float64)
        labels[2, b, 0, : regions + 1] = compare_positions(exact[0], exact[1], vocabulary)
        if sample.judged is not None:
            labels[0, b, :, 1 : regions + 1] = sample.judged.distortion
            labels[1, b, :, 1 : regions + 1] = sample.judged.severity
            labels[2, b, 0, 1 : regions + 1] = sample.judged.comparison
            unsaid = sample.judged.distortion == IGNORED
            labels[3, b, :, 1 : regions + 1][unsaid] = IGNORED
    images = np.stack([np.stack([s.anchor.image, s.target.image]) for s in samples])
    counts = own, joint, detail, patterns
    is_scene = np.zeros((size, count), np.float32)
    is_scene[:, 0] = 1
    return Batch(
        Inputs(
            *map(
                torch.from_numpy,
                (images, weights, *counts, edges, area, is_scene, valid, is_original),
            )
        ),
        Targets(
            *map(
                torch.from_numpy,
                (labels[0], labels[1], score, labels[2][:, 0], present, labels[3]),
            )
        ),
    )
