"""Label Studio: brush run lengths as its own encoder writes them, tasks and configuration."""

from __future__ import annotations

import hashlib
import json
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from format_samples import empty, full, hostile, many, masked
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from distortion_graph.formats.label_studio import (
    dumps,
    encode_brush,
    labelling_config,
    to_label_studio,
)

BIG = np.zeros((300, 400), bool)
BIG[100:250] = BIG[10, 3:50] = BIG[0, :4] = True

# Bytes of label_studio_sdk 2.1.2, label_studio_sdk.converter.brush.mask2rle(255 * mask).
GOLDEN = [
    ([[0, 1, 1], [1, 0, 0]], [0, 0, 0, 24, 57, 27, 252, 96, 22, 255, 231, 0, 0]),
    ([[1]], [0, 0, 0, 4, 57, 27, 252, 127, 224]),
    ([[0]], [0, 0, 0, 4, 57, 27, 252, 96, 0]),
    ([[1, 1], [1, 1]], [0, 0, 0, 16, 57, 27, 253, 255, 240]),
    ([[1, 0, 1]], [0, 0, 0, 12, 57, 27, 252, 127, 241, 128, 71, 254]),
    (np.ones((256, 256)), [0, 4, 0, 0, 57, 27, *[255] * 14, 128]),
    (
        np.zeros((300, 300)),
        [0, 5, 126, 64, 57, 27, 255, 255, 255, 0, 255, 255, 224, 31, 255, 252, 3, 255, 255, 128,
         127, 255, 240, 14, 252, 126, 0],
    ),
]  # fmt: skip
GOLDEN_HASHES = [
    (BIG, "c3f35c87f519deda405628c65ac9269ab4387d7dcfde1018c7dc0fbd2b001612"),
    (
        np.random.default_rng(0).random((37, 53)) < 0.5,
        "96e590812bbc11ee8b93d97f978ddd9b50b00bfd5a818e073c3ce051d495adba",
    ),
]


def decode(data):
    """The reference decoder of rle-pack (thi.ng/umbrella), in Python."""
    bits = "".join(f"{byte:08b}" for byte in data)
    at = 0

    def read(count):
        nonlocal at
        at += count
        return int(bits[at - count : at], 2)

    number, word = read(32), read(5) + 1
    sizes = [read(4) + 1 for _ in range(4)]
    out: list[Any] = []
    while len(out) < number:
        repeated, length = read(1), 1 + read(sizes[read(2)])
        out += [read(word)] * length if repeated else [read(word) for _ in range(length)]
    return np.array(out)


@pytest.mark.parametrize(("mask", "expected"), GOLDEN)
def test_brush_bytes_are_label_studios(mask, expected):
    assert encode_brush(np.array(mask, bool)) == expected


@pytest.mark.parametrize(("mask", "expected"), GOLDEN_HASHES)
def test_brush_bytes_of_larger_masks_are_label_studios(mask, expected):
    assert hashlib.sha256(bytes(encode_brush(mask))).hexdigest() == expected


@given(arrays.arrays(bool, st.tuples(st.integers(1, 40), st.integers(1, 40))))
def test_any_mask_decodes_equal(mask):
    rgba = decode(encode_brush(mask)).reshape(*mask.shape, 4)
    assert (rgba == 255 * mask[..., None]).all()


def test_a_task_a_picture_with_all_of_a_region_under_one_id():
    graph, here, there = masked()
    tasks = to_label_studio(graph)
    assert [t["data"] for t in tasks] == [
        {"image": "a.png", "side": "anchor"},
        {"image": "target", "side": "target"},
    ]
    for task, mask, label in zip(tasks, (here, there), ("blur", "noise"), strict=True):
        (prediction,) = task["predictions"]
        assert prediction["model_version"] == "small 1" and prediction["score"] == 0.9
        brush, *rest = prediction["result"]
        assert brush["value"]["brushlabels"] == [label] and brush["value"]["format"] == "rle"
        assert (brush["original_width"], brush["original_height"]) == (5, 6)
        assert (decode(brush["value"]["rle"])[3::4].reshape(6, 5) == 255 * mask).all()
        values = {entry["from_name"]: entry["value"] for entry in rest}
        assert set(values) == {"severity", "score", "comparison", "name"}
        assert values["name"] == {"text": ["person"]}
        assert {entry["id"] for entry in rest} == {brush["id"]}
    severities = [
        e["value"]["choices"]
        for t in tasks
        for e in t["predictions"][0]["result"]
        if e["from_name"] == "severity"
    ]
    assert severities == [["severe"], ["minor"]]


def test_relations_go_between_regions_that_are_there():
    assert not [
        e for e in to_label_studio(full())[0]["predictions"][0]["result"] if e["type"] == "relation"
    ]  # one of the two has no mask
    results = [t["predictions"][0]["result"] for t in to_label_studio(many(3))]
    for side, entries in zip(("anchor", "target"), results, strict=True):
        relations = [e for e in entries if e["type"] == "relation"]
        assert relations[0] == {
            "type": "relation",
            "from_id": f"{side}:0",
            "to_id": f"{side}:1",
            "direction": "right",
            "labels": ["beside"],
        }
        assert len(relations) == 3


def test_no_masks_and_no_probabilities():
    for graph in (hostile(), empty()):
        for task in json.loads(dumps(graph)):
            assert task["predictions"][0]["result"] == []
            assert task["predictions"][0]["score"] is None
    assert "model_version" not in to_label_studio(empty())[0]["predictions"][0]


def test_the_text_is_the_tasks():
    graph = masked()[0]
    assert json.loads(dumps(graph)) == json.loads(dumps(graph, indent=1)) == to_label_studio(graph)


def test_the_configuration_names_every_label_and_every_control():
    graph = many(3)
    root = ElementTree.fromstring(labelling_config(graph.vocabulary, ["beside", "on", "beside"]))
    assert [e.get("value") for e in root.iter("Label")] == list(graph.vocabulary.distortions)
    choices = [e.get("value") for e in root.iter("Choice")]
    assert choices == [*graph.vocabulary.severities, *graph.vocabulary.comparison_labels]
    assert [e.get("value") for e in root.iter("Relation")] == ["beside", "on"]
    controls = {e.get("name") for e in root}
    used = {
        e["from_name"]
        for t in to_label_studio(graph)
        for e in t["predictions"][0]["result"]
        if "from_name" in e
    }
    assert used <= controls
    ElementTree.fromstring(labelling_config(hostile().vocabulary, ["\0<"]))
