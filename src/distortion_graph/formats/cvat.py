"""CVAT for images 1.1: an image element a picture, with a mask element a region.

The distortion is the mask's label. Names of region, severity, score and the rest are attributes,
which the labels in `meta` declare: a task must have labels with these attributes to take them.
Regions without a mask are left out. Texts that XML cannot hold are written as in GraphML.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.vocabulary import Vocabulary
from distortion_graph.formats.flat import Scalar
from distortion_graph.formats.marked import Marked, marked_regions, size_of, source_of
from distortion_graph.formats.xml_text import to_xml_text
from distortion_graph.graph import SIDES, DistortionGraph
from distortion_graph.masks.boxes import Crop

_TEXTS = (
    "area_fraction",
    "distortion_probability",
    "severity_probability",
    "score",
    "known",
    "opinion",
    "also",
    "comparison_probability",
    "margin",
    "psnr_db",
    "ssim",
    "haarpsi",
    "delta_e",
    "more",
    "differs_share",
    "differs_equal",
    "spots_height",
    "spots_width",
    "spots",
)
"""Attributes that CVAT takes as text: numbers of many places, for its own are whole, and lists."""


def dumps(graph: DistortionGraph) -> str:
    """The XML text, with its declaration."""
    root = ElementTree.Element("annotations")
    _leaf(root, "version", "1.1")
    _meta(ElementTree.SubElement(root, "meta"), graph.vocabulary)
    for number, side in enumerate(SIDES):
        image = ElementTree.SubElement(root, "image", id=str(number))
        image.set("name", to_xml_text(source_of(graph, side)))
        height, width = size_of(graph, side) or (0, 0)
        image.set("width", str(width))
        image.set("height", str(height))
        for marked in marked_regions(graph, side):
            _mask(image, marked)
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'


def run_lengths(crop: Crop) -> list[int]:
    """The runs of the mask inside its box, row by row, the first one background."""
    flat = crop.mask.ravel()
    edges = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    start = [0, 0] if flat[0] else [0]
    runs: list[int] = np.diff(np.concatenate((start, edges, [flat.size]))).tolist()
    return runs


def mask_of_runs(text: str, size: tuple[int, int]) -> NDArray[np.bool_]:
    """The (h, w) mask inside its box of runs as `run_lengths` gives them, parted by commas.

    Raises ValueError, which says what is wrong, for text that is no runs of such a box.
    """
    try:
        runs = np.array([int(run) for run in text.split(",")], np.int64)
    except (OverflowError, ValueError):
        raise ValueError("its runs are no whole numbers parted by commas") from None
    # Python integers: hostile runs must not overflow into the right sum.
    if runs.min() < 0 or sum(runs.tolist()) != size[0] * size[1]:
        raise ValueError(
            f"its runs are {sum(runs.tolist())} pixels, expected {size[0] * size[1]} for a box of "
            f"{size[1]}×{size[0]}"
        )
    ink = np.arange(runs.size) % 2 == 1
    mask: NDArray[np.bool_] = np.repeat(ink, runs).reshape(size)
    return mask


def _meta(meta: ElementTree.Element, vocabulary: Vocabulary) -> None:
    labels = ElementTree.SubElement(ElementTree.SubElement(meta, "task"), "labels")
    for distortion in vocabulary.distortions:
        label = ElementTree.SubElement(labels, "label")
        _leaf(label, "name", to_xml_text(distortion))
        _leaf(label, "type", "mask")
        attributes = ElementTree.SubElement(label, "attributes")
        for name, values in _declared(vocabulary):
            attribute = ElementTree.SubElement(attributes, "attribute")
            _leaf(attribute, "name", name)
            _leaf(attribute, "mutable", "False")
            _leaf(attribute, "input_type", "select" if values else "text")
            _leaf(attribute, "default_value", values[0] if values else "")
            _leaf(attribute, "values", "\n".join(values))


def _declared(vocabulary: Vocabulary) -> Iterator[tuple[str, list[str]]]:
    """Names of the attributes and, where one is a choice, what there is to choose."""
    yield from (("region_id", []), ("name", []))
    yield "severity", [to_xml_text(label) for label in vocabulary.severities]
    yield "comparison", [to_xml_text(label) for label in vocabulary.comparison_labels]
    yield from ((name, []) for name in _TEXTS)


def _mask(image: ElementTree.Element, marked: Marked) -> None:
    crop = marked.mask.crop()
    facts: dict[str, Scalar] = {
        "label": marked.node.distortion.label,
        "source": "auto",
        "occluded": 0,
        "rle": ", ".join(map(str, run_lengths(crop))),
        "left": crop.box.x,
        "top": crop.box.y,
        "width": crop.box.width,
        "height": crop.box.height,
        "z_order": 0,
    }
    texts = {key: to_xml_text(str(value)) for key, value in facts.items()}
    mask = ElementTree.SubElement(image, "mask", texts)
    for name, value in marked.attributes().items():
        _leaf(mask, "attribute", to_xml_text(str(value))).set("name", name)


def _leaf(parent: ElementTree.Element, tag: str, text: str) -> ElementTree.Element:
    leaf = ElementTree.SubElement(parent, tag)
    leaf.text = text
    return leaf
