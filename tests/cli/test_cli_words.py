"""One word, one meaning: `--split` is train, val, test; `--pairs` is easy, medium, hard, all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import typer
from typer.core import TyperOption

from distortion_graph.cli import choice
from distortion_graph.cli.main import command_line
from distortion_graph.datasets.layout import SPLITS
from distortion_graph.datasets.pair_lists import PAIRS

HERE = Path(__file__).parents[2]


def commands():
    """(words, command) of every command there is."""
    waiting: list[tuple[tuple[str, ...], Any]] = [((), typer.main.get_command(command_line()))]
    while waiting:
        words, command = waiting.pop()
        inner = getattr(command, "commands", None)
        if inner is None:
            yield words, command
        else:
            waiting += [((*words, name), sub) for name, sub in inner.items()]


def test_the_words_are_those_of_the_data_set():
    assert choice.SPLITS == SPLITS
    assert choice.PAIRS == PAIRS


def test_every_command_has_the_same_two_options():
    found = {}
    for words, command in commands():
        options = {name for parameter in command.params for name in parameter.opts}
        assert not {"--part", "--splits"} & options, words
        found[" ".join(words)] = options & {"--split", "--pairs"}
    both = {"--split", "--pairs"}
    assert {name: kept for name, kept in found.items() if kept} == {
        "batch": both,
        "bench run": both,
        "bench figures": {"--pairs"},
        "mllm eval": both,
        "evaluate": both,
        "calibrate": {"--split"},
        "dataset build": {"--split"},
        "dataset export-sft": both,
        "dataset import-judged": {"--split"},
        "dataset pack": {"--split"},
    }


@pytest.mark.parametrize(
    "call",
    [
        ("bench", "set"),
        ("bench", "run", "set"),
        ("mllm", "eval", "set", "--model", "m", "--out", "o"),
        ("evaluate", "net"),
        ("calibrate", "net", "--out", "o"),
        ("dataset", "export-sft", "set", "--out", "o"),
        ("dataset", "pack", "set", "--out", "o"),
    ],
)
def test_old_spellings_say_the_new_ones(cli, call):
    command = " ".join(word for word in call[:2] if word in ("dataset", "mllm", "bench")) or call[0]
    for old in ("--part", "--splits"):
        refusal = cli(*call, old, "test").refusal
        assert refusal.startswith(f"{old} is called --split now (repeat it for several) (see ")
        assert command in refusal
    for word in ("easy", "medium", "hard"):
        refusal = cli(*call, "--split", word).refusal
        assert refusal.startswith(
            f"Invalid value for '--split': '{word}' is no split, expected train, val or test; use "
            f"--pairs {word} (see "
        )
    refusal = cli(*call, "--split", "all").refusal
    assert "use --pairs easy --pairs medium --pairs hard (--pairs all is every ordered" in refusal
    assert "use --pairs all (see" in cli(*call, "--split", "all-pairs").refusal


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--split", "train,test"), "'train,test': give the option once each: --split train --spl"),
        (("--split", "dev"), "'dev' is unknown, expected train, val or test"),
        (("--pairs", "test"), "'test' is a split, expected easy, medium, hard or all; use --split"),
        (("--pairs", "all-pairs"), "'all-pairs' is called --pairs all now"),
        (("--pairs", "easy,hard"), "'easy,hard': give the option once each: --pairs easy --pairs"),
    ],
)
def test_words_that_belong_elsewhere_say_where(cli, arguments, expected):
    refusal = cli("bench", "set", *arguments).refusal
    assert refusal.startswith(f"Invalid value for '{arguments[0]}': {expected}")


def test_figures_of_a_result_are_chosen_by_pairs(cli):
    refusal = cli("bench", "figures", "r.json", "--out", "f", "--split", "hard").refusal
    assert refusal.startswith("--split is train, val or test; easy, medium, hard and all are --")


VERBS = """
Add Allow Answer Apply Ask Begin Choose Colour Compare Count Distort Download Draw Drop Encode
End Fade Fetch Find Finish Fit Give Hint Keep Lay Let Listen Look Make Mark Measure Move Name Peak
Predict Print Rank Read Receive Record Refuse Run Say Scale Score Seed Send Serve Set Share Show
Spend Split Stop Suggest Synthesise Take Train Try Turn Use Wait Write
"""


def test_the_help_of_every_option_begins_with_what_it_does():
    lines = [
        (f"{' '.join(words)} {parameter.opts[0]}", parameter.help or "")
        for words, command in commands()
        for parameter in command.params
        if isinstance(parameter, TyperOption)
    ]
    assert len(lines) > 200
    assert [
        name for name, line in lines if line.partition(" ")[0].strip(",") not in VERBS.split()
    ] == []


def test_an_option_that_never_was_is_just_unknown(cli):
    assert cli("compare", "a.png", "b.png", "--part", "val").refusal.startswith("No such option")


OLD = (
    "--part ", "--splits", "--split hard", "--split easy", "--split medium", "--split all",
    "evaluation.splits", "all-pairs",
)  # fmt: skip


def test_nothing_that_people_read_or_run_uses_an_old_spelling():
    places = ["README.md", "CONTRIBUTING.md", "Makefile", ".ci/run"]
    files = [HERE / name for name in places] + list((HERE / "benchmarks").glob("*.py"))
    files += (HERE / "docs").glob("*.md")  # the lab log keeps what was written at its time
    files += [HERE / "src/distortion_graph/weights/MODEL_CARD.md"]
    files += [p for p in (HERE / "src").rglob("*.py") if p.name not in ("choice.py",)]
    assert len(files) > 300
    found = [
        f"{path.relative_to(HERE)}: {old}"
        for path in files
        for old in OLD
        if old in path.read_text("utf-8")
    ]
    assert found == ["src/distortion_graph/training/config_files.py: evaluation.splits"]
