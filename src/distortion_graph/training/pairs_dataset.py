"""Training on a data set that is already there, as torch data sets of `training.batch.Sample`.

    data = PairsDataset(PandaSet(root), "train", "hard", crop=224)
    loader = DataLoader(data, batch_size=8, shuffle=True, num_workers=2,
                        collate_fn=data.collate, worker_init_fn=quiet_worker)

`PairsDataset` looks a pair up by its number, `PairStream` takes pairs as they come, from shards
say. `RootBatches` gives whole batches by number, which `training.loop.Trainer` trains on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Dataset, IterableDataset, get_worker_info

from distortion_graph.base.errors import DatasetError
from distortion_graph.base.vocabulary import Vocabulary
from distortion_graph.datasets.reader import PandaSet
from distortion_graph.datasets.samples import Sample as Pair
from distortion_graph.graph.truth import UNSAID
from distortion_graph.synth.keys import generator
from distortion_graph.synth.synthesis import Draw, Version
from distortion_graph.training.batch import (
    Batch,
    Collate,
    JudgedLabels,
    Sample,
    collate,
    make_batch,
)
from distortion_graph.training.samples import SamplingConfig

MULTIPLE_PX = 16
"""Sides of a training picture are multiples of this."""

Window = tuple[slice, slice]
_A = TypeVar("_A", bound=np.generic)

PairSource = Callable[[int, int], Iterable[Pair]]
"""Gives the pairs that worker number `i` of `n` reads: all of them together are all pairs."""


class PairsDataset(Dataset[Sample]):
    """The pairs of a split by number, in the order of `PandaSet.keys`."""

    def __init__(
        self,
        data: PandaSet,
        split: str,
        pairs: str,
        *,
        crop: int | None = None,
        min_share: float = SamplingConfig.min_share,
        max_regions: int | None = None,
        seed: int = 0,
    ) -> None:
        """Look up the pairs.

        Args:
            data: the root.
            split: train, val or test.
            pairs: easy, medium, hard or all.
            crop: side in pixels of a random square part, a multiple of 16; None takes the whole
                picture, less what its sides have over a multiple of 16.
            min_share: regions that cover less of the part are left out.
            max_regions: at most so many regions, chosen at random.
            seed: of the random parts; with the epoch and the pair's number it decides them.

        Raises DatasetError as `PandaSet.keys` does, and for an impossible crop.
        """
        _check_crop(crop)
        self.data, self.split, self.keys = data, split, data.keys(split, pairs)
        self.crop, self.min_share, self.max_regions = crop, min_share, max_regions
        self.seed, self.epoch = seed, 0

    @property
    def collate(self) -> Callable[[Sequence[Sample]], Batch]:
        """For a DataLoader: a batch of samples of one size."""
        return partial(make_batch, vocabulary=self.data.vocabulary)

    def set_epoch(self, epoch: int) -> None:
        """Other random parts; call it before the workers of the epoch start."""
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.keys)

    def __getitem__(self, index: int) -> Sample:
        if not 0 <= index < len(self.keys):
            raise IndexError(index)
        rng = generator(self.seed, "part", self.epoch, index)
        pair = self.data.sample(self.split, self.keys[index])
        return training_sample(
            pair,
            self.data.vocabulary,
            rng,
            crop=self.crop,
            min_share=self.min_share,
            max_regions=self.max_regions,
        )


class PairStream(IterableDataset[Sample]):
    """Pairs as a source gives them; in a DataLoader each worker asks for its own share.

    `source` is a `PairSource` that can be pickled, such as one that reads
    `datasets.shards.ShardSet.part(i, n)`. Other arguments are as in `PairsDataset`.
    """

    def __init__(
        self,
        source: PairSource,
        vocabulary: Vocabulary,
        *,
        crop: int | None = None,
        min_share: float = SamplingConfig.min_share,
        max_regions: int | None = None,
        seed: int = 0,
    ) -> None:
        _check_crop(crop)
        self.source, self.vocabulary = source, vocabulary
        self.crop, self.min_share, self.max_regions = crop, min_share, max_regions
        self.seed, self.epoch = seed, 0

    def set_epoch(self, epoch: int) -> None:
        """Other random parts; call it before the workers of the epoch start."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[Sample]:
        worker = get_worker_info()
        number, of = (0, 1) if worker is None else (worker.id, worker.num_workers)
        for k, pair in enumerate(self.source(number, of)):
            yield training_sample(
                pair,
                self.vocabulary,
                generator(self.seed, "stream", self.epoch, number, of, k),
                crop=self.crop,
                min_share=self.min_share,
                max_regions=self.max_regions,
            )


class RootBatches(Dataset[Any]):
    """Endless batches of a root's pairs by number: a batch is the same on any worker.

    As in `training.samples.SampleStream`, but the pairs are those of `PandaSet.keys`, drawn at
    random, and of `sampling` only `crops`, `min_share` and `max_regions` count.
    """

    def __init__(
        self,
        data: PandaSet,
        split: str = "train",
        pairs: str = "all",
        *,
        seed: int,
        sampling: SamplingConfig,
        start: int = 0,
        length: int = 10**7,
        collate: Collate = collate,
    ) -> None:
        for side, _ in sampling.crops:
            _check_crop(side)
        self.data, self.split, self.keys = data, split, data.keys(split, pairs)
        self.seed, self.sampling, self.start, self.length = seed, sampling, start, length
        self.collate = collate

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> Any:
        if not 0 <= index < self.length:
            raise IndexError(index)
        rng = generator(self.seed, "root batch", index + self.start)
        side, count = self.sampling.crops[int(rng.integers(len(self.sampling.crops)))]
        samples = []
        for k in rng.integers(len(self.keys), size=count).tolist():
            samples.append(
                training_sample(
                    self.data.sample(self.split, self.keys[k]),
                    self.data.vocabulary,
                    rng,
                    crop=side,
                    min_share=self.sampling.min_share,
                    max_regions=self.sampling.max_regions,
                )
            )
        return self.collate(samples, self.data.vocabulary, rng)


