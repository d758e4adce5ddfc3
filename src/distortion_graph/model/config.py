"""Size and vocabulary of a network; saved beside its weights."""

from __future__ import annotations

from dataclasses import dataclass

from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY, Vocabulary


@dataclass(frozen=True)
class NetworkConfig:
    """What is needed to build a network before its weights are loaded.

    `width` is the size of a region's vector, `layers` and `heads` shape the attention between
    regions. Thresholds and label counts come from the vocabulary.
    """

    vocabulary: Vocabulary = DEFAULT_VOCABULARY
    width: int = 256
    layers: int = 1
    heads: int = 4
    dropout: float = 0.1
