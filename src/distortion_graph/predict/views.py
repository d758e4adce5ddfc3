"""What a model sees of two pictures that do not lie on each other pixel by pixel.

What two pictures show together (joint statistics, products of maps) needs both in one frame, and
there one of them is resampled. What each shows alone is taken from its own pixels with its own
masks, so that resampling is never mistaken for blur.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from distortion_graph.features.statistics import OwnStatistics, RegionStatistics
from distortion_graph.masks.masks import LazyMasks
from distortion_graph.predict.names import MAP_CHANNELS

Rgb = NDArray[np.uint8]
Floats = NDArray[np.float32]


class OwnView(NamedTuple):
    """A picture in its own pixels: (h, w, 3) uint8, and as many masks of it as the joint ones."""

    rgb: Rgb
    masks: LazyMasks

    def pick(self, indices: Sequence[int]) -> OwnView:
        """With some of the masks, in the order of their positions."""
        return OwnView(self.rgb, self.masks.pick(self.masks.rles[k] for k in indices))


@dataclass(frozen=True, eq=False)
class View:
    """Two pictures in one frame, and in their own pixels where they are resampled there.

    `pair` holds two (h, w, 3) uint8 pictures. The first of the `masks` is all that both show, and
    stands for the scene; the others are the R regions. `own` is None for a picture whose pixels in
    `pair` are its own.
    """

    pair: tuple[Rgb, Rgb]
    masks: LazyMasks
    own: tuple[OwnView | None, OwnView | None] = (None, None)

    def pick(self, regions: Sequence[int]) -> View:
        """With some of the regions, in the order of their positions."""
        indices = [0, *(1 + k for k in regions)]
        first, second = (own and own.pick(indices) for own in self.own)
        masks = self.masks.pick(self.masks.rles[k] for k in indices)
        return replace(self, masks=masks, own=(first, second))

    def swapped(self) -> View:
        """The same with the pictures exchanged."""
        return replace(self, pair=self.pair[::-1], own=self.own[::-1])


def with_own_statistics(
    joint: RegionStatistics, own: Sequence[OwnStatistics | None]
) -> RegionStatistics:
    """Joint statistics, with those of each picture alone from its own pixels where given."""
    parts = {name: getattr(joint, name).copy() for name in OwnStatistics._fields}
    for side, given in enumerate(own):
        if given is not None:
            for name, array in parts.items():
                array[side] = getattr(given, name)
    return joint._replace(**parts)


def with_own_moments(
    joint: Sequence[Floats], own: Sequence[Sequence[Floats] | None]
) -> list[Floats]:
    """Moments (`names.MOMENTS`) with means and variances of each picture's own pixels.

    `own` are moments of one picture alone, without products.
    Of the products the correlation is kept: their covariance grows as the deviations do. Where a
    region covers no cell of a level, the joint moments stay.
    """
    weight, first, second, cross = (array.astype(np.float64) for array in joint)
    wide = np.repeat(weight, MAP_CHANNELS, axis=1)
    seen = wide > 0
    safe = np.where(seen, wide, 1)
    means, variances = first / safe, second / safe
    variances = np.maximum(variances - means**2, 0)
    covariance = cross / safe - means[0] * means[1]
    for side, given in enumerate(own):
        if given is None:
            continue
        own_weight = np.repeat(given[0].astype(np.float64), MAP_CHANNELS, axis=1)
        both = seen & (own_weight > 0)
        own_safe = np.where(both, own_weight, 1)
        mean = np.where(both, given[1][0] / own_safe, means[side])
        spread = np.where(both, np.maximum(given[2][0] / own_safe - mean**2, 0), variances[side])
        flat = variances[side] <= 0
        covariance *= np.sqrt(np.where(flat, 1, spread / np.where(flat, 1, variances[side])))
        means[side], variances[side] = mean, spread
    moved = (
        weight,
        means * wide,
        (variances + means**2) * wide,
        (covariance + means[0] * means[1]) * wide,
    )
    # What no cell was seen of is left as it is, to the bit.
    whole = np.ones_like(weight, np.bool_)
    return [
        np.where(where, new, old).astype(np.float32)
        for where, new, old in zip((whole, seen, seen, seen), moved, joint, strict=True)
    ]
