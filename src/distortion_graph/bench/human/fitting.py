"""Maps from score to opinion, fitted to what people said, and what they are worth elsewhere.

Each distortion's map is isotonic regression (Barlow et al., Statistical Inference under Order
Restrictions, 1972) on all pairs: those that show the distortion weigh as much of them as it covers,
and all others together as `OTHERS` pairs. So a distortion that few pairs show gets nearly the
common map.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import DatasetError
from distortion_graph.bench.figures import Part
from distortion_graph.bench.human.agreement import Agreement, agreement, srcc_gain
from distortion_graph.bench.human.measuring import SCORE, Judged, Numbers
from distortion_graph.bench.resampling import Interval
from distortion_graph.graph.build import DECIMALS
from distortion_graph.predict.opinion import OpinionMaps

OTHERS = 3.0
"""A distortion's map listens to all other pairs together as to so many pairs of its own."""
MOST_KNOTS = 12
MOST_FOLDS = 12

Points = tuple[tuple[float, float], ...]


class OpinionFit(Part):
    """Maps fitted to all pairs, and what such maps are worth for contents that they never saw.

    `before` is the agreement of the score itself, `after` that of opinions by maps fitted without
    the content; `srcc_gain` is the 95 % interval of the difference of their SRCC, over contents.
    """

    pairs: int
    contents: int
    maps: OpinionMaps
    before: Agreement
    after: Agreement
    srcc_gain: Interval | None


def fit_opinions(judged: Judged, seed: int = 0) -> OpinionFit:
    """Fit maps from the model's score; `seed` is of the intervals. Raises DatasetError."""
    score, content = judged.given[SCORE], judged.content
    after = left_out_opinions(judged)
    return OpinionFit(
        pairs=len(judged.pairs),
        contents=len(set(content.tolist())),
        maps=fit_maps(judged),
        before=agreement(score, judged.opinion, content, seed),
        after=agreement(after, judged.opinion, content, seed),
        srcc_gain=srcc_gain(score, after, judged.opinion, content, seed),
    )


def expected_opinions(
    maps: OpinionMaps, score: Numbers, shares: Sequence[Mapping[str, float]]
) -> Numbers:
    """(N,) opinions of whole pictures by `OpinionMaps.of_picture`."""
    return np.array([maps.of_picture(v, s) for v, s in zip(score.tolist(), shares, strict=True)])


def fit_maps(judged: Judged, name: str = SCORE) -> OpinionMaps:
    """The maps from a number of `judged.given` that lies in [0, 1], by default the model's score.

    Raises DatasetError where there is no pair.
    """
    return _fitted(judged, name, np.ones(len(judged.pairs), bool))


def left_out_opinions(judged: Judged, name: str = SCORE) -> Numbers:
    """(N,) opinions, each by maps that no pair of its content, or of its fold, took part in.

    Contents are dealt out to at most `MOST_FOLDS` folds in the order of their names.
    """
    contents, place = np.unique(judged.content, return_inverse=True)
    fold = place % min(len(contents), MOST_FOLDS)
    opinions = np.full(len(judged.pairs), np.nan)
    for this in np.unique(fold):
        out = fold == this
        maps = _fitted(judged, name, ~out)
        shares = [share for share, asked in zip(judged.shares, out, strict=True) if asked]
        opinions[out] = expected_opinions(maps, judged.given[name][out], shares)
    return opinions


def _fitted(judged: Judged, name: str, rows: NDArray[np.bool_]) -> OpinionMaps:
    score, opinion = judged.given[name][rows], judged.opinion[rows]
    if not len(score):
        raise DatasetError("opinions: no pair to fit a map to, expected some")
    shares = [share for share, asked in zip(judged.shares, rows, strict=True) if asked]
    by_distortion = {}
    for label in sorted({label for share in shares for label in share}):
        own = np.array([share.get(label, 0.0) for share in shares])
        others = 1 - own
        weight = own + OTHERS * others / max(float(others.sum()), OTHERS)
        by_distortion[label] = monotone_points(score, opinion, weight)
    common = monotone_points(score, opinion, np.ones(len(score)))
    return OpinionMaps(common=common, by_distortion=by_distortion)


def monotone_points(
    score: Numbers, opinion: Numbers, weight: Numbers, most: int = MOST_KNOTS
) -> Points:
    """Points of the rising curve with the least weighted squared error: its steps' middles.

    Args:
        score, opinion, weight: (N,), N from 1, weights > 0.
        most: while there are more steps, the two neighbours are joined that cost least.

    Returns:
        At most `most` points (score, opinion), both rising.
    """
    from scipy.optimize import isotonic_regression

    values, place = np.unique(np.round(score, DECIMALS), return_inverse=True)
    mass = np.bincount(place, weight)
    fitted = isotonic_regression(np.bincount(place, weight * opinion) / mass, weights=mass)
    step = np.repeat(np.arange(len(fitted.blocks) - 1), np.diff(fitted.blocks))
    steps: Numbers = np.stack(
        [np.bincount(step, mass * v) for v in (np.ones(len(values)), values, fitted.x)]
    )
    while steps.shape[1] > most:
        k = int(np.argmin(_costs(steps)))
        steps[:, k] += steps[:, k + 1]
        steps = np.delete(steps, k + 1, axis=1)
    middles = np.round(steps[1:] / steps[0], DECIMALS)
    return tuple((float(x), float(y)) for x, y in middles.T)


def _costs(steps: Numbers) -> Numbers:
    """(K − 1,) squared error that joining each step with the next one adds.

    `steps` (3, K) are sums of weight, of score and of opinion by weight.
    """
    mass, height = steps[0], steps[2] / steps[0]
    return np.asarray(mass[:-1] * mass[1:] / (mass[:-1] + mass[1:]) * np.diff(height) ** 2)
