"""A graph file in either form, native or published."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from distortion_graph.errors import GraphError
from distortion_graph.formats import published
from distortion_graph.graph import DistortionGraph, load_graph, parse_json
from distortion_graph.vocabulary import DEFAULT_VOCABULARY, Vocabulary

Form = Literal["native", "published"]


def read_graph(path: Path, vocabulary: Vocabulary = DEFAULT_VOCABULARY) -> DistortionGraph:
    """A graph from a file; the form that it is in is recognised.

    `vocabulary` is that of a published graph, which says nothing of its own. Raises GraphError.
    """
    return read_graph_and_form(path, vocabulary)[0]


def read_graph_and_form(
    path: Path, vocabulary: Vocabulary = DEFAULT_VOCABULARY
) -> tuple[DistortionGraph, Form]:
    """A graph as `read_graph` gives it, and the form that it was in."""
    try:
        value = parse_json(path.read_bytes(), str(path))
    except (OSError, ValueError) as e:
        if isinstance(e, GraphError):
            raise
        return load_graph(path), "native"  # which says what is wrong with the file
    if isinstance(value, dict) and "schema" not in value and "art" in value:
        return published.from_published(value, vocabulary, where=str(path)), "published"
    return load_graph(path), "native"
