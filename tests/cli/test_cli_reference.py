"""`compare --reference`, `--score-metric`, `--scale`, and the reference in `report`."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from cli_runs import contents, photo
from PIL import Image
from rich.cells import cell_len

from distortion_graph import compare, load_graph
from distortion_graph.base import vocabulary
from distortion_graph.cli.options import Scale

PAIR = ("compare", "a.png", "b.png", "--regions", "masks.png")


@pytest.fixture
def original(here):
    """`here` with original.png: a.png is its JPEG file of quality 60, b.png stays as it is."""
    shutil.copy("a.png", "original.png")
    Image.fromarray(photo()).save("a.jpg", quality=60)
    Image.open("a.jpg").convert("RGB").save("a.png")
    return here


def test_the_table_and_the_sentence_say_against_what_was_measured(cli, original, monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    ended = cli(*PAIR, "--reference", "original.png", "-v")
    assert ended.code == 0 and "original.png: 64×48 pixels" in ended.err
    lines = ended.out.splitlines()
    assert max(map(cell_len, lines)) <= 80
    text = " ".join(lines)
    assert "measured against the reference original.png)" in text
    graph = compare("a.png", "b.png", regions="masks.png", reference="original.png")
    assert cli(*PAIR, "--reference", "original.png", "--json").out == graph.to_json() + "\n"


def test_one_of_the_two_may_be_the_reference(cli, original):
    ended = cli(*PAIR, "--reference", "anchor", "--json")
    assert '"reference":{"role":"anchor","picture":null}' in ended.out
    # A file of that name is written with its folder.
    shutil.copy("original.png", "anchor")
    named = cli(*PAIR, "--reference", "./anchor", "--json")
    assert '"role":"third"' in named.out


def test_the_fine_scale_has_its_words_and_places(cli, original):
    Image.fromarray(photo()).save("b.jpg", quality=64)
    ended = cli(
        "compare", "a.png", "b.jpg", "--regions", "whole", "--reference", "original.png",
        "--scale", "fine",
    )  # fmt: skip
    assert ended.code == 0
    assert re.search(r"\(0\.9\d{3} against 0\.9\d{3}, measured", " ".join(ended.out.split()))
    assert [scale.value for scale in Scale] == list(get_args(vocabulary.Scale))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (
            ("--score-metric", "haarpsi"),
            "--score-metric haarpsi measures scores against an original, expected --reference "
            "FILE too",
        ),
        (
            ("--reference", "original.png", "--score-metric", "vif"),
            "unknown metric 'vif'; expected one of: haarpsi",
        ),
        (("--reference", "none.png"), "none.png: no such file"),
        (
            ("--reference", "small.png"),
            "small.png: the reference is 60×48, expected 64×48 as the two pictures: an original "
            "lies on what it is compared with pixel by pixel and is never scaled",
        ),
        (
            ("--reference", "original.png", "--overlay", "original.png"),
            "original.png: --overlay would overwrite an input; choose another name",
        ),
    ],
)
def test_what_does_not_fit_is_one_line_and_writes_nothing(cli, original, arguments, says):
    Image.fromarray(photo()[:, :60]).save("small.png")
    before = contents(original)
    ended = cli(*PAIR, *arguments)
    assert ended.refusal == says or ended.refusal.startswith(says)
    assert contents(original) == before


def test_the_page_shows_the_reference_and_report_makes_the_same_one(cli, original):
    paths = "--out", "g.json", "--report", "one.html"
    assert cli(*PAIR, "--reference", "original.png", *paths, "-q").code == 0
    page = Path("one.html").read_text("utf-8")
    assert page.count('<section id="reference"') == 1 and "Reference <bdi>original.png" in page
    assert "Scores are measured against the reference original.png, by haarpsi." in page
    assert page.count("<img src=") == 3
    assert cli("report", "g.json", "--out", "two.html").code == 0
    assert Path("two.html").read_bytes() == Path("one.html").read_bytes()
    Path("original.png").rename("elsewhere.png")
    ended = cli("report", "g.json", "--out", "three.html")
    assert "original.png: no such file" in ended.err
    assert "The reference is not here." in Path("three.html").read_text("utf-8")
    moved = cli("report", "g.json", "--reference", "elsewhere.png", "--out", "four.html")
    assert moved.err == "" and Path("four.html").read_text("utf-8").count("<img src=") == 3
    again = ("report", "g.json", "--reference", "elsewhere.png", "--out", "elsewhere.png")
    assert cli(*again).refusal == (
        "elsewhere.png: --out would overwrite an input; choose another name"
    )


def test_a_graph_without_a_third_picture_has_no_reference_to_show(cli, original):
    assert cli(*PAIR, "--out", "g.json", "-q").code == 0
    ended = cli("report", "g.json", "--reference", "original.png", "--out", "r.html")
    assert ended.refusal == "g.json: was not measured against a third picture; no --reference"
    several = cli("report", "g.json", "g.json", "--reference", "original.png", "--out", "all")
    assert several.refusal == (
        "--anchor, --target and --reference are of one graph, but several are given"
    )


def test_a_gallery_has_pages_with_their_references(cli, original):
    assert cli(*PAIR, "--reference", "original.png", "--out", "g.json", "-q").code == 0
    shutil.copy("g.json", "h.json")
    assert cli("report", "g.json", "h.json", "--out", "all").code == 0
    assert '<section id="reference"' in Path("all/h.html").read_text("utf-8")


def test_other_forms_keep_the_reference_or_say_that_they_do_not(cli, original):
    ended = cli(*PAIR, "--reference", "original.png", "--format", "csv", "--out", "g.csv")
    assert "csv cannot hold: model, pictures, reference," in ended.err
    assert cli(*PAIR, "--reference", "original.png", "--out", "g.json", "-q").code == 0
    for form in ("graphml", "node-link", "json-ld"):
        assert cli("convert", "g.json", "--to", form, "--out", "form").code == 0
        assert cli("convert", "form", "--to", "native", "--out", "back.json").code == 0
        assert load_graph("back.json") == load_graph("g.json"), form


def test_transparency_of_the_reference_is_told(cli, original):
    rgba = np.dstack([photo(), np.full(photo().shape[:2], 128, np.uint8)])
    Image.fromarray(rgba).save("original.png")
    ended = cli(*PAIR, "--reference", "original.png", "-q", "--json")
    assert ended.code == 0 and ended.err == ""
    loud = cli(*PAIR, "--reference", "original.png", "--json")
    assert loud.err.startswith("distortion-graph: warning: original.png: ")
