"""Judgements where a graph is shown, and nothing of them where there are none."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from page_samples import page, rich_sample
from rich.console import Console

from distortion_graph.graph import Judgement, NodeJudgement
from distortion_graph.graph.judging import judge
from distortion_graph.report.html.table import notebook
from distortion_graph.report.judging import judged_lines
from distortion_graph.report.table import render
from distortion_graph.report.tree import tree_text

FULL = Judgement(
    by="ada \x1b[31m",
    at=datetime(2026, 11, 30, 23, 30, tzinfo=UTC),
    anchor=NodeJudgement(distortion="saturate_dec", severity="severe"),
    target=NodeJudgement(distortion="clean", severity="clean"),
    comparison="significantly_worse",
)
LINES = (
    "judged by ada  [31m, 2026-11-30",
    "anchor: washed-out colours, severe",
    "target: clean",
    "the anchor is ▼▼ significantly worse",
)


def table_text(graph, width):
    console = Console(width=width, color_system=None, force_terminal=False)
    with console.capture() as got:
        console.print(render(graph, width))
    return got.get()


def test_what_is_said_is_told_in_words():
    _, graph = rich_sample()
    assert judged_lines(graph, None) == ()
    assert judged_lines(graph, FULL) == LINES
    one = Judgement(target=NodeJudgement(severity="minor"))
    assert judged_lines(graph, one) == ("judged", "target: minor")


@pytest.mark.parametrize(
    "show", [tree_text, lambda g: table_text(g, 90), lambda g: table_text(g, 130)]
)
def test_tree_and_table_tell_it(show):
    _, graph = rich_sample()
    judged = judge(graph, 3, FULL)
    text = show(judged)
    assert all(line in text for line in LINES) and text.count("judged by") == 1
    assert "judged by" not in show(graph)


def test_the_page_and_a_notebook_have_a_column_of_it_only_where_there_is_any():
    sample, graph = rich_sample()
    judged = judge(graph, 3, FULL)
    for show in (lambda g: page(sample, g), notebook):
        assert re.search(r'<th scope="col" rowspan="2">Judged</th>', show(judged))
        assert f'<td class="judged">{"; ".join(LINES)}</td>' in show(judged)
        assert '<th scope="col" rowspan="2">Judged</th>' not in show(graph)
        assert '<td class="judged">' not in show(graph)
