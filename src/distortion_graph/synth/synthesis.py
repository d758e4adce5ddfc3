"""Synthesis in memory: a clean picture, its regions, a recipe and a key → a degraded version.

A *version* is one degraded copy of a picture: of a single distortion type, where every region
draws its own severity, sub-type and level; or mixed, where every region also draws its type and
some stay clean. Two versions make a pair (`distortion_graph.synth.pairs`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import ImageError, RegionError
from distortion_graph.masks.boxes import Box
from distortion_graph.measure.quality import HAARPSI, FullReferenceMetric, Reference
from distortion_graph.synth.distort import Frames
from distortion_graph.synth.keys import generator
from distortion_graph.synth.recipes import (
    DEFAULT_RECIPE,
    DEFAULT_SEVERITY_LEVELS,
    MIXED,
    Draw,
    Recipe,
    draw_region,
    draw_strength,
)
from distortion_graph.synth.shots import NO_HISTORY, Shot, ShotShares, common_shot, version_shot
from distortion_graph.synth.whole_frames import apply_draw, labelled_frame

__all__ = [
    "DEFAULT_RECIPE",
    "DEFAULT_SEVERITY_LEVELS",
    "MIXED",
    "Draw",
    "Recipe",
    "Version",
    "apply_draw",
    "draw_region",
    "draw_strength",
    "make_version",
    "make_versions",
    "paste",
]

_GAUSSIAN_REACH = 4  # half the side of OpenCV's Gaussian for floats, in standard deviations


@dataclass(frozen=True)
class Version:
    """One degraded copy of a picture.

    `image` is H×W×3 uint8, `draws` and `scores` stand in the order of the masks, scores are
    against the picture it was made of, 1 for an untouched region. That is the clean picture, or a
    `shot` of it.
    """

    name: str
    image: NDArray[np.uint8]
    draws: tuple[Draw, ...]
    scores: NDArray[np.float64]
    scene_score: float
    shot: Shot | None = None


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
    Where a recipe labels by loss, or draws several distortions for a region, whole frames are made
    and measured (`synth/whole_frames.py`).

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
    reference = reference or metric.against(clean)
    degraded = clean.copy()
    draws = []
    for mask, region_id in zip(masks, region_ids, strict=True):
        rng = generator(seed, tag, version, int(region_id))
        draw = draw_region(version, recipe, rng)
        box = Box.around(mask)
        if draw.also or recipe.labelled_by == "loss":
            draw, frame = labelled_frame(
                draw, frames, recipe, rng, reference=reference, depth=depth
            )
            part = frame[box.area]
        elif draw.applied and not box.empty:
            part = frames.part(*draw.applied, draw.level, rng, box, depth=depth)
        else:
            part = clean[box.area]
        draws.append(draw)
        if not box.empty:
            _paste_part(degraded, part, mask, box, recipe.feather_px)
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
    shares: ShotShares = NO_HISTORY,
) -> Iterator[Version]:
    """What `make_version` gives for every name, one by one, with the work they have in common
    done once. Arguments and errors are its own.

    `shares` says how often versions are made of a shot of their own (`synth.shots.version_shot`)
    instead of the clean picture; masks and `depth` stay where they are.
    """
    common = common_shot(clean, shares, seed=seed, tag=tag)
    shared = Frames(common.rgb), metric.against(common.rgb)
    for version in versions:
        shot = version_shot(common, shares, seed=seed, tag=tag, version=version)
        frames, reference = shared
        if shot is not common:
            frames, reference = Frames(shot.rgb), metric.against(shot.rgb)
        made = make_version(
            shot.rgb,
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
        yield made if shot.rgb is clean else replace(made, shot=shot)


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
