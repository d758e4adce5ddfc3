"""What the page needs for judging: what is said already, and the graph that is saved with it."""

from __future__ import annotations

import base64
import gzip
from pathlib import PurePath
from typing import Any

from distortion_graph.graph import SIDES, DistortionGraph, ImageInfo, Judgement
from distortion_graph.report.wording import printable


def judgement_view(graph: DistortionGraph, judged: Judgement) -> dict[str, Any]:
    """A judgement with labels as positions, null where nothing is said."""
    vocabulary = graph.vocabulary

    def place(label: str | None, index: Any) -> int | None:
        return None if label is None else int(index(label))

    return {
        "by": judged.by and printable(judged.by),
        "at": judged.at and judged.at.isoformat(),
        "nodes": [
            {
                "distortion": place(getattr(judged, side).distortion, vocabulary.distortion_index),
                "severity": place(getattr(judged, side).severity, vocabulary.severity_index),
            }
            for side in SIDES
        ],
        "comparison": place(judged.comparison, vocabulary.comparison_index),
    }


def packed_graph(graph: DistortionGraph) -> str:
    """The graph's native JSON, gzip in base64; of sources the file names alone.

    A report is sent to others: it tells no folder of whoever made it.
    """
    changed: dict[str, Any] = {side: _named(graph.picture_of(side)) for side in SIDES}
    if graph.reference is not None and graph.reference.picture is not None:
        picture = _named(graph.reference.picture)
        changed["reference"] = graph.reference.model_copy(update={"picture": picture})
    text = graph.model_copy(update=changed).to_json()
    return base64.b64encode(gzip.compress(text.encode("utf-8"), mtime=0)).decode("ascii")


def _named(info: ImageInfo) -> ImageInfo:
    return info.model_copy(update={"source": PurePath(info.source).name if info.source else None})
