"""The report of pictures that an alignment lays on each other, in a real browser."""

from __future__ import annotations

import numpy as np
import pytest
from aligned_samples import BENT, CROP, HALF, TURN, aligned, alignment
from page_samples import shown
from test_aligned_pictures import with_spots
from test_page_in_browser import OVERLAPS, WIDTHS, everywhere, pixels, visible_rows

from distortion_graph.report.html.page import report_page
from distortion_graph.report.mapping import mapped
from distortion_graph.report.wording import DIMMED

pytestmark = pytest.mark.slow

KINDS = {
    "crop": ("translation", CROP, (56, 72)),
    "half": ("similarity", HALF, (48, 64)),
    "turned": ("similarity", TURN, (96, 128)),
    "bent": ("homography", BENT, (96, 128)),
}
# Middles of the anchor's blocks of 8 × 8 pixels of one colour that every target shows.
MIDDLES = np.array([(x, y) for x in range(52, 108, 8) for y in range(36, 76, 8)], float)


def page(sample, graph=None):
    pictures = shown(sample.anchor), shown(sample.target)
    return report_page(sample.graph if graph is None else graph, pictures)


def mode(tab, name):
    tab.get_by_role("button", name=name, exact=True).click()


def plain(tab):
    """Nothing over the pixels."""
    mode(tab, "Pixels only")
    tab.add_style_tag(content=".tag, #handle { display: none !important } .marks { opacity: 0 }")


def screen(tab, places):
    """Where places of the anchor are on the stage, in whole pixels of the screen: rows, columns."""
    sheet = tab.locator(".pictures .sheet").first.bounding_box()
    stage = tab.locator("#stage").bounding_box()
    scale = sheet["width"] / 128
    x = places[:, 0] * scale + sheet["x"] - stage["x"]
    y = places[:, 1] * scale + sheet["y"] - stage["y"]
    return y.astype(int), x.astype(int)


def of_anchor(sample):
    columns, rows = MIDDLES.astype(int).T
    return sample.anchor[rows, columns].astype(int)


@pytest.mark.parametrize("zooms", [0, 2])
@pytest.mark.parametrize("kind", KINDS)
def test_blink_and_swipe_do_not_jump(open_page, kind, zooms):
    sample = aligned(*KINDS[kind])
    tab = open_page(page(sample), reduced_motion="reduce")
    plain(tab)
    mode(tab, "Blink")
    for _ in range(zooms):
        mode(tab, "Zoom in")
    at = screen(tab, MIDDLES)
    height, width = pixels(tab.locator("#stage")).shape[:2]
    seen = (at[0] >= 0) & (at[0] < height) & (at[1] >= 0) & (at[1] < width)
    at, wanted = (at[0][seen], at[1][seen]), of_anchor(sample)[seen]
    assert seen.sum() >= 8
    for _ in range(2):  # the anchor, then the target
        assert np.abs(pixels(tab.locator("#stage"))[at].astype(int) - wanted).max() <= 1
        mode(tab, "Flip")
    mode(tab, "Swipe")
    for share in (0, 40, 100):
        tab.locator("#split").fill(str(share))
        assert np.abs(pixels(tab.locator("#stage"))[at].astype(int) - wanted).max() <= 1


@pytest.mark.parametrize("kind", KINDS)
def test_the_difference_of_one_scene_is_black_and_nothing_else_is_shown(open_page, kind):
    sample = aligned(*KINDS[kind])
    tab = open_page(page(sample))
    mode(tab, "Pixels only")
    mode(tab, "Difference")
    mode(tab, "× 16")
    seen = pixels(tab.locator("#stage")).astype(int)
    assert np.median(seen[screen(tab, MIDDLES)]) == 0
    assert (seen[screen(tab, MIDDLES)] <= 16).all()
    if kind == "crop":
        apart = screen(tab, np.array([(5.0, 30.0), (120.0, 90.0), (50.0, 10.0), (50.0, 90.0)]))
        assert seen[apart].tolist() == [[18, 20, 24]] * 4


@pytest.mark.parametrize("kind", KINDS)
def test_outlines_and_places_follow_the_picture(open_page, kind):
    sample = aligned(*KINDS[kind], rows=12, columns=16, frame="anchor")
    inner = next(r for r in sample.graph.regions if r.anchor.bbox_xywh_px == (64, 48, 8, 8))
    graph = with_spots(
        sample.graph.model_copy(
            update={"regions": (inner, *(r for r in sample.graph.regions if r is not inner))}
        ),
        (66, 50, 4, 4),
    )
    tab = open_page(page(sample, graph))
    mode(tab, "Swipe")
    scale = tab.locator(".pictures .sheet").first.bounding_box()["width"] / 128
    assert tab.locator('.marks g[data-region="0"] rect.place').count() == 4
    for mark in (".line", "rect.place:not(.under)"):
        boxes = [
            tab.locator(f'.marks .pane:nth-child({k}) g[data-region="0"] {mark}').bounding_box()
            for k in (1, 2)
        ]
        middles = [(b["x"] + b["width"] / 2, b["y"] + b["height"] / 2) for b in boxes]
        # An outline in whole pixels of the target may lie half of one off.
        assert middles[0] == pytest.approx(middles[1], abs=1.1 * scale)
        assert boxes[0]["width"] == pytest.approx(boxes[1]["width"], abs=2.5 * scale)


