"""GeoJSON (RFC 7946) in pixels, as QuPath and others write it: x to the right, y downwards.

A feature is a region; a geometry alone is one too. Properties name it, a whole number as its `id`
numbers it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from distortion_graph.base.errors import RegionError
from distortion_graph.pictures.images import Picture
from distortion_graph.regions.coco_entries import refuse_choice
from distortion_graph.regions.polygons import Ring, fill_with_holes
from distortion_graph.regions.readers.points import points_of
from distortion_graph.regions.shapes import Drawing, Shape, checked, whole_number

_AREAS = ("Polygon", "MultiPolygon")
_NO_AREA = ("Point", "MultiPoint", "LineString", "MultiLineString")
_TYPES = (*_AREAS, *_NO_AREA, "GeometryCollection", "Feature", "FeatureCollection")
_NAMES = ("name", "label", "class", "category", "title", "classification")


def is_geojson(value: Any) -> bool:
    """Whether a JSON value is GeoJSON, or a list of features, as older QuPath writes them."""
    if isinstance(value, list):
        return bool(value) and isinstance(value[0], dict) and value[0].get("type") == "Feature"
    return isinstance(value, dict) and value.get("type") in _TYPES


def read_geojson(value: Any, picture: Picture, what: str, image: str | None) -> Drawing:
    """The shapes of GeoJSON, on the picture itself. Raises RegionError, its line beginning with
    `what`, also for coordinates that are said to be degrees or metres (`crs`)."""
    refuse_choice(image, what)
    if isinstance(value, dict) and value.get("crs") is not None:
        raise RegionError(f"{what}: its `crs` says where on Earth it is, expected pixels")
    drawing = Drawing()
    for index, feature in enumerate(_features(value)):
        where = f"{what}: feature {index}"
        if not isinstance(feature, dict):
            raise RegionError(f"{where}: expected an object, got {feature!r:.40}")
        name = _name(feature)
        where += f" ({name})" if name else ""
        geometry = feature.get("geometry") if feature.get("type") == "Feature" else feature
        polygons = list(_polygons(geometry, where, drawing))
        if polygons:
            rle = fill_with_holes(polygons, picture.size, where)
            for outline, *_ in polygons:
                drawing.look_at(outline, picture.size, where)
            outlines = np.concatenate([rings[0] for rings in polygons])
            number = whole_number(feature.get("id"))
            drawing.shapes.append(Shape(where, checked(rle, outlines, where), name, number))
    return drawing


def _features(value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    if value.get("type") != "FeatureCollection":
        return [value]
    features = value.get("features")
    return features if isinstance(features, list) else []


def _name(feature: Mapping[str, Any]) -> str | None:
    """The name among the properties, or, in QuPath's, that of the class."""
    properties = feature.get("properties")
    facts = properties if isinstance(properties, dict) else {}
    texts = [facts.get(key) for key in _NAMES]
    if isinstance(texts[-1], dict):
        texts[-1] = texts[-1].get("name")
    return next((str(text) for text in texts if isinstance(text, str | int) and text != ""), None)


def _polygons(geometry: Any, what: str, drawing: Drawing) -> Iterator[list[Ring]]:
    """Outline and holes of every polygon of a geometry, or of those in a collection."""
    parts = [geometry]
    if isinstance(geometry, dict) and geometry.get("type") == "GeometryCollection":
        inner = geometry.get("geometries")
        parts = inner if isinstance(inner, list) else []
    for part in parts:
        kind = part.get("type") if isinstance(part, dict) else None
        if part is None or kind in _NO_AREA:
            drawing.no_area[kind or "feature without a geometry"] += 1
            continue
        rings = part.get("coordinates") if kind in _AREAS else None
        if not isinstance(rings, list):
            areas = " or ".join(_AREAS)
            raise RegionError(f"{what}: found a geometry of type {kind!r:.40}, expected {areas}")
        for polygon in [rings] if kind == "Polygon" else rings:
            if not isinstance(polygon, list) or not polygon:
                raise RegionError(f"{what}: a polygon without coordinates")
            yield [points_of(ring, what) for ring in polygon]
