"""Random training samples: a crop of a clean picture, regions, two degraded versions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from distortion_graph.data.keys import generator
from distortion_graph.data.pictures import CleanPicture
from distortion_graph.data.synthesis import MIXED, Draw, Recipe, Version, make_version
from distortion_graph.distort import Frames
from distortion_graph.errors import RecipeError
from distortion_graph.quality import HAARPSI
from distortion_graph.threads import keep_process_to
from distortion_graph.training.augment import loosened, recompressed, resized, resized_masks
from distortion_graph.training.batch import Collate, Sample, collate
from distortion_graph.training.extras import (
    Extras,
    add_outliers,
    add_second_distortion,
    even_version,
)

_MOST_ENLARGED = 4.0


@dataclass(frozen=True)
class SamplingConfig:
    """How training samples are drawn.

    Pairs are hard (two mixed versions), medium (one mixed), easy (two single types), or have a
    pristine picture on one side or, half of these, on both, in these shares. `crops` lists (side in
    px, pairs per batch); a batch uses one of them. Regions below `min_share` of a crop are left
    out, at most `max_regions` are kept. `same_share` of the hard pairs hold one picture twice. Of
    the versions of a single type `even_share` have the same distortion everywhere. `enlarged_share`
    of the crops show the picture enlarged, as soft as photographs of many megapixels are.
    """

    hard_share: float = 0.5
    easy_share: float = 0.25
    pristine_share: float = 0.12
    same_share: float = 0.03
    even_share: float = 0.25
    enlarged_share: float = 0.12
    crops: tuple[tuple[int, int], ...] = ((80, 12), (176, 24), (224, 16), (288, 10))
    min_share: float = 0.006
    max_regions: int = 12
    feather_share: float = 0.2
    outlier_share: float = 0.2
    double_share: float = 0.05
    loose_share: float = 0.45
    rescaled_share: float = 0.6
    grey_share: float = 0.04
    recompressed_share: float = 0.7


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
        masks = split_regions(label_map, sampling, rng)
        if not len(masks):
            return None
        recipe = self.recipe
        if rng.random() < sampling.feather_share:
            recipe = replace(recipe, feather_px=float(rng.uniform(0.5, 3)))
        if rng.random() < sampling.grey_share:
            clean, recipe = _grey(clean, recipe)
        names = self._version_names(rng, recipe.types)
        tag = f"{picture.tag}#{key}"
        versions = list(self._versions(clean, masks, names, tag, recipe, rng))
        extras = Extras.none(len(masks))
        if rng.random() < sampling.double_share:
            extras = add_second_distortion(clean, masks, versions, extras, recipe, rng)
        if rng.random() < sampling.outlier_share:
            extras = add_outliers(clean, masks, versions, extras, rng)
        return self._seen(Sample(versions[0], versions[1], masks, extras), side, rng)

    def _versions(
        self,
        clean: NDArray[np.uint8],
        masks: NDArray[np.bool_],
        names: tuple[str | None, str | None],
        tag: str,
        recipe: Recipe,
        rng: np.random.Generator,
    ) -> Iterator[Version]:
        frames, reference = Frames(clean), HAARPSI.against(clean)
        for name in names:
            if name is None:
                yield _pristine(clean, len(masks), recipe)
            elif name in recipe.types and rng.random() < self.sampling.even_share:
                yield even_version(clean, masks, name, recipe, rng)
            else:
                yield make_version(
                    clean,
                    masks,
                    range(len(masks)),
                    version=name,
                    tag=tag,
                    seed=self.seed,
                    recipe=recipe,
                    frames=frames,
                    reference=reference,
                )

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

    def _version_names(
        self, rng: np.random.Generator, types: Sequence[str]
    ) -> tuple[str | None, str | None]:
        """Names of the two versions; None is a picture left clean."""
        s = self.sampling
        kind = rng.random()
        first, second = rng.choice(len(types), 2, replace=False)
        pair: tuple[str | None, str | None]
        if kind < s.hard_share:
            pair = (MIXED[0], MIXED[0]) if rng.random() < s.same_share else (MIXED[0], MIXED[1])
        elif kind < s.hard_share + s.easy_share:
            pair = (types[first], types[second])
        elif kind < s.hard_share + s.easy_share + s.pristine_share:
            others = (None, None, MIXED[0], types[first])
            pair = (None, others[int(rng.integers(len(others)))])
        else:
            pair = (types[first], MIXED[0])
        return pair if rng.random() < 0.5 else (pair[1], pair[0])


def random_crop(
    picture: CleanPicture, side: int, rng: np.random.Generator, enlargement: float = 1.0
) -> tuple[NDArray[np.uint8], NDArray[np.uint16]]:
    """A square crop of picture and label map, mirrored or turned, at a random scale.

    The scale is ½ to 1, less where the crop still shows no more than the whole picture, more where
    the picture is smaller than the crop; an `enlargement` above 1 is the scale instead.
    """
    label_map = picture.label_maps[int(rng.integers(len(picture.label_maps)))]
    rgb = picture.rgb
    smallest = side / min(rgb.shape[:2])
    lowest = min(smallest, 0.5)
    scale = max(smallest, float(rng.uniform(lowest, 1)) if rng.random() < 0.5 else 1.0)
    if enlargement > 1:
        scale = max(smallest, enlargement)
    if scale != 1:
        size = (max(side, round(rgb.shape[1] * scale)), max(side, round(rgb.shape[0] * scale)))
        way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        rgb = np.asarray(cv2.resize(rgb, size, interpolation=way), np.uint8)
        label_map = np.asarray(
            cv2.resize(label_map, size, interpolation=cv2.INTER_NEAREST_EXACT), np.uint16
        )
    top = int(rng.integers(rgb.shape[0] - side + 1))
    left = int(rng.integers(rgb.shape[1] - side + 1))
    rgb = rgb[top : top + side, left : left + side]
    label_map = label_map[top : top + side, left : left + side]
    if rng.random() < 0.5:
        rgb, label_map = rgb[:, ::-1], label_map[:, ::-1]
    if rng.random() < 0.15:
        rgb, label_map = np.rot90(rgb), np.rot90(label_map)
    return np.ascontiguousarray(rgb), np.ascontiguousarray(label_map)


def split_regions(
    label_map: NDArray[np.uint16], sampling: SamplingConfig, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """(R, H, W) masks of a crop's regions; few large ones are sometimes cut up further."""
    labels = label_map.astype(np.int32)
    present = int((np.bincount(labels.ravel())[1:] > 0).sum())
    if present < 3 or rng.random() < 0.15:
        labels = np.where(labels > 0, labels * 8 + _cells(labels.shape, rng), 0)
    counts = np.bincount(labels.ravel())
    counts[0] = 0
    ids = np.flatnonzero(counts >= sampling.min_share * labels.size)
    if len(ids) > sampling.max_regions:
        ids = np.sort(rng.choice(ids, sampling.max_regions, replace=False))
    return np.asarray(labels[None] == ids[:, None, None])


def _cells(shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.int32]:
    """Nearest of 2 … 7 random points for every pixel: a random partition into convex cells."""
    count = int(rng.integers(2, 8))
    points = rng.uniform((0, 0), shape, (count, 2))
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    distance = [(rows - y) ** 2 + (columns - x) ** 2 for y, x in points]
    return np.asarray(np.argmin(distance, axis=0), np.int32)


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
