"""Pictures of unequal size: the advice fits the case, and the graph says what was compared."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from optional import present
from skimage import data as pictures

from distortion_graph import compare, load_graph
from distortion_graph.base.errors import DistortionGraphWarning, GraphError, ImageError, RegionError
from distortion_graph.masks.container import RegionSet
from distortion_graph.masks.rle import Rle
from distortion_graph.predict.sizes import same_shape, size_advice
from distortion_graph.report.overlay import overlay
from distortion_graph.report.palette import INK
from distortion_graph.report.wording import summary

WHOLE = cv2.resize(pictures.coffee(), (240, 160), interpolation=cv2.INTER_AREA)
BLURRED = np.asarray(cv2.GaussianBlur(WHOLE, (0, 0), 2.5))
NARROW, SHORT = WHOLE[:, :200], BLURRED[:120]  # common part 200×120
CROP, SCALE = "--fit crop (fit='crop') compares", "--fit resize (fit='resize') scales"
SQUASH = "--fit resize! (fit='resize!') squashes"


@pytest.mark.parametrize(
    ("anchor", "target", "said", "unsaid"),
    [
        ((800, 1280), (820, 1280), ["20 rows taller", CROP], [SCALE, SQUASH]),
        ((820, 1280), (800, 1280), ["20 rows shorter", CROP], [SCALE, SQUASH]),
        ((256, 384), (256, 385), ["1 column wider", CROP], [SCALE, SQUASH]),
        # Videos pad to even sides: that is no scale.
        ((255, 383), (256, 384), ["1 row taller and 1 column wider", CROP], [SCALE, SQUASH]),
        ((256, 384), (128, 192), ["the same shape at another scale", SCALE], [CROP, SQUASH]),
        ((3000, 4000), (750, 1000), [SCALE], [CROP, SQUASH]),
        ((256, 384), (67, 100), [SCALE], [CROP, SQUASH]),  # 66.7 rows, rounded
        ((256, 384), (384, 256), ["rotated by 90°", "rotate it back", CROP], [SCALE, SQUASH]),
        ((3000, 4000), (2000, 1500), ["rotated by 90°"], [SCALE, SQUASH]),
        ((256, 384), (300, 300), ["44 rows taller and 84 columns narrower", CROP, SQUASH], [SCALE]),
    ],
)
def test_the_advice_fits_the_sizes(anchor, target, said, unsaid):
    advice = size_advice(anchor, target)
    assert all(words in advice for words in said), advice
    assert not any(words in advice for words in unsaid), advice


@given(st.integers(20, 400), st.integers(20, 400), st.floats(0.1, 1))
def test_a_picture_scaled_by_anything_keeps_its_shape(height, width, scale):
    scaled = max(1, round(height * scale)), max(1, round(width * scale))
    assert same_shape((height, width), scaled) and same_shape(scaled, (height, width))


@given(st.integers(100, 400), st.integers(100, 400), st.integers(3, 90))
def test_rows_that_were_added_change_the_shape(height, width, rows):
    assert not same_shape((height, width), (height + rows, width))


def test_another_shape_is_scaled_only_on_demand():
    square = cv2.resize(WHOLE, (200, 200))
    with pytest.raises(ImageError, match=r"is 200×200, expected 240×160 as anchor; another shape"):
        compare(WHOLE, square, align="none")
    with pytest.raises(ImageError, match=r"another shape.*--fit resize! \(fit='resize!'\)"):
        compare(WHOLE, square, fit="resize")
    taller = cv2.resize(WHOLE, (240, 180))
    with pytest.raises(ImageError, match=r"20 rows taller; --fit crop .*; --fit resize! \(fit="):
        compare(WHOLE, taller, fit="resize")
    graph = compare(WHOLE, square, regions="grid:1x2", evidence="none", fit="resize!")
    assert graph.fit == "resize" and graph.regions[1].bbox_of("target") == (100, 0, 100, 200)
    assert summary(graph).endswith(" The target (200×200) was scaled to the anchor's size.")
    with pytest.raises(ImageError, match="fit is 'squash', expected one of 'error', 'crop', 'res"):
        compare(WHOLE, square, fit="squash")  # type: ignore[arg-type]


def test_equal_sizes_need_no_fit():
    plain = compare(WHOLE, BLURRED, regions="whole", evidence="none")
    assert plain.fit is None
    for fit in ("crop", "resize", "resize!"):
        assert compare(WHOLE, BLURRED, regions="whole", evidence="none", fit=fit) == plain


@pytest.mark.parametrize("regions", ["auto", "grid:2x3", "whole"])
def test_a_crop_is_the_comparison_of_what_both_show(regions):
    graph = compare(NARROW, SHORT, regions=regions, fit="crop")
    cut = compare(NARROW[:120], SHORT[:, :200], regions=regions)
    assert graph.fit == "crop" and graph.common_part() == (120, 200)
    assert (graph.anchor.width, graph.anchor.height) == (200, 160)
    assert (graph.target.width, graph.target.height) == (240, 120)
    assert graph.scene == cut.scene
    for whole, part in zip(graph.regions, cut.regions, strict=True):
        assert (whole.comparison, whole.evidence) == (part.comparison, part.evidence)
        assert whole.area_fraction == part.area_fraction
        mask = Rle(present(part.anchor.mask).size, present(part.anchor.mask).counts).decode()
        for side in ("anchor", "target"):
            assert whole.node(side).distortion == part.node(side).distortion
            assert whole.bbox_of(side) == part.bbox_of("anchor")
            found = present(whole.mask_of(side))
            info = graph.picture_of(side)
            there = Rle(found.size, found.counts).decode()
            assert there.shape == (info.height, info.width)
            assert np.array_equal(there[:120, :200], mask) and there.sum() == mask.sum()


def test_swapping_and_permuting_hold_for_a_crop_to_the_bit():
    regions = RegionSet.grid(NARROW.shape[:2], 2, 2)
    graph = compare(NARROW, SHORT, regions=regions, fit="crop")
    assert load_graph(graph.to_json()) == graph
    moved = compare(NARROW, SHORT, regions=regions.reorder([2, 0, 3, 1]), fit="crop")
    assert [moved.region(number) for number in regions.ids] == list(graph.regions)
    found = compare(NARROW, SHORT, fit="crop")
    assert compare(SHORT, NARROW, fit="crop") == found.swapped()
    assert found.swapped().swapped() == found


def test_what_only_one_picture_shows_is_never_compared():
    other = SHORT.copy()
    other[:, 200:] = 255 - other[:, 200:]
    first, second = (compare(NARROW, target, fit="crop") for target in (SHORT, other))
    assert (first.regions, first.scene) == (second.regions, second.scene)


def test_rows_that_were_added_leave_the_same():
    taller = np.concatenate([WHOLE, np.full((20, 240, 3), 255, np.uint8)])
    graph = compare(WHOLE, taller, fit="crop")
    assert {region.comparison.label for region in graph.regions} == {"same"}
    said = summary(graph)
    assert said.startswith("The compared parts are identical, pixel for pixel; ")
    assert said.endswith(
        " Only the common part, the top left 240×160 pixels, was compared. "
        "Left out of the target: 20 rows at the bottom."
    )


def test_given_regions_lie_on_the_anchor_and_are_cut():
    labels = np.zeros(NARROW.shape[:2], np.uint8)
    labels[100:150, 50:] = 4  # 20 of its 50 rows are common
    labels[130:] = 7
    labels[:10] = 2
    with pytest.warns(DistortionGraphWarning, match=r"^1 region outside the common part .*: 7$"):
        graph = compare(NARROW, SHORT, regions=labels, evidence="none", fit="crop")
    assert [region.id for region in graph.regions] == [2, 4]
    assert graph.region(4).bbox_of("target") == (50, 100, 150, 20)
    assert graph.region(4).area_fraction == round(20 * 150 / (120 * 200), 6)
    labels[:130] = 0
    with pytest.raises(RegionError, match="regions: none lies in the top left 200×120 pixels"):
        compare(NARROW, SHORT, regions=labels, fit="crop")
    with pytest.raises(RegionError, match="expected the picture's 200×160"):
        compare(NARROW, SHORT, regions=labels[:120], fit="crop")


def moved(value, box):
    """A box of the anchor that leaves what is compared."""
    value["regions"][0]["anchor"]["bbox_xywh_px"] = box
    value["regions"][0]["target"]["bbox_xywh_px"] = [0, 0, 9, 100]


def alike(value):
    """Two pictures of one size, and nothing that lies on them."""
    value["target"].update(width=200, height=160)
    value.update(regions=[], scene=None)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda g: moved(g, [0, 0, 9, 130]), r"\[0, 0, 9, 130\] leaves the common part of the pic"),
        (lambda g: alike(g), "text: fit: 'crop' for two pictures of one size, expected null$"),
        (lambda g: g.update(fit="squash"), "fit: expected 'crop' or 'resize', found 'squash'"),
    ],
)
def test_a_graph_that_contradicts_its_sizes_is_refused(change, said):
    value = json.loads(compare(NARROW, SHORT, regions="whole", fit="crop").to_json())
    for node in ("anchor", "target"):
        value["regions"][0][node]["mask"] = None
    value["regions"][0]["differs"] = value["scene"]["differs"] = None
    change(value)
    with pytest.raises(GraphError, match=said):
        load_graph(json.dumps(value))


def test_the_overlay_draws_both_at_one_scale_and_dims_the_rest():
    taller = np.concatenate([WHOLE, np.full((40, 240, 3), 255, np.uint8)])
    graph = compare(WHOLE, taller, regions="grid:2x2", fit="crop")
    drawn = overlay(graph, WHOLE, taller)
    factor = 4  # 240 pixels become 960
    dark = (drawn == INK).all(2)
    left = int(np.flatnonzero(~dark[drawn.shape[0] // 3])[0])
    columns = slice(left, left + 240 * factor)
    gap = int(np.flatnonzero(~dark[drawn.shape[0] // 3, left + 240 * factor :])[0])
    other = left + 240 * factor + gap
    panels = [drawn[:, columns], drawn[:, other : other + 240 * factor]]
    top = next(y for y in range(drawn.shape[0]) if not dark[y, columns].any())
    common = slice(top, top + 160 * factor)
    assert np.array_equal(panels[0][common], panels[1][common])
    below = slice(top + 165 * factor, top + 195 * factor)
    assert (panels[0][below] == INK).all()
    assert len(np.unique(panels[1][below].reshape(-1, 3), axis=0)) == 1  # white, dimmed
    assert 80 < panels[1][below].mean() < 200
