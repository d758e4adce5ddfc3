"""From a score to the mean opinion that people are expected to give, a map per distortion.

At one opinion different distortions have different scores, so each has a map of its own. The maps
are fitted to people's opinions elsewhere and stand in the model's manifest:

    {"common": [[0.2, 0.1], [0.9, 0.8]], "by_distortion": {"blur": [[0.3, 0.1], [1.0, 0.9]]}}
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, TypeAlias

import numpy as np
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict

from distortion_graph.base.vocabulary import FrozenMap, Vocabulary, frozen_map

Unit: TypeAlias = Annotated[float, Strict(), Field(ge=0, le=1, allow_inf_nan=False)]
Point: TypeAlias = tuple[Unit, Unit]


def _rising(points: tuple[Point, ...]) -> tuple[Point, ...]:
    if not points:
        raise ValueError("expected at least one point [score, opinion]")
    for before, after in pairwise(points):
        if after[0] <= before[0] or after[1] < before[1]:
            raise ValueError(
                f"{list(after)} after {list(before)}, expected [score, opinion] with rising scores "
                "and opinions that never fall"
            )
    return points


OpinionMap: TypeAlias = Annotated[tuple[Point, ...], AfterValidator(_rising)]
"""One or more points (score, opinion) in [0, 1], scores rising and opinions never falling.

Between them the map is linear, beyond the outermost ones constant.
"""


class OpinionMaps(BaseModel):
    """The common map, and those of the distortions that have one of their own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    common: OpinionMap
    by_distortion: Annotated[Mapping[str, OpinionMap], AfterValidator(frozen_map)] = FrozenMap()

    def of_picture(self, score: float, shares: Mapping[str, float]) -> float:
        """The opinion in [0, 1] of a whole picture: those of its labels, by the area of each.

        Where the shares do not sum to 1, the common map has the rest. The sum is exact, so the
        order of the labels changes no bit.
        """
        parts = [area * self.opinion(score, label) for label, area in shares.items()]
        rest = max(0.0, 1 - math.fsum(shares.values()))
        return min(1.0, math.fsum([*parts, rest * self.opinion(score)]))

    def opinion(self, score: float, distortion: str | None = None) -> float:
        """The opinion in [0, 1] of a region with that label.

        A distortion that has no map of its own gets the common one. Of one label, a higher score
        never has a lower opinion.
        """
        own = self.common if distortion is None else self.by_distortion.get(distortion)
        scores, opinions = zip(*(own or self.common), strict=True)
        return float(np.interp(score, scores, opinions))

    def check_labels(self, vocabulary: Vocabulary) -> None:
        """Raise VocabularyError for a map of a distortion that the vocabulary does not have."""
        for label in self.by_distortion:
            vocabulary.distortion_index(label)
