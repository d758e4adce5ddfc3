"""What a person says of a region, beside what the model says of it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, TypeAlias

from pydantic import AwareDatetime, BeforeValidator, model_validator

from distortion_graph.base.vocabulary import Vocabulary
from distortion_graph.graph.basis import Part, Text


def _moment(value: Any) -> Any:
    """The moment of an ISO text; pydantic would take numbers too, whose unit nobody knows."""
    if not isinstance(value, str | datetime):
        raise ValueError("expected a date and time such as 2026-11-30T12:00:00Z")
    return datetime.fromisoformat(value) if isinstance(value, str) else value


Moment: TypeAlias = Annotated[AwareDatetime, BeforeValidator(_moment)]
"""A date and time with its offset from UTC, ISO 8601."""


class NodeJudgement(Part):
    """What a person says of a region in one picture; null is what they did not say.

    Both are labels of the graph's vocabulary.
    """

    distortion: Text | None = None
    severity: Text | None = None


class Judgement(Part):
    """What a person says of a region: its nodes, and the anchor against the target.

    `by` is a pseudonym, null where nobody said who; `at` is when. What the person did not say is
    null, and one thing at least is said. Labels are those of the graph's vocabulary.
    """

    by: Text | None = None
    at: Moment | None = None
    anchor: NodeJudgement = NodeJudgement()
    target: NodeJudgement = NodeJudgement()
    comparison: Text | None = None

    @model_validator(mode="after")
    def _check(self) -> Judgement:
        if self.comparison is None and self.anchor == self.target == NodeJudgement():
            raise ValueError(
                "nothing is judged, expected a distortion, a severity or a comparison (or null)"
            )
        return self

    def swapped(self, vocabulary: Vocabulary) -> Judgement:
        """The same with anchor and target exchanged and the comparison mirrored."""
        mirrored = self.comparison
        if mirrored is not None:
            mirrored = vocabulary.comparison_labels[::-1][vocabulary.comparison_index(mirrored)]
        return self.model_copy(
            update={"anchor": self.target, "target": self.anchor, "comparison": mirrored}
        )
