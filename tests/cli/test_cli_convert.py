"""`convert`, `schema` and `version`."""

from __future__ import annotations

import codecs
import csv
import json
from importlib.metadata import version
from pathlib import Path

import pytest
from cli_runs import contents

import distortion_graph
from distortion_graph import DistortionGraph, load_graph
from distortion_graph.cli.compare import Format
from distortion_graph.formats import published

PAIR = ("compare", "a.png", "b.png", "--regions", "masks.png")
STORED = Path(distortion_graph.__file__).parent / "schema" / "distortion-graph-1.schema.json"


@pytest.fixture
def graph(cli, here):
    assert cli(*PAIR, "--out", "g.json", "-q").code == 0
    return load_graph("g.json")


def test_to_published_and_back_keeps_labels_and_scores(cli, graph):
    assert cli("convert", "g.json", "--to", "published", "--out", "p.json").code == 0
    assert json.loads(Path("p.json").read_text()) == published.to_published(graph)
    assert cli("convert", "p.json", "--to", "native", "--out", "n.json").code == 0
    back = load_graph("n.json")
    assert [r.comparison.label for r in back.regions] == [r.comparison.label for r in graph.regions]
    for ours, theirs in zip(graph.regions, back.regions, strict=True):
        assert theirs.anchor.distortion.label == ours.anchor.distortion.label
        assert abs(theirs.anchor.score - ours.anchor.score) <= 0.5e-4
        assert theirs.anchor.mask is None


def test_without_out_it_is_printed(cli, graph):
    ended = cli("convert", "g.json", "--to", "native")
    assert DistortionGraph.model_validate_json(ended.out) == graph
    published.loads(cli("convert", "g.json", "--to", "published").out)


FORMS = [form.value for form in Format]
EXACT = ["native", "node-link", "graphml", "json-ld"]


@pytest.mark.parametrize("form", EXACT)
def test_forms_that_hold_everything_come_back_equal_and_without_a_word(cli, graph, form):
    ended = cli("convert", "g.json", "--to", form, "--out", "other")
    assert (ended.code, ended.out, ended.err) == (0, "", "")
    for back in EXACT:
        assert cli("convert", "other", "--to", back, "--out", "back").err == ""
        assert cli("convert", "back", "--to", "native", "--out", "n.json").code == 0
        assert load_graph("n.json") == graph


@pytest.mark.parametrize("form", [form for form in FORMS if form not in ("csv", "parquet")])
def test_what_is_printed_is_what_is_written(cli, graph, form):
    printed = cli("convert", "g.json", "--to", form)
    written = cli("convert", "g.json", "--to", form, "--out", "f")
    assert (printed.code, written.code, written.out) == (0, 0, "")
    assert printed.out == Path("f").read_text("utf-8")
    assert printed.err == written.err


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_tables_are_two_files_and_need_a_name(cli, here, graph, form):
    line = cli("convert", "g.json", "--to", form).refusal
    assert line == (
        f"--to {form} writes two files, which standard output cannot hold; expected --out FILE"
    )
    before = set(contents(here))
    assert cli("convert", "g.json", "--to", form, "--out", f"t.{form}").code == 0
    assert set(contents(here)) - before == {f"t.nodes.{form}", f"t.edges.{form}"}


def test_of_two_files_none_is_written_where_one_cannot_be(cli, here, graph):
    (here / "t.edges.csv").mkdir()
    assert (
        "t.edges.csv: is a folder"
        in cli("convert", "g.json", "--to", "csv", "--out", "t.csv").refusal
    )
    assert not (here / "t.nodes.csv").exists()
    (here / "in.nodes.csv").write_bytes((here / "g.json").read_bytes())
    line = cli("convert", "in.nodes.csv", "--to", "csv", "--out", "in.csv").refusal
    assert "would overwrite an input" in line


def test_what_is_lost_is_one_line_by_name_and_quiet_is_quiet(cli, graph):
    ended = cli("convert", "g.json", "--to", "published", "--out", "p.json")
    assert ended.err == (
        "distortion-graph: warning: published cannot hold: model, pictures, alignment, picture "
        "hashes, region ids, areas, masks, boxes, probabilities, probabilities of other labels, "
        "known, opinion, score digits, evidence, differences, scene; they are left out\n"
    )
    assert cli("convert", "g.json", "--to", "published", "--out", "p.json", "-q").err == ""
    ended = cli("convert", "p.json", "--to", "coco")
    assert ended.code == 0 and json.loads(ended.out)["annotations"] == []
    assert ended.err == (
        "distortion-graph: warning: coco holds masks; left out where there is none: "
        "region 0 (region 1), 1 (region 2)\n"
    )
    # The published form is read again without a word of what it never had.
    assert cli("convert", "p.json", "--to", "published").err == ""


