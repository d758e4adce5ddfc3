"""What came of a check for GitHub: annotations of Actions, and a summary as Markdown."""

from __future__ import annotations

from pathlib import Path

from distortion_graph.gate.run import CheckReport
from distortion_graph.gate.wording import finding_lines, headline, summary_line
from distortion_graph.report.wording import printable

_ROWS = 200
"""A summary of a job may have 1 MiB; what is beyond is in the other files."""


def annotation_lines(report: CheckReport) -> list[str]:
    """A workflow command for each pair that fails: `::error file=…,title=…::…`."""
    lines = []
    for verdict in (*report.broken, *report.failed):
        place = _property(_relative(verdict.pair.target))
        title = _property(f"distortion-graph: {verdict.pair.id}")
        lines.append(f"::error file={place},title={title}::{_data(headline(verdict))}")
    return lines


def markdown(report: CheckReport) -> str:
    """A table of the pairs that fail, worst rules first, under a line about all."""
    lines = [f"## Picture quality: {summary_line(report)}", ""]
    rows = [*report.broken, *report.failed]
    if rows:
        lines += ["| pair | what is wrong | to look at |", "|---|---|---|"]
    for verdict in rows[:_ROWS]:
        said = [verdict.error] if verdict.error else finding_lines(verdict)
        wrong = "<br>".join(map(_cell, said))
        files = verdict.files or {}
        look = "<br>".join(f"{what}: `{_cell(path)}`" for what, path in files.items())
        lines.append(f"| `{_cell(verdict.pair.id)}` | {wrong} | {look} |")
    if len(rows) > _ROWS:
        lines += ["", f"{len(rows) - _ROWS} more are left out here."]
    lines += ["", *(f"> {_cell(note)}" for note in report.notes)]
    return "\n".join(lines).rstrip() + "\n"


def _relative(name: str) -> str:
    """A file as the repository knows it: from where the program runs on."""
    try:
        return Path(name).resolve().relative_to(Path.cwd().resolve()).as_posix()
    except (OSError, ValueError):
        return name


def _data(text: str) -> str:
    """Text as workflow commands take it."""
    text = printable(text)
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _cell(text: str) -> str:
    """Text in a cell of a table, not read as anything else."""
    text = printable(text).replace("\\", "\\\\")
    for mark in "|`<*_[]":
        text = text.replace(mark, "&#96;" if mark == "`" else f"\\{mark}")
    return text
