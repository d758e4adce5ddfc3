"""A pair of pictures with the regions that a language model is asked about."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import ImageError, RegionError
from distortion_graph.graph import SIDES, DistortionGraph, RegionComparison, Side
from distortion_graph.graph.build import scaled_rle
from distortion_graph.masks.container import RegionSet
from distortion_graph.masks.rle import Rle, rle_from_box
from distortion_graph.report.sources import check_pixels

if TYPE_CHECKING:
    from distortion_graph.datasets.reader import PandaSet
    from distortion_graph.datasets.samples import Sample


@dataclass(frozen=True)
class RegionView:
    """A region: its number, name, what is known of its content, and its mask in each picture."""

    id: int
    name: str
    description: str | None
    anchor: Rle
    target: Rle

    def mask(self, side: Side) -> Rle:
        """Its mask in one of the pictures."""
        return self.anchor if side == "anchor" else self.target

    def swapped(self) -> RegionView:
        """The region with its two masks exchanged."""
        return replace(self, anchor=self.target, target=self.anchor)


@dataclass(frozen=True, eq=False)
class PairView:
    """Two pictures, (H, W, 3) and (H', W', 3) uint8 RGB, and regions with a mask in each.

    `side_px` is the longest side that whole pictures are shown with, None for their own size.
    Raises ImageError for other arrays, and RegionError for masks that do not fit their picture or
    are empty and for ids that are not distinct.
    """

    anchor: NDArray[np.uint8] = field(repr=False)
    target: NDArray[np.uint8] = field(repr=False)
    regions: tuple[RegionView, ...]
    side_px: int | None = None

    def __post_init__(self) -> None:
        for side in SIDES:
            _check_rgb(self.picture(side), side)
        seen: set[int] = set()
        for region in self.regions:
            if region.id in seen or region.id < 0:
                fault = "negative" if region.id < 0 else "used twice"
                raise RegionError(f"regions: id {region.id} is {fault}, expected distinct ids ≥ 0")
            seen.add(region.id)
            for side in SIDES:
                _check_mask(region, side, self.picture(side))

    @classmethod
    def of_regions(
        cls,
        anchor_rgb: NDArray[np.uint8],
        target_rgb: NDArray[np.uint8],
        regions: RegionSet,
        descriptions: Mapping[int, str] | None = None,
    ) -> PairView:
        """Regions that lie on the anchor; on a target of another size they are scaled.

        `descriptions` are by region id.
        """
        for side, rgb in zip(SIDES, (anchor_rgb, target_rgb), strict=True):
            _check_rgb(rgb, side)
        size, known = (target_rgb.shape[0], target_rgb.shape[1]), descriptions or {}
        views = (
            RegionView(r.id, r.name, known.get(r.id), r.rle, _fitted(r.rle, size)) for r in regions
        )
        return cls(anchor_rgb, target_rgb, tuple(views))

    @classmethod
    def of_graph(
        cls, graph: DistortionGraph, anchor_rgb: NDArray[np.uint8], target_rgb: NDArray[np.uint8]
    ) -> PairView:
        """The regions of a graph; its box stands for a mask that is null.

        Regions without either are left out. Raises ImageError where a picture is not of the size
        that the graph gives.
        """
        check_pixels(graph, "anchor", anchor_rgb, "graph")
        check_pixels(graph, "target", target_rgb, "graph")
        return cls(anchor_rgb, target_rgb, tuple(_views(graph, anchor_rgb, target_rgb)))

    def picture(self, side: Side) -> NDArray[np.uint8]:
        """One of the pictures, at its own size."""
        return self.anchor if side == "anchor" else self.target

    def shown(self, side: Side) -> NDArray[np.uint8]:
        """One of the pictures as it is shown: scaled down where `side_px` says so."""
        rgb, (height, width) = self.picture(side), self._shown_size(side)
        if (height, width) == rgb.shape[:2]:
            return rgb
        return np.asarray(cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA), np.uint8)

    def shown_masks(self, side: Side) -> dict[int, Rle]:
        """Every region's mask on the picture as it is shown, by region id."""
        size = self._shown_size(side)
        return {region.id: _fitted(region.mask(side), size) for region in self.regions}

    def only(self, ids: Collection[int]) -> PairView:
        """The same pictures with these regions alone, which keep their numbers and order."""
        kept = set(ids)
        return replace(self, regions=tuple(r for r in self.regions if r.id in kept))

    def swapped(self) -> PairView:
        """The pair with anchor and target exchanged."""
        regions = tuple(region.swapped() for region in self.regions)
        return replace(self, anchor=self.target, target=self.anchor, regions=regions)

    def at_most(self, side_px: int) -> PairView:
        """The pair with whole pictures shown at most `side_px` pixels wide and high."""
        if side_px < 1:
            raise ImageError(f"pictures of at most {side_px} pixels per side: expected 1 or more")
        return replace(self, side_px=min(side_px, self.side_px or side_px))

    def _shown_size(self, side: Side) -> tuple[int, int]:
        height, width = self.picture(side).shape[:2]
        longest = max(height, width)
        if self.side_px is None or longest <= self.side_px:
            return height, width
        scale = self.side_px / longest
        return max(1, round(height * scale)), max(1, round(width * scale))


def view_of(reader: PandaSet, split: str, sample: Sample) -> PairView:
    """A sample's pictures and regions, with what the data set says of the regions' content."""
    regions = reader.record(split, sample.key.anchor, sample.key.tag).regions
    told = {k: text for k in sample.regions.ids if (text := regions[k].description)}
    return PairView.of_regions(sample.anchor, sample.target, sample.regions, told)


def _fitted(rle: Rle, size: tuple[int, int]) -> Rle:
    return rle if rle.size == size else scaled_rle(rle, size)


def _views(
    graph: DistortionGraph, anchor_rgb: NDArray[np.uint8], target_rgb: NDArray[np.uint8]
) -> Iterator[RegionView]:
    for region in graph.regions:
        anchor = _mask_of(region, "anchor", anchor_rgb)
        target = _mask_of(region, "target", target_rgb)
        if anchor is not None and target is not None:
            yield RegionView(region.id, region.name, None, anchor, target)


def _mask_of(region: RegionComparison, side: Side, rgb: NDArray[np.uint8]) -> Rle | None:
    size = rgb.shape[0], rgb.shape[1]
    mask, box = region.mask_of(side), region.bbox_of(side)
    if mask is not None:
        return _fitted(Rle(mask.size, mask.counts), size)
    if box is None:
        return None
    left, top, width, height = box
    bottom, right = min(top + height, size[0]), min(left + width, size[1])
    return rle_from_box(size, top, left, bottom, right)


def _check_rgb(rgb: NDArray[np.uint8], side: Side) -> None:
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8 or rgb.size == 0:
        raise ImageError(
            f"the {side} is an array of shape {rgb.shape} and {rgb.dtype}, expected (H, W, 3) uint8"
        )


def _check_mask(region: RegionView, side: Side, rgb: NDArray[np.uint8]) -> None:
    rle = region.mask(side)
    what = f"region {region.id} ({region.name}): its mask in the {side}"
    if rle.size != rgb.shape[:2]:
        raise RegionError(
            f"{what} is {rle.size[1]}×{rle.size[0]}, expected the picture's "
            f"{rgb.shape[1]}×{rgb.shape[0]}"
        )
    if rle.area() == 0:
        raise RegionError(f"{what} is empty, expected at least one pixel")
