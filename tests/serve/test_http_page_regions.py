"""Regions in the page of the service: drawn, grown, named, merged, taken over, saved, compared."""

from __future__ import annotations

import io
import json
import re

import numpy as np
import pytest
from page_tabs import PAIR, SHOWN, choose, compare, named, saved
from PIL import Image
from served import EXAMPLES, encoded

from distortion_graph import load_picture
from distortion_graph.graph import DistortionGraph
from distortion_graph.regions import resolve_regions

pytestmark = pytest.mark.slow
SIZE = (320, 480)


def point(tab, place, side="anchor"):
    """Where a pixel of the picture is on the screen."""
    x, y = place
    box = tab.locator(f"[data-easel={side}] .sheet-of").bounding_box()
    h, w = SIZE
    return box["x"] + x / w * box["width"], box["y"] + y / h * box["height"]


def tool(tab, name):
    tab.get_by_role("button", name=name, exact=True).click()
    tab.locator("[data-easel=anchor] .sheet-of").scroll_into_view_if_needed()


def drag(tab, *places, side="anchor"):
    tab.mouse.move(*point(tab, places[0], side))
    tab.mouse.down()
    for place in places[1:]:
        tab.mouse.move(*point(tab, place, side), steps=4)
    tab.mouse.up()


def drawing(opened, **options):
    """The page with the example pair, ready to draw."""
    tab = opened("#regions=drawn", **options)
    choose(tab)
    tab.locator("[data-easel=target] img[src]").wait_for()
    return tab


def listed(tab):
    return tab.locator("#region-list input[type=text]").evaluate_all("all => all.map(o => o.value)")


def masks(tab, tmp_path):
    """The regions that the page saves, as the command reads them."""
    name, text = saved(tab, "Save masks (JSON)")
    assert name == "anchor-masks.json"
    (tmp_path / name).write_bytes(text)
    return resolve_regions(tmp_path / name, load_picture(PAIR[0]), load_picture(PAIR[1]))


def counts_of(region):
    return region.mask_of("anchor").counts


def box_of(region):
    rows, columns = np.nonzero(region.rle.decode())
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1


def test_drawn_regions_are_compared_as_they_were_drawn(opened, tmp_path):
    tab = drawing(opened)
    tool(tab, "Box")
    drag(tab, (48, 32), (200, 150))
    drag(tab, (300, 200), (420, 300), side="target")
    tool(tab, "Outline")
    corners = [(220, 20), (300, 20), (300, 120), (220, 120)]
    for corner in [*corners, corners[0]]:
        tab.mouse.click(*point(tab, corner))
    assert listed(tab) == ["region 1", "region 2", "region 3"]
    tab.get_by_label("Name of region 1").fill("wood")
    tab.get_by_label("Name of region 1").press("Enter")
    found = masks(tab, tmp_path)
    assert (found.ids, found.names) == ((1, 2, 3), ("wood", "region 2", "region 3"))
    wanted = [(48, 32, 200, 150), (300, 200, 420, 300), (220, 20, 300, 120)]
    for region, box in zip(found, wanted, strict=True):
        assert np.abs(np.subtract(box_of(region), box)).max() <= 1, (region.name, box_of(region))
        x1, y1, x2, y2 = box_of(region)
        assert region.rle.decode().sum() == (x2 - x1) * (y2 - y1)
    compare(tab)
    assert "3 regions drawn" in tab.locator("#answer-title").inner_text()
    graph = DistortionGraph.model_validate_json(saved(tab, "Graph (JSON)")[1])
    assert [region.name for region in graph.regions] == ["wood", "region 2", "region 3"]
    for region, one in zip(graph.regions, found, strict=True):
        assert counts_of(region) == one.rle.counts


