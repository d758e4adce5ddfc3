"""`bench figures`."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_runs import contents
from result_samples import SMALL, bare, listed_of, result_of

pytest.importorskip("matplotlib", reason="needs the figures extra")

from distortion_graph.report import figures


@pytest.fixture
def result(here):
    """r.json: the hard pairs, with the runs `mine` and `$other$/x`."""
    stored = result_of(SMALL, bare(listed_of(SMALL)))
    Path("r.json").write_text(stored.to_json())


def test_files_are_written_under_names_that_any_system_takes(cli, result):
    ended = cli("bench", "figures", "r.json", "--out", "new/figures", "--suffix", "pdf")
    assert (ended.code, ended.err) == (0, "")
    names = sorted(contents(Path("new/figures")))
    assert names == [
        "confusion-hard-mine.pdf",
        "confusion-hard-other-x.pdf",
        "f1-hard.pdf",
    ]
    assert ended.out.split() == [
        str(Path("new/figures") / name) for name in sorted(names, key=lambda n: ended.out.index(n))
    ]


def test_one_run_of_a_split_again_and_quietly(cli, result):
    words = ("--run", "mine", "--pairs", "hard", "--out", "figures", "--quiet")
    for _ in range(2):
        ended = cli("bench", "figures", "r.json", *words)
        assert (ended.code, ended.out) == (0, "")
    assert set(contents(Path("figures"))) == {"f1-hard.svg", "confusion-hard-mine.svg"}


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("none.json",), "none.json: cannot be read"),
        (("r.json", "--pairs", "easy"), "r.json: no easy pairs in the result; there are: hard"),
        (("r.json", "--run", "you"), "r.json: no run 'you' over the hard pairs; there are: mine"),
        (("r.json", "--suffix", "jpg"), "'jpg' is not one of 'svg', 'png', 'pdf'"),
        (("a.png",), "a.png: "),
    ],
)
def test_mistakes_get_one_line_and_leave_no_folder(cli, result, words, line):
    assert line in cli("bench", "figures", *words, "--out", "figures").refusal
    assert not Path("figures").exists()


def test_a_file_in_the_place_of_the_folder_and_a_missing_extra(cli, result, monkeypatch):
    line = cli("bench", "figures", "r.json", "--out", "a.png").refusal
    assert line == "a.png: is a file, expected a folder to write to"
    monkeypatch.setattr(figures, "find_spec", lambda name: None)
    line = cli("bench", "figures", "r.json", "--out", "figures").refusal
    assert line == "matplotlib is not installed: pip install 'distortion-graph[figures]'"
    assert not Path("figures").exists()
