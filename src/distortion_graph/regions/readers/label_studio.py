"""Label Studio's exports, JSON and JSON-MIN: polygons, rectangles, ellipses, brushes and bitmasks.

Places are in percent of the picture. A rectangle turns clockwise about its top left corner, an
ellipse about its centre. Regions that `--format label-studio` wrote keep their ids and names; any
other is named by its labels. What is said of the whole picture, and relations, are not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from distortion_graph.base.errors import RegionError
from distortion_graph.formats.label_studio import decode_brush
from distortion_graph.masks.rle import Rle, rle_from_mask
from distortion_graph.pictures.images import Picture
from distortion_graph.regions.coco_entries import chosen_place
from distortion_graph.regions.fitting import turns
from distortion_graph.regions.polygons import Ring, ellipse, rectangle, turned
from distortion_graph.regions.readers.label_studio_tasks import Result, results_of, tasks_of
from distortion_graph.regions.readers.png_masks import mask_of_png
from distortion_graph.regions.readers.points import numbers, points_of
from distortion_graph.regions.shapes import Drawing, Shape

_OWN_ID = re.compile(r"(?:anchor|target):(\d{1,18})")
_PNG = "data:image/png;base64,"
_RECTANGLE = ("x", "y", "width", "height")
_ELLIPSE = ("x", "y", "radiusX", "radiusY")


def read_label_studio(value: Any, picture: Picture, what: str, image: str | None) -> Drawing:
    """The shapes of one task of an export, on the size that they name, else the picture's.

    Raises RegionError, its line beginning with `what`, also for a task with the work of several
    people, of which none is the ground truth.
    """
    tasks = tasks_of(value, what)
    names, ids = [task.picture for task in tasks], [task.id for task in tasks]
    drawn = [k for k, task in enumerate(tasks) if task.work]
    task = tasks[chosen_place(names, ids, picture.source, image, what, drawn)]
    drawing = Drawing()
    for index, results in enumerate(_by_region(results_of(task, what))):
        _draw(results, index, picture, what, drawing)
    return drawing


def _by_region(results: Iterable[Result]) -> list[list[Result]]:
    """The results of one id belong together: outline, labels, name and more."""
    found: dict[object, list[Result]] = {}
    for index, result in enumerate(results):
        if isinstance(result.get("value"), dict):
            found.setdefault(str(result.get("id", index)), []).append(result)
    return list(found.values())


def _draw(results: list[Result], index: int, picture: Picture, what: str, drawing: Drawing) -> None:
    """Add the region of some results, if they have one."""
    name = _name(results)
    where = f"{what}: region {index}" + (f" ({name})" if name else "")
    for result in results:
        value = result["value"]
        if "vertices" in value or ("width" in value and "height" not in value):
            drawing.no_area["vector" if "vertices" in value else "keypoint"] += 1
            return
        rle = _mask(result, picture, where, drawing)
        if rle is not None:
            own = _OWN_ID.fullmatch(str(result.get("id")))
            drawing.shapes.append(Shape(where, rle, name, int(own[1]) if own else None))
            return


def _name(results: list[Result]) -> str | None:
    """The text of a control called `name`, else the labels."""
    for result in results:
        text = result["value"].get("text")
        if result.get("from_name") == "name" and isinstance(text, list) and text:
            return str(text[0])
    labels = [
        str(label)
        for result in results
        for key, listed in result["value"].items()
        if key.endswith("labels") and isinstance(listed, list)
        for label in listed
    ]
    return ", ".join(dict.fromkeys(labels)) or None


def _mask(result: Result, picture: Picture, what: str, drawing: Drawing) -> Rle | None:
    """The mask of a result; None of one that draws nothing."""
    value = result["value"]
    keys = {"rle", "imageDataURL", "points", "radiusX", "height"} & value.keys()
    if not keys:
        return None
    if result.get("image_rotation") or result.get("item_index"):
        raise RegionError(
            f"{what}: drawn on a turned picture, or on one of several of a task; expected one "
            "picture per task, as it is"
        )
    height, width = result.get("original_height"), result.get("original_width")
    size = (height, width) if isinstance(height, int) and isinstance(width, int) else picture.size
    turns(size, picture, what)
    if "rle" in keys:
        return _brush(value, size, what)
    if "imageDataURL" in keys:
        url = str(value["imageDataURL"])
        ink = mask_of_png(url.removeprefix(_PNG), size, what)
        if ink.shape != size:
            raise RegionError(f"{what}: its bitmask is {ink.shape[1]}×{ink.shape[0]} pixels")
        return rle_from_mask(ink)
    return drawing.drawn(_outline(value, size, what), size, what)


def _brush(value: Mapping[str, Any], size: tuple[int, int], what: str) -> Rle:
    runs = value["rle"]
    try:
        if not isinstance(runs, list):  # of a number there would be as many zeros
            raise TypeError(f"found {type(runs).__name__}")
        return rle_from_mask(decode_brush(bytes(runs), size))
    except (TypeError, ValueError) as e:
        raise RegionError(f"{what}: its brush cannot be read ({e}), expected run lengths") from e


def _outline(value: Mapping[str, Any], size: tuple[int, int], what: str) -> Ring:
    """The outline in pixels: percents are scaled first, for turning takes equal sides."""
    percent = np.array([size[1], size[0]]) / 100
    degrees = numbers(value, ("rotation",), what)[0] if value.get("rotation") else 0.0
    if "points" in value:
        return points_of(value["points"], what) * percent
    if "radiusX" in value:
        places = np.reshape(numbers(value, _ELLIPSE, what), (2, 2)) * percent
        x, y, radius_x, radius_y = places.ravel().tolist()
        return ellipse(x, y, radius_x, radius_y, degrees)
    (left, top), (width, height) = np.reshape(numbers(value, _RECTANGLE, what), (2, 2)) * percent
    ring = rectangle(left, top, left + width, top + height)
    return turned(ring, degrees, np.array([left, top])) if degrees else ring
