"""Folders of pictures in the page of the service: matched by name, compared as a job, shown."""

from __future__ import annotations

import json

import numpy as np
import pytest
from page_tabs import SHOWN, saved
from PIL import Image
from served import EXAMPLES, listening

from distortion_graph import compare
from distortion_graph.graph import SIDES, DistortionGraph
from distortion_graph.serve.access import Rules, Tokens, add_token
from distortion_graph.serve.http.app import FREE, Application
from distortion_graph.serve.http.settings import Limits, Settings

pytestmark = pytest.mark.slow


@pytest.fixture
def folders(tmp_path):
    """`before` and `after`: equal, mildly and badly distorted, unreadable, and alone."""
    for place in ("before/deep", "after/deep"):
        (tmp_path / place).mkdir(parents=True)
    small = Image.open(EXAMPLES / "anchor.png").convert("RGB").resize((240, 160))
    for name, picture in {
        "deep/equal.png": small,
        "mild.png": small.point(lambda v: min(255, v + 25)),
        "bad.png": small.resize((24, 16)).resize((240, 160), Image.Resampling.NEAREST),
    }.items():
        small.save(tmp_path / "before" / name)
        picture.save(tmp_path / "after" / name)
    for place in ("before", "after"):
        (tmp_path / place / "unreadable.png").write_bytes(b"no picture")
    small.save(tmp_path / "before" / "only-before.png")
    small.save(tmp_path / "after" / "only-after.png")
    (tmp_path / "after" / "notes.txt").write_text("no picture by its name")
    return tmp_path


def choose(tab, folders, **others):
    for side, place in {"anchor": "before", "target": "after", **others}.items():
        tab.locator(f"[name={side}-folder]").set_input_files(folders / place)


def start(tab):
    tab.get_by_role("button", name="Compare", exact=True).click()


def finished(tab, total):
    tab.locator("#status", has_text=f"{total} of {total} pairs are compared").wait_for()


def names(tab):
    return tab.locator("#many tbody th").all_inner_texts()


def test_folders_are_matched_by_name_and_shown_worst_first(opened, folders):
    tab = opened("#of=folders&regions=grid&rows=2&columns=2")
    choose(tab, folders)
    assert tab.locator("#matched").inner_text() == "4 pairs, matched by name."
    assert "1 file of other kinds" in tab.locator("#target-folder-about").inner_text()
    tab.locator("#unmatched summary", has_text="2 pictures have no partner").click()
    assert tab.locator("#unmatched li").all_inner_texts() == [
        "before/only-before.png (anchors)",
        "after/only-after.png (targets)",
    ]
    start(tab)
    finished(tab, 4)
    assert names(tab) == ["unreadable.png", "bad.png", "mild.png", "deep/equal.png"]
    assert "not a picture" in tab.locator("#many tbody tr").first.inner_text()
    assert "1 of them cannot be" in tab.locator("#status").inner_text()
    graph = compare(folders / "before/bad.png", folders / "after/bad.png", regions="grid:2x2")
    worst = max(graph.regions, key=lambda region: abs(region.comparison.margin or 0))
    cells = tab.locator("#many tbody tr").nth(1).locator("td").all_inner_texts()
    assert f"{worst.name}: " in cells[1]
    assert graph.vocabulary.in_words(worst.comparison.label) in cells[1]
    assert graph.vocabulary.in_words(worst.target.distortion.label) in cells[2]
    assert cells[3:] == [f"{getattr(graph.scene, side).score:.2f}" for side in SIDES]
    tab.get_by_role("button", name="bad.png").click()
    report = tab.frame_locator(SHOWN)
    report.locator("body.js .graph-table tbody tr").first.wait_for()
    assert tab.evaluate("document.activeElement.id") == "answer-title"
    name, text = saved(tab, "Graph (JSON)")
    shown = DistortionGraph.model_validate_json(text)
    assert name == "bad-graph.json" and shown.regions == graph.regions
    assert saved(tab, "Overlay (PNG)")[1].startswith(b"\x89PNG")
    assert tab.locator("#history button").inner_text().startswith("bad.png: a grid of 2 × 2")


