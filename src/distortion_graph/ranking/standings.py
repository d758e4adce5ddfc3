"""From what is known of the candidates to who stands where, in each region and as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import RankingError
from distortion_graph.graph import Node, SceneNode
from distortion_graph.ranking.order import DECIMALS, places
from distortion_graph.ranking.parts import By, RegionStanding, SceneStanding, Wanted
from distortion_graph.ranking.seen import Seen, SeenCandidate
from distortion_graph.ranking.strengths import Strengths, bradley_terry, shares_as_wins

TOLERANCES: dict[By, float] = {"score": 0.005, "opinion": 0.01, "pairs": 0.1}
"""By how much two candidates may differ and share a place, unless it is said otherwise."""


class Placed(NamedTuple):
    """Where a candidate stands; the fields are those of `parts.Standing`."""

    place: int | None = None
    value: float | None = None
    behind: float | None = None
    interval: tuple[float, float] | None = None


class Scale(Protocol):
    """What an order follows in one region or as a whole, of n candidates."""

    @property
    def values(self) -> Sequence[float | None]:
        """Higher is better; None for a candidate without one."""
        ...

    def gap(self, first: int, second: int) -> float:
        """By how much the first candidate is better."""
        ...

    def interval(self, index: int) -> tuple[float, float] | None:
        """Of a value."""
        ...


class Numbers:
    """Scores or opinions."""

    def __init__(self, values: Sequence[float | None]) -> None:
        self.values = values

    def gap(self, first: int, second: int) -> float:
        """The difference."""
        return (self.values[first] or 0.0) - (self.values[second] or 0.0)

    def interval(self, index: int) -> None:
        """None: they are what they are."""
        return None


class Preferences:
    """Strengths of those candidates that were compared with one another."""

    def __init__(self, preferred: NDArray[np.float64]) -> None:
        """`preferred` (n, n) as `Seen.preferred` has them."""
        known = np.flatnonzero((~np.isnan(preferred)).any(1)).tolist()
        self._place = {k: position for position, k in enumerate(known)}
        self._fit: Strengths | None = None
        if known:
            self._fit = bradley_terry(shares_as_wins(preferred[np.ix_(known, known)]))
        self.values = [self._value(k) for k in range(len(preferred))]

    def _value(self, index: int) -> float | None:
        if self._fit is None or index not in self._place:
            return None
        return self._fit.share(self._place[index])

    def gap(self, first: int, second: int) -> float:
        """By how much the probability that the first is preferred passes one half."""
        if self._fit is None:
            return 0.0
        return self._fit.probability(self._place[first], self._place[second]) - 0.5

    def interval(self, index: int) -> tuple[float, float] | None:
        """Of the share of others to which it is preferred."""
        return None if self._fit is None else self._fit.interval(self._place[index])


def chosen_order(seen: Seen, wanted: Wanted) -> By:
    """What the order follows: what is wanted, or without an original the comparisons of all pairs.

    Raises RankingError where opinions are wanted and a candidate has none somewhere.
    """
    if seen.preferred is not None:
        return "pairs"
    if wanted == "opinion":
        every = [c for c in seen.candidates if c is not None]
        opinions = [c.scene.opinion for c in every]
        opinions += [node.opinion for c in every for node in c.nodes.values()]
        if None in opinions:
            raise RankingError(
                "an order by opinion needs a model that gives opinions everywhere, and this one "
                "does not (calibrate --human)"
            )
    return wanted


def scale_of(seen: Seen, by: By, where: int) -> Scale:
    """The scale as a whole, `where` 0, or in a region by its position, from 1."""
    if by == "pairs" and seen.preferred is not None:
        return Preferences(seen.preferred[where])
    nodes = [node_of(candidate, seen, where) for candidate in seen.candidates]
    if by == "opinion":
        return Numbers([None if node is None else node.opinion for node in nodes])
    return Numbers([None if node is None else node.score for node in nodes])


def node_of(candidate: SeenCandidate | None, seen: Seen, where: int) -> Node | SceneNode | None:
    """What is known of a candidate at a place, as in `scale_of`."""
    if candidate is None:
        return None
    return candidate.nodes.get(seen.regions.ids[where - 1]) if where else candidate.scene


def placed(scale: Scale, tolerance: float) -> list[Placed]:
    """Where each candidate stands."""
    values = [None if v is None else round(v, DECIMALS) for v in scale.values]
    known = [k for k, value in enumerate(values) if value is not None]
    if not known:
        return [Placed()] * len(values)
    best = max(known, key=lambda k: values[k] or 0.0)
    found = []
    for k, place in enumerate(places(values, scale.gap, tolerance)):
        if place is None:
            found.append(Placed())
            continue
        between = scale.interval(k)
        found.append(
            Placed(
                place,
                values[k],
                round(max(scale.gap(best, k), 0.0), DECIMALS),
                None
                if between is None
                else (round(between[0], DECIMALS), round(between[1], DECIMALS)),
            )
        )
    return found


def scene_standings(
    seen: Seen, names: Sequence[str], by: By, tolerance: float
) -> tuple[SceneStanding, ...]:
    """The standings as a whole; `names` are those of all candidates, and those that could not be
    compared are left out.
    """
    found = placed(scale_of(seen, by, 0), tolerance)
    return tuple(
        SceneStanding(
            candidate=name,
            **where._asdict(),
            node=candidate.scene,
            more=candidate.more.get(None, {}),
        )
        for name, candidate, where in zip(names, seen.candidates, found, strict=True)
        if candidate is not None
    )


def region_standings(
    seen: Seen, names: Sequence[str], by: By, tolerance: float, where: int
) -> tuple[RegionStanding, ...]:
    """The standings in a region by its position, from 1; `names` as in `scene_standings`."""
    found = placed(scale_of(seen, by, where), tolerance)
    key = seen.regions.ids[where - 1]
    return tuple(
        RegionStanding(
            candidate=name,
            **place._asdict(),
            node=candidate.nodes.get(key),
            valid=candidate.valid.get(key),
            more=candidate.more.get(key, {}),
        )
        for name, candidate, place in zip(names, seen.candidates, found, strict=True)
        if candidate is not None
    )
