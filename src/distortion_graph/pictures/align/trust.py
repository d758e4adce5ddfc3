"""How far an alignment is to be relied on: probabilities from what was measured, and a reason."""

from __future__ import annotations

import math
from typing import NamedTuple

from distortion_graph.pictures.align.alignment import Reason
from distortion_graph.pictures.align.detail import Pyramid
from distortion_graph.pictures.align.refine import MIDDLE_PIXELS, Levels
from distortion_graph.pictures.align.search import Search

_LEAST_CONTRAST = 0.4  # grey levels
_LEAST_OVERLAP = 0.05
_MOST_SECOND_PEAK = 0.85
_CORNERS_PER_SHIFT = {"none": 1, "translation": 1, "similarity": 3, "homography": 8}

# Fitted by `benchmarks/alignment.py --fit` on pictures that may train.
SCENE_WEIGHTS = (-12.0, 2.5)
CONFIDENCE_WEIGHTS = (0.0, 0.5, -1.0, 0.0)


class Measurements(NamedTuple):
    """What the probabilities are worked out from.

    `coarse_nats` and `middle_nats`: the mutual information of the pictures at two levels.
    `deviation_px`: the smallest possible deviation of the mapping, in pixels of a picture of up to
    0.25 MP. `second_peak`: the height of the correlation's second peak beside the first.
    """

    coarse_nats: float
    middle_nats: float
    deviation_px: float
    second_peak: float


def measurements(found: Search, levels: Levels, *, with_second_peak: bool) -> Measurements:
    """What was measured of a mapping at the middle level."""
    middle = found.middle
    shift = middle.shift_deviation_px / max(levels.onto.scale[0], levels.of.scale[0])
    return Measurements(
        found.coarse_nats,
        middle.information,
        shift * _CORNERS_PER_SHIFT[found.model],
        middle.second_peak if with_second_peak else 0.0,
    )


def scene_features(measured: Measurements) -> tuple[float, ...]:
    """What `SCENE_WEIGHTS` weigh."""
    return 1.0, math.log1p(measured.coarse_nats)


def confidence_features(measured: Measurements) -> tuple[float, ...]:
    """What `CONFIDENCE_WEIGHTS` weigh."""
    deviation = min(max(measured.deviation_px, 1e-4), 10.0)
    peak = min(measured.second_peak, 1.0)
    return 1.0, math.log1p(measured.coarse_nats), math.log(deviation), peak


def same_scene(measured: Measurements) -> float:
    """The probability that both pictures show one scene."""
    return _logistic(scene_features(measured), SCENE_WEIGHTS)


def confidence(measured: Measurements) -> float:
    """The probability that the mapping is right within the tolerance of its model."""
    probability = _logistic(confidence_features(measured), CONFIDENCE_WEIGHTS)
    if measured.second_peak > _MOST_SECOND_PEAK:
        # Of two places that match equally well, one is right.
        probability = min(probability, 1 / (1 + measured.second_peak))
    return probability * same_scene(measured)


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
    return "ambiguous" if measured.second_peak > _MOST_SECOND_PEAK else None


def is_flat(picture: Pyramid) -> bool:
    """Whether a picture has no structure to lay another one by."""
    return picture.level(picture.factor_for(MIDDLE_PIXELS)).contrast < _LEAST_CONTRAST


def _logistic(features: tuple[float, ...], weights: tuple[float, ...]) -> float:
    total = sum(f * w for f, w in zip(features, weights, strict=True))
    return 1 / (1 + math.exp(-min(max(total, -30.0), 30.0)))
