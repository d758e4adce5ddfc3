"""Where relations run in the margin beside the rows of a drawing, so that none covers another."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from distortion_graph.graph import Relation

_GAP_MM = 2.0


@dataclass(frozen=True)
class Arc:
    """A relation's way: from height `start` to `end`, in the lane `lane`, 0 next to the rows.

    Its predicate stands along the lane, `length` high, centred at `middle`. All in mm, downwards.
    """

    predicate: str
    start: float
    end: float
    lane: int
    middle: float
    length: float


def lay_out_arcs(
    relations: Sequence[Relation],
    rows: dict[int, float],
    lengths: Sequence[float],
    predicates: Sequence[str],
    extent: tuple[float, float],
    port_mm: float,
) -> list[Arc]:
    """Arcs of relations between rows, whose middles are at `rows` (by region id).

    `lengths` are the heights of the `predicates`, `extent` the top and bottom that they stay
    within. Ends at one row are spread over `port_mm`. Short arcs get the inner lanes.
    """
    ports = _ports(relations, rows, port_mm)
    spans = []
    for k, (length, (start, end)) in enumerate(zip(lengths, ports, strict=True)):
        middle = (start + end) / 2
        middle = min(max(middle, extent[0] + length / 2), extent[1] - length / 2)
        low = min(start, end, middle - length / 2)
        spans.append((max(start, end, middle + length / 2) - low, low, k, middle))
    taken: list[list[tuple[float, float]]] = []
    arcs: dict[int, Arc] = {}
    for reach, low, k, middle in sorted(spans):
        lane = _free_lane(taken, low, low + reach)
        arcs[k] = Arc(predicates[k], *ports[k], lane, middle, lengths[k])
    return [arcs[k] for k in range(len(relations))]


def _free_lane(taken: list[list[tuple[float, float]]], low: float, high: float) -> int:
    """The first lane with nothing between those heights, which are taken then."""
    for lane, spans in enumerate(taken):
        if all(high + _GAP_MM <= a or b + _GAP_MM <= low for a, b in spans):
            spans.append((low, high))
            return lane
    taken.append([(low, high)])
    return len(taken) - 1


def _ports(
    relations: Sequence[Relation], rows: dict[int, float], port_mm: float
) -> list[tuple[float, float]]:
    """Heights where each relation leaves its subject and reaches its object."""
    ends: dict[int, list[tuple[float, int, int]]] = defaultdict(list)
    for k, relation in enumerate(relations):
        pair = relation.subject, relation.object
        for role in (0, 1):
            ends[pair[role]].append((rows[pair[1 - role]], k, role))
    heights: dict[tuple[int, int], float] = {}
    for region, there in ends.items():
        # In the order of the other ends, so that neighbours cross as little as can be.
        for place, (_, k, role) in enumerate(sorted(there), start=1):
            share = place / (len(there) + 1) - 0.5
            heights[k, role] = rows[region] + share * port_mm
    return [(heights[k, 0], heights[k, 1]) for k in range(len(relations))]
