"""Strengths of candidates from how often each is preferred to each other one.

R. A. Bradley and M. E. Terry, *Rank analysis of incomplete block designs: I. The method of paired
comparisons*, Biometrika 39 (1952): P(i is preferred to j) = 1 / (1 + exp(s_j − s_i)). Shares of a
preference are allowed, as in L. E. Papke and J. M. Wooldridge, *Econometric methods for fractional
response variables*, Journal of Applied Econometrics 11 (1996).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

SUREST = 0.001
"""No share of a preference counts as nearer to 0 or 1: else a strength would have no end."""

_LEVEL = 0.95
_LONGEST_REACH = 13.0  # of 95 % with one degree of freedom: 12.71
_STEPS = 100
_SETTLED = 1e-12


@dataclass(frozen=True, eq=False)
class Strengths:
    """A fit to n candidates.

    Attributes:
        strength: (n,) logits, their mean is 0.
        covariance: (n, n) of `strength` where every comparison is one answer of yes or no.
        dispersion: how many times as much as such answers the comparisons contradict one scale
            (Pearson's chi-squared by its degrees of freedom); None where none is left over.
        freedom: comparisons beyond those that n strengths need.
    """

    strength: Numbers
    covariance: Numbers
    dispersion: float | None
    freedom: int

    def probability(self, first: int, second: int) -> float:
        """That `first` is preferred to `second`, as the strengths say."""
        return float(_logistic(self.strength[first] - self.strength[second]))

    def share(self, index: int, shift: float = 0.0) -> float:
        """Mean probability that a candidate, stronger by `shift`, is preferred to another one."""
        others = np.delete(self.strength, index)
        return float(_logistic(self.strength[index] + shift - others).mean())

    def interval(self, index: int) -> tuple[float, float] | None:
        """95 % interval of `share`; None where the comparisons leave nothing to judge it by.

        It is as wide as the comparisons contradict one another (a quasi-likelihood, with Student's
        t): it says how well one scale explains them, not how well they are made.
        """
        if self.dispersion is None:
            return None
        deviation = float(np.sqrt(self.covariance[index, index] * self.dispersion))
        reach = _student_reach(self.freedom) * deviation
        return self.share(index, -reach), self.share(index, reach)


def bradley_terry(wins: Numbers) -> Strengths:
    """The most likely strengths of n ≥ 2 candidates.

    Args:
        wins: (n, n), how often the candidate of the row was preferred to that of the column, ties
            half to either; any numbers from 0. The diagonal does not count.

    Raises ValueError where no finite strengths explain them: for some group of candidates none of
    them was ever preferred to one outside it.
    """
    wins = np.where(np.eye(len(wins), dtype=np.bool_), 0.0, np.asarray(wins, np.float64))
    _check_connected(wins)
    counts = wins + wins.T
    n = len(wins)
    strength = np.zeros(n)
    likelihood = _likelihood(wins, strength)
    for _ in range(_STEPS):
        expected = _expected(strength)
        score = (wins - counts * expected).sum(1)
        step = _inverse(counts, expected) @ score
        size = 1.0
        while (
            better := _likelihood(wins, strength + size * step)
        ) < likelihood and size > _SETTLED:
            size /= 2
        if better >= likelihood:
            strength, likelihood = strength + size * step, better
        if np.abs(size * step).max() < _SETTLED:
            break
    strength -= strength.mean()
    expected = _expected(strength)
    pairs = np.triu(counts > 0)
    freedom = int(pairs.sum()) - (n - 1)
    dispersion = _pearson(wins, counts, expected, pairs) / freedom if freedom > 0 else None
    return Strengths(strength, _inverse(counts, expected), dispersion, freedom)


def shares_as_wins(preferred: Numbers) -> Numbers:
    """Wins of one comparison each: (n, n) shares of a preference, NaN where none was made.

    Shares are kept from 0 and 1 by `SUREST`.
    """
    kept = np.clip(preferred, SUREST, 1 - SUREST)
    return np.where(np.isnan(preferred), 0.0, kept)


@cache
def _student_reach(freedom: int) -> float:
    """Between minus this and this lies Student's t in 95 % of cases."""
    low, high = 0.0, _LONGEST_REACH
    while low < (middle := (low + high) / 2) < high:
        if _student_share(middle, freedom) < _LEVEL:
            low = middle
        else:
            high = middle
    return high


def _student_share(reach: float, freedom: int) -> float:
    """How often Student's t lies between −reach and reach.

    M. Abramowitz and I. A. Stegun, *Handbook of Mathematical Functions* (1964), 26.7.3 and 26.7.4.
    """
    angle = math.atan(reach / math.sqrt(freedom))
    odd = freedom % 2
    term = total = math.cos(angle) if odd else 1.0
    for k in range(2 + odd, freedom, 2):
        term *= math.cos(angle) ** 2 * (k - 1) / k
        total += term
    if not odd:
        return math.sin(angle) * total
    return 2 / math.pi * (angle + math.sin(angle) * total * (freedom > 1))


def _logistic(logit: Numbers) -> Numbers:
    return 1 / (1 + np.exp(-logit))


def _expected(strength: Numbers) -> Numbers:
    """(n, n) probabilities that the candidate of the row is preferred."""
    return _logistic(strength[:, None] - strength[None])


def _likelihood(wins: Numbers, strength: Numbers) -> float:
    return -float((wins * np.logaddexp(0, strength[None] - strength[:, None])).sum())


def _inverse(counts: Numbers, expected: Numbers) -> Numbers:
    """The inverse of the information on strengths whose sum is 0."""
    weights = counts * expected * (1 - expected)
    information = np.diag(weights.sum(1)) - weights
    # All strengths may move together; the mean is kept out of it.
    n = len(counts)
    return np.asarray(np.linalg.inv(information + 1 / n) - 1 / n, np.float64)


def _pearson(wins: Numbers, counts: Numbers, expected: Numbers, pairs: NDArray[np.bool_]) -> float:
    n, y, p = counts[pairs], wins[pairs], expected[pairs]
    return float(((y - n * p) ** 2 / (n * p * (1 - p))).sum())


def _check_connected(wins: Numbers) -> None:
    """L. R. Ford, *Solution of a ranking problem from binary comparisons* (1957)."""
    reached = wins > 0
    for middle in range(len(wins)):  # Warshall: who was preferred to whom, by any way
        reached |= reached[:, middle, None] & reached[None, middle]
    if not (reached | np.eye(len(wins), dtype=np.bool_)).all():
        raise ValueError(
            "wins: some candidates were never preferred to any of the others, expected a way from "
            "each to each"
        )
