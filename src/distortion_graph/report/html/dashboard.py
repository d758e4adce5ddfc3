"""Many pairs on one page: a table per method, distributions, and a list of all pairs.

Only the rows in sight are built by the page's script, so that ten thousand pairs stay smooth.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from distortion_graph.report.html.document import asset, document
from distortion_graph.report.html.view import script_json
from distortion_graph.report.wording import printable

COLUMNS = (
    "id",
    "folder",
    "method",
    "status",
    "reason",
    "comparison",
    "margin",
    "worst_margin",
    "anchor_score",
    "target_score",
    "distortion",
    "severity",
    "href",
)
"""Of a pair's row; `distortion` and `severity` are lists, of the target's regions."""


@dataclass(frozen=True)
class Chart:
    """How many pairs have each value of a column, the most frequent first."""

    title: str
    column: str
    bars: Sequence[tuple[str, int]]


@dataclass(frozen=True)
class PlainTable:
    """A table of texts with a title."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


def dashboard_page(
    title: str,
    summary: str,
    tables: Sequence[PlainTable],
    charts: Sequence[Chart],
    rows: Sequence[Sequence[Any]],
    labels: Mapping[str, str],
    footer: str = "",
) -> str:
    """The page as text.

    `rows` have the `COLUMNS`, one row per pair; `labels` are the words for labels of a vocabulary.
    """
    script = asset("dashboard.js")
    data = {
        "columns": COLUMNS,
        "rows": rows,
        "labels": labels,
        "charts": [
            {"title": chart.title, "column": chart.column, "bars": chart.bars} for chart in charts
        ],
    }
    return document(
        asset("dashboard.html"),
        title=escape(printable(title)),
        style=map(asset, ("table.css", "report.css", "dashboard.css")),
        summary=escape(printable(summary)),
        tables="\n".join(map(_table, tables)),
        footer=escape(printable(footer)),
        data=script_json(data),
        script=script,
    )


def _table(table: PlainTable) -> str:
    head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in table.head)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in table.rows
    )
    label = escape(table.title, quote=True)
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{label}">'
        f"<table><caption>{escape(table.title)}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>"
    )
