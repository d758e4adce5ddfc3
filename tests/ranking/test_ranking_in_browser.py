"""The page of a ranking in a browser: accessible, and nothing wider than the window."""

from __future__ import annotations

import pytest
from ranked_pictures import jpeg, ladder, scene

from distortion_graph.ranking import load_candidates, rank_loaded
from distortion_graph.ranking.page import RankedPictures, ranking_page


def page(root, *, reference: bool) -> str:
    given = root / "original.png" if reference else None
    loaded = load_candidates(str(root / "encodes"), given)
    ranking = rank_loaded(
        loaded,
        regions="grid:2x2",
        metrics=("flip", "gmsd") if reference else (),
        sizes=True,
        warn=lambda line: None,
    )
    return ranking_page(ranking, RankedPictures.of(ranking, loaded))


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    root = ladder(tmp_path_factory.mktemp("pages") / "root", (5, 10, 20, 40, 90))
    for quality in (8, 30, 50, 70):
        (root / "encodes" / f"other-q{quality}.jpg").write_bytes(jpeg(scene(), quality))
    return {reference: page(root, reference=reference) for reference in (True, False)}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 900, 1400])
@pytest.mark.parametrize("reference", [True, False])
def test_the_ranking_is_accessible_and_fits(open_page, axe, pages, reference, width, scheme):
    tab = open_page(pages[reference], width=width, scheme=scheme)
    for fold in tab.locator("details").all():
        fold.evaluate("fold => { fold.open = true }")
    tab.evaluate(axe)
    found = tab.evaluate("axe.run({resultTypes: ['violations']})")["violations"]
    assert [v["id"] for v in found if v["impact"] in ("serious", "critical")] == []
    assert tab.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
