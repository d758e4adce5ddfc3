"""What a command says, and how the program ends.

Results go to standard output; warnings, details and errors to standard error, each one line that
begins with the program's name. Every way to end has its exit code.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from distortion_graph.base.errors import DistortionGraphError
from distortion_graph.cli.choice import renamed

if TYPE_CHECKING:
    from rich.console import RenderableType

NAME = "distortion-graph"

DONE = 0
"""Exit code: what was asked for is done."""
DEFECT = 1
"""Exit code: an error that is the program's own."""
INPUT_AT_FAULT = 2
"""Exit code: the input, an option or an output's place is at fault; nothing was written."""
POLICY_BROKEN = 3
"""Exit code: everything was done, and pictures break the policy that they were held against."""
INTERRUPTED = 130
"""Exit code: Ctrl-C (128 + SIGINT)."""

DEBUG_VARIABLE = "DISTORTION_GRAPH_DEBUG"
"""Set to anything but 0, it shows the traceback of every error."""

# Older releases of typer take this class from click, newer ones have their own.
UsageError: type[Exception] = typer.BadParameter.__mro__[1]

_COLUMNS_WITHOUT_TERMINAL = 80


class ReaderGoneError(Exception):
    """Whoever read standard output has stopped reading."""


@dataclass
class Talk:
    """How much a run of the program says; commands set it from their options."""

    quiet: bool = False
    verbose: bool = False
    piped: bool = False
    """Whether standard output is that of an option, `--out -`, and of nothing else."""

    def set(
        self, *, quiet: bool, verbose: bool = False, outputs: Iterable[Path | None] = ()
    ) -> None:
        """Take the command's options; raises a usage error where they contradict.

        `outputs` are the files that it writes, where one may be "-", standard output.
        """
        if quiet and verbose:
            raise typer.BadParameter("--quiet and --verbose exclude each other")
        self.quiet, self.verbose = quiet, verbose
        self.piped = any(str(path) == "-" for path in outputs)

    def say(self, text: str) -> None:
        """A line of the result; quiet and piped runs leave it out."""
        if not (self.quiet or self.piped):
            write_output(one_line(text) + "\n")

    def show(self, thing: RenderableType) -> None:
        """Something of rich's, such as a table; quiet and piped runs leave it out."""
        if not (self.quiet or self.piped):
            write_output(_rendered(thing))

    def write(self, text: str) -> None:
        """Lines of the result as they are; quiet and piped runs leave them out."""
        if not (self.quiet or self.piped):
            write_output(text)

    def warn(self, text: str) -> None:
        """A line about the input that does not stop the work."""
        if not self.quiet:
            write_error_line(f"warning: {text}")

    def detail(self, text: str) -> None:
        """A line for those who asked for more."""
        if self.verbose:
            write_error_line(text)


def talk_of(context: typer.Context) -> Talk:
    """The run's `Talk`, which `main` hands to the command."""
    return context.ensure_object(Talk)


def terminal_width() -> int:
    """Columns of standard output: the terminal's, or COLUMNS, or 80."""
    from rich.console import Console

    console = Console()
    known = console.is_terminal or os.environ.get("COLUMNS", "").isdigit()
    return console.width if known else _COLUMNS_WITHOUT_TERMINAL


def write_output(text: str) -> None:
    """Write to standard output. Raises ReaderGoneError, or a DistortionGraphError if it is full."""
    stream = sys.stdout
    if stream is None:  # closed by whoever started the program
        return
    encoding = getattr(stream, "encoding", None) or "utf-8"
    with _standard_output():
        stream.write(text.encode(encoding, "replace").decode(encoding))


def write_json(text: str) -> None:
    """Write JSON to standard output: UTF-8 whatever the terminal speaks, and a line end."""
    if getattr(sys.stdout, "buffer", None) is None:
        write_output(text + "\n")
        return
    write_bytes(text.encode("utf-8") + b"\n")


