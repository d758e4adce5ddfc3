"""A graph file in any form that can be read; a vocabulary's file."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from distortion_graph.base.errors import GraphError, VocabularyError
from distortion_graph.base.validation import validation_line
from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY, Vocabulary
from distortion_graph.formats import graphml, json_ld, network, published
from distortion_graph.formats.losses import Form
from distortion_graph.graph import DistortionGraph, graph_from_value, load_graph, parse_json


def read_graph(path: Path, vocabulary: Vocabulary = DEFAULT_VOCABULARY) -> DistortionGraph:
    """A graph from a file in any form that can be read; the form is recognised.

    Those are native, published, node-link, GraphML and JSON-LD. `vocabulary` is that of a
    published graph, which says nothing of its own. Raises GraphError.
    """
    return read_graph_and_form(path, vocabulary)[0]


def read_graph_and_form(
    path: Path, vocabulary: Vocabulary = DEFAULT_VOCABULARY
) -> tuple[DistortionGraph, Form]:
    """A graph as `read_graph` gives it, and the form that it was in."""
    where = str(path)
    try:
        data = path.read_bytes()
    except (OSError, ValueError):
        return load_graph(path), "native"  # which says what is wrong with the file
    if data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return graphml.loads(data, where=where), "graphml"
    value = parse_json(data, where)
    if isinstance(value, dict) and "schema" not in value:
        if "art" in value:
            return published.from_published(value, vocabulary, where=where), "published"
        if network.is_node_link(value):
            return network.from_node_link(value, where=where), "node-link"
    if json_ld.is_json_ld(value):
        return json_ld.from_json_ld(value, where=where), "json-ld"
    return graph_from_value(value, where), "native"


def load_vocabulary(path: Path) -> Vocabulary:
    """A vocabulary from its JSON file, or from a file that has one in it.

    Such are a graph, a data set's dataset.json and a model's model.json, with the key
    "vocabulary". Raises VocabularyError, one line, for any other.
    """
    try:
        value = parse_json(path.read_bytes(), str(path))
        if isinstance(value, dict) and "vocabulary" in value:
            value = value["vocabulary"]
        return Vocabulary.model_validate(value)
    except ValidationError as e:
        raise VocabularyError(validation_line(e, f"{path} (vocabulary)", Vocabulary)) from e
    except OSError as e:
        raise VocabularyError(
            f"{path}: cannot be read ({e.strerror}), expected a vocabulary as JSON"
        ) from e
    except GraphError as e:  # no JSON
        raise VocabularyError(str(e)) from e
