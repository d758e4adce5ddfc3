"""labelme's JSON: one file per picture, with polygons, rectangles, circles and masks.

Shapes of one label and group are parts of one region, as in labelme's own conversions.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from distortion_graph.base.errors import RegionError
from distortion_graph.masks.boxes import Box, Crop
from distortion_graph.masks.rle import Rle, rle_from_crop
from distortion_graph.pictures.images import Picture
from distortion_graph.regions.coco_entries import chosen_place
from distortion_graph.regions.fitting import turns
from distortion_graph.regions.polygons import Ring, ellipse, rectangle
from distortion_graph.regions.readers.png_masks import mask_of_png
from distortion_graph.regions.readers.points import points_of
from distortion_graph.regions.shapes import Drawing, Shape

_NO_AREA = ("point", "points", "line", "linestrip")
_AREAS = "polygon, rectangle, oriented_rectangle, circle or mask"


def is_labelme(value: Any) -> bool:
    """Whether a JSON value is a file of labelme's: an object with `shapes`."""
    return isinstance(value, dict) and isinstance(value.get("shapes"), list)


def read_labelme(
    value: Mapping[str, Any], picture: Picture, what: str, image: str | None
) -> Drawing:
    """The shapes of a labelme file, on the size that it names, else the picture's.

    Raises RegionError, its line beginning with `what`.
    """
    path = value.get("imagePath")
    chosen_place([path if isinstance(path, str) else None], [0], picture.source, image, what)
    height, width = value.get("imageHeight"), value.get("imageWidth")
    canvas = picture.size
    if type(height) is int and type(width) is int and height > 0 and width > 0:
        canvas = height, width
        turns(canvas, picture, what)
    drawing = Drawing()
    for index, entry in enumerate(value["shapes"]):
        if not isinstance(entry, dict):
            raise RegionError(f"{what}: shape {index}: expected an object, got {entry!r:.40}")
        kind = entry.get("shape_type") or "polygon"
        if kind in _NO_AREA:
            drawing.no_area[kind] += 1
            continue
        label = str(entry.get("label") or "") or None
        where = f"{what}: shape {index}" + (f" ({label})" if label else "")
        group = entry.get("group_id")
        group = None if group is None else (label, str(group))
        drawing.shapes.append(
            Shape(where, _mask(kind, entry, canvas, where, drawing), label, None, group)
        )
    return drawing


def _mask(
    kind: str, entry: Mapping[str, Any], canvas: tuple[int, int], what: str, drawing: Drawing
) -> Rle:
    points = points_of(entry.get("points"), what)
    if kind == "mask":
        return _picture_mask(entry.get("mask"), points, canvas, what)
    if kind == "polygon" and len(points) < 3:
        raise RegionError(f"{what}: a polygon of {len(points)} points, expected at least 3")
    if kind in ("rectangle", "circle") and len(points) != 2:
        raise RegionError(f"{what}: a {kind} of {len(points)} points, expected 2")
    if kind == "rectangle":
        points = rectangle(*points.min(0), *points.max(0))
    elif kind == "circle":
        (x, y), (edge_x, edge_y) = points.tolist()
        radius = math.hypot(edge_x - x, edge_y - y)
        points = ellipse(x, y, radius, radius)
    elif kind not in ("polygon", "oriented_rectangle"):
        raise RegionError(f"{what}: a shape of type {kind!r:.40}, expected {_AREAS}")
    return drawing.drawn(points, canvas, what)


def _picture_mask(data: Any, points: Ring, canvas: tuple[int, int], what: str) -> Rle:
    """The mask of a PNG, whose top left pixel is at the first point."""
    if not isinstance(data, str) or len(points) != 2:
        raise RegionError(f"{what}: expected a PNG in base64 under `mask`, and two corners")
    ink = mask_of_png(data, canvas, what)
    corner, opposite = points.tolist()
    expected = [math.floor(b - a) + 1 for a, b in zip(corner, opposite, strict=True)]
    whole = all(v.is_integer() for v in (*corner, *opposite))
    # Corners between pixels are rounded, as labelme does; they need not tell the size.
    if whole and [ink.shape[1], ink.shape[0]] != expected:
        raise RegionError(
            f"{what}: its mask is {ink.shape[1]}×{ink.shape[0]} pixels, expected "
            f"{expected[0]}×{expected[1]} as its corners say"
        )
    left, top = (round(v) for v in corner)
    box = Box(left, top, ink.shape[1], ink.shape[0])
    inside = box.clipped(canvas)
    return rle_from_crop(Crop(inside, ink[inside.within(box)]), canvas)
