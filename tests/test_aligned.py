"""`compare` of pictures that do not lie on each other: what is compared, and what is said."""

from __future__ import annotations

import json
import warnings
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from optional import present
from PIL import Image
from skimage import data as pictures

from distortion_graph.base.errors import DistortionGraphWarning, ImageError, RegionError
from distortion_graph.graph import SIDES, DistortionGraph, Mask, load_graph
from distortion_graph.masks.container import RegionSet
from distortion_graph.masks.masks import LazyMasks
from distortion_graph.masks.rle import Rle, rle_from_box
from distortion_graph.measure.metrics.registry import BUILT_IN
from distortion_graph.pipeline import compare
from distortion_graph.predict.session import Model
from distortion_graph.predict.views import View, with_own_moments

Rgb = NDArray[np.uint8]

CLEAN = np.ascontiguousarray(pictures.chelsea()[10:250, 40:400])  # 240 × 360
LEFT, TOP = 38, 21


def noisy(rgb: Rgb) -> Rgb:
    noise = np.random.default_rng(4).normal(0, 30, rgb.shape)
    return np.clip(rgb + noise, 0, 255).astype(np.uint8)


CROP = noisy(CLEAN)[TOP : TOP + 180, LEFT : LEFT + 250]
HALF = cv2.resize(noisy(CLEAN), (180, 120), interpolation=cv2.INTER_AREA)
TURNED = cv2.warpAffine(
    CLEAN, cv2.getRotationMatrix2D((180, 120), 2, 1.03), (360, 240), flags=cv2.INTER_CUBIC
)


def both(anchor: Rgb, target: Rgb, **options: Any) -> tuple[DistortionGraph, DistortionGraph]:
    return compare(anchor, target, **options), compare(target, anchor, **options)


def test_a_registered_pair_is_answered_as_without_alignment_to_the_bit():
    asked = json.loads(compare(CLEAN, noisy(CLEAN)).to_json())
    plain = json.loads(compare(CLEAN, noisy(CLEAN), align="none").to_json())
    assert asked["alignment"]["model"] == "none" and asked["alignment"]["frame"] is None
    assert plain["alignment"] is None
    assert asked | {"alignment": None} == plain


@pytest.mark.parametrize("target", [CROP, HALF, TURNED], ids=["crop", "half", "turned"])
def test_distortions_are_found_in_what_both_show(target):
    graph, back = both(CLEAN, target, regions="distortions", evidence="none")
    assert back.swapped().to_json() == graph.to_json()
    words = graph.vocabulary.in_words
    for region in graph.regions:
        labels = {region.node(side).distortion.label for side in SIDES} - {"clean"} or {"clean"}
        if not any(graph.is_uncertain(region.node(side)) for side in SIDES):
            assert region.name.startswith(" and ".join(sorted(map(words, labels))) + ", ")


def test_a_crop_is_answered_as_the_same_part_of_the_anchor():
    part = CLEAN[TOP : TOP + 180, LEFT : LEFT + 250]
    regions = RegionSet.grid(CROP.shape[:2], 2, 3)
    on_anchor = np.zeros((6, *CLEAN.shape[:2]), bool)
    on_anchor[:, TOP : TOP + 180, LEFT : LEFT + 250] = regions.masks()
    graph = compare(CLEAN, CROP, regions=on_anchor, metrics=BUILT_IN)
    expected = compare(part, CROP, regions=regions, metrics=BUILT_IN)
    assert graph.metrics == expected.metrics
    scenes = [present(present(made.scene).evidence).more for made in (graph, expected)]
    assert scenes[0] == pytest.approx(scenes[1], abs=1e-5)
    alignment = present(graph.alignment)
    assert np.allclose(present(alignment.matrix), [[1, 0, LEFT], [0, 1, TOP], [0, 0, 1]], atol=1e-6)
    assert alignment.overlap == pytest.approx(180 * 250 / (240 * 360), abs=1e-5)
    assert alignment.target_overlap == 1
    for mine, other in zip(graph.regions, expected.regions, strict=True):
        assert mine.comparison == other.comparison and mine.evidence == other.evidence
        assert mine.anchor.distortion == other.anchor.distortion
        assert (mine.target.score, mine.target.severity) == (
            other.target.score,
            other.target.severity,
        )
        assert mine.valid == 1
        x, y, w, h = present(other.bbox_of("target"))
        assert mine.bbox_of("anchor") == (x + LEFT, y + TOP, w, h)
        assert mine.bbox_of("target") == (x, y, w, h)
    assert present(graph.scene).comparison == present(expected.scene).comparison


