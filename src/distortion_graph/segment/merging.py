"""Neighbouring regions joined pair by pair, the cheapest first.

Joining neighbours a and b costs (n_a·n_b/(n_a + n_b)/n)^⅔ · |f_a − f_b|² · c^p: Ward's criterion
(Ward, *J. Am. Stat. Assoc.* 1963), its size term softened, over the mean features of both, times a
power of the mean contrast c along their common border.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

SMALLEST_SHARE = 0.008
"""Of the picture: smaller regions always join a neighbour."""

SMALLEST_PX = 36
"""As above, in pixels of the reduced picture."""

_SIZE_EXPONENT = 2 / 3
_INVISIBLE = 0.1  # a join below this unites what looks the same, whatever the number left

Borders = dict[int, dict[int, tuple[float, float]]]
"""For every pair of 4-neighbours: length of the border in pixels, sum of contrast along it."""


class Merger:
    """Greedy merging of neighbouring regions with a heap of costs; ties fall by number."""

    def __init__(
        self,
        labels: NDArray[np.int64],
        features: NDArray[np.float32],
        borders: Borders,
        fixed: Iterable[int] = (),
        contrast_power: float = 1.0,
    ) -> None:
        """Begin with the regions of a label map.

        Args:
            labels: (h, w), from 0 without gaps.
            features: (h, w, F) of pixels, or (R, F) means of regions.
            borders: of the labels (`borders_of`).
            fixed: are joined with another only where that one has no other neighbour.
            contrast_power: p of the cost.
        """
        self.fixed = set(fixed)
        self.power = contrast_power
        count = int(labels.max()) + 1
        flat = labels.ravel()
        self.pixels = flat.size
        self.area = np.bincount(flat, minlength=count).astype(float).tolist()
        if features.ndim == 2:
            self.sums = features.astype(float) * np.array(self.area)[:, None]
        else:
            sums = [
                np.bincount(flat, features[..., c].ravel().astype(float), count)
                for c in range(features.shape[2])
            ]
            self.sums = np.stack(sums, axis=1)
        self.sums = np.vstack([self.sums, np.empty_like(self.sums)])  # room for all joins
        self.borders = borders
        self.parent = list(range(count))
        self.alive = set(range(count))
        self.heap: list[tuple[float, int, int]] = []
        for a, near in self.borders.items():
            for b in near:
                if a < b:
                    self._push(a, b)

    def cost(self, a: int, b: int) -> float:
        """What joining two neighbours hides; see the module's text."""
        na, nb = self.area[a], self.area[b]
        gap = self.sums[a] / na - self.sums[b] / nb
        length, contrast = self.borders[a][b]
        weight = (na * nb / (na + nb) / self.pixels) ** _SIZE_EXPONENT
        return float(weight * (gap @ gap) * (contrast / length) ** self.power)

    def _push(self, a: int, b: int) -> None:
        if a in self.fixed or b in self.fixed:
            return
        a, b = min(a, b), max(a, b)
        heapq.heappush(self.heap, (self.cost(a, b), a, b))

    def join(self, a: int, b: int) -> None:
        """Join two neighbours under a new number; old heap entries die with the old numbers."""
        new = len(self.parent)
        if a in self.fixed or b in self.fixed:
            self.fixed.add(new)
        self.parent.append(new)
        self.parent[a] = self.parent[b] = new
        self.area.append(self.area[a] + self.area[b])
        self.sums[new] = self.sums[a] + self.sums[b]
        near: dict[int, tuple[float, float]] = {}
        for old in (a, b):
            for other, (length, contrast) in self.borders.pop(old).items():
                if other in (a, b):
                    continue
                before = near.get(other, (0.0, 0.0))
                near[other] = (before[0] + length, before[1] + contrast)
                del self.borders[other][old]
        self.borders[new] = near
        self.alive -= {a, b}
        self.alive.add(new)
        for other in sorted(near):
            self.borders[other][new] = near[other]
            self._push(other, new)

    def merge_cheapest(self, at_most: int, at_least: int, up_to_cost: float) -> None:
        """Join the cheapest pairs: down to `at_most` regions at any cost, then down to
        `at_least` while a join costs no more than `up_to_cost`, then only what looks the same."""
        while self.heap:
            cost, a, b = self.heap[0]
            if a in self.alive and b in self.alive:
                left = len(self.alive)
                if left <= at_most and cost > (up_to_cost if left > at_least else _INVISIBLE):
                    return
                self.join(a, b)
            else:
                heapq.heappop(self.heap)

    def absorb_small(self) -> None:
        """Give every region below the smallest size to its most similar neighbour."""
        limit = max(SMALLEST_SHARE * self.pixels, SMALLEST_PX)
        while len(self.alive) > 1:
            free = self.alive - self.fixed
            smallest = min(free, key=lambda r: (self.area[r], r), default=None)
            if smallest is None or self.area[smallest] >= limit:
                return
            near = set(self.borders[smallest])
            near = near - self.fixed or near
            self.join(smallest, min(near, key=lambda r: (self.cost(smallest, r), r)))

    def labels(self, start: NDArray[np.int64]) -> NDArray[np.int64]:
        """The map of the regions that are left, by their numbers."""
        final = list(range(len(self.parent)))
        for node in range(len(self.parent) - 1, -1, -1):  # a parent has the higher number
            final[node] = node if self.parent[node] == node else final[self.parent[node]]
        return np.array(final, np.int64)[start]


def borders_of(labels: NDArray[np.int64], colour: NDArray[np.float32]) -> Borders:
    """The borders of a label map (h, w), with the contrast of (h, w, C) colours."""
    count = int(labels.max()) + 1
    pairs, contrasts = [], []
    for axis in (0, 1):
        a, b = (np.take(labels, i, axis) for i in _shifted(labels.shape[axis]))
        p, q = (np.take(colour, i, axis).astype(float) for i in _shifted(labels.shape[axis]))
        edge = a != b
        low, high = np.minimum(a, b)[edge], np.maximum(a, b)[edge]
        pairs.append(low * count + high)
        contrasts.append(np.sqrt(((p[edge] - q[edge]) ** 2).sum(-1)))
    keys, inverse = np.unique(np.concatenate(pairs), return_inverse=True)
    lengths = np.bincount(inverse, minlength=keys.size)
    sums = np.bincount(inverse, np.concatenate(contrasts), keys.size)
    out: Borders = {k: {} for k in range(count)}
    for key, length, total in zip(keys.tolist(), lengths.tolist(), sums.tolist(), strict=True):
        a, b = divmod(key, count)
        out[a][b] = out[b][a] = (float(length), total)
    return out


def _shifted(n: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    return np.arange(n - 1), np.arange(1, n)
