"""The report in a real browser: linking, filters, viewers, keys, nothing outside the file."""

from __future__ import annotations

import io
from itertools import product

import numpy as np
import pytest
from page_samples import named, page, rich_sample, shown, without_masks
from PIL import Image
from report_samples import pair, with_metrics

from distortion_graph import compare
from distortion_graph.graph import SIDES, DistortionGraph, ModelInfo
from distortion_graph.report.html.page import report_page
from distortion_graph.report.palette import label_colours

pytestmark = pytest.mark.slow

WIDTHS = (390, 800, 1400)


def classes(tab, selector):
    return tab.locator(selector).get_attribute("class") or ""


def everywhere(position):
    """Where region number `position` is on the page: both pictures, drawing and table."""
    return [
        f'.marks .pane:nth-child(1) g[data-region="{position}"]',
        f'.marks .pane:nth-child(2) g[data-region="{position}"]',
        f'#drawing li[data-region="{position}"]',
        f'#regions tr[data-region="{position}"]',
    ]


def pixels(locator):
    return np.asarray(Image.open(io.BytesIO(locator.screenshot())).convert("RGB"))


def visible_rows(tab):
    rows = tab.locator("#regions tbody tr[data-region]")
    shown = [row for row in rows.all() if row.is_visible()]
    return {int(row.get_attribute("data-region")) for row in shown}


def test_pointing_at_a_region_anywhere_shows_it_everywhere(open_page):
    sample, graph = rich_sample()
    tab = open_page(page(sample, graph))
    for position, pointed in product((0, 5), range(4)):
        places = everywhere(position)
        tab.locator(places[pointed]).hover()
        assert all("active" in classes(tab, place).split() for place in places)
        assert graph.regions[position].name in tab.locator("#panel h3").inner_text()
    tab.mouse.move(5, 5)
    assert tab.locator(".active").count() == 0


def test_a_click_keeps_a_region_and_another_lets_it_go(open_page):
    sample, graph = rich_sample()
    tab = open_page(page(sample, graph))
    tab.locator(everywhere(4)[1]).click()
    tab.mouse.move(5, 5)
    assert all("selected" in classes(tab, place) for place in everywhere(4))
    assert "4" in tab.locator("#panel h3").inner_text()
    tab.locator(everywhere(4)[3]).click()
    tab.mouse.move(5, 5)
    assert tab.locator(".selected").count() == 0


def test_all_can_be_done_by_keys(open_page):
    sample, graph = rich_sample()
    tab = open_page(page(sample, graph))
    tab.locator("#stage").focus()
    tab.keyboard.press("Tab")  # from the stage to the one tab stop among the regions on it
    first = tab.evaluate("document.activeElement.dataset.region")
    tab.keyboard.press("ArrowRight")
    second = tab.evaluate("document.activeElement.dataset.region")
    assert first is not None and second is not None and first != second
    assert "active" in classes(tab, everywhere(second)[3])
    tab.keyboard.press("Enter")
    assert all("selected" in classes(tab, place) for place in everywhere(second))
    tab.locator("#drawing button.row").first.focus()
    tab.keyboard.press("End")
    last = tab.locator("#drawing li").last.get_attribute("data-region")
    assert "active" in classes(tab, everywhere(last)[0])
    tab.locator("#regions tbody button").first.focus()
    tab.keyboard.press("Enter")
    worst = tab.locator("#regions tbody tr").first.get_attribute("data-region")
    assert all("selected" in classes(tab, place) for place in everywhere(worst))


def test_zoom_by_keys_and_buttons(open_page):
    sample, graph = rich_sample()
    tab = open_page(page(sample, graph))
    width = "document.querySelector('.sheet').getBoundingClientRect().width"
    fitted = tab.evaluate(width)
    tab.locator("#stage").focus()
    tab.keyboard.press("1")
    assert tab.evaluate(width) == max(128, fitted)
    for _ in range(3):
        tab.keyboard.press("+")
    zoomed = tab.evaluate(width)
    assert zoomed > fitted and zoomed % 128 == 0
    before = tab.evaluate("document.querySelector('.sheet').style.transform")
    tab.keyboard.press("ArrowRight")
    assert tab.evaluate("document.querySelector('.sheet').style.transform") != before
    tab.keyboard.press("0")
    assert tab.evaluate(width) == fitted
    tab.get_by_role("button", name="Zoom in").click()
    assert tab.evaluate(width) > fitted


