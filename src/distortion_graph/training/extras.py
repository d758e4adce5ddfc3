"""What the protocol does not have: pictures distorted evenly, regions with two distortions, and
regions with one that has no label."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from distortion_graph.measure.quality import HAARPSI
from distortion_graph.synth.synthesis import Recipe, Version, apply_draw, draw_region, paste
from distortion_graph.training.outliers import OUTLIERS

IGNORED = -1
"""Label index of padding, and of what a node does not have."""

_SHARE_OF_REGIONS = 0.4


@dataclass(frozen=True)
class Extras:
    """`second` (2, R): position of another distortion of the node, `IGNORED` where there is none;
    `known` (2, R): whether the vocabulary has a label for what the node shows.
    """

    second: NDArray[np.int64]
    known: NDArray[np.bool_]

    @classmethod
    def none(cls, regions: int) -> Extras:
        """Nothing beyond the protocol."""
        return cls(np.full((2, regions), IGNORED, np.int64), np.ones((2, regions), bool))


def even_version(
    clean: NDArray[np.uint8],
    masks: NDArray[np.bool_],
    label: str,
    recipe: Recipe,
    rng: np.random.Generator,
) -> Version:
    """A version with one and the same distortion everywhere, as a codec or a camera leaves it.

    It has no edges where regions meet.
    """
    draw = draw_region(label, recipe, rng)
    image = apply_draw(clean, draw, rng)
    version = Version(label, image, (draw,) * len(masks), np.ones(len(masks)), 1.0)
    return _scored(clean, masks, version, image)


def add_second_distortion(
    clean: NDArray[np.uint8],
    masks: NDArray[np.bool_],
    versions: list[Version],
    extras: Extras,
    recipe: Recipe,
    rng: np.random.Generator,
) -> Extras:
    """Distort some distorted regions of one version again; `versions` gets the new one."""
    side = int(rng.integers(2))
    version, vocabulary = versions[side], recipe.vocabulary
    second, image = extras.second.copy(), version.image
    for r, draw in enumerate(version.draws):
        if draw.subtype is None or rng.random() > _SHARE_OF_REGIONS:
            continue
        others = [t for t in recipe.types if t != draw.distortion]
        again = draw_region(others[int(rng.integers(len(others)))], recipe, rng)
        image = paste(image, apply_draw(image, again, rng), masks[r], recipe.feather_px)
        second[side, r] = vocabulary.distortion_index(again.distortion)
    versions[side] = _scored(clean, masks, version, image)
    return replace(extras, second=second)


def add_outliers(
    clean: NDArray[np.uint8],
    masks: NDArray[np.bool_],
    versions: list[Version],
    extras: Extras,
    rng: np.random.Generator,
) -> Extras:
    """Replace some regions of one version by ones that no label fits; `versions` gets it."""
    side = int(rng.integers(2))
    known, second, image = extras.known.copy(), extras.second.copy(), versions[side].image
    for r, mask in enumerate(masks):
        if rng.random() > _SHARE_OF_REGIONS:
            continue
        outlier = OUTLIERS[int(rng.integers(len(OUTLIERS)))]
        image = paste(image, outlier(clean, rng), mask)
        known[side, r], second[side, r] = False, IGNORED
    versions[side] = _scored(clean, masks, versions[side], image)
    return Extras(second, known)


def _scored(
    clean: NDArray[np.uint8],
    masks: NDArray[np.bool_],
    version: Version,
    image: NDArray[np.uint8],
) -> Version:
    reference = HAARPSI.against(clean)
    return replace(
        version,
        image=image,
        scores=reference.region_scores(image, masks),
        scene_score=reference.scene_score(image),
    )