def test_folders_are_dropped(opened, folders):
    tab = opened()
    session = tab.context.new_cdp_session(tab)
    for place, side in (("before", "anchor"), ("after", "target")):
        dropped = {"items": [], "files": [str(folders / place)], "dragOperationsMask": 1}
        box = tab.locator("#inputs, #folders").locator("visible=true").first.bounding_box()
        x = box["x"] + box["width"] * (0.25 if side == "anchor" else 0.75)
        for kind in ("dragEnter", "dragOver", "drop"):
            session.send(
                "Input.dispatchDragEvent",
                {"type": kind, "x": x, "y": box["y"] + 50, "data": dropped},
            )
        tab.locator(f"[data-folder={side}] .hint", has_text=f"{place}: 5 pictures").wait_for()
    assert tab.locator("#of").input_value() == "folders" and "of=folders" in tab.url
    assert tab.locator("#matched").inner_text() == "4 pairs, matched by name."
    tab.get_by_role("button", name="Swap").click()
    assert "after" in tab.locator("[data-folder=anchor] .hint").inner_text()


def test_names_may_match_but_for_the_ending(opened, folders):
    for place in ("before", "after"):
        (folders / place / "deep/equal.png").unlink()
        (folders / place / "unreadable.png").unlink()
    for name in ("bad", "mild"):
        Image.open(folders / f"after/{name}.png").save(folders / f"after/{name}.jpg")
        (folders / f"after/{name}.png").unlink()
    tab = opened("#of=folders")
    choose(tab, folders)
    assert tab.locator("#matched").inner_text() == "0 pairs, matched by name."
    start(tab)
    assert "No name is in all folders" in tab.get_by_role("alert").inner_text()
    tab.locator("#match").select_option("stem")
    assert tab.locator("#matched").inner_text() == "2 pairs, matched by name."
    Image.open(folders / "after/bad.jpg").save(folders / "after/bad.webp")
    choose(tab, folders)
    start(tab)
    assert "after/bad.webp has the name of another picture" in tab.get_by_role("alert").inner_text()


def test_a_third_folder_has_the_originals(opened, folders):
    (folders / "original").mkdir()
    for name in ("mild.png", "bad.png"):
        Image.open(folders / "before" / name).save(folders / "original" / name)
    tab = opened("#of=folders&original=third&regions=whole")
    choose(tab, folders)
    start(tab)
    assert "The folder of originals is missing" in tab.get_by_role("alert").inner_text()
    choose(tab, folders, reference="original")
    start(tab)
    finished(tab, 2)
    tab.get_by_role("button", name="mild.png").click()
    tab.frame_locator(SHOWN).locator("#reference-title").wait_for()
    graph = json.loads(saved(tab, "Graph (JSON)")[1])
    assert graph["reference"]["role"] == "third" and graph["scores"]["source"] == "measured"


def test_a_job_is_cancelled_and_what_was_done_stays(opened, tmp_path):
    rng = np.random.default_rng(0)
    for place in ("before", "after"):
        (tmp_path / place).mkdir()
        for number in range(12):
            noise = rng.integers(0, 256, (700, 700, 3), dtype=np.uint8)
            Image.fromarray(noise).save(tmp_path / place / f"{number:02}.png")
    tab = opened("#of=folders&regions=grid")
    asked = []
    tab.on("request", lambda request: asked.append((request.method, request.url)))
    choose(tab, tmp_path)
    start(tab)
    tab.locator("#many tbody button").first.wait_for()
    cancel = tab.get_by_role("button", name="Cancel").bounding_box()
    assert cancel["y"] >= 0 and cancel["y"] + cancel["height"] <= 900
    # What is done can be read while the rest is compared.
    tab.locator("#many tbody button").first.click()
    tab.frame_locator(SHOWN).locator("body.js").wait_for()
    tab.get_by_role("button", name="Cancel").click()
    tab.locator("#status", has_text="Cancelled.").wait_for()
    there = len(names(tab))
    assert 0 < there < 12
    [(_, events)] = [entry for entry in asked if entry[1].endswith("/events")]
    job = events.removesuffix("/events")
    assert ("DELETE", job) in asked
    tab.wait_for_function("async (job) => (await fetch(job)).status === 404", arg=job)
    tab.locator("#many tbody button").last.click()
    tab.locator("#status", has_text="The report is there.").wait_for()
    assert len(names(tab)) == there


