"""COCO annotations: what COCO's own reader makes of them."""

from __future__ import annotations

import json

import numpy as np
import pytest
from format_samples import empty, full, hostile, many, masked
from graph_samples import ALSO
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO

from distortion_graph.formats.coco import dumps, to_coco
from distortion_graph.graph import DistortionGraph
from distortion_graph.regions.coco import names_from


@pytest.fixture
def loaded(tmp_path):
    def load(graph):
        path = tmp_path / "coco.json"
        path.write_text(dumps(graph), "utf-8")
        return COCO(path)

    return load


def test_masks_boxes_and_areas_are_those_of_the_graph(loaded):
    graph, here, there = masked()
    coco = loaded(graph)
    for image, mask in ((1, here), (2, there)):
        (annotation,) = coco.loadAnns(coco.getAnnIds(imgIds=image))
        assert (coco.annToMask(annotation).astype(bool) == mask).all()
        assert annotation["area"] == mask.sum()
        rows, columns = mask.nonzero()
        x, y = columns.min(), rows.min()
        assert annotation["bbox"] == [x, y, columns.max() - x + 1, rows.max() - y + 1]
        assert annotation["iscrowd"] == 0


def test_categories_are_the_vocabulary_and_images_the_pictures(loaded):
    graph = masked()[0]
    coco = loaded(graph)
    assert names_from(coco.dataset, "x") == dict(enumerate(graph.vocabulary.distortions, start=1))
    assert coco.getImgIds() == [1, 2]
    anchor, target = coco.loadImgs([1, 2])
    assert (anchor["file_name"], anchor["width"], anchor["height"]) == ("a.png", 5, 6)
    assert (target["file_name"], target["side"], target["sha256"]) == ("target", "target", "f" * 64)
    (annotation,) = coco.loadAnns(coco.getAnnIds(imgIds=2))
    assert coco.loadCats(annotation["category_id"])[0]["name"] == "noise"


def test_attributes_are_seen_from_their_picture():
    value = json.loads(masked()[0].to_json())
    region = value["regions"][0]
    region["target"]["score"] = 0.2
    region["comparison"] = {"label": "significantly_better", "margin": 0.7 - 0.2}
    anchor, target = to_coco(DistortionGraph.model_validate(value))["annotations"]
    assert anchor["attributes"] == {
        "region_id": 7,
        "name": "person",
        "area_fraction": 0.166667,
        "distortion_probability": 0.9,
        "severity": "severe",
        "severity_probability": 0.9,
        "score": 0.7,
        "known": 0.96875,
        "comparison": "significantly_better",
        "margin": 0.7 - 0.2,
        "ssim": 1.0,
        "haarpsi": 1.0,
        "delta_e": 0.0,
        "more": '{"flip":0.0,"ssimulacra2":null}',
        "differs_share": 0.25,
        "differs_equal": 0.5,
        "spots_height": 6,
        "spots_width": 5,
        "spots": "[[0,1,2,2],[1,0,1,1]]",
    }
    assert target["attributes"]["comparison"] == "significantly_worse"
    assert target["attributes"]["opinion"] == 0.375
    assert json.loads(target["attributes"]["also"]) == ALSO
    assert target["attributes"]["margin"] == 0.2 - 0.7


def test_a_shared_mask_stands_in_both_pictures(loaded):
    coco = loaded(full())
    anchor, target = coco.loadAnns(coco.getAnnIds())
    assert anchor["segmentation"] == target["segmentation"]
    assert [anchor["image_id"], target["image_id"]] == [1, 2]


def test_regions_without_a_mask_are_left_out(loaded):
    assert {a["attributes"]["region_id"] for a in to_coco(full())["annotations"]} == {7}
    for graph in (hostile(), empty()):
        assert loaded(graph).getAnnIds() == []


def test_500_regions(loaded):
    graph = many()
    coco = loaded(graph)
    assert len(coco.getAnnIds(imgIds=1)) == len(coco.getAnnIds(imgIds=2)) == 500
    assert sorted(coco.getAnnIds()) == list(range(1, 1001))


@given(arrays.arrays(bool, st.tuples(st.integers(1, 9), st.integers(1, 9))))
def test_any_mask_decodes_equal_in_cocos_own_code(mask):
    value = json.loads(masked()[0].to_json())
    rle = coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))
    for side in ("anchor", "target"):
        value[side] |= {"width": mask.shape[1], "height": mask.shape[0]}
    shape = {"mask": {"size": mask.shape, "counts": rle["counts"].decode()}, "bbox_xywh_px": None}
    value["regions"][0]["anchor"] |= shape
    value["regions"][0]["target"] |= {"mask": None, "bbox_xywh_px": None}
    value["regions"][0]["differs"] = value["scene"]["differs"] = None
    annotations = to_coco(DistortionGraph.model_validate(value))["annotations"]
    assert len(annotations) == (2 if mask.any() else 0)
    for annotation in annotations:
        assert (coco_mask.decode(annotation["segmentation"]).astype(bool) == mask).all()
        assert annotation["bbox"] == coco_mask.toBbox(annotation["segmentation"]).tolist()
        assert annotation["area"] == coco_mask.area(annotation["segmentation"])
