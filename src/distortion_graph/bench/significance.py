"""Is one run better than another? Paired over pictures, for each headline figure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from distortion_graph.base.vocabulary import Vocabulary
from distortion_graph.bench.answers import Answers, Numbers, Truth
from distortion_graph.bench.resampling import (
    DRAWS,
    HEADLINES,
    Interval,
    WeightedFigures,
    bootstrap_weights,
    percentile_interval,
)

PERMUTATIONS = 2000


@dataclass(frozen=True)
class Difference:
    """A figure of the other run less the first run's; None where it is not defined.

    `interval` is the 95 % bootstrap interval of the difference when pictures are drawn anew, the
    same ones for both. `p` is the two-sided p-value of the sign-flip test: how often a difference
    at least as large comes up when a coin decides, picture by picture, which run answered.
    """

    figure: str
    first: float | None
    other: float | None
    difference: float | None
    interval: Interval | None
    p: float | None


def differences(
    truth: Truth,
    first: Answers,
    other: Answers,
    vocabulary: Vocabulary,
    *,
    seed: int = 0,
    draws: int = DRAWS,
    permutations: int = PERMUTATIONS,
) -> list[Difference]:
    """Every headline figure of two runs over the same regions.

    (Sign-flip for figures that are no sums is approximate randomisation: Noreen, *Computer-
    Intensive Methods for Testing Hypotheses*, 1989. p = (1 + #) / (1 + permutations).)
    """
    figures = [WeightedFigures.of(truth, run, vocabulary) for run in (first, other)]
    pictures = figures[0].pictures
    here = [f.under(np.ones((1, pictures))) for f in figures]
    drawn = {name: np.zeros(0) for name in HEADLINES}
    if pictures >= 2:
        for weights in bootstrap_weights(pictures, seed=seed, draws=draws):
            one, two = (f.under(weights) for f in figures)
            drawn = {name: np.append(drawn[name], two[name] - one[name]) for name in HEADLINES}
    flipped = _flipped(truth, first, other, vocabulary, seed, permutations)
    return [
        _difference(name, (float(here[0][name][0]), float(here[1][name][0])), drawn, flipped)
        for name in HEADLINES
    ]


def _difference(
    name: str, values: tuple[float, float], drawn: dict[str, Numbers], flipped: dict[str, Numbers]
) -> Difference:
    first, other = (None if np.isnan(v) else v for v in values)
    if first is None or other is None:
        return Difference(name, first, other, None, None, None)
    d = other - first
    interval = percentile_interval(drawn[name])
    return Difference(name, first, other, d, interval, p_value(d, flipped[name]))


def _flipped(
    truth: Truth,
    first: Answers,
    other: Answers,
    vocabulary: Vocabulary,
    seed: int,
    permutations: int,
) -> dict[str, Numbers]:
    """Differences when a coin exchanges the runs' answers, picture by picture."""
    mixture = WeightedFigures.of_two(truth, first, other, vocabulary)
    pictures = mixture.pictures // 2
    rng = np.random.default_rng([seed, 1])
    parts_of: dict[str, list[Numbers]] = {name: [] for name in HEADLINES}
    block = max(1, 2_000_000 // max(pictures, 1))
    for start in range(0, permutations, block):
        rows = min(block, permutations - start)
        flip = rng.integers(2, size=(rows, pictures)).astype(np.float64)
        a = mixture.under(np.concatenate([1 - flip, flip], 1))
        b = mixture.under(np.concatenate([flip, 1 - flip], 1))
        for name in HEADLINES:
            parts_of[name].append(b[name] - a[name])
    return {name: np.concatenate(parts) for name, parts in parts_of.items()}


def p_value(difference: float, flipped: Numbers) -> float:
    """Share of flipped differences at least as far from 0, the observed one counted in."""
    # A little tolerance: the same sum in another order is the same difference.
    far = np.sum(np.abs(flipped[~np.isnan(flipped)]) >= abs(difference) - 1e-12)
    return float((1 + far) / (1 + np.sum(~np.isnan(flipped))))


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's corrected p-values, in the order given (Scand. J. Statistics 6, 1979)."""
    order = sorted(range(len(p_values)), key=lambda k: p_values[k])
    corrected, worst = [0.0] * len(p_values), 0.0
    for place, k in enumerate(order):
        worst = max(worst, min(1.0, (len(p_values) - place) * p_values[k]))
        corrected[k] = worst
    return corrected