def test_filters_show_what_they_say(open_page):
    sample, graph = rich_sample()
    tab = open_page(page(sample, graph))
    vocabulary = graph.vocabulary
    clean = vocabulary.clean

    def where(rule):
        return {k for k, region in enumerate(graph.regions) if rule(region)}

    def nodes(region):
        return region.anchor, region.target

    def quiet(region):
        alike = all(n.distortion.label == clean for n in nodes(region))
        return (
            alike
            and region.comparison.label == vocabulary.comparison_labels[vocabulary.neutral_index]
        )

    if tab.locator("#filter-quiet").count():
        assert visible_rows(tab) == where(lambda r: not quiet(r))
        tab.locator("#filter-quiet").uncheck()
    assert visible_rows(tab) == where(lambda r: True)
    label = graph.regions[0].anchor.distortion.label
    tab.locator("#filter-distortion").select_option(str(vocabulary.distortion_index(label)))
    expected = where(lambda r: label in [n.distortion.label for n in nodes(r)])
    assert visible_rows(tab) == expected
    drawn = [li for li in tab.locator("#drawing li").all() if li.is_visible()]
    assert {int(li.get_attribute("data-region")) for li in drawn} == expected
    on_picture = [g for g in tab.locator(".marks .pane:first-child g").all() if g.is_visible()]
    assert {int(g.get_attribute("data-region")) for g in on_picture} == expected
    tab.locator("#filter-distortion").select_option("")
    tab.locator("#filter-severity").select_option("2")
    assert visible_rows(tab) == where(
        lambda r: any(vocabulary.severity_index(n.severity.label) >= 2 for n in nodes(r))
    )
    tab.locator("#filter-severity").select_option("0")
    tab.locator("#filter-comparison").select_option("0")
    worst = vocabulary.comparison_labels[0]
    assert visible_rows(tab) == where(lambda r: r.comparison.label == worst)
    tab.locator("#filter-comparison").select_option("")
    tab.locator("#filter-name").fill("rack")
    assert visible_rows(tab) == {2}
    assert "1 of 12 regions" in tab.locator("#count").inner_text()


def test_places_are_framed_and_filtered(open_page):
    sample, graph = rich_sample()
    height, width = graph.anchor.height, graph.anchor.width
    equal = {"share": 0.0, "equal": 1.0, "size": [height, width]}
    value = graph.model_dump()
    for region in value["regions"]:
        region["differs"] = equal
    value["regions"][3]["differs"] = equal | {"share": 0.5, "equal": 0.5, "spots": [[100, 4, 9, 6]]}
    value["scene"] = {"differs": equal | {"equal": 0.95, "spots": [[100, 4, 9, 6]]}}
    tab = open_page(page(sample, DistortionGraph.model_validate(value)))
    tab.locator("#filter-differs").check()
    assert visible_rows(tab) == {3}
    assert tab.locator("#regions tr[data-region='3'] .differs").inner_text() == "≠ differs at 100,4"
    for side in (1, 2):
        frame = tab.locator(f".marks .pane:nth-child({side}) g[data-region='3'] rect.place").last
        assert [frame.get_attribute(key) for key in ("x", "y", "width", "height")] == [
            "100", "4", "9", "6",
        ]  # fmt: skip
    tab.locator(everywhere(3)[3]).hover()
    assert "≠ differs at 100,4: 50.0 % of its pixels" in tab.locator("#panel").inner_text()
    assert "they differ here" in tab.locator("#legend").inner_text()
    tab = open_page(page(sample, graph))
    assert tab.locator("#filter-differs").count() == 0 and tab.locator("rect.place").count() == 0


