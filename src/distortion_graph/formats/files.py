"""A graph file in either form, native or published; a vocabulary's file."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from distortion_graph.errors import GraphError, VocabularyError
from distortion_graph.formats import published
from distortion_graph.graph import DistortionGraph, load_graph, parse_json
from distortion_graph.graph_checks import validation_line
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
