"""The page of the service in a real browser, asking a real server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from optional import present
from page_tabs import SHOWN, choose, compare, named, saved
from served import encoded, listening, png

from distortion_graph.base.vocabulary import Scale
from distortion_graph.graph import DistortionGraph
from distortion_graph.graph.judging import judge
from distortion_graph.measure.evidence import LEVELS
from distortion_graph.pictures.align import AlignMode
from distortion_graph.serve.access import Rules, Tokens, add_token
from distortion_graph.serve.http.app import FREE, Application
from distortion_graph.serve.http.settings import Settings

pytestmark = pytest.mark.slow

GIVE = """([selector, files]) => {
  const data = new DataTransfer();
  for (const [name, bytes] of files)
    data.items.add(new File([new Uint8Array(bytes)], name, { type: "image/png" }));
  const at = document.querySelector(selector);
  const event = { bubbles: true, cancelable: true };
  %s
}"""
DROP = (
    GIVE
    % """for (const type of ["dragover", "drop"])
    at.dispatchEvent(new DragEvent(type, { ...event, dataTransfer: data }));"""
)
PASTE = GIVE % 'at.dispatchEvent(new ClipboardEvent("paste", { ...event, clipboardData: data }));'
FOCUS = "document.activeElement.id || document.activeElement.name || 'button'"
OUTLINE = """getComputedStyle(
  document.activeElement.closest('.slot label') ?? document.activeElement
).outlineStyle"""


def test_two_pictures_are_compared_and_saved_in_each_form(opened):
    tab = opened()
    choose(tab)
    tab.locator("#anchor-about", has_text="480 × 320").wait_for()
    tab.locator("#regions").select_option("grid")
    tab.locator("#columns").fill("2")
    report = compare(tab)
    assert tab.evaluate("document.activeElement.id") == "answer-title"
    assert "anchor.png → target.png" in tab.locator("#answer-title").inner_text()
    assert report.locator(".graph-table tbody tr:not(.scene)").count() == 6
    report.get_by_role("button", name="Swipe").click()
    assert report.locator("#stage").get_attribute("data-mode") == "swipe"
    name, text = saved(tab, "Graph (JSON)")
    assert name == "anchor-target-graph.json"
    graph = DistortionGraph.model_validate_json(text)
    assert len(graph.regions) == 6 and graph.anchor.source == "anchor.png"
    name, text = saved(tab, "Report (HTML)")
    assert name.endswith(".html") and text.startswith(b"<!doctype html>")
    overlay, plan = (saved(tab, which)[1] for which in ("Overlay (PNG)", "Map of distortions"))
    assert overlay.startswith(b"\x89PNG") and plan.startswith(b"\x89PNG") and overlay != plan


def test_a_report_reaches_nothing_of_the_page(opened):
    tab = opened()
    choose(tab)
    compare(tab)
    frame = next(frame for frame in tab.frames if frame.parent_frame)
    assert frame.evaluate("origin") == "null"
    with pytest.raises(Exception, match="cross-origin"):
        frame.evaluate("parent.document.title")


def test_regions_are_judged_in_the_page_and_the_graph_is_saved(opened):
    tab = opened()
    choose(tab, named("a.png", 1), named("b.png", 2))
    tab.locator("#regions").select_option("whole")
    report = compare(tab)
    report.locator("#judging summary").click()
    report.get_by_role("button", name="Next region").click()
    report.get_by_label("Severity of the anchor").select_option(label="severe")
    compare(tab)
    tab.locator("#history button").nth(1).click()
    report = tab.frame_locator(SHOWN)
    assert "1 of 1 regions judged" in report.locator("#judging-status").inner_text()
    with tab.expect_download() as download:
        report.get_by_role("button", name="Save judged graph").click()
    assert download.value.suggested_filename == "a-b-judged.json"
    graph = DistortionGraph.model_validate_json(Path(download.value.path()).read_bytes())
    judged = present(graph.regions[0].judged)
    assert judged.anchor.severity == "severe" and judged.by is None
    plain = DistortionGraph.model_validate_json(saved(tab, "Graph (JSON)")[1])
    assert judge(graph, graph.regions[0].id, None) == plain


def test_options_are_in_the_address(opened):
    tab = opened("#regions=grid&rows=2&columns=4&align=none&scale=fine")
    assert tab.locator("#rows").input_value() == "2" and tab.locator("#columns").is_visible()
    tab.locator("#evidence").select_option("fast")
    tab.locator("#scale").select_option("common")
    options = tab.evaluate("Object.fromEntries(new URLSearchParams(location.hash.slice(1)))")
    assert options == {
        "regions": "grid", "rows": "2", "columns": "4", "align": "none", "evidence": "fast",
    }  # fmt: skip
    choose(tab)
    compare(tab)
    said = "anchor.png → target.png: a grid of 2 × 4, alignment none, measures the fast ones"
    assert tab.locator("#answer-title").inner_text() == said
    graph = json.loads(saved(tab, "Graph (JSON)")[1])
    assert len(graph["regions"]) == 8
    assert tab.locator("#align option").evaluate_all("all => all.map(one => one.value)") == list(
        get_args(AlignMode)
    )
    found = {
        name: tuple(tab.locator(f"#{name} option").evaluate_all("all => all.map(o => o.value)"))
        for name in ("evidence", "scale")
    }
    assert found == {"evidence": LEVELS, "scale": get_args(Scale)}


def test_an_address_with_what_is_no_option_says_so(opened):
    tab = opened("#regions=/etc/passwd&colour=x&rows=2")
    assert "regions=/etc/passwd, colour=x" in tab.get_by_role("alert").inner_text()
    assert tab.locator("#regions").input_value() == "auto"


def test_what_cannot_be_compared_is_one_line_and_the_page_goes_on(opened):
    tab = opened()
    button, alert = tab.get_by_role("button", name="Compare", exact=True), tab.get_by_role("alert")
    button.click()
    assert "The anchor is missing" in alert.inner_text()
    assert tab.evaluate("document.activeElement.name") == "anchor"
    choose(tab, target={"name": "b.png", "mimeType": "image/png", "buffer": b"no picture"})
    button.click()
    tab.locator("#problem", has_text="target: not a picture").wait_for()
    assert "\n" not in alert.inner_text()
    assert "cannot show it" in tab.locator("#target-about").inner_text()
    assert tab.locator("#answer").is_hidden() and tab.locator("#working").is_hidden()
    tab.locator("#regions").select_option("grid")
    tab.locator("#rows").fill("1.5")
    button.click()
    assert alert.inner_text() == "rows: found 1.5, expected a whole number from 1 to 50"
    tab.locator("#rows").fill("1")
    choose(tab)
    tab.context.set_offline(True)
    button.click()
    tab.locator("#problem", has_text="No answer came").wait_for()
    tab.context.set_offline(False)
    compare(tab)
    assert alert.is_hidden()


def test_a_comparison_is_cancelled_and_another_one_made(opened):
    noise = np.random.default_rng(0).integers(0, 256, (2000, 2000, 3), dtype=np.uint8)
    large = {"name": "large.png", "mimeType": "image/png", "buffer": encoded(noise)}
    tab = opened()
    choose(tab, large, large)
    tab.get_by_role("button", name="Compare", exact=True).click()
    tab.get_by_role("button", name="Cancel").click()
    assert tab.get_by_role("status").inner_text() == "Cancelled."
    assert tab.locator("#working").is_hidden() and tab.locator("#answer").is_hidden()
    assert tab.evaluate("document.activeElement.id") == "compare"
    choose(tab, named("a.png", 1), named("b.png", 2))
    tab.locator("#regions").select_option("whole")
    compare(tab)


def test_pictures_are_dropped_pasted_swapped_and_removed(opened):
    tab = opened()
    files = [[name, list(png(k, (48, 64)))] for k, name in enumerate(("a.png", "b.png", "c.png"))]
    tab.evaluate(DROP, ["body", files[:2]])
    names = "[...document.querySelectorAll('#inputs input')].map(one => one.files[0]?.name)"
    assert tab.evaluate(names) == ["a.png", "b.png", None]
    tab.get_by_role("button", name="Swap").click()
    assert tab.evaluate(names)[:2] == ["b.png", "a.png"]
    tab.get_by_role("button", name="Remove the anchor").click()
    tab.evaluate(PASTE, ["body", files[2:]])
    assert tab.evaluate(names)[:2] == ["c.png", "a.png"]
    tab.evaluate(DROP, ["[aria-describedby=target-about]", files[1:2]])
    assert tab.evaluate(names)[:2] == ["c.png", "b.png"]
    tab.evaluate(DROP, ["body", files])
    assert tab.evaluate(names) == ["a.png", "b.png", "c.png"]
    assert tab.locator("#original").input_value() == "third"
    tab.locator("#regions").select_option("whole")
    report = compare(tab)
    assert "c.png" in report.locator("#reference-title").inner_text()
    graph = json.loads(saved(tab, "Graph (JSON)")[1])
    assert graph["reference"]["role"] == "third"
    tab.locator("#original").select_option("target")
    compare(tab)
    tab.locator("#history li").nth(1).wait_for()
    assert json.loads(saved(tab, "Graph (JSON)")[1])["reference"]["role"] == "target"
    tab.locator("#history button").nth(1).click()
    report.locator("#reference-title").wait_for()
    assert json.loads(saved(tab, "Graph (JSON)")[1])["reference"]["role"] == "third"


def test_a_server_with_tokens_asks_for_one(opened, tmp_path):
    token = add_token(tmp_path / "tokens", "reader")
    rules = Rules(tokens=Tokens(tmp_path / "tokens"), free=FREE)
    with listening(Application(Settings(rules=rules))) as (_, port):
        tab = opened(url=f"http://127.0.0.1:{port}/")
        choose(tab, named("a.png", 1), named("b.png", 2))
        tab.locator("#regions").select_option("whole")
        tab.get_by_role("button", name="Compare", exact=True).click()
        field = tab.get_by_label("Token of this server")
        field.wait_for()
        assert "token" in tab.get_by_role("alert").inner_text()
        for wrong, said in (("to…ken", "no token has"), ("x", "A token is needed")):
            field.fill(wrong)
            field.press("Enter")
            tab.locator("#problem", has_text=said).wait_for()
        field.fill(token)
        field.press("Enter")
        tab.frame_locator(SHOWN).locator("body.js").wait_for()
        assert field.is_hidden()
        assert saved(tab, "Overlay (PNG)")[1].startswith(b"\x89PNG")
        kept = "JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])"
        assert token not in tab.evaluate(kept) + tab.url


def test_it_is_all_done_by_keyboard(opened):
    tab = opened()
    choose(tab, named("a.png", 1), named("b.png", 2))
    seen = []
    for _ in range(16):
        tab.keyboard.press("Tab")
        seen.append(tab.evaluate(FOCUS))
        assert tab.evaluate(OUTLINE) != "none", seen
        if seen[-1] == "compare":
            break
    wanted = ["anchor", "target", "regions", "original", "align", "evidence", "scale", "compare"]
    assert [name for name in seen if name in wanted] == wanted
    tab.keyboard.press("Enter")
    tab.frame_locator(SHOWN).locator("body.js").wait_for()
    assert tab.evaluate("document.activeElement.id") == "answer-title"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1400])
def test_the_page_is_accessible_and_fits(opened, axe, width, scheme):
    tab = opened("#original=third&regions=grid&rows=2&columns=2", width=width, scheme=scheme)
    tab.add_init_script(axe)
    tab.reload()
    for filled in (False, True):
        if filled:
            choose(tab, named("a-picture-with-a-long-name-" * 4 + ".png", 1), named("b.png", 2))
            tab.get_by_label("Original").first.set_input_files(named("c.png", 3))
            compare(tab)
        found = tab.evaluate("axe.run({resultTypes: ['violations']})")["violations"]
        assert [v["id"] for v in found if v["impact"] in ("serious", "critical")] == []
        assert tab.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
