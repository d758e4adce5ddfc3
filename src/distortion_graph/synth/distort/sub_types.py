"""What a sub-type of a distortion is: a function, its strengths, and what it sees of a picture."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from distortion_graph.base.errors import RecipeError
from distortion_graph.synth.distort.common import Image
from distortion_graph.synth.distort.support import Support

LEVELS = 5


@dataclass(frozen=True)
class SubType:
    """One way a distortion type can look.

    `apply_level(image, strength, rng)` gets the entry of `strengths` for its level 1 … 5; what
    part of the picture it gets and gives is said by `support`. `drawn` says whether random
    synthesis uses it; others are there by name only. `takes_depth` marks the ones that can use a
    depth map, `colour` the ones that leave a grey picture as it is. `weakest` is the strength of
    level 0, of hardly any effect; where there is one, levels may be fractions. `needs` names the
    Python module of an optional package.
    """

    distortion: str
    name: str
    apply_level: Callable[..., Image]
    strengths: tuple[Any, ...]
    support: Support
    drawn: bool = True
    takes_depth: bool = False
    colour: bool = False
    weakest: Any = None
    needs: str | None = None

    @property
    def full_name(self) -> str:
        """Type and sub-type, as "blur:motion"."""
        return f"{self.distortion}:{self.name}"

    @property
    def available(self) -> bool:
        """Whether the package that it needs is installed."""
        return self.needs is None or find_spec(self.needs) is not None

    def strength(self, level: float) -> Any:
        """The strength of a level above 0 and up to 5, between two whole levels on a straight line.

        A sub-type without `weakest` has whole levels only: a fraction counts as the next one.
        Raises RecipeError for another level.
        """
        if not 0 < level <= LEVELS:
            raise RecipeError(f"level of {self.full_name} must be 1 to {LEVELS}, got {level}")
        level = self.nearest_level(level)
        above = math.ceil(level)
        if level == above:
            return self.strengths[above - 1]
        low, high = (self.weakest, *self.strengths)[above - 1 : above + 1]
        share = level - (above - 1)
        if isinstance(low, tuple):
            return tuple(a + share * (b - a) for a, b in zip(low, high, strict=True))
        return low + share * (high - low)

    def nearest_level(self, level: float) -> float:
        """The level itself, or the next whole one of a sub-type that has no others."""
        return math.ceil(level) if self.weakest is None else level
