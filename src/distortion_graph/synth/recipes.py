"""Recipes: what may be drawn for the regions of a picture, and how often."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import accumulate
from types import MappingProxyType
from typing import Literal

import numpy as np

from distortion_graph.base.errors import RecipeError
from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY, Vocabulary
from distortion_graph.synth.distort import HELD_OUT, LEVELS, SUBTYPES, SubType, find_subtype

MIXED = ("mixed", "mixed2")
"""Names of the two mixed versions of a picture; any other version name is a distortion type."""

_MOST_FURTHER = 2  # distortions of a region beside its first
_OPPOSITES = (
    {"brightness", "darken"},
    {"contrast_inc", "contrast_dec"},
    {"saturate_inc", "saturate_dec"},
)
"""One takes back what the other has done, so that a region never has both."""

DEFAULT_SEVERITY_LEVELS: Mapping[str, tuple[int, ...]] = MappingProxyType(
    {"minor": (1, 2), "moderate": (3,), "severe": (4, 5)}
)


@dataclass(frozen=True)
class Draw:
    """What was done to one region: labels of the vocabulary, and the sub-type and level used.

    A clean region has no sub-type and level 0. The sub-type of another type than the label's name
    stands with its type: "blur:gaussian" (`Recipe.made_of`, and what is so weak that it is clean
    by its loss). A level between two whole ones is a strength between theirs. `also` holds further
    distortions of the region, other types, the one that loses most first; theirs are empty.
    """

    distortion: str
    severity: str
    subtype: str | None
    level: float
    also: tuple[Draw, ...] = ()

    @property
    def applied(self) -> tuple[str, str] | None:
        """Type and sub-type of the distortion used; None for a clean region."""
        if self.subtype is None:
            return None
        kind, _, name = self.subtype.rpartition(":")
        return kind or self.distortion, name


@dataclass(frozen=True)
class Recipe:
    """How regions are degraded.

    `severity_levels` gives the levels 1 … 5 a severity draws from. `clean_share` is the
    probability that a region of a mixed version stays clean. `feather_px` is the standard
    deviation of the blend just inside a region's edge, 0 for a hard edge. `severity_weights` says
    how often a severity is drawn beside the others, one that is not named never; None is all
    alike, which equal weights are too. `drawn_types` are the distortion types in use, None all.
    `also_drawn` names sub-types ("compression:webp") that are drawn beside the usual ones.
    With `labelled_by` "loss" a drawn level only says how strong a distortion is, anywhere down to
    the level below, and what the whole frame has lost decides the labels
    (`synth/whole_frames.py`). `also_share` is the probability that a distorted region of a mixed
    version has a second distortion, and that of a third where there are two. `made_of` says for
    labels that are no distortion types what regions of them show, as types and sub-types:
    {"soft": ("blur:lens", "pixelate")}; all sub-types of a label are drawn alike.
    """

    vocabulary: Vocabulary = DEFAULT_VOCABULARY
    severity_levels: Mapping[str, tuple[int, ...]] = field(
        default_factory=lambda: dict(DEFAULT_SEVERITY_LEVELS)
    )
    clean_share: float = 0.2
    feather_px: float = 0.0
    severity_weights: Mapping[str, float] | None = None
    drawn_types: tuple[str, ...] | None = None
    also_drawn: tuple[str, ...] = ()
    made_of: Mapping[str, tuple[str, ...]] | None = None
    labelled_by: Literal["level", "loss"] = "level"
    also_share: float = 0.0

    def __post_init__(self) -> None:
        vocabulary = self.vocabulary
        if self.drawn_types is not None:
            named = [vocabulary.distortion_index(label) for label in self.drawn_types]
            if not named or vocabulary.clean_index in named or len(set(named)) != len(named):
                raise RecipeError(
                    "recipe: drawn_types must be different distortion types, at least one, got "
                    f"{self.drawn_types}"
                )
        self._check_parts()
        if tuple(self.severity_levels) != vocabulary.severities[1:]:
            raise RecipeError(
                f"recipe: severity_levels must list {vocabulary.severities[1:]} in this order, "
                f"got {tuple(self.severity_levels)}"
            )
        for severity, levels in self.severity_levels.items():
            if not levels or not all(level in range(1, LEVELS + 1) for level in levels):
                raise RecipeError(
                    f"recipe: levels of {severity!r} must be some of 1 to {LEVELS}, got {levels}"
                )
        for name in self.also_drawn:
            find_subtype(*name.partition(":")[::2])
        self._check_weights()
        if self.labelled_by not in ("level", "loss"):
            raise RecipeError(
                f"recipe: labelled_by must be level or loss, got {self.labelled_by!r}"
            )
        if not 0 <= self.also_share <= 1:
            raise RecipeError(f"recipe: also_share must be in [0, 1], got {self.also_share}")
        if not 0 <= self.clean_share <= 1 or not 0 <= self.feather_px < math.inf:
            raise RecipeError(
                "recipe: clean_share must be in [0, 1] and feather_px at least 0, "
                f"got {self.clean_share} and {self.feather_px}"
            )

    def _check_parts(self) -> None:
        made_of = self.made_of or {}
        for label, parts in made_of.items():
            if self.vocabulary.distortion_index(label) == self.vocabulary.clean_index or not parts:
                raise RecipeError(
                    "recipe: made_of must name types or sub-types for distortion labels that are "
                    f"not {self.vocabulary.clean!r}, got {label}: {list(parts)}"
                )
        unknown = [d for d in self.types if d not in SUBTYPES and d not in made_of]
        if unknown:
            raise RecipeError(
                f"recipe: no distortion is known under {unknown}, known are {', '.join(SUBTYPES)}; "
                "made_of can say which of them a label stands for"
            )
        for label in self.types:
            self.sub_types(label)
        if set(MIXED) & set(self.types):
            raise RecipeError(f"recipe: {MIXED} are versions of a picture, they cannot be labels")

    def _check_weights(self) -> None:
        if self.severity_weights is None:
            return
        weights = dict(self.severity_weights)
        unknown = [name for name in weights if name not in self.severity_levels]
        if unknown:
            raise RecipeError(
                f"recipe: unknown severity {unknown[0]!r} among the weights, expected "
                f"{', '.join(self.severity_levels)}"
            )
        if not all(0 <= w < math.inf for w in weights.values()) or not sum(weights.values()) > 0:
            raise RecipeError(
                f"recipe: severity_weights must be 0 or more and not all 0, got {weights}"
            )

    @cached_property
    def types(self) -> tuple[str, ...]:
        """The distortion labels that can be drawn, in the vocabulary's order; never clean."""
        labels = (d for d in self.vocabulary.distortions if d != self.vocabulary.clean)
        return tuple(d for d in labels if self.drawn_types is None or d in self.drawn_types)

    def sub_types(self, label: str) -> tuple[SubType, ...]:
        """What a region with this label can show; raises RecipeError for an unknown type."""
        distinct: dict[tuple[str, str], SubType] = {}
        for part in (self.made_of or {}).get(label, (label,)):
            kind, colon, name = part.partition(":")
            if colon or kind not in SUBTYPES:
                distinct[kind, name] = find_subtype(kind, name)
                continue
            for entry in SUBTYPES[kind].values():
                if entry.drawn or f"{kind}:{entry.name}" in self.also_drawn:
                    distinct[kind, entry.name] = entry
        return tuple(distinct.values())

    def draw_severity(self, rng: np.random.Generator) -> str:
        """One of the severities, by their weights."""
        names = tuple(self.severity_levels)
        weights = [(self.severity_weights or {}).get(name, 0.0) for name in names]
        if len(set(weights)) == 1:
            return _choose(names, rng)
        below = rng.random() * math.fsum(weights)
        ends = tuple(accumulate(weights))
        # Rounding may put the last end just below the sum; then the last drawable one is meant.
        drawable = [(end, name) for end, name, w in zip(ends, names, weights, strict=True) if w > 0]
        return next((name for end, name in drawable if below < end), drawable[-1][1])


