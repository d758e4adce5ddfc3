"""Regions from JSON: lists of masks, polygons and boxes, COCO annotations and COCO panoptic.

Two shapes of the outer value are read: a list of regions, and COCO's object with `annotations`,
`categories` and `images`. A region is one of

- a compressed or uncompressed COCO RLE, `{"size": [h, w], "counts": …}`, itself or under
  `segmentation`;
- polygons, `{"segmentation": [[x1, y1, x2, y2, …], …]}` or `{"polygon": …}`, in pixels, joined;
- a box, `{"bbox": [x, y, width, height]}`, in pixels; a pixel belongs to it when its centre
  (at +0.5) does.

`name` names it, else the one among its `attributes`, where `--format coco` writes it, else the name
of its `category_id`, else "region N". Ids are the `region_id` among the attributes, else indices
from 0; in COCO panoptic they are the segment ids (R + 256·G + 65536·B).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from distortion_graph.base.errors import RegionError
from distortion_graph.base.files import HeldFile, kind_of
from distortion_graph.masks.container import Region, RegionSet, default_name
from distortion_graph.masks.rle import Rle, rle_from_box, rle_from_runs, rle_from_text
from distortion_graph.pictures.images import Picture
from distortion_graph.pictures.picture_names import file_in, parts_of
from distortion_graph.regions.coco_entries import image_entry, panoptic_entry, refuse_choice
from distortion_graph.regions.fitting import read_label_picture, turns
from distortion_graph.regions.readers.documents import read_document
from distortion_graph.regions.shapes import EMPTY, Shape, assembled, whole_number


def is_panoptic(value: Any) -> bool:
    """Whether a JSON value is COCO panoptic: annotations with `segments_info`."""
    entries = value.get("annotations") if isinstance(value, dict) else None
    return isinstance(entries, list) and any(
        isinstance(e, dict) and "segments_info" in e for e in entries
    )


def names_from(value: Any, what: str) -> dict[int, str]:
    """Names by number: COCO categories (a list, or an object's `categories`) or {"1": "sky"}."""
    if isinstance(value, dict) and "categories" in value:
        value = value["categories"]
    try:
        if isinstance(value, list):
            return {int(c["id"]): str(c["name"]) for c in value}
        return {int(k): str(v) for k, v in value.items()}
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as e:
        raise RegionError(
            f'{what}: expected names as {{"1": "sky"}} or COCO categories [{{"id", "name"}}]'
        ) from e


def regions_from_json(
    value: Any, picture: Picture, what: str, image: str | None = None
) -> RegionSet:
    """Regions of a JSON value that is a list of regions or COCO annotations.

    Of COCO annotations of several pictures, those of the picture that `image` chooses are used, or
    else of the one whose name fits this picture's (`coco_entries.image_entry`).
    Raises RegionError, its line beginning with `what`: an entry without a usable mask, one of
    another size, an empty one, no region at all.
    """
    names: dict[int, str] = {}
    canvas = picture.size
    entries = value
    if isinstance(value, dict):
        entries = value.get("annotations")
        names = names_from(value["categories"], what) if value.get("categories") else {}
    if not isinstance(entries, list):
        found = "an object without it" if isinstance(value, dict) else type(value).__name__
        raise RegionError(
            f"{what}: expected a list of regions or COCO's object with `annotations` (or what "
            f"labelme, Label Studio or GeoJSON have, or a graph), got {found}"
        )
    if isinstance(value, dict) and value.get("images"):
        chosen = image_entry(value["images"], entries, picture.source, image, what)
        entries = [e for e in entries if isinstance(e, dict) and e.get("image_id") == chosen["id"]]
        if isinstance(chosen.get("height"), int) and isinstance(chosen.get("width"), int):
            canvas = chosen["height"], chosen["width"]
    else:
        refuse_choice(image, what)
    shapes = (_shape(entry, k, names, canvas, picture, what) for k, entry in enumerate(entries))
    return assembled(shapes, picture, what)


def regions_from_panoptic(
    value: Any,
    json_path: Path | HeldFile,
    png: Path | HeldFile | None,
    names: Mapping[int, str],
    picture: Picture,
    image: str | None = None,
) -> RegionSet:
    """Regions of a COCO panoptic PNG + JSON; ids are the segment ids, 0 is unlabelled.

    Without `png` the annotation is the one of the picture's file name, or of `image` where that is
    given, and its PNG is sought in the folder named like the JSON beside it, then beside the JSON;
    beside a held file nothing is sought. Names come from the JSON's `categories`, else from
    `names`. Raises RegionError where PNG and JSON disagree.
    """
    what = str(json_path)
    if not is_panoptic(value):
        raise RegionError(f"{what}: not COCO panoptic, expected annotations with `segments_info`")
    entry = panoptic_entry(value, png, picture.source, image, what)
    if png is None:
        if isinstance(json_path, HeldFile):
            raise RegionError(f"{what}: COCO panoptic without its PNG, expected both files")
        png = _panoptic_png(json_path, str(entry.get("file_name")))
    categories = names_from(value["categories"], what) if value.get("categories") else names
    return segment_regions(png, segments_of(entry, what), categories, picture, what)


def segments_of(entry: Mapping[str, Any], what: str) -> dict[int, int | None]:
    """Category numbers by segment id of an annotation's `segments_info`, in its order.

    Raises RegionError, its line beginning with `what`, for ids that are no numbers or not distinct.
    """
    try:
        pairs = [(int(s["id"]), s.get("category_id")) for s in entry["segments_info"]]
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as e:
        raise RegionError(f"{what}: segments_info without whole-number ids") from e
    listed = {i: c if isinstance(c, int) else None for i, c in pairs}
    if len(listed) != len(pairs):
        raise RegionError(f"{what}: segments_info with an id twice, expected distinct ids")
    return listed


def segment_regions(
    png: Path | HeldFile,
    listed: Mapping[int, int | None],
    names: Mapping[int, str],
    picture: Picture,
    what: str,
) -> RegionSet:
    """Regions of a COCO panoptic PNG whose segments are `listed` with their category numbers.

    Ids are the segment ids, ascending; `names` are by category number. `what` names the list in
    errors. Raises RegionError where PNG and list disagree.
    """
    rgb = read_label_picture(png, picture)
    if rgb.ndim != 3:
        raise RegionError(f"{png}: found one channel, expected COCO panoptic's RGB segment numbers")
    ids = rgb.astype(np.int32) @ np.array([1, 256, 65536], np.int32)
    labelled = RegionSet.from_label_map(ids, source=str(png))
    named = {i: None if c is None else names.get(c) for i, c in listed.items()}
    there = set(labelled.ids)
    for segment in labelled.ids:
        if segment not in named:
            raise RegionError(f"{png}: segment {segment} is not listed in {what}; do they belong?")
    for segment, name in named.items():
        if segment not in there:
            name = name or "no name"
            raise RegionError(f"{png}: segment {segment} ({name}) of {what} is empty, has no pixel")
    regions = (Region(r.id, named[r.id] or default_name(r.id), r.rle) for r in labelled)
    return RegionSet(labelled.size, tuple(regions))


def _shape(
    entry: Any,
    index: int,
    names: Mapping[int, str],
    canvas: tuple[int, int],
    picture: Picture,
    what: str,
) -> Shape:
    what = f"{what}: region {index}"
    if not isinstance(entry, dict):
        raise RegionError(f"{what}: expected an object with a mask, got {type(entry).__name__}")
    attributes = entry.get("attributes")
    facts = attributes if isinstance(attributes, dict) else {}
    name = entry.get("name")
    if name is None:
        category = entry.get("category_id")
        name = facts.get("name") or (names.get(category) if isinstance(category, int) else None)
    what = f"{what} ({default_name(index) if name is None else name})"
    rle = _rle(entry, canvas, picture, what)
    return Shape(
        what, rle, None if name is None else str(name), whole_number(facts.get("region_id"))
    )


def _rle(entry: Mapping[str, Any], canvas: tuple[int, int], picture: Picture, what: str) -> Rle:
    shape = entry if "counts" in entry else entry.get("segmentation") or entry.get("polygon")
    if isinstance(shape, dict):
        return _checked_rle(shape, what)
    turns(canvas, picture, what)  # what a file says of its own size may be anything
    if shape:
        return _polygons(shape, canvas, what)
    if entry.get("bbox") is not None:
        return _box(entry["bbox"], canvas, what)
    raise RegionError(f"{what}: no mask, expected `counts` and `size`, `segmentation` or `bbox`")


def _checked_rle(value: Mapping[str, Any], what: str) -> Rle:
    size = value.get("size")
    if not (
        isinstance(size, list) and len(size) == 2 and all(type(n) is int and n > 0 for n in size)
    ):
        raise RegionError(f"{what}: RLE size is {size!r}, expected [height, width]")
    counts = value.get("counts")
    h, w = size
    if isinstance(counts, str):
        return rle_from_text(counts, (h, w), what)
    return rle_from_runs(counts, (h, w), what)


def _polygons(value: Any, canvas: tuple[int, int], what: str) -> Rle:
    """COCO's own rasteriser; several polygons are joined."""
    from pycocotools import mask as coco

    h, w = canvas
    listed = value if isinstance(value, list) else [value]
    rings = listed if isinstance(listed[0], list) else [listed]
    if rings and all(isinstance(p, list) and len(p) == 2 for p in rings):
        rings = [[x for point in rings for x in point]]  # one polygon as [x, y] points
    for ring in rings:
        if not isinstance(ring, list) or len(ring) < 6 or len(ring) % 2 or not _numbers(ring):
            raise RegionError(f"{what}: a polygon must be [x1, y1, x2, y2, x3, y3, …] in pixels")
        far = max(map(abs, ring))
        if far > 2 * max(h, w) + 2:
            raise RegionError(f"{what}: a polygon reaches {far:g}, far out of the {w}×{h} picture")
    packed = coco.merge(coco.frPyObjects(rings, h, w))
    return rle_from_text(packed["counts"].decode("ascii"), (h, w), what)


def _box(value: Any, canvas: tuple[int, int], what: str) -> Rle:
    if not (isinstance(value, list) and len(value) == 4 and _numbers(value)):
        raise RegionError(f"{what}: bbox is {value!r}, expected [x, y, width, height] in pixels")
    x, y, width, height = value
    h, w = canvas
    # The pixels whose centres, at +0.5, are inside.
    left, right = (min(max(math.ceil(v - 0.5), 0), w) for v in (x, x + width))
    top, bottom = (min(max(math.ceil(v - 0.5), 0), h) for v in (y, y + height))
    if right <= left or bottom <= top:
        raise RegionError(f"{what}: {EMPTY}")
    return rle_from_box(canvas, top, left, bottom, right)


def _numbers(values: Sequence[Any]) -> bool:
    return all(type(v) in (int, float) and abs(v) < 2**31 for v in values)  # which NaN is not


def _panoptic_png(json_path: Path, name: str) -> Path:
    places = _panoptic_places(json_path, name)
    for place in places:
        if kind_of(place) == "file":
            return place
    raise RegionError(
        f"{json_path}: no {' and no '.join(map(str, places))}; name the PNG: "
        "panoptic:FILE.png,FILE.json"
    )


def panoptic_pictures(json_path: Path) -> list[Path]:
    """Every place where the PNGs of COCO panoptic annotations are sought; none for another file.

    Raises RegionError for a file that cannot be read.
    """
    value = read_document(json_path)
    if not is_panoptic(value):
        return []
    entries = [entry for entry in value["annotations"] if isinstance(entry, dict)]
    names = dict.fromkeys(str(entry.get("file_name")) for entry in entries)
    return [place for name in names for place in _panoptic_places(json_path, name)]


def _panoptic_places(json_path: Path, name: str) -> list[Path]:
    """Where an annotation's PNG may be: in the JSON's own folder of PNGs, then beside the JSON.

    A name from inside a file must not lead out of the folder, so only its last part counts.
    """
    last = parts_of(name)[-1:] or ("",)
    folders = (json_path.with_suffix(""), json_path.parent)
    return [file_in(folder, last[0]) or folder / last[0] for folder in folders]
