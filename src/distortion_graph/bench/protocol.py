"""Easy, medium and hard pairs of a set of pictures with label maps (docs/benchmark.md)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from distortion_graph.data.keys import generator
from distortion_graph.data.pairs import Difficulty, draw_versions
from distortion_graph.data.pictures import CleanPicture, choose_annotator, large_regions
from distortion_graph.data.synthesis import DEFAULT_RECIPE, MIXED, Recipe, Version, make_version
from distortion_graph.quality import HAARPSI, FullReferenceMetric

Split = Difficulty

MIN_SHARE = 0.008
"""Regions below this share of the picture are dropped and become unlabelled."""

PAIRS_PER_LIST = 300
"""Number of pairs on the easy and on the medium list."""


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
    split: Split, tags: Sequence[str], types: Sequence[str], *, seed: int = 0
) -> list[tuple[str, str, str]]:
    """(anchor version, target version, picture tag) of every pair of a split.

    Easy and medium are `PAIRS_PER_LIST` draws; hard is both orders of every picture's two mixed
    versions.
    """
    if split == "hard":
        first, second = MIXED
        return [pair for tag in tags for pair in ((first, second, tag), (second, first, tag))]
    rng = generator(seed, "list", split)
    pairs = []
    for _ in range(PAIRS_PER_LIST):
        tag = tags[int(rng.integers(len(tags)))]
        pairs.append((*draw_versions(split, types, rng), tag))
    return pairs


def make_pairs(
    split: Split,
    pictures: Sequence[BenchPicture],
    *,
    seed: int = 0,
    recipe: Recipe = DEFAULT_RECIPE,
    metric: FullReferenceMetric = HAARPSI,
) -> Iterator[BenchPair]:
    """Synthesise the pairs of a split one by one."""
    by_tag = {p.tag: p for p in pictures}
    made: dict[tuple[str, str], Version] = {}
    for anchor, target, tag in sorted(
        pair_list(split, sorted(by_tag), recipe.types, seed=seed), key=lambda pair: pair[2]
    ):
        picture = by_tag[tag]
        # Pairs stand in picture order, so only one picture's versions need keeping.
        made = {key: value for key, value in made.items() if key[0] == tag}
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
                    metric=metric,
                )
        yield BenchPair(picture, made[tag, anchor], made[tag, target])
