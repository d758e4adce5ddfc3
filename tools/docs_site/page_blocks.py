"""The blocks of a page: what they are, and what those that can be run print now."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from distortion_graph.cli.console import NAME
from distortion_graph.cli.main import run

REPOSITORY = Path(__file__).resolve().parents[2]
# Pages whose Python and console blocks are run as well; they work in a folder that has examples/.
RUN = [
    "architecture",
    "batch",
    "distortions",
    "formats",
    "gate",
    "graph",
    "judging",
    "learn/correct",
    "learn/first-pair",
    "learn/folder",
    "learn/gate",
    "learn/language-model",
    "learn/masks",
    "learn/original",
    "learn/train",
    "metrics",
    "pictures",
    "quality",
    "rank",
    "reference",
    "regions",
    "report",
    "video",
    "wild",
]

FENCE = re.compile(r"^ *```(\w*)$")
# A command of a console, on several lines where they end in a backslash, and what it printed.
CALL = re.compile(r"^\$ ((?:.*\\\n)*.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, text, the line of its first row, the one after its fence."""

    language: str
    text: str
    line: int
    after: int


def page_text(page: str) -> str:
    """The text of a page, which is named from the repository."""
    return (REPOSITORY / page).read_text("utf-8")


def blocks(page: str) -> list[Block]:
    """Its fenced blocks, in order."""
    found: list[Block] = []
    opened: tuple[str, int] | None = None
    lines = page_text(page).splitlines()
    for number, line in enumerate(lines, start=1):
        fence = FENCE.match(line)
        if fence and opened is None:
            opened = fence[1], number + 1
        elif fence and opened:
            assert not fence[1], f"{page}:{number}: a fence opens inside another block"
            language, first = opened
            text = "\n".join(lines[first - 1 : number - 1]) + "\n"
            found.append(Block(language, text, first, number + 1))
            opened = None
    assert opened is None, f"{page}: the block of line {opened} has no end"
    return found


def code(page: str) -> list[Block]:
    """The Python blocks that are meant to work as they stand."""
    python = [block for block in blocks(page) if block.language == "python"]
    return [block for block in python if not block.text.startswith("# not run")]


def answers(page: str) -> Iterator[tuple[Block, str]]:
    """Run a page in this folder, which has examples/: blocks that show what is printed, and that.

    The `text` block that follows a Python block shows what that prints; a `console` block shows
    its commands and what they print.
    """
    space: dict[str, Any] = {"__name__": "page"}
    lines = page_text(page).splitlines()
    shown = {block.line: block for block in blocks(page) if block.language == "text"}
    consoles = [block for block in blocks(page) if block.language == "console"]
    for block in sorted([*code(page), *consoles], key=lambda block: block.line):
        if block.language == "console":
            yield block, played(block)
            continue
        printed = run_python(page, block, space)
        follows = next((n for n in range(block.after, len(lines) + 1) if lines[n - 1]), 0)
        if follows + 1 in shown:
            yield shown[follows + 1], printed


def run_python(page: str, block: Block, space: dict[str, Any]) -> str:
    """What a Python block prints, run in this space of names."""
    printed = io.StringIO()
    source = compile("\n" * (block.line - 1) + block.text, page, "exec")
    with contextlib.redirect_stdout(printed):
        exec(source, space)
    return printed.getvalue()


def played(block: Block) -> str:
    """A console block with what its commands print now, where it shows that."""
    shown, exit_code = "", 0
    for call, said in CALL.findall(block.text):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            if call == "echo $?":
                print(exit_code)
            else:
                program_name, *arguments = shlex.split(call.replace("\\\n", " "))
                assert program_name == NAME, f"line {block.line}: runs {program_name}"
                exit_code = run(arguments)
        text = "\n".join(line.rstrip() for line in printed.getvalue().splitlines()) + "\n"
        assert exit_code in (0, 3), text
        shown += f"$ {call}\n" + (text if said else "")
    return shown
