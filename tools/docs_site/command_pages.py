"""Pages of the command line: one per command, and one with every option of all of them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import typer

from distortion_graph.cli.console import NAME
from distortion_graph.cli.main import command_line

FOLDER = "commands"


@dataclass(frozen=True)
class Parameter:
    """An option or an argument, as `--help` shows it."""

    signature: str
    help: str
    is_option: bool

    @property
    def names(self) -> list[str]:
        """What it may be called: `-q` and `--quiet`, or `ANCHOR`."""
        written = re.split(r"[ ,/]+", self.signature)
        return [word for word in written if word.startswith("-")] or written[:1]

    @property
    def anchor(self) -> str:
        """Where a page has it."""
        name = self.names[-1].lstrip("-").lower()
        return name if self.is_option else f"argument-{name}"


@dataclass(frozen=True)
class Command:
    """A command without commands of its own."""

    name: str
    usage: str
    summary: str
    text: str
    parameters: tuple[Parameter, ...]

    @property
    def page(self) -> str:
        """Its page's file name."""
        return f"{self.name.replace(' ', '-')}.md"


def all_commands() -> list[Command]:
    """Every command of the program, in the order of `--help`."""
    root: Any = typer.main.get_command(command_line())
    return list(_commands(root, root.make_context(NAME, [], resilient_parsing=True), ()))


def _commands(group: Any, context: Any, path: tuple[str, ...]) -> Iterator[Command]:
    for word, command in group.commands.items():
        inner = command.context_class(command, info_name=word, parent=context)
        if hasattr(command, "commands"):
            yield from _commands(command, inner, (*path, word))
            continue
        records = [(p, p.get_help_record(inner)) for p in command.get_params(inner)]
        yield Command(
            name=" ".join((*path, word)),
            usage=" ".join((NAME, *path, word, *command.collect_usage_pieces(inner))),
            summary=command.get_short_help_str(300),
            text=command.help or "",
            parameters=tuple(
                Parameter(record[0], record[1], parameter.param_type_name == "option")
                for parameter, record in records
                if record
            ),
        )


def command_page(command: Command) -> str:
    """The Markdown of a command's own page."""
    parts = [f"# {command.name}", *_paragraphs(command.text)]
    parts.insert(2, f"```\n{command.usage}\n```")
    for title, options in (("Arguments", False), ("Options", True)):
        of_kind = [p for p in command.parameters if p.is_option is options]
        if of_kind:
            parts.append(f"## {title}")
        for parameter in of_kind:
            parts.append(f"### `{parameter.signature}` {{ #{parameter.anchor} }}")
            parts.append(_prose(parameter.help))
    return "\n\n".join(parts) + "\n"


def index_page(commands: list[Command]) -> str:
    """The page that leads to every command and to every option in one step."""
    rows = "\n".join(f"| [{c.name}]({c.page}) | {_cell(c.summary)} |" for c in commands)
    uses: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for command in commands:
        for parameter in command.parameters:
            link = f"[{command.name}]({command.page}#{parameter.anchor})"
            for name in parameter.names if parameter.is_option else ():
                if name not in ("-h", "--help"):
                    uses[name][parameter.help].append(link)
    options = "\n".join(
        f"| `{name}` | {_cell(text)} | {', '.join(links)} |"
        for name in sorted(uses, key=lambda name: name.lstrip("-"))
        for text, links in uses[name].items()
    )
    return f"""# Commands and options

`distortion-graph COMMAND --help` shows the same in a terminal.

## Commands

| command | what it does |
|---|---|
{rows}

## Every option

All options of all commands in one list; an option that means something else elsewhere has a row
of its own.
`-h`, `--help` and `distortion-graph --version` are always there.

| option | what it does | of |
|---|---|---|
{options}
"""


def _paragraphs(text: str) -> Iterator[str]:
    """Help text as Markdown; after `\\b` lines stand as they are: a heading, then an example."""
    for paragraph in text.split("\n\n"):
        if not paragraph.startswith("\b"):
            yield _prose(" ".join(paragraph.split()))
            continue
        lines = paragraph.removeprefix("\b\n").splitlines()
        head = [line for line in lines if not line.startswith(" ")]
        body = [line.removeprefix("  ") for line in lines if line.startswith(" ")]
        yield from (_prose(line) for line in head)
        if body:
            yield "```\n" + "\n".join(body) + "\n```"


def _prose(text: str) -> str:
    """Plain text with `code` in it, as Markdown that shows just that."""
    pieces = re.split(r"(`[^`]*`)", text.replace("\b", ""))
    plain = [re.sub(r"([\\*_\[\]#<>|])", r"\\\1", piece) for piece in pieces[::2]]
    pieces[::2] = [piece.replace(r"\<", "&lt;").replace(r"\>", "&gt;") for piece in plain]
    return "".join(pieces)


def _cell(text: str) -> str:
    return _prose(text).replace("\n", " ")
