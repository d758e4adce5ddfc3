"""`compare --fail-on`: exit code 3 where what it names is so."""

from __future__ import annotations

import json

import pytest

WHOLE = ("--regions", "masks.png,names.json", "--quiet")


@pytest.mark.parametrize("what", ["worse", "slightly_worse", "differs", "noise"])
def test_what_is_so_ends_with_exit_code_3_and_says_where(cli, here, what):
    ended = cli("compare", here / "a.png", here / "b.png", *WHOLE, "--fail-on", what)
    assert ended.code == 3 and ended.out == ""
    lines = ended.err.splitlines()
    assert lines and all(line.startswith("distortion-graph: fails: ") for line in lines)
    if what != "differs":  # the left half is the same
        assert all("“right”" in line for line in lines), lines


@pytest.mark.parametrize("what", ["worse", "differs", "noise", "blur"])
def test_equal_pictures_and_better_ones_do_not_fail(cli, here, what):
    assert cli("compare", here / "a.png", here / "a.png", *WHOLE, "--fail-on", what).code == 0
    if what != "differs":
        ended = cli("compare", here / "b.png", here / "a.png", *WHOLE, "--fail-on", what)
        assert ended.code == 0, ended


def test_the_files_are_written_and_json_stays_json(cli, here):
    ended = cli(
        *("compare", here / "a.png", here / "b.png", "--regions", "whole", "--json"),
        *("--overlay", here / "over.png", "--fail-on", "differs", "--fail-on", "worse"),
    )
    assert ended.code == 3 and json.loads(ended.out)["schema"] == "distortion-graph/1"
    assert (here / "over.png").is_file()


def test_another_word_and_what_was_not_measured_are_refused(cli, here):
    pair = ("compare", here / "a.png", here / "b.png", "--quiet")
    assert "did you mean 'worse'" in cli(*pair, "--fail-on", "wors").refusal
    assert "did you mean 'noise'" in cli(*pair, "--fail-on", "noisy").refusal
    refusal = cli(*pair, "--fail-on", "differs", "--evidence", "none").refusal
    assert "--fail-on differs is measured" in refusal
    ended = cli(*pair, "--scale", "fine", "--reference", "anchor", "--fail-on", "visibly_worse")
    assert ended.code == 3
