"""Easy, medium and hard pairs of pictures with label maps, made in memory (docs/benchmark.md).

`samples_of` gives what a data-set root of the same pictures and seed gives
(`distortion_graph.datasets.reader`), without writing one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.vocabulary import Vocabulary
from distortion_graph.datasets.layout import PairKey
from distortion_graph.datasets.pair_lists import (
    PAIRS_PER_LIST,
    Pairs,
    all_pairs,
    draw_list,
    hard_pairs,
)
from distortion_graph.datasets.pictures import CleanPicture, choose_annotator, large_regions
from distortion_graph.datasets.samples import Sample
from distortion_graph.masks.container import RegionSet
from distortion_graph.measure.quality import HAARPSI, FullReferenceMetric
from distortion_graph.synth.distort import Frames
from distortion_graph.synth.pairs import labels_of, suffered_by
from distortion_graph.synth.synthesis import DEFAULT_RECIPE, MIXED, Recipe, Version, make_version

__all__ = [
    "MIN_SHARE",
    "PAIRS_PER_LIST",
    "BenchPair",
    "BenchPicture",
    "bench_picture",
    "make_pairs",
    "pair_list",
    "sample_of",
    "samples_of",
]

_T = TypeVar("_T")

MIN_SHARE = 0.008
"""Regions below this share of the picture are dropped and become unlabelled."""


@dataclass(frozen=True)
class BenchPicture:
    """A clean picture (H, W, 3) uint8 with its one label map turned into (R, H, W) masks."""

    tag: str
    rgb: NDArray[np.uint8]
    masks: NDArray[np.bool_]
    region_ids: tuple[int, ...]


@dataclass(frozen=True)
class BenchPair:
    """Two versions of one picture."""

    picture: BenchPicture
    anchor: Version
    target: Version


def bench_picture(picture: CleanPicture) -> BenchPicture:
    """One label map a picture, its small regions dropped, as the protocol asks."""
    label_map = picture.label_maps[choose_annotator(picture.label_maps, min_share=MIN_SHARE)]
    ids = tuple(large_regions(label_map, MIN_SHARE))
    masks = label_map[None] == np.array(ids, label_map.dtype)[:, None, None]
    return BenchPicture(picture.tag, picture.rgb, masks, ids)


def pair_list(
    pairs: Pairs, tags: Sequence[str], types: Sequence[str], *, seed: int = 0
) -> list[PairKey]:
    """Easy and medium pairs as drawn, both orders of every picture's hard ones, or all pairs."""
    if pairs == "hard":
        return hard_pairs(tags)
    if pairs == "all":
        return all_pairs(tags, (*types, *MIXED))
    return draw_list(pairs, tags, types, seed=seed)


def make_pairs(
    pairs: Pairs,
    pictures: Sequence[BenchPicture],
    *,
    seed: int = 0,
    recipe: Recipe = DEFAULT_RECIPE,
    metric: FullReferenceMetric = HAARPSI,
) -> Iterator[BenchPair]:
    """Synthesise the pairs of a list one by one."""
    by_tag = {p.tag: p for p in pictures}
    made: dict[tuple[str, str], Version] = {}
    for anchor, target, tag in sorted(
        pair_list(pairs, sorted(by_tag), recipe.types, seed=seed), key=lambda pair: pair[2]
    ):
        picture = by_tag[tag]
        # Pairs stand in picture order, so only one picture's versions need keeping.
        made = {key: value for key, value in made.items() if key[0] == tag}
        if not made:
            frames, reference = Frames(picture.rgb), metric.against(picture.rgb)
        for name in (anchor, target):
            if (tag, name) not in made:
                made[tag, name] = make_version(
                    picture.rgb,
                    picture.masks,
                    picture.region_ids,
                    version=name,
                    tag=tag,
                    seed=seed,
                    recipe=recipe,
                    frames=frames,
                    reference=reference,
                )
        yield BenchPair(picture, made[tag, anchor], made[tag, target])


def samples_of(
    pictures: Sequence[BenchPicture],
    pairs: Pairs,
    *,
    seed: int = 0,
    recipe: Recipe = DEFAULT_RECIPE,
    metric: FullReferenceMetric = HAARPSI,
) -> Iterator[Sample]:
    """The pairs of `make_pairs` with their truth as labels."""
    for pair in make_pairs(pairs, pictures, seed=seed, recipe=recipe, metric=metric):
        yield sample_of(pair, recipe.vocabulary, several=recipe.also_share > 0)


def sample_of(pair: BenchPair, vocabulary: Vocabulary, *, several: bool = False) -> Sample:
    """A pair as a sample; a region's id is its index, as it is in a data-set root.

    `several`: whether the recipe may give a region several distortions.
    """
    masks = pair.picture.masks
    regions = (
        RegionSet.from_masks(masks) if len(masks) else RegionSet(pair.picture.rgb.shape[:2], ())
    )
    return Sample(
        key=PairKey(pair.anchor.name, pair.target.name, pair.picture.tag),
        regions=regions,
        labels=labels_of(pair.anchor, pair.target, vocabulary),
        relations=(),
        load_anchor=_always(pair.anchor.image),
        load_target=_always(pair.target.image),
        load_masks=_always(masks),
        suffered=suffered_by(pair.anchor, pair.target, vocabulary) if several else None,
        load_clean=_always(pair.picture.rgb),
    )


def _always(value: _T) -> Callable[[], _T]:
    return lambda: value
