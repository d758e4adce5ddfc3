"""How the program helps, fails and ends."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from typer.main import get_command

from distortion_graph.base.vocabulary import Vocabulary
from distortion_graph.cli import console
from distortion_graph.cli.main import command_line, run

COMMANDS = [
    "compare",
    "rank",
    "batch",
    "video",
    "check",
    "distort",
    "convert",
    "report",
    "draw",
    "ask",
    "schema",
    "train",
    "evaluate",
    "agreement",
    "calibrate",
]
COMMANDS += ["export", "import-checkpoint", "mcp", "serve", "serve-token", "version"]


def test_every_command_is_there():
    everything = command_line()
    assert [command.name for command in everything.registered_commands] == COMMANDS
    assert [group.name for group in everything.registered_groups] == ["dataset", "bench", "mllm"]


@pytest.mark.parametrize("first", [*COMMANDS, "dataset", "bench", "mllm"])
def test_one_command_is_the_same_alone_and_among_all(first):
    trees: list[Any] = [get_command(command_line(name)) for name in (None, first)]
    everything, alone = trees
    assert [*alone.commands] == [first]
    with alone.make_context("x", []) as context:
        helps = [tree.commands[first].get_help(context) for tree in (everything, alone)]
    assert helps[0] == helps[1]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_help_shows_an_example_that_begins_with_the_command(cli, command):
    for flag in ("--help", "-h"):
        ended = cli(command, flag)
        assert (ended.code, ended.err) == (0, "")
        assert f"\n    distortion-graph {command}" in ended.out
    assert max(map(len, ended.out.splitlines())) <= 80


def test_the_programs_help_has_the_exit_codes(cli):
    ended = cli("--help")
    assert ended == cli()
    text = " ".join(ended.out.split())
    assert "Exit codes: 0 done, 2 the input is at fault" in text
    assert "1 a defect of the program, 130 interrupted" in text
    for command in COMMANDS:
        line = next(x for x in ended.out.splitlines() if x.startswith(f"  {command} "))
        assert not line.endswith("...")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("compere a b", "No such command 'compere'"),
        ("--nonsense", "No such option: --nonsense"),
        ("compare", "Missing argument 'ANCHOR' (see distortion-graph compare --help)"),
        ("compare a", "Missing argument 'TARGET'"),
        ("compare a b c", "unexpected extra argument"),
        ("compare a b --fitt x", "No such option: --fitt"),
        ("compare a b --fit x", "'x' is not one of 'error', 'crop', 'resize', 'resize!'"),
        ("compare a b --evidence", "--evidence"),
        ("compare a b --threads -1", "Invalid value for '--threads': "),
        ("compare a b --threads two", "Invalid value for '--threads': "),
        ("compare a b -q -v", "--quiet and --verbose exclude each other"),
        ("distort a --type blur", "Missing option '--out'"),
        ("convert a", "Missing option '--to'"),
        ("convert a --to xml", "'xml' is not one of 'native', 'published'"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_2(cli, arguments, words):
    assert words.lower() in cli(*arguments.split()).refusal.lower()


def failing(monkeypatch, error):
    def fail(_):
        raise error

    monkeypatch.setattr("distortion_graph.pictures.backgrounds.check_background", fail)


def test_a_defect_is_exit_1_and_one_line_that_asks_for_a_report(cli, monkeypatch):
    monkeypatch.delenv(console.DEBUG_VARIABLE, raising=False)
    failing(monkeypatch, KeyError("gone\naway"))
    ended = cli("compare", "a", "b")
    assert (ended.code, ended.out, ended.err.count("\n")) == (1, "", 1)
    assert ended.err.startswith("distortion-graph: error: defect of the program: KeyError: ")
    assert "report" in ended.err and "DISTORTION_GRAPH_DEBUG=1" in ended.err


def test_tracebacks_are_there_for_those_who_ask(cli, monkeypatch):
    failing(monkeypatch, KeyError("gone"))
    assert "Traceback" in cli("compare", "a", "b", "--verbose").err
    monkeypatch.setenv(console.DEBUG_VARIABLE, "1")
    assert "Traceback" in cli("compare", "a", "b").err
    last = cli("convert", "nix.json", "--to", "native").err.splitlines()
    assert last[0].startswith("Traceback") and last[-1].startswith("distortion-graph: error: nix")
    monkeypatch.setenv(console.DEBUG_VARIABLE, "0")
    assert "Traceback" not in cli("convert", "nix.json", "--to", "native").err


def pydantic_error():
    try:
        Vocabulary.model_validate({"distortions": ["a", "b"], "severities": 3, "comparisons": []})
    except ValidationError as error:
        return error
    raise AssertionError


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (pydantic_error(), "Vocabulary: severities: Input should be a valid tuple"),
        (PermissionError(13, "Permission denied", "x.png"), "x.png: Permission denied"),
        (OSError(28, "No space left on device"), "No space left on device"),
        (MemoryError(), "not enough memory"),
    ],
)
def test_what_is_not_the_programs_fault_is_exit_2(cli, monkeypatch, error, words):
    failing(monkeypatch, error)
    assert words in cli("compare", "a", "b").refusal


def test_ctrl_c_is_130(cli, monkeypatch):
    failing(monkeypatch, KeyboardInterrupt())
    ended = cli("compare", "a", "b")
    assert (ended.code, ended.out, ended.err) == (130, "", "distortion-graph: interrupted\n")


def test_error_lines_cannot_steer_a_terminal():
    assert console.one_line("a\n\x1b[31m b\t\u202ec\udcff") == "a \\x1b[31m b \\u202ec\\udcff"
    assert console.one_line("Größe 3×4") == "Größe 3×4"


def program(*arguments, **options):
    command = [sys.executable, "-m", "distortion_graph", *arguments]
    return subprocess.Popen(command, stderr=subprocess.PIPE, **options)


def test_a_reader_that_stops_early_is_no_error():
    read, write = os.pipe()
    os.close(read)  # gone before the first byte
    with program("schema", stdout=write) as running:
        os.close(write)
        _, err = running.communicate(timeout=900)
    assert (running.returncode, err) == (0, b"")


def test_a_full_standard_output_is_said():
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    with full.open("wb") as stdout, program("schema", stdout=stdout) as running:
        _, err = running.communicate(timeout=900)
    assert running.returncode == 2
    assert err.decode().startswith("distortion-graph: error: standard output cannot be written")
    assert err.count(b"\n") == 1


def test_run_gives_codes_and_never_leaves_the_process():
    assert run(["--version"]) == 0
    assert run(["--nonsense"]) == 2


def test_the_tree_of_commands_is_built_once(cli, monkeypatch):
    assert cli("version").code == cli("compare", "--help").code == 0

    def build_again(app):
        raise AssertionError("the commands were built again")

    monkeypatch.setattr("typer.main.get_command", build_again)
    assert cli("version").code == cli("compare", "--help").code == 0
    assert cli("compare").refusal.startswith("Missing argument 'ANCHOR'")
