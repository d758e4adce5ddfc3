"""DOT, for Graphviz: a drawing of the graph, a cluster a picture.

Nodes say region, distortion, severity and score, and are the greyer the higher their severity.
Comparisons and relations are edges. A drawing is not read back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from distortion_graph.formats.flat import Row, edge_rows, node_rows
from distortion_graph.graph import SIDES, DistortionGraph, Side

_DECIMALS = 4
_DARKEST = 45  # percent of black of the highest severity, on which black text is still read
# Graphviz writes `&lt;` as `<`; an ampersand that begins no such name stays as it is.
_ENTITY = re.compile(r"&(?=#?\w+;)")


def dumps(graph: DistortionGraph) -> str:
    """The text of a DOT file."""
    nodes = list(node_rows(graph))
    lines = [
        "digraph distortion_graph {",
        "  rankdir=LR;",
        '  node [shape=box, style=filled, fillcolor=white, fontname="sans-serif"];',
        '  edge [fontname="sans-serif"];',
    ]
    for side in SIDES:
        lines += _cluster(graph, side, [row for row in nodes if row["side"] == side])
    lines += [f"  {line}" for line in map(_edge, edge_rows(graph))]
    return "\n".join([*lines, "}", ""])


def _cluster(graph: DistortionGraph, side: Side, rows: list[Row]) -> Iterator[str]:
    yield f"  subgraph cluster_{side} {{"
    yield f"    label={_quoted(side)};"
    for row in rows:
        attributes = {"label": "\n".join(_node_lines(row))}
        if row["kind"] == "region":
            level = graph.vocabulary.severity_index(str(row["severity"]))
            black = _DARKEST * level // (len(graph.vocabulary.severities) - 1)
            attributes["fillcolor"] = f"gray{100 - black}"
        yield f"    {_quoted(str(row['node']))} {_listed(attributes)};"
    yield "  }"


def _node_lines(row: Row) -> Iterator[str]:
    if row["kind"] == "region":
        yield f"{row['region']} {_one_line(str(row['name']))}"
        yield f"{_one_line(str(row['distortion']))}, {_one_line(str(row['severity']))}"
    else:
        yield "scene"
    if row["score"] is not None:
        yield str(round(float(str(row["score"])), _DECIMALS))


def _edge(row: Row) -> str:
    attributes = {} if row["label"] is None else {"label": _one_line(str(row["label"]))}
    # Relations leave their picture as it is; only comparisons decide what stands left and right.
    if row["kind"] == "relation":
        attributes |= {"style": "dashed", "constraint": "false"}
    ends = " -> ".join(_quoted(str(row[end])) for end in ("source", "target"))
    return f"{ends} {_listed(attributes)};" if attributes else f"{ends};"


def _listed(attributes: dict[str, str]) -> str:
    return "[" + ", ".join(f"{key}={_quoted(text)}" for key, text in attributes.items()) + "]"


def _one_line(text: str) -> str:
    """Text without characters that steer, which DOT cannot hold."""
    return "".join(c if c.isprintable() else " " for c in text)


def _quoted(text: str) -> str:
    r"""A DOT string of lines: quotes, backslashes (`\N` has a meaning) and entities are escaped."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{_ENTITY.sub("&amp;", escaped)}"'
