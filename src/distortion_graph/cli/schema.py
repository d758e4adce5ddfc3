"""`distortion-graph schema`: the JSON Schema of the native form."""

from __future__ import annotations

from distortion_graph.cli.console import write_json


def schema() -> None:
    """Print the JSON Schema (2020-12) of graphs.

    \b
    Example:
      distortion-graph schema > distortion-graph-1.schema.json
    """
    from distortion_graph.graph import json_schema_text

    write_json(json_schema_text().rstrip("\n"))
