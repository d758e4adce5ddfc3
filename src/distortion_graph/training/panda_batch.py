"""Batches for `panda` from the trainer's samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch

from distortion_graph.base.vocabulary import Vocabulary
from distortion_graph.graph.truth import compare_positions
from distortion_graph.model.panda import (
    IGNORED,
    PandaConfig,
    PandaInputs,
    PandaTargets,
    augment,
    fit_pair,
)
from distortion_graph.training.batch import Sample


class PandaBatch(NamedTuple):
    """Inputs and targets of B pairs, padded to the largest number of regions."""

    inputs: PandaInputs
    targets: PandaTargets

    def to(self, device: torch.device) -> PandaBatch:
        """The batch on another device."""
        return PandaBatch(
            PandaInputs(*(x.to(device) for x in self.inputs)),
            PandaTargets(*(x.to(device) for x in self.targets)),
        )


@dataclass(frozen=True)
class PandaCollate:
    """Makes batches by a network's settings; no function, so that it can be pickled."""

    config: PandaConfig

    def __call__(
        self, samples: Sequence[Sample], vocabulary: Vocabulary, rng: np.random.Generator
    ) -> PandaBatch:
        """The batch of `make_panda_batch`."""
        return make_panda_batch(samples, vocabulary, self.config, rng)


def make_panda_batch(
    samples: Sequence[Sample],
    vocabulary: Vocabulary,
    config: PandaConfig,
    rng: np.random.Generator | None = None,
) -> PandaBatch:
    """Resize and stack samples, which may be of any sizes.

    There is no scene among the regions, as published. A region whose mask vanishes in resizing is
    not valid; one that the vocabulary has no label for (`Sample.extras`) is without labels. With
    `rng` the pairs are augmented as published, one after the other.
    """
    count = max((len(s.masks) for s in samples), default=0)
    size, side = len(samples), config.side_px
    images = np.zeros((size, 2, side, side, 3), np.uint8)
    masks = np.zeros((size, count, side, side), np.bool_)
    labels = np.full((2, size, 2, count), IGNORED, np.int64)
    comparison = np.full((size, count), IGNORED, np.int64)
    score = np.ones((size, 2, count), np.float32)
    for b, sample in enumerate(samples):
        regions = len(sample.masks)
        pictures = (sample.anchor.image, sample.target.image)
        images[b], fitted = fit_pair(*pictures, sample.masks, side)
        if rng is not None:
            images[b], fitted = augment(images[b], fitted, rng)
        masks[b, :regions] = fitted
        for i, version in enumerate((sample.anchor, sample.target)):
            for r, draw in enumerate(version.draws):
                labels[0, b, i, r] = vocabulary.distortion_index(draw.distortion)
                labels[1, b, i, r] = vocabulary.severity_index(draw.severity)
            if sample.extras is not None:
                labels[:, b, i, :regions][:, ~sample.extras.known[i]] = IGNORED
            score[b, i, :regions] = version.scores
        exact = score[b, :, :regions].astype(np.float64)
        comparison[b, :regions] = compare_positions(exact[0], exact[1], vocabulary)
        if sample.judged is not None:
            labels[0, b, :, :regions] = sample.judged.distortion
            labels[1, b, :, :regions] = sample.judged.severity
            comparison[b, :regions] = sample.judged.comparison
    valid = masks.any((2, 3))
    return PandaBatch(
        PandaInputs(*map(torch.from_numpy, (images, masks, valid))),
        PandaTargets(*map(torch.from_numpy, (labels[0], labels[1], score, comparison))),
    )
