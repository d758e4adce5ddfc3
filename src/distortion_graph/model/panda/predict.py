"""`panda` as something that predicts pairs.

Its heads know nothing of each other: one may call a region clean and another severe. `heads` gives
what they say; `predict` gives `Predictions`, in which a node is clean in both or in neither.
"""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from distortion_graph.base.vocabulary import Vocabulary
from distortion_graph.masks.masks import MaskArrays, Masks, as_masks, crops
from distortion_graph.model.panda.inputs import prepare_pair
from distortion_graph.model.panda.network import PandaNet
from distortion_graph.predict.decode import DEFAULT_DECODING
from distortion_graph.predict.loading import ModelIdentity
from distortion_graph.predict.predictions import Predictions

Floats = NDArray[np.float64]

_TINY = 1e-150  # so that a product of two probabilities is never 0


class HeadAnswers(NamedTuple):
    """What the heads say of one pair of R regions, each by itself; row 0 anchor, 1 target.

    `distortion` (2, R, D), `severity` (2, R, S) and `comparison` (R, C, in rank order) are
    probabilities; `score` (2, R) is as the regressor gives it, not bounded.
    """

    distortion: Floats
    severity: Floats
    score: Floats
    comparison: Floats


class PandaPredictor:
    """A `panda` network in evaluation mode.

    Not symmetric: the pair (target, anchor) is another question to it.
    """

    def __init__(self, network: PandaNet, *, name: str = "panda", version: str = "1") -> None:
        self.network = network.eval()
        self.vocabulary, self.decoding = network.config.vocabulary, DEFAULT_DECODING
        self._name, self._version = name, version

    @cached_property
    def identity(self) -> ModelIdentity:
        """Name, version, and the SHA-256 of all weights in the order of their names."""
        total = hashlib.sha256()
        for name, value in sorted(self.network.state_dict().items()):
            total.update(name.encode())
            total.update(value.detach().cpu().numpy().tobytes())
        return ModelIdentity(self._name, self._version, total.hexdigest())

    def heads(
        self, anchor: NDArray[np.uint8], target: NDArray[np.uint8], masks: Masks | MaskArrays
    ) -> HeadAnswers:
        """What each head says of two (H, W, 3) uint8 pictures and R ≥ 0 masks, (H, W) bool each.

        Raises ImageError and RegionError for pictures or masks of unequal size or another type.
        """
        inputs = prepare_pair(anchor, target, masks, self.network.config.side_px)
        device = self.network.a_token_pool.device
        with torch.inference_mode():
            output = self.network(*(x.to(device) for x in inputs))
        return HeadAnswers(
            _probabilities(output.distortion),
            _probabilities(output.severity),
            _numbers(output.score),
            _probabilities(output.comparison),
        )

    def predict(
        self, anchor: NDArray[np.uint8], target: NDArray[np.uint8], masks: Masks | MaskArrays
    ) -> Predictions:
        """Predictions for R ≥ 0 regions; see `to_predictions`.

        The network knows no scene: the whole picture goes in as one more region, after all others.
        """
        size = anchor.shape[:2]
        regions = [crop.on_picture(size) for crop in crops(as_masks(masks, size))]
        heads = self.heads(anchor, target, [*regions, np.ones(size, np.bool_)])
        return to_predictions(heads, self.vocabulary)


def to_predictions(heads: HeadAnswers, vocabulary: Vocabulary) -> Predictions:
    """Answers for R regions and, last, the whole picture → `Predictions`.

    With p(d) and p(s) from the heads, a node has q(d, s) ∝ p(d)·p(s) over the pairs that are clean
    in both or in neither: the heads' own joint distribution, given that it makes sense. So where
    the most probable distortion and severity fit each other, `decode` answers with these two; and
    where they do not, with the pair that the heads together find most probable. Scores are
    clipped to [0, 1]. The comparison is the head's, whatever the scores say.
    """
    clean = np.arange(heads.distortion.shape[-1]) == vocabulary.clean_index
    distortion = np.maximum(heads.distortion, _TINY)
    severity = np.maximum(heads.severity, _TINY)
    degrees = severity[..., 1:].sum(-1, keepdims=True)
    joint = distortion * np.where(clean, severity[..., :1], degrees)
    given = np.zeros((*distortion.shape, severity.shape[-1]))
    given[..., ~clean, 1:] = (severity[..., 1:] / degrees)[..., None, :]
    given[..., clean, 0] = 1
    score = np.clip(heads.score, 0, 1)
    return Predictions(
        distortion=(joint / joint.sum(-1, keepdims=True))[:, :-1],
        severity_given=given[:, :-1],
        score=score[:, :-1],
        comparison=heads.comparison[:-1],
        scene_score=score[:, -1],
        scene_comparison=heads.comparison[-1],
    )


def _numbers(x: Tensor) -> Floats:
    return np.asarray(x[0].double().cpu().numpy(), np.float64)


def _probabilities(logits: Tensor) -> Floats:
    return _numbers(torch.softmax(logits.double(), -1))
