"""The pages say what the code does: tables, code blocks, JSON blocks and links."""

from __future__ import annotations

import json
import re
import shutil
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import typer
from page_blocks import RUN, answers, blocks, code, page_text
from typer.core import TyperGroup as Group

from distortion_graph.cli.console import NAME
from distortion_graph.cli.main import command_line
from distortion_graph.graph import load_graph
from distortion_graph.synth.distort import HELD_OUT, LEVELS, PUBLISHED, WILD
from distortion_graph.synth.distort.level_losses import level_losses
from distortion_graph.synth.synthesis import DEFAULT_SEVERITY_LEVELS

REPOSITORY = Path(__file__).parent.parent
PAGES = [
    "README.md",
    *sorted(p.relative_to(REPOSITORY).as_posix() for p in (REPOSITORY / "docs").rglob("*.md")),
]
LINK = re.compile(r"\]\(<?([^)\s>]+)>?(?: \"[^\"]*\")?\)|(?:src|href)=\"([^\"]+)\"")
ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|#", re.IGNORECASE)
CALL = re.compile(r"(?:^[ $]*|`)distortion-graph ([a-z][^`|#]*)")


def links(page: str) -> list[str]:
    """The links to files of the repository."""
    every = [match[1] or match[2] for match in LINK.finditer(prose(page))]
    return [link for link in every if not ELSEWHERE.match(link)]


def calls(page: str) -> list[str]:
    """What follows the program's name, wherever a page calls it."""
    lines = page_text(page).replace("\\\n", " ").splitlines()
    return [match[1] for line in lines for match in CALL.finditer(line)]


def prose(page: str) -> str:
    """The page without its fenced blocks."""
    lines = page_text(page).splitlines()
    for block in blocks(page):
        lines[block.line - 1 : block.after - 1] = [""] * (block.after - block.line)
    return "\n".join(lines)


def distortion_table() -> str:
    """The table of docs/distortions.md, as the registry has it."""
    rows = [
        "| type | sub-type | " + " | ".join(str(k) for k in range(1, LEVELS + 1)) + " |",
        "|---" * (LEVELS + 2) + "|",
    ]
    for entry in PUBLISHED:
        cells = [entry.distortion, entry.name if entry.drawn else f"{entry.name} *"]
        rows.append("| " + " | ".join([*cells, *map(shown, entry.strengths)]) + " |")
    return "\n".join(rows)


def wild_table() -> str:
    """The table of docs/wild.md, as the registry has it."""
    rows = [
        "| type | sub-type | " + " | ".join(str(k) for k in range(LEVELS + 1)) + " |",
        "|---" * (LEVELS + 3) + "|",
    ]
    for entry in WILD:
        name = f"{entry.name} †" if entry.full_name in HELD_OUT else entry.name
        strengths = map(shown, (entry.weakest, *entry.strengths))
        rows.append("| " + " | ".join([entry.distortion, name, *strengths]) + " |")
    return "\n".join(rows)


def shown(strength: Any) -> str:
    if isinstance(strength, tuple):
        return "(" + ", ".join(map(shown, strength)) + ")"
    return f"{strength:.6g}"


def test_the_pages_have_links_code_and_calls_to_check() -> None:
    assert sum(len(links(page)) for page in PAGES) > 80
    assert sum(len(code(page)) for page in PAGES) > 40
    assert sum(len(calls(page)) for page in PAGES) > 80


@pytest.mark.parametrize("page", [page for page in PAGES if code(page)])
def test_python_blocks_compile(page: str) -> None:
    for block in code(page):
        compile("\n" * (block.line - 1) + block.text, page, "exec")


@pytest.mark.parametrize("page", [page for page in PAGES if links(page)])
def test_relative_links_lead_to_a_file_of_the_repository(page: str) -> None:
    for link in links(page):
        target = ((REPOSITORY / page).parent / unquote(link.partition("#")[0])).resolve()
        assert target.is_relative_to(REPOSITORY.resolve()), f"{page}: {link} leaves the repository"
        assert target.exists(), f"{page}: {link} leads nowhere"


@pytest.mark.parametrize("name", RUN)
def test_blocks_run_and_print_what_the_page_says(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = f"docs/{name}.md"
    shutil.copytree(REPOSITORY / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)
    answered = list(answers(page))
    assert code(page) or answered
    for block, printed in answered:
        assert block.text == printed, f"{page}:{block.line}: prints something else"


def test_the_table_of_distortions_is_the_registry() -> None:
    table = "\n".join(
        line for line in prose("docs/distortions.md").splitlines() if line.startswith("|")
    )
    assert distortion_table() in table, (
        f"docs/distortions.md: expected this table:\n{distortion_table()}"
    )


def test_the_table_of_wild_distortions_is_the_registry() -> None:
    assert wild_table() in prose("docs/wild.md"), (
        f"docs/wild.md: expected this table:\n{wild_table()}"
    )


def test_the_table_of_losses_is_the_shipped_one() -> None:
    rows = [
        f"| {label} | {' | '.join(f'{loss:.3f}' for loss in row)} |"
        for label, row in level_losses().by_type.items()
    ]
    assert "\n".join(rows) in prose("docs/distortions.md")


def test_the_table_of_severities_is_the_recipe() -> None:
    rows = [
        f"| {severity} | {', '.join(map(str, levels))} |"
        for severity, levels in DEFAULT_SEVERITY_LEVELS.items()
    ]
    assert "\n".join(rows) in prose("docs/distortions.md")


def test_json_blocks_of_the_graph_page_are_json_and_the_whole_graph_is_valid() -> None:
    values = [(json.loads(b.text), b.text) for b in blocks("docs/graph.md") if b.language == "json"]
    whole = [load_graph(text) for value, text in values if "schema" in value]
    assert [len(graph.regions) for graph in whole] == [2]


@cache
def program() -> Any:
    return typer.main.get_command(command_line())


def command_of(words: list[str], group: Any = None, name: str = NAME) -> tuple[Any, str]:
    """The command that the words after the program's name call, and its name."""
    group = group or program()
    if not isinstance(group, Group) or not words or words[0].startswith("-"):
        return group, name
    default = getattr(group, "default_command", None)  # of a group that can go without one
    word = words[0] if words[0] in group.commands else default
    assert word, f"{name} has no command {words[0]!r}"
    return command_of(words[1:], group.commands[word], f"{name} {word}")


@pytest.mark.parametrize("page", [page for page in PAGES if calls(page)])
def test_the_commands_and_options_of_a_page_exist(page: str) -> None:
    for call in calls(page):
        command, name = command_of(call.split())
        offered = {option for p in command.params for option in (*p.opts, *p.secondary_opts)}
        used = set(re.findall(r"(?<!\S)--[a-z][a-z-]*", call))
        assert used <= offered, f"{page}: {name} has no {used - offered}"