def test_regions_are_merged_deleted_and_undone(opened, tmp_path):
    tab = drawing(opened)
    tool(tab, "Box")
    for x in (20, 120, 220):
        drag(tab, (x, 40), (x + 60, 100))
    areas = [region.rle.decode().sum() for region in masks(tab, tmp_path)]
    tool(tab, "Choose")
    tab.mouse.click(*point(tab, (50, 70)))
    tab.keyboard.down("Shift")
    tab.mouse.click(*point(tab, (150, 70)))
    tab.keyboard.up("Shift")
    tab.get_by_role("button", name="Merge").click()
    assert listed(tab) == ["region 1", "region 3"]
    merged = masks(tab, tmp_path)
    assert merged[0].rle.decode().sum() == areas[0] + areas[1]
    tab.get_by_role("button", name="Delete region 3").click()
    assert listed(tab) == ["region 1"]
    assert tab.evaluate("document.activeElement.id") == "undo"
    for names in (["region 1", "region 3"], ["region 1", "region 2", "region 3"]):
        tab.keyboard.press("Enter")
        assert listed(tab) == names
    tab.get_by_label("Choose region 1", exact=True).uncheck()
    assert tab.get_by_label("Choose region 2").is_checked()
    tool(tab, "Box")
    tab.get_by_label("Gives").select_option("take")
    drag(tab, (120, 40), (150, 100))
    assert abs(masks(tab, tmp_path)[1].rle.decode().sum() - areas[1] / 2) <= 61
    tab.get_by_label("Gives").select_option("add")
    drag(tab, (100, 20), (200, 120))
    assert abs(masks(tab, tmp_path)[1].rle.decode().sum() - 100 * 100) <= 201


def test_a_click_grows_over_what_is_alike(opened):
    scene = np.full((*SIZE, 3), (200, 180, 40), np.uint8)
    rows, columns = np.indices(SIZE)
    disc = np.hypot(rows - 160.5, columns - 200.5) < 90
    scene[disc] = (40, 60, 190)
    noisy = scene + np.random.default_rng(0).normal(0, 12, scene.shape)
    picture = encoded(np.clip(noisy, 0, 255).astype(np.uint8))
    tab = opened("#regions=drawn")
    held = {"name": "disc.png", "mimeType": "image/png", "buffer": picture}
    choose(tab, held, held)
    tab.locator("[data-easel=target] img[src]").wait_for()
    tool(tab, "Grow")
    tab.get_by_label("Reach").evaluate(
        "(o) => { o.value = 60; o.dispatchEvent(new Event('input')); }"
    )
    tab.mouse.click(*point(tab, (200, 160)))
    [entry] = json.loads(saved(tab, "Save masks (JSON)")[1])
    found = mask_of(entry)
    assert (found & disc).sum() / (found | disc).sum() > 0.97
    # A smaller reach finds less, in the same region and as the same step back.
    tab.get_by_label("Reach").evaluate(
        "(o) => { o.value = 3; o.dispatchEvent(new Event('input')); }"
    )
    [entry] = json.loads(saved(tab, "Save masks (JSON)")[1])
    assert mask_of(entry).sum() < found.sum() / 2
    tab.get_by_role("button", name="Undo").click()
    assert listed(tab) == []


def mask_of(entry):
    counts, (h, w) = entry["segmentation"]["counts"], entry["segmentation"]["size"]
    values = np.arange(len(counts)) % 2 == 1
    return np.repeat(values, counts).reshape(w, h).T


def test_regions_that_were_found_are_taken_over(opened, tmp_path):
    tab = opened()
    choose(tab)
    report = compare(tab)
    rows = report.locator(".graph-table tbody tr:not(.scene)").count()
    graph = DistortionGraph.model_validate_json(saved(tab, "Graph (JSON)")[1])
    tab.get_by_role("button", name="Edit its regions").click()
    tab.locator("#region-list li").first.wait_for()
    assert tab.evaluate("document.activeElement.id") == "editor-title"
    assert "regions=drawn" in tab.url
    assert len(listed(tab)) == rows
    found = masks(tab, tmp_path)
    assert found.ids == tuple(region.id for region in graph.regions)
    for one, region in zip(found, graph.regions, strict=True):
        assert one.rle.counts == counts_of(region)
    # The same ones are found before anything is compared.
    tab.locator("#regions").select_option("auto")
    tab.get_by_role("button", name="Find and edit them").click()
    tab.locator("#editor").wait_for()
    assert masks(tab, tmp_path) == found


