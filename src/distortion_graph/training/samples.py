"""Random training samples: a crop of a clean picture, regions, two degraded versions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from distortion_graph.base.errors import RecipeError
from distortion_graph.datasets.pictures import CleanPicture
from distortion_graph.measure.quality import HAARPSI
from distortion_graph.synth.distort import Frames
from distortion_graph.synth.keys import generator
from distortion_graph.synth.looks import MERGED_STOPS, Codec, Look, apply_look, draw_tone_map
from distortion_graph.synth.recipes import WILD_RECIPE
from distortion_graph.synth.shots import WILD_SHOTS, ShotShares, draw_shots
from distortion_graph.synth.synthesis import MIXED, Draw, Recipe, Version, make_version
from distortion_graph.training.augment import loosened, recompressed, resized, resized_masks
from distortion_graph.training.batch import Collate, Sample, collate
from distortion_graph.training.crops import random_crop, split_regions
from distortion_graph.training.extras import (
    Extras,
    add_outliers,
    even_version,
)
from distortion_graph.work.threads import keep_process_to

_MOST_ENLARGED = 4.0
_FREQUENT = MappingProxyType(
    {
        "noise": ("noise:sensor", "noise:coloured", "noise:denoised"),
        "blur": ("blur:soft", "blur:defocus", "blur:shake"),
        "brightness": ("brightness:overexposed", "brightness:curve"),
        "darken": ("darken:underexposed", "darken:curve"),
    }
)
"""What photographs of a whole scene suffer most often, and how cameras make it."""
_EVERYWHERE = ("noise", "rain", "snow", "haze", "blur")
"""What a whole photograph suffers and shows by itself, without a better one beside it."""
_NOISE, _BLUR = "noise", "blur"
_WEAK = (_NOISE, _BLUR)  # mostly, beside a pristine picture
_TONES = frozenset(
    {"brightness", "darken", "contrast_inc", "contrast_dec", "saturate_inc", "saturate_dec"}
)
"""What a photographer may want. In a picture beside itself nothing tells a look from a damage."""
_NOISE_SHARE = 0.5  # of the frequent ones, and its part of the others
_MERGED_SHARE = 0.3  # of the pictures beside an exposure
_MAPPED_SHARE = 0.4  # of these too
_SOFT_SHARE = 0.5  # of the pictures beside noise
_WEAK_WEIGHT = 8.0
_REDRAWN = 5  # times at most, what is too weak for a label
_EVEN_MIXED_SHARE = 0.15

FURTHER_SHARE = 0.4
"""`Recipe.also_share` of pairs whose regions are to have several distortions."""


@dataclass(frozen=True)
class SamplingConfig:
    """How training samples are drawn.

    Pairs are hard (two mixed versions), medium (one mixed), easy (two single types), a ladder (one
    type twice), hold the same damaged picture twice (`same_share`), or have a pristine picture on
    one side or, a third of these, on both; what the shares leave is medium. In `frequent_share` a
    pristine picture stands beside one of `_FREQUENT`, mostly noise, as cameras make it,
    everywhere in the other one and labelled by loss. Noise and blur are mostly weak there, and half
    of the pictures beside noise a little soft, as a mean of many shots is. What loses too little
    for a label is mostly drawn again, but not such blur. Of those beside an exposure 30 % are
    merged from several exposures, and 40 % have light and dark brought together. Equal pictures are
    equal mixed versions, have one of `_EVERYWHERE` all over, or a single type, seldom a change of
    tone.
    `crops` lists (side in px, pairs per batch); a batch uses one of them. Regions below `min_share`
    of a crop are left out, at most `max_regions` are kept; in a `grid_share` of the crops they are
    the cells of a grid. Of the versions of a single type `even_share` have the same distortion
    everywhere. `enlarged_share` of the crops show the picture enlarged, as soft as photographs of
    many megapixels are.

    Before anything is distorted a picture gets a look in `look_share` of the pairs, the two
    pictures of a pair different looks in `two_looks_share`, and one of them is moved against the
    other in `moved_share` (`synth.shots`). In `wild_share` of the pairs distortions
    are those of `synth.recipes.WILD_RECIPE` too, and labelled by their loss. In `told_share` of the
    pairs with a pristine picture the network is told that it is the original.
    """

    hard_share: float = 0.35
    easy_share: float = 0.1
    ladder_share: float = 0.05
    same_share: float = 0.08
    pristine_share: float = 0.28
    frequent_share: float = 0.08
    even_share: float = 0.4
    enlarged_share: float = 0.12
    grid_share: float = 0.15
    look_share: float = WILD_SHOTS.look_share
    two_looks_share: float = WILD_SHOTS.two_looks_share
    moved_share: float = WILD_SHOTS.moved_share
    told_share: float = 0.25
    wild_share: float = 0.5
    crops: tuple[tuple[int, int], ...] = ((80, 12), (176, 24), (224, 16), (288, 10))
    min_share: float = 0.006
    max_regions: int = 12
    feather_share: float = 0.2
    outlier_share: float = 0.2
    several_share: float = 0.2
    loose_share: float = 0.45
    rescaled_share: float = 0.6
    grey_share: float = 0.04
    recompressed_share: float = 0.7

    @property
    def shots(self) -> ShotShares:
        """How often the pictures of a pair have a history before they are distorted."""
        return ShotShares(self.look_share, self.two_looks_share, self.moved_share)


@dataclass(frozen=True)
class _Wanted:
    """A version to be made: a type or a mixed version's name, None for a picture left clean.

    With `even` the distortion is the same everywhere, with `frequent` it is as cameras make it and
    with `weak` mostly little. Two of equal `draws` are made by the same draws.
    """

    name: str | None
    even: bool = False
    frequent: bool = False
    weak: bool = False
    draws: int = 0


_PRISTINE = _Wanted(None)


class SampleStream(Dataset[Any]):
    """Endless batches by index: the batch at an index is the same on any worker."""

    def __init__(
        self,
        pictures: Sequence[CleanPicture],
        *,
        seed: int,
        recipe: Recipe,
        sampling: SamplingConfig,
        start: int = 0,
        length: int = 10**7,
        collate: Collate = collate,
    ) -> None:
        if len(recipe.types) < 2:
            raise RecipeError(f"training needs at least 2 distortion types, got {recipe.types}")
        self.pictures = pictures
        self.seed = seed
        self.recipe = recipe
        self.sampling = sampling
        self.start = start
        self.length = length
        self.collate = collate

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> Any:
        if index >= self.length:
            raise IndexError(index)
        index += self.start
        rng = generator(self.seed, "batch", index)
        side, pairs = self.sampling.crops[int(rng.integers(len(self.sampling.crops)))]
        samples: list[Sample] = []
        while len(samples) < pairs:
            picture = self.pictures[int(rng.integers(len(self.pictures)))]
            sample = self._sample(picture, side, f"{index}/{len(samples)}", rng)
            if sample is not None:
                samples.append(sample)
        return self.collate(samples, self.recipe.vocabulary, rng)

    def _sample(
        self, picture: CleanPicture, side: int, key: str, rng: np.random.Generator
    ) -> Sample | None:
        """None where the crop has no usable region."""
        sampling = self.sampling
        scale = float(rng.uniform(0.75, 1.3)) if rng.random() < sampling.rescaled_share else 1.0
        enlargement = 1.0
        if rng.random() < sampling.enlarged_share:
            enlargement = float(rng.uniform(1.2, _MOST_ENLARGED))
        clean, label_map = random_crop(picture, round(side / scale), rng, enlargement)
        masks = split_regions(
            label_map,
            rng,
            min_share=sampling.min_share,
            max_regions=sampling.max_regions,
            grid_share=sampling.grid_share,
        )
        if not len(masks):
            return None
        recipe = self.recipe
        if rng.random() < sampling.wild_share:
            recipe = _as_wild(recipe)
        if rng.random() < sampling.several_share:
            recipe = replace(recipe, also_share=FURTHER_SHARE)
        if rng.random() < sampling.feather_share:
            recipe = replace(recipe, feather_px=float(rng.uniform(0.5, 3)))
        if rng.random() < sampling.grey_share:
            clean, recipe = _grey(clean, recipe)
        wanted = self._wanted(rng, recipe.types)
        tag = f"{picture.tag}#{key}"
        shots = _beside_frequent(draw_shots(clean, sampling.shots, rng), wanted, rng)
        versions = list(self._versions(shots, masks, wanted, tag, recipe))
        extras = Extras.none(len(masks))
        if rng.random() < sampling.outlier_share:
            extras = add_outliers(shots, masks, versions, extras, rng)
        original = self._original(wanted, extras, rng)
        return self._seen(Sample(versions[0], versions[1], masks, extras, original), side, rng)

    def _versions(
        self,
        shots: tuple[NDArray[np.uint8], NDArray[np.uint8]],
        masks: NDArray[np.bool_],
        wanted: tuple[_Wanted, _Wanted],
        tag: str,
        recipe: Recipe,
    ) -> Iterator[Version]:
        """The two versions, each made of its own clean picture and scored against that."""
        frames, reference = Frames(shots[0]), HAARPSI.against(shots[0])
        for clean, version in zip(shots, wanted, strict=True):
            if clean is not frames.clean:
                frames, reference = Frames(clean), HAARPSI.against(clean)
            own_tag = f"{tag}/{version.draws}"
            if version.name is None:
                yield _pristine(clean, len(masks), recipe)
            elif version.even:
                rng = generator(self.seed, own_tag, version.name)
                drawn, redrawn = recipe, 0
                if version.frequent:
                    drawn = _as_cameras(recipe, version.name, weak=version.weak)
                    # Light blur has no label, but costs score: that is to be learnt.
                    redrawn = 0 if version.weak and version.name == _BLUR else _REDRAWN
                yield even_version(clean, masks, version.name, drawn, rng, redrawn=redrawn)
            else:
                yield make_version(
                    clean,
                    masks,
                    range(len(masks)),
                    version=version.name,
                    tag=own_tag,
                    seed=self.seed,
                    recipe=recipe,
                    frames=frames,
                    reference=reference,
                )

    def _original(
        self, wanted: tuple[_Wanted, _Wanted], extras: Extras, rng: np.random.Generator
    ) -> int | None:
        """The side of a pristine picture that the network is told of; mostly it is told of none."""
        sides = [k for k in range(2) if wanted[k] == _PRISTINE and extras.known[k].all()]
        if not sides or rng.random() >= self.sampling.told_share:
            return None
        return sides[int(rng.integers(len(sides)))]

    def _seen(self, sample: Sample, side: int, rng: np.random.Generator) -> Sample:
        """The sample as it reaches the network: scaled, recompressed, with masks that are off."""
        images, masks = [sample.anchor.image, sample.target.image], sample.masks
        if masks.shape[1] != side:
            shrinks = masks.shape[1] > side
            way = (
                cv2.INTER_AREA if shrinks else int(rng.choice((cv2.INTER_LINEAR, cv2.INTER_CUBIC)))
            )
            images = [resized(image, side, way) for image in images]
            masks = resized_masks(masks, side)
        if rng.random() < self.sampling.recompressed_share:
            images = recompressed(images, rng)
        if rng.random() < self.sampling.loose_share:
            masks = loosened(masks, rng)
        anchor, target = (
            replace(version, image=image)
            for version, image in zip((sample.anchor, sample.target), images, strict=True)
        )
        return replace(sample, anchor=anchor, target=target, masks=masks)

    def _wanted(self, rng: np.random.Generator, types: Sequence[str]) -> tuple[_Wanted, _Wanted]:
        """What the two pictures of a pair are to be, in either order."""
        sampling = self.sampling
        first, second = (types[int(k)] for k in rng.choice(len(types), 2, replace=False))
        even, other_even = (bool(flag) for flag in rng.random(2) < sampling.even_share)
        mixed = _Wanted(MIXED[0], bool(rng.random() < _EVEN_MIXED_SHARE))
        one_type = _Wanted(first, even)
        often = [label for label in _FREQUENT if label in types] or [first]
        label = often[int(rng.integers(len(often)))]
        if _NOISE in often and rng.random() < _NOISE_SHARE:
            label = _NOISE
        frequent = _Wanted(label, even=True, frequent=True, weak=label in _WEAK)
        everywhere = [label for label in _EVERYWHERE if label in types] or [first]
        label = everywhere[int(rng.integers(len(everywhere)))]
        whole = _Wanted(label, even=True, frequent=True)
        shown_alone = one_type
        if first in _TONES and second not in _TONES:
            shown_alone = replace(one_type, name=second)
        kinds: tuple[tuple[float, tuple[_Wanted, _Wanted]], ...] = (
            (sampling.hard_share, (mixed, _Wanted(MIXED[1]))),
            (sampling.easy_share, (one_type, _Wanted(second, other_even))),
            (sampling.ladder_share, (one_type, replace(one_type, draws=1))),
            (sampling.same_share / 3, (mixed, mixed)),
            (sampling.same_share / 3, (shown_alone, shown_alone)),
            (sampling.same_share / 3, (whole, whole)),
            (sampling.pristine_share / 3, (_PRISTINE, _PRISTINE)),
            (sampling.pristine_share / 3, (_PRISTINE, one_type)),
            (sampling.pristine_share / 3, (_PRISTINE, mixed)),
            (sampling.frequent_share, (_PRISTINE, frequent)),
        )
        pair, drawn = (one_type, mixed), rng.random()
        for share, kind in kinds:
            if drawn < share:
                pair = kind
                break
            drawn -= share
        return pair if rng.random() < 0.5 else (pair[1], pair[0])


def _as_wild(recipe: Recipe) -> Recipe:
    """The recipe with the sub-types of `wild` too, labelled by loss."""
    drawn = sorted({*recipe.also_drawn, *WILD_RECIPE.also_drawn})
    return replace(recipe, also_drawn=tuple(drawn), labelled_by="loss")


def _as_cameras(recipe: Recipe, label: str, *, weak: bool = False) -> Recipe:
    """The recipe with what cameras do alone where that is known, by loss; `weak` is mostly so."""
    if label not in _FREQUENT:
        return _as_wild(recipe)
    weights = None
    if weak:
        weights = dict.fromkeys(recipe.severity_levels, 1.0)
        weights[recipe.vocabulary.severities[1]] = _WEAK_WEIGHT
    made_of = {**(recipe.made_of or {}), label: _FREQUENT[label]}
    return replace(recipe, made_of=made_of, labelled_by="loss", severity_weights=weights)


def _beside_frequent(
    shots: tuple[NDArray[np.uint8], NDArray[np.uint8]],
    wanted: tuple[_Wanted, _Wanted],
    rng: np.random.Generator,
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The shots, the one beside a frequent distortion often with a history of its own."""
    names = [version.name for version in wanted if version.frequent and version.name in _FREQUENT]
    look = _draw_beside(names[0], rng) if names and names[0] else None
    if look is None:
        return shots
    first, second = (
        shot if version.frequent else apply_look(shot, look, rng)
        for shot, version in zip(shots, wanted, strict=True)
    )
    return first, second


