"""Shares of regions with bootstrap intervals over pictures, and tables of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from distortion_graph.bench.resampling import bootstrap_weights, percentile_interval


@dataclass(frozen=True)
class Share:
    """A share of regions, its 95 % interval over pictures, and how many of both there were.

    The interval is None with fewer than two pictures.
    """

    value: float
    interval: tuple[float, float] | None
    regions: int
    pictures: int

    def __str__(self) -> str:
        span = "" if self.interval is None else f" [{self.interval[0]:.2f}, {self.interval[1]:.2f}]"
        return f"{self.value:.3f}{span} ({self.regions})"

    def plain(self) -> dict[str, Any]:
        """Ready for JSON, four decimals."""
        span = self.interval and [round(end, 4) for end in self.interval]
        return {
            "share": round(self.value, 4),
            "interval": span,
            "regions": self.regions,
            "pictures": self.pictures,
        }


@dataclass
class Tally:
    """Regions that are as they should be, and all that were judged, by picture."""

    counts: dict[str, list[int]] = field(default_factory=dict)

    def add(self, picture: str, right: ArrayLike) -> None:
        """Judge some regions of a picture: an array of truth values."""
        hits = np.asarray(right, bool)
        if hits.size:
            row = self.counts.setdefault(picture, [0, 0])
            row[0] += int(hits.sum())
            row[1] += hits.size

    def share(self) -> Share | None:
        """The share over all regions; None where none was judged."""
        if not self.counts:
            return None
        hits, regions = np.array(list(self.counts.values()), float).T
        interval = None
        if len(hits) > 1:
            blocks = bootstrap_weights(len(hits), seed=0)
            interval = percentile_interval(
                np.concatenate([(w @ hits) / (w @ regions) for w in blocks])
            )
        return Share(float(hits.sum() / regions.sum()), interval, int(regions.sum()), len(hits))


class Table:
    """Tallies by row and column."""

    def __init__(
        self, title: str, rows: str, columns: Sequence[str], together: Sequence[str]
    ) -> None:
        """`rows` says what a row is; rows `together` stand last, others in the order they came."""
        self.title, self.rows, self.columns, self.together = title, rows, columns, together
        self.tallies: dict[str, dict[str, Tally]] = {}

    def add(self, rows: Iterable[str], column: str, picture: str, right: ArrayLike) -> None:
        """Judge regions of a picture, in several rows at once."""
        for row in rows:
            self.tallies.setdefault(row, {}).setdefault(column, Tally()).add(picture, right)

    def shares(self) -> dict[str, dict[str, Share]]:
        """Row → column → share, without cells in which nothing was judged."""
        last = [row for row in self.together if row in self.tallies]
        found: dict[str, dict[str, Share]] = {}
        for row in [*(row for row in self.tallies if row not in last), *last]:
            cells = {
                c: self.tallies[row][c].share() for c in self.columns if c in self.tallies[row]
            }
            found[row] = {column: share for column, share in cells.items() if share}
        return found


def markdown(
    title: str, rows: str, columns: Sequence[str], cells: Mapping[str, Mapping[str, object]]
) -> str:
    """A table in Markdown; a cell that is not there is a dash."""
    lines = [f"**{title}**", "", f"| {rows} | " + " | ".join(columns) + " |"]
    lines.append("|---" * (1 + len(columns)) + "|")
    for name, row in cells.items():
        shown = (str(row[c]) if c in row else "–" for c in columns)
        lines.append(f"| {name} | " + " | ".join(shown) + " |")
    return "\n".join(lines) + "\n"
