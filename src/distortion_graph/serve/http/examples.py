"""What the OpenAPI shows of requests and answers; a test sends and checks them."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

from fastapi.openapi.models import Example

GRAPH: dict[str, Any] = json.loads(
    files("distortion_graph.serve.http").joinpath("graph_example.json").read_text("utf-8")
)
"""The graph of the example pair, its regions being the whole picture."""

_BYTES = "(the file's bytes)"

COMPARE_EXAMPLES: dict[str, Example] = {
    "two pictures": {
        "summary": "Two pictures, regions found in them",
        "value": {"anchor": _BYTES, "target": _BYTES},
    },
    "grid": {
        "summary": "A grid, measured against the original, with two further metrics",
        "value": {
            "anchor": _BYTES,
            "target": _BYTES,
            "reference": _BYTES,
            "regions": ["grid:3x4"],
            "metric": ["flip", "ssimulacra2"],
            "scale": "fine",
        },
    },
    "masks": {
        "summary": "Masks as a label map with names",
        "value": {"anchor": _BYTES, "target": _BYTES, "regions": [_BYTES, _BYTES]},
    },
}

RANK_EXAMPLES: dict[str, Example] = {
    "encodes": {
        "summary": "Encodes of one original, with their sizes",
        "value": {
            "candidates": [_BYTES, _BYTES, _BYTES],
            "reference": _BYTES,
            "regions": ["whole"],
            "size": True,
        },
    },
}

JOB_EXAMPLES: dict[str, Example] = {
    "one original": {
        "summary": "Two encodes beside their original",
        "value": {
            "files": [_BYTES, _BYTES, _BYTES],
            "pairs": '[{"id": "q50", "anchor": "cat.png", "target": "cat-50.avif"}, '
            '{"id": "q80", "anchor": "cat.png", "target": "cat-80.avif"}]',
            "regions": ["grid:2x2"],
            "evidence": "fast",
        },
    },
}