def test_further_distortions_and_opinion_are_told_and_found(open_page):
    sample, graph = rich_sample()
    value = graph.model_dump()
    used = {
        r[side]["distortion"]["label"] for r in value["regions"] for side in ("anchor", "target")
    }
    words = graph.vocabulary
    label = next(x for x in words.distortions if x not in used)
    for region in value["regions"]:
        region["anchor"] |= {"distortion": {"label": "blur"}, "severity": {"label": "minor"}}
    value["regions"][2]["target"] |= {
        "distortion": {"label": "noise"},
        "severity": {"label": "minor"},
        "opinion": 0.375,
        "also": [{"label": label, "severity": "severe"}],
    }
    tab = open_page(page(sample, DistortionGraph.model_validate(value)))
    tab.locator("#filter-distortion").select_option(str(words.distortion_index(label)))
    assert visible_rows(tab) == {2}
    tab.locator("#filter-severity").select_option(str(words.severity_index("severe")))
    assert visible_rows(tab) == {2}
    row = tab.locator("#regions tr[data-region='2']")
    assert row.locator("td.what").last.inner_text().split("\n") == [
        "noise", f"+ {words.in_words(label)}"
    ]  # fmt: skip
    assert row.locator(".chip").all_inner_texts()[-2:] == ["minor", "severe"]
    assert "0.38" in row.inner_text()
    assert f"+ {words.in_words(label)}" in tab.locator(everywhere(2)[2]).inner_text()
    tab.locator(everywhere(2)[3]).hover()
    told = tab.locator("#panel").inner_text()
    assert f"noise, minor; also {words.in_words(label)}, severe" in told
    assert "opinion 0.38" in told and told.count("opinion") == 1
    plain = open_page(page(sample, graph))
    assert "Opinion" not in plain.locator("#regions").inner_text()


def test_further_metrics_stand_in_the_panel(open_page):
    sample, graph = rich_sample()
    tab = open_page(page(sample, with_metrics(graph)))
    tab.locator(everywhere(2)[3]).hover()
    told = tab.locator("#panel").inner_text().replace("\t", " ")
    assert "ΔE (CIEDE2000) 12.5\nflip 0.188\nssimulacra2 -12.2\nvif –" in told


