"""CVAT's XML "CVAT for images 1.1": pictures with boxes, polygons, ellipses and masks.

Shapes of one label and group are parts of one region, as in CVAT's conversion to COCO. Attributes
named `region_id` and `name`, which `--format cvat` writes, number and name a region; else its label
names it.
"""

from __future__ import annotations

from xml.etree.ElementTree import Element

from distortion_graph.base.errors import GraphError, RegionError
from distortion_graph.formats.cvat import mask_of_runs
from distortion_graph.formats.xml_text import from_xml_text
from distortion_graph.masks.boxes import Box, Crop
from distortion_graph.masks.rle import Rle, rle_from_crop
from distortion_graph.pictures.images import Picture
from distortion_graph.regions.coco_entries import chosen_place
from distortion_graph.regions.fitting import turns
from distortion_graph.regions.polygons import ellipse, rectangle
from distortion_graph.regions.readers.points import numbers, points_in
from distortion_graph.regions.shapes import Drawing, Shape, whole_number

_NO_AREA = ("points", "polyline", "cuboid", "skeleton", "tag")


def read_cvat(root: Element, picture: Picture, what: str, image: str | None) -> Drawing:
    """The shapes of one picture of a CVAT file, on the size that the file gives it.

    Raises RegionError, its line beginning with `what`.
    """
    images = root.findall("image")
    if not images:
        found = "CVAT for video" if root.find("track") is not None else "no image element"
        raise RegionError(f"{what}: found {found}, expected an export as CVAT for images 1.1")
    names, ids = ([element.get(key) for element in images] for key in ("name", "id"))
    drawn = [k for k, element in enumerate(images) if any(c.tag not in _NO_AREA for c in element)]
    chosen = images[chosen_place(names, ids, picture.source, image, what, drawn)]
    width, height = (whole_number(chosen.get(key)) for key in ("width", "height"))
    canvas = (height, width) if height and width else picture.size
    turns(canvas, picture, what)
    drawing = Drawing()
    for index, element in enumerate(chosen):
        if element.tag in _NO_AREA:
            drawing.no_area[element.tag] += 1
            continue
        drawing.shapes.append(_shape(element, index, canvas, what, drawing))
    return drawing


def _shape(
    element: Element, index: int, canvas: tuple[int, int], what: str, drawing: Drawing
) -> Shape:
    facts = {a.get("name"): a.text or "" for a in element.findall("attribute")}
    try:
        label = from_xml_text(element.get("label", ""), what)
        name = from_xml_text(facts.get("name", ""), what) or label or None
    except GraphError as e:
        raise RegionError(str(e)) from e
    where = f"{what}: {element.tag} {index}" + (f" ({name})" if name else "")
    group = element.get("group_id", "0")
    return Shape(
        where,
        _mask(element, canvas, where, drawing),
        name,
        whole_number(facts.get("region_id")),
        None if group == "0" else (name, group),
    )


def _mask(element: Element, canvas: tuple[int, int], what: str, drawing: Drawing) -> Rle:
    degrees = numbers(element, ("rotation",), what)[0] if "rotation" in element.attrib else 0.0
    match element.tag:
        case "mask":
            return _runs(element, canvas, what)
        case "polygon":
            ring = points_in(element.get("points"), what)
        case "box":
            left, top, right, bottom = numbers(element, ("xtl", "ytl", "xbr", "ybr"), what)
            ring = rectangle(left, top, right, bottom, degrees)
        case "ellipse":
            x, y, radius_x, radius_y = numbers(element, ("cx", "cy", "rx", "ry"), what)
            ring = ellipse(x, y, radius_x, radius_y, degrees)
        case other:
            raise RegionError(f"{what}: <{other!s:.40}>, expected box, polygon, ellipse or mask")
    return drawing.drawn(ring, canvas, what)


def _runs(element: Element, canvas: tuple[int, int], what: str) -> Rle:
    left, top, width, height = (
        whole_number(element.get(key)) for key in ("left", "top", "width", "height")
    )
    if left is None or top is None or not width or not height:
        raise RegionError(f"{what}: expected left, top, width and height as whole numbers")
    box = Box(left, top, width, height)
    if box.clipped(canvas) != box:
        raise RegionError(
            f"{what}: its box of {width}×{height} pixels at {left}, {top} leaves the picture, "
            f"which is {canvas[1]}×{canvas[0]}"
        )
    try:
        mask = mask_of_runs(element.get("rle", ""), (height, width))
    except ValueError as e:
        raise RegionError(f"{what}: {e}") from e
    return rle_from_crop(Crop(box, mask), canvas)
