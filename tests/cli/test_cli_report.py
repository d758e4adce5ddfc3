"""`report`, and `compare --report`."""

from __future__ import annotations

import base64
import json
import re
import shutil
from pathlib import Path

import pytest
from cli_runs import contents

PAIR = ("compare", "a.png", "b.png", "--regions", "masks.png")


@pytest.fixture
def graph(cli, here):
    assert cli(*PAIR, "--out", "g.json", "-q").code == 0


def images(path):
    found = re.findall(r'<img src="data:image/\w+;base64,([^"]+)"', Path(path).read_text("utf-8"))
    return [base64.b64decode(text) for text in found]


def test_compare_and_report_write_the_same_page(cli, graph):
    assert cli(*PAIR, "--report", "one.html", "-q").code == 0
    ended = cli("report", "g.json", "--out", "two.html")
    assert (ended.code, ended.err) == (0, "")
    assert Path("one.html").read_bytes() == Path("two.html").read_bytes()
    assert images("one.html") == [Path(name).read_bytes() for name in ("a.png", "b.png")]


def test_the_truth_is_marked(cli, graph):
    assert cli("report", "g.json", "--truth", "g.json", "--out", "r.html").code == 0
    assert "Right against the ground truth" in Path("r.html").read_text("utf-8")


def test_pictures_that_moved_or_changed_are_said_so(cli, graph):
    shutil.copy("b.png", "a.png")
    Path("b.png").unlink()
    ended = cli("report", "g.json", "--out", "r.html")
    assert ended.code == 0
    assert "a.png: has changed since the graph was made" in ended.err
    assert "b.png: no such file" in ended.err
    text = Path("r.html").read_text("utf-8")
    assert "has changed since the graph was made" in text and "no such file" in text


def test_a_moved_picture_can_be_named(cli, graph):
    Path("elsewhere").mkdir()
    shutil.move("a.png", "elsewhere/x.png")
    ended = cli("report", "g.json", "--anchor", "elsewhere/x.png", "--out", "r.html")
    assert (ended.code, ended.err) == (0, "")
    assert images("r.html")[0] == Path("elsewhere/x.png").read_bytes()


def test_pictures_beside_the_graph_are_found(cli, graph):
    Path("elsewhere").mkdir()
    for name in ("g.json", "a.png", "b.png"):
        shutil.move(name, f"elsewhere/{name}")
    ended = cli("report", "elsewhere/g.json", "--out", "r.html")
    assert (ended.code, ended.err) == (0, "")


def test_several_graphs_become_a_gallery(cli, graph):
    Path("more").mkdir()
    shutil.copy("g.json", "more/g.json")
    shutil.copy("g.json", "index.json")
    assert cli("report", "g.json", "more/g.json", "index.json", "--out", "all").code == 0
    assert sorted(contents(Path("all"))) == ["g-2.html", "g.html", "index-2.html", "index.html"]
    text = Path("all/index.html").read_text("utf-8")
    for name in ("g.html", "g-2.html", "index-2.html"):
        assert f'href="{name}"' in text


def test_loss_is_labelled(cli, graph):
    assert cli("report", "g.json", "--lossy", "--out", "r.html").code == 0
    assert "pixels are not its own" in Path("r.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("report", "none.json", "--out", "r.html"), "none.json: no such file"),
        (("report", "g.json", "--out", "g.json"), "would overwrite an input"),
        (("report", "g.json", "--out", "a.png"), "would overwrite an input"),
        (("report", "g.json", "--out", "no/r.html"), "the folder"),
        (("report", "g.json", "--truth", "t.json", "--out", "r.html"), "t.json: no such file"),
        (("report", "g.json", "--anchor", "x.png", "--out", "r.html"), "x.png: no such file"),
        (("report", "g.json", "g.json", "--anchor", "a.png", "--out", "r"), "of one graph"),
        (("report", "g.json", "g.json", "--truth", "g.json", "--out", "r"), "expected a folder"),
        (("report", "g.json", "g.json", "--out", "."), "is there already"),
        ((*PAIR, "--report", "r.png"), "--report is a page"),
        ((*PAIR, "--lossy"), "expected --report"),
        ((*PAIR, "--report", "x.json", "--out", "x.json"), "are the same file"),
    ],
)
def test_mistakes_get_one_line_and_change_nothing(cli, graph, words, line):
    before = contents(Path())
    assert line in cli(*words).refusal
    assert contents(Path()) == before


def test_published_graphs_have_no_places_but_a_page(cli, graph):
    assert cli("convert", "g.json", "--to", "published", "--out", "p.json").code == 0
    ended = cli("report", "p.json", "--anchor", "a.png", "--target", "b.png", "--out", "r.html")
    assert (ended.code, ended.err) == (0, "")
    count = len(json.loads(Path("g.json").read_text())["regions"])
    assert Path("r.html").read_text("utf-8").count("<tr data-region=") == count