def test_reports_whose_job_is_gone_are_made_again(opened, folders):
    tab = opened("#of=folders&regions=whole")
    asked = []
    tab.on("request", lambda request: asked.append(request.url))
    choose(tab, folders)
    start(tab)
    finished(tab, 4)
    [job] = {url.removesuffix("/events") for url in asked if url.endswith("/events")}
    assert tab.evaluate("async (job) => (await fetch(job, {method: 'DELETE'})).status", job) == 204
    tab.get_by_role("button", name="mild.png").click()
    tab.frame_locator(SHOWN).locator("body.js").wait_for()
    assert asked[-1].startswith("blob:") and any(url.endswith("/v1/compare") for url in asked)


def test_what_cannot_be_sent_is_said_before_it_is(opened, folders):
    tab = opened("#of=folders&regions=drawn")
    start(tab)
    alert = tab.get_by_role("alert")
    assert "The folder of anchors is missing" in alert.inner_text()
    choose(tab, folders)
    start(tab)
    assert "choose other regions for folders" in alert.inner_text()
    for limits, said in (
        (Limits(pairs=3), "These are 4 pairs, the server takes 3 at once"),
        (Limits(bytes_per_job=1000), "the server takes 0 MiB at once"),
    ):
        with listening(Application(Settings(limits=limits))) as (_, port):
            tab = opened("#of=folders", url=f"http://127.0.0.1:{port}/")
            choose(tab, folders)
            start(tab)
            tab.locator("#problem", has_text=said).wait_for()


def test_folders_are_compared_with_a_token(opened, folders, tmp_path):
    token = add_token(tmp_path / "tokens", "reader")
    rules = Rules(tokens=Tokens(tmp_path / "tokens"), free=FREE)
    with listening(Application(Settings(rules=rules))) as (_, port):
        tab = opened("#of=folders&regions=whole", url=f"http://127.0.0.1:{port}/")
        choose(tab, folders)
        start(tab)
        tab.get_by_label("Token of this server").fill(token)
        start(tab)
        finished(tab, 4)
        tab.get_by_role("button", name="bad.png").click()
        tab.frame_locator(SHOWN).locator("body.js").wait_for()


def test_events_go_on_after_a_break(opened):
    tab = opened()
    pair = {"total": 2, "failed": 0, "status": "running"}
    events = [("pair", pair | {"done": 1}), ("pair", pair | {"done": 2}), ("end", pair)]
    lines = [
        f"id: {k}\r\nevent: {kind}\r\ndata: {json.dumps(data)}\r\n\r\n"
        for k, (kind, data) in enumerate(events)
    ]
    seen = tab.evaluate(
        """async (lines) => {
          const service = await import("./service.js");
          const asked = [];
          const cut = lines[1].length / 2;
          const answers = [[": ping\\n\\n", lines[0], lines[1].slice(0, cut)], lines.slice(1)];
          window.fetch = async (path, request) => {
            asked.push([path, request.headers["Last-Event-ID"] ?? null]);
            const parts = answers.shift();
            return new Response(new ReadableStream({ start(stream) {
              for (const part of parts) stream.enqueue(new TextEncoder().encode(part));
              stream.close();
            } }));
          };
          const found = [];
          for await (const { event, data } of service.jobEvents("x"))
            found.push([event, data.done]);
          return { asked, found };
        }""",
        lines,
    )
    assert seen["found"] == [["pair", 1], ["pair", 2], ["end", None]]
    assert seen["asked"] == [["v1/jobs/x/events", None], ["v1/jobs/x/events", "0"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 800, 1400])
def test_folders_are_accessible_and_fit(opened, axe, folders, width, scheme):
    tab = opened("#of=folders&original=third&regions=grid", width=width, scheme=scheme)
    tab.add_init_script(axe)
    tab.reload()
    tab.locator("#original").select_option("anchor")
    choose(tab, folders)
    tab.locator("#unmatched summary").click()
    start(tab)
    finished(tab, 4)
    found = tab.evaluate("axe.run({resultTypes: ['violations']})")["violations"]
    assert [v["id"] for v in found if v["impact"] in ("serious", "critical")] == []
    assert tab.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    caption = tab.locator("#many caption").bounding_box()
    assert caption["x"] >= 0 and caption["x"] + caption["width"] <= width
    if width > 390:
        table = tab.locator("#many .scroll")
        assert table.evaluate("(e) => e.scrollWidth - e.clientWidth") <= 0
