"""What a batch writes of each pair: a row per pair and a row per region, as Arrow tables.

The schemas are documented in docs/batch.md and carry `SCHEMA` as metadata. Probabilities of all
labels stand in the graph's JSON alone, which is a column where it is asked for.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from distortion_graph.base.errors import BatchError
from distortion_graph.batch.pairs import Cell, PairTask
from distortion_graph.graph import (
    SIDES,
    ComparisonBelief,
    Difference,
    DistortionGraph,
    Evidence,
    Node,
)

if TYPE_CHECKING:
    import pyarrow

Row: TypeAlias = dict[str, Any]

SCHEMA = "distortion-graph batch 1"
DONE, FAILED = "done", "failed"

_COMPARED: Mapping[str, type] = {
    "comparison": str,
    "rank": int,
    "probability": float,
    "margin": float,
    "psnr_db": float,
    "ssim": float,
    "haarpsi": float,
    "delta_e": float,
    "differs": float,
    "equal": float,
}
PAIR_COLUMNS: Mapping[str, type] = {
    "id": str,
    "status": str,
    "reason": str,
    "anchor": str,
    "target": str,
    "reference": str,
    "scores": str,
    "anchor_sha256": str,
    "target_sha256": str,
    "anchor_width": int,
    "anchor_height": int,
    "target_width": int,
    "target_height": int,
    "alignment": str,
    "residual_px": float,
    "overlap": float,
    "alignment_confidence": float,
    "same_scene": float,
    "anchor_score": float,
    "target_score": float,
    "anchor_opinion": float,
    "target_opinion": float,
    **_COMPARED,
    "regions": int,
    "regions_better": int,
    "regions_same": int,
    "regions_worse": int,
    "regions_alone": int,
    "worst_margin": float,
    "warnings": list,
}
"""Of the `pairs` table; columns of the list of pairs stand after them, and `graph` last.

`scores` are "predicted" or "measured". `better` is the anchor. `worst_margin` is the region's that
is farthest from 0, signed.
"""
_NODE: Mapping[str, type] = {
    "distortion": str,
    "distortion_probability": float,
    "severity": str,
    "severity_probability": float,
    "score": float,
    "known": float,
    "opinion": float,
    "also": str,
}
REGION_COLUMNS: Mapping[str, type] = {
    "pair": str,
    "region": int,
    "name": str,
    "area_fraction": float,
    "valid": float,
    "alone": str,
    **{f"{side}_{fact}": kind for side in SIDES for fact, kind in _NODE.items()},
    **_COMPARED,
}
"""Of the `regions` table; `pair` is the pair's id, `alone` the one picture that has the region."""


def pair_row(pair: PairTask, graph: DistortionGraph, warnings: Sequence[str]) -> Row:
    """The row of a pair that was compared."""
    scene, alignment = graph.scene, graph.alignment
    ranks = [_rank(graph, region.comparison) for region in graph.regions]
    margins = [m for region in graph.regions if (m := region.comparison.margin) is not None]
    row: Row = {
        **_names(pair),
        "status": DONE,
        "scores": None if graph.scores is None else graph.scores.source,
        "regions": len(graph.regions),
        "regions_better": sum(rank > 0 for rank in ranks),
        "regions_same": sum(rank == 0 for rank in ranks),
        "regions_worse": sum(rank < 0 for rank in ranks),
        "regions_alone": len(graph.alone),
        "worst_margin": max(margins, key=abs, default=None),
        "warnings": list(warnings),
    }
    for side in SIDES:
        info = graph.picture_of(side)
        row |= {f"{side}_sha256": info.sha256, f"{side}_width": info.width}
        row[f"{side}_height"] = info.height
        if scene is not None:
            node = scene.anchor if side == "anchor" else scene.target
            row |= {f"{side}_score": node.score, f"{side}_opinion": node.opinion}
    if alignment is not None:
        row |= {
            "alignment": alignment.model,
            "residual_px": alignment.residual_px,
            "overlap": alignment.overlap,
            "alignment_confidence": alignment.confidence,
            "same_scene": alignment.same_scene,
        }
    if scene is not None:
        row |= _compared(graph, scene.comparison, scene.evidence, scene.differs)
    return row | dict(pair.columns)


