"""COCO annotations: the regions as instances, their distortions as categories.

Image 1 is the anchor, 2 the target. Category ids are positions in the vocabulary + 1, so that they
are the same for every graph of one vocabulary. What else is known of a region in a picture is in
its `attributes`, where CVAT and others look for it; the comparison there is as seen from that
picture. Regions without a mask are left out.
"""

from __future__ import annotations

import json
from typing import Any

from distortion_graph.formats.marked import Marked, marked_regions, size_of, source_of
from distortion_graph.graph import SIDES, DistortionGraph, Side


def to_coco(graph: DistortionGraph) -> dict[str, Any]:
    """The object that COCO's own reader takes; `info` has model, metrics and vocabulary."""
    annotations: list[dict[str, Any]] = []
    for image, side in enumerate(SIDES, start=1):
        for marked in marked_regions(graph, side):
            annotations.append(_annotation(graph, marked, len(annotations) + 1, image))
    labels = enumerate(graph.vocabulary.distortions, start=1)
    return {
        "info": {
            "description": "distortion-graph",
            "model": graph.model and graph.model.model_dump(mode="json"),
            "metrics": [metric.model_dump(mode="json") for metric in graph.metrics],
            "vocabulary": graph.vocabulary.model_dump(mode="json"),
        },
        "images": [_image(graph, side, image) for image, side in enumerate(SIDES, start=1)],
        "categories": [
            {"id": k, "name": label, "supercategory": "distortion"} for k, label in labels
        ],
        "annotations": annotations,
    }


def dumps(graph: DistortionGraph, indent: int | None = None) -> str:
    """COCO annotations as JSON text."""
    return json.dumps(to_coco(graph), ensure_ascii=False, allow_nan=False, indent=indent)


def _image(graph: DistortionGraph, side: Side, image: int) -> dict[str, Any]:
    picture, size = graph.picture_of(side), size_of(graph, side)
    entry: dict[str, Any] = {"id": image, "file_name": source_of(graph, side), "side": side}
    if size is not None:
        entry |= {"height": size[0], "width": size[1]}
    return entry | {"sha256": picture.sha256, "sha256_of": picture.sha256_of}


def _annotation(
    graph: DistortionGraph, marked: Marked, annotation: int, image: int
) -> dict[str, Any]:
    mask = marked.mask
    return {
        "id": annotation,
        "image_id": image,
        "category_id": graph.vocabulary.distortion_index(marked.node.distortion.label) + 1,
        "segmentation": {"size": list(mask.size), "counts": mask.counts},
        "bbox": list(mask.box_xywh()),
        "area": mask.area(),
        "iscrowd": 0,
        "attributes": marked.attributes(),
    }
