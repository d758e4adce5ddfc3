"""Synthesis in memory: a clean picture, its regions, a recipe and a key → a degraded version.

A *version* is one degraded copy of a picture: of a single distortion type, where every region
draws its own severity, sub-type and level; or mixed, where every region also draws its type and
some stay clean. Two versions make a pair (`distortion_graph.synth.pairs`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate
from types import MappingProxyType

import cv2
import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import ImageError, RecipeError, RegionError
from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY, Vocabulary
from distortion_graph.measure.quality import HAARPSI, FullReferenceMetric, Reference
from distortion_graph.synth.distort import (
    LEVELS,
    SUBTYPES,
    Box,
    Frames,
    SubType,
    apply,
    find_subtype,
)
from distortion_graph.synth.keys import generator

MIXED = ("mixed", "mixed2")
"""Names of the two mixed versions of a picture; any other version name is a distortion type."""

_GAUSSIAN_REACH = 4  # half the side of OpenCV's Gaussian for floats, in standard deviations

DEFAULT_SEVERITY_LEVELS: Mapping[str, tuple[int, ...]] = MappingProxyType(
    {"minor": (1, 2), "moderate": (3,), "severe": (4, 5)}
)


@dataclass(frozen=True)
class Draw:
    """What was done to one region: labels of the vocabulary, and the sub-type and level used.

    A clean region has no sub-type and level 0. The sub-type of another type than the label's name
    stands with its type: "blur:gaussian" (`Recipe.made_of`).
    """

    distortion: str
    severity: str
    subtype: str | None
    level: int

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
    `made_of` says for labels that are no distortion types what regions of them show, as types and
    sub-types: {"soft": ("blur:lens", "pixelate")}; all sub-types of a label are drawn alike.
    """

    vocabulary: Vocabulary = DEFAULT_VOCABULARY
    severity_levels: Mapping[str, tuple[int, ...]] = field(
        default_factory=lambda: DEFAULT_SEVERITY_LEVELS
    )
    clean_share: float = 0.2
    feather_px: float = 0.0
    severity_weights: Mapping[str, float] | None = None
    drawn_types: tuple[str, ...] | None = None
    also_drawn: tuple[str, ...] = ()
    made_of: Mapping[str, tuple[str, ...]] | None = None

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
    severity = recipe.draw_severity(rng)
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
    entries = recipe.sub_types(distortion)
    entry = entries[int(rng.integers(len(entries)))]
    own = entry.distortion == distortion
    subtype = entry.name if own else f"{entry.distortion}:{entry.name}"
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
    frames: Frames | None = None,
    reference: Reference | None = None,
) -> Version:
    """Degrade every region of a clean picture and score it.

    Each region is drawn from the key (seed, tag, version, region id), distorted as a part of the
    whole clean frame (`distort.apply_in_box`) and pasted into its mask; where masks overlap the
    later region wins; pixels under no mask stay clean. The same arguments give the same bytes.

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
        frames: `Frames(clean)`, to share work with other versions of the picture; the bytes are
            the same without.
        reference: `metric.against(clean)`, for the same purpose; then `metric` is not used.

    Raises RegionError for masks or ids that do not fit, RecipeError for an unknown version,
    ImageError for another array or frames of another picture.
    """
    if masks.shape[1:] != clean.shape[:2] or len(masks) != len(region_ids):
        raise RegionError(
            f"masks must be ({len(region_ids)}, {clean.shape[0]}, {clean.shape[1]}) bool, one for "
            f"each region id, got {masks.shape}"
        )
    if frames is None:
        frames = Frames(clean)
    elif frames.clean is not clean:
        raise ImageError("frames must be those of the clean picture, got another array's")
    degraded = clean.copy()
    draws = []
    for mask, region_id in zip(masks, region_ids, strict=True):
        rng = generator(seed, tag, version, int(region_id))
        draw = draw_region(version, recipe, rng)
        draws.append(draw)
        box = Box.around(mask)
        if box.empty:
            continue
        if draw.applied is None:
            part = clean[box.area]
        else:
            part = frames.part(*draw.applied, draw.level, rng, box, depth=depth)
        _paste_part(degraded, part, mask, box, recipe.feather_px)
    reference = reference or metric.against(clean)
    return Version(
        name=version,
        image=degraded,
        draws=tuple(draws),
        scores=reference.region_scores(degraded, masks),
        scene_score=reference.scene_score(degraded),
    )


def make_versions(
    clean: NDArray[np.uint8],
    masks: NDArray[np.bool_],
    region_ids: Sequence[int],
    versions: Sequence[str],
    *,
    tag: str,
    seed: int,
    recipe: Recipe = DEFAULT_RECIPE,
    metric: FullReferenceMetric = HAARPSI,
    depth: NDArray[np.float32] | None = None,
) -> Iterator[Version]:
    """What `make_version` gives for every name, one by one, with the work they have in common
    done once. Arguments and errors are its own.
    """
    frames, reference = Frames(clean), metric.against(clean)
    for version in versions:
        yield make_version(
            clean,
            masks,
            region_ids,
            version=version,
            tag=tag,
            seed=seed,
            recipe=recipe,
            depth=depth,
            frames=frames,
            reference=reference,
        )


def apply_draw(
    image: NDArray[np.uint8],
    draw: Draw,
    rng: np.random.Generator,
    *,
    depth: NDArray[np.float32] | None = None,
) -> NDArray[np.uint8]:
    """The whole frame with the draw's distortion; unchanged where the draw is clean."""
    if draw.applied is None:
        return image
    return apply(image, *draw.applied, draw.level, rng, depth=depth)


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
    pasted = np.array(base, order="C")
    box = Box.around(mask)
    if not box.empty:
        _paste_part(pasted, frame[box.area], mask, box, feather_px)
    return pasted


def _paste_part(
    target: NDArray[np.uint8],
    part: NDArray[np.uint8],
    mask: NDArray[np.bool_],
    box: Box,
    feather_px: float,
) -> None:
    """Paste into `target` what `part` holds of the mask's box."""
    seen = target[box.area]
    inside = mask[box.area]
    if feather_px <= 0 or mask.all():  # without an edge there is nothing to fade
        cv2.copyTo(part, np.ascontiguousarray(inside).view(np.uint8), seen)
        return
    alpha = np.where(inside, _opacity(mask, box, feather_px), 0)[..., None]
    seen[:] = np.rint(seen + alpha * (part.astype(np.float32) - seen))


def _opacity(mask: NDArray[np.bool_], box: Box, feather_px: float) -> NDArray[np.float32]:
    """How much of a feathered region shows in its box; (height, width) in [0, 1]."""
    # The nearest pixel outside lies in the box or around it.
    near = mask[box.grown(1).clipped(mask.shape).area].astype(np.uint8)
    depth_px = cv2.distanceTransform(near, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    feather_px = min(feather_px, float(depth_px.max()) / 2)
    wide = box.grown(math.ceil(_GAUSSIAN_REACH * feather_px) + 1).clipped(mask.shape)
    soft = cv2.GaussianBlur(
        mask[wide.area].astype(np.float32), (0, 0), feather_px, borderType=cv2.BORDER_REPLICATE
    )
    # A blurred straight edge is 1/2 on the edge itself.
    return np.clip(2 * soft[box.within(wide)] - 1, 0, 1)


def _choose(options: Sequence[str], rng: np.random.Generator) -> str:
    return options[int(rng.integers(len(options)))]