def test_masks_of_a_comparison_are_saved(opened, tmp_path):
    tab = opened("#regions=grid&rows=2&columns=3")
    choose(tab)
    compare(tab)
    name, text = saved(tab, re.compile(r"^Masks \(JSON\)"))
    (tmp_path / "masks.json").write_bytes(text)
    anchor, target = map(load_picture, PAIR)
    found = resolve_regions(tmp_path / "masks.json", anchor, target)
    assert name == "anchor-target-masks.json"
    assert found == resolve_regions("grid:2x3", anchor, target)
    name, picture = saved(tab, re.compile(r"^Masks \(PNG\)"))
    labels = np.asarray(Image.open(io.BytesIO(picture)))
    assert labels.dtype == np.uint8 and "each value is the region's id and 1" in status(tab)
    for region in found:
        assert ((labels == region.id + 1) == region.rle.decode()).all()


def status(tab):
    return tab.locator("#status").inner_text()


def test_label_maps_hold_large_ids_and_say_what_overlaps(opened, tmp_path):
    tab = drawing(opened)
    entries = [
        {"name": "low", "bbox": [0, 0, 100, 50], "attributes": {"region_id": 7, "name": "low"}},
        {
            "name": "high",
            "bbox": [50, 0, 100, 50],
            "attributes": {"region_id": 300, "name": "high"},
        },
    ]
    (tmp_path / "two.json").write_text(json.dumps(entries))
    tab.get_by_label("Open masks").set_input_files(tmp_path / "two.json")
    tab.locator("#region-list li").nth(1).wait_for()
    assert listed(tab) == ["low", "high"]
    labels = np.asarray(Image.open(io.BytesIO(saved(tab, "Save masks (PNG)")[1])))
    assert "where regions overlap the later one counts" in status(tab)
    assert labels[10, [10, 60, 120, 200]].tolist() == [7, 300, 300, 0]


def test_files_of_masks_are_opened(opened):
    tab = drawing(opened)
    tab.get_by_label("Open masks").set_input_files(EXAMPLES / "regions.json")
    tab.locator("#region-list li").first.wait_for()
    known = [entry["name"] for entry in json.loads((EXAMPLES / "regions.json").read_text())]
    assert listed(tab) == known
    broken = {"name": "masks.json", "mimeType": "application/json", "buffer": b"[{}]"}
    tab.get_by_label("Open masks").set_input_files(broken)
    tab.locator("#problem", has_text="no mask").wait_for()
    assert listed(tab) == known


def test_regions_are_compared_again_as_they_change(opened):
    tab = drawing(opened)
    tab.get_by_label("Compare again").check()
    tool(tab, "Box")
    drag(tab, (48, 32), (200, 150))
    tab.locator("#answer-title", has_text="1 region drawn").wait_for()
    drag(tab, (250, 32), (400, 150))
    tab.locator("#answer-title", has_text="2 regions drawn").wait_for()
    assert tab.locator("#history li").count() == 1
    assert tab.evaluate("document.activeElement.getAttribute('role')") == "application"
    # A report that somebody went into, and may have judged in, is kept.
    tab.frame_locator(SHOWN).get_by_role("button", name="Swipe").click()
    tab.get_by_role("button", name="Delete region 1").click()
    tab.locator("#answer-title", has_text="1 region drawn").wait_for()
    assert tab.locator("#history li").count() == 2


