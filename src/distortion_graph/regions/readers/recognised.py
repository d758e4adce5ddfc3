"""Which reader a file's content asks for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias
from xml.etree.ElementTree import Element

from distortion_graph.base.errors import RegionError
from distortion_graph.pictures.images import Picture
from distortion_graph.regions.readers.cvat import read_cvat
from distortion_graph.regions.readers.documents import local_name
from distortion_graph.regions.readers.geojson import is_geojson, read_geojson
from distortion_graph.regions.readers.graphs import is_graph, read_graph_regions
from distortion_graph.regions.readers.label_studio import read_label_studio
from distortion_graph.regions.readers.label_studio_tasks import is_label_studio
from distortion_graph.regions.readers.labelme import is_labelme, read_labelme
from distortion_graph.regions.readers.svg import read_svg
from distortion_graph.regions.shapes import Drawing

Reader: TypeAlias = Callable[[Any, Picture, str, str | None], Drawing]
"""From a value, the picture, the file's name and which picture is wanted to the shapes on it."""

_OF_XML: dict[str, Reader] = {"svg": read_svg, "annotations": read_cvat}
_OF_JSON: tuple[tuple[Callable[[Any], bool], Reader], ...] = (
    (is_graph, read_graph_regions),
    (is_labelme, read_labelme),
    (is_geojson, read_geojson),
    (is_label_studio, read_label_studio),
)


def reader_of(value: Any, what: str) -> Reader | None:
    """The reader of a document (`documents.read_document`); None for a list of regions and COCO.

    Raises RegionError, its line beginning with `what`, for XML of another kind.
    """
    if isinstance(value, Element):
        kind = local_name(value)
        if kind not in _OF_XML:
            raise RegionError(
                f"{what}: found XML of <{kind:.40}>, expected an SVG or CVAT's <annotations>"
            )
        return _OF_XML[kind]
    return next((read for fits, read in _OF_JSON if fits(value)), None)
