"""`--out -`: one output on standard output, and nothing else there."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from cli_runs import photo
from PIL import Image
from result_samples import listed_of, result_of

import distortion_graph
from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY
from distortion_graph.cli.main import run
from distortion_graph.graph import load_graph

SOURCE = Path(distortion_graph.__file__).parents[1]
COMPARE = ("compare", "a.png", "b.png", "--regions", "masks.png", "--evidence", "none")


@pytest.fixture
def piped(capfdbinary):
    """Run the command line and give its code, bytes on standard output and standard error."""

    def call(*arguments):
        capfdbinary.readouterr()
        code = run([str(a) for a in arguments])
        sys.stdout.flush()
        caught = capfdbinary.readouterr()
        return code, caught.out, caught.err.decode()

    return call


@pytest.fixture
def graph(here):
    assert run([*COMPARE, "--out", "graph.json", "-q"]) == 0
    return load_graph(here / "graph.json")


def test_a_graph_comes_alone(piped, here, graph):
    code, out, err = piped(*COMPARE, "--out", "-")
    assert (code, err) == (0, "")
    (here / "again.json").write_bytes(out)
    assert load_graph(here / "again.json") == graph
    code, out, err = piped(*COMPARE, "--out", "-", "--format", "graphml")
    assert code == 0 and out.startswith(b"<?xml") and out.rstrip().endswith(b"</graphml>")


def test_a_file_beside_it_is_written_too(piped, here):
    code, out, _ = piped(*COMPARE, "--out", "-", "--overlay", "over.png", "--verbose")
    assert code == 0 and json.loads(out)["schema"] == "distortion-graph/1"
    assert Image.open(here / "over.png").size[0] > 0


@pytest.mark.parametrize("option", ["--overlay", "--sheet"])
def test_a_picture_comes_as_png(piped, graph, option):
    code, out, err = piped("draw", "graph.json", option, "-")
    assert (code, err) == (0, "")
    assert Image.open(io.BytesIO(out)).format == "PNG"


def test_a_distorted_picture_comes_without_the_line_of_what_was_drawn(piped, here):
    call = ("distort", "a.png", "--type", "noise", "--level", 2)
    code, out, err = piped(*call, "--out", "-")
    assert (code, err) == (0, "")
    assert piped(*call, "--out", "n.png")[0] == 0
    same = np.asarray(Image.open(here / "n.png")) == np.asarray(Image.open(io.BytesIO(out)))
    assert same.all()


def test_a_page_comes_alone(piped, graph):
    code, out, err = piped("report", "graph.json", "--out", "-")
    assert (code, err) == (0, "")
    assert out.lower().startswith(b"<!doctype html>") and out.rstrip().endswith(b"</html>")
    code, out, err = piped("report", "graph.json", "graph.json", "--out", "-")
    assert (code, out) == (2, b"") and "of several graphs it is a folder" in err


def test_a_form_is_printed_with_a_dash_as_without_an_option(piped, graph):
    bare = piped("convert", "graph.json", "--to", "node-link")
    assert piped("convert", "graph.json", "--to", "node-link", "--out", "-") == bare
    code, out, err = piped("convert", "graph.json", "--to", "csv", "--out", "-")
    assert (code, out) == (2, b"")
    assert "--to csv writes two files, which standard output cannot hold; expected --out" in err


def test_tables_and_figures_of_a_comparison_come_alone(piped, here):
    stored = result_of(DEFAULT_VOCABULARY, listed_of(DEFAULT_VOCABULARY))
    (here / "r.json").write_text(stored.to_json())
    code, out, err = piped("bench", "compare", "r.json", "--json", "-")
    assert (code, err) == (0, "")
    assert [compared["pairs"] for compared in json.loads(out)["compared"]] == ["hard"]
    code, out, err = piped("bench", "compare", "r.json", "--markdown", "-", "--latex", "t.tex")
    assert (code, err) == (0, "")
    assert out.startswith(b"**Differences to mine**\n\n| pairs | run | figure |")
    assert (here / "t.tex").read_text().startswith("% Differences to mine")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--out", "-", "--overlay", "-"), "--out - and --overlay -: only one output can be stand"),
        (("--out", "-", "--json"), "--json prints to standard output too; leave it out, or name a"),
        (("--out", "-", "--format", "parquet"), "--format parquet is two files, which standard ou"),
    ],
)
def test_two_things_at_once_are_one_line(piped, here, options, expected):
    code, out, err = piped(*COMPARE, *options)
    assert (code, out, err.count("\n")) == (2, b"", 1)
    assert err.startswith(f"distortion-graph: error: {expected}")


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_picture_is_not_poured_into_a_terminal(here, graph, monkeypatch, capfd):
    monkeypatch.setattr(sys, "stdout", screen := Terminal())
    assert run(["draw", "graph.json", "--overlay", "-"]) == 2
    assert capfd.readouterr().err == (
        "distortion-graph: error: --overlay -: a picture, which a terminal cannot show; name a "
        "file, or pipe it on\n"
    )
    assert screen.getvalue() == ""


def test_through_a_real_pipe(here):
    Image.fromarray(photo(5)).save("c.png")
    program = [sys.executable, "-m", "distortion_graph"]
    made = subprocess.run(
        [*program, "distort", "c.png", "--type", "blur", "--level", "3", "--out", "-"],
        capture_output=True, check=True, env={**os.environ, "PYTHONPATH": str(SOURCE)},
    )  # fmt: skip
    assert made.stderr == b""
    assert Image.open(io.BytesIO(made.stdout)).size == (64, 48)
