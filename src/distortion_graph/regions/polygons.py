"""Outlines to masks: a pixel is inside when its centre, at +0.5, is.

An outline is a ring of points (x, y) in pixels, (n, 2) float64, closed by itself. A centre that
lies on an edge belongs to what is right of it and below, so that two outlines which share an edge
share no pixel and leave none out. What lies outside of the picture is cut off.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import RegionError
from distortion_graph.masks.rle import Rle, combined_edges, edges_where, rle_from_edges

Ring: TypeAlias = NDArray[np.float64]
"""(n, 2) points x, y in pixels."""

Rule: TypeAlias = Literal["nonzero", "evenodd"]
"""What is inside where outlines overlap or cross themselves: all of it, or every other part."""

FLATNESS_PX = 1 / 512
"""How far the chords that stand for a curve may lie from it."""

_MOST_PX = 2.0**31
_MOST_CHORDS = 20_000
_MOST_CROSSINGS = 500_000_000
_SORTED = 1 << 20
_AT_ONCE = 1 << 16


def fill(rings: Sequence[Ring], size: tuple[int, int], what: str, rule: Rule = "nonzero") -> Rle:
    """The mask, (h, w) pixels, of outlines that are filled together.

    Time and memory grow with the lengths of the outlines, not with what is inside. Raises
    RegionError, its line beginning with `what`, for points that are no finite pixels of at most
    2³¹, and for outlines so long that they cross the picture's columns 5·10⁸ times.
    """
    return rle_from_edges(_inside(rings, size, what, rule), size)


def fill_with_holes(polygons: Sequence[Sequence[Ring]], size: tuple[int, int], what: str) -> Rle:
    """The mask of polygons, each an outline and then its holes; whichever way they turn.

    A hole is cut out of its own polygon alone. Raises RegionError as `fill` does.
    """
    parts = []
    for outline, *holes in polygons:
        own = _inside([outline], size, what, "nonzero")
        cut = [_inside([hole], size, what, "nonzero") for hole in holes]
        parts.append(combined_edges([own], cut))
    return rle_from_edges(combined_edges(parts), size)


def crosses_itself(ring: Ring, size: tuple[int, int], what: str) -> bool:
    """Whether an outline goes around some pixel of the picture more than once, or around one to the
    left and around another to the right. Raises RegionError as `fill` does.
    """
    place, depth = _depths([ring], size, what)
    settled = depth[np.append(place[1:] != place[:-1], True)] if len(place) else depth
    return bool(len(settled)) and int(settled.max()) - int(settled.min()) > 1


def rectangle(left: float, top: float, right: float, bottom: float, degrees: float = 0.0) -> Ring:
    """A rectangle, turned clockwise about its centre."""
    centre = np.array([(left + right) / 2, (top + bottom) / 2])
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
    # As it is where it is not turned: its corners are exact.
    return corners if degrees == 0 else turned(corners, degrees, centre)


def ellipse(x: float, y: float, radius_x: float, radius_y: float, degrees: float = 0.0) -> Ring:
    """An ellipse about (x, y), turned clockwise about it."""
    angles = np.linspace(0, 2 * math.pi, chords_of(max(radius_x, radius_y)), endpoint=False)
    ring = np.stack([x + radius_x * np.cos(angles), y + radius_y * np.sin(angles)], axis=1)
    return turned(ring, degrees, np.array([x, y]))


def turned(ring: Ring, degrees: float, centre: NDArray[np.float64]) -> Ring:
    """A ring turned clockwise, as it is seen with y downwards."""
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    out: Ring = (ring - centre) @ np.array([[cosine, sine], [-sine, cosine]]) + centre
    return out


def chords_of(radius: float) -> int:
    """Into how many chords a circle of that radius, in pixels, is cut."""
    # A chord over the angle a lies r·(1 − cos(a/2)) ≈ r·a²/8 from its arc.
    angle = math.sqrt(8 * FLATNESS_PX / min(max(abs(radius), FLATNESS_PX), _MOST_PX))
    return min(max(math.ceil(2 * math.pi / angle), 8), _MOST_CHORDS)


def _inside(
    rings: Sequence[Ring], size: tuple[int, int], what: str, rule: Rule
) -> NDArray[np.int64]:
    """The edges of the mask, as `rle_from_edges` takes them."""
    place, depth = _depths(rings, size, what)
    return edges_where(place, depth != 0 if rule == "nonzero" else depth % 2 != 0)


def _depths(
    rings: Sequence[Ring], size: tuple[int, int], what: str
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where sides cross the centres of columns, ascending, and how often the rings go around what
    comes then: clockwise less counter-clockwise.
    """
    starts, ends = _sides(rings, what)
    # Columns whose centre lies between the ends of a side, or on its left one.
    first, last = (np.clip(np.ceil(side[:, 0] - 0.5), 0, size[1]) for side in (starts, ends))
    flip = last < first
    starts[flip], ends[flip] = ends[flip], starts[flip].copy()
    steps = np.where(flip, -1, 1).astype(np.int32)
    columns = np.abs(last - first).astype(np.int64)
    crossed = columns > 0
    place, step = _counted(
        starts[crossed],
        ends[crossed],
        np.minimum(first, last)[crossed].astype(np.int64),
        columns[crossed],
        steps[crossed],
        size,
        what,
    )
    return place, np.cumsum(step)