def test_regions_are_drawn_by_keyboard(opened, tmp_path):
    tab = drawing(opened)
    tool(tab, "Box")
    tab.locator("[data-easel=anchor] .sheet-of").focus()

    def press(*keys):
        for key in keys:
            tab.keyboard.press(key)

    press("Enter", *["ArrowRight"] * 10, *["ArrowDown"] * 6, *["Shift+ArrowDown"] * 2, "Enter")
    [box] = masks(tab, tmp_path)
    assert box_of(box) == (240, 160, 290, 192)  # from the middle, steps of a hundredth of 480
    tool(tab, "Outline")
    tab.locator("[data-easel=anchor] .sheet-of").focus()
    press("Enter", *["ArrowLeft"] * 20, "Enter", *["ArrowUp"] * 20, "Enter", "Enter")
    tool(tab, "Choose")
    tab.locator("[data-easel=anchor] .sheet-of").focus()
    press("ArrowRight", "ArrowDown", "Enter")
    assert tab.locator("#said").inner_text() == "region 1."
    outline = masks(tab, tmp_path)[1].rle.decode()
    assert abs(outline.sum() - 100 * 100 / 2) < 101 and outline[155, 200] and not outline[70, 235]
    tab.get_by_text("A box by numbers").click()
    for label, value in {"Left": 10, "Top": 20, "Width": 30, "Height": 40}.items():
        tab.get_by_label(label, exact=True).fill(str(value))
    tab.get_by_role("button", name="Add the box").click()
    assert box_of(masks(tab, tmp_path)[2]) == (10, 20, 40, 60)


def test_regions_are_drawn_by_touch(opened):
    tab = drawing(opened, width=390, touch=True)
    tool(tab, "Box")
    for corner in ((48, 32), (200, 150)):
        tab.touchscreen.tap(*point(tab, corner))
    assert listed(tab) == ["region 1"]
    sheet = tab.locator("[data-easel=anchor] .sheet-of")
    assert sheet.evaluate("o => getComputedStyle(o).touchAction") == "none"
    session = tab.context.new_cdp_session(tab)
    tool(tab, "Outline")
    ring = [(300 + 80 * np.cos(a), 160 + 80 * np.sin(a)) for a in np.linspace(0, 6.2, 30)]
    for k, place in enumerate(ring):
        x, y = point(tab, place)
        kind = "touchMove" if k else "touchStart"
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    assert listed(tab) == ["region 1", "region 2"]
    entry = json.loads(saved(tab, "Save masks (JSON)")[1])[1]
    assert mask_of(entry).sum() == pytest.approx(np.pi * 80**2, rel=0.05)


def test_regions_are_drawn_where_the_pictures_are_shown_large(opened, tmp_path):
    tab = drawing(opened)
    for _ in range(4):
        tab.get_by_role("button", name="Show the pictures larger").click()
    easels = tab.locator(".easel")
    easels.first.evaluate("o => o.scrollTo(600, 300)")
    tab.wait_for_function("() => document.querySelectorAll('.easel')[1].scrollLeft === 600")
    tool(tab, "Box")
    easels.first.evaluate("o => o.scrollTo(600, 300)")
    view = easels.first.bounding_box()
    sheet = tab.locator(".sheet-of").first.bounding_box()
    for x, y in ((view["x"] + 50, view["y"] + 40), (view["x"] + 250, view["y"] + 140)):
        tab.mouse.click(x, y)
    [box] = masks(tab, tmp_path)
    scale = SIZE[1] / sheet["width"]
    left, top = view["x"] + 50 - sheet["x"], view["y"] + 40 - sheet["y"]
    wanted = np.multiply((left, top, left + 200, top + 100), scale)
    assert np.abs(np.subtract(box_of(box), wanted)).max() <= 1


