"""`distortion-graph agreement`: files and folders in, a table and files out."""

from __future__ import annotations

import json

import pytest

from distortion_graph.graph import Judgement, NodeJudgement, judge, load_graph


@pytest.fixture
def judged(cli, here):
    """The pair of `here`, judged by ada and bob in a folder each; bob saw it turned round."""
    cli("compare", "a.png", "b.png", "--regions", "masks.png", "--out", "g.json", "-q")
    graph = load_graph("g.json")
    for by in ("ada", "bob"):
        mine = graph
        for region, label in ((1, "same"), (2, "significantly_better")):
            noise = NodeJudgement(distortion="noise", severity="severe")
            clean = NodeJudgement(distortion="clean", severity="clean")
            target = noise if region == 2 else clean
            said = Judgement(by=by, anchor=clean, target=target, comparison=label)
            mine = judge(mine, region, said)
        (here / by).mkdir()
        (here / by / "g.json").write_text((mine if by == "ada" else mine.swapped()).to_json())
    return here


def test_people_who_say_the_same_agree_in_all(cli, judged):
    ended = cli("agreement", "ada", "bob/g.json", "--json", "f.json", "--markdown", "f.md")
    assert (ended.code, ended.err) == (0, "")
    found = json.loads((judged / "f.json").read_text())
    assert (found["graphs"], found["pairs"], found["regions"]) == (2, 1, 2)
    row = next(r for r in found["raters"] if not r["model"])
    assert (row["first"], row["second"]) == ("ada", "bob")
    for kind, items in (("distortion", 4), ("severity", 4), ("comparison", 2)):
        figure = {"kappa": 1.0, "interval": None, "equal": 1.0, "items": items}
        assert row[kind] == figure
    assert "2 judged regions of 1 pair of pictures" in " ".join(ended.out.split())
    assert "ada – bob" in ended.out and "ada – bob" in (judged / "f.md").read_text()


@pytest.mark.parametrize("form", ["node-link", "graphml", "json-ld"])
def test_forms_that_keep_judgements_are_read(cli, judged, form):
    plain = cli("agreement", "ada/g.json")
    cli("convert", "ada/g.json", "--to", form, "--out", "other", "-q")
    assert plain.code == 0 and cli("agreement", "other") == plain


def test_forms_that_lose_them_say_so(cli, judged):
    ended = cli("convert", "ada/g.json", "--to", "published", "--out", "other")
    assert ended.code == 0 and "judgements" in ended.err


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("g.json",), "g.json: no region is judged"),
        (("ada", "ada/g.json"), "ada/g.json: region 1 is judged by 'ada' as in ada/g.json"),
        (("gone.json",), "gone.json: no such file"),
        (("empty",), "empty: a folder without .json files"),
    ],
)
def test_what_is_refused(cli, judged, arguments, line):
    (judged / "empty").mkdir()
    assert cli("agreement", *arguments).refusal.startswith(line)


def test_no_output_on_top_of_a_graph(cli, judged):
    before = (judged / "ada" / "g.json").read_bytes()
    assert "ada/g.json" in cli("agreement", "ada", "--json", "ada/g.json").refusal
    assert (judged / "ada" / "g.json").read_bytes() == before