def _sides(rings: Sequence[Ring], what: str) -> tuple[Ring, Ring]:
    """From where to where the sides of all rings go."""
    for ring in rings:
        far = np.abs(ring).max(initial=0.0)
        if not far < _MOST_PX:  # also for NaN
            raise RegionError(f"{what}: a point lies at {far:g}, expected pixels of the picture")
    kept = [ring for ring in rings if len(ring) > 2]
    if not kept:
        return np.zeros((0, 2)), np.zeros((0, 2))
    return np.concatenate(kept), np.concatenate([np.roll(ring, -1, axis=0) for ring in kept])


def _counted(
    starts: Ring,
    ends: Ring,
    first: NDArray[np.int64],
    columns: NDArray[np.int64],
    steps: NDArray[np.int32],
    size: tuple[int, int],
    what: str,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where sides cross the centres of columns, ascending, and by how much the depth changes there.

    Places are pixels counted along the columns: the first below the crossing.
    """
    total = int(columns.sum())
    if total > _MOST_CROSSINGS:
        raise RegionError(
            f"{what}: its outline crosses the picture's columns {total} times, expected at most "
            f"{_MOST_CROSSINGS}"
        )
    slopes = (ends[:, 1] - starts[:, 1]) / (ends[:, 0] - starts[:, 0])
    h, w = size
    if total <= _SORTED:
        place, step = _crossings(starts, slopes, first, columns, steps, h)
        order = np.argsort(place, kind="stable")
        return place[order], step[order].astype(np.int64)
    # More crossings than are worth sorting: they are counted by pixel.
    counts = np.zeros(h * w + 1, np.int32)
    for part in _parts(columns):
        place, step = _crossings(
            starts[part], slopes[part], first[part], columns[part], steps[part], h
        )
        np.add.at(counts, place, step)
    place = np.flatnonzero(counts)
    return place, counts[place].astype(np.int64)


def _parts(columns: NDArray[np.int64]) -> Iterator[slice]:
    """Sides in order, so many at a time that few columns are crossed at once."""
    ends = np.searchsorted(
        np.cumsum(columns), np.arange(_AT_ONCE, int(columns.sum()) + _AT_ONCE, _AT_ONCE)
    )
    bounds = sorted({0, *(ends + 1).clip(max=len(columns)).tolist()})
    return (slice(*pair) for pair in pairwise(bounds))


def _crossings(
    starts: Ring,
    slopes: NDArray[np.float64],
    first: NDArray[np.int64],
    columns: NDArray[np.int64],
    steps: NDArray[np.int32],
    h: int,
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Places and steps of every crossing of some sides."""
    before = np.cumsum(columns) - columns
    column = np.arange(int(columns.sum())) - np.repeat(before - first, columns)
    # The centre's distance from the side's left end, then its height.
    y = column + 0.5 - np.repeat(starts[:, 0], columns)
    y *= np.repeat(slopes, columns)
    y += np.repeat(starts[:, 1] - 0.5, columns)
    row = np.ceil(y, out=y).clip(0, h, out=y).astype(np.int64)
    return column * h + row, np.repeat(steps, columns)
