"""CVAT for images: run lengths as CVAT writes them, labels and attributes."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import numpy as np
import pytest
from format_samples import HOSTILE, empty, full, hostile, many, masked
from graph_samples import ALSO
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from optional import present

from distortion_graph.formats.cvat import dumps, run_lengths
from distortion_graph.masks.rle import rle_from_mask

# Of cvat_sdk 2.80.0, cvat_sdk.masks.encode_mask(mask): runs, then the box's corner.
GOLDEN = [
    ([[0, 1, 1], [1, 0, 0]], [1, 3, 2], (0, 0)),
    ([[1]], [0, 1], (0, 0)),
    ([[1, 0, 1]], [0, 1, 1, 1], (0, 0)),
    ([[0, 0, 0], [0, 1, 1], [0, 0, 1]], [0, 2, 1, 1], (1, 1)),
]


def decode(mask, shape):
    """The mask of an element, from the words of CVAT's documentation of the format."""
    left, top, width, height = (int(mask.get(k)) for k in ("left", "top", "width", "height"))
    runs = [int(run) for run in mask.get("rle").split(", ")]
    assert sum(runs) == width * height
    flat = np.repeat(np.arange(len(runs)) % 2, runs)
    whole = np.zeros(shape, bool)
    whole[top : top + height, left : left + width] = flat.reshape(height, width)
    return whole


@pytest.mark.parametrize(("mask", "runs", "corner"), GOLDEN)
def test_run_lengths_are_cvats(mask, runs, corner):
    crop = rle_from_mask(np.array(mask, bool)).crop()
    assert run_lengths(crop) == runs and (crop.box.x, crop.box.y) == corner


def test_the_example_of_cvats_documentation_decodes_to_its_runs():
    """A mask of 13×15 pixels as the documentation of the format prints it."""
    text = (
        "3, 5, 7, 7, 5, 9, 3, 11, 2, 11, 2, 12, 1, 12, 1, 26, 1, 12, 1, 12, 2, 11, 3, 9, 5, 7, 7, "
        "5, 3"
    )
    runs = [int(run) for run in text.split(", ")]
    mask = np.repeat(np.arange(len(runs)) % 2, runs).reshape(15, 13).astype(bool)
    assert run_lengths(rle_from_mask(mask).crop()) == runs


@given(arrays.arrays(bool, st.tuples(st.integers(1, 9), st.integers(1, 9))).filter(np.any))
def test_any_mask_decodes_equal(mask):
    crop = rle_from_mask(mask).crop()
    runs = run_lengths(crop)
    element = ElementTree.Element("mask", rle=", ".join(map(str, runs)))
    for key, value in zip(("left", "top", "width", "height"), crop.box, strict=True):
        element.set(key, str(value))
    assert (decode(element, mask.shape) == mask).all()
    assert all(run > 0 for run in runs[1:])


def test_an_image_a_picture_and_a_mask_a_region():
    graph, here, there = masked()
    root = ElementTree.fromstring(dumps(graph).encode())
    assert root.findtext("version") == "1.1"
    anchor, target = root.findall("image")
    assert [i.get("name") for i in (anchor, target)] == ["a.png", "target"]
    assert (anchor.get("width"), anchor.get("height")) == ("5", "6")
    for image, mask, label in ((anchor, here, "blur"), (target, there, "noise")):
        (element,) = image.findall("mask")
        assert element.get("label") == label
        assert (decode(element, mask.shape) == mask).all()
    facts = {a.get("name"): a.text for a in target.iter("attribute")}
    assert float(present(facts["opinion"])) == 0.375 and json.loads(present(facts["also"])) == ALSO
    facts = {a.get("name"): a.text for a in anchor.iter("attribute")}
    assert facts["name"] == "person" and facts["severity"] == "severe"
    assert float(present(facts["margin"])) == 0.7 - 0.6


def test_the_labels_declare_every_attribute():
    graph = full()
    root = ElementTree.fromstring(dumps(graph).encode())
    labels = root.findall("meta/task/labels/label")
    assert [label.findtext("name") for label in labels] == list(graph.vocabulary.distortions)
    declared = {a.findtext("name"): a for a in labels[0].iter("attribute")}
    assert present(declared["severity"].findtext("values")).split("\n") == list(
        graph.vocabulary.severities
    )
    used = {a.get("name") for a in root.iter("attribute") if a.get("name")}
    assert used <= declared.keys()


def test_hostile_names_no_masks_and_many():
    root = ElementTree.fromstring(dumps(hostile()).encode())
    assert root.find("image/mask") is None
    names = [label.findtext("name") for label in root.iter("label")]
    assert names[1] == HOSTILE[0] and present(names[4]).startswith('json:"bell')
    assert (
        present(ElementTree.fromstring(dumps(empty()).encode()).find("image")).get("width") == "0"
    )
    assert len(ElementTree.fromstring(dumps(many()).encode()).findall("image/mask")) == 1000