def _draw_beside(label: str, rng: np.random.Generator) -> Look | None:
    """What a better picture had that another one lacks: many shots, or a wider range of light."""
    kind = rng.random()
    if label == _NOISE:
        if kind >= _SOFT_SHARE:
            return None
        quality = int(rng.integers(75, 96))
        codec = Codec("jpeg", quality, "420") if rng.random() < 1 / 3 else None
        return Look(sharpen=(-float(rng.uniform(0.05, 0.4)), 1.0), codec=codec)
    if label == _BLUR:
        return None
    if kind < _MERGED_SHARE:
        return Look(fused=float(rng.uniform(*MERGED_STOPS)))
    return Look(mapped=draw_tone_map(rng)) if kind < _MERGED_SHARE + _MAPPED_SHARE else None


def _grey(clean: NDArray[np.uint8], recipe: Recipe) -> tuple[NDArray[np.uint8], Recipe]:
    """A grey copy, and the recipe without labels that may change nothing but colours."""
    grey = cv2.cvtColor(cv2.cvtColor(clean, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    visible = tuple(t for t in recipe.types if not any(e.colour for e in recipe.sub_types(t)))
    if len(visible) < 2:
        return clean, recipe
    return np.asarray(grey, np.uint8), replace(recipe, drawn_types=visible)


def _pristine(clean: NDArray[np.uint8], regions: int, recipe: Recipe) -> Version:
    label = recipe.vocabulary.clean
    return Version("clean", clean, (Draw(label, label, None, 0),) * regions, np.ones(regions), 1.0)


def quiet_worker(_: int) -> None:
    """A data worker keeps to one thread: the cores belong to the trainer."""
    keep_process_to(1)
    torch.set_num_threads(1)
