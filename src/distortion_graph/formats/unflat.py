"""A graph of flat rows: the way back from `formats/flat.py`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from distortion_graph.base.errors import GraphError
from distortion_graph.formats.flat import (
    BOX_FACTS,
    DIFFERENCE_FACTS,
    EVIDENCE_FACTS,
    SCENE,
    WHOLE_FACTS,
    node_name,
)
from distortion_graph.graph import SCHEMA, SIDES, DistortionGraph, graph_from_value, parse_json

Facts: TypeAlias = Mapping[str, Any]

_SHARED = ("position", "name", "area_fraction", "valid")
"""Facts of a region that stand in the rows of both its nodes."""


def graph_from_rows(
    whole: Facts, nodes: Iterable[Facts], edges: Iterable[Facts], where: str
) -> DistortionGraph:
    """The graph of rows as `flat` makes them; a fact that is left out is not known.

    Facts that the scheme does not have are passed over: other tools add their own. Raises
    GraphError, one line that begins with `where`, for rows of another scheme or a broken graph.
    """
    if not isinstance(whole.get("schema"), str):
        raise GraphError(
            f"{where}: a graph of another tool: the graph's facts have no 'schema', expected "
            f"{SCHEMA!r} there"
        )
    rows = {row["node"]: row for row in nodes}
    for name, row in rows.items():
        _expect(row, "kind", ("region", SCENE), f"{where}: node {name!r}")
        _expect(row, "side", SIDES, f"{where}: node {name!r}")
    listed = list(edges)
    for row in listed:
        _expect(row, "kind", ("comparison", SCENE, "relation"), _edge_place(where, row))
    value = {"schema": whole["schema"]}
    value |= {key: _json(whole, key, where) for key in WHOLE_FACTS if key in whole}
    value["regions"] = _regions(rows, listed, where)
    value["scene"] = _scene(rows, listed, where)
    value["relations"] = _relations(rows, listed, where)
    return graph_from_value(value, where)


def _regions(
    nodes: Mapping[str, Facts], edges: Iterable[Facts], where: str
) -> list[dict[str, Any]]:
    compared = {row["source"]: row for row in edges if row["kind"] == "comparison"}
    entries: list[tuple[int, dict[str, Any]]] = []
    for name, row in nodes.items():
        if row["kind"] != "region":
            continue
        place, region = f"{where}: node {name!r}", row.get("region")
        if row.get("alone"):
            entries.append((_position(row, place), _alone(row, place)))
            continue
        pair = [node_name(side, str(region)) for side in SIDES]
        if name != node_name(row["side"], str(region)) or pair[0] not in nodes:
            raise GraphError(
                f"{place}: region {region!r:.40}, expected the nodes {' and '.join(pair)}"
            )
        if name == pair[0]:
            target = _partner(nodes, compared, pair, where)
            entry = {key: row.get(key) for key in ("name", "area_fraction", "valid")}
            edge = compared[name]
            entry |= {"id": region, **_compared(edge, where)}
            entry["judged"] = _json(edge, "judged", _edge_place(where, edge))
            entry |= {"anchor": _node(row, None, place), "target": _node(target, row, place)}
            entries.append((_position(row, place), entry))
    return [entry for _, entry in sorted(entries, key=lambda pair: pair[0])]


def _alone(row: Facts, place: str) -> dict[str, Any]:
    """A region that one picture alone has."""
    return {
        "id": row.get("region"),
        **{key: row.get(key) for key in ("name", "area_fraction", "valid")},
        **dict.fromkeys(SIDES),
        row["side"]: _node(row, None, place),
    }


def _partner(
    nodes: Mapping[str, Facts], compared: Mapping[str, Facts], pair: list[str], where: str
) -> Facts:
    """The row of the target's node, which must be there, agree, and be compared."""
    anchor, target = pair
    if target not in nodes:
        raise GraphError(f"{where}: node {anchor!r} has no partner, expected {target!r} beside it")
    for key in _SHARED:
        mine, other = nodes[target].get(key), nodes[anchor].get(key)
        if mine != other:
            raise GraphError(
                f"{where}: node {target!r}: {key} is {mine!r:.60}, but {other!r:.60} at {anchor!r}"
            )
    if anchor not in compared or compared[anchor]["target"] != target:
        raise GraphError(f"{where}: no comparison edge from {anchor!r} to {target!r}")
    return nodes[target]


