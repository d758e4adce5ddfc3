"""Who is first: places in an order, with ties."""

from __future__ import annotations

from collections.abc import Callable, Sequence

DECIMALS = 6
"""Values and gaps are rounded to this many decimals before anything is decided."""


def places(
    values: Sequence[float | None], gap: Callable[[int, int], float], tolerance: float
) -> list[int | None]:
    """The place of each candidate, 1 the best; None for one without a value.

    Candidates share the place of the first of them as long as they are at most `tolerance` behind
    it, so a chain of small steps does not make the last equal to the first. After k candidates the
    next place is k + 1, as in sports.

    Args:
        values: a higher one is better.
        gap: by how much the first candidate (by position) is better than the second, from 0.
        tolerance: of such gaps.
    """
    known = [k for k, value in enumerate(values) if value is not None]
    ranked = sorted(known, key=lambda k: -(values[k] or 0.0))
    found: list[int | None] = [None] * len(values)
    leader, place = -1, 0
    for number, k in enumerate(ranked, start=1):
        if leader < 0 or round(gap(leader, k), DECIMALS) > tolerance:
            leader, place = k, number
        found[k] = place
    return found