@pytest.mark.parametrize("target", [CROP, HALF, TURNED], ids=["crop", "half", "turned"])
@pytest.mark.parametrize("regions", ["auto", "grid:2x2"])
def test_swapping_the_pictures_mirrors_the_graph_to_the_bit(target, regions):
    if regions == "auto":
        forth, back = both(CLEAN, target, regions=regions, metrics=BUILT_IN)
        assert forth.swapped().to_json() == back.to_json()
    again = compare(CLEAN, target, regions=regions)
    assert again.to_json() == compare(CLEAN, target, regions=regions).to_json()
    assert load_graph(again.to_json()) == again


def test_permuting_the_regions_permutes_the_graph():
    regions = RegionSet.grid(CLEAN.shape[:2], 2, 3)
    order = [4, 2, 0, 5, 3, 1]
    graph, other = (compare(CLEAN, HALF, regions=r) for r in (regions, regions.reorder(order)))
    by_id = {region.id: region for region in graph.regions}
    assert [by_id[region.id] for region in other.regions] == list(other.regions)
    assert other.scene == graph.scene


def test_regions_that_the_target_does_not_show_stand_alone_and_shares_are_counted():
    with pytest.warns(DistortionGraphWarning, match="regions? that the anchor alone show"):
        cells = RegionSet.grid(CLEAN.shape[:2], 8, 9)  # of 30 × 40 pixels
        graph = compare(CLEAN, CROP, regions=cells)
    rows = [max(0, min(30 * (r + 1), TOP + 180) - max(30 * r, TOP)) for r in range(8)]
    columns = [max(0, min(40 * (c + 1), LEFT + 250) - max(40 * c, LEFT)) for c in range(9)]
    expected = {9 * r + c: rows[r] * columns[c] / 1200 for r in range(8) for c in range(9)}
    assert {region.id: region.valid for region in graph.regions} == {
        number: pytest.approx(share, abs=1e-6) for number, share in expected.items() if share
    }
    assert {lone.id for lone in graph.alone} == {n for n, share in expected.items() if not share}
    for lone in graph.alone:
        assert lone.side == "anchor" and lone.node.score is not None and lone.valid == 0
        assert present(lone.mask).size == CLEAN.shape[:2]


def test_half_the_size_is_the_same_scene_and_noise_is_found_in_its_own_pixels():
    graph = compare(CLEAN, HALF, regions="grid:2x2")
    alignment = present(graph.alignment)
    scales = [present(alignment.matrix)[k][k] for k in (0, 1)]
    assert alignment.model == "similarity" and np.allclose(scales, 2, atol=0.01)
    assert alignment.frame == "target"  # its pixels are the coarser ones
    assert {region.target.distortion.label for region in graph.regions} == {"noise"}
    assert {region.anchor.distortion.label for region in graph.regions} == {"clean"}
    assert all(present(region.mask_of("target")).size == (120, 180) for region in graph.regions)
    assert all(present(region.comparison.margin) > 0 for region in graph.regions)


def test_places_that_differ_are_given_in_the_frame():
    changed = CLEAN.copy()
    changed[100:160, 200:280] = cv2.GaussianBlur(changed[100:160, 200:280], (0, 0), 8) // 2
    crop = changed[TOP : TOP + 180, LEFT : LEFT + 250]
    graph = compare(CLEAN, crop, regions="whole")
    frame = present(present(graph.alignment).frame)
    dx, dy = (0, 0) if frame == "anchor" else (LEFT, TOP)
    differs = present(present(graph.scene).differs)
    assert differs.size == (CLEAN if frame == "anchor" else crop).shape[:2]
    x, y, w, h = differs.spots[0]
    assert abs(x - (200 - dx)) <= 8 and abs(y - (100 - dy)) <= 8
    assert abs(w - 80) <= 16 and abs(h - 60) <= 16