def write_bytes(data: bytes) -> None:
    """Write bytes to standard output; raises as `write_output` does, and where it takes none."""
    raw = getattr(sys.stdout, "buffer", None)
    if raw is None:
        raise DistortionGraphError("standard output is closed or takes text alone; name a file")
    with _standard_output():
        sys.stdout.flush()
        raw.write(data)


def flush_output() -> None:
    """Send what is still held back; raises as `write_output` does."""
    if sys.stdout is not None:
        with _standard_output():
            sys.stdout.flush()


def write_error_line(text: str) -> None:
    """One line on standard error, after the program's name."""
    if sys.stderr is not None:
        with contextlib.suppress(OSError):
            print(f"{NAME}: {one_line(text)}", file=sys.stderr, flush=True)


def one_line(text: str) -> str:
    """Text without line breaks, and without characters that steer a terminal."""
    flat = " ".join(text.split())
    if flat.isprintable():
        return flat
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in flat)


def end(error: BaseException, *, verbose: bool = False) -> int:
    """Say why the program stops and give its exit code; re-raises nothing."""
    if isinstance(error, ReaderGoneError):
        _give_up_output()
        return DONE
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else DEFECT
    if isinstance(error, KeyboardInterrupt | typer.Abort):
        write_error_line("interrupted")
        return INTERRUPTED
    code, line = _judged(error)
    if os.environ.get(DEBUG_VARIABLE, "0") not in ("", "0") or (verbose and code == DEFECT):
        import traceback

        traceback.print_exception(error)
    write_error_line(f"error: {line}")
    return code


def _judged(error: BaseException) -> tuple[int, str]:
    """Whose fault an error is, and what to say."""
    if isinstance(error, UsageError):
        return INPUT_AT_FAULT, _usage_text(error)
    if isinstance(error, DistortionGraphError):
        return INPUT_AT_FAULT, str(error)
    if isinstance(error, OSError) and error.errno is not None:
        where = "" if error.filename is None else f"{error.filename}: "
        return INPUT_AT_FAULT, f"{where}{error.strerror}"
    if isinstance(error, MemoryError):
        return INPUT_AT_FAULT, "not enough memory for this input; use smaller pictures"
    text = _validation_text(error)
    if text is not None:
        return INPUT_AT_FAULT, text
    return DEFECT, (
        f"defect of the program: {type(error).__name__}: {error} – please report it, with the "
        f"command and what {DEBUG_VARIABLE}=1 adds to this line"
    )


def _usage_text(error: Any) -> str:
    """A usage error's own words, without its library's, and where help is."""
    context = error.ctx
    text = str(error.format_message()).rstrip(".").replace("Value error, ", "")
    text = text.replace("Input should be", "expected", 1).removeprefix("Invalid value: ")
    text = renamed(getattr(error, "option_name", None), context and context.command) or text
    return f"{text} (see {context.command_path if context else NAME} --help)"


def _validation_text(error: BaseException) -> str | None:
    """The first problem of a pydantic error; None for another error."""
    from pydantic import ValidationError

    if not isinstance(error, ValidationError):
        return None
    first = error.errors(include_url=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    return f"{error.title}: {place + ': ' if place else ''}{first['msg']}"


def _rendered(thing: RenderableType) -> str:
    from rich.console import Console

    # Drawn into memory as it would be on the terminal, so that all output takes one way out.
    terminal = Console()
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    memory = io.TextIOWrapper(io.BytesIO(), encoding, errors="replace", newline="")
    Console(
        file=memory,
        width=terminal_width(),
        force_terminal=terminal.is_terminal,
        color_system=terminal.color_system or None,  # type: ignore[arg-type]
        markup=False,  # nothing is written in either, and both take time to load
        emoji=False,
        highlight=False,
    ).print(thing)
    memory.seek(0)
    return "".join(line.rstrip() + "\n" for line in memory.read().splitlines())


@contextlib.contextmanager
def _standard_output() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise ReaderGoneError from None
    except OSError as e:
        _give_up_output()
        raise DistortionGraphError(f"standard output cannot be written: {e.strerror or e}") from e


def _give_up_output() -> None:
    """Let what is still held back go nowhere, or Python complains when it ends."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
