"""A ranking as one table: a row per candidate in each region, and as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from distortion_graph.formats.tables import Table
from distortion_graph.graph import Node, SceneNode
from distortion_graph.ranking.parts import Ranking, Standing
from distortion_graph.ranking.wording import why

COLUMNS: dict[str, type] = {
    "region": int,
    "region_name": str,
    "area_fraction": float,
    "candidate": str,
    "source": str,
    "place": int,
    "by": str,
    "value": float,
    "low": float,
    "high": float,
    "behind": float,
    "score": float,
    "opinion": float,
    "distortion": str,
    "distortion_probability": float,
    "severity": str,
    "severity_probability": float,
    "what": str,
    "valid": float,
    "size_bytes": int,
    "bits_per_pixel": float,
    "ladder": str,
}
"""Names and types. A row without a region is the whole picture; `what` is what people read. Further
metrics have a column each, such as `more.flip`.
"""


def table_of(ranking: Ranking) -> Table:
    """The table; what is not known is None."""
    columns = COLUMNS | {f"more.{metric.name}": float for metric in ranking.metrics}
    return Table(columns, [[row.get(name) for name in columns] for row in _rows(ranking)])


def _rows(ranking: Ranking) -> Iterator[dict[str, Any]]:
    for whole in ranking.scene:
        yield _row(ranking, whole, whole.node)
    for region in ranking.regions:
        for standing in region.standings:
            yield {
                "region": region.id,
                "region_name": region.name,
                "area_fraction": region.area_fraction,
                "valid": standing.valid,
                **_row(ranking, standing, standing.node),
            }


def _row(ranking: Ranking, standing: Standing, node: Node | SceneNode | None) -> dict[str, Any]:
    candidate = ranking.candidate(standing.candidate)
    low, high = standing.interval or (None, None)
    return {
        "candidate": standing.candidate,
        "source": candidate.picture.source,
        "place": standing.place,
        "by": ranking.by,
        "value": standing.value,
        "low": low,
        "high": high,
        "behind": standing.behind,
        "score": None if node is None else node.score,
        "opinion": None if node is None else node.opinion,
        "what": why(ranking, node),
        "size_bytes": candidate.size_bytes,
        "bits_per_pixel": candidate.bits_per_pixel,
        "ladder": candidate.ladder,
        **{f"more.{name}": value for name, value in standing.more.items()},
        **(_labels(node) if isinstance(node, Node) else {}),
    }


def _labels(node: Node) -> dict[str, Any]:
    return {
        "distortion": node.distortion.label,
        "distortion_probability": node.distortion.probability,
        "severity": node.severity.label,
        "severity_probability": node.severity.probability,
    }
