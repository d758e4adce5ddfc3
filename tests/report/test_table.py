"""The table holds every fact of every region and fits the terminal."""

from __future__ import annotations

import io

import pytest
from report_samples import pair, with_evidence, with_metrics
from rich.cells import cell_len
from rich.console import Console

from distortion_graph.graph import FurtherDistortion
from distortion_graph.report.table import render
from distortion_graph.report.wording import worst_first


def shown(graph, width):
    text = io.StringIO()
    console = Console(file=text, width=width)
    console.print(render(graph, console.width))
    return text.getvalue()


@pytest.fixture(scope="module")
def graph():
    return pair().graph


@pytest.mark.parametrize("width", [80, 99, 100, 120, 200])
def test_every_fact_is_there_and_nothing_is_cut(graph, width):
    text = shown(with_evidence(graph), width)
    assert "…" not in text
    assert max(map(cell_len, text.splitlines())) <= width
    for region in graph.regions:
        for node in (region.anchor, region.target):
            assert graph.vocabulary.in_words(node.distortion.label) in text
            assert f"{node.score:.2f}" in text
        assert graph.vocabulary.in_words(region.comparison.label) in text
        assert region.name in text and f"{100 * region.area_fraction:.1f} %" in text
    for fact in ("21.2", "0.50", "0.75", "12.5", "PSNR", "scene"):
        assert fact in text


def test_the_longest_default_words_fit_80_columns(graph):
    v = graph.vocabulary
    longest = max(v.distortions, key=lambda label: len(v.in_words(label)))
    region = graph.regions[0]
    node = region.anchor.model_copy(
        update={
            "distortion": region.anchor.distortion.model_copy(update={"label": longest}),
            "severity": region.anchor.severity.model_copy(update={"label": "moderate"}),
        }
    )
    comparison = region.comparison.model_copy(update={"label": "significantly_better"})
    wide = region.model_copy(
        update={"anchor": node, "comparison": comparison, "id": 99, "name": "a" * 11}
    )
    text = shown(with_evidence(graph.model_copy(update={"regions": (wide,)})), 80)
    assert "…" not in text and "▲▲ significantly better" in text and v.in_words(longest) in text
    assert max(map(cell_len, text.splitlines())) <= 80


@pytest.mark.parametrize("width", [80, 120])
def test_further_distortions_stand_under_the_first_beside_their_severity(graph, width):
    blur, haze = (
        FurtherDistortion(label=label, severity=severity)
        for label, severity in (("blur", "minor"), ("haze", "severe"))
    )
    region = graph.regions[0]
    region = region.model_copy(
        update={
            "anchor": region.anchor.model_copy(update={"also": (blur, haze)}),
            "target": region.target.model_copy(update={"also": (haze,)}),
        }
    )
    text = shown(graph.model_copy(update={"regions": (region,), "scene": None}), width)
    rows = [" ".join(line.split()) for line in text.splitlines()[2:7]]
    label, severity = (
        graph.vocabulary.in_words(b.label)
        for b in (region.target.distortion, region.target.severity)
    )
    assert rows[1].endswith("+ blur minor") and rows[2].endswith("+ haze severe")
    assert f"target {label} {severity} {region.target.score:.2f}" in rows[3]
    assert rows[4] == "+ haze severe"


@pytest.mark.parametrize("width", [80, 120])
def test_further_metrics_stand_under_the_comparison(graph, width):
    lines = [line.strip() for line in shown(with_metrics(graph), width).splitlines()]
    for text in ("flip 0.188", "ssimulacra2 -12.2, vif –"):
        assert sum(line.endswith(text) for line in lines) == len(graph.regions)
    assert max(map(cell_len, lines)) <= width
    assert "flip" not in shown(with_evidence(graph), width)


def test_opinions_have_a_column_where_there_are_any_and_room(graph):
    assert "opinion" not in shown(with_evidence(graph), 120)
    first = graph.regions[0]
    rated = first.model_copy(update={"target": first.target.model_copy(update={"opinion": 0.375})})
    graph = with_evidence(graph.model_copy(update={"regions": (rated, *graph.regions[1:])}))
    lines = shown(graph, 120).splitlines()
    (line,) = (line for line in lines if " 0.38 " in line)
    assert lines[0].index("opinion") + len("opinion") == line.index("0.38") + 4
    assert max(map(cell_len, lines)) <= 120
    assert "opinion" not in shown(graph, 80)


def test_names_give_way_before_what_is_said_of_them(graph):
    names = "a name that is longer than any column can be", "short"
    regions = tuple(
        r.model_copy(update={"name": n}) for r, n in zip(graph.regions[:2], names, strict=True)
    )
    words = {graph.regions[0].anchor.distortion.label: "something with a longer name"}
    vocabulary = graph.vocabulary.model_copy(update={"words": words})
    long = graph.model_copy(update={"regions": regions, "vocabulary": vocabulary})
    for width in (90, 100, 120, 160):
        text = shown(with_evidence(long), width)
        assert "something with a longer name" in text and "short" in text, width
        assert "▲" in text or "▼" in text
        assert max(map(cell_len, text.splitlines())) <= width
    assert text.count("…") == 1  # the long name's


def test_regions_stand_worst_first(graph):
    lines = shown(graph, 100).splitlines()
    ids = [int(line.split()[0]) for line in lines if line[:2].strip().isdigit()]
    assert ids == [region.id for region in worst_first(graph)]


def test_without_evidence_there_are_no_columns_for_it(graph):
    assert "PSNR" not in shown(graph, 80) and "PSNR" not in shown(graph, 120)


def test_identical_pixels_have_infinite_psnr(graph):
    made = with_evidence(graph)
    first = made.regions[0]
    same = first.evidence.model_copy(update={"psnr_db": None})
    regions = (first.model_copy(update={"evidence": same}), *made.regions[1:])
    assert "∞" in shown(made.model_copy(update={"regions": regions}), 80)


@pytest.mark.parametrize("width", [20, 40, 60])
def test_a_narrow_terminal_is_kept_to(graph, width):
    assert max(map(cell_len, shown(with_evidence(graph), width).splitlines())) <= width


@pytest.mark.parametrize("width", [42, 50, 60, 72])
def test_numbers_and_sides_are_whole_where_words_are_cut(graph, width):
    text = shown(with_evidence(graph), width)
    for region in graph.regions:
        assert any(line.split()[:1] == [str(region.id)] for line in text.splitlines())
        for side in ("anchor", "target"):
            assert f"{region.node(side).score:.2f} " in text
    assert text.count("anchor ") >= len(graph.regions)
    assert text.count("target ") >= len(graph.regions)


def test_names_are_text_and_not_markup(graph):
    names = ["[red]x", "\x1b[31my", "空と海", "a\nb", "n" * 300, "é"]
    regions = tuple(
        r.model_copy(update={"name": n}) for r, n in zip(graph.regions, names, strict=True)
    )
    text = shown(graph.model_copy(update={"regions": regions}), 80)
    assert "[red]x" in text and "\x1b" not in text and "空と海" in text and "a b" in text
    assert max(map(cell_len, text.splitlines())) <= 80


def test_a_graph_without_regions_has_a_table(graph):
    assert "scene" in shown(graph.model_copy(update={"regions": ()}), 80)
