"""The gallery: sorted, searched, linked to the reports beside it."""

from __future__ import annotations

import pytest
from page_samples import named
from report_samples import pair

from distortion_graph.report.html.embedding import thumbnail
from distortion_graph.report.html.gallery import Pair, gallery_page


def pairs():
    found = []
    for k, name in enumerate(("sky 10", "sky 9", "<b>wood</b>")):
        sample = pair(2, 3, seed=k)
        urls = tuple(thumbnail(v.image, 64) for v in (sample.anchor, sample.target))
        found.append(Pair(name, f"pair {k}.html", sample.graph, urls, sample.graph))  # type: ignore[arg-type]
    return found


def names(tab):
    return [
        heading.inner_text() for heading in tab.locator("#pairs h2").all() if heading.is_visible()
    ]


def test_pairs_are_sorted_found_and_linked(open_page):
    entries = pairs()
    tab = open_page(gallery_page(entries))
    lowest = {
        p.name: min(min(r.anchor.score, r.target.score) for r in p.graph.regions) for p in entries
    }
    assert names(tab) == sorted(lowest, key=lowest.__getitem__)
    margins = {p.name: p.graph.scene.comparison.margin for p in entries}
    tab.locator("#order").select_option("margin")
    assert names(tab) == sorted(margins, key=margins.__getitem__)
    tab.locator("#order").select_option("lead")
    assert names(tab) == sorted(margins, key=margins.__getitem__, reverse=True)
    tab.locator("#order").select_option("name")
    assert names(tab)[1:] == ["sky 9", "sky 10"] or names(tab)[:2] == ["sky 9", "sky 10"]
    tab.locator("#find").fill("SKY")
    assert sorted(names(tab)) == ["sky 10", "sky 9"]
    assert tab.locator("#count").inner_text() == "2 of 3 pairs"
    assert tab.locator("#pairs a").first.get_attribute("href").startswith("pair%20")
    assert tab.locator(".slopes line:not(.axis)").count() == 18


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1400])
def test_the_gallery_is_accessible_and_fits(open_page, axe, width, scheme):
    tab = open_page(gallery_page(pairs()), width=width, scheme=scheme)
    tab.evaluate(axe)
    found = tab.evaluate("axe.run({resultTypes: ['violations']})")["violations"]
    assert [v["id"] for v in found if v["impact"] in ("serious", "critical")] == []
    assert tab.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_pairs_without_pictures_or_regions(open_page):
    sample = pair()
    empty = sample.graph.model_copy(update={"regions": (), "scene": None})
    hostile = named(sample.graph, "<script>window.hacked = 1</script>")
    both = [
        Pair("empty", "a.html", empty, (None, None)),
        Pair("x", "b.html", hostile, (None, None)),
    ]
    tab = open_page(gallery_page(both))
    assert tab.locator("#pairs > li").count() == 2
    assert tab.evaluate("window.hacked") is None
