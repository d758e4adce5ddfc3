"""`convert`, `schema` and `version`."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

import pytest
from cli_runs import contents

import distortion_graph
from distortion_graph import DistortionGraph, load_graph
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
