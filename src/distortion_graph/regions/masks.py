"""Masks of regions to go through one by one, and each inside its tight box.

A list of all pixels of all masks would not fit into memory for many regions of a large picture.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from distortion_graph.errors import RegionError
from distortion_graph.regions.rle import Crop, Rle
from distortion_graph.threads import CachedCall

__all__ = ["Crop", "CroppedMasks", "LazyMasks", "Masks", "crops", "with_crops"]

_MOST_KEPT_PX = 1 << 26


class Masks(Protocol):
    """Masks to go through one by one, as often as needed: an (R, H, W) array or what is below."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[NDArray[np.bool_]]: ...


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
    """The (H, W) bool masks of some regions, each decoded when its turn comes.

    As a whole none is kept. Their crops are, for the next turn, up to 64 million pixels in all.
    """

    rles: tuple[Rle, ...]
    _kept: _Kept = field(default_factory=_Kept, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.rles)

    def __iter__(self) -> Iterator[NDArray[np.bool_]]:
        return (rle.decode() for rle in self.rles)

    def crop(self, index: int) -> Crop:
        """The mask at that position inside its tight box."""
        return self._kept.of(self.rles[index])

    def pick(self, rles: Iterable[Rle]) -> LazyMasks:
        """Some of the same masks in another order; what is decoded serves both."""
        return LazyMasks(tuple(rles), self._kept)


class CroppedMasks:
    """Masks of an array with their crops, which are views of it, found once when they are needed.

    `crops` raises RegionError for a mask that is not bool or not of `size`, (h, w).
    """

    def __init__(self, masks: Masks, size: tuple[int, int]) -> None:
        self._masks, self.size = masks, size
        self.crops = CachedCall(lambda: tuple(crops(masks, size)))

    def __len__(self) -> int:
        return len(self._masks)

    def __iter__(self) -> Iterator[NDArray[np.bool_]]:
        return iter(self._masks)


def crops(masks: Masks, size: tuple[int, int] | None = None) -> Iterator[Crop]:
    """Every mask inside its tight box, one at a time.

    Raises RegionError for a mask that is not bool or not of `size`, (h, w); None stands for the
    first mask's.
    """
    import cv2

    if isinstance(masks, CroppedMasks) and masks.size == size:
        yield from masks.crops()
        return
    if isinstance(masks, LazyMasks):
        for index, rle in enumerate(masks.rles):
            size = size or rle.size
            if rle.size != size:
                raise _wrong_mask(size, rle.size, "bool")
            yield masks.crop(index)
        return
    for mask in masks:
        size = size or (mask.shape[0], mask.shape[-1])
        if mask.shape != size or mask.dtype != np.bool_:
            raise _wrong_mask(size, mask.shape, str(mask.dtype))
        mask = np.ascontiguousarray(mask)
        # NumPy finds the first pixel ten times faster than OpenCV goes through the rows above it.
        top = int(mask.argmax()) // size[1]
        x, y, width, height = cv2.boundingRect(mask[top:].view(np.uint8))
        yield Crop(top + y, x, mask[top + y : top + y + height, x : x + width])


def with_crops(masks: Masks, size: tuple[int, int]) -> Masks:
    """The same masks, whose crops are not looked for more than once."""
    return masks if isinstance(masks, LazyMasks) else CroppedMasks(masks, size)


def _wrong_mask(size: tuple[int, int], found: tuple[int, ...], kind: str) -> RegionError:
    return RegionError(f"masks must be (R, {size[0]}, {size[1]}) bool, got one of {found} {kind}")