def test_side_by_side_the_target_keeps_its_shape_and_the_scene_its_size(open_page):
    for k, kind in enumerate(KINDS):
        model, matrix, size = KINDS[kind]
        tab = open_page(page(aligned(model, matrix, size)), name=f"{kind}.html")
        boxes = [tab.locator(f".pictures .pane:nth-child({k}) img").bounding_box() for k in (1, 2)]
        scale = boxes[0]["width"] / 128
        assert boxes[1]["width"] / boxes[1]["height"] == pytest.approx(size[1] / size[0], rel=0.01)
        if kind != "bent":
            per_px = np.hypot(*matrix[:2, 0])
            assert boxes[1]["width"] == pytest.approx(scale * per_px * size[1], rel=0.01)
        panes = [tab.locator(f".pictures .pane:nth-child({k})").bounding_box() for k in (1, 2)]
        middle = np.array([size[::-1]]) / 2
        to = mapped(matrix, middle)[0] * scale
        offset = boxes[1]["x"] - panes[1]["x"] - (boxes[0]["x"] - panes[0]["x"])
        if kind in ("crop", "half"):
            assert offset + boxes[1]["width"] / 2 == pytest.approx(to[0], abs=1)
    assert k == len(KINDS) - 1


def test_pixels_are_sharp_in_either_picture_when_it_is_enlarged(open_page):
    sample = aligned(*KINDS["half"])
    tab = open_page(page(sample))
    plain(tab)
    mode(tab, "1 : 1")
    while tab.locator("#zoom").inner_text() != "400 % · 800 %":
        mode(tab, "Zoom in")
    for k, (rgb, factor) in enumerate(((sample.anchor, 4), (sample.target, 8))):
        pane = tab.locator(".pictures .pane").nth(k)
        sheet, box = (
            tab.locator(".pictures .sheet").nth(k).bounding_box(),
            pane.bounding_box(),
        )
        seen = pixels(pane)
        y, x = np.mgrid[5 : seen.shape[0] - 5 : 7, 5 : seen.shape[1] - 5 : 7]
        across, down = x + 0.5 - (sheet["x"] - box["x"]), y + 0.5 - (sheet["y"] - box["y"])
        clear = (np.abs(across % factor - factor / 2) < factor / 2 - 1) & (
            np.abs(down % factor - factor / 2) < factor / 2 - 1
        )
        inside = (across >= 0) & (down >= 0)
        inside &= (across < rgb.shape[1] * factor) & (down < rgb.shape[0] * factor)
        rows, columns = (down // factor).astype(int), (across // factor).astype(int)
        good = clear & inside
        assert good.sum() > 100
        assert np.array_equal(seen[y, x][good], rgb[rows[good], columns[good]])


def test_a_region_of_one_picture_is_told_found_and_shown(open_page):
    sample = aligned()
    tab = open_page(page(sample))
    assert "3 regions are in the anchor alone" in tab.locator(".summary").inner_text()
    assert "shifted by 40.0, 24.0 px" in tab.locator(".summary").inner_text()
    assert "residual 0.03 px, confidence 0.99" in tab.locator("header .detail").inner_text()
    assert DIMMED in tab.locator("#legend").inner_text()
    first, *rest = everywhere(9)
    assert tab.locator(first).count() == 1 and tab.locator(rest[0]).count() == 0
    tab.locator(rest[2]).hover()
    told = tab.locator("#panel").inner_text()
    assert "– in the anchor alone" in told and "Anchor" in told and "Target" not in told
    assert "– in the anchor alone" in tab.locator(rest[1]).inner_text()
    tab.locator("#filter-comparison").select_option("in one picture alone")
    assert visible_rows(tab) == {9, 10, 11}
    tab.locator("#filter-comparison").select_option("")
    tab.locator("#filter-distortion").select_option("blur")
    assert visible_rows(tab) == set(range(9))
    mode(tab, "Comparison")
    assert "unmarked-comparison" in (tab.locator(first).get_attribute("class") or "")


def test_a_region_of_the_target_alone_can_be_zoomed_to(open_page):
    sample = aligned()
    swapped = sample._replace(
        graph=sample.graph.swapped(), anchor=sample.target, target=sample.anchor
    )
    tab = open_page(page(swapped))
    mode(tab, "Swipe")
    tab.locator("#split").fill("0")
    tab.locator(everywhere(9)[3]).click()
    mode(tab, "Zoom to it")
    mark = tab.locator(f"{everywhere(9)[1]} .line").bounding_box()
    stage = tab.locator("#stage").bounding_box()
    # The region lies in the frame's corner; its outline is half a pixel of the picture wider.
    for at, length in (("x", "width"), ("y", "height")):
        assert mark[at] == pytest.approx(stage[at], abs=10)
        assert mark[length] > 0.3 * stage["height"]


def test_small_motion_without_a_matrix_is_said_and_shown_by_the_frames(open_page):
    sample = aligned(*KINDS["turned"])
    graph = sample.graph.model_copy(update={"alignment": alignment("flow", None)})
    tab = open_page(page(sample, graph))
    assert "swipe, blink and difference lay the pictures on each other by their frames" in (
        tab.locator("header .detail").inner_text()
    )
    mode(tab, "Swipe")
    first, second = (s.bounding_box() for s in tab.locator(".pictures .sheet").all())
    assert first == second


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_overlaps_or_is_cut(open_page, width, scheme):
    for kind in ("crop", "bent"):
        tab = open_page(
            page(aligned(*KINDS[kind])), width=width, scheme=scheme, name=f"{kind}.html"
        )
        for name in ("Side by side", "Swipe", "Difference"):
            mode(tab, name)
            assert tab.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
            assert tab.evaluate(OVERLAPS) == []
