"""How far numbers go with people's opinions: correlations, and which of two versions is better."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from distortion_graph.bench.figures import Part
from distortion_graph.bench.metrics import score_agreement
from distortion_graph.bench.resampling import (
    Interval,
    WeightedScores,
    bootstrap_weights,
    percentile_interval,
)

Numbers = NDArray[np.float64]
Positions = NDArray[np.int64]

_STEEPEST = 60.0


class Agreement(Part):
    """Of one number with people's opinions, over some pairs; null where it is not defined.

    `srcc` and `krcc` are Spearman's and Kendall's rank correlations, `plcc` is Pearson's after the
    logistic fit. `accuracy` is the share of two versions of one content, of which people prefer
    one, that the number ranks as people do; where it ranks them equal, a half. Intervals are 95 %,
    by bootstrap over contents.
    """

    srcc: float | None
    srcc_interval: Interval | None
    krcc: float | None
    plcc: float | None
    accuracy: float | None
    accuracy_interval: Interval | None


def agreement(
    given: Numbers, opinion: Numbers, content: NDArray[np.str_], seed: int = 0
) -> Agreement:
    """Of (N,) numbers with the opinions of N pairs; pairs whose number is NaN are left out.

    `content` says which pairs show the same scene; `seed` is of the intervals.
    """
    from scipy.stats import kendalltau

    there = ~np.isnan(given)
    given, opinion = given[there], opinion[there]
    names, groups = np.unique(content[there], return_inverse=True)
    scores = WeightedScores.of(groups, len(names), opinion, given)
    orders = VersionOrders.of(given, opinion, groups, len(names))
    blocks = bootstrap_weights(len(names), seed=seed) if len(names) > 1 else ()
    drawn = [(scores.under(weights)[0], orders.under(weights)) for weights in blocks]
    srcc, accuracy = (
        (percentile_interval(np.concatenate(column)) for column in zip(*drawn, strict=True))
        if drawn
        else (None, None)
    )
    once = np.ones((1, len(names)))
    varied = len(given) > 1 and np.ptp(given) > 0
    return Agreement(
        srcc=_defined(score_agreement(opinion, given).srcc),
        srcc_interval=srcc,
        krcc=_defined(float(kendalltau(opinion, given).statistic)) if varied else None,
        plcc=_defined(score_agreement(opinion, logistic(given, opinion)).plcc),
        accuracy=_defined(float(orders.under(once)[0])),
        accuracy_interval=accuracy,
    )


def srcc_gain(
    before: Numbers, after: Numbers, opinion: Numbers, content: NDArray[np.str_], seed: int = 0
) -> Interval | None:
    """The 95 % interval of SRCC of `after` less that of `before`, in the same draws of contents."""
    names, groups = np.unique(content, return_inverse=True)
    first, second = (
        WeightedScores.of(groups, len(names), opinion, given) for given in (before, after)
    )
    blocks = bootstrap_weights(len(names), seed=seed)
    gains = [second.under(weights)[0] - first.under(weights)[0] for weights in blocks]
    return percentile_interval(np.concatenate(gains))


@dataclass(frozen=True, eq=False)
class VersionOrders:
    """Of each of G contents: twos of versions of which people prefer one, and how many of them a
    number ranks as people do, both (G,).
    """

    right: Numbers
    judged: Numbers

    @classmethod
    def of(cls, given: Numbers, opinion: Numbers, groups: Positions, count: int) -> VersionOrders:
        """Of (N,) numbers and opinions; `groups` (N,) are the contents' positions."""
        right, judged = np.zeros(count), np.zeros(count)
        for k in range(count):
            x, y = (values[groups == k] for values in (opinion, given))
            preferred, ranked = (
                np.sign(v[:, None] - v)[np.triu_indices(len(v), 1)] for v in (x, y)
            )
            agreed = preferred * ranked
            judged[k] = np.count_nonzero(preferred)
            right[k] = np.sum((agreed[preferred != 0] + 1) / 2)
        return cls(right, judged)

    def under(self, weights: Numbers) -> Numbers:
        """The share of twos ranked as people do, (B,), for (B, G) weights of the contents."""
        with np.errstate(invalid="ignore"):
            return np.asarray((weights @ self.right) / (weights @ self.judged), np.float64)


def logistic(given: Numbers, opinion: Numbers) -> Numbers:
    """(N,) numbers taken to opinions by the five-parameter logistic that fits best.

    f(x) = b₁(½ − 1/(1 + exp(b₂(x − b₃)))) + b₄x + b₅ (Sheikh, Sabir and Bovik, IEEE Transactions on
    Image Processing 15(11), 2006). As they are where all are equal or no fit is found.
    """
    from scipy.optimize import curve_fit

    spread = float(given.std()) if len(given) else 0.0
    if not spread or len(given) < _PARAMETERS:
        return given
    x = (given - given.mean()) / spread
    start = (float(np.ptp(opinion)), 1.0, 0.0, 0.1, float(opinion.mean()))
    try:
        with warnings.catch_warnings():  # the fit's own variance is not asked for
            warnings.simplefilter("ignore")
            best, _ = curve_fit(_logistic_curve, x, opinion, p0=start, maxfev=20000)
    except RuntimeError:
        return given
    return _logistic_curve(x, *best)


_PARAMETERS = 5


def _logistic_curve(x: Numbers, *b: float) -> Numbers:
    falling = 1 / (1 + np.exp(np.clip(b[1] * (x - b[2]), -_STEEPEST, _STEEPEST)))
    return np.asarray(b[0] * (0.5 - falling) + b[3] * x + b[4])


def _defined(value: float) -> float | None:
    return None if np.isnan(value) else value
