"""How far an alignment is to be relied on: probabilities from what was measured, and a reason."""

from __future__ import annotations

import math
from typing import NamedTuple

from distortion_graph.pictures.align.alignment import Model, Reason
from distortion_graph.pictures.align.detail import Pyramid
from distortion_graph.pictures.align.refine import MIDDLE_PIXELS, Levels
from distortion_graph.pictures.align.search import Search

_LEAST_CONTRAST = 0.4  # grey levels
_LEAST_OVERLAP = 0.05
MOST_SECOND_PEAK = 0.8
_SEARCHED_PIXELS = 20_000

TOLERANCE_PX: dict[Model, float] = {
    "none": 0.1,
    "translation": 0.1,
    "similarity": 0.3,
    "homography": 0.5,
}
"""The mean error of the corners up to which a mapping of a model is right."""

# Fitted by `benchmarks/alignment.py --fit` on pictures that may train.
SCENE_WEIGHTS = (-14.26, 1.96, 4.16, -1.28)
CONFIDENCE_WEIGHTS = (-0.689, -3.153)


class Measurements(NamedTuple):
    """What the probabilities are worked out from.

    `coarse_nats`, `middle_nats`: the mutual information of the pictures at two levels, of which the
    second has `middle_pixels`. `spread`: the standard error of the mapping, `Search.deviation_px`,
    in tolerances; None where it was not searched for. `second_peak`: the height of the
    correlation's second peak beside the first.
    """

    coarse_nats: float
    middle_nats: float
    middle_pixels: int
    spread: float | None
    second_peak: float


def measurements(found: Search, levels: Levels) -> Measurements:
    """What was measured of a mapping at the middle level.

    A pair that was not searched is not asked whether it would match elsewhere too.
    """
    spread = found.deviation_px
    return Measurements(
        found.coarse_nats,
        found.middle.information,
        levels.onto.detail.size,
        None if spread is None else spread / TOLERANCE_PX[found.model],
        0.0 if spread is None else found.middle.second_peak,
    )


def scene_features(measured: Measurements) -> tuple[float, ...]:
    """What `SCENE_WEIGHTS` weigh; small pictures share less without being less alike.

    But in small pictures a search always finds something: there the size is no excuse.
    """
    nats = (math.log1p(n) for n in (measured.coarse_nats, measured.middle_nats))
    searched = measured.spread is not None
    pixels = max(measured.middle_pixels, _SEARCHED_PIXELS if searched else 1)
    return 1.0, *nats, math.log(pixels)


def confidence_features(measured: Measurements) -> tuple[float, ...]:
    """What `CONFIDENCE_WEIGHTS` weigh, of a mapping that was searched for."""
    return 1.0, math.log(min(max(measured.spread or 0.0, 1e-4), 100.0))


def same_scene(measured: Measurements) -> float:
    """The probability that both pictures show one scene."""
    return _logistic(scene_features(measured), SCENE_WEIGHTS)


def confidence(measured: Measurements) -> float:
    """The probability that the mapping is right within the tolerance of its model."""
    scene = same_scene(measured)
    if measured.spread is None:
        return scene
    probability = _logistic(confidence_features(measured), CONFIDENCE_WEIGHTS)
    if measured.second_peak > MOST_SECOND_PEAK:
        # Of two places that match equally well, one is right.
        probability = min(probability, 1 / (1 + measured.second_peak))
    return probability * scene


def reason_against(
    measured: Measurements, overlap: float, turned: int, mirrored: bool
) -> Reason | None:
    """Why the mapping is not to be relied on, or not to be used as it is."""
    if same_scene(measured) < 0.5:
        return "unrelated"
    if mirrored or turned:
        return "mirrored" if mirrored else "turned"
    if overlap < _LEAST_OVERLAP:
        return "no_overlap"
    return "ambiguous" if measured.second_peak > MOST_SECOND_PEAK else None


def is_flat(picture: Pyramid) -> bool:
    """Whether a picture has no structure to lay another one by."""
    return picture.level(picture.factor_for(MIDDLE_PIXELS)).contrast < _LEAST_CONTRAST


def _logistic(features: tuple[float, ...], weights: tuple[float, ...]) -> float:
    total = sum(f * w for f, w in zip(features, weights, strict=True))
    return 1 / (1 + math.exp(-min(max(total, -30.0), 30.0)))