def failed_row(pair: PairTask, reason: str) -> Row:
    """The row of a pair that could not be compared, with the reason in one line."""
    return {**_names(pair), "status": FAILED, "reason": reason, "warnings": [], **pair.columns}


def region_rows(pair: PairTask, graph: DistortionGraph) -> list[Row]:
    """A row per region of a pair, those of one picture last."""
    rows: list[Row] = []
    for region in graph.regions:
        rows.append(
            {
                "pair": pair.id,
                "region": region.id,
                "name": region.name,
                "area_fraction": region.area_fraction,
                "valid": region.valid,
                **_node("anchor", region.anchor),
                **_node("target", region.target),
                **_compared(graph, region.comparison, region.evidence, region.differs),
            }
        )
    for lone in graph.alone:
        rows.append(
            {
                "pair": pair.id,
                "region": lone.id,
                "name": lone.name,
                "area_fraction": lone.area_fraction,
                "valid": lone.valid,
                "alone": lone.side,
                **_node(lone.side, lone.node),
            }
        )
    return rows


def further_columns(pairs: Sequence[PairTask]) -> dict[str, type]:
    """Columns of a list of pairs that are carried through, with the type that holds all of them.

    Raises BatchError for a name that the results have themselves.
    """
    found: dict[str, type] = {}
    for pair in pairs:
        for name, value in pair.columns.items():
            if name in PAIR_COLUMNS or name == "graph":
                raise BatchError(
                    f"column {name!r} of the list of pairs: the results have a column of that "
                    "name, expected another one"
                )
            found[name] = _wider(found.get(name), value)
    return {name: str if kind is type(None) else kind for name, kind in found.items()}


def arrow_table(rows: Sequence[Row], columns: Mapping[str, type]) -> pyarrow.Table:
    """Rows as an Arrow table of such columns; what a row does not say is null."""
    import pyarrow

    kinds = {
        str: pyarrow.string(),
        int: pyarrow.int64(),
        float: pyarrow.float64(),
        bool: pyarrow.bool_(),
        list: pyarrow.list_(pyarrow.string()),
    }
    schema = pyarrow.schema(
        [pyarrow.field(name, kinds[kind]) for name, kind in columns.items()],
        metadata={"schema": SCHEMA},
    )
    lists = {name: [_as(kind, row.get(name)) for row in rows] for name, kind in columns.items()}
    return pyarrow.Table.from_pydict(lists, schema=schema)


def _names(pair: PairTask) -> Row:
    return {
        "id": pair.id,
        "anchor": pair.anchor,
        "target": pair.target,
        "reference": pair.reference,
    }


def _node(side: str, node: Node) -> Row:
    also = [further.model_dump() for further in node.also]
    facts = {
        "distortion": node.distortion.label,
        "distortion_probability": node.distortion.probability,
        "severity": node.severity.label,
        "severity_probability": node.severity.probability,
        "score": node.score,
        "known": node.known,
        "opinion": node.opinion,
        "also": json.dumps(also, separators=(",", ":")) if also else None,
    }
    return {f"{side}_{fact}": value for fact, value in facts.items()}


def _compared(
    graph: DistortionGraph,
    comparison: ComparisonBelief | None,
    evidence: Evidence | None,
    differs: Difference | None,
) -> Row:
    row: Row = {}
    if comparison is not None:
        row |= {
            "comparison": comparison.label,
            "rank": _rank(graph, comparison),
            "probability": comparison.probability,
            "margin": comparison.margin,
        }
    if evidence is not None:
        row |= {key: getattr(evidence, key) for key in ("psnr_db", "ssim", "haarpsi", "delta_e")}
        row |= dict(evidence.more)
    if differs is not None:
        row |= {"differs": differs.share, "equal": differs.equal}
    return row


def _rank(graph: DistortionGraph, comparison: ComparisonBelief) -> int:
    vocabulary = graph.vocabulary
    return vocabulary.comparisons[vocabulary.comparison_index(comparison.label)].rank


def _wider(known: type | None, value: Cell) -> type:
    """The type of a column that holds such values and this one; text holds anything."""
    kind = known or type(value)
    if value is None:
        return known or type(None)
    if kind in (type(None), type(value)):
        return type(value)
    return float if {kind, type(value)} == {int, float} else str


def _as(kind: type, value: Any) -> Any:
    if value is None or kind is list:
        return value
    return str(value) if kind is str else kind(value)
