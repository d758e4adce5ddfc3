"""DOT, for Graphviz: a drawing of the graph, a cluster a picture.

Nodes say region, distortion, severity and score, and are the greyer the higher their severity.
Comparisons and relations are edges. A drawing is not read back, so labels stand in it as people
read them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from distortion_graph.formats.flat import Row, edge_rows, node_rows
from distortion_graph.graph import SIDES, DistortionGraph, Node, Side

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
    lines += [f"  {_edge(graph, row)}" for row in edge_rows(graph)]
    return "\n".join([*lines, "}", ""])


def _cluster(graph: DistortionGraph, side: Side, rows: list[Row]) -> Iterator[str]:
    yield f"  subgraph cluster_{side} {{"
    yield f"    label={_quoted(side)};"
    vocabulary = graph.vocabulary
    for row in rows:
        node = (
            None if row["position"] is None else graph.regions[int(str(row["position"]))].node(side)
        )
        attributes = {"label": "\n".join(_node_lines(graph, row, node))}
        if node is not None:
            known = not graph.is_uncertain(node)
            level = vocabulary.severity_index(node.severity.label) if known else 0
            black = _DARKEST * level // (len(vocabulary.severities) - 1)
            attributes["fillcolor"] = f"gray{100 - black}"
        yield f"    {_quoted(str(row['node']))} {_listed(attributes)};"
    yield "  }"


def _node_lines(graph: DistortionGraph, row: Row, node: Node | None) -> Iterator[str]:
    if node is None:
        yield "scene"
    else:
        yield f"{row['region']} {_one_line(str(row['name']))}"
        yield _one_line(graph.text_of(node))
    if row["score"] is not None:
        yield str(round(float(str(row["score"])), _DECIMALS))


def _edge(graph: DistortionGraph, row: Row) -> str:
    attributes = {}
    if row["label"] is not None:
        label = str(row["label"])
        said = label if row["kind"] == "relation" else graph.vocabulary.in_words(label)
        attributes["label"] = _one_line(said)
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
