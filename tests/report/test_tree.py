"""The tree of a graph: for print, and for rich."""

from __future__ import annotations

import io

import pytest
from graph_samples import native
from report_samples import pair
from rich.console import Console

from distortion_graph import DistortionGraph
from distortion_graph.report.tree import tree_text
from distortion_graph.report.wording import summary, worst_first

TREE = """\
As a whole, the anchor is slightly better than the target (0.75 against 0.50, measured against the
reference original.png); of 2 regions the anchor is better in 1 and the same in 1; the worst is
region 2 (Schläger) of the target: haze, severe (0.25).
├── 2 Schläger
│   ├── anchor: clean (p = 0.80), score 1.00
│   ├── target: haze (p = 0.90), severe (p = 0.90), score 0.25
│   └── the anchor is ▲▲ significantly better (p = 0.60)
├── 7 person, 16.7 %
│   ├── anchor: blur (p = 0.90), severe (p = 0.90), score 0.70
│   ├── target: noise (p = 0.90), minor (p = 0.90), score 0.60, opinion 0.38
│   │   ├── also too dark (p = 0.75), moderate
│   │   └── also blur (p = 0.62), minor
│   ├── the anchor is = same (p = 0.60)
│   ├── PSNR ∞ dB, SSIM 1.00, HaarPSI 1.00, ΔE 0.0, flip 0.000, ssimulacra2 –
│   └── judged by ada, 2026-11-30
│       ├── anchor: blur, moderate
│       ├── target: minor
│       └── the anchor is ▼ slightly worse
├── relations
│   └── 7 person – holding → 2 Schläger, in the anchor
└── scene
    ├── anchor: score 0.75, opinion 0.62, 50.0 % clean, 25.0 % blur
    ├── target: score 0.50, 50.0 % noise
    ├── the anchor is ▲ slightly better (p = 0.60)
    └── PSNR 20.5 dB, SSIM 0.90, HaarPSI 0.80, ΔE 3.2, flip 0.125, ssimulacra2 62.5"""


def graph(**changes):
    return DistortionGraph.model_validate(native() | changes)


def test_print_gives_the_tree():
    assert str(graph()) == f"{graph()}" == TREE
    assert repr(graph()).startswith("DistortionGraph(")


def test_rich_gives_the_same_in_the_width_of_the_terminal():
    memory = io.StringIO()
    Console(file=memory, width=100).print(graph())
    assert [line.rstrip() for line in memory.getvalue().splitlines()] == TREE.splitlines()


def test_regions_stand_worst_first():
    found = pair(3, 4).graph
    text = str(found)
    titles = [line[4:] for line in text.splitlines() if line.startswith("├── ")]
    titles = [t for t in titles if t not in ("scene", "relations")]
    assert [int(t.split()[0]) for t in titles] == [region.id for region in worst_first(found)]
    assert " ".join(text.split()).startswith(summary(found))


def test_an_uncertain_node_says_so_and_no_label():
    value = native()
    value["regions"][0]["target"]["known"] = 0.25
    text = tree_text(DistortionGraph.model_validate(value))
    assert "target: uncertain, score 0.60" in text and "noise (p" not in text
    assert "also" not in text


@pytest.mark.parametrize("name", ["[red]x[/red]", "a\nb\x1b[31m", "<b>&amp;", "x" * 300, " \t"])
def test_names_are_text_of_one_line_each(name):
    value = native()
    value["regions"][0]["name"] = name
    text = str(DistortionGraph.model_validate(value))
    assert "\x1b" not in text and max(map(len, text.splitlines())) <= 100
    if name.startswith("["):
        assert "7 [red]x[/red], 16.7 %" in text


def test_nothing_known():
    bare = graph(regions=[], relations=[], scene=None, model=None)
    assert str(bare) == "The pictures as wholes were not compared."


def test_both_pictures_and_no_scene():
    value = native() | {"scene": None}
    value["relations"][0]["image"] = "both"
    assert "holding → 2 Schläger, in both pictures" in str(DistortionGraph.model_validate(value))
