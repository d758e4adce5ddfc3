"""Regions of an earlier graph: its masks in one of its pictures, with their ids and names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from distortion_graph.base.errors import GraphError, RegionError
from distortion_graph.graph import (
    SIDES,
    DistortionGraph,
    RegionAlone,
    RegionComparison,
    Side,
    graph_from_value,
)
from distortion_graph.masks.rle import Rle
from distortion_graph.pictures.images import Picture
from distortion_graph.regions.coco_entries import chosen_place
from distortion_graph.regions.shapes import Drawing, Shape


def is_graph(value: Any) -> bool:
    """Whether a JSON value is a distortion graph, native or published."""
    return isinstance(value, dict) and ("schema" in value or {"objects", "art"} <= value.keys())


def read_graph_regions(
    value: Mapping[str, Any], picture: Picture, what: str, image: str | None
) -> Drawing:
    """The masks of a native graph, in the picture that `image` names or that fits by its name.

    Those that this picture alone has are among them. Where both pictures have the same masks, which
    one does not matter. Raises RegionError, its line beginning with `what`, also for regions
    without masks.
    """
    if "schema" not in value:
        raise RegionError(
            f"{what}: a graph in the published form, which has no masks; expected a native one"
        )
    try:
        graph = graph_from_value(value, what)
    except GraphError as e:
        raise RegionError(str(e)) from e
    side = _side(graph, picture, what, image)
    drawing = Drawing()
    regions: list[RegionComparison | RegionAlone] = [*graph.regions]
    regions += [lone for lone in graph.alone if lone.side == side]
    for region in regions:
        mask = region.mask if isinstance(region, RegionAlone) else region.mask_of(side)
        where = f"{what}: region {region.id} ({region.name})"
        if mask is None:
            raise RegionError(f"{where}: has no mask, expected a graph with masks")
        drawing.shapes.append(Shape(where, Rle(mask.size, mask.counts), region.name, region.id))
    return drawing


def _side(graph: DistortionGraph, picture: Picture, what: str, image: str | None) -> Side:
    same = not graph.alone and all(region.target.mask is None for region in graph.regions)
    if image is None and same:
        return "anchor"
    sources = [graph.picture_of(side).source or side for side in SIDES]
    return SIDES[chosen_place(sources, SIDES, picture.source, image, what)]
