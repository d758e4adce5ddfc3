"""`distortion-graph`: the command line. One file per command; this one joins and runs them."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Annotated, Any, NoReturn

import typer

from distortion_graph.cli.console import (
    DONE,
    INTERRUPTED,
    NAME,
    POLICY_BROKEN,
    Talk,
    end,
    flush_output,
)
from distortion_graph.cli.version import print_version

_COMMANDS = {
    "compare": "compare",
    "rank": "rank",
    "batch": "batch",
    "video": "video",
    "check": "check",
    "distort": "distort",
    "convert": "convert",
    "report": "report",
    "draw": "draw",
    "ask": "ask",
    "schema": "schema",
    "train": "train",
    "evaluate": "evaluate",
    "agreement": "agreement",
    "calibrate": "calibrate",
    "export": "export",
    "import-checkpoint": "import_checkpoint",
    "mcp": "mcp",
    "serve": "serve",
    "serve-token": "serve",
    "version": "version",
}
"""Each command, and the module of this folder that has it under its name."""

_GROUPS = ("dataset", "bench", "mllm")
"""Commands of commands: `NAME_app` in the module of that name."""


def command_line(first: str | None = None) -> typer.Typer:
    """The tree of commands: all of them, or only what is needed where `first` is one of them."""
    app = typer.Typer(
        name=NAME,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback(invoke_without_command=True)(_root)
    one = first in _COMMANDS or first in _GROUPS
    for name, module in _COMMANDS.items():
        if name == first or not one:
            app.command(name)(getattr(_module(module), name.replace("-", "_")))
    for name in _GROUPS:
        if name == first or not one:
            app.add_typer(getattr(_module(name), f"{name}_app"), name=name)
    return app


def _module(name: str) -> ModuleType:
    return import_module(f"distortion_graph.cli.{name}")


def _root(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", callback=print_version, is_eager=True),
    ] = False,
) -> None:
    """Two pictures in, a graph out: what is wrong in each region, how bad it is, and which picture
    is better.

    \b
    Example:
      distortion-graph compare a.jpg b.jpg

    Exit codes: 0 done, 2 the input is at fault (one line on stderr says what), 3 pictures break a
    policy, 1 a defect of the program, 130 interrupted. With DISTORTION_GRAPH_DEBUG=1 errors come
    with their traceback.
    """
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def run(arguments: Sequence[str]) -> int:
    """Run the command line with these arguments and give its exit code."""
    talk = Talk()
    try:
        first = arguments[0] if arguments else None
        code = _root_command(first).main(list(arguments), NAME, standalone_mode=False, obj=talk)
        flush_output()
        # Typer turns Ctrl-C into a code; commands themselves give this one alone.
        if code == POLICY_BROKEN:
            return POLICY_BROKEN
        return end(KeyboardInterrupt()) if code == INTERRUPTED else DONE
    except BaseException as error:
        return end(error, verbose=talk.verbose)


@cache
def _root_command(first: str | None) -> Any:
    return typer.main.get_command(command_line(first))


def main() -> NoReturn:
    """The program `distortion-graph`."""
    # Products of NumPy and SciPy are small here, and threads of OpenBLAS keep to no budget: each
    # library's spin for a tenth of a second when it is loaded. Worker processes inherit this.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # Nobody extends the models of this program; to look for who does would read what is installed.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    # What starting makes stays: to look through it again and again would take a tenth of the start.
    gc.set_threshold(20_000, 20, 20)
    if f"_{NAME.replace('-', '_').upper()}_COMPLETE" in os.environ:  # a shell asks
        from typer.completion import completion_init  # type: ignore[attr-defined]

        completion_init()
    code = run(sys.argv[1:])
    # The system takes back what is left; Python would first look through all of it for garbage.
    gc.freeze()
    sys.exit(code)
