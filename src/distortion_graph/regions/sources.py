"""Masks of every source of regions: arrays, files, and short words such as `grid:3x4`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import RegionError, warn_user
from distortion_graph.masks.container import RegionSet
from distortion_graph.pictures.images import Picture, orient
from distortion_graph.regions.fitting import fit_map, turns
from distortion_graph.regions.spec import (
    REGION_SPECS_HELP,
    Alpha,
    Auto,
    Distortions,
    Grid,
    HeldRegions,
    PanopticModel,
    RegionFiles,
    RegionSpec,
    Whole,
)
from distortion_graph.segment.auto import auto_regions
from distortion_graph.segment.distortions import Asked, distortion_regions
from distortion_graph.segment.segmenter import load_segmenter

if TYPE_CHECKING:
    from distortion_graph.measure.differences import DifferenceMap

RegionSource: TypeAlias = (
    "RegionSet | RegionSpec | str | Path | NDArray[Any] | Sequence[NDArray[Any]]"
)
"""What `resolve_regions` makes regions of."""


def resolve_regions(
    source: RegionSource,
    anchor: Picture,
    target: Picture,
    differences: Callable[[], DifferenceMap] | None = None,
    asked: Asked | None = None,
    warn: Callable[[str], object] = warn_user,
) -> RegionSet:
    """The regions of a source, on the anchor's displayed size.

    `source` is one of

    - a RegionSet of that size;
    - masks: (R, H, W) bool, 0/1 or 0/255, or a list of (H, W) such; one (H, W) bool. Overlaps
      are legal. Ids are indices from 0;
    - a label map: (H, W) integers, 0 = unlabelled. Ids are the pixel values;
    - "auto": found in the mean of both pictures, so that swapping them changes nothing, and
      where they differ in a few places, a region for each;
    - "distortions": found by what the model behind `asked` says is wrong in them;
    - "whole": one region, id 0, named "image"; "grid:RxC": R rows of C rectangles;
    - "LABELS.png": a label map of 8 or 16 bits or with a palette (by index); with names as
      "LABELS.png,NAMES.json" ({"1": "sky"} or COCO categories);
    - "REGIONS.json": a list of COCO RLE, polygons or boxes with names, or COCO annotations; of
      those of several pictures the ones of the picture that fits the anchor's path best, or of
      the one that "REGIONS.json,image=NAME" names;
    - "FILE" or "FILE,image=NAME": what labelme, CVAT ("for images" 1.1) or Label Studio exported,
      an SVG, GeoJSON in pixels, or an earlier graph; its content says which;
    - "alpha:PICTURE": one region, where that picture is opaque;
    - "panoptic:FILE.json" (COCO panoptic; the annotation of the anchor's file name, or of
      NAME with ",image=NAME"; PNGs beside it) or "panoptic:FILE.png,FILE.json", each with
      ",CATEGORIES.json" where the names are not in the JSON. Ids are the segment ids;
    - "panoptic:FOLDER" or "panoptic:ORG/NAME": found by a panoptic checkpoint
      (`distortion_graph.segment.panoptic_model`) in the mean of both pictures.

    `differences` gives where the pictures differ, for a caller who needs that too; "auto" finds
    it by itself otherwise. `asked` is the model that "distortions" needs. `warn` is told, in a
    line, of what a file has that is no region, such as points; by default Python's warnings are.

    Masks of the size in which the anchor's file stores it are turned with its EXIF orientation,
    unless they fit the displayed size. Raises RegionError: masks of another size, empty or not
    binary, no region left, an unknown spec, a file that cannot be read. ModelError: a checkpoint
    that cannot be used.
    """
    if isinstance(source, str | Path):
        source = RegionSpec.parse(source)
    match source:
        case Auto():
            return auto_regions(anchor.rgb, target.rgb, differences and differences())
        case Distortions():
            return _by_distortion(anchor, target, differences, asked)
        case Whole():
            return RegionSet.whole(anchor.size)
        case Grid(rows, columns):
            return RegionSet.grid(anchor.size, rows, columns)
        case RegionFiles() | HeldRegions():
            # Readers of files are many; most comparisons need none.
            from distortion_graph.regions.from_files import regions_from_files

            return regions_from_files(source, anchor, warn)
        case Alpha(picture):
            from distortion_graph.regions.readers.alpha import regions_from_alpha

            return regions_from_alpha(picture, anchor)
        case PanopticModel():
            return load_segmenter(str(source)).segment(_mean(anchor.rgb, target.rgb)).regions
        case RegionSet():
            return _checked_set(source, anchor)
        case np.ndarray():
            return _from_array(source, anchor)
        case list() | tuple():
            return _from_masks(source, anchor)
    raise RegionError(
        f"regions: found {type(source).__name__}, expected masks, a label map or one of: "
        f"{REGION_SPECS_HELP}"
    )


def _by_distortion(
    anchor: Picture,
    target: Picture,
    differences: Callable[[], DifferenceMap] | None,
    asked: Asked | None,
) -> RegionSet:
    if asked is None:
        raise RegionError(
            "regions 'distortions': they are found by a model in two pictures that are compared, "
            "expected another source here, such as auto"
        )
    return distortion_regions(anchor.rgb, target.rgb, asked, differences and differences())


def _checked_set(regions: RegionSet, anchor: Picture) -> RegionSet:
    if len(regions) == 0:
        raise RegionError("regions: no region left, expected at least one")
    if turns(regions.size, anchor, "regions"):
        masks = [orient(m, anchor.orientation) for m in regions.masks()]
        return RegionSet.from_masks(masks, regions.ids, regions.names)
    return regions


def _from_array(array: NDArray[Any], anchor: Picture) -> RegionSet:
    if array.ndim == 2 and array.dtype != np.bool_:
        return RegionSet.from_label_map(
            fit_map(array, anchor, "label map"), size=anchor.size, source="label map"
        )
    if array.ndim == 2:
        array = array[None]
    h, w = anchor.size
    if array.ndim != 3 or array.shape[1:] not in (anchor.size, anchor.stored_size):
        raise RegionError(f"regions: masks must be (R, {h}, {w}) bool, got {array.shape}")
    if array.shape[1:] != anchor.size:
        array = orient(array.transpose(1, 2, 0), anchor.orientation).transpose(2, 0, 1)
    return RegionSet.from_masks(array, size=anchor.size, source="regions")


def _from_masks(masks: Sequence[NDArray[Any]], anchor: Picture) -> RegionSet:
    fitted = [fit_map(np.asarray(m), anchor, f"regions: mask {k}") for k, m in enumerate(masks)]
    return RegionSet.from_masks(fitted, size=anchor.size, source="regions")


def _mean(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The mean of two pictures, rounded; the same in either order."""
    return ((first.astype(np.uint16) + second + 1) // 2).astype(np.uint8)
