"""Size and vocabulary of a network; saved beside its weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY, Vocabulary


@dataclass(frozen=True)
class NetworkConfig:
    """What is needed to build a network before its weights are loaded.

    `width` is the size of a region's vector, `layers` and `heads` shape the attention between
    regions. Thresholds and label counts come from the vocabulary. With `reference` the network is
    told which picture is known to be the original; with `also` it names the further distortions of
    a region. In training `joint_dropout` is the probability that a pair's regions are judged
    without their counterparts: what both pictures show together is hidden then.
    """

    vocabulary: Vocabulary = DEFAULT_VOCABULARY
    width: Annotated[int, Field(ge=1, le=4096)] = 256
    layers: Annotated[int, Field(ge=0, le=64)] = 1
    heads: Annotated[int, Field(ge=1, le=64)] = 4
    dropout: Annotated[float, Field(ge=0, le=1)] = 0.1
    reference: bool = False
    also: bool = False
    joint_dropout: Annotated[float, Field(ge=0, le=1)] = 0.0
