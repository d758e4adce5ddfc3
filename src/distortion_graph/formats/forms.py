"""A graph in any form: its text, or its files."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from distortion_graph.base.errors import OutputError
from distortion_graph.formats.losses import Form
from distortion_graph.graph import DistortionGraph

TABLE_FORMS: tuple[Form, ...] = ("csv", "parquet")
"""Forms of two files, nodes and edges."""

_MODULES: dict[Form, str] = {
    "published": "published",
    "node-link": "network",
    "coco": "coco",
    "json-ld": "json_ld",
    "label-studio": "label_studio",
}
"""Forms of JSON and the modules whose `dumps` writes them with an indent."""


def graph_text(graph: DistortionGraph, form: Form) -> str:
    """The text of a file in that form, for people to read as well, with a line end.

    Raises OutputError for tables, which are two files, and GraphError where a form needs a fact
    that the graph does not have.
    """
    if form in TABLE_FORMS:
        raise OutputError(f"{form} is two files, nodes and edges: expected --out FILE")
    if form == "native":
        return graph.to_json(indent=1) + "\n"
    text: str
    if form in _MODULES:
        text = import_module(f"distortion_graph.formats.{_MODULES[form]}").dumps(graph, indent=1)
    else:
        text = import_module(f"distortion_graph.formats.{form}").dumps(graph)
    return text.rstrip("\n") + "\n"


def output_paths(out: Path, form: Form) -> list[Path]:
    """The files that a graph in that form is written to: `t.csv` → t.nodes.csv, t.edges.csv."""
    if form not in TABLE_FORMS:
        return [out]
    stem = out.name.removesuffix(f".{form}")
    return [out.with_name(f"{stem}.{table}.{form}") for table in ("nodes", "edges")]


def graph_files(
    graph: DistortionGraph, form: Form, out: Path, *, spreadsheet: bool = False
) -> list[tuple[Path, bytes]]:
    """What to write where, for `base.files.atomic_write_all`; raises as `graph_text` does.

    `spreadsheet` is of CSV: as `tables.to_spreadsheet` writes it.

    Raises OutputError where what writes Parquet is missing.
    """
    if form not in TABLE_FORMS:
        return [(out, graph_text(graph, form).encode("utf-8"))]
    from distortion_graph.formats import tables

    named_tables = [tables.table_of(graph, name) for name in tables.TABLES]
    if form == "parquet":
        data = [tables.to_parquet(table) for table in named_tables]
    elif spreadsheet:
        data = [tables.to_spreadsheet(table) for table in named_tables]
    else:
        data = [tables.to_csv(table).encode("utf-8") for table in named_tables]
    return list(zip(output_paths(out, form), data, strict=True))
