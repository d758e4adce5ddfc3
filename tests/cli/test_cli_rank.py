"""`distortion-graph rank`: what it prints and writes, and what it refuses."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pytest
from cli_runs import contents, photo
from PIL import Image
from rich.cells import cell_len

from distortion_graph import Ranking, rank

RANK = ("rank", "x", "--reference", "a.png", "--regions", "masks.png,names.json")


@pytest.fixture
def here(here):
    """Also x/, with jpeg-q10.jpg … jpeg-q90.jpg, and webp-q10.webp … of a.png."""
    (here / "x").mkdir()
    with Image.open("a.png") as picture:
        for quality in (10, 30, 60, 90):
            picture.save(here / "x" / f"jpeg-q{quality}.jpg", quality=quality)
            picture.save(here / "x" / f"webp-q{quality}.webp", quality=quality)
    return here


def test_the_tables_have_every_candidate_and_region_in_80_columns(cli, here, monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    ended = cli(*RANK, "--size")
    assert (ended.code, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert max(map(cell_len, lines)) <= 80
    ranking = rank("x", reference="a.png", regions="masks.png,names.json", sizes=True)
    rows = [line.split() for line in lines[2 : lines.index("")]]
    order = [row[1] for row in rows if row[0].strip("=").isdigit()]  # others go on with a row
    assert order == [standing.candidate for standing in ranking.ordered]
    for word in ("1 left", "2 right", "50.0 %", "bpp", "best in", "behind", "compression"):
        assert word in ended.out, word
    joined = " ".join(ended.out.split())
    assert "Ordered by score, tied within 0.005; scores are measured by haarpsi" in joined
    assert "bytes than jpeg at equal quality (BD-rate, PCHIP; cubic" in joined


def test_json_is_the_ranking_and_nothing_else(cli, here):
    ended = cli(*RANK, "--json")
    assert (ended.code, ended.err, ended.out.count("\n")) == (0, "", 1)
    assert Ranking.model_validate_json(ended.out) == rank(
        "x", reference="a.png", regions="masks.png,names.json"
    )
    assert json.loads(ended.out)["schema"] == "distortion-ranking/1"


def test_files_are_what_was_printed(cli, here):
    printed = Ranking.model_validate_json(cli(*RANK, "--size", "--json").out)
    files = ("--out", "r.json", "--report", "r.html", "--plot", "r.svg")
    assert cli(*RANK, "--size", *files, "-q").out == ""
    assert Ranking.model_validate_json((here / "r.json").read_text()) == printed
    assert (here / "r.html").read_text().startswith("<!doctype html>")
    assert (here / "r.svg").read_text().startswith("<svg ")
    rows = list(csv.reader(io.StringIO(cli(*RANK, "--out", "-", "--format", "csv").out)))
    assert len(rows) == 1 + 8 * 3


def test_without_a_reference_all_pairs_are_compared(cli, here):
    names = ("x/jpeg-q10.jpg", "x/jpeg-q60.jpg", "x/jpeg-q90.jpg")
    ended = cli("rank", *names, "--regions", "whole", "--json")
    ranking = Ranking.model_validate_json(ended.out)
    assert (ranking.by, ranking.reference, ranking.metric) == ("pairs", None, None)
    assert ranking.ordered[-1].candidate == "jpeg-q10"
    said = " ".join(cli("rank", *names, "--regions", "whole").out.split())
    assert "Ordered by the comparison of all pairs" in said and "95 % intervals" in said


def test_one_unreadable_candidate_is_said_and_the_rest_ranked(cli, here):
    (here / "x" / "broken.png").write_bytes(b"no picture")
    before = contents(here)
    ended = cli(*RANK, "--json")
    ranking = Ranking.model_validate_json(ended.out)
    assert len(ranking.candidates) == 8
    [left] = ranking.left_out
    assert left.source == "broken"
    assert ended.err == f"distortion-graph: warning: {left.reason}; left out\n"
    assert cli(*RANK, "--strict", "--out", "r.json").refusal == left.reason
    assert contents(here) == before


def test_the_same_file_twice_and_the_reference_are_said_or_refused(cli, here):
    call = ("rank", "a.png", "b.png", "x/jpeg-q10.jpg", "./b.png", "--reference", "a.png")
    ended = cli(*call, "--regions", "whole", "--json")
    assert ended.err.splitlines() == [
        "distortion-graph: warning: a.png: is the reference and no candidate",
        "distortion-graph: warning: b.png: is given twice and counts once",
    ]
    names = [c.name for c in Ranking.model_validate_json(ended.out).candidates]
    assert names == ["b", "jpeg-q10"]
    expected = "a.png: is the reference and no candidate, expected every picture once (--strict)"
    assert cli(*call, "--strict").refusal == expected


def test_no_output_overwrites_an_input(cli, here):
    before = contents(here)
    for path in ("a.png", "x/jpeg-q10.jpg", "x/../masks.png", "names.json"):
        for option in ("--out", "--report"):
            refusal = cli(*RANK, option, path).refusal
            assert refusal == f"{path}: {option} would overwrite an input; choose another name"
    assert cli(*RANK, "--out", "r", "--report", "r").refusal == (
        "r: --out and --report are the same file; name two"
    )
    assert contents(here) == before


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("b.png",), "1 candidate to rank, expected 2 or more"),
        (("b.png", "c.png"), "1 candidate to rank, expected 2 or more; c.png: no such file, expec"),
        (("x", "--plot", "p.svg"), "--plot is about file sizes, expected --size too"),
        (("x", "--ladder", "a=b"), "--ladder is about file sizes, expected --size too"),
        (
            ("x", "--size", "--ladder", "avif"),
            "--ladder 'avif': expected NAME=FILES, for example avif=avif-*.avif",
        ),
        (
            ("x", "--size", "--ladder", "avif=*.avif"),
            "ladder 'avif': no candidate is called '*.avif', expected some of: jpeg-q10, jpeg-q30",
        ),
        (("x", "--lossy"), "--lossy is about the pictures in --report, expected --report FILE too"),
        (("x", "--format", "csv"), "--format csv is the form of --out, expected --out FILE too"),
        (("x", "--json", "--out", "-"), "--json prints to standard output too; leave it out, or "),
        (("x", "--tie", "-1"), "tolerance is -1.0, expected a number from 0 to 1"),
        (("x", "--score-metric", "haarpsi"), "--score-metric measures against --reference, expec"),
        (("x", "--metric", "flip"), "--metric measures against --reference, expected that too"),
        (("x", "--reference", "a.png", "--metric", "x"), "unknown metric 'x'; expected one of: fl"),
        (("empty",), "empty: holds no picture, expected the candidates"),
    ],
)
def test_mistakes_are_one_line(cli, here, arguments, expected):
    (here / "empty").mkdir()
    before = contents(here)
    assert cli("rank", *arguments, "--regions", "whole").refusal.startswith(expected)
    assert contents(here) == before


def test_ladders_are_chosen_by_files(cli, here):
    ladders = ("--ladder", "j=*.jpg", "--ladder", "w=webp-q10,webp-q30,x/webp-q60.webp,webp-q90")
    ranking = Ranking.model_validate_json(cli(*RANK, "--size", *ladders, "--json").out)
    assert ranking.rates is not None
    assert [(one.name, len(one.candidates)) for one in ranking.rates.ladders] == [
        ("j", 4),
        ("w", 4),
    ]
    assert {rate.anchor for rate in ranking.rates.bd_rates} == {"j"}


def test_a_candidate_that_shows_another_scene_is_left_out_or_refused(cli, here):
    Image.fromarray(np.ascontiguousarray(photo(7, (40, 90)))).save("other.png")
    call = ("rank", "x/jpeg-q30.jpg", "x/jpeg-q60.jpg", "other.png", "--regions", "whole")
    ended = cli(*call, "--reference", "a.png", "--json")
    assert ended.code == 0 and "other.png: may not show the scene of a.png" in ended.err
    assert "left out" in ended.err and "--fit" not in ended.err
    assert cli(*call, "--reference", "a.png", "--strict").code == 2
