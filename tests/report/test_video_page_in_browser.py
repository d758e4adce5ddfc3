"""The page of two videos in a real browser: it fits, reads well, and leads where it says."""

from __future__ import annotations

import pytest
from report_samples import pair

from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY
from distortion_graph.report.html.embedding import thumbnail
from distortion_graph.video.page import ShownMoment, video_page
from distortion_graph.video.sync import Offset
from distortion_graph.video.timeline import Step, Timeline
from distortion_graph.video.worst import WorstMoment

STEPS = 240


def timeline(regions=3):
    steps = []
    for k in range(STEPS):
        bad = 100 <= k < 130
        step = Step(k * 10.0, k * 10.0 + 9.0, moments=10)
        step.scored, step.area = 10, 10.0
        step.sums = {"anchor": 9.8, "target": 6.0 if bad else 9.7}
        step.lowest = {"anchor": 0.9, "target": 0.4 if bad else 0.9}
        step.rank, step.margin = (2, 0.4) if bad else (0, 0.0)
        step.regions = {
            n: (0.4 if bad and n else 0.0, 2 if bad and n else 0) for n in range(regions)
        }
        step.shares["anchor"]["clean"] = 10.0
        step.shares["target"]["blur" if bad else "clean"] = 10.0
        step.failed = 10 if k == 50 else 0
        steps.append(step)
    names = {n: f"a region with a rather long name {n}" for n in range(regions)}
    means = {"anchor_score": 0.98, "target_score": 0.92, "psnr_db": 38.2}
    return Timeline(steps, 0.0, 2399.0, 2400, 10, 300, 2090, 0, means, names, [0.0])


def page(names=("original.mp4", "encoded.mp4"), notes=(), count=4):
    sample = pair(2, 2)
    urls = tuple(thumbnail(v.image, 400) for v in (sample.anchor, sample.target))
    worst = [
        ShownMoment(
            WorstMoment(f"id {k}", 1000.0 + 20 * k, 0.5, ((1, 1), (1, 1)), sample.graph),
            f"reports/id {k}.html",
            urls,  # type: ignore[arg-type]
        )
        for k in range(count)
    ]
    return video_page(
        timeline(), worst, names, DEFAULT_VOCABULARY, notes=notes, details=("a: b",),
        offset=Offset(-0.4, 0.97), model="m 1", measured=False,
    )  # fmt: skip


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 900, 1400])
def test_the_page_is_accessible_and_fits(open_page, axe, width, scheme):
    tab = open_page(page(notes=["b.mp4: ends earlier"]), width=width, scheme=scheme)
    tab.evaluate(axe)
    found = tab.evaluate("axe.run({resultTypes: ['violations']})")["violations"]
    assert [v["id"] for v in found if v["impact"] in ("serious", "critical")] == []
    assert tab.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_marks_lead_to_moments_and_moments_to_reports(open_page):
    tab = open_page(page())
    hrefs = [a.get_attribute("href") for a in tab.locator(".moments a").all()]
    assert hrefs == [f"reports/id%20{k}.html" for k in range(4)]
    tab.locator(".marks a").nth(2).click()
    assert tab.url.endswith("#m3")
    assert tab.locator("#m3").is_visible()
    boxes = [mark.bounding_box() for mark in tab.locator(".marks a").all()]
    for one in boxes:  # no mark lies on another
        for other in boxes:
            apart_x = abs(one["x"] - other["x"]) >= one["width"] - 1
            assert one is other or apart_x or abs(one["y"] - other["y"]) >= one["height"] - 1


def test_a_bad_stretch_is_seen_where_it_is(open_page):
    tab = open_page(page())
    strips = tab.locator(".strip svg")
    assert "farthest apart: better or worse in 30 of 240 steps" in (
        strips.first.get_attribute("aria-label") or ""
    )
    rect = tab.locator(".strip rect.c4").first
    box, whole = rect.bounding_box(), strips.first.bounding_box()
    assert (box["x"] - whole["x"]) / whole["width"] == pytest.approx(100 / 240, abs=0.01)
    assert box["width"] / whole["width"] == pytest.approx(30 / 240, abs=0.01)
    assert rect.locator("title").text_content() == (
        "16:40.00 to 21:39.00: the anchor is significantly better (+0.40)"
    )
    assert tab.locator(".strip rect.failed").count() == 4


def test_names_cannot_run_anything(open_page):
    tab = open_page(page(names=("<script>window.hacked = 1</script>", "b"), count=0))
    assert tab.evaluate("window.hacked") is None
    assert "<script>window.hacked" in tab.locator("h1").inner_text()