def test_another_scene_a_mirror_and_a_turn_are_said_and_refused_when_strict():
    other = np.ascontiguousarray(pictures.astronaut()[:240, :360])
    for target, words in (
        (other, "may not show the scene of anchor (probability 0."),
        (np.ascontiguousarray(CLEAN[:, ::-1]), "is mirrored against anchor"),
        (np.ascontiguousarray(CLEAN[::-1, ::-1]), "--rotate 180 turns it back"),
    ):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            graph = compare(CLEAN, target, regions="whole", evidence="none")
        assert [words in str(w.message) for w in caught] == [True]
        assert str(caught[0].message).endswith("; the pictures are compared as they are")
        assert present(graph.alignment).reason and present(graph.alignment).model == "none"
        with pytest.raises(ImageError) as refused:
            compare(CLEAN, target, regions="whole", strict=True)
        assert words in str(refused.value)


def test_a_quarter_turn_is_refused_with_advice_that_helps():
    turned = np.ascontiguousarray(np.rot90(CLEAN))  # counter-clockwise
    with pytest.raises(ImageError, match=r"is turned by 270° clockwise .*; --rotate 90 turns it b"):
        compare(CLEAN, turned, regions="whole")
    graph = compare(CLEAN, turned, regions="whole", rotate=90)
    assert (graph.target.width, graph.target.height, graph.target.turned) == (360, 240, 90)
    assert graph.regions[0].comparison.label == "same"
    assert present(graph.regions[0].comparison.probabilities)["same"] == 1


def test_a_fit_and_an_alignment_are_not_asked_for_together():
    with pytest.raises(ImageError, match="--fit crop and --align similarity both say how"):
        compare(CLEAN, CROP, fit="crop", align="similarity")
    assert compare(CLEAN, CROP, fit="crop", regions="whole").alignment is None
    with pytest.raises(ImageError, match="is 250×180, expected 360×240 as anchor"):
        compare(CLEAN, CROP, align="none")


def test_no_region_in_what_both_show_is_an_error():
    corner = np.zeros((1, *CLEAN.shape[:2]), bool)
    corner[0, :10, :10] = True
    with pytest.raises(RegionError, match="none lies in what both pictures show"):
        compare(CLEAN, CROP, regions=corner)


# --- masks of both pictures ----------------------------------------------------------------


def label_maps() -> tuple[Any, Any]:
    """Of the anchor: 1, 2, 3; of the target on the same ground: 5 is 1, 6 is 2, and 7 alone."""
    mine, other = (np.zeros(CLEAN.shape[:2], np.int32) for _ in range(2))
    mine[20:100, 20:150], mine[120:220, 200:330], mine[10:60, 250:350] = 1, 2, 3
    other[25:98, 22:148], other[118:222, 205:333], other[150:200, 50:120] = 5, 6, 7
    return mine, other


@pytest.mark.parametrize("cropped", [False, True])
def test_masks_of_both_pictures_are_matched_and_those_without_a_partner_stand_alone(cropped):
    mine, other = label_maps()
    target = CROP if cropped else noisy(CLEAN)
    if cropped:
        other = other[TOP : TOP + 180, LEFT : LEFT + 250]
    with pytest.warns(DistortionGraphWarning, match="alone shows"):
        graph = compare(CLEAN, target, regions=mine, target_regions=other)
        back = compare(target, CLEAN, regions=other, target_regions=mine)
    assert [region.id for region in graph.regions] == [1, 2]
    assert [(lone.id, lone.side) for lone in graph.alone] == [(3, "anchor"), (7, "target")]
    for region in graph.regions:
        own = mine == region.id
        assert np.array_equal(_decoded(present(region.mask_of("anchor"))), own)
        theirs = other == region.id + 4
        assert np.array_equal(_decoded(present(region.mask_of("target"))), theirs)
        assert (region.anchor.distortion.label, region.target.distortion.label) == (
            "clean",
            "noise",
        )
        assert present(region.comparison.margin) > 0
    assert back.swapped().to_json() == graph.to_json()


