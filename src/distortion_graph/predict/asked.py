"""A model asked about one pair, several times."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.vocabulary import UNCERTAIN
from distortion_graph.masks.container import RegionSet
from distortion_graph.masks.masks import LazyMasks
from distortion_graph.masks.rle import Rle
from distortion_graph.pictures.images import Picture
from distortion_graph.predict.canonical import predict_canonically
from distortion_graph.predict.decode import choose_labels
from distortion_graph.predict.predictions import Predictions
from distortion_graph.predict.session import Model


class Answers(NamedTuple):
    """What a model says of R regions: `segment.distortions.Answers`."""

    distortion: NDArray[np.float64]
    words: list[tuple[str, str]]
    clean: str


class AskedPair:
    """A model and a pair of pictures of one size.

    The last predictions are kept: whoever finds regions by them need not ask again.
    """

    def __init__(self, model: Model, anchor: Picture, target: Picture) -> None:
        self.model, self.anchor, self.target = model, anchor, target
        self._last: tuple[tuple[Rle, ...], Predictions] | None = None

    def predictions(self, regions: RegionSet, masks: LazyMasks | None = None) -> Predictions:
        """As `predict_canonically`."""
        rles = tuple(region.rle for region in regions)
        if self._last is None or self._last[0] != rles:
            said = predict_canonically(self.model, self.anchor, self.target, regions, masks)
            self._last = rles, said
        return self._last[1]

    def answers(self, regions: RegionSet) -> Answers:
        """What is said of regions, in the words that people read in a graph."""
        said = self.predictions(regions)
        vocabulary = self.model.vocabulary
        chosen = choose_labels(said, vocabulary)
        threshold = self.model.identity.info.known_threshold
        uncertain = np.zeros(chosen.distortion.shape, np.bool_)
        if chosen.known is not None and threshold is not None:
            uncertain = chosen.known < threshold
        read = [vocabulary.in_words(label) for label in vocabulary.distortions]
        anchors, targets = (
            [UNCERTAIN if unsure else read[label] for label, unsure in zip(*side, strict=True)]
            for side in zip(chosen.distortion.tolist(), uncertain.tolist(), strict=True)
        )
        pairs = list(zip(anchors, targets, strict=True))
        return Answers(said.distortion, pairs, vocabulary.in_words(vocabulary.clean))
