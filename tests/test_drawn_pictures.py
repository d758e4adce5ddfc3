"""Pictures that benchmarks/drawn_pictures.py makes: sizes, colours, repeatability, the index."""

from __future__ import annotations

import csv
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))

import drawn_basics
import drawn_pictures
from drawn_text import lines_of

KINDS = sorted(drawn_pictures.MAKERS)


def run(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["drawn_pictures.py", *map(str, arguments)])
    drawn_pictures.main()


def test_the_index_lists_one_picture_of_each_kind_and_its_seed_makes_it_again(
    monkeypatch, tmp_path
):
    run(monkeypatch, tmp_path, "--count", len(KINDS), "--seed", 7, "--no-pages")
    with (tmp_path / "index.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["kind"] for row in rows] == KINDS
    assert {row["file"] for row in rows} == {path.name for path in tmp_path.glob("*.png")}
    assert len({row["seed"] for row in rows}) == len(rows)
    for row in rows:
        with Image.open(tmp_path / row["file"]) as image:
            written = np.asarray(image)
        again = drawn_pictures.MAKERS[row["kind"]](np.random.default_rng(int(row["seed"])))
        np.testing.assert_array_equal(written, again)
        height, width, channels = written.shape
        assert channels == 3 and 320 <= max(height, width) <= 720 and min(height, width) >= 224
        assert len(np.unique(written.reshape(-1, 3), axis=0)) > 2


def test_more_pictures_of_a_seed_begin_with_the_same_ones(tmp_path):
    makers = {"drawing": drawn_pictures.MAKERS["drawing"]}
    for name, count in (("few", 2), ("more", 3)):
        drawn_pictures.make_pictures(tmp_path / name, count, 8, makers)
    few = {path.name: path.read_bytes() for path in (tmp_path / "few").glob("*.png")}
    more = {path.name: path.read_bytes() for path in (tmp_path / "more").glob("*.png")}
    assert len(few) == 2 and len(set(more.values())) == 3
    assert few.items() <= more.items()


def test_without_a_browser_one_line_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(SystemExit, match=r"no Chromium here .*--no-pages"):
        run(monkeypatch, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("wrong", [("--count", 0), ("--seed", -1)])
def test_a_count_or_seed_that_cannot_be_is_refused(monkeypatch, tmp_path, wrong):
    with pytest.raises(SystemExit) as refused:
        run(monkeypatch, tmp_path, "--no-pages", *wrong)
    assert refused.value.code == 2


@pytest.mark.parametrize("kind", drawn_pictures.PAGES)
def test_a_page_asks_for_nothing_outside_itself(kind):
    for seed in range(6):
        html = drawn_pictures.PAGES[kind](np.random.default_rng(seed))
        assert html.startswith("<!doctype html>") and "://" not in html


def test_paper_and_ink_can_be_told_apart():
    rng = np.random.default_rng(0)
    for _ in range(200):
        paper, ink = (np.mean(colour) for colour in drawn_basics.paper_and_ink(rng))
        assert abs(paper - ink) > 120


def test_broken_lines_keep_every_word_and_fit():
    rng = np.random.default_rng(1)
    letters, text = drawn_basics.font(rng, 12), drawn_basics.prose(rng, 9)
    lines = lines_of(text, letters, 200)
    assert " ".join(lines) == text
    assert all(letters.getlength(line) <= 200 for line in lines)