def test_compare_writes_every_form_and_warns_alike(cli, here):
    said = cli(*PAIR, "--out", "c.json", "--format", "coco").err
    assert said.endswith(
        "coco cannot hold: alignment, probabilities of other labels, scene; they are left out\n"
    )
    assert len(json.loads((here / "c.json").read_text())["annotations"]) == 4
    assert cli(*PAIR, "--out", "t.csv", "--format", "csv", "-q").code == 0
    assert (here / "t.nodes.csv").exists() and (here / "t.edges.csv").exists()
    assert "expected --out FILE too" in cli(*PAIR, "--format", "dot").refusal


def test_a_missing_extra_is_one_line_and_nothing_is_written(cli, here, graph, monkeypatch):
    monkeypatch.setattr("distortion_graph.formats.tables.find_spec", lambda _: None)
    before = contents(here)
    line = cli("convert", "g.json", "--to", "parquet", "--out", "t.parquet").refusal
    assert line.endswith("needs pyarrow, not installed: pip install 'distortion-graph[tables]'")
    assert contents(here) == before


def test_an_unknown_form_is_one_line(cli, graph):
    line = cli("convert", "g.json", "--to", "rdf").refusal
    assert "'rdf' is not one of 'native', 'published', 'node-link'" in line


def test_a_score_that_a_form_needs_is_still_asked_for(cli, here, graph):
    value = json.loads(graph.to_json())
    region = value["regions"][0]
    region["anchor"]["score"] = region["comparison"]["margin"] = None
    (here / "null.json").write_text(json.dumps(value))
    assert "a score is null" in cli("convert", "null.json", "--to", "published").refusal
    for form in FORMS:
        if form != "published":
            assert cli("convert", "null.json", "--to", form, "--out", "f").code == 0


def test_other_tools_files_are_one_line(cli, here, graph):
    text = cli("convert", "g.json", "--to", "graphml").out
    for name, content, words in (
        ("d3.json", '{"nodes": [{"id": 1}], "links": []}', "expected a directed graph"),
        (
            "nx.json",
            '{"directed": true, "graph": {}, "nodes": [], "edges": []}',
            "nx.json: a graph of another tool: the graph's facts have no 'schema', expected "
            "'distortion-graph/1' there",
        ),
        ("a.svg", "<svg/>", "a.svg: found XML of <svg>, expected <graphml>"),
        ("cut.graphml", text[: len(text) // 2], "cut.graphml: not valid XML: "),
        ("ld.json", '{"@context": {}}', "ld.json: the key 'schema' is missing"),
        ("empty", "", "empty: not valid JSON at line 1"),
    ):
        (here / name).write_text(content)
        assert words in cli("convert", name, "--to", "native").refusal


def spoiled(graph, **changes):
    value = json.loads(graph.to_json())
    return value | changes


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nix.json", "nix.json: no such file, expected a distortion graph in JSON"),
        ("a.png", "a.png: not UTF-8 text"),
        ("broken.json", "broken.json: not valid JSON at line 1"),
        ("list.json", "list.json: found a JSON list, expected a graph object"),
        ("newer.json", "newer.json: schema 'distortion-graph/2' is newer than this program"),
        ("label.json", "label.json: regions[0].anchor.distortion: unknown distortion 'blurr'"),
        ("label.json", "did you mean 'blur'?"),
        ("published.json", "published.json: attributes[0].attribute: unknown distortion 'blurr'"),
        ("words.json", "words.json: "),
        ("names.json", "names.json: the key 'schema' is missing"),
    ],
)
def test_a_bad_graph_is_one_line_exit_2_and_nothing_written(cli, here, graph, name, words):
    label = spoiled(graph)
    label["regions"][0]["anchor"]["distortion"] = {"label": "blurr"}
    lists = published.to_published(graph)
    lists["attributes"][0]["attribute"] = "blurr"
    vocabulary = json.loads(graph.vocabulary.model_dump_json())
    vocabulary["distortions"].remove("rain")
    for file, value in {
        "newer.json": spoiled(graph, schema="distortion-graph/2"),
        "label.json": label,
        "words.json": spoiled(graph, vocabulary=vocabulary),
        "published.json": lists,
        "list.json": [],
    }.items():
        (here / file).write_text(json.dumps(value))
    (here / "broken.json").write_text('{"schema"')
    (here / "o.json").write_text("old")
    before = contents(here)
    assert words in cli("convert", name, "--to", "published", "--out", "o.json").refusal
    assert contents(here) == before


