"""Tables of counts on the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table


def count_table(heading: str, columns: Iterable[str] = (), *, gap: int = 2) -> Table:
    """A table whose first column has names under `heading`, the others numbers.

    `gap` + 1 blanks stand between columns.
    """
    from rich import box
    from rich.table import Table

    table = Table(
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, gap, 0, 0),
        header_style="bold",
    )
    table.add_column(heading, no_wrap=True)
    for title in columns:
        table.add_column(spaced(title), justify="right")
    return table


def comparison_table(counts: Mapping[str, Mapping[str, int]]) -> Table:
    """A row for each list of pairs: the share of each comparison, and the number of regions."""
    levels = list(next(iter(counts.values()), {}))
    # A word a line, narrow gaps and names: the usual five and any number go into 80 columns.
    heads = [*(level.replace("_", "\n") for level in levels), "regions"]
    table = count_table("pairs", heads, gap=1)
    table.columns[0].no_wrap, table.columns[0].max_width = False, 8
    for column in table.columns:
        column.overflow = "fold"
    for name, row in counts.items():
        total = sum(row.values())
        shares = (f"{100 * count / total:.1f} %" if total else "–" for count in row.values())
        table.add_row(name, *shares, str(total))
    return table


def spaced(label: str) -> str:
    """A label as words."""
    return label.replace("_", " ")
