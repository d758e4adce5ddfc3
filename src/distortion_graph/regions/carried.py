"""Regions of the anchor carried to the target's own pixels by an alignment."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import RegionError
from distortion_graph.masks.boxes import Box, Crop
from distortion_graph.masks.container import Region, RegionSet
from distortion_graph.masks.rle import rle_from_mask
from distortion_graph.pictures.align import Alignment, places_in_anchor, valid_pixels
from distortion_graph.pictures.align.matrices import corners, moved, scale_of

_ROWS = 512
_MARGIN_PX = 2
_REDUCED_FROM = 1.5


class Carried(NamedTuple):
    """Regions as the target shows them.

    `regions`: on the target's pixels; those of which it shows no pixel are left out. `valid`: for
    every region of the anchor, by id, the share of it that both pictures show, 0 … 1.
    """

    regions: RegionSet
    valid: dict[int, float]


def carry_masks(regions: RegionSet, alignment: Alignment) -> Carried:
    """Regions of the anchor on the target's pixels: those of which the region covers half or more.

    Where the pictures lie on each other as they are, the regions are the same ones. Raises
    RegionError for regions of another size than the alignment's anchor.
    """
    if regions.size != alignment.anchor_size:
        raise RegionError(
            f"regions: masks are {regions.size[1]}×{regions.size[0]}, expected "
            f"{alignment.anchor_size[1]}×{alignment.anchor_size[0]} as the aligned anchor"
        )
    if alignment.registered:
        return Carried(regions, dict.fromkeys(regions.ids, 1.0))
    shown = valid_pixels(alignment)
    valid, carried = {}, []
    for index, region in enumerate(regions):
        crop = regions.crop(index)
        pixels = int(crop.mask.sum())
        both = int((shown[crop.box.area] & crop.mask).sum())
        valid[region.id] = both / pixels if pixels else 0.0
        mask = _on_target(crop, alignment)
        if mask.any():
            carried.append(Region(region.id, region.name, rle_from_mask(mask)))
    return Carried(RegionSet(alignment.target_size, tuple(carried)), valid)


def shown_part(
    regions: RegionSet, shown: NDArray[np.bool_], window: tuple[slice, slice]
) -> RegionSet:
    """What of regions lies where `shown`, (h, w) bool of a window (rows, columns) of their picture.

    The masks are of the window's size; regions of which nothing is left are left out.
    """
    left = []
    for region in regions:
        mask = region.rle.decode()[window] & shown
        if mask.any():
            left.append(Region(region.id, region.name, rle_from_mask(mask)))
    return RegionSet((shown.shape[0], shown.shape[1]), tuple(left))


def on_whole(regions: RegionSet, size: tuple[int, int], window: tuple[slice, slice]) -> RegionSet:
    """Regions of a window (rows, columns) of a picture of `size` (h, w), on all of it."""
    whole = []
    for region in regions:
        mask = np.zeros(size, np.bool_)
        mask[window] = region.rle.decode()
        whole.append(Region(region.id, region.name, rle_from_mask(mask)))
    return RegionSet(size, tuple(whole))


def _on_target(crop: Crop, alignment: Alignment) -> NDArray[np.bool_]:
    """One mask on all of the target's pixels."""
    out = np.zeros(alignment.target_size, np.bool_)
    box = _box_on_target(crop.box, alignment)
    if box.empty or crop.box.empty:
        return out
    # A frame of background, so that nothing beyond the box counts as the region.
    ink = cv2.copyMakeBorder(
        crop.mask.view(np.uint8) * np.uint8(255), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0
    )
    origin = np.array([crop.box.x - 1, crop.box.y - 1], np.float32)
    ink, scale = _reduced(ink, scale_of(alignment.matrix, alignment.target_size))  # type: ignore[arg-type]
    for top in range(box.y, box.bottom, _ROWS):
        rows, columns = (top, min(top + _ROWS, box.bottom)), (box.x, box.right)
        places = (places_in_anchor(alignment, rows, columns) - origin) * scale - 0.5
        cover = cv2.remap(ink, places, None, cv2.INTER_LINEAR, borderValue=0)  # type: ignore[call-overload]
        out[slice(*rows), slice(*columns)] = cover >= 128
    return out


def _reduced(
    ink: NDArray[np.uint8], anchor_px: float
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """A mask at about the target's scale, where a pixel of the target is several of the anchor's.

    Also by how much it was reduced along x and y.
    """
    if anchor_px < _REDUCED_FROM:
        return ink, np.ones(2, np.float32)
    h, w = (max(1, round(n / anchor_px)) for n in ink.shape)
    small = cv2.resize(ink, (w, h), interpolation=cv2.INTER_AREA)
    return small, np.array([w / ink.shape[1], h / ink.shape[0]], np.float32)  # type: ignore[return-value]


def _box_on_target(box: Box, alignment: Alignment) -> Box:
    """Where the region's box can lie in the target."""
    places = moved(alignment.inverse, corners((box.height, box.width)) + np.array([box.x, box.y]))
    flow = 0.0 if alignment.flow is None else float(np.abs(alignment.flow).max())
    margin = _MARGIN_PX + flow
    left, top = np.floor(places.min(0) - margin).astype(int).tolist()
    right, bottom = np.ceil(places.max(0) + margin).astype(int).tolist()
    return Box(left, top, right - left, bottom - top).clipped(alignment.target_size)
