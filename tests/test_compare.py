"""`compare`: exact under repetition, swapping and permuting; honest about identical pictures."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
from typing import Any

import cv2
import numpy as np
import pytest
from optional import present
from PIL import Image
from skimage import data as pictures

from distortion_graph.base.errors import (
    DistortionGraphWarning,
    ImageError,
    RecipeError,
    RegionError,
)
from distortion_graph.graph import DistortionGraph
from distortion_graph.masks.container import RegionSet
from distortion_graph.measure.metrics.measuring import measure_metrics
from distortion_graph.measure.metrics.registry import BUILT_IN, map_metrics
from distortion_graph.pipeline import compare
from distortion_graph.predict.session import Model
from distortion_graph.synth.pairs import make_pair

CLEAN = np.ascontiguousarray(pictures.chelsea()[20:212, 60:316])
REGIONS = RegionSet.grid(CLEAN.shape[:2], 3, 4)
PAIR = make_pair(CLEAN, REGIONS, tag="cat", seed=2)
ANCHOR, TARGET = PAIR.anchor.image, PAIR.target.image


def test_same_input_same_bytes():
    first = compare(ANCHOR, TARGET, regions=REGIONS)
    again = compare(ANCHOR, TARGET, regions=REGIONS, model=Model.load())
    assert first.to_json() == again.to_json()


@pytest.mark.parametrize("regions", ["auto", "distortions"])
def test_another_process_gives_the_same_bytes(tmp_path, regions):
    """Also where sets and dictionaries of texts are walked through in another order."""
    Image.fromarray(ANCHOR).save(tmp_path / "a.png")
    Image.fromarray(TARGET).save(tmp_path / "b.png")
    program = (
        "import sys, distortion_graph as d\n"
        "print(d.compare(*sys.argv[1:3], regions=sys.argv[3]).to_json())"
    )
    pair = [str(tmp_path / name) for name in ("a.png", "b.png")]
    there = [
        subprocess.run(
            [sys.executable, "-c", program, *pair, regions],
            capture_output=True, text=True, check=True, env=os.environ | {"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    ]  # fmt: skip
    assert there[0] == there[1] == compare(*pair, regions=regions).to_json() + "\n"


@pytest.mark.parametrize("regions", [REGIONS, "auto", "whole", "distortions"])
def test_swapping_the_pictures_mirrors_the_graph_to_the_bit(regions):
    forth = compare(ANCHOR, TARGET, regions=regions)
    back = compare(TARGET, ANCHOR, regions=regions)
    assert forth.swapped().to_json() == back.to_json()
    assert any(r.comparison.margin for r in forth.regions)


def test_permuting_the_regions_permutes_the_graph_to_the_bit():
    order = np.random.default_rng(0).permutation(len(REGIONS))
    graph = compare(ANCHOR, TARGET, regions=REGIONS)
    moved = compare(ANCHOR, TARGET, regions=REGIONS.reorder(order))
    assert moved.regions == tuple(graph.regions[i] for i in order)
    assert moved.scene == graph.scene


def test_overlapping_and_repeated_masks():
    masks = np.zeros((4, *CLEAN.shape[:2]), bool)
    masks[0, :100] = True
    masks[1, 50:150] = True
    masks[2] = masks[0]
    masks[3, 5, 5] = True
    graph = compare(ANCHOR, TARGET, regions=masks)
    turned = compare(ANCHOR, TARGET, regions=masks[::-1])
    assert graph.regions[0].anchor == graph.regions[2].anchor
    assert graph.regions[0].comparison == graph.regions[2].comparison
    assert [r.comparison for r in turned.regions] == [r.comparison for r in graph.regions[::-1]]
    assert turned.scene == graph.scene


@pytest.mark.parametrize("image", [CLEAN, ANCHOR])
def test_identical_pictures(image):
    graph = compare(image, image.copy(), regions=REGIONS)
    for region in graph.regions:
        assert region.comparison.label == "same" and region.comparison.margin == 0
        assert present(region.evidence).psnr_db is None and present(region.evidence).ssim == 1
        assert region.anchor == region.target.model_copy(
            update={"mask": region.anchor.mask, "bbox_xywh_px": region.anchor.bbox_xywh_px}
        )
        assert region.comparison.probability == 1
    assert (
        present(present(graph.scene).comparison).label == "same"
        and present(present(graph.scene).comparison).probability == 1
    )
    assert graph.swapped() == graph


@pytest.mark.parametrize("evidence", ["all", "none"])
def test_a_region_of_equal_pixels_is_the_same_for_certain(evidence):
    """The network sees what is around it, which differs; the pixels decide."""
    target = ANCHOR.copy()
    target[:64] = TARGET[:64]  # the upper row of regions
    graph = compare(ANCHOR, target, regions=REGIONS, evidence=evidence)
    changed, equal = graph.regions[:4], graph.regions[4:]
    for region in equal:
        assert region.comparison.label == "same" and region.comparison.probability == 1
        assert sum(present(region.comparison.probabilities).values()) == 1
        assert region.comparison.margin == 0
        assert region.anchor == region.target.model_copy(
            update={"mask": region.anchor.mask, "bbox_xywh_px": region.anchor.bbox_xywh_px}
        )
    assert all(present(region.comparison.probability) < 1 for region in changed)
    assert present(present(present(graph.scene).comparison).probability) < 1
    back = compare(target, ANCHOR, regions=REGIONS, evidence=evidence)
    assert back == graph.swapped()
    if evidence == "all":
        assert {present(region.differs).equal for region in equal} == {1.0}


@pytest.mark.parametrize(("level", "measured"), [("all", True), ("fast", True), ("none", False)])
def test_differences_are_measured_with_every_evidence_but_none(level, measured):
    target = ANCHOR.copy()
    target[70:110, 100:150] = (200, 30, 30)
    graph = compare(ANCHOR, target, regions="whole", evidence=level)
    (region,) = graph.regions
    for differs in (region.differs, present(graph.scene).differs):
        assert (differs is not None) is measured
        if differs is not None:
            assert differs.spots == ((100, 70, 50, 40),)
            assert differs.size == ANCHOR.shape[:2]
            assert differs.share == round(50 * 40 / ANCHOR[..., 0].size, 6)


def test_three_hundred_regions():
    masks = RegionSet.grid(CLEAN.shape[:2], 15, 20)
    assert len(compare(ANCHOR, TARGET, regions=masks, evidence="none").regions) == 300


def test_sources_and_hashes(tmp_path):
    path = tmp_path / "a.png"
    Image.fromarray(ANCHOR).save(path)
    data = path.read_bytes()
    graph = compare(path, data, regions="whole")
    assert graph.anchor.source == str(path) and graph.target.source is None
    assert graph.anchor.sha256 == graph.target.sha256 == hashlib.sha256(data).hexdigest()
    assert graph.anchor.sha256_of == "file"
    array = compare(ANCHOR, Image.fromarray(TARGET), regions="whole")
    assert array.anchor.source is None and array.anchor.sha256_of == "rgb"
    assert graph.regions[0].name == "image" and graph.regions[0].area_fraction == 1
    assert DistortionGraph.model_validate_json(array.to_json()) == array


def test_one_story():
    graph = compare(ANCHOR, TARGET, regions=REGIONS)
    words = graph.vocabulary
    for region in graph.regions:
        margin = present(region.comparison.margin)
        assert margin == present(region.anchor.score) - present(region.target.score)
        rank = words.comparisons[words.comparison_index(region.comparison.label)].rank
        if abs(margin) >= words.thresholds[0]:
            assert rank * margin >= 0
        for node in (region.anchor, region.target):
            assert (node.distortion.label == "clean") == (node.severity.label == "clean")
            assert (
                present(node.severity.probabilities)["clean"]
                == present(node.distortion.probabilities)["clean"]
            )


def test_evidence_levels():
    def evidence(level):
        return compare(ANCHOR, TARGET, regions="whole", evidence=level).regions[0].evidence

    assert evidence("none") is None
    assert evidence("fast").delta_e is None and evidence("fast").ssim == evidence("all").ssim
    assert evidence("all").delta_e > 0


def test_further_metrics_are_asked_for_by_name_and_mirror_to_the_bit():
    forth = compare(ANCHOR, TARGET, regions=REGIONS, metrics=BUILT_IN)
    back = compare(TARGET, ANCHOR, regions=REGIONS, metrics=BUILT_IN)
    assert forth.swapped().to_json() == back.to_json()
    assert [metric.name for metric in forth.metrics] == list(BUILT_IN)
    assert [metric.licence for metric in forth.metrics].count("BSD-3-Clause") == 2
    plain = compare(ANCHOR, TARGET, regions=REGIONS)
    assert plain.metrics == () and present(present(plain.scene).evidence).more == {}
    for one, other in zip(forth.regions, plain.regions, strict=True):
        evidence = present(one.evidence)
        assert list(evidence.more) == list(BUILT_IN)
        assert evidence.model_copy(update={"more": {}}) == other.evidence
    with pytest.raises(RecipeError, match=r"^unknown metric 'lpips'; expected one of: flip"):
        compare(ANCHOR, TARGET, metrics=["lpips"])


def test_further_metrics_go_from_the_original_to_the_copy_where_one_picture_is_it():
    names, no_region = ("vif", "ssimulacra2"), np.zeros((0, *CLEAN.shape[:2]), bool)
    metrics, found = map_metrics(names), {}
    for side in ("anchor", "target"):
        options: dict[str, Any] = {"regions": "whole", "metrics": names, "reference": side}
        graph = compare(CLEAN, TARGET, **options)
        found[side] = present(present(graph.scene).evidence).more
        measured = measure_metrics(CLEAN, TARGET, no_region, metrics, side)
        assert found[side] == pytest.approx(measured.scene, abs=1e-6)
        other = {"anchor": "target", "target": "anchor"}[side]
        assert compare(TARGET, CLEAN, **options | {"reference": other}) == graph.swapped()
    assert found["anchor"] != found["target"]


def test_unequal_sizes_are_an_error_unless_aligned_or_asked_to_resize():
    larger = cv2.resize(TARGET, None, fx=1.5, fy=1.5)
    with pytest.raises(ImageError, match=r"is 384×288, expected 256×192 .*--fit resize"):
        compare(ANCHOR, larger, align="none")
    graph = compare(ANCHOR, larger, regions=REGIONS, fit="resize")
    assert (graph.target.width, graph.target.height) == (384, 288)
    assert present(graph.regions[0].mask_of("target")).size == (288, 384)
    assert graph.regions[0].bbox_of("anchor") == (0, 0, 64, 64)
    assert graph.regions[0].bbox_of("target") == (0, 0, 96, 96)


def test_warnings_reach_the_caller():
    buffer = io.BytesIO()
    see_through = Image.fromarray(ANCHOR)
    see_through.putalpha(128)
    see_through.save(buffer, "PNG")
    with pytest.warns(DistortionGraphWarning, match="white"):
        compare(buffer.getvalue(), buffer.getvalue(), regions="whole", evidence="none")


def test_masks_of_another_size():
    with pytest.raises(RegionError, match="100"):
        compare(ANCHOR, TARGET, regions=np.ones((2, 100, 100), bool))


@pytest.mark.parametrize("size", [(8, 8), (1, 40), (64, 64)])
def test_small_pictures_answer(size):
    anchor = cv2.resize(ANCHOR, size[::-1])
    graph = compare(anchor, cv2.GaussianBlur(anchor, (0, 0), 1))
    assert graph.regions and 0 <= present(present(graph.scene).anchor.score) <= 1
