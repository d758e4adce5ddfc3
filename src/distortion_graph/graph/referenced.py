"""The parts of a graph that say where its scores come from, and against which original."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import model_validator

from distortion_graph.graph.basis import Part, Text
from distortion_graph.graph.parts import ImageInfo, Side

Role: TypeAlias = Literal["anchor", "target", "third"]
"""Which picture is the original: one of the two, or a third one."""


class ReferenceInfo(Part):
    """The original that both pictures were measured against.

    `picture` is what is known of a third picture, and null where the original is one of the two.
    """

    role: Role
    picture: ImageInfo | None = None

    @model_validator(mode="after")
    def _check(self) -> ReferenceInfo:
        if (self.role == "third") != (self.picture is not None):
            expected = "the third picture" if self.role == "third" else "null"
            raise ValueError(
                f"picture is {'given' if self.picture else 'null'} with the role {self.role!r}, "
                f"expected {expected}"
            )
        return self

    @property
    def side(self) -> Side | None:
        """The side that is the original; None where a third picture is."""
        return None if self.role == "third" else self.role

    def swapped(self) -> ReferenceInfo:
        """The same with anchor and target exchanged."""
        other: dict[Role, Role] = {"anchor": "target", "target": "anchor", "third": "third"}
        return self.model_copy(update={"role": other[self.role]})


class Scores(Part):
    """Where a graph's scores come from.

    `source` is "measured" where a full-reference metric gave them, "predicted" where a model did.
    `metric` is the name of that metric, or of the one that the model imitates; null where nobody
    said.
    """

    metric: Text | None = None
    source: Literal["predicted", "measured"]