def test_a_graph_is_not_written_over_itself(cli, graph):
    line = cli("convert", "g.json", "--to", "published", "--out", "./g.json").refusal
    assert "would overwrite an input" in line
    assert load_graph("g.json") == graph


def test_the_schema_is_the_stored_one(cli):
    ended = cli("schema")
    assert (ended.code, ended.out) == (0, STORED.read_text("utf-8"))


def test_versions(cli):
    expected = f"distortion-graph {version('distortion-graph')}\n"
    assert cli("--version").out == expected
    told = cli("version").out
    assert told.startswith(expected)
    for word in ("model ", "SHA-256", "Python 3.", "numpy ", "onnxruntime "):
        assert word in told


NAMES = ('=HYPERLINK("http://x")', "été", "-2+3", "plain")


@pytest.fixture
def strange(here, graph):
    """A graph file whose regions' names a spreadsheet would run, or show wrongly; for each margin
    there is one of the other sign.
    """
    value, swapped = (json.loads(g.to_json()) for g in (graph, graph.swapped()))
    value["regions"] += swapped["regions"]
    for k, (region, name) in enumerate(zip(value["regions"], NAMES, strict=True)):
        region |= {"id": k, "name": name}
    Path("s.json").write_text(json.dumps(value))


def cells_of(path, encoding):
    with Path(path).open(encoding=encoding, newline="") as stream:
        return list(csv.DictReader(stream))


def names_in(encoding):
    """Names of regions in the table of nodes; the scene has none."""
    return {row["name"] for row in cells_of("t.nodes.csv", encoding)} - {""}


def test_a_spreadsheet_gets_a_mark_and_texts_that_stay_texts(cli, strange):
    ended = cli("convert", "s.json", "--to", "csv", "--spreadsheet", "--out", "t.csv")
    assert ended.code == 0
    assert "2 texts that begin as formulas do, such as '=HYPERLINK(\"http://x\")', g" in ended.err
    assert ended.err.endswith(", got a ' in front\n")
    for name in ("t.nodes.csv", "t.edges.csv"):
        data = Path(name).read_bytes()
        assert data.startswith(codecs.BOM_UTF8) and data.count(codecs.BOM_UTF8) == 1
        rows = cells_of(name, "utf-8-sig")
        texts = [cell for row in rows for cell in row.values()]
        assert not [t for t in texts if t[:1] in ("=", "+", "@") or t.startswith("-2+")]
    assert names_in("utf-8-sig") == {
        "'=HYPERLINK(\"http://x\")", "été", "'-2+3", "plain",
    }  # fmt: skip


def test_plain_csv_keeps_every_text_and_warns_of_formulas(cli, strange):
    ended = cli("convert", "s.json", "--to", "csv", "--out", "t.csv")
    assert "are run by spreadsheets; see --spreadsheet\n" in ended.err
    assert not Path("t.nodes.csv").read_bytes().startswith(codecs.BOM_UTF8)
    assert names_in("utf-8") == set(NAMES)


def test_numbers_below_zero_stay_numbers(cli, strange):
    assert cli("convert", "s.json", "--to", "csv", "--spreadsheet", "--out", "t.csv").code == 0
    assert cli("convert", "s.json", "--to", "csv", "--out", "p.csv").code == 0
    edges = [cells_of(name, "utf-8-sig") for name in ("t.edges.csv", "p.edges.csv")]
    margins = [[row["margin"] for row in rows] for rows in edges]
    assert margins[0] == margins[1] and any(margin.startswith("-") for margin in margins[0])


def test_only_csv_is_for_spreadsheets(cli, strange):
    assert cli("convert", "s.json", "--to", "dot", "--spreadsheet").refusal == (
        "--spreadsheet is about csv, but --to is dot; leave it out"
    )
