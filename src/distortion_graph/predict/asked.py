"""A model asked about regions of one pair, several times."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.vocabulary import UNCERTAIN, Scale, scaled
from distortion_graph.masks.container import RegionSet
from distortion_graph.masks.masks import LazyMasks
from distortion_graph.masks.rle import Rle
from distortion_graph.pictures.images import Picture
from distortion_graph.predict.against import Original
from distortion_graph.predict.answers import Answer, JudgedPair, answer_with, judge_pair
from distortion_graph.predict.canonical import predict_canonically
from distortion_graph.predict.decode import choose_labels
from distortion_graph.predict.predictions import Predictions
from distortion_graph.predict.session import Model


class AskedPair:
    """A model and two pictures of one size.

    The last predictions are kept, so that whoever found regions by them need not ask again.
    """

    def __init__(self, model: Model, anchor: Picture, target: Picture) -> None:
        self.model, self.anchor, self.target = model, anchor, target
        self._last: tuple[tuple[Rle, ...], Predictions] | None = None

    @property
    def clean(self) -> str:
        """The word where nothing is wrong."""
        return self.model.vocabulary.in_words(self.model.vocabulary.clean)

    def predictions(self, regions: RegionSet, masks: LazyMasks | None = None) -> Predictions:
        """What `predict_canonically` gives."""
        rles = tuple(region.rle for region in regions)
        if self._last is None or self._last[0] != rles:
            said = predict_canonically(self.model, self.anchor, self.target, regions, masks)
            self._last = rles, said
        return self._last[1]

    def answer(
        self, regions: RegionSet, masks: LazyMasks | None = None, scale: Scale = "common"
    ) -> Answer:
        """The same, as it is to be decoded."""
        return answer_with(self.predictions(regions, masks), self.model.vocabulary, scale)

    def beliefs(self, regions: RegionSet) -> NDArray[np.float64]:
        """(2, R, D) probabilities of the distortions."""
        return self.predictions(regions).distortion

    def words(self, regions: RegionSet) -> list[tuple[str, str]]:
        """What people read of each region in the anchor and in the target."""
        return read_words(self.model, self.predictions(regions))


class AskedBeside(AskedPair):
    """A model asked about either picture of a pair beside its original, and what is measured there.

    `originals` as for `answers.judge_pair`.
    """

    def __init__(
        self, model: Model, anchor: Picture, target: Picture, originals: tuple[Original, Original]
    ) -> None:
        super().__init__(model, anchor, target)
        self.originals = originals
        self._judged: tuple[tuple[Rle, ...], JudgedPair] | None = None

    def predictions(self, regions: RegionSet, masks: LazyMasks | None = None) -> Predictions:
        """What `answer` gives on the common scale."""
        return self.answer(regions, masks).predictions

    def answer(
        self, regions: RegionSet, masks: LazyMasks | None = None, scale: Scale = "common"
    ) -> Answer:
        """What is measured of the regions, and what the model says of them."""
        rles = tuple(region.rle for region in regions)
        if self._judged is None or self._judged[0] != rles:
            pair = self.anchor, self.target
            judged = judge_pair(self.model, pair, self.originals, regions, masks)
            self._judged = rles, judged
        return self._judged[1].answer(scaled(self.model.vocabulary, scale))


def read_words(model: Model, predictions: Predictions) -> list[tuple[str, str]]:
    """What people read of each region's distortion in the anchor and in the target of a graph."""
    vocabulary, threshold = model.vocabulary, model.identity.info.known_threshold
    chosen = choose_labels(predictions, vocabulary)
    words = np.array([*map(vocabulary.in_words, vocabulary.distortions), UNCERTAIN], object)
    labels = chosen.distortion
    if chosen.known is not None and threshold is not None:
        labels = np.where(chosen.known < threshold, len(vocabulary.distortions), labels)
    anchors, targets = words[labels].tolist()
    return list(zip(anchors, targets, strict=True))
