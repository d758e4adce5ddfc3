"""`distortion-graph draw`: pictures of a graph, from its file."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from cli_runs import contents, photo
from PIL import Image

from distortion_graph import load_graph
from distortion_graph.report.overlay import overlay
from distortion_graph.report.sheet import sheet

PAIR = ("compare", "a.png", "b.png", "--regions", "masks.png", "-q")


@pytest.fixture
def graph(cli, here):
    """g.json, of a.png and b.png."""
    assert cli(*PAIR, "--out", "g.json").code == 0
    return load_graph("g.json")


def pixels(path):
    return np.asarray(Image.open(path).convert("RGB"))


def test_overlay_and_sheet_are_those_of_the_graph(cli, graph):
    ended = cli("draw", "g.json", "--overlay", "o.png", "--sheet", "s.bmp", "--worst", 1)
    assert (ended.code, ended.out, ended.err) == (0, "", "")
    pair = pixels("a.png"), pixels("b.png")
    assert (pixels("o.png") == overlay(graph, *pair)).all()
    assert (pixels("s.bmp") == sheet(graph, *pair, 1)).all()
    assert cli("draw", "g.json", "--overlay", "c.png", "--colour", "comparison").code == 0
    assert (pixels("c.png") == overlay(graph, *pair, "comparison")).all()


@pytest.mark.parametrize(
    ("suffix", "start"), [("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF")]
)
def test_the_graph_itself_needs_no_pictures(cli, graph, here, suffix, start):
    pytest.importorskip("matplotlib", reason="needs the figures extra")
    (here / "a.png").unlink()
    ended = cli("draw", "g.json", "--graph", f"d.{suffix}", "--no-collapse")
    assert (ended.code, ended.err) == (0, "")
    assert Path(f"d.{suffix}").read_bytes().startswith(start)


def test_pictures_are_found_beside_the_graph(cli, graph, here, monkeypatch):
    (here / "elsewhere").mkdir()
    monkeypatch.chdir(here / "elsewhere")
    assert cli("draw", "../g.json", "--sheet", "s.png").code == 0


def test_a_published_graph_is_drawn_on_the_pictures_given(cli, graph):
    assert cli("convert", "g.json", "--to", "published", "--out", "p.json", "-q").code == 0
    line = cli("draw", "p.json", "--sheet", "s.png").refusal
    assert line == (
        "p.json: anchor: the graph names no file of this picture; give it with --anchor FILE"
    )
    given = ("--anchor", "a.png", "--target", "b.png")
    assert cli("draw", "p.json", "--sheet", "s.png", *given).code == 0


def test_a_changed_picture_is_a_warning_that_names_it(cli, graph):
    Image.fromarray(photo(seed=9)).save("b.png")
    ended = cli("draw", "g.json", "--overlay", "o.png")
    line = "b.png: has changed since the graph was made (another checksum)"
    assert (ended.code, ended.err) == (0, f"distortion-graph: warning: {line}\n")
    assert cli("draw", "g.json", "--overlay", "o.png", "-q").err == ""


def test_a_missing_picture_is_one_line_that_says_what_to_give(cli, graph, here):
    (here / "b.png").rename(here / "moved.png")
    before = contents(here)
    line = cli("draw", "g.json", "--overlay", "o.png", "--graph", "d.svg").refusal
    assert line == "g.json: target: b.png: no such file; give it with --target FILE"
    assert contents(here) == before
    assert cli("draw", "g.json", "--overlay", "o.png", "--target", "moved.png").err == ""
    line = cli("draw", "g.json", "--overlay", "p.png", "--target", "nix.png").refusal
    assert line.startswith("nix.png: no such file")


def test_a_picture_of_another_size_is_an_error(cli, graph):
    Image.fromarray(photo(size=(24, 32))).save("b.png")
    line = cli("draw", "g.json", "--overlay", "o.png").refusal
    assert line == (
        "b.png: is 32×24 pixels, the graph is of 64×48; give the right one with --target FILE"
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "one of --overlay, --sheet and --graph is needed (see distortion-graph draw --help)"),
        (["--graph", "d.jpg"], "d.jpg: unknown suffix of a drawing '.jpg', expected svg, png, pdf"),
        (["--overlay", "o.svg"], "o.svg: unknown picture suffix '.svg'"),
        (["--sheet", "no/s.png"], "no/s.png: the folder "),
        (["--overlay", "o.png", "--sheet", "./o.png"], "--overlay and --sheet are the same file"),
        (["--overlay", "b.png"], "b.png: --overlay would overwrite an input"),
        (["--graph", "g.json"], "g.json: --graph would overwrite an input"),
        (["--sheet", "s.png", "--worst", "-1"], "'--worst'"),
        (["--sheet", "s.png", "--colour", "red"], "'--colour'"),
        (["--sheet", "s.png", "--max-pixels", "99"], "expected at most 99"),
    ],
)
def test_mistakes_are_one_line_and_write_nothing(cli, graph, here, arguments, words):
    before = contents(here)
    assert words in cli("draw", "g.json", *arguments).refusal
    assert contents(here) == before


def test_all_files_or_none(cli, graph, here, monkeypatch):
    before = contents(here)
    data = json.loads((here / "g.json").read_text())
    del data["schema"]
    (here / "bad.json").write_text(json.dumps(data))
    assert "'schema'" in cli("draw", "bad.json", "--overlay", "o.png").refusal
    (here / "bad.json").unlink()
    monkeypatch.setattr("distortion_graph.report.figures.find_spec", lambda name: None)
    line = cli("draw", "g.json", "--overlay", "o.png", "--graph", "d.svg").refusal
    assert line == "matplotlib is not installed: pip install 'distortion-graph[figures]'"
    assert contents(here) == before


def test_the_same_bytes_every_time(cli, graph):
    for name in ("one", "two"):
        assert cli("draw", "g.json", "--overlay", f"{name}.png", "--sheet", f"{name}.jpg").code == 0
    assert Path("one.png").read_bytes() == Path("two.png").read_bytes()
    assert Path("one.jpg").read_bytes() == Path("two.jpg").read_bytes()
    assert Image.open(io.BytesIO(Path("one.jpg").read_bytes())).format == "JPEG"
