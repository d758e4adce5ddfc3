"""Masks of files: label maps, COCO, panoptic segments, and files of other tools."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from distortion_graph.base.errors import ImageError, RegionError
from distortion_graph.base.files import HeldFile
from distortion_graph.masks.container import RegionSet
from distortion_graph.pictures.images import Picture, picture_bytes
from distortion_graph.regions.coco import (
    is_panoptic,
    names_from,
    regions_from_json,
    regions_from_panoptic,
)
from distortion_graph.regions.fitting import Frame, read_label_picture
from distortion_graph.regions.readers.documents import read_document
from distortion_graph.regions.readers.recognised import reader_of
from distortion_graph.regions.shapes import assembled
from distortion_graph.regions.spec import REGION_SPECS_HELP, HeldRegions, RegionFiles


def regions_from_files(
    spec: RegionFiles | HeldRegions, anchor: Picture, warn: Callable[[str], object]
) -> RegionSet:
    """Masks of the files of a spec, as `resolve_regions` gives them.

    What the tables hold decides what they are, whatever their names. `warn` is told, in a line, of
    what a file has that is no region.
    """
    values = [read_document(table) for table in spec.tables]
    if spec.panoptic or any(map(is_panoptic, values)):
        return _panoptic(spec, values, anchor)
    if spec.picture is not None and len(values) <= 1 and spec.image is None:
        return _label_map(spec.picture, spec.tables, values, anchor)
    if spec.picture is None and len(values) == 1:
        return _from_table(values[0], anchor, str(spec.tables[0]), spec.image, warn)
    raise RegionError(f"regions {str(spec)!r}: unknown, expected one of: {REGION_SPECS_HELP}")


def _from_table(
    value: Any, anchor: Picture, what: str, image: str | None, warn: Callable[[str], object]
) -> RegionSet:
    read = reader_of(value, what)
    if read is None:
        return regions_from_json(value, anchor, what, image)
    # Places beyond all numbers are refused where they are filled.
    with np.errstate(over="ignore", invalid="ignore"):
        drawing = read(value, anchor, what, image)
    for line in drawing.warnings(what):
        warn(line)
    return assembled(drawing.shapes, anchor, what)


def _label_map(
    path: Path | HeldFile,
    tables: Sequence[Path | HeldFile],
    values: Sequence[Any],
    anchor: Picture,
) -> RegionSet:
    names = names_from(values[0], str(tables[0])) if tables else {}
    try:
        held = HeldFile(str(path), picture_bytes(path, str(path)))
    except ImageError as e:
        raise RegionError(str(e)) from e
    return _regions_of_map(held, Frame.of(anchor), tuple(names.items()))


@lru_cache(maxsize=16)
def _regions_of_map(held: HeldFile, frame: Frame, names: tuple[tuple[int, str], ...]) -> RegionSet:
    """The regions of a label map's bytes; pairs in a row often share one."""
    array = read_label_picture(held, frame)
    if array.ndim == 3:
        raise RegionError(
            f"{held}: found RGB, expected one channel of label numbers (8 or 16 bits, or a "
            f"palette); for COCO panoptic say panoptic:{Path(held.name).name},FILE.json"
        )
    return RegionSet.from_label_map(array, dict(names), size=frame.size, source=str(held))


def _panoptic(spec: RegionFiles | HeldRegions, values: Sequence[Any], anchor: Picture) -> RegionSet:
    main = next((k for k, value in enumerate(values) if is_panoptic(value)), 0)
    names: dict[int, str] = {}
    for k, value in enumerate(values):
        if k != main:
            names.update(names_from(value, str(spec.tables[k])))
    return regions_from_panoptic(
        values[main], spec.tables[main], spec.picture, names, anchor, spec.image
    )