def test_what_cannot_be_drawn_is_said_and_nothing_is_lost(opened):
    tab = drawing(opened)
    alert, button = tab.get_by_role("alert"), tab.get_by_role("button", name="Compare", exact=True)
    button.click()
    assert "No region is drawn" in alert.inner_text()
    tool(tab, "Box")
    drag(tab, (48, 32), (200, 150))
    choose(tab, named("other.png", 1), named("b.png", 2))
    strange = tab.locator("#strange", has_text="a picture of 480 × 320, the anchor has 96 × 64")
    strange.wait_for()
    button.click()
    assert "480 × 320" in alert.inner_text()
    choose(tab)
    strange.wait_for(state="hidden")
    assert listed(tab) == ["region 1"]
    compare(tab)
    report = compare(tab)
    assert report.locator(".graph-table tbody tr:not(.scene)").count() == 1


def test_a_target_of_another_size_is_shown_without_regions(opened):
    tab = drawing(opened)
    choose(tab, target=named("small.png", 1))
    tab.locator("[data-easel=target] .sheet-of.apart").wait_for()
    tool(tab, "Box")
    sheet = tab.locator("[data-easel=target] .sheet-of").bounding_box()
    tab.mouse.click(sheet["x"] + 20, sheet["y"] + 20)
    tab.mouse.click(sheet["x"] + 60, sheet["y"] + 60)
    assert listed(tab) == []
    drag(tab, (48, 32), (200, 150))
    assert listed(tab) == ["region 1"]


def test_the_link_that_skips_leads_to_the_table_of_a_report_in_its_frame(opened):
    tab = opened("#regions=grid")
    choose(tab)
    report = compare(tab)
    report.locator("a.skip").focus()
    tab.keyboard.press("Enter")
    table = report.get_by_role("group", name="Table of regions")
    assert table.evaluate("o => o === document.activeElement")
    assert table.evaluate("o => o.getBoundingClientRect().top < innerHeight")


def test_runs_are_what_masks_are(opened):
    """The arithmetic of masks against numpy."""
    tab = opened()
    rng = np.random.default_rng(0)
    one, other = (rng.random((7, 9)) < p for p in (0.4, 0.6))
    found = tab.evaluate(
        """async ([one, other]) => {
          const masks = await import("./masks.js");
          const size = { width: 9, height: 7 };
          const mask = (bits) => masks.fromBits(Uint8Array.from(bits), size, size);
          const [a, b] = [mask(one), mask(other)];
          const counts = (mask) => masks.toCounts(mask, size);
          return { a: counts(a), both: counts(masks.union(a, b)), left: counts(masks.without(a, b)),
            back: counts(masks.fromCounts(counts(a))), area: masks.area(a),
            held: Array.from({ length: 63 }, (_, k) => masks.holds(a, k)) };
        }""",
        [one.ravel().astype(int).tolist(), other.ravel().astype(int).tolist()],
    )

    def of(counts):
        return mask_of({"segmentation": {"size": [7, 9], "counts": counts}})

    assert (of(found["a"]) == one).all() and found["back"] == found["a"]
    assert (of(found["both"]) == (one | other)).all() and (
        of(found["left"]) == (one & ~other)
    ).all()
    assert found["area"] == one.sum() and found["held"] == one.T.ravel().tolist()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1400])
def test_the_editor_is_accessible_and_fits(opened, axe, width, scheme):
    tab = opened(width=width, scheme=scheme)
    tab.add_init_script(axe)
    tab.reload()
    choose(tab)
    tab.get_by_role("button", name="Find and edit them").click()
    tab.locator("#region-list li").first.wait_for()
    tab.get_by_label("Choose region 1", exact=True).check()
    tab.get_by_text("A box by numbers").click()
    for name in ("Choose", "Box", "Outline", "Grow"):
        tool(tab, name)
        found = tab.evaluate("axe.run({resultTypes: ['violations']})")["violations"]
        assert [v["id"] for v in found if v["impact"] in ("serious", "critical")] == []
        assert tab.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