def _node(row: Facts, anchor: Facts | None, place: str) -> dict[str, Any]:
    """The native node of a row; of the target, without a mask and box that are the anchor's."""
    mask, box = _mask(row), _box(row)
    if anchor is not None:
        mask = None if mask == _mask(anchor) else mask
        box = None if box == _box(anchor) else box
    return {
        "mask": mask,
        "bbox_xywh_px": box,
        **{kind: _belief(row, kind, place) for kind in ("distortion", "severity")},
        **{key: row.get(key) for key in ("score", "known", "opinion")},
        "also": _json(row, "also", place),
    }


def _mask(row: Facts) -> dict[str, Any] | None:
    size = [row.get("mask_height"), row.get("mask_width")]
    counts = row.get("mask_counts")
    return None if counts is None else {"size": size, "counts": counts}


def _box(row: Facts) -> list[Any] | None:
    box = [row.get(key) for key in BOX_FACTS]
    return None if box == [None] * 4 else box


def _belief(row: Facts, kind: str, place: str) -> dict[str, Any]:
    return {
        "label": row.get(kind),
        "probability": row.get(f"{kind}_probability"),
        "probabilities": _json(row, f"{kind}_probabilities", place),
    }


def _compared(row: Facts, where: str) -> dict[str, Any]:
    """The keys `comparison`, `evidence` and `differs` of an edge's row; each may be None."""
    belief = {key: row.get(key) for key in ("label", "probability", "margin")}
    belief["probabilities"] = _json(row, "probabilities", _edge_place(where, row))
    measured = {key: row.get(key) for key in EVIDENCE_FACTS}
    measured["more"] = _json(row, "more", _edge_place(where, row))
    return {
        "comparison": belief if any(v is not None for v in belief.values()) else None,
        "evidence": measured if row.get("measured") else None,
        "differs": _differs(row, _edge_place(where, row)),
    }


def _differs(row: Facts, place: str) -> dict[str, Any] | None:
    if all(row.get(key) is None for key in DIFFERENCE_FACTS):
        return None
    share, equal, height, width = (row.get(key) for key in DIFFERENCE_FACTS[:4])
    spots = _json(row, "spots", place)
    return {"share": share, "equal": equal, "size": [height, width], "spots": spots}


def _scene(nodes: Mapping[str, Facts], edges: Iterable[Facts], where: str) -> dict[str, Any] | None:
    rows = {side: nodes.get(node_name(side, SCENE)) for side in SIDES}
    edge = next((row for row in edges if row["kind"] == SCENE), None)
    parts = [*rows.values(), edge]
    if parts == [None] * 3:
        return None
    if None in parts:
        raise GraphError(
            f"{where}: half a scene, expected the nodes {node_name('anchor', SCENE)!r} and "
            f"{node_name('target', SCENE)!r} and the edge between them"
        )
    scene = {
        side: {
            **{key: (row or {}).get(key) for key in ("score", "opinion")},
            "distortion_share": _json(row or {}, "distortion_share", f"{where}: {side} scene"),
        }
        for side, row in rows.items()
    }
    return scene | _compared(edge or {}, where)


def _relations(
    nodes: Mapping[str, Facts], edges: Iterable[Facts], where: str
) -> list[dict[str, Any]]:
    """The relations in their order; those of both pictures are two edges of one position."""
    entries: dict[int, dict[str, Any]] = {}
    for row in edges:
        if row["kind"] != "relation":
            continue
        place = _edge_place(where, row)
        ends = [nodes.get(row[end], {}).get("region") for end in ("source", "target")]
        if None in ends:
            raise GraphError(f"{place}: expected two nodes of regions")
        relation = {
            "subject": ends[0],
            "predicate": row.get("label"),
            "object": ends[1],
            "image": row.get("image"),
        }
        if entries.setdefault(_position(row, place), relation) != relation:
            raise GraphError(f"{place}: position {row['position']} is that of another relation")
    return [entries[position] for position in sorted(entries)]


def _edge_place(where: str, row: Facts) -> str:
    return f"{where}: edge {row.get('source')} → {row.get('target')}"


def _expect(row: Facts, key: str, allowed: tuple[str, ...], place: str) -> None:
    if row.get(key) not in allowed:
        raise GraphError(f"{place}: {key} is {row.get(key)!r:.60}, expected {' or '.join(allowed)}")


def _position(row: Facts, place: str) -> int:
    position = row.get("position")
    if not isinstance(position, int):
        raise GraphError(f"{place}: position is {position!r:.60}, expected a whole number")
    return position


def _json(row: Facts, key: str, place: str) -> Any:
    """The value of a fact that scalars hold as JSON text."""
    value = row.get(key)
    return parse_json(value, f"{place}: {key}") if isinstance(value, str) else value
