"""The page of a batch: its tables, distributions and pairs, made of what is in the folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

from distortion_graph.base.vocabulary import Vocabulary
from distortion_graph.batch.pairs import METHOD
from distortion_graph.batch.results import part_rows
from distortion_graph.batch.rows import DONE
from distortion_graph.batch.summary import Summary, plain_tables
from distortion_graph.batch.worker import graph_name, report_name
from distortion_graph.report.html.dashboard import COLUMNS, Chart, PlainTable, dashboard_page

_CHARTS = (
    ("The anchor is", "comparison"),
    ("Distortion of the target", "distortion"),
    ("Severity in the target", "severity"),
    ("Method", "method"),
    ("Folder", "folder"),
    ("Status", "status"),
)
_MOST_BARS = 16


def dashboard(out: Path, summary: Summary, vocabulary: Vocabulary, by: str = METHOD) -> str:
    """The page as text."""
    labels = _labels(out)
    rows = [_row(out, row, labels, by) for row in part_rows(out, "pairs")]
    failed = sum(method.failed for method in summary.methods)
    total = sum(method.pairs for method in summary.methods)
    named = [*vocabulary.distortions, *vocabulary.severities, *vocabulary.comparison_labels]
    return dashboard_page(
        f"{total} pairs",
        _sentence(rows, total, failed),
        [PlainTable(*table) for table in plain_tables(summary)],
        [chart for title, column in _CHARTS if (chart := _chart(title, column, rows)).bars],
        rows,
        {label: vocabulary.in_words(label) for label in dict.fromkeys(named)},
        "Scores are predicted; evidence is measured. Tables: pairs/*.parquet, regions/*.parquet.",
    )


def _labels(out: Path) -> dict[str, tuple[list[str], list[str]]]:
    """Pair → distortions and severities of the target's regions, each once, most frequent first."""
    found: dict[str, tuple[Counter[str], Counter[str]]] = {}
    columns = ["pair", "target_distortion", "target_severity"]
    for row in part_rows(out, "regions", columns):
        if row["target_distortion"] is not None:
            counts = found.setdefault(row["pair"], (Counter(), Counter()))
            counts[0][row["target_distortion"]] += 1
            counts[1][row["target_severity"]] += 1
    return {
        pair: ([d for d, _ in a.most_common()], [s for s, _ in b.most_common()])
        for pair, (a, b) in found.items()
    }


def _row(
    out: Path,
    row: Mapping[str, Any],
    labels: Mapping[str, tuple[list[str], list[str]]],
    by: str,
) -> list[Any]:
    distortions, severities = labels.get(row["id"], ([], []))
    facts = {
        **{name: row.get(name) for name in COLUMNS},
        "folder": str(PurePosixPath(row["target"].replace("\\", "/")).parent),
        "method": None if row.get(by) is None else str(row[by]),
        "distortion": distortions,
        "severity": severities,
        "href": _href(out, row["id"]) if row["status"] == DONE else None,
    }
    return [_short(facts[name]) for name in COLUMNS]


def _href(out: Path, pair_id: str) -> str | None:
    """The report of a pair, or else its graph, where there is one."""
    for name in (report_name(pair_id), graph_name(pair_id)):
        if (out / name).is_file():
            return quote(name)
    return None


def _chart(title: str, column: str, rows: Sequence[Sequence[Any]]) -> Chart:
    place, counts = COLUMNS.index(column), Counter[str]()
    for row in rows:
        value = row[place]
        counts.update(value if isinstance(value, list) else [] if value is None else [value])
    # One bar says nothing.
    return Chart(title, column, counts.most_common(_MOST_BARS) if len(counts) > 1 else [])


def _sentence(rows: Sequence[Sequence[Any]], total: int, failed: int) -> str:
    place = COLUMNS.index("margin")
    margins = [row[place] for row in rows if row[place] is not None]
    mean = (
        f"; the anchor is ahead by {sum(margins) / len(margins):.3f} on average" if margins else ""
    )
    lost = f"{failed} failed" if failed else "none failed"
    return f"{total} pairs were compared, {lost}{mean}."


def _short(value: Any) -> Any:
    return round(value, 4) if isinstance(value, float) else value
