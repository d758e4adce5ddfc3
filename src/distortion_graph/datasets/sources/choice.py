"""Which regions of a picture are used."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from distortion_graph.base.errors import DatasetError
from distortion_graph.datasets.sources.base import SourcePicture
from distortion_graph.masks.container import Region, RegionSet


@dataclass(frozen=True)
class RegionChoice:
    """Which regions of a picture are used, and how large the picture may be.

    Regions of less than `min_share` of the picture are dropped; of the others the `max_regions`
    largest are kept (None: all). Of several label maps of a picture, the one whose number of
    regions of at least `min_share` is nearest to `wanted` is used. A picture whose longer side
    exceeds `max_side` pixels is reduced to it (None: never).
    """

    min_share: float = 0.008
    wanted: int = 8
    max_regions: int | None = None
    max_side: int | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.min_share <= 1:
            raise DatasetError(f"min_share is {self.min_share}, expected a share from 0 to 1")
        for name in ("wanted", "max_regions", "max_side"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise DatasetError(f"{name} is {value}, expected at least 1")


def choose_regions(picture: SourcePicture, choice: RegionChoice) -> SourcePicture:
    """The picture with the regions that `choice` keeps, in the order they had.

    Of equally large ones the first are kept. Relations of dropped regions are dropped. No region
    may be left: that is the caller's to report.
    """
    if choice.max_side is not None:
        picture = _reduced(picture, choice.max_side)
    areas = picture.regions.areas()
    h, w = picture.regions.size
    kept = [k for k, area in enumerate(areas) if area > 0 and area >= choice.min_share * h * w]
    if choice.max_regions is not None:
        kept = sorted(sorted(kept, key=lambda k: (-areas[k], k))[: choice.max_regions])
    return _only(picture, kept)


def _only(picture: SourcePicture, kept: list[int]) -> SourcePicture:
    """The regions at these positions and the relations between them."""
    if len(kept) == len(picture.regions):
        return picture
    regions = RegionSet(picture.regions.size, tuple(picture.regions[k] for k in kept))
    ids = set(regions.ids)
    return replace(
        picture,
        regions=regions,
        category_ids=tuple(picture.category_ids[k] for k in kept),
        descriptions=tuple(picture.descriptions[k] for k in kept),
        relations=tuple(r for r in picture.relations if r[0] in ids and r[1] in ids),
    )


def _reduced(picture: SourcePicture, max_side: int) -> SourcePicture:
    """At most `max_side` px: colours averaged by area, each pixel's region that of its centre."""
    h, w = picture.regions.size
    scale = max_side / max(h, w)
    if scale >= 1:
        return picture
    height, width = max(1, round(h * scale)), max(1, round(w * scale))
    rgb = cv2.resize(picture.rgb, (width, height), interpolation=cv2.INTER_AREA)
    rows = (2 * np.arange(height) + 1) * h // (2 * height)
    columns = (2 * np.arange(width) + 1) * w // (2 * width)
    places = picture.regions.index_map()[rows[:, None], columns[None, :]]
    if places.max() < 0:
        left: dict[int, Region] = {}
    else:
        left = {r.id - 1: r for r in RegionSet.from_label_map(places + 1)}
    picture = _only(picture, sorted(left))
    regions = tuple(
        Region(old.id, old.name, left[k].rle)
        for k, old in zip(sorted(left), picture.regions, strict=True)
    )
    return replace(
        picture, rgb=np.asarray(rgb, np.uint8), regions=RegionSet((height, width), regions)
    )
