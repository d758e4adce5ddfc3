"""What a data set is to be made like, and what a build says while and after it works."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

from distortion_graph.base.errors import DatasetError, RecipeError
from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY, Vocabulary
from distortion_graph.datasets.description import ImageDescription, RecipeDescription
from distortion_graph.datasets.layout import check_version_folders
from distortion_graph.datasets.make.pictures import LOSSY, check_format
from distortion_graph.datasets.make.splits import DEFAULT_SPLITS, SplitRule
from distortion_graph.datasets.sources import RegionChoice, Source
from distortion_graph.measure.quality import HAARPSI, FullReferenceMetric
from distortion_graph.synth.distort import LEVELS
from distortion_graph.synth.recipes import WILD_RECIPE
from distortion_graph.synth.shots import NO_HISTORY, WILD_SHOTS, ShotShares
from distortion_graph.synth.synthesis import (
    DEFAULT_RECIPE,
    DEFAULT_SEVERITY_LEVELS,
    MIXED,
    Recipe,
)
from distortion_graph.work.executor import worker_count

PUBLISHED = "published"
_DEFAULT_QUALITY = 95


class NamedRecipe(NamedTuple):
    """What regions suffer, and what pictures have been through before that."""

    recipe: Recipe
    shots: ShotShares


RECIPES: Mapping[str, NamedRecipe] = MappingProxyType(
    {
        PUBLISHED: NamedRecipe(DEFAULT_RECIPE, NO_HISTORY),
        "wild": NamedRecipe(replace(WILD_RECIPE, also_share=0.25), WILD_SHOTS),
    }
)
"""The recipes of `dataset build`, by name."""


@dataclass(frozen=True)
class BuildOptions:
    """All that decides the bytes of a data set beside its sources, and how the work is done.

    `recipe_name` is one of `RECIPES`. `also_share` (as in `Recipe`) and `shot_shares` replace those
    of the recipe where they are given; the published one has none.
    `image_format` is a picture suffix without the dot; `quality` 1 … 100 belongs to lossy formats,
    and makes WebP lossy, which is lossless without it. `types` are the distortion types used, None
    all of them; `severity_weights`, `severity_levels` and `made_of` as in `Recipe`. The labels of
    the vocabulary become folders; another severity scale than the default needs its levels.
    `licences` holds the text for a source by its name, or for all of them under "". `workers` are
    processes, 0 none beside the caller's own; `strict` stops at a picture that cannot be used. The
    last two do not change the result. Raises DatasetError, OutputError or RecipeError for values
    out of range.
    """

    seed: int = 0
    splits: SplitRule = DEFAULT_SPLITS
    vocabulary: Vocabulary = DEFAULT_VOCABULARY
    made_of: Mapping[str, tuple[str, ...]] | None = None
    image_format: str = "png"
    quality: int | None = None
    types: tuple[str, ...] | None = None
    severity_weights: Mapping[str, float] | None = None
    severity_levels: Mapping[str, tuple[int, ...]] | None = None
    clean_share: float = 0.2
    feather_px: float = 0.0
    regions: RegionChoice = field(default_factory=RegionChoice)
    recipe_name: str = PUBLISHED
    also_share: float | None = None
    shot_shares: ShotShares | None = None
    metric: FullReferenceMetric = HAARPSI
    licences: Mapping[str, str] = field(default_factory=dict)
    workers: int = field(default_factory=worker_count)
    strict: bool = False

    def __post_init__(self) -> None:
        if self.workers < 0:
            raise DatasetError(f"workers must be 0 or more, got {self.workers}")
        check_format(self.image_format, self.quality)
        self._check_recipe_name()
        check_version_folders(self.versions, "vocabulary")

    def _check_recipe_name(self) -> None:
        if self.recipe_name not in RECIPES:
            raise RecipeError(
                f"unknown recipe {self.recipe_name!r}, expected one of {', '.join(RECIPES)}"
            )
        if not self.wild and (self.also_share or self.shots != NO_HISTORY):
            raise RecipeError(
                "several distortions in a region, looks and misalignment need the recipe wild; the "
                "published one has none of them"
            )

    @property
    def wild(self) -> bool:
        """Whether the recipe goes beyond the published one."""
        return self.recipe_name != PUBLISHED

    @property
    def shots(self) -> ShotShares:
        """How often pictures have been through something before they are distorted."""
        usual = RECIPES[self.recipe_name].shots
        return usual if self.shot_shares is None else self.shot_shares

    def recipe(self) -> Recipe:
        """How regions are degraded."""
        levels, scale = self.severity_levels or DEFAULT_SEVERITY_LEVELS, self.vocabulary.severities
        if self.severity_levels is None and tuple(levels) != scale[1:]:
            raise RecipeError(
                f"recipe: the vocabulary's severities {', '.join(scale[1:])} need levels 1 to "
                f"{LEVELS} to draw from"
            )
        usual = RECIPES[self.recipe_name].recipe
        return replace(
            usual,
            vocabulary=self.vocabulary,
            made_of=self.made_of,
            severity_levels=dict(levels),
            clean_share=self.clean_share,
            feather_px=self.feather_px,
            severity_weights=self.severity_weights,
            drawn_types=self.types,
            also_share=usual.also_share if self.also_share is None else self.also_share,
        )

    @property
    def versions(self) -> tuple[str, ...]:
        """The degraded versions of every picture: its types, then the mixed ones."""
        return self.recipe().types + MIXED

    @property
    def stored_quality(self) -> int | None:
        """The quality that pictures are encoded with, None where nothing is lost."""
        if self.image_format in LOSSY and self.quality is None:
            return _DEFAULT_QUALITY
        return self.quality

    def describe_image(self) -> ImageDescription:
        """For dataset.json."""
        return ImageDescription(format=self.image_format, quality=self.stored_quality)

    def describe_recipe(self) -> RecipeDescription:
        """For dataset.json; the id follows from the rest."""
        recipe = self.recipe()
        weights = recipe.severity_weights
        # Weights that are all alike are no weights.
        even = weights is None or len({weights.get(s, 0.0) for s in recipe.severity_levels}) == 1
        facts: dict[str, Any] = {
            "seed": self.seed,
            "types": recipe.types,
            "severity_levels": {s: tuple(v) for s, v in recipe.severity_levels.items()},
            "severity_weights": None
            if even or weights is None
            else {s: float(weights.get(s, 0)) for s in recipe.severity_levels},
            "clean_share": float(self.clean_share),
            "feather_px": float(self.feather_px),
            "min_share": float(self.regions.min_share),
            "max_regions": self.regions.max_regions,
            "wanted_regions": self.regions.wanted,
            "max_side_px": self.regions.max_side,
        }
        if self.made_of is not None:
            facts["made_of"] = {label: tuple(parts) for label, parts in self.made_of.items()}
        if self.wild:
            facts |= {
                "name": self.recipe_name,
                "labelled_by": recipe.labelled_by,
                "also_drawn": recipe.also_drawn,
                "also_share": float(recipe.also_share),
                **{name: float(share) for name, share in vars(self.shots).items()},
            }
        digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
        return RecipeDescription(id=digest[:12], **facts)

    def facts(self, sources: tuple[Source, ...]) -> dict[str, Any]:
        """Everything that decides the result, by the words of the command line, ready for JSON.

        How people read the vocabulary's labels decides nothing.
        """
        recipe = self.describe_recipe().model_dump(mode="json")
        beyond = ("also_share", *vars(NO_HISTORY)) if self.wild else ()
        return {
            "SOURCE": [f"{source.name} ({source.kind})" for source in sources],
            **({"--recipe": self.recipe_name} if self.wild else {}),
            **{f"--{name.replace('_', '-')}": recipe[name] for name in beyond},
            "--segmenter": [source.segmenter for source in sources],
            "--split": self.splits.text,
            "--image-format": self.image_format,
            "--quality": self.stored_quality,
            "--seed": self.seed,
            "--vocabulary": None
            if self.vocabulary == DEFAULT_VOCABULARY
            else self.vocabulary.model_dump(mode="json", exclude={"words"}),
            "--made-of": recipe["made_of"],
            "--types": recipe["types"],
            "--severity": recipe["severity_weights"],
            "--levels": recipe["severity_levels"],
            "--clean-share": recipe["clean_share"],
            "--feather": recipe["feather_px"],
            "--min-share": recipe["min_share"],
            "--regions-wanted": recipe["wanted_regions"],
            "--max-regions": recipe["max_regions"],
            "--max-side": recipe["max_side_px"],
            "--metric": f"{self.metric.name} {self.metric.version}",
            "--licence": {source.name: self.licence_of(source.name) for source in sources},
        }

    def licence_of(self, source: str) -> str | None:
        """The licence text that the user gave for a source."""
        return self.licences.get(source, self.licences.get(""))


class Reporter(Protocol):
    """Where a build tells what it does; every call is quick."""

    def warn(self, text: str) -> None:
        """One line on something that does not stop the work."""
        ...

    def detail(self, text: str) -> None:
        """One line for those who asked for more."""
        ...

    def begin(self, what: str, total: int, unit: str) -> None:
        """A part of the work begins, of `total` units."""
        ...

    def advance(self, count: int) -> None:
        """So many more units are done."""
        ...

    def end(self) -> None:
        """The part of the work is over."""
        ...


class _Silent:
    def warn(self, text: str) -> None:
        """Say nothing."""

    def detail(self, text: str) -> None:
        """Say nothing."""

    def begin(self, what: str, total: int, unit: str) -> None:
        """Say nothing."""

    def advance(self, count: int) -> None:
        """Say nothing."""

    def end(self) -> None:
        """Say nothing."""


SILENT: Reporter = _Silent()
"""Tells nobody anything."""


@dataclass(frozen=True)
class BuildReport:
    """What a build did.

    `pictures` are in the root, by split, `skipped` could not be used, `noted` were read with a note
    (a part of them taken, colours changed), `left_out` are the sources' other files. Of the
    pictures `made` were made now and `kept` found whole; `images` degraded ones were written now.
    `complete_before`: there was nothing to do but to check, `repaired` pictures of a complete root
    were made again.
    """

    pictures: Mapping[str, int]
    skipped: int
    made: int
    kept: int
    images: int
    seconds: float
    complete_before: bool = False
    repaired: int = 0
    noted: int = 0
    left_out: int = 0