DEFAULT_RECIPE = Recipe()
"""The published one."""

WILD_RECIPE = Recipe(
    also_drawn=tuple(
        entry.full_name
        for subtypes in SUBTYPES.values()
        for entry in subtypes.values()
        if not entry.drawn and entry.available and entry.full_name not in HELD_OUT
    ),
    labelled_by="loss",
)
"""Distortions as cameras, weather and codecs make them beside the published ones, labelled by loss.

Codecs of optional packages are drawn where the package is installed.
"""


def draw_region(version: str, recipe: Recipe, rng: np.random.Generator) -> Draw:
    """Labels, sub-type and level of one region of a version, all from `rng`."""
    clean = recipe.vocabulary.clean
    if version in MIXED:
        if rng.random() < recipe.clean_share:
            return Draw(clean, clean, None, 0)
        distortion = _choose(recipe.types, rng)
    elif version in recipe.types:
        distortion = version
    else:
        raise RecipeError(
            f"unknown version {version!r}, expected {' or '.join(MIXED)} or one of the "
            f"distortion types {', '.join(recipe.types)}"
        )
    first = draw_strength(distortion, recipe.draw_severity(rng), recipe, rng)
    return replace(first, also=_draw_further(first, recipe, rng)) if version in MIXED else first


def _draw_further(first: Draw, recipe: Recipe, rng: np.random.Generator) -> tuple[Draw, ...]:
    """Up to two more distortions, each of another type."""
    further: list[Draw] = []
    while recipe.also_share and len(further) < _MOST_FURTHER and rng.random() < recipe.also_share:
        taken = {first.distortion, *(draw.distortion for draw in further)}
        undone = {label for pair in _OPPOSITES if pair & taken for label in pair}
        others = [label for label in recipe.types if label not in taken | undone]
        if not others:
            break
        further.append(draw_strength(_choose(others, rng), recipe.draw_severity(rng), recipe, rng))
    return tuple(further)


def draw_strength(distortion: str, severity: str, recipe: Recipe, rng: np.random.Generator) -> Draw:
    """Sub-type and level for a given type and severity, from `rng`.

    Raises VocabularyError or RecipeError for an unknown type or severity.
    """
    recipe.vocabulary.distortion_index(distortion)
    if severity not in recipe.severity_levels:
        raise RecipeError(
            f"unknown severity {severity!r}, expected one of {', '.join(recipe.severity_levels)}"
        )
    entries = recipe.sub_types(distortion)
    entry = entries[int(rng.integers(len(entries)))]
    own = entry.distortion == distortion
    subtype = entry.name if own else f"{entry.distortion}:{entry.name}"
    level: float = int(rng.choice(recipe.severity_levels[severity]))
    if recipe.labelled_by == "loss":
        level = entry.nearest_level(level - rng.random())
    return Draw(distortion, severity, subtype, level)


def _choose(options: Sequence[str], rng: np.random.Generator) -> str:
    return options[int(rng.integers(len(options)))]
