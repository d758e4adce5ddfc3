"""Further metrics in a graph: what they are, and their values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field

from distortion_graph.base.vocabulary import frozen_map
from distortion_graph.graph.basis import Number, Part, Text


class MetricInfo(Part):
    """A further metric that evidence was measured by, and the terms of its code.

    `range` is the lowest and the highest value, null where there is no bound; `pooling` says how a
    region's value comes from the metric's maps.
    """

    name: Annotated[str, Field(pattern="^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
    version: Text
    licence: Text
    range: tuple[Number | None, Number | None]
    direction: Literal["higher_is_better", "lower_is_better"]
    pooling: Text | None = None


MetricInfos: TypeAlias = Annotated[
    tuple[MetricInfo, ...],
    BeforeValidator(
        lambda value: () if value is None else value,
        json_schema_input_type=tuple[MetricInfo, ...] | None,
    ),
]
"""Further metrics; null is read as none."""

MetricValues: TypeAlias = Annotated[
    Mapping[str, Number | None],
    BeforeValidator(
        lambda value: {} if value is None else value,
        json_schema_input_type=Mapping[str, Number | None] | None,
    ),
    AfterValidator(frozen_map),
]
"""Values of further metrics by name, null where a metric says nothing; null is read as none."""