def training_sample(
    pair: Pair,
    vocabulary: Vocabulary,
    rng: np.random.Generator,
    *,
    crop: int | None = None,
    min_share: float = 0.0,
    max_regions: int | None = None,
) -> Sample:
    """A pair, or a random square part of it, as the trainer takes it.

    A part always has some of a region, where the pair has one; a picture that is smaller than the
    part is continued by its mirror image, and so are its masks. Labels and scores stay those of
    the whole regions and the whole picture.
    """
    shape, masks = pair.anchor.shape[:2], pair.masks
    first = int(rng.integers(len(masks))) if len(masks) else None
    if crop is None:
        height, width = (max(n // MULTIPLE_PX, 1) * MULTIPLE_PX for n in shape)
        window = _window(0, 0, height, width)
    else:
        window = _random_window(None if first is None else masks[first], shape, crop, rng)
    parts = [_cut(part, window) for part in (pair.anchor, pair.target)]
    # Masks are cut before they are looked at: whole ones are many times as large.
    cut = _cut(masks, (slice(None), *window))
    shares = cut.mean(axis=(1, 2)) if len(cut) else np.zeros(0)
    kept = np.flatnonzero(shares >= min_share) if min_share > 0 else np.flatnonzero(shares)
    if not len(kept) and first is not None and shares[first] > 0:
        kept = np.array([first])
    if max_regions is not None and len(kept) > max_regions:
        kept = np.sort(rng.choice(kept, max_regions, replace=False))
    anchor, target = (
        _version(pair, side, part, kept, vocabulary) for side, part in enumerate(parts)
    )
    return Sample(anchor, target, cut[kept], judged=_judged(pair, kept))


def _judged(pair: Pair, kept: NDArray[np.integer]) -> JudgedLabels | None:
    """What people say of the regions that are kept; None of a pair that was synthesised."""
    labels = pair.labels
    if not np.isnan(labels.score).any():
        return None
    return JudgedLabels(
        labels.distortion[:, kept], labels.severity[:, kept], labels.comparison[kept]
    )


def _version(
    pair: Pair,
    side: int,
    rgb: NDArray[np.uint8],
    kept: NDArray[np.integer],
    vocabulary: Vocabulary,
) -> Version:
    labels = pair.labels
    draws = tuple(_draw(pair, side, k, vocabulary) for k in kept.tolist())
    scores = labels.score[side, kept]
    return Version(pair.key[side], rgb, draws, scores, float(labels.scene_score[side]))


def _draw(pair: Pair, side: int, k: int, vocabulary: Vocabulary) -> Draw:
    """The labels of region k. What made it so is not known here, and training does not ask."""
    first = int(pair.labels.distortion[side, k])
    draw = _labelled(first, int(pair.labels.severity[side, k]), vocabulary)
    if pair.suffered is None:
        return draw
    each = enumerate(pair.suffered.severity[side, k].tolist())
    further = (
        _labelled(d, severity, vocabulary) for d, severity in each if severity and d != first
    )
    return replace(draw, also=tuple(further))


def _labelled(distortion: int, severity: int, vocabulary: Vocabulary) -> Draw:
    if UNSAID in (distortion, severity):  # `JudgedLabels` say what was said
        distortion, severity = vocabulary.clean_index, 0
    return Draw(vocabulary.distortions[distortion], vocabulary.severities[severity], None, 0)


def _window(top: int, left: int, height: int, width: int) -> Window:
    return slice(top, top + height), slice(left, left + width)


def _random_window(
    mask: NDArray[np.bool_] | None, shape: tuple[int, ...], side: int, rng: np.random.Generator
) -> Window:
    """A square that holds a random pixel of the mask; it starts at 0 where it does not fit."""
    ends = [(0, max(size - side, 0)) for size in shape[:2]]
    if mask is not None and mask.any():
        pixels = np.flatnonzero(mask)
        y, x = divmod(int(pixels[int(rng.integers(len(pixels)))]), mask.shape[1])
        ends = [
            (max(p - side + 1, 0), min(p, last)) for p, (_, last) in zip((y, x), ends, strict=True)
        ]
    top, left = (int(rng.integers(low, high + 1)) for low, high in ends)
    return _window(top, left, side, side)


def _cut(array: NDArray[_A], window: tuple[slice, ...]) -> NDArray[_A]:
    """The part of an array; beyond its end the array is continued by its mirror image."""
    missing = [
        (0, max((part.stop or size) - size, 0))
        for part, size in zip(window, array.shape, strict=False)
    ]
    if any(after for _, after in missing):
        missing += [(0, 0)] * (array.ndim - len(missing))
        array = np.asarray(np.pad(array, missing, mode="symmetric"), array.dtype)
    return np.ascontiguousarray(array[window])


def _check_crop(crop: int | None) -> None:
    if crop is not None and (crop < MULTIPLE_PX or crop % MULTIPLE_PX):
        raise DatasetError(
            f"crop is {crop} pixels, expected a multiple of {MULTIPLE_PX}, or None for all of a "
            "picture"
        )
