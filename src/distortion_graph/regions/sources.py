"""Where regions come from: arrays, files, and short words such as `grid:3x4`."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from distortion_graph.errors import RegionError
from distortion_graph.images import PICTURE_SUFFIXES, Picture, orient
from distortion_graph.regions.auto import auto_regions
from distortion_graph.regions.coco import (
    is_panoptic,
    names_from,
    read_json,
    regions_from_json,
    regions_from_panoptic,
)
from distortion_graph.regions.container import RegionSet
from distortion_graph.regions.fitting import fit_map, read_label_picture, turns
from distortion_graph.regions.panoptic_model import names_a_model
from distortion_graph.regions.picture_names import split_image
from distortion_graph.regions.segmenter import PANOPTIC_PREFIX as _PANOPTIC
from distortion_graph.regions.segmenter import load_segmenter

if TYPE_CHECKING:
    from distortion_graph.differences import DifferenceMap

RegionSpec: TypeAlias = "RegionSet | str | Path | NDArray[Any] | Sequence[NDArray[Any]]"

REGION_SPECS_HELP = (
    "auto (found in the pictures); whole; grid:ROWSxCOLS; LABELS.png (0 = unlabelled) or "
    "LABELS.png,NAMES.json; REGIONS.json[,image=NAME] (COCO RLE, polygons, boxes); "
    "panoptic:FILE.json[,image=NAME] or panoptic:FILE.png,FILE.json[,CATEGORIES.json]; "
    "panoptic:FOLDER or panoptic:ORG/NAME (found and named by a panoptic model)"
)
"""What a region spec may be, for a command's help."""

_GRID = re.compile(r"grid:(\d{1,6})[xX×](\d{1,6})")


def resolve_regions(
    spec: RegionSpec,
    anchor: Picture,
    target: Picture,
    differences: Callable[[], DifferenceMap] | None = None,
) -> RegionSet:
    """The regions a spec stands for, on the anchor's displayed size.

    `spec` is one of

    - a RegionSet of that size;
    - masks: (R, H, W) bool, 0/1 or 0/255, or a list of (H, W) such; one (H, W) bool. Overlaps
      are legal. Ids are indices from 0;
    - a label map: (H, W) integers, 0 = unlabelled. Ids are the pixel values;
    - "auto": found in the mean of both pictures, so that swapping them changes nothing, and
      where they differ in a few places, a region for each;
    - "whole": one region, id 0, named "image"; "grid:RxC": R rows of C rectangles;
    - "LABELS.png": a label map of 8 or 16 bits or with a palette (by index); with names as
      "LABELS.png,NAMES.json" ({"1": "sky"} or COCO categories);
    - "REGIONS.json": a list of COCO RLE, polygons or boxes with names, or COCO annotations; of
      those of several pictures the ones of the picture that fits the anchor's path best, or of
      the one that "REGIONS.json,image=NAME" names;
    - "panoptic:FILE.json" (COCO panoptic; the annotation of the anchor's file name, or of
      NAME with ",image=NAME"; PNGs beside it) or "panoptic:FILE.png,FILE.json", each with
      ",CATEGORIES.json" where the names are not in the JSON. Ids are the segment ids;
    - "panoptic:FOLDER" or "panoptic:ORG/NAME": found by a panoptic checkpoint
      (`distortion_graph.regions.panoptic_model`) in the mean of both pictures.

    `differences` gives where the pictures differ, for a caller who needs that too; "auto" finds
    it by itself otherwise.

    Masks of the size in which the anchor's file stores it are turned with its EXIF orientation,
    unless they fit the displayed size. Raises RegionError: masks of another size, empty or not
    binary, no region left, an unknown spec, a file that cannot be read. ModelError: a checkpoint
    that cannot be used.
    """
    if isinstance(spec, RegionSet):
        return _checked_set(spec, anchor)
    if isinstance(spec, str | Path):
        return _from_text(str(spec), anchor, target, differences)
    if isinstance(spec, np.ndarray):
        return _from_array(spec, anchor)
    if isinstance(spec, list | tuple):
        fitted = [fit_map(np.asarray(m), anchor, f"regions: mask {k}") for k, m in enumerate(spec)]
        return RegionSet.from_masks(fitted, size=anchor.size, source="regions")
    raise RegionError(
        f"regions: found {type(spec).__name__}, expected masks, a label map or one of: "
        f"{REGION_SPECS_HELP}"
    )


