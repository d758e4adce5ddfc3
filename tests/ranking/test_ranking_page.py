"""The page, the chart and the table of a ranking."""

from __future__ import annotations

import csv
import io
import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest
from optional import present
from ranked_pictures import SIZE, jpeg, ladder, scene

from distortion_graph.base.errors import RankingError
from distortion_graph.formats.tables import to_csv, to_parquet
from distortion_graph.ranking import load_candidates, rank_loaded
from distortion_graph.ranking.chart import chart
from distortion_graph.ranking.page import RankedPictures, ranking_page
from distortion_graph.ranking.tables import COLUMNS, table_of

NASTY = "<img src=x onerror=alert(1)>"


class Checked(HTMLParser):
    """Elements and ids; fails where elements are not closed in the order they were opened."""

    VOID = ("meta", "br", "rect", "path", "circle")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_startendtag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def all(self, tag):
        return [attributes for name, attributes in self.found if name == tag]


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    root = ladder(tmp_path_factory.mktemp("page") / "root")
    (root / "encodes" / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    return load_candidates(root / "encodes", root / "original.png")


@pytest.fixture(scope="module")
def ranking(loaded):
    return rank_loaded(loaded, regions="grid:2x2", sizes=True, warn=lambda _: None)


@pytest.fixture(scope="module")
def page(ranking, loaded):
    return ranking_page(ranking, RankedPictures.of(ranking, loaded))


def test_the_page_is_whole_needs_nothing_and_runs_nothing(page):
    checked = Checked(page)
    assert checked.all("script") == [] and checked.all("link") == []
    policy = present(checked.all("meta")[4]["content"])
    assert policy.startswith("default-src 'none'; img-src data:; style-src 'unsafe-inline'")
    assert not re.search(r"(?:src|href|url)\s*[=(]\s*[\"']?(?!data:|#|best)[a-z]+:", page)
    assert len(set(i for _, a in checked.found if (i := a.get("id")))) == sum(
        "id" in a for _, a in checked.found
    )


def test_every_picture_is_in_it_once_byte_for_byte(page, loaded):
    assert page.count('url("data:') == 5
    assert page.count("data:image/jpeg;base64,") == 4 and page.count("data:image/png") == 1
    assert page.count("embedded: the file, byte for byte") == 5


def test_map_matrix_and_cuts_have_every_region_and_candidate(page, ranking):
    checked = Checked(page)
    by_tag = {tag: [a for a in checked.all(tag) if "data-region" in a] for tag in ("path", "tr")}
    ids = [str(region.id) for region in ranking.regions]
    assert [a["data-region"] for a in by_tag["path"]] == ids
    assert [a["data-region"] for a in by_tag["tr"]] == ids
    folds = [a["data-region"] for a in checked.all("details") if "data-region" in a]
    assert folds == ids
    assert len(checked.all("circle")) == 4 * (1 + len(ids))  # a chart of the whole and of each
    cells = page.partition('<table class="graph-table matrix">')[2].partition("</table>")[0]
    assert cells.count("<td ") == len(ids) * len(ranking.candidates)
    assert cells.count("★") == sum(len(region.best) for region in ranking.regions)


def test_the_colour_of_a_region_is_that_of_its_best_in_the_legend(page, ranking):
    assert {region.best for region in ranking.regions} == {("jpeg-q90",)}
    [fill] = set(re.findall(r'fill="url\(#(\w+)\)"', page))
    pattern = page.partition(f'<pattern id="{fill}"')[2].partition("</pattern>")[0]
    [colour] = re.findall(r'fill="(#\w{6})"', pattern)
    legend = page.partition('<ul class="winners">')[2].partition("</ul>")[0]
    assert colour in legend and legend.count("<li>") == 1
    assert "<b>jpeg-q90</b><small>4 regions, 100.0 %</small>" in legend


def test_what_was_left_out_is_said_at_the_top(page, ranking):
    [left] = ranking.left_out
    notice = page.partition('<p class="notice">')[2].partition("</p>")[0]
    assert notice == f"Left out: {left.reason}"


def test_the_same_ranking_gives_the_same_page(page, ranking, loaded):
    assert ranking_page(ranking, RankedPictures.of(ranking, loaded)) == page


def test_names_are_text_whatever_is_in_them_and_lossy_is_said():
    loaded = load_candidates({NASTY: jpeg(scene(), 20), "b & c": jpeg(scene(), 60)})
    ranking = rank_loaded(loaded, regions="whole", sizes=True, warn=lambda _: None)
    page = ranking_page(ranking, RankedPictures.of(ranking, loaded, lossy=True))
    Checked(page)
    assert "<img" not in page and "b &amp; c" in page
    assert page.count("re-encoded with loss (WebP, quality 80)") == 4  # two notices, two below
    ElementTree.fromstring(chart(ranking, alone=True))


def test_ties_of_two_are_striped_and_of_many_grey():
    rgb = scene()
    pictures = {f"c{k}": np.ascontiguousarray(rgb) for k in range(5)}
    for count, stripes in ((2, 2), (5, 1)):
        loaded = load_candidates(dict(list(pictures.items())[:count]))
        ranking = rank_loaded(loaded, regions="whole", warn=lambda _: None)
        page = ranking_page(ranking, RankedPictures.of(ranking, loaded))
        pattern = page.partition("<pattern")[2].partition("</pattern>")[0]
        assert pattern.count("<rect") == stripes
        assert f"c0 +{count - 1}</text>" in page and "(tied)<small>" in page
        assert "Rate and quality" not in page
        with pytest.raises(RankingError, match="no file sizes, expected one made with sizes"):
            chart(ranking)


def test_the_chart_has_a_dot_per_candidate_where_its_numbers_put_it(ranking):
    for region in (None, 3):
        drawing = ElementTree.fromstring(chart(ranking, region))
        spots = drawing.findall("{*}circle")
        assert len(spots) == 4
        at = [(float(s.attrib["cx"]), -float(s.attrib["cy"])) for s in spots]
        assert at == sorted(at) and len({x for x, _ in at}) == 4  # both rise along the ladder
        titles = [s.findtext("{*}title") for s in spots]
        standing = (ranking.scene if region is None else ranking.region(3).standings)[0]
        size = ranking.candidates[0].bits_per_pixel
        assert titles[0] == f"jpeg-q5: {standing.node.score:.3f} at {size:.3f} bits per pixel"


def test_the_table_has_a_row_per_candidate_and_place(ranking):
    rows = list(csv.DictReader(io.StringIO(to_csv(table_of(ranking)))))
    assert list(rows[0]) == list(COLUMNS) and len(rows) == 4 + 4 * 4
    wholes = [row for row in rows if row["region"] == ""]
    assert [row["candidate"] for row in wholes] == [c.name for c in ranking.candidates]
    assert [float(row["score"]) for row in wholes] == [s.node.score for s in ranking.scene]
    row = next(r for r in rows if (r["region"], r["candidate"]) == ("2", "jpeg-q5"))
    standing = ranking.region(2).standings[0]
    assert (row["region_name"], row["place"], row["by"]) == ("r2c1", "4", "score")
    assert row["distortion"] == present(standing.node).distortion.label
    assert float(row["bits_per_pixel"]) == pytest.approx(
        8 * int(row["size_bytes"]) / (SIZE[0] * SIZE[1]), abs=1e-6
    )


def test_parquet_holds_the_same(ranking):
    parquet = pytest.importorskip("pyarrow.parquet")
    table = table_of(ranking)
    back = parquet.read_table(io.BytesIO(to_parquet(table)))
    assert back.column_names == list(table.columns)
    assert [list(row.values()) for row in back.to_pylist()] == table.rows
