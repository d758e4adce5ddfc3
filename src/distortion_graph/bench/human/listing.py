"""What a set's own list says, before its names are files and its scores opinions."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from distortion_graph.base.errors import DatasetError

Row = Mapping[str, str]


class Entry(NamedTuple):
    """A line: where it stands, the ends of the pictures' paths, and people's score of the second.

    `kind` and `content` are as `opinions.OpinionPair` has them.
    """

    where: str
    reference: str
    distorted: str
    score: float
    kind: str
    content: str


class Listing(NamedTuple):
    """All lines of a list.

    `scale` is the scale's worst and best score. Without one the least and the largest of the list
    take their place; `higher_is_worse` says which of them is the best.
    """

    path: Path
    entries: Sequence[Entry]
    scale: tuple[float, float] | None = None
    higher_is_worse: bool = False


def read_text(path: Path, expected: str) -> str:
    """A list as text; raises DatasetError, which says what was `expected` to be there."""
    try:
        return path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as problem:
        reason = getattr(problem, "strerror", None) or problem
        raise DatasetError(f"{path}: cannot be read ({reason}); expected {expected}") from problem


def table_rows(path: Path, columns: Sequence[str]) -> Iterator[tuple[str, Row]]:
    """Every row of a CSV table with these columns, and where it stands.

    The head is the first row that has them all: spreadsheets leave lines above it. Rows that are
    empty in these columns are passed over. Raises DatasetError.
    """
    lines = read_text(path, f"a table with the columns {', '.join(columns)}").splitlines()
    reader = csv.reader(lines)
    head: list[str] = []
    first: list[str] | None = None
    for cells in reader:
        cells = [cell.strip() for cell in cells]
        if not head:
            first = first or cells
            head = cells if set(columns) <= set(cells) else []
            continue
        row = dict(zip(head, cells, strict=False))
        if any(row.get(column) for column in columns):
            yield f"{path}, line {reader.line_num}", {c: row.get(c, "") for c in head}
    if not head:
        missing = [column for column in columns if column not in (first or ())]
        raise DatasetError(
            f"{path}: column {missing[0]!r} is missing, expected {', '.join(columns)}"
        )


def number(text: str, name: str, where: str) -> float:
    """A finite number; raises DatasetError, which says what it is a number of and where."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise DatasetError(f"{where}: {name} is {text!r}, expected a number")
    return value


def known(value: str, names: Mapping[str, object] | Sequence[str], name: str, where: str) -> str:
    """A word that a set knows; raises DatasetError, which lists those that it knows."""
    if value not in names:
        raise DatasetError(f"{where}: {name} is {value!r}, expected one of {', '.join(names)}")
    return value