def found_in_pictures(spec: RegionSpec) -> bool:
    """Whether a spec names no masks: its regions lie on whatever pictures they are asked for."""
    if not isinstance(spec, str) or spec in ("auto", "whole") or spec.startswith("grid:"):
        return isinstance(spec, str)
    return spec.startswith(_PANOPTIC) and names_a_model(spec.removeprefix(_PANOPTIC))


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


def _from_text(
    spec: str,
    anchor: Picture,
    target: Picture,
    differences: Callable[[], DifferenceMap] | None,
) -> RegionSet:
    if spec == "auto":
        return auto_regions(anchor.rgb, target.rgb, differences and differences())
    if spec == "whole":
        return RegionSet.whole(anchor.size)
    grid = _GRID.fullmatch(spec)
    if grid:
        return RegionSet.grid(anchor.size, int(grid[1]), int(grid[2]))
    if spec.startswith("grid:"):
        raise RegionError(f"regions {spec!r}: expected grid:ROWSxCOLS, for example grid:3x4")
    panoptic = spec.startswith(_PANOPTIC)
    if panoptic and names_a_model(spec.removeprefix(_PANOPTIC)):
        return load_segmenter(spec).segment(_mean(anchor.rgb, target.rgb)).regions
    plain, image = split_image(spec.removeprefix(_PANOPTIC))
    files = _files(plain)
    # Lossy kinds are among them so that the error can say why they will not do.
    pictures = [f for f in files if f.suffix.lower() in PICTURE_SUFFIXES]
    tables = [f for f in files if f.suffix.lower() == ".json"]
    if len(pictures) + len(tables) != len(files) or len(pictures) > 1 or not 1 <= len(files) <= 3:
        _check_exists(files, spec)
        raise RegionError(f"regions {spec!r}: unknown, expected one of: {REGION_SPECS_HELP}")
    values = [read_json(f) for f in tables]
    if panoptic or any(is_panoptic(v) for v in values):
        return _panoptic(pictures, tables, values, anchor, image)
    if len(pictures) == 1 and len(tables) <= 1 and image is None:
        return _label_map(pictures[0], tables, values, anchor)
    if len(files) == 1:
        return regions_from_json(values[0], anchor, str(tables[0]), image)
    raise RegionError(f"regions {spec!r}: unknown, expected one of: {REGION_SPECS_HELP}")


def _mean(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The mean of two pictures, rounded; the same in either order."""
    return ((first.astype(np.uint16) + second + 1) // 2).astype(np.uint8)


def _files(text: str) -> list[Path]:
    """One file, or several parted by commas; a file whose name has a comma is one file."""
    if Path(text).exists():
        return [Path(text)]
    return [Path(part) for part in text.split(",")]


def _check_exists(files: Sequence[Path], spec: str) -> None:
    for file in files:
        if not file.exists():
            raise RegionError(
                f"regions {spec!r}: no file {str(file)!r}, expected one of: {REGION_SPECS_HELP}"
            )


def _label_map(
    path: Path, tables: Sequence[Path], values: Sequence[Any], anchor: Picture
) -> RegionSet:
    array = read_label_picture(path, anchor)
    if array.ndim == 3:
        raise RegionError(
            f"{path}: found RGB, expected one channel of label numbers (8 or 16 bits, or a "
            f"palette); for COCO panoptic say panoptic:{path.name},FILE.json"
        )
    names = names_from(values[0], str(tables[0])) if tables else None
    return RegionSet.from_label_map(array, names, size=anchor.size, source=str(path))


def _panoptic(
    pictures: Sequence[Path],
    tables: Sequence[Path],
    values: Sequence[Any],
    anchor: Picture,
    image: str | None,
) -> RegionSet:
    if not tables:
        raise RegionError(f"panoptic:{pictures[0]}: no JSON, expected panoptic:FILE.png,FILE.json")
    main = next((k for k, v in enumerate(values) if is_panoptic(v)), 0)
    names: dict[int, str] = {}
    for k, value in enumerate(values):
        if k != main:
            names.update(names_from(value, str(tables[k])))
    png = pictures[0] if pictures else None
    return regions_from_panoptic(values[main], tables[main], png, names, anchor, image)
