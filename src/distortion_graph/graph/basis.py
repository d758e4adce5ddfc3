"""What all parts of a graph are made of: their base, numbers and texts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict

from distortion_graph.base.vocabulary import frozen_map

Whole: TypeAlias = Annotated[int, Strict(), Field(ge=0)]
Size: TypeAlias = Annotated[int, Strict(), Field(ge=1)]
Number: TypeAlias = Annotated[float, Strict()]
Share: TypeAlias = Annotated[float, Strict(), Field(ge=0, le=1)]
Shares: TypeAlias = Annotated[Mapping[str, Share], AfterValidator(frozen_map)]
Sha256: TypeAlias = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Text: TypeAlias = Annotated[str, Field(min_length=1)]


class Part(BaseModel):
    """Base of every part of a graph: frozen, finite numbers only, unknown keys refused."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, serialize_by_alias=True
    )
