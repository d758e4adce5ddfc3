"""What every level of a distortion costs in score: how much a picture must lose to count as hurt.

The figures are measured (`benchmarks/level_losses.py`) and lie beside this file as JSON.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from distortion_graph.base.errors import RecipeError
from distortion_graph.synth.distort.registry import SUBTYPES

FILE = "level_losses.json"


@dataclass(frozen=True)
class LevelLosses:
    """Median losses at levels 1 to 5, the weakest first.

    A loss is 1 − HaarPSI of the distorted picture over the whole frame. `by_type` has a row for
    every distortion type, over the sub-types that are drawn; `by_subtype` one for every
    "type:sub-type" of the published table.
    """

    by_type: Mapping[str, tuple[float, ...]]
    by_subtype: Mapping[str, tuple[float, ...]]

    def least(self, distortion: str) -> float:
        """The smallest loss that counts as this type: half of level 1's.

        Raises RecipeError for an unknown type.
        """
        if distortion not in self.by_type:
            known = ", ".join(self.by_type)
            raise RecipeError(f"unknown distortion type {distortion!r}, expected one of {known}")
        return self.by_type[distortion][0] / 2


@cache
def level_losses() -> LevelLosses:
    """The shipped table."""
    text = resources.files(__package__).joinpath(FILE).read_text("utf-8")
    table = json.loads(text)
    return LevelLosses(
        {label: tuple(table["by_type"][label]) for label in SUBTYPES},
        {name: tuple(row) for name, row in table["by_subtype"].items()},
    )
