"""Overlay, sheet, drawing and places of two pictures that an alignment lays on each other."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from aligned_samples import CROP, HALF, TURN, aligned
from optional import present
from test_sheet import enlarged, written
from test_sheet import places as found_at

from distortion_graph.graph import Difference, DistortionGraph
from distortion_graph.report import legend
from distortion_graph.report.drawing import Chip
from distortion_graph.report.graph_drawing import draw_graph
from distortion_graph.report.html.view import view
from distortion_graph.report.layout import LARGEST_PX, SHOWN_PX, lay_out
from distortion_graph.report.mapping import laid_of
from distortion_graph.report.overlay import overlay
from distortion_graph.report.palette import INK, PLACE
from distortion_graph.report.places import place_text, places_on
from distortion_graph.report.sheet import sheet
from distortion_graph.report.wording import DIMMED, summary
from distortion_graph.serve.mcp_answers import comparison_facts, without_masks


def bare(sample):
    """The graph without regions: its overlay shows the pictures alone."""
    return sample.graph.model_copy(update={"regions": (), "alone": ()})


def drawn(sample, graph=None):
    return overlay(bare(sample) if graph is None else graph, sample.anchor, sample.target)


def with_spots(graph, *spots, share=0.01):
    """The graph with differences in its first region and all over; spots are of the frame."""
    info = graph.picture_of(present(present(graph.alignment).frame))
    size = present(info.height), present(info.width)
    differs = Difference(share=share, equal=0.98, size=size, spots=spots)
    first = graph.regions[0].model_copy(update={"differs": differs})
    scene = present(graph.scene).model_copy(update={"differs": differs})
    changed = {"regions": (first, *graph.regions[1:]), "scene": scene}
    return DistortionGraph.model_validate(graph.model_copy(update=changed).model_dump())


# --- the overlay ---


def test_a_cut_out_is_shown_undistorted_at_the_scale_of_its_anchor():
    sample = aligned()
    factor = -(-SHOWN_PX // 128)
    page = drawn(sample)
    (_, mine), (y, x) = sorted(
        found_at(page, enlarged(sample.target, factor)), key=lambda at: at[1]
    )
    assert mine < 128 * factor < x  # both show it
    # Beside it, where no picture is, the ground is dark.
    assert (page[y : y + 56 * factor, x + 72 * factor + 3 :] == INK).all()


def test_what_the_other_picture_does_not_show_is_dimmed_and_the_rest_is_not():
    sample = aligned()
    factor = -(-SHOWN_PX // 128)
    page = drawn(sample)
    inside = enlarged(sample.anchor[24:80, 40:112], factor)
    edge = factor  # the border between the two is antialiased
    y, x = min(found_at(page, inside[edge:-edge, edge:-edge]), key=lambda at: at[1])
    top, left = y - edge - 24 * factor, x - edge - 40 * factor
    outside = page[top : top + 20 * factor, left : left + 128 * factor].astype(float)
    full = enlarged(sample.anchor[:20], factor)
    wanted = full + 0.45 * (np.array(INK) - full)
    assert np.abs(outside - wanted).max() <= 1
    assert (
        drawn(sample.__class__(bare(sample).swapped(), sample.target, sample.anchor)) != 0
    ).any()


def test_the_legend_explains_what_is_dimmed(monkeypatch):
    lines = []
    monkeypatch.setattr(legend, "write_middle", lambda canvas, text, *more: lines.append(text))
    drawn(aligned())
    assert DIMMED in lines
    lines.clear()
    drawn(aligned("similarity", HALF, (48, 64)))
    assert DIMMED not in lines and "clean" in lines


@pytest.mark.parametrize(
    ("matrix", "size", "shown"),
    [
        (CROP, (56, 72), ((1024, 768), (576, 448))),
        (HALF, (48, 64), ((1024, 768), (1024, 768))),
        (TURN, (96, 128), ((1024, 768), (1024, 768))),
        (np.linalg.inv(CROP), (200, 300), ((800, 600), (900, 600))),
        # What would be small beside the other is as large as fits.
        (CROP, (24, 48), ((1024, 768), (1024, 512))),
        (np.diag([1 / 8, 1 / 8, 1]), (96, 128), ((1024, 768), (1024, 768))),
        (np.linalg.inv(CROP), (1000, 300), ((300, 225), (300, 1000))),
    ],
)
def test_the_sizes_at_which_the_two_are_shown(matrix, size, shown):
    sample = aligned("homography", matrix, size)
    layout = lay_out(128, 96, present(laid_of(sample.graph)))
    for (width, height), (wanted_width, wanted_height) in zip(layout.shown, shown, strict=True):
        assert width == pytest.approx(wanted_width, rel=0.01)
        assert height == pytest.approx(wanted_height, rel=0.01)
    assert SHOWN_PX <= max(*layout.shown[0], *layout.shown[1]) <= LARGEST_PX


def test_a_region_of_one_picture_is_on_that_picture_alone_and_says_so(monkeypatch):
    texts = []

    def note(self, canvas, x, y, face):
        texts.append((self.number, self.words, self.rank))

    monkeypatch.setattr(Chip, "draw", note)
    sample = aligned()
    drawn(sample, sample.graph)
    lone = {str(region.id) for region in sample.graph.alone}
    assert len(texts) == 2 * len(sample.graph.regions) + len(lone)
    for number, words, rank in texts:
        assert (rank is None) == (number in lone)
        assert ("alone" in words) == (number in lone)
    by_comparison = overlay(sample.graph, sample.anchor, sample.target, "comparison")
    assert by_comparison.shape == drawn(sample, sample.graph).shape


# --- places ---


def test_places_lie_on_both_pictures_and_are_named_in_pixels_of_the_anchor():
    graph = with_spots(aligned(frame="target").graph, (10, 5, 8, 6))
    region = graph.regions[0]
    assert places_on(graph, region, "target") == ((10, 5, 8, 6),)
    assert places_on(graph, region, "anchor") == ((50, 29, 8, 6),)
    assert place_text(graph, region) == "differs at 50,29"
    assert "in one place, in region 1 at 50,29;" in summary(graph)
    swapped = graph.swapped()
    assert places_on(swapped, swapped.regions[0], "target") == ((50, 29, 8, 6),)
    assert place_text(swapped, swapped.regions[0]) == "differs at 10,5"
    half = with_spots(aligned("similarity", HALF, (48, 64), frame="target").graph, (10, 5, 8, 6))
    assert places_on(half, half.regions[0], "anchor") == ((20, 10, 16, 12),)
    outside = with_spots(aligned(frame="anchor").graph, (60, 30, 5, 5), (0, 0, 4, 4))
    assert places_on(outside, outside.regions[0], "target") == ((20, 6, 5, 5),)


def test_small_motion_leaves_places_where_they_are():
    sample = aligned("similarity", TURN, (96, 128))
    graph = with_spots(sample.graph, (10, 5, 8, 6))
    flow = graph.alignment.model_copy(update={"model": "flow", "matrix": None, "inverse": None})
    graph = graph.model_copy(update={"alignment": flow})
    assert places_on(graph, graph.regions[0], "target") == ((10, 5, 8, 6),)


def test_the_page_and_the_overlay_frame_places_on_both_pictures():
    sample = aligned(frame="target")
    graph = with_spots(sample.graph, (10, 5, 8, 6))
    data = json.loads(json.dumps(view(graph)))
    assert data["regions"][0]["differs"]["boxes"] == [[[50, 29, 8, 6]], [[10, 5, 8, 6]]]
    page = drawn(sample, graph.model_copy(update={"alone": ()}))
    pane = page[: int(0.9 * len(page))]
    x = np.flatnonzero((pane == PLACE).all(2).any(0))
    first, second = x[x < page.shape[1] / 2], x[x > page.shape[1] / 2]
    assert second.max() - second.min() == pytest.approx(first.max() - first.min(), abs=2)


# --- the page's data ---


def test_the_page_knows_how_the_target_lies_and_what_both_show():
    laid = view(aligned().graph)["laid"]
    assert laid["onto"] == laid["beside"] == ((1, 0, 40), (0, 1, 24), (0, 0, 1))
    assert laid["shown"][0] == [[40, 24], [112, 24], [112, 80], [40, 80]]
    assert laid["dimmed"] == DIMMED
    assert view(aligned("none", np.eye(3), (96, 128)).graph)["laid"] is None


def test_regions_of_one_picture_stand_last_in_the_page():
    sample = aligned()
    data = json.loads(json.dumps(view(sample.graph)))
    assert len(data["regions"]) == 12
    for region in data["regions"][9:]:
        assert region["comparison"] is None and region["alone"] == "in the anchor alone"
        assert region["nodes"][0] is not None and region["nodes"][1] is None
        assert region["paths"][0] and region["paths"][1] is None
    assert sorted(data["worst_first"][9:]) == [9, 10, 11]


# --- sheet and drawing ---


def test_the_sheet_shows_a_region_of_one_picture_in_that_picture(monkeypatch):
    sample = aligned()
    lines = written(monkeypatch)
    sheet(sample.graph, sample.anchor, sample.target, 10)
    assert lines.count("not in the target") == lines.count("in the anchor alone") == 1
    assert "3 regions are in the anchor alone" in " ".join(lines)
    assert "The target is shifted by 40.0, 24.0 px" in " ".join(lines)
    lines.clear()
    graph = sample.graph.model_copy(update={"regions": ()}).swapped()
    page = sheet(graph, sample.target, sample.anchor, 1)
    assert lines.count("not in the anchor") == 1 and page.shape[0] > 400


def test_the_drawing_has_one_node_and_no_edge_of_a_region_of_one_picture():
    pytest.importorskip("matplotlib", reason="needs the figures extra")
    graph = aligned().graph
    root = ElementTree.fromstring(draw_graph(graph))
    texts = [e.text for e in root.iter() if e.tag.endswith("}text")]
    assert texts.count("in the anchor alone") == texts.count("–") == 3
    assert texts.count(f"region {graph.alone[0].id}") == 1
    assert texts.count(f"region {graph.regions[0].id}") == 2


# --- facts for assistants ---


def test_assistants_are_told_of_regions_of_one_picture_and_places_of_the_anchor():
    graph = with_spots(aligned(frame="target").graph, (10, 5, 8, 6))
    facts = comparison_facts(graph, ())
    assert [(r.id, r.image, r.node.words) for r in facts.alone] == [
        (region.id, "anchor", "clean") for region in graph.alone
    ]
    assert facts.alone[0].bbox_xywh_px == graph.alone[0].bbox_of("anchor")
    assert present(facts.regions[0].differs).spots_xywh_px == [(50, 29, 8, 6)]
    assert all(region.node.mask is None for region in without_masks(graph).alone)
