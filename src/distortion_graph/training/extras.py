"""What the protocol does not have: pictures distorted evenly, regions with several distortions, and
regions with one that has no label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from distortion_graph.measure.quality import HAARPSI
from distortion_graph.synth.loss_labels import labelled
from distortion_graph.synth.synthesis import Recipe, Version, apply_draw, draw_region, paste
from distortion_graph.training.outliers import OUTLIERS

IGNORED = -1
"""Label index of padding, and of what a node does not have."""

_SHARE_OF_REGIONS = 0.4
_SHARE_OF_THREE = 0.25
_OPPOSITES = (
    {"brightness", "darken"},
    {"contrast_inc", "contrast_dec"},
    {"saturate_inc", "saturate_dec"},
)
"""The second takes back what the first has done."""


@dataclass(frozen=True)
class Extras:
    """`known` (2, R): whether the vocabulary has a label for what the node shows."""

    known: NDArray[np.bool_]

    @classmethod
    def none(cls, regions: int) -> Extras:
        """Nothing beyond the protocol."""
        return cls(np.ones((2, regions), bool))


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
    draw = labelled(draw, image, clean, recipe)
    version = Version(label, image, (draw,) * len(masks), np.ones(len(masks)), 1.0)
    return _scored(clean, masks, version, image)


def with_more_distortions(
    clean: NDArray[np.uint8],
    masks: NDArray[np.bool_],
    version: Version,
    recipe: Recipe,
    rng: np.random.Generator,
) -> Version:
    """A version some of whose distorted regions suffer one or two further distortions.

    The first label is that of the distortion whose loss is largest where it is applied alone; of
    two equal losses the earlier in the vocabulary counts.
    """
    reference, image = HAARPSI.against(clean), version.image
    draws = list(version.draws)
    clean_label = recipe.vocabulary.clean
    for r, first in enumerate(version.draws):
        if first.distortion == clean_label or rng.random() > _SHARE_OF_REGIONS:
            continue
        mask = masks[r : r + 1]
        costs = {first: 1 - float(version.scores[r])}
        for _ in range(2 if rng.random() < _SHARE_OF_THREE else 1):
            others = _beside([draw.distortion for draw in costs], recipe)
            if not others:
                break
            draw = draw_region(others[int(rng.integers(len(others)))], recipe, rng)
            frame = apply_draw(clean, draw, rng)
            draw = labelled(draw, frame, clean, recipe, reference)
            if draw.distortion == clean_label:
                continue
            alone = paste(clean, frame, masks[r])
            costs[draw] = 1 - float(reference.region_scores(alone, mask)[0])
            image = paste(image, apply_draw(image, draw, rng), masks[r], recipe.feather_px)
        position = recipe.vocabulary.distortion_index
        ordered = sorted(costs, key=lambda draw: (-costs[draw], position(draw.distortion)))
        draws[r] = replace(ordered[0], also=tuple(ordered[1:]))
    return _scored(clean, masks, replace(version, draws=tuple(draws)), image)


def _beside(labels: Sequence[str], recipe: Recipe) -> list[str]:
    """The types that a region with these labels can suffer too: what undoes one is left out."""
    undone = {other for pair in _OPPOSITES if pair & set(labels) for other in pair}
    return [t for t in recipe.types if t not in labels and t not in undone]


def add_outliers(
    shots: tuple[NDArray[np.uint8], NDArray[np.uint8]],
    masks: NDArray[np.bool_],
    versions: list[Version],
    extras: Extras,
    rng: np.random.Generator,
) -> Extras:
    """Replace some regions of one version by ones that no label fits; `versions` gets it.

    `shots` are the clean pictures that the versions are made of.
    """
    side = int(rng.integers(2))
    known, image = extras.known.copy(), versions[side].image
    for r, mask in enumerate(masks):
        if rng.random() > _SHARE_OF_REGIONS:
            continue
        outlier = OUTLIERS[int(rng.integers(len(OUTLIERS)))]
        image = paste(image, outlier(shots[side], rng), mask)
        known[side, r] = False
    versions[side] = _scored(shots[side], masks, versions[side], image)
    return Extras(known)


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
