"""What is said of a pair of pictures: by a model alone, or measured against their original."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.vocabulary import Scale, Vocabulary, scaled
from distortion_graph.graph import Scores
from distortion_graph.graph.build import DECIMALS
from distortion_graph.masks.container import RegionSet
from distortion_graph.masks.masks import LazyMasks
from distortion_graph.measure.quality import FullReferenceMetric
from distortion_graph.pictures.images import Picture, rgb_sha256
from distortion_graph.predict.against import (
    JudgedPicture,
    Original,
    judge,
    pair_predictions,
)
from distortion_graph.predict.canonical import equal_inside
from distortion_graph.predict.comparing import implied_spreads, margin_masses
from distortion_graph.predict.predictions import Predictions
from distortion_graph.predict.session import Model

Pair = tuple[Picture, Picture]


class Answer(NamedTuple):
    """Predictions for a pair, the vocabulary that they are in, and how they are to be decoded.

    `by_margin` as for `decode.choose_labels`; `scores` says where the scores come from.
    """

    predictions: Predictions
    vocabulary: Vocabulary
    by_margin: bool
    scores: Scores


def answer_with(predictions: Predictions, own: Vocabulary, scale: Scale) -> Answer:
    """Predictions that a model made in its `own` vocabulary, on a scale."""
    vocabulary, fine = scaled(own, scale), scale != "common"
    said = on_scale(predictions, own, vocabulary) if fine else predictions
    return Answer(said, vocabulary, fine, Scores(source="predicted"))


class JudgedPair(NamedTuple):
    """Anchor and target, each judged beside its original by a `metric`.

    `equal` (R,) are regions whose pixels are equal in the two; `identical` is whether all are.
    """

    anchor: JudgedPicture
    target: JudgedPicture
    equal: NDArray[np.bool_]
    identical: bool
    metric: FullReferenceMetric

    def answer(self, vocabulary: Vocabulary) -> Answer:
        """What is known of the pair, compared in the steps of a vocabulary."""
        said = pair_predictions(
            self.anchor,
            self.target,
            vocabulary,
            self.metric.spread,
            self.equal,
            identical=self.identical,
        )
        return Answer(said, vocabulary, True, Scores(metric=self.metric.name, source="measured"))


def judge_pair(
    model: Model,
    pair: Pair,
    originals: tuple[Original, Original],
    regions: RegionSet,
    masks: LazyMasks | None = None,
) -> JudgedPair:
    """Hold anchor and target each against its original.

    `originals` are the original as it lies on the anchor and as it lies on the target, one and the
    same where the two lie on each other. Raises as `judge` does.
    """
    masks = masks or regions.lazy_masks()
    anchor, target = (
        judge(model, original, picture, regions, masks)
        for original, picture in zip(originals, pair, strict=True)
    )
    identical = rgb_sha256(pair[0].rgb) == rgb_sha256(pair[1].rgb)
    equal = np.ones(len(regions), np.bool_)
    if not identical:
        equal = equal_inside(pair[0].rgb, pair[1].rgb, masks)
    return JudgedPair(anchor, target, equal, identical, originals[0].metric)


def on_scale(predictions: Predictions, own: Vocabulary, other: Vocabulary) -> Predictions:
    """Predictions with the comparisons of another vocabulary, which follow from the margins.

    The true margin is taken to be normally distributed about the predicted one, as widely as agrees
    best with what the model says in its own vocabulary (`comparing.implied_spreads`).
    """
    scores = np.round(np.column_stack([predictions.score, predictions.scene_score]), DECIMALS)
    said = np.concatenate([predictions.comparison, predictions.scene_comparison[None]])
    margins = scores[0] - scores[1]
    masses = margin_masses(margins, implied_spreads(margins, said, own), other)
    return replace(predictions, comparison=masses[:-1], scene_comparison=masses[-1])
