"""How much larger files of one ladder are than those of another at the same quality.

G. Bjøntegaard, *Calculation of average PSNR differences between RD-curves*, VCEG-M33 (2001): the
logarithm of the rate as a cubic of the quality, and the mean distance of two such curves over the
qualities that both reach. The piecewise form interpolates by PCHIP instead, as the common test
conditions of JCT-VC do (JCTVC-L1100, 2013).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

FEWEST = 4
"""Points of a ladder that a cubic takes."""


class Point(NamedTuple):
    """One file of a ladder: what it costs (any unit) and how good it is."""

    rate: float
    quality: float


class RateDifference(NamedTuple):
    """What another ladder costs more than the first at equal quality, in per cent.

    `overlap` is the share of the range of both qualities that both reach.
    """

    cubic: float
    pchip: float
    overlap: float


def bd_rate(first: Sequence[Point], second: Sequence[Point]) -> RateDifference | str:
    """The mean difference of the second ladder's rate from the first's; below 0 it saves.

    Instead, a clause that says why there is none: a ladder of fewer than `FEWEST` points, one
    whose quality does not rise with its rate, or no quality that both reach.
    """
    ladders = [sorted(points) for points in (first, second)]
    for which, points in zip(("first", "second"), ladders, strict=True):
        problem = _problem(points)
        if problem:
            return f"the {which} ladder {problem}"
    (low, high), (least, most) = ([p[0].quality, p[-1].quality] for p in ladders)
    bottom, top = max(low, least), min(high, most)
    if bottom >= top:
        return "the ladders reach no quality in common"
    cubic, pchip = (
        mean(ladders[1], bottom, top) - mean(ladders[0], bottom, top)
        for mean in (_mean_cubic, _mean_pchip)
    )
    overlap = (top - bottom) / (max(high, most) - min(low, least))
    return RateDifference(_per_cent(cubic), _per_cent(pchip), overlap)


def _problem(points: Sequence[Point]) -> str | None:
    """Why a ladder, cheapest first, cannot be compared."""
    if len(points) < FEWEST:
        return f"has {len(points)} files, expected at least {FEWEST}"
    for before, after in pairwise(points):
        if after.rate <= before.rate or after.quality <= before.quality:
            return (
                f"does not rise: quality {after.quality:.4f} at rate {after.rate:.4g} after "
                f"{before.quality:.4f} at {before.rate:.4g}"
            )
    return None


def _mean_cubic(points: Sequence[Point], bottom: float, top: float) -> float:
    """Mean logarithm of the rate between two qualities."""
    qualities, logarithms = _curve(points)
    # About the middle, where powers of nearly equal qualities keep their digits.
    middle = (bottom + top) / 2
    area = np.polyint(np.polyfit(qualities - middle, logarithms, 3))
    ends = np.polyval(area, np.array([bottom, top]) - middle)
    return float((ends[1] - ends[0]) / (top - bottom))


def _mean_pchip(points: Sequence[Point], bottom: float, top: float) -> float:
    from scipy.interpolate import PchipInterpolator

    area = PchipInterpolator(*_curve(points)).integrate(bottom, top)
    return float(area / (top - bottom))


def _curve(points: Sequence[Point]) -> tuple[Numbers, Numbers]:
    """Qualities, rising, and the logarithms of their rates."""
    rates, qualities = np.array(points, np.float64).T
    return qualities, np.log10(rates)


def _per_cent(logarithm: float) -> float:
    return 100 * (10**logarithm - 1)