def test_pixels_are_the_pictures_own_at_every_whole_zoom(open_page):
    sample, graph = rich_sample()
    tab = open_page(page(sample, graph))
    tab.get_by_role("button", name="Pixels only").click()
    tab.add_style_tag(content=".tag { display: none }")
    pane = tab.locator(".pictures .pane").first.bounding_box()
    scale = tab.evaluate("document.querySelector('.sheet').getBoundingClientRect().width") / 128
    tab.get_by_role("button", name="Zoom in").click()
    scale = tab.evaluate("document.querySelector('.sheet').getBoundingClientRect().width") / 128
    assert scale == round(scale) and pane["width"] > 0
    for k, rgb in enumerate((sample.anchor.image, sample.target.image)):
        sheet = tab.locator(".pictures .sheet").nth(k).bounding_box()
        box = tab.locator(".pictures .pane").nth(k).bounding_box()
        seen = pixels(tab.locator(".pictures .pane").nth(k))
        y, x = np.mgrid[5 : seen.shape[0] - 5 : 7, 5 : seen.shape[1] - 5 : 7]
        left, top = sheet["x"] - box["x"], sheet["y"] - box["y"]
        rows = ((y + 0.5 - top) // scale).astype(int)
        cols = ((x + 0.5 - left) // scale).astype(int)
        # Pixels that straddle an edge of the sheet's whole pixels may fall to either side.
        clear = (np.abs((x + 0.5 - left) % scale - scale / 2) < scale / 2 - 1) & (
            np.abs((y + 0.5 - top) % scale - scale / 2) < scale / 2 - 1
        )
        assert clear.sum() > 100
        assert np.array_equal(seen[y, x][clear], rgb[rows, cols][clear])


def test_the_difference_is_the_pictures_difference(open_page):
    sample, graph = rich_sample()
    tab = open_page(page(sample, graph))
    tab.get_by_role("button", name="Pixels only").click()
    tab.get_by_role("button", name="Difference").click()
    tab.add_style_tag(content=".tag { display: none }")
    expected = np.abs(sample.anchor.image.astype(int) - sample.target.image.astype(int))
    for name, gain in (("× 1", 1), ("× 4", 4)):
        tab.get_by_role("button", name=name, exact=True).click()
        seen = pixels(tab.locator("#stage")).astype(int)
        sheet = tab.locator(".pictures .sheet").first.bounding_box()
        stage = tab.locator("#stage").bounding_box()
        scale = sheet["width"] / 128
        rows, cols = np.mgrid[8:88:16, 8:120:16]
        y = ((rows + 0.5) * scale + sheet["y"] - stage["y"]).astype(int)
        x = ((cols + 0.5) * scale + sheet["x"] - stage["x"]).astype(int)
        wanted = np.minimum(255, gain * expected[rows, cols])
        assert np.abs(seen[y, x] - wanted).max() <= gain


def test_swipe_shows_the_anchor_left_and_the_target_right(open_page):
    sample, graph = rich_sample()
    tab = open_page(page(sample, graph))
    tab.get_by_role("button", name="Pixels only").click()
    tab.get_by_role("button", name="Swipe").click()
    tab.add_style_tag(content=".tag, #handle { display: none !important }")
    sheet = tab.locator(".pictures .sheet").first.bounding_box()
    stage = tab.locator("#stage").bounding_box()
    scale = sheet["width"] / 128
    for share in (0.25, 0.75):
        tab.locator("#split").fill(str(round(100 * share)))
        seen = pixels(tab.locator("#stage"))
        border = share * stage["width"]
        for row, col in ((40, 8), (40, 60), (40, 120), (80, 30), (80, 100)):
            y = (row + 0.5) * scale + sheet["y"] - stage["y"]
            x = (col + 0.5) * scale + sheet["x"] - stage["x"]
            rgb = sample.anchor.image if x < border else sample.target.image
            assert np.array_equal(seen[int(y), int(x)], rgb[row, col])


def test_the_border_of_the_swipe_can_be_dragged(open_page):
    sample, graph = rich_sample()
    tab = open_page(page(sample, graph))
    tab.get_by_role("button", name="Swipe").click()
    handle = tab.locator("#handle").bounding_box()
    stage = tab.locator("#stage").bounding_box()
    tab.mouse.move(handle["x"] + handle["width"] / 2, handle["y"] + 50)
    tab.mouse.down()
    tab.mouse.move(stage["x"] + stage["width"] * 0.8, handle["y"] + 60, steps=4)
    tab.mouse.up()
    assert tab.locator("#split").input_value() == "80"
    assert tab.locator(".selected").count() == 0


def test_blink_shows_one_picture_at_a_time(open_page):
    sample, graph = rich_sample()
    tab = open_page(page(sample, graph), reduced_motion="reduce")
    tab.get_by_role("button", name="Blink", exact=True).click()
    seen = []
    for _ in range(3):
        panes = tab.locator(".pictures .pane")
        seen.append([panes.nth(k).is_visible() for k in (0, 1)])
        tab.get_by_role("button", name="Flip").click()
    assert seen == [[True, False], [False, True], [True, False]]
    moving = open_page(page(sample, graph), name="moving.html")
    moving.get_by_role("button", name="Blink", exact=True).click()
    moving.wait_for_selector("#stage.flipped")
    moving.wait_for_selector("#stage:not(.flipped)")


def test_dragging_moves_both_pictures_together(open_page):
    sample, graph = rich_sample()
    tab = open_page(page(sample, graph))
    for _ in range(4):
        tab.get_by_role("button", name="Zoom in").click()
    stage = tab.locator("#stage").bounding_box()
    before = [s["x"] for s in map(lambda s: s.bounding_box(), tab.locator(".sheet").all())]
    tab.mouse.move(stage["x"] + 100, stage["y"] + 100)
    tab.mouse.down()
    tab.mouse.move(stage["x"] + 70, stage["y"] + 100, steps=3)
    tab.mouse.up()
    after = [s["x"] for s in map(lambda s: s.bounding_box(), tab.locator(".sheet").all())]
    assert [round(b - a) for a, b in zip(before, after, strict=True)] == [-30] * 4
    assert tab.locator(".selected").count() == 0


def test_relations_are_drawn_listed_and_shown_with_their_regions(open_page):
    sample, graph = rich_sample()
    tab = open_page(page(sample, graph))
    arcs = tab.locator("#drawing .arcs path")
    assert arcs.count() == 3  # one relation of both pictures, one of the anchor's
    assert tab.locator(".relations li").count() == 2
    tab.locator(everywhere(2)[3]).hover()
    assert "person holding 2 racket" in tab.locator("#panel").inner_text()
    assert tab.locator("#drawing .arcs path.active").count() == 2


def test_an_uncertain_node_is_uncertain_in_pictures_legend_and_filters(open_page):
    sample, graph = rich_sample()
    first = graph.regions[0]
    unsure = first.model_copy(update={"anchor": first.anchor.model_copy(update={"known": 0.1})})
    graph = graph.model_copy(
        update={
            "regions": (unsure, *graph.regions[1:]),
            "model": ModelInfo(name="small", known_threshold=0.5),
        }
    )
    tab = open_page(page(sample, graph))
    if tab.locator("#filter-quiet").count():
        tab.locator("#filter-quiet").uncheck()
    assert tab.locator("#legend").inner_text().split() == [
        *graph.vocabulary.severities,
        "uncertain",
    ]
    assert "su" in classes(tab, everywhere(0)[0]).split()
    assert "su" not in classes(tab, everywhere(0)[1]).split()
    assert tab.locator(".marks .su").count() == 1
    tab.locator("#filter-distortion").select_option("uncertain")
    assert visible_rows(tab) == {0}
    # Its label is not believed, so that no filter of labels finds it by that.
    label = first.anchor.distortion.label
    others = {
        k
        for k, region in enumerate(graph.regions)
        for node in (region.anchor, region.target)
        if node.distortion.label == label and not graph.is_uncertain(node)
    }
    if others:
        tab.locator("#filter-distortion").select_option(graph.vocabulary.in_words(label))
        assert visible_rows(tab) == others
    tab.get_by_role("button", name="Comparison").click()
    assert "uncertain" not in tab.locator("#legend").inner_text()


def test_distortions_have_a_colour_each_and_a_legend_of_those_that_occur(open_page):
    sample, graph = rich_sample()
    tab = open_page(page(sample, graph))
    tab.get_by_role("button", name="Distortion", exact=True).click()
    vocabulary = graph.vocabulary
    there = {region.node(side).distortion.label for region in graph.regions for side in SIDES}
    said = [vocabulary.in_words(label) for label in vocabulary.distortions if label in there]
    legend = tab.locator("#legend").inner_text()
    assert all(text in legend for text in said)
    number = vocabulary.distortion_index(graph.regions[0].anchor.distortion.label)
    assert f"d{number}" in classes(tab, everywhere(0)[0]).split()
    colour = label_colours(len(vocabulary.distortions), vocabulary.clean_index)[number]
    line = tab.locator(f"{everywhere(0)[0]} .line")
    shown = line.evaluate("(path) => getComputedStyle(path).stroke")
    assert shown == f"rgb({colour[0]}, {colour[1]}, {colour[2]})"


def test_mistakes_are_marked_where_the_truth_is_known(open_page):
    sample, truth = rich_sample()
    wrong = {1: "noise", 4: "blur"}
    regions = list(truth.regions)
    for k, label in wrong.items():
        node = regions[k].anchor
        if node.distortion.label == label:
            label = wrong[k] = "haze"
        belief = node.distortion.model_copy(update={"label": label})
        regions[k] = regions[k].model_copy(
            update={"anchor": node.model_copy(update={"distortion": belief})}
        )
    graph = truth.model_copy(update={"regions": tuple(regions)})
    tab = open_page(page(sample, graph, truth))
    assert (
        "distortion 22 of 24, severity 24 of 24, comparison 12 of 12"
        in tab.locator("#regions p").inner_text()
    )
    if tab.locator("#filter-quiet").count():
        tab.locator("#filter-quiet").uncheck()
    tab.locator("#filter-mistakes").check()
    assert visible_rows(tab) == set(wrong)
    for k in wrong:
        true = truth.vocabulary.in_words(truth.regions[k].anchor.distortion.label)
        assert tab.locator(f"{everywhere(k)[3]} .truth").inner_text() == true
        assert tab.locator(f"{everywhere(k)[2]} .truth").inner_text() == true


HOSTILE = (
    "<script>window.hacked = 1</script>",
    '"><img src=x onerror="window.hacked = 1">',
    "\u202eright to left\u202c שמש",
    "📷 emoji & 'quotes'",
    "</script><script>window.hacked = 1</script>",
    "{{constructor}} ${hacked} $view",
)


def test_text_from_the_graph_is_never_markup(open_page):
    sample, graph = rich_sample()
    graph = named(graph, *HOSTILE)
    source = "a/<script>window.hacked = 1</script>.png"
    graph = graph.model_copy(update={"anchor": graph.anchor.model_copy(update={"source": source})})
    tab = open_page(page(sample, graph))
    for k, name in enumerate(HOSTILE):
        tab.locator(everywhere(k)[3]).hover()
        shown = name.replace("\u202e", " ").replace("\u202c", " ").strip()
        assert tab.locator(f"{everywhere(k)[3]} .name").text_content() == shown
        assert shown in tab.locator("#panel h3").text_content()
    assert tab.evaluate("window.hacked") is None
    assert tab.locator("main script").count() == 0
    assert "</script>.png" not in tab.title()  # only the last part of a path is its name
    assert tab.locator("main img").count() == 2


@pytest.mark.parametrize("regions", [(1, 1), (20, 25)])
def test_one_region_and_five_hundred(open_page, regions):
    sample = pair(*regions, 100, 125)  # type: ignore[call-arg]
    tab = open_page(page(sample))
    count = regions[0] * regions[1]
    assert tab.locator("#regions tr[data-region]").count() == count
    assert tab.locator(".marks g").count() == 2 * count
    assert f"of {count} regions" in tab.locator("#count").inner_text()


def test_no_regions_and_no_masks(open_page):
    sample, graph = rich_sample()
    empty = graph.model_copy(update={"regions": (), "relations": ()})
    tab = open_page(page(sample, empty), name="empty.html")
    assert tab.locator(".pictures img").count() == 2
    assert "no regions" in tab.locator("#panel").inner_text()
    assert not tab.locator("#graph").is_visible()
    tab = open_page(page(sample, without_masks(graph)), name="bare.html")
    assert tab.locator(".marks .pane:first-child g").count() == 6
    tab.locator(everywhere(1)[3]).hover()
    assert "mask is not in the graph" in tab.locator("#panel").inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_no_serious_accessibility_fault(open_page, axe, width, scheme):
    sample, graph = rich_sample()
    tab = open_page(page(sample, graph, graph), width=width, scheme=scheme)
    tab.locator(everywhere(1)[3]).click()
    # Not by add_script_tag: the page's policy lets no other script in.
    tab.evaluate(axe)
    found = tab.evaluate("axe.run({resultTypes: ['violations']})")["violations"]
    serious = [v for v in found if v["impact"] in ("serious", "critical")]
    assert [(v["id"], [n["html"][:120] for n in v["nodes"][:3]]) for v in serious] == []


OVERLAPS = """() => {
  const KINDS = 'button, select, input, h1, h2, .summary, .legend, #panel, .node, .edge > span';
  const boxes = [...document.querySelectorAll(KINDS)]
    .filter((e) => e.id !== 'handle' && e.checkVisibility() && e.getClientRects().length)
    .filter((e) => !e.closest('#panel > div'))
    .map((e) => [e, e.getBoundingClientRect()]);
  const wrong = [];
  for (const [a, p] of boxes) {
    const text = (e) => e.textContent.slice(0, 30);
    const whole = !a.matches('button, h1, h2, .summary') || a.scrollWidth <= a.clientWidth + 1;
    if (!whole) wrong.push('cut: ' + text(a));
    for (const [b, q] of boxes) {
      if (a === b || a.contains(b) || b.contains(a)) continue;
      // The filters stick above what scrolls.
      if (a.closest('#filters') !== b.closest('#filters')) continue;
      const across = Math.min(p.right, q.right) - Math.max(p.left, q.left);
      const down = Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top);
      if (across > 1 && down > 1) wrong.push(text(a) + ' | ' + text(b));
    }
  }
  return wrong;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_overlaps_or_is_cut(open_page, width, scheme):
    sample, graph = rich_sample()
    tab = open_page(page(sample, graph), width=width, scheme=scheme)
    for mode in ("Side by side", "Swipe", "Difference"):
        tab.get_by_role("button", name=mode).click()
        assert tab.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        assert tab.evaluate(OVERLAPS) == []
    ground = tab.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == ("rgb(255, 255, 255)" if scheme == "light" else "rgb(20, 22, 26)")


@pytest.mark.parametrize("width", WIDTHS)
def test_the_graph_is_seen_whole_and_the_caption_of_the_table_too(open_page, width):
    sample, graph = rich_sample()
    tab = open_page(page(sample, graph.model_copy(update={"relations": ()})), width=width)
    tab.locator("#drawing li").first.wait_for()
    cut = "all => all.filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.textContent)"
    assert tab.locator("#drawing, #drawing .edge > span").evaluate_all(cut) == []
    caption = tab.locator("#regions caption").bounding_box()
    assert caption["x"] >= 0 and caption["x"] + caption["width"] <= width


def test_print_has_pictures_and_table_and_no_controls(open_page):
    sample, graph = rich_sample()
    tab = open_page(page(sample, graph))
    tab.get_by_role("button", name="Swipe").click()
    tab.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    tab.emulate_media(media="print")
    assert not tab.locator("#viewer-bar").is_visible()
    assert not tab.locator("#filters").is_visible()
    assert tab.locator(".pictures .pane").nth(1).is_visible()
    assert tab.locator("#regions table").is_visible()
    assert tab.locator("#stage").get_attribute("data-mode") == "side"


def test_without_scripts_pictures_and_table_are_there(open_page):
    sample, graph = rich_sample()
    tab = open_page(page(sample, graph), java_script_enabled=False)
    assert tab.locator(".pictures img").nth(1).is_visible()
    assert tab.locator("#regions tbody tr").count() == 12
    assert "Scripts are off" in tab.locator("body").inner_text()


def test_pictures_of_unequal_size_are_shown_at_one_scale_with_the_rest_dimmed(open_page):
    anchor = rich_sample()[0].anchor.image
    taller = np.concatenate([anchor, np.full((24, anchor.shape[1], 3), 255, np.uint8)])
    graph = compare(anchor, taller, regions="grid:2x2", fit="crop")
    tab = open_page(report_page(graph, (shown(anchor), shown(taller))))

    def boxes(selector):
        """x, y, width and height in both panes, from the pane's corner."""
        found = []
        for k in (1, 2):
            pane = tab.locator(f".marks .pane:nth-child({k})").bounding_box()
            box = tab.locator(selector.replace("PANE", f".pane:nth-child({k})")).bounding_box()
            offset = box["x"] - pane["x"], box["y"] - pane["y"]
            found.append([*offset, box["width"], box["height"]])
        return found

    for region in range(4):
        first, second = boxes(f'.marks PANE g[data-region="{region}"] .line')
        assert first == pytest.approx(second, abs=0.6)
    first, second = boxes(".pictures PANE img")
    assert first[:3] == pytest.approx(second[:3], abs=0.6)
    height = anchor.shape[0]
    assert second[3] / first[3] == pytest.approx((height + 24) / height, abs=0.01)
    below = tab.locator(".marks .pane:nth-child(2)")
    rows = pixels(below)[:, 5:-5]
    assert 60 < rows[-5].mean() < 160 and rows[-5].std() < 25  # white, dimmed
