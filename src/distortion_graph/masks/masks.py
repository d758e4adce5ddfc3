"""Masks of regions, each inside its tight box.

A list of all pixels of all masks would not fit into memory for many regions of a large picture.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import RegionError
from distortion_graph.masks.boxes import Crop
from distortion_graph.masks.rle import Rle
from distortion_graph.work.threads import CachedCall

__all__ = ["ArrayMasks", "Crop", "LazyMasks", "MaskArrays", "Masks", "as_masks", "crops"]

_MOST_KEPT_PX = 1 << 26

MaskArrays: TypeAlias = NDArray[np.bool_] | Sequence[NDArray[np.bool_]]
"""(R, H, W) bool, or a sequence of R masks of (H, W) bool."""


class Masks(Protocol):
    """R masks of a picture of `size` (h, w), each to be had inside its tight box.

    `LazyMasks` are some, and so is a `RegionSet`; `as_masks` makes them of arrays.
    """

    @property
    def size(self) -> tuple[int, int]:
        """(h, w) of the picture."""
        ...

    def __len__(self) -> int: ...

    def crop(self, index: int, /) -> Crop:
        """The mask at that position."""
        ...


class _Kept:
    """Masks that were decoded once, as long as they are few pixels."""

    def __init__(self) -> None:
        self.crops: dict[Rle, Crop] = {}
        self.pixels = 0

    def of(self, rle: Rle) -> Crop:
        crop = self.crops.get(rle)
        if crop is None:
            crop = rle.crop()
            if self.pixels + crop.mask.size <= _MOST_KEPT_PX:
                self.crops[rle] = crop
                self.pixels += crop.mask.size
        return crop


@dataclass(frozen=True)
class LazyMasks:
    """The masks of some run lengths, each decoded when its turn comes.

    What is decoded is kept for the next turn, up to 64 million pixels in all.
    """

    size: tuple[int, int]
    rles: tuple[Rle, ...]
    _kept: _Kept = field(default_factory=_Kept, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.rles)

    def crop(self, index: int, /) -> Crop:
        """The mask at that position inside its tight box."""
        return self._kept.of(self.rles[index])

    def pick(self, rles: Iterable[Rle]) -> LazyMasks:
        """Some of the same masks in another order; what is decoded serves both."""
        return LazyMasks(self.size, tuple(rles), self._kept)


class ArrayMasks:
    """Masks of arrays. Their crops, which are views, are looked for once, when one is needed."""

    def __init__(self, masks: MaskArrays, size: tuple[int, int]) -> None:
        """Raises RegionError for a mask that is not bool or not of `size` (h, w)."""
        for mask in masks:
            if mask.shape != size or mask.dtype != np.bool_:
                raise _wrong_mask(size, mask.shape, str(mask.dtype))
        self.size = size
        self._count = len(masks)
        self._crops = CachedCall(lambda: tuple(Crop.of(mask) for mask in masks))

    def __len__(self) -> int:
        return self._count

    def crop(self, index: int, /) -> Crop:
        """The mask at that position inside its tight box."""
        return self._crops()[index]


def as_masks(masks: Masks | MaskArrays, size: tuple[int, int] | None = None) -> Masks:
    """Masks of a picture of `size` (h, w), by default of their own.

    Raises RegionError for masks of another size, and for arrays that are not bool.
    """
    if isinstance(masks, np.ndarray | Sequence):
        return ArrayMasks(masks, size or _size_of(masks))
    if size and masks.size != size:
        raise _wrong_mask(size, masks.size, "bool")
    return masks


def crops(masks: Masks) -> Iterator[Crop]:
    """Every mask inside its tight box, one at a time."""
    return map(masks.crop, range(len(masks)))


def _size_of(masks: MaskArrays) -> tuple[int, int]:
    if isinstance(masks, np.ndarray) and masks.ndim == 3:
        return masks.shape[1], masks.shape[2]
    if not len(masks):
        return 0, 0
    first = masks[0].shape
    return first[0], first[-1]


def _wrong_mask(size: tuple[int, int], actual: tuple[int, ...], kind: str) -> RegionError:
    return RegionError(f"masks must be (R, {size[0]}, {size[1]}) bool, got one of {actual} {kind}")
