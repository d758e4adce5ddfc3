"""What a further metric is: its facts, and maps from which its value in a region follows.

A metric compares the two pictures as they are, as all evidence does: a region's value is pooled
from the maps of the whole pictures, inside the region. Over the whole picture it is the metric
itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import RecipeError
from distortion_graph.masks.boxes import Box

Rgb = NDArray[np.uint8]
Array = NDArray[Any]
Slices = tuple[slice, slice]


class Level(NamedTuple):
    """A grid that a metric has maps on.

    Attributes:
        step: Pixels of the picture per cell, to the side; the next level has twice as many.
        size: (h, w) in cells.
        radius: Cells that a map reads to either side; None where it needs the whole picture.
        inner: The cells whose windows lie in the picture; the others count only in a region that
            has none of these. None where all cells count alike.
    """

    step: int
    size: tuple[int, int]
    radius: int | None
    inner: Box | None = None


class Pooled(NamedTuple):
    """What a level's maps add up to in a region.

    Attributes:
        sums: (K,) float64: Σ share · map, for each map.
        cells: Σ share: cells of the region, partly covered ones as far as they are.
    """

    sums: NDArray[np.float64]
    cells: float

    @property
    def means(self) -> NDArray[np.float64]:
        """(K,) float64: the mean of each map; there must be a cell."""
        return self.sums / self.cells


class Maps(Protocol):
    """How a metric is computed, window by window, from level to level.

    They are of pictures of one size, (height, width). Planes are what is kept of a picture at a
    level: (h, w) or (C, h, w), rows and columns last. Windows are cut at the picture's edge, where
    the maps extend them as the metric has it.
    """

    @property
    def levels(self) -> Sequence[Level]:
        """The levels; none where the pictures are too small for the metric."""
        ...

    def planes(self, rgb: Rgb) -> Array:
        """The planes of the first level, of a window of a picture."""
        ...

    def terms(self, level: int, first: Array, second: Array) -> Array:
        """(K, h, w): the maps of a window of planes of both pictures."""
        ...

    def shrink(self, level: int, planes: Array, own: Slices) -> Array:
        """The next level's planes of the cells `own` of a window; they begin on even cells."""
        ...

    def values(self, pooled: Sequence[Pooled]) -> tuple[float | None, ...]:
        """What the levels' sums say; in both directions where the metric has a reference side.

        A region may have no cell of a level, and there may be no level. None where the metric says
        nothing of such a region.
        """
        ...


@dataclass(frozen=True)
class MapMetric:
    """A full-reference metric with maps, which can stand in a graph as evidence.

    Attributes:
        name: What it is asked for by, and its key in `evidence.more`.
        version: Changes whenever a value may change.
        range: Lowest and highest value that can occur; the better end is that of identical pixels.
        direction: Which end is better.
        licence: SPDX identifier, or a name, of the terms under which its code may be used.
        pooling: How a region's value comes from the maps, in a few words.
        maps: ``(height, width) -> Maps``: how it is computed of pictures of that size. `PixelMap`
            makes it of a function of two pictures.
    """

    name: str
    version: str
    range: tuple[float, float]
    direction: Literal["higher_is_better", "lower_is_better"]
    licence: str
    pooling: str
    maps: Callable[[int, int], Maps]

    @property
    def perfect(self) -> float:
        """The value of identical pixels."""
        return self.range[1 if self.direction == "higher_is_better" else 0]

    def worse(self, values: Sequence[float]) -> float:
        """The worst of some values."""
        return min(values) if self.direction == "higher_is_better" else max(values)

    def describe(self) -> dict[str, Any]:
        """The facts that a graph records, ready for JSON; an end that is not bounded is None."""
        return {
            "name": self.name,
            "version": self.version,
            "licence": self.licence,
            "range": [end if math.isfinite(end) else None for end in self.range],
            "direction": self.direction,
            "pooling": self.pooling,
        }


@dataclass(frozen=True)
class PixelMap:
    """The maps of a metric that is a function of two pictures; a region's value is their mean.

    Attributes:
        function: ``(first, second) -> (H, W)`` finite numbers, of (H, W, 3) RGB uint8 pictures.
        reach: Pixels that a pixel of the map depends on, to either side: with it the function gets
            parts of the pictures, with so many pixels around where there are any. None: it gets
            the whole pictures, and memory is what it takes for them.
        symmetric: Whether neither picture is the reference. If not, it is called for both orders,
            and the worse value counts.
    """

    function: Callable[[Rgb, Rgb], NDArray[Any]]
    reach: int | None = None
    symmetric: bool = True

    def __call__(self, height: int, width: int) -> Maps:
        """The maps of pictures of that size."""
        return _PixelMaps(self, (Level(1, (height, width), self.reach),))


@dataclass(frozen=True)
class _PixelMaps:
    """One level, of the pixels."""

    pixel_map: PixelMap
    levels: Sequence[Level]

    def planes(self, rgb: Rgb) -> Rgb:
        return rgb.transpose(2, 0, 1)

    def terms(self, level: int, first: Rgb, second: Rgb) -> NDArray[np.float32]:
        """The function's map, or those of both orders."""
        one, two = (planes.transpose(1, 2, 0) for planes in (first, second))
        orders = [(one, two)] if self.pixel_map.symmetric else [(one, two), (two, one)]
        return np.stack([_checked(self.pixel_map.function(*order), one) for order in orders])

    def shrink(self, level: int, planes: Array, own: Slices) -> Array:
        """Never asked for: there is one level."""
        raise NotImplementedError

    def values(self, pooled: Sequence[Pooled]) -> tuple[float, ...]:
        """The mean of either order."""
        return tuple(pooled[0].means.tolist())


def _checked(found: NDArray[Any], picture: Rgb) -> NDArray[np.float32]:
    """The map as floats; raises RecipeError for one that is none."""
    found, size = np.asarray(found), picture.shape[:2]
    if found.shape != size or found.dtype.kind not in "biuf":
        raise RecipeError(
            f"found a map of {found.dtype} of shape {found.shape}, expected {size} numbers"
        )
    if not np.isfinite(found).all():
        raise RecipeError("found a map with values that are not finite, expected finite numbers")
    return found.astype(np.float32)
