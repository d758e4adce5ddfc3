"""The drawing of a graph holds every fact as text, and no two relations cover one another."""

from __future__ import annotations

import io
import subprocess
import sys
import warnings
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from report_samples import pair

pytest.importorskip("matplotlib", reason="needs the figures extra")

from distortion_graph.base.vocabulary import Vocabulary
from distortion_graph.graph import Relation
from distortion_graph.report import figures
from distortion_graph.report.arcs import lay_out_arcs
from distortion_graph.report.graph_drawing import draw_graph
from distortion_graph.report.palette import comparison_colours, severity_colours
from distortion_graph.report.wording import score_text, words

pytestmark = pytest.mark.slow

SVG = "{http://www.w3.org/2000/svg}"


def texts(data):
    """Every text of an SVG, in order."""
    return ["".join(e.itertext()) for e in ElementTree.fromstring(data).iter(f"{SVG}text")]


@pytest.fixture(scope="module")
def grid():
    """A graph of 100 regions."""
    return pair(10, 10, h=120, w=160).graph


@pytest.fixture(scope="module")
def grid_texts(grid):
    """The texts of its drawing."""
    return texts(draw_graph(grid, collapse=False))


def named(graph, names):
    regions = tuple(
        r.model_copy(update={"name": n}) for r, n in zip(graph.regions, names, strict=True)
    )
    return graph.model_copy(update={"regions": regions})


def related(graph, *relations):
    parts = tuple(Relation(subject=s, predicate=p, object=o, image=i) for s, p, o, i in relations)
    return graph.model_copy(update={"relations": parts})


def clean_rows(graph, count):
    """The graph with its first regions clean in both pictures and the same."""
    v = graph.vocabulary
    regions = []
    for k, region in enumerate(graph.regions):
        if k < count:
            sides = {}
            for side in ("anchor", "target"):
                node = region.node(side)
                sides[side] = node.model_copy(
                    update={
                        "distortion": node.distortion.model_copy(update={"label": v.clean}),
                        "severity": node.severity.model_copy(update={"label": v.clean}),
                    }
                )
            same = v.comparison_labels[v.neutral_index]
            sides["comparison"] = region.comparison.model_copy(update={"label": same})
            region = region.model_copy(update=sides)
        regions.append(region)
    return graph.model_copy(update={"regions": tuple(regions)})


def test_100_regions_are_there_with_every_fact_twice_where_it_belongs(grid, grid_texts):
    shown = grid_texts
    assert {"anchor", "target", "scene", "the anchor is"} <= set(shown)
    for region in grid.regions:
        assert shown.count(region.name) == shown.count(str(region.id)) == 2
    for side in ("anchor", "target"):
        for node in (r.node(side) for r in grid.regions):
            text = words(grid.vocabulary, node.distortion.label)
            if node.severity.label != grid.vocabulary.clean:
                text += f" · {words(grid.vocabulary, node.severity.label)}"
            assert text in shown and score_text(node.score) in shown
    labels = [words(grid.vocabulary, r.comparison.label) for r in grid.regions]
    for label in set(labels):
        assert sum(t.endswith(f" {label}") for t in shown) - labels.count(label) in (0, 1)


def test_the_worst_stands_first(grid, grid_texts):
    scores = {r.name: min(r.anchor.score, r.target.score) for r in grid.regions}
    order = [scores[t] for t in dict.fromkeys(grid_texts) if t in scores]
    assert len(order) == 100 and order == sorted(order)


def test_the_colours_are_those_of_severities_and_comparisons():
    graph = pair(5, 5, h=60, w=80).graph
    assert {r.comparison.label for r in graph.regions} == set(graph.vocabulary.comparison_labels)
    drawn = Image.open(io.BytesIO(draw_graph(graph, "png", collapse=False))).convert("RGB")
    codes = np.unique(np.asarray(drawn, np.int64) @ [65536, 256, 1])
    there = {(c >> 16, c >> 8 & 255, c & 255) for c in codes.tolist()}
    assert {*severity_colours(4), *comparison_colours(5)} <= there


def test_what_is_clean_in_both_and_the_same_is_one_line_unless_it_is_in_a_relation():
    graph = clean_rows(pair(3, 3).graph, 5)
    names = [r.name for r in graph.regions]
    shown = texts(draw_graph(graph))
    assert "5 regions: clean in both, same" in shown
    assert not set(names[:5]) & set(shown) and set(names[5:]) <= set(shown)
    everything = texts(draw_graph(graph, collapse=False))
    assert set(names) <= set(everything) and not any(": clean in both" in t for t in everything)
    shown = texts(draw_graph(related(graph, (0, "on", 8, "anchor"))))
    assert "4 regions: clean in both, same" in shown and names[0] in shown


@pytest.mark.parametrize("kind", ["svg", "png", "pdf"])
def test_the_same_bytes_every_time_and_nothing_of_matplotlib_is_changed(kind):
    import matplotlib

    before = dict(matplotlib.rcParams)
    graph = related(pair().graph, (0, "on", 1, "both"))
    first = draw_graph(graph, kind)
    with matplotlib.rc_context({"font.size": 30, "svg.fonttype": "path", "axes.facecolor": "red"}):
        assert draw_graph(graph, kind) == first
    assert dict(matplotlib.rcParams) == before


