"""What results are written to and shown as: JSON, Markdown, LaTeX, and tables on the terminal."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from distortion_graph.base.errors import OutputError
from distortion_graph.cli.console import Talk, terminal_width
from distortion_graph.cli.options import check_outputs
from distortion_graph.cli.streams import is_standard, write_all

if TYPE_CHECKING:
    from distortion_graph.bench.tables import ResultTable


@dataclass(frozen=True)
class Outputs:
    """Where results go."""

    json: Path | None
    markdown: Path | None
    latex: Path | None = None

    def check(self, inputs: Sequence[str], root: Path | None = None) -> None:
        """Refuse places that cannot be written, and those in a data set."""
        options = (("--json", self.json), ("--markdown", self.markdown), ("--latex", self.latex))
        given = [(name, path) for name, path in options if path]
        check_outputs([(name, path, False) for name, path in given], inputs)
        if root is not None:
            for name, path in given:
                if is_standard(path):
                    continue
                check_outside(name, path, root)

    def write(self, text: str, tables: Sequence[ResultTable]) -> None:
        """All files or none."""
        from distortion_graph.bench.tables import latex, markdown

        files = []
        if self.json is not None:
            files.append((self.json, text))
        if self.markdown is not None:
            files.append((self.markdown, "\n".join(map(markdown, tables))))
        if self.latex is not None:
            files.append((self.latex, "\n".join(map(latex, tables))))
        write_all([(path, content.encode()) for path, content in files])


def show_tables(tables: Sequence[ResultTable], talk: Talk) -> None:
    """Draw tables one below the other."""
    from distortion_graph.bench.tables import rich_table

    for k, table in enumerate(tables):
        if k:
            talk.say("")
        talk.show(rich_table(table, terminal_width()))


def check_outside(option: str, path: Path, root: Path) -> None:
    """Refuse what would change a data set: its loader takes every folder for a version."""
    if Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root)):
        raise OutputError(f"{path}: {option} would write into the data set; choose another place")