def _decoded(mask: Mask) -> NDArray[np.bool_]:
    return Rle(mask.size, mask.counts).decode()


def test_masks_of_both_pictures_must_be_masks_and_of_the_same_scene():
    mine, other = label_maps()
    with pytest.raises(RegionError, match="regions are 'auto', which lies on both pictures"):
        compare(CLEAN, noisy(CLEAN), target_regions=other)
    with pytest.raises(RegionError):
        compare(CLEAN, noisy(CLEAN), regions=mine == 3, target_regions=other == 7)
    with pytest.raises(ImageError, match="expected --align auto instead of --align none"):
        compare(CLEAN, CROP, regions=mine, target_regions=other, align="none")


# --- what the model sees -------------------------------------------------------------------


def _boxes(size: tuple[int, int]) -> list[Rle]:
    h, w = size
    edges = [0, w // 3, 2 * w // 3, w]
    return [rle_from_box(size, 0, left, h, right) for left, right in pairwise(edges)]


def test_a_view_of_a_registered_pair_says_what_the_plain_prediction_says():
    model, size = Model.load(), CLEAN.shape[:2]
    boxes = _boxes(size)
    masks = LazyMasks(size, (rle_from_box(size, 0, 0, *size), *boxes))
    seen = model.predict_view(View((CLEAN, noisy(CLEAN)), masks))
    plain = model.predict(CLEAN, noisy(CLEAN), LazyMasks(size, tuple(boxes)))
    assert np.allclose(seen.distortion, plain.distortion, atol=1e-4)
    assert np.allclose(seen.scene_score, plain.scene_score, atol=1e-4)


def test_own_moments_take_the_place_of_joint_ones_and_keep_the_correlation():
    rng = np.random.default_rng(0)
    weight = rng.uniform(1, 9, (2, 5)).astype(np.float32)
    wide = np.repeat(weight, (16, 16, 24, 40, 112), axis=1)
    mean, deviation = rng.normal(0, 1, (2, 2, 208)), rng.uniform(0.5, 2, (2, 2, 208))
    correlation = rng.uniform(-1, 1, (2, 208))

    def moments(means: Any, deviations: Any) -> list[NDArray[np.float32]]:
        cross = correlation * deviations[0] * deviations[1] + means[0] * means[1]
        parts = (weight, means * wide, (deviations**2 + means**2) * wide, cross * wide)
        return [part.astype(np.float32) for part in parts]

    other, spread = mean.copy(), deviation.copy()
    other[1], spread[1] = rng.normal(0, 1, (2, 208)), rng.uniform(0.5, 2, (2, 208))
    expected = moments(other, spread)
    # Of the target twice, with half of the weight, as a picture of fewer pixels has it.
    alone = moments(other[[1, 1]], spread[[1, 1]])
    alone = [0.5 * part for part in alone]
    made = with_own_moments(moments(mean, deviation), (None, alone))
    for found, wanted in zip(made, expected, strict=True):
        assert np.allclose(found, wanted, rtol=2e-4, atol=2e-4)


def test_a_turned_picture_is_found_again_for_a_report(tmp_path):
    from distortion_graph.report.sources import find_picture

    Image.fromarray(np.ascontiguousarray(np.rot90(CLEAN))).save(tmp_path / "t.png")
    Image.fromarray(CLEAN).save(tmp_path / "a.png")
    graph = compare(tmp_path / "a.png", tmp_path / "t.png", regions="whole", rotate=90)
    found = find_picture(graph.target, None)
    assert found.problem is None
    assert np.array_equal(present(found.picture).rgb, CLEAN)
