"""`--out -`: one output of a command on standard output, and nothing else there."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from distortion_graph.base.errors import OutputError
from distortion_graph.cli.console import write_bytes

STANDARD = Path("-")
"""What stands for standard output in the place of a file's name."""


def is_standard(path: Path | None) -> bool:
    """Whether an option's file is standard output."""
    return path == STANDARD


def check_standard(outputs: Iterable[tuple[str, Path, bool]]) -> None:
    """Raise OutputError where two outputs go to standard output, or a picture to a terminal.

    `outputs` are (option, path, whether it is a picture).
    """
    given = [(option, picture) for option, path, picture in outputs if is_standard(path)]
    if len(given) > 1:
        options = " and ".join(f"{option} -" for option, _ in given)
        raise OutputError(f"{options}: only one output can be standard output; name a file")
    for option, picture in given:
        if picture and sys.stdout is not None and sys.stdout.isatty():
            raise OutputError(
                f"{option} -: a picture, which a terminal cannot show; name a file, or pipe it on"
            )


def named(path: Path) -> Path:
    """A name whose suffix says how a picture is encoded; on standard output it is a PNG."""
    return Path("standard output.png") if is_standard(path) else path


def write_all(files: Sequence[tuple[Path, bytes]]) -> None:
    """Write all files or none, then what goes to standard output."""
    from distortion_graph.base.files import atomic_write_all

    atomic_write_all([(path, data) for path, data in files if not is_standard(path)])
    for path, data in files:
        if is_standard(path):
            write_bytes(data)
