"""`bench figures`."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_runs import contents
from result_samples import split_of

pytest.importorskip("matplotlib")

from distortion_graph.bench.results import BenchResult, RootIdentity, RunIdentity
from distortion_graph.vocabulary import DEFAULT_VOCABULARY


@pytest.fixture
def result(here):
    split = split_of(DEFAULT_VOCABULARY)
    stored = BenchResult(
        root=RootIdentity(name="set", sha256={}),
        part="test",
        seed=0,
        vocabulary=DEFAULT_VOCABULARY,
        identities={run.name: RunIdentity(kind="model") for run in split.runs},
        splits=[split],
        software={},
    )
    Path("r.json").write_text(stored.to_json())


def test_files_are_written_under_names_that_any_system_takes(cli, result):
    ended = cli("bench", "figures", "r.json", "--out", "figures", "--suffix", "pdf")
    assert (ended.code, ended.err) == (0, "")
    names = sorted(contents(Path("figures")))
    assert "f1.pdf" in names and "confusion-mine.pdf" in names and "scores-_other_x.pdf" in names


def test_one_run_of_a_split(cli, result):
    words = ("--run", "mine", "--split", "hard", "--out", "figures")
    assert cli("bench", "figures", "r.json", *words).code == 0
    assert len(contents(Path("figures"))) == 4


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("none.json",), "none.json"),
        (("r.json", "--split", "easy"), "has no split 'easy', expected one of hard"),
        (("r.json", "--run", "you"), "has no run 'you', expected some of mine"),
        (("a.png",), "a.png"),
    ],
)
def test_mistakes_get_one_line_and_leave_no_folder(cli, result, words, line):
    assert line in cli("bench", "figures", *words, "--out", "figures").refusal
    assert not Path("figures").exists()
