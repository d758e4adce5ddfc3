"""What the protocol does not have: pictures distorted evenly, and regions that no label fits."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from distortion_graph.measure.quality import HAARPSI
from distortion_graph.synth.distort import Frames
from distortion_graph.synth.recipes import Recipe, draw_region
from distortion_graph.synth.synthesis import Version, paste
from distortion_graph.synth.whole_frames import labelled_frame
from distortion_graph.training.outliers import OUTLIERS

IGNORED = -1
"""Label index of padding, and of what a node does not have."""

_SHARE_OF_REGIONS = 0.4


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
    *,
    redrawn: int = 0,
) -> Version:
    """A version that is the same everywhere, as a codec or a camera leaves it.

    It has no edges where regions meet. What is too weak for a label is drawn again, `redrawn` times
    at most.
    """
    frames = Frames(clean)
    for _ in range(1 + redrawn):
        draw, image = labelled_frame(draw_region(label, recipe, rng), frames, recipe, rng)
        if draw.distortion != recipe.vocabulary.clean:
            break
    version = Version(label, image, (draw,) * len(masks), np.ones(len(masks)), 1.0)
    return _scored(clean, masks, version, image)


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
