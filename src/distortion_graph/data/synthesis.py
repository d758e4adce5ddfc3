"""Synthesis in memory: a clean picture, its regions, a recipe and a key → a degraded version.

A *version* is one degraded copy of a picture: of a single distortion type, where every region
draws its own severity, sub-type and level; or mixed, where every region also draws its type and
some stay clean. Two versions make a pair (`distortion_graph.data.pairs`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import cv2
import numpy as np
from numpy.typing import NDArray

from distortion_graph.data.keys import generator
from distortion_graph.distort import LEVELS, SUBTYPES, apply
from distortion_graph.errors import RecipeError, RegionError
from distortion_graph.quality import HAARPSI, FullReferenceMetric
from distortion_graph.vocabulary import DEFAULT_VOCABULARY, Vocabulary

MIXED = ("mixed", "mixed2")
"""Names of the two mixed versions of a picture; any other version name is a distortion type."""

DEFAULT_SEVERITY_LEVELS: Mapping[str, tuple[int, ...]] = MappingProxyType(
    {"minor": (1, 2), "moderate": (3,), "severe": (4, 5)}
)


@dataclass(frozen=True)
class Draw:
    """What was done to one region: labels of the vocabulary, and the sub-type and level used.

    A clean region has no sub-type and level 0.
    """

    distortion: str
    severity: str
    subtype: str | None
    level: int


@dataclass(frozen=True)
class Recipe:
    """How regions are degraded.

    `severity_levels` gives the levels 1 … 5 a severity draws from. `clean_share` is the
    probability that a region of a mixed version stays clean. `feather_px` is the standard
    deviation of the blend just inside a region's edge, 0 for a hard edge.
    """

    vocabulary: Vocabulary = DEFAULT_VOCABULARY
    severity_levels: Mapping[str, tuple[int, ...]] = field(
        default_factory=lambda: DEFAULT_SEVERITY_LEVELS
    )
    clean_share: float = 0.2
    feather_px: float = 0.0

    def __post_init__(self) -> None:
        vocabulary = self.vocabulary
        unknown = [d for d in self.types if d not in SUBTYPES]
        if unknown:
            raise RecipeError(
                f"recipe: no distortion is known under {unknown}, known are {', '.join(SUBTYPES)}"
            )
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
        if not 0 <= self.clean_share <= 1 or self.feather_px < 0:
            raise RecipeError(
                "recipe: clean_share must be in [0, 1] and feather_px at least 0, "
                f"got {self.clean_share} and {self.feather_px}"
            )

    @property
    def types(self) -> tuple[str, ...]:
        """The distortion labels that can be drawn: all but clean."""
        return tuple(d for d in self.vocabulary.distortions if d != self.vocabulary.clean)


DEFAULT_RECIPE = Recipe()


@dataclass(frozen=True)
class Version:
    """One degraded copy of a picture.

    `image` is H×W×3 uint8, `draws` and `scores` stand in the order of the masks, scores are
    against the clean picture, 1 for an untouched region.
    """

    name: str
    image: NDArray[np.uint8]
    draws: tuple[Draw, ...]
    scores: NDArray[np.float64]
    scene_score: float


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
    severity = _choose(tuple(recipe.severity_levels), rng)
    return draw_strength(distortion, severity, recipe, rng)


def draw_strength(distortion: str, severity: str, recipe: Recipe, rng: np.random.Generator) -> Draw:
    """Sub-type and level for a given type and severity, from `rng`.

    Raises VocabularyError or RecipeError for an unknown type or severity.
    """
    recipe.vocabulary.distortion_index(distortion)
    if severity not in recipe.severity_levels:
        raise RecipeError(
            f"unknown severity {severity!r}, expected one of {', '.join(recipe.severity_levels)}"
        )
    subtypes = tuple(name for name, entry in SUBTYPES[distortion].items() if entry.drawn)
    subtype = _choose(subtypes, rng)
    level = int(rng.choice(recipe.severity_levels[severity]))
    return Draw(distortion, severity, subtype, level)


def make_version(
    clean: NDArray[np.uint8],
    masks: NDArray[np.bool_],
    region_ids: Sequence[int],
    *,
    version: str,
    tag: str,
    seed: int,
    recipe: Recipe = DEFAULT_RECIPE,
    metric: FullReferenceMetric = HAARPSI,
    depth: NDArray[np.float32] | None = None,
) -> Version:
    """Degrade every region of a clean picture and score it.

    Each region is drawn from the key (seed, tag, version, region id), applied to the whole clean
    frame and pasted into its mask; where masks overlap the later region wins; pixels under no
    mask stay clean. The same arguments give the same bytes.

    Args:
        clean: H×W×3 RGB uint8.
        masks: (R, H, W) bool.
        region_ids: R unique integers.
        version: a distortion type, or "mixed" or "mixed2".
        tag: the picture's name in its data set.
        seed: of the data set.
        recipe: vocabulary, severities and edges.
        metric: the full-reference metric behind the scores.
        depth: H×W, for haze; larger is farther.

    Raises RegionError for masks or ids that do not fit, RecipeError for an unknown version.
    """
    if masks.shape[1:] != clean.shape[:2] or len(masks) != len(region_ids):
        raise RegionError(
            f"masks must be ({len(region_ids)}, {clean.shape[0]}, {clean.shape[1]}) bool, one for "
            f"each region id, got {masks.shape}"
        )
    degraded = clean.copy()
    draws = []
    for mask, region_id in zip(masks, region_ids, strict=True):
        rng = generator(seed, tag, version, int(region_id))
        draw = draw_region(version, recipe, rng)
        draws.append(draw)
        frame = clean if draw.subtype is None else apply_draw(clean, draw, rng, depth=depth)
        degraded = paste(degraded, frame, mask, recipe.feather_px)
    return Version(
        name=version,
        image=degraded,
        draws=tuple(draws),
        scores=metric.region_scores(clean, degraded, masks),
        scene_score=metric.scene_score(clean, degraded),
    )


def apply_draw(
    image: NDArray[np.uint8],
    draw: Draw,
    rng: np.random.Generator,
    *,
    depth: NDArray[np.float32] | None = None,
) -> NDArray[np.uint8]:
    """The whole frame with the draw's distortion; unchanged where the draw is clean."""
    if draw.subtype is None:
        return image
    return apply(image, draw.distortion, draw.subtype, draw.level, rng, depth=depth)


def paste(
    base: NDArray[np.uint8],
    frame: NDArray[np.uint8],
    mask: NDArray[np.bool_],
    feather_px: float = 0.0,
) -> NDArray[np.uint8]:
    """`frame` inside the mask, `base` outside.

    With `feather_px` > 0 the frame fades in from the edge inwards; nothing outside the mask is
    touched, so that a clean neighbour stays clean. Where a mask is too thin for that the fade is
    as wide as it can be and still let the frame through.
    """
    if feather_px <= 0 or not mask.any() or mask.all():  # without an edge there is nothing to fade
        return np.where(mask[..., None], frame, base)
    depth_px = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    feather_px = min(feather_px, float(depth_px.max()) / 2)
    soft = cv2.GaussianBlur(
        mask.astype(np.float32), (0, 0), feather_px, borderType=cv2.BORDER_REPLICATE
    )
    # A blurred straight edge is 1/2 on the edge itself.
    alpha = np.clip(2 * soft - 1, 0, 1)[..., None]
    blend = base + alpha * (frame.astype(np.float32) - base)
    return np.rint(blend).astype(np.uint8)


def _choose(options: Sequence[str], rng: np.random.Generator) -> str:
    return options[int(rng.integers(len(options)))]
