"""Regions of an earlier graph in any form that has masks: the same ones, with ids and names."""

from __future__ import annotations

import json

import numpy as np
import pytest
from graph_samples import native
from region_files import blank, refusal, regions_in, written

from distortion_graph.formats.forms import graph_text
from distortion_graph.graph import DistortionGraph
from distortion_graph.masks.container import RegionSet
from distortion_graph.masks.rle import rle_from_mask

H, W = 7, 9
FORMS = {"native": "json", "coco": "json", "cvat": "xml", "label-studio": "json"}
HOSTILE = ["<b a=\"x\">&amp; '&' ]]></b>", "naïve 中文 🙂 a\u0301", "bell\a nul\0", 'json:"q"']


def masks():
    """Four masks in the anchor, four others in the target; holes, overlap, several parts."""
    found = np.zeros((2, 4, H, W), bool)
    for side in range(2):
        found[side, 0, 1:6, 1 + side : 7] = True
        found[side, 0, 3, 3:5] = False
        found[side, 1] = np.indices((H, W)).sum(0) % 2 == side
        found[side, 2, side, 8] = True
        found[side, 3] = True
    return found


def graph(both):
    """A graph with these masks, (2, 4, H, W), and ids and names that are easily lost."""
    value = native()
    for side, name in (("anchor", "day/a.png"), ("target", "night/b.png")):
        value[side] |= {"width": W, "height": H, "source": name}
    region, value["scene"], value["relations"] = value["regions"][0], None, []
    value["regions"] = []
    for k, name in enumerate(HOSTILE):
        nodes = {}
        for side, mask in zip(("anchor", "target"), both[:, k], strict=True):
            rle = rle_from_mask(mask)
            nodes[side] = region[side] | {
                "mask": {"size": rle.size, "counts": rle.counts},
                "bbox_xywh_px": rle.box_xywh(),
            }
        for key in ("mask", "bbox_xywh_px"):  # what equals the anchor's is not said again
            if nodes["target"][key] == nodes["anchor"][key]:
                nodes["target"][key] = None
        value["regions"].append(region | {"id": 5 * k + 2, "name": name, "differs": None} | nodes)
    return DistortionGraph.model_validate_json(json.dumps(value))


def expected(of_side):
    return RegionSet.from_masks(list(of_side), [2, 7, 12, 17], HOSTILE)


@pytest.mark.parametrize("form", FORMS)
def test_what_is_written_is_read_back_with_ids_and_names(tmp_path, form):
    both = masks()
    path = written(tmp_path / f"graph.{FORMS[form]}", graph_text(graph(both), form))
    for side, source in enumerate(("/photos/day/a.png", "/photos/b.jpg")):
        assert regions_in(path, blank(H, W, source)) == expected(both[side])
    assert regions_in(f"{path},image=night/b.png", blank(H, W)) == expected(both[1])


def test_regions_of_one_picture_alone_are_read_for_it(tmp_path):
    text = graph_text(graph(masks()), "native")
    value = json.loads(text)
    for entry, gone in zip(value["regions"][2:], ("target", "anchor"), strict=True):
        if gone == "anchor" and entry["target"]["mask"] is None:
            entry["target"] |= {key: entry["anchor"][key] for key in ("mask", "bbox_xywh_px")}
        parts = ("comparison", "evidence", "differs", "judged", "valid")
        entry |= dict.fromkeys((gone, *parts))
    path = written(tmp_path / "graph.json", value)
    found = regions_in(path, blank(H, W, "a.png"))
    assert found == expected(masks()[0]).subset([2, 7, 12])
    found = regions_in(path, blank(H, W, "b.png"))
    assert found == expected(masks()[1]).subset([2, 7, 17])


def test_with_the_same_masks_in_both_any_picture_takes_them(tmp_path):
    both = np.stack([masks()[0]] * 2)
    path = written(tmp_path / "graph.json", graph_text(graph(both), "native"))
    for source in (None, "c.png"):
        assert regions_in(path, blank(H, W, source)) == expected(both[0])


def test_with_other_masks_in_the_target_the_picture_is_named(tmp_path):
    path = written(tmp_path / "graph.json", graph_text(graph(masks()), "native"))
    assert regions_in(f"{path},image=target", blank(H, W)) == expected(masks()[1])
    assert refusal(path, blank(H, W, "c.png")) == (
        "graph.json: none of 2 pictures is named 'c.png': day/a.png (id anchor), night/b.png (id "
        "target); choose one, as with --regions graph.json,image=day/a.png"
    )


def test_a_graph_that_does_not_serve_is_refused_in_one_line(tmp_path):
    text = graph_text(graph(masks()), "native")
    path = written(tmp_path / "graph.json", text)
    assert refusal(f"{path},image=day/a.png", blank(5, 5)) == (
        "graph.json: region 2 (<b a=\"x\">&amp; '&' ]]></b>): found 9×7 pixels (width × height), "
        "expected the picture's 5×5"
    )
    published = graph_text(graph(masks()), "published")
    assert refusal(written(path, published), blank(H, W)) == (
        "graph.json: a graph in the published form, which has no masks; expected a native one"
    )
    value = json.loads(text)
    for side in ("anchor", "target"):
        value["regions"][1][side] |= {"mask": None, "bbox_xywh_px": None}
    assert refusal(f"{written(path, value)},image=anchor", blank(H, W)) == (
        "graph.json: region 7 (naïve 中文 🙂 a\u0301): has no mask, expected a graph with masks"
    )
    assert refusal(written(path, text.replace("graph/1", "graph/9")), blank(H, W)) == (
        "graph.json: schema 'distortion-graph/9' is newer than this program: update it; "
        "understood is 'distortion-graph/1'"
    )
