"""Regions of a picture: ids, names and run-length masks, validated once and never changed.

Masks are kept as run lengths, not as R×H×W pixels: a set of 300 regions of a large picture is a
few hundred kilobytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from distortion_graph.base.errors import RegionError
from distortion_graph.masks.boxes import Crop
from distortion_graph.masks.masks import LazyMasks
from distortion_graph.masks.rle import (
    Rle,
    decode_rles,
    rle_from_box,
    rle_from_counts,
    rle_from_mask,
)

__all__ = ["Crop", "Region", "RegionSet", "Rle", "default_name"]

T = TypeVar("T")


def is_default_name(name: str) -> bool:
    """Whether a name is one of `default_name`, and so says nothing of what is there."""
    return re.fullmatch(r"region \d+", name) is not None


def default_name(region_id: int) -> str:
    """The name of a region that came without one."""
    return f"region {region_id}"


@dataclass(frozen=True)
class Region:
    """One region: a unique `id` ≥ 0, a `name` for people and its mask."""

    id: int
    name: str
    rle: Rle


@dataclass(frozen=True)
class RegionSet:
    """R regions of one picture of `size` (h, w); they may overlap. Order is the caller's.

    An empty set is legal here (R = 0); the constructors that read a user's masks refuse it.
    Raises RegionError for ids that are negative or not distinct and masks of another size.
    """

    size: tuple[int, int]
    regions: tuple[Region, ...]

    def __post_init__(self) -> None:
        h, w = self.size
        if h < 1 or w < 1:
            raise RegionError(f"regions: a picture of {w}×{h} pixels has no regions")
        seen: set[int] = set()
        for region in self.regions:
            if region.id in seen or region.id < 0:
                fault = "negative" if region.id < 0 else "used twice"
                raise RegionError(f"regions: id {region.id} is {fault}, expected distinct ids ≥ 0")
            seen.add(region.id)
            if region.rle.size != self.size:
                raise RegionError(
                    f"region {region.id} ({region.name}): mask is {_wxh(region.rle.size)}, "
                    f"expected {_wxh(self.size)}"
                )

    def __len__(self) -> int:
        return len(self.regions)

    def __iter__(self) -> Iterator[Region]:
        return iter(self.regions)

    def __getitem__(self, index: int) -> Region:
        return self.regions[index]

    @property
    def ids(self) -> tuple[int, ...]:
        """Region ids, in order."""
        return tuple(r.id for r in self.regions)

    @property
    def names(self) -> tuple[str, ...]:
        """Region names, in order."""
        return tuple(r.name for r in self.regions)

    def mask(self, index: int) -> NDArray[np.bool_]:
        """Mask of the region at position `index` (not its id): (H, W) bool."""
        return self.regions[index].rle.decode()

    def crop(self, index: int) -> Crop:
        """The mask of the region at position `index` inside its tight box."""
        return self.regions[index].rle.crop()

    def masks(self) -> NDArray[np.bool_]:
        """All masks, (R, H, W) bool, C-contiguous. Decoded anew at each call: keep it."""
        if not self.regions:
            return np.zeros((0, *self.size), np.bool_)
        return decode_rles([r.rle for r in self.regions])

    def lazy_masks(self) -> LazyMasks:
        """All masks in order, each decoded once, when it is asked for."""
        return LazyMasks(self.size, tuple(region.rle for region in self.regions))

    def areas(self) -> NDArray[np.int64]:
        """Number of pixels of each region, (R,) int64, counted on the runs."""
        return np.array([r.rle.area() for r in self.regions], np.int64)

    def boxes_xywh(self) -> NDArray[np.int64]:
        """Tight boxes in pixels, (R, 4) int64: left, top, width, height; zeros if empty."""
        boxes = [r.rle.box_xywh() for r in self.regions]
        return np.array(boxes, np.int64).reshape(-1, 4)

    def subset(self, ids: Iterable[int]) -> RegionSet:
        """The regions with these ids, in the order given; raises RegionError for unknown ids."""
        by_id = {r.id: r for r in self.regions}
        wanted = list(ids)
        missing = [i for i in wanted if i not in by_id]
        if missing:
            raise RegionError(
                f"no region with id {', '.join(map(str, missing))}; expected ids among "
                f"{', '.join(map(str, self.ids)) or 'none'}"
            )
        return RegionSet(self.size, tuple(by_id[i] for i in wanted))

    def reorder(self, indices: Sequence[int] | NDArray[np.integer]) -> RegionSet:
        """The same regions in another order: position k takes the region at `indices[k]`.

        Raises RegionError when `indices` is not a permutation of 0 … R−1.
        """
        order = [int(i) for i in indices]
        if sorted(order) != list(range(len(self.regions))):
            raise RegionError(f"reorder: expected a permutation of 0…{len(self) - 1}, got {order}")
        return RegionSet(self.size, tuple(self.regions[i] for i in order))

    def renamed(self, names: Sequence[str]) -> RegionSet:
        """The same regions with other names, in order."""
        pairs = zip(self.regions, names, strict=True)
        return RegionSet(self.size, tuple(Region(r.id, name, r.rle) for r, name in pairs))

    def cut_to(self, size: tuple[int, int]) -> RegionSet:
        """What lies in the top left (h, w) of the picture; regions that lie elsewhere are left out.

        Raises RegionError where no region is left.
        """
        h, w = size
        cut = ((r, r.rle.decode()[:h, :w]) for r in self.regions)
        left = tuple(Region(r.id, r.name, rle_from_mask(mask)) for r, mask in cut if mask.any())
        if self.regions and not left:
            raise RegionError(f"regions: none lies in the top left {_wxh(size)}, which is compared")
        return RegionSet(size, left)

    def index_map(self) -> NDArray[np.int32]:
        """(H, W) int32: position of each pixel's region, −1 where none; the later one wins."""
        out = np.full(self.size, -1, np.int32)
        for k, region in enumerate(self.regions):
            out[region.rle.decode()] = k
        return out

    def label_map(self) -> NDArray[np.int32]:
        """(H, W) int32 label map, 0 = no region; where regions overlap the later one wins.

        Pixel values are the ids, or id + 1 when the set has an id 0 (lists, grids, `whole`).
        """
        shift = int(0 in self.ids)
        values = np.array([-1, *self.ids], np.int64) + shift
        values[0] = 0
        return values[self.index_map() + 1].astype(np.int32)

    @classmethod
    def from_masks(
        cls,
        masks: ArrayLike | Sequence[ArrayLike],
        ids: Sequence[int] | None = None,
        names: Sequence[str] | None = None,
        *,
        size: tuple[int, int] | None = None,
        source: str = "masks",
    ) -> RegionSet:
        """Regions from R masks, an (R, H, W) array or a list of (H, W); overlaps are legal.

        Values are bool, 0/1 or 0/255. Ids default to 0 … R−1, names to "region N". `size` is
        the expected (H, W), `source` begins the error lines. Raises RegionError for another
        shape or size, values that are not binary, an empty mask, and no mask at all.
        """
        arrays = [np.asarray(m) for m in _as_list(masks, size, source)]
        if not arrays:
            raise RegionError(f"{source}: no region left, expected at least one mask")
        ids = _matched(list(range(len(arrays))) if ids is None else ids, arrays, "ids", source)
        default = [default_name(i) for i in ids]
        names = _matched(default if names is None else names, arrays, "names", source)
        expected = size if size is not None else _shape_2d(arrays[0], source)
        regions = []
        for region_id, name, array in zip(ids, names, arrays, strict=True):
            what = f"{source}: region {region_id} ({name})"
            if array.shape != expected:
                raise RegionError(
                    f"{what}: mask has shape {array.shape}, expected (H, W) = {expected}"
                )
            mask = _binary(array, what)
            if not mask.any():
                raise RegionError(f"{what}: the mask is empty, expected at least one pixel")
            regions.append(Region(int(region_id), str(name), rle_from_mask(mask)))
        return cls(expected, tuple(regions))

    @classmethod
    def from_label_map(
        cls,
        label_map: ArrayLike,
        names: Mapping[int, str] | None = None,
        *,
        size: tuple[int, int] | None = None,
        source: str = "label map",
    ) -> RegionSet:
        """Regions from an (H, W) integer map: the id is the pixel value, 0 is unlabelled.

        Regions stand in order of their ids. Raises RegionError for another shape or type,
        negative values, and a map without a labelled pixel.
        """
        array = np.asarray(label_map)
        if array.ndim != 2 or not np.issubdtype(array.dtype, np.integer):
            raise RegionError(
                f"{source}: expected an (H, W) array of whole numbers, got shape {array.shape} "
                f"of {array.dtype}"
            )
        h, w = _shape_2d(array, source)
        if size is not None and (h, w) != size:
            raise RegionError(f"{source}: label map is {_wxh((h, w))}, expected {_wxh(size)}")
        if array.min() < 0:
            raise RegionError(f"{source}: label {array.min()} found, expected labels from 0 up")
        regions = tuple(
            Region(value, (names or {}).get(value, default_name(value)), rle)
            for value, rle in _label_rles(array)
            if value != 0
        )
        if not regions:
            raise RegionError(
                f"{source}: no region left, every pixel is 0 (unlabelled); expected a label ≥ 1"
            )
        return cls((h, w), regions)

    @classmethod
    def whole(cls, size: tuple[int, int]) -> RegionSet:
        """One region, id 0, named "image": every pixel of an (h, w) picture."""
        h, w = size
        return cls((h, w), (Region(0, "image", rle_from_box((h, w), 0, 0, h, w)),))

    @classmethod
    def grid(cls, size: tuple[int, int], rows: int, cols: int) -> RegionSet:
        """rows × cols rectangles that tile an (h, w) picture, sizes differing by one pixel at most.

        Ids from 0, row by row; names "r1c1", "r1c2" … Raises RegionError for fewer than one
        row or column, or more than the picture has.
        """
        h, w = size
        if not (1 <= rows <= h and 1 <= cols <= w):
            raise RegionError(
                f"grid:{rows}x{cols}: expected 1…{h} rows and 1…{w} columns for a picture of "
                f"{_wxh(size)}"
            )
        ys = [i * h // rows for i in range(rows + 1)]
        xs = [j * w // cols for j in range(cols + 1)]
        cells = (
            Region(
                i * cols + j,
                f"r{i + 1}c{j + 1}",
                rle_from_box((h, w), ys[i], xs[j], ys[i + 1], xs[j + 1]),
            )
            for i in range(rows)
            for j in range(cols)
        )
        return cls((h, w), tuple(cells))


def _wxh(size: tuple[int, ...]) -> str:
    return f"{size[1]}×{size[0]} pixels (width × height)"


def _as_list(
    masks: ArrayLike | Sequence[ArrayLike], size: tuple[int, int] | None, source: str
) -> Sequence[ArrayLike]:
    if isinstance(masks, list | tuple):
        return masks
    array = np.asarray(masks)
    if array.ndim != 3 or (size is not None and array.shape[1:] != size):
        h, w = size if size is not None else ("H", "W")
        raise RegionError(f"{source}: masks must be (R, {h}, {w}) bool, got {array.shape}")
    return list(array)


def _matched(values: Sequence[T], arrays: Sequence[object], what: str, source: str) -> list[T]:
    if len(values) != len(arrays):
        raise RegionError(f"{source}: {len(values)} {what} for {len(arrays)} masks")
    return list(values)


def _shape_2d(array: NDArray[np.generic], source: str) -> tuple[int, int]:
    if array.ndim != 2 or 0 in array.shape:
        raise RegionError(
            f"{source}: expected an (H, W) array with at least one pixel, got shape {array.shape}"
        )
    return array.shape[0], array.shape[1]


def _binary(array: NDArray[np.generic], what: str) -> NDArray[np.bool_]:
    if array.dtype == np.bool_:
        return array.astype(np.bool_, copy=False)
    if not np.issubdtype(array.dtype, np.number) or np.iscomplexobj(array):
        raise RegionError(f"{what}: mask is of {array.dtype}, expected bool, 0/1 or 0/255")
    on = array != 0
    lit = array[on]
    # NaN compares unequal to itself, so it is refused with every other odd value.
    if lit.size and not (lit[0] in (1, 255) and bool((lit == lit[0]).all())):
        some = ", ".join(str(v) for v in np.unique(array)[:4].tolist())
        raise RegionError(f"{what}: mask is not binary (values {some} …), expected 0/1 or 0/255")
    return np.asarray(on, np.bool_)


def _label_rles(label_map: NDArray[np.integer]) -> Iterator[tuple[int, Rle]]:
    """(value, mask) of every value, ascending, in one pass over the column-major runs."""
    h, w = label_map.shape
    flat = label_map.T.ravel()
    starts = np.concatenate(([0], np.flatnonzero(flat[1:] != flat[:-1]) + 1)).astype(np.int64)
    ends = np.append(starts[1:], flat.size)
    run_values = flat[starts]
    order = np.argsort(run_values, kind="stable")
    values, first = np.unique(run_values[order], return_index=True)
    for value, runs in zip(values.tolist(), np.split(order, first[1:]), strict=True):
        edges = np.stack([starts[runs], ends[runs]], axis=1).ravel()
        counts = np.diff(edges, prepend=0, append=flat.size)
        yield int(value), rle_from_counts(counts[: -1 if counts[-1] == 0 else None], (h, w))
