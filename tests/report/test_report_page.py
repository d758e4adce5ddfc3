"""The report as text: one file, its size, and the same every time."""

from __future__ import annotations

import base64
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from optional import present
from page_samples import NOTHING, named, page, png, rich_sample, shown, without_masks
from report_samples import pair, with_metrics

from distortion_graph.report.html.judging import packed_graph
from distortion_graph.report.html.page import report_page
from distortion_graph.report.html.table import notebook

HALF_MEGABYTE = 500_000


class Tags(HTMLParser):
    """What a page refers to, and the tags in it."""

    def __init__(self):
        super().__init__()
        self.links, self.tags = [], []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.links += [v for k, v in attributes if k in ("src", "href", "srcset", "data") and v]


def parsed(text):
    tags = Tags()
    tags.feed(text)
    return tags


def test_the_page_needs_no_other_file():
    sample, graph = rich_sample()
    text = page(sample, graph)
    assert all(link.startswith(("data:", "#")) for link in parsed(text).links)
    assert not re.search(
        r"url\(|@import|//[a-z]+\.[a-z]", text.replace("http://www.w3.org/2000/svg", "")
    )


def test_the_same_input_gives_the_same_page():
    sample, graph = rich_sample()
    assert page(sample, graph) == page(sample, graph)


@pytest.mark.parametrize("grid", [(1, 1), (10, 10), (20, 25)])
def test_a_page_is_at_most_half_a_megabyte_larger_than_its_pictures_and_its_packed_graph(grid):
    sample = pair(*grid, 200, 250)  # type: ignore[call-arg]
    pictures = sum(len(base64.b64encode(png(v.image))) for v in (sample.anchor, sample.target))
    text = page(sample)
    graph = len(packed_graph(sample.graph))
    assert graph < len(sample.graph.to_json()) / 3 or grid == (1, 1)
    assert len(text.encode()) <= pictures + graph + HALF_MEGABYTE


def test_the_pictures_in_it_are_the_files():
    sample, graph = rich_sample()
    found = re.findall(r'<img src="data:image/png;base64,([^"]+)"', page(sample, graph))
    assert [base64.b64decode(t) for t in found] == [
        png(v.image) for v in (sample.anchor, sample.target)
    ]


def test_the_data_of_the_script_is_json_that_cannot_end_its_element():
    sample, graph = rich_sample()
    graph = named(graph, "</script><!-- <script>", "\u2028 & \u2029")
    text = page(sample, graph)
    inside = present(re.search(r'<script type="application/json" id="view">(.*?)</script>', text))[
        1
    ]
    assert not set("<>&\u2028\u2029") & set(inside)
    assert json.loads(inside)["regions"][0]["name"] == "</script><!-- <script>"


def test_what_is_wrong_with_a_picture_is_said():
    sample, graph = rich_sample()
    changed = shown(sample.target.image)
    changed = type(changed)(changed.embedded, "b.png: has <changed> since the graph was made")
    text = report_page(graph, (NOTHING, changed))
    assert "b.png: has &lt;changed&gt; since the graph was made" in text
    assert "The anchor is not here" in text


def test_a_page_without_pictures_masks_or_sizes_still_has_its_table():
    _, graph = rich_sample()
    bare = without_masks(graph)
    info = bare.anchor.model_copy(update={"width": None, "height": None})
    text = report_page(bare.model_copy(update={"anchor": info, "target": info}), (NOTHING, NOTHING))
    assert text.count("<tr data-region=") == len(graph.regions)


def test_further_metrics_have_columns_and_what_they_are_stands_at_the_foot():
    sample = pair(2, 3)
    text = page(sample, with_metrics(sample.graph))
    assert '<abbr title="flip 1.7 (BSD-3-Clause), lower is better">flip</abbr>' in text
    assert 'colspan="7">Measured between them' in text
    assert text.count('<td class="number">-12.2</td>') == len(sample.graph.regions)
    further = "<p>Measured too: flip 1.7 (BSD-3-Clause), lower is better; ssimulacra2 2.1 (BSD"
    assert further in text
    assert "Measured too" not in page(sample)


def test_a_notebook_gets_summary_and_table_and_no_script():
    _, graph = rich_sample()
    hostile = named(graph, "<script>alert(1)</script>")
    text = hostile._repr_html_()
    assert text == notebook(hostile)
    assert "script" not in parsed(text).tags and "&lt;script&gt;" in text
    assert text.count("<tr data-region=") == len(graph.regions)
    assert np.all([region.name in text for region in graph.regions[1:3]])