def test_another_process_makes_the_same_bytes_without_pyplot(tmp_path):
    graph = related(pair().graph, (0, "on", 1, "both"))
    (tmp_path / "g.json").write_text(graph.to_json(), "utf-8")
    program = (
        "import sys; from distortion_graph.graph import load_graph;"
        "from distortion_graph.report.graph_drawing import draw_graph;"
        "sys.stdout.buffer.write(draw_graph(load_graph('g.json')));"
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"") and done.stdout == draw_graph(graph)


HOSTILE = [
    "<script>alert(1)</script>",
    "$x^2$ & $y",
    "歪み 🦆",
    "a\n\x1b[31m\x00b",
    "--> ]]>",
    "n" * 300,
]


@pytest.mark.parametrize("kind", ["svg", "png", "pdf"])
def test_any_name_is_drawn_without_a_warning(kind):
    graph = related(
        named(pair().graph, HOSTILE), (0, "<b>$ 木", 5, "both"), (3, "w" * 200, 3, "anchor")
    )
    graph = graph.model_copy(
        update={"anchor": graph.anchor.model_copy(update={"source": "x/木$<&.png"})}
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # of letters that are missing
        data = draw_graph(graph, kind, collapse=False)
    if kind == "svg":
        shown = texts(data)
        for name in (*HOSTILE[:3], "--> ]]>", "<b>$ 木", "木$<&.png"):
            assert name in shown
        assert b"<script" not in data and "a  [31m b" in shown
        cut = next(t for t in shown if t.startswith("nnn"))
        assert cut.endswith("…") and figures.width_mm(cut, 7) <= 40
        assert all(e.tag != f"{SVG}script" for e in ElementTree.fromstring(data).iter())


def test_no_regions_no_scene_no_scores():
    graph = pair().graph
    bare = graph.model_copy(update={"regions": (), "scene": None})
    assert texts(draw_graph(bare)) == ["the anchor is", "anchor", "target", "no regions"]
    region = graph.regions[0]
    unknown = {s: region.node(s).model_copy(update={"score": None}) for s in ("anchor", "target")}
    one = graph.model_copy(update={"regions": (region.model_copy(update=unknown),)})
    assert texts(draw_graph(one, collapse=False)).count("–") == 2


def test_relations_stand_beside_the_picture_they_are_in():
    graph = related(
        pair().graph,
        (0, "left_only", 1, "anchor"),
        (1, "right", 2, "target"),
        (2, "two", 3, "both"),
    )
    shown = texts(draw_graph(graph, collapse=False))
    assert (shown.count("left only"), shown.count("right"), shown.count("two")) == (1, 1, 2)


relations = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=40)


@given(relations, st.integers(2, 60))
def test_predicates_and_lanes_never_cover_one_another(pairs, length):
    there = [Relation(subject=s, predicate="p", object=o, image="both") for s, o in pairs]
    rows = {k: 10 + 6.0 * k for k in range(10)}
    arcs = lay_out_arcs(there, rows, [length] * len(there), ["p"] * len(there), (0, 70), 4.2)
    for arc, (s, o) in zip(arcs, pairs, strict=True):
        assert abs(arc.start - rows[s]) < 2.1 and abs(arc.end - rows[o]) < 2.1
        assert arc.middle - length / 2 >= -1e-9 and arc.middle + length / 2 <= 70 + 1e-9
    spans = [
        (
            a.lane,
            min(a.start, a.end, a.middle - a.length / 2),
            max(a.start, a.end, a.middle + a.length / 2),
        )
        for a in arcs
    ]
    for k, (lane, low, high) in enumerate(spans):
        assert all(lane != m or high < a or b < low for m, a, b in spans[k + 1 :])
    ports = [p for a in arcs for p in (a.start, a.end)]
    assert len(set(ports)) == len(ports)


def test_where_matplotlib_is_missing_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setattr(figures, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"^matplotlib is not .*'distortion-graph\[figures\]'$"):
        draw_graph(pair().graph)


def test_another_vocabulary():
    labels = ["far worse", "worse", "a bit worse", "equal", "a bit better", "better", "far better"]
    v = Vocabulary(
        distortions=("fine", "smear_y"),
        severities=("fine", "bad"),
        comparisons=[
            {"label": t, "rank": k - 3, "min_abs_d": (0, 0.1, 0.2, 0.3)[abs(k - 3)]}
            for k, t in enumerate(labels)
        ],
    )
    graph = pair().graph
    regions = tuple(
        r.model_copy(
            update={
                "comparison": r.comparison.model_copy(update={"label": labels[k % 7]}),
                **{
                    s: r.node(s).model_copy(
                        update={
                            "distortion": r.anchor.distortion.model_copy(
                                update={"label": "smear_y"}
                            ),
                            "severity": r.anchor.severity.model_copy(update={"label": "bad"}),
                        }
                    )
                    for s in ("anchor", "target")
                },
            }
        )
        for k, r in enumerate(graph.regions)
    )
    changed = {"vocabulary": v, "regions": regions, "scene": None}
    shown = texts(draw_graph(graph.model_copy(update=changed)))
    assert "▼▼▼ far worse" in shown and "▲▲ better" in shown and shown.count("smear y · bad") == 12
