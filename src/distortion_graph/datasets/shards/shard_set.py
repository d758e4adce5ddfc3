"""Pictures and pairs read from shards as they come, without unpacking."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar, get_args

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import DatasetError
from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY, Vocabulary
from distortion_graph.datasets.array_cache import ArrayCache
from distortion_graph.datasets.decoding import decode_rgb
from distortion_graph.datasets.description import DatasetDescription, read_description
from distortion_graph.datasets.layout import INDEX_FILE, PairKey, check_split
from distortion_graph.datasets.pair_lists import Pairs, all_pairs, hard_pairs, read_index
from distortion_graph.datasets.samples import Sample
from distortion_graph.datasets.shards.contents import ShardEntry, read_shards_file
from distortion_graph.datasets.shards.reading import ShardPicture, ShardPlace, read_shard
from distortion_graph.datasets.truth import SKIP_EMPTY_AT, make_sample
from distortion_graph.masks.container import RegionSet

SHUFFLE_BUFFER = 256
"""Pairs that wait for their turn where order is shuffled."""

# A picture has sixteen versions and, as a rule, one set of masks.
_KEPT, _KEPT_BYTES = 16, 64 << 20

T = TypeVar("T")


class ShardSet:
    """Shards in reading order: a folder made by `dataset pack`, or any of its tar files.

    Opening reads nothing but `shards.json`. Pickles, so that it can be handed to worker processes.
    """

    def __init__(
        self,
        shards: Path | str | Sequence[ShardPlace],
        *,
        vocabulary: Vocabulary | None = None,
        index: Path | str | None = None,
        skip_empty_at: int | None = SKIP_EMPTY_AT,
    ) -> None:
        """Open a folder, or a list of files and of functions that open streams (a pipe, HTTP).

        Args:
            shards: the folder or the list.
            vocabulary: of the labels; dataset.json's if None, else the default one.
            index: the easy and medium lists; the folder's own if None.
            skip_empty_at: as in `truth.make_sample`.

        Raises DatasetError where the folder is none of shards.
        """
        self.description: DatasetDescription | None = None
        self._shards: tuple[tuple[ShardPlace, ShardEntry | None], ...]
        if isinstance(shards, Path | str):
            folder = Path(shards)
            described = read_shards_file(folder)
            self._shards = tuple((folder / shard.name, shard) for shard in described.shards)
            self.description = read_description(folder)
            if index is None and (folder / INDEX_FILE).is_file():
                index = folder / INDEX_FILE
            self.splits: tuple[str, ...] | None = tuple(described.splits)
        else:
            self._shards = tuple((place, None) for place in shards)
            self.splits = None
        known = self.description.vocabulary if self.description else DEFAULT_VOCABULARY
        self.vocabulary = vocabulary or known
        self._index = None if index is None else Path(index)
        self._skip_empty_at = skip_empty_at
        self._whole = True

    def __len__(self) -> int:
        """Number of shards."""
        return len(self._shards)

    def part(self, number: int, of: int) -> ShardSet:
        """Every `of`-th shard from `number` on: a worker's share, none of which others read.

        Parts are as equal as shards are: make several shards for each worker. Raises DatasetError
        for a number that is not 0 … of − 1.
        """
        if not 0 <= number < of:
            raise DatasetError(f"part {number} of {of} shards, expected 0 … {of - 1}")
        share = ShardSet.__new__(ShardSet)
        share.__dict__ |= self.__dict__
        share._shards, share._whole = self._shards[number::of], of == 1 and self._whole
        return share

    def pictures(
        self, split: str | None = None, *, rng: np.random.Generator | None = None
    ) -> Iterator[ShardPicture]:
        """Pictures of a split, or of all, in the order of the shards, which `rng` shuffles.

        Raises DatasetError for an unknown split and damaged shards.
        """
        self._check_split(split)
        order = np.arange(len(self)) if rng is None else rng.permutation(len(self))
        for place, entry in (self._shards[k] for k in order):
            if entry is None or split in (None, entry.split):
                for picture in read_shard(place, entry):
                    if split in (None, picture.split):
                        yield picture

    def samples(
        self,
        split: str,
        pairs: Pairs,
        *,
        rng: np.random.Generator | None = None,
        buffer: int = SHUFFLE_BUFFER,
    ) -> Iterator[Sample]:
        """Pairs of a split with their truth, picture by picture, by the rules of the reader.

        Of the easy and medium lists come the pairs whose picture is met, in the lists' order for
        one picture. With `rng`, shards are shuffled, and then pairs among `buffer` waiting ones,
        which hold their two encoded pictures in memory. Raises DatasetError as `pictures` and
        `truth.make_sample` do, and for lists that are missing or name none of the pictures.
        """
        samples = self._by_picture(split, pairs, rng)
        return samples if rng is None else shuffled(samples, rng, buffer)

    def _by_picture(
        self, split: str, pairs: Pairs, rng: np.random.Generator | None
    ) -> Iterator[Sample]:
        keys_of = self._keys(pairs)
        kept, count = _Kept(), 0
        for picture in self.pictures(split, rng=rng):
            for key in keys_of(picture):
                count += 1
                yield self._sample(picture, key, kept)
        if not count and self._whole:
            raise DatasetError(f"{self._name()}: no {pairs} pairs of split {split}")

    def _keys(self, pairs: Pairs) -> Callable[[ShardPicture], Sequence[PairKey]]:
        if pairs not in get_args(Pairs):
            raise DatasetError(
                f"unknown pairs {pairs!r}, expected one of {', '.join(get_args(Pairs))}"
            )
        if pairs == "hard":
            return lambda picture: hard_pairs([picture.tag])
        if pairs == "all":
            return lambda picture: all_pairs([picture.tag], picture.versions)
        if self._index is None:
            raise DatasetError(f"{self._name()}: the {pairs} list needs an index, {INDEX_FILE}")
        lists = read_index(self._index)
        if pairs not in lists:
            raise DatasetError(
                f"{self._index}: no list {pairs!r}, expected one of {', '.join(lists)}"
            )
        by_tag: dict[str, list[PairKey]] = {}
        for key in lists[pairs]:
            by_tag.setdefault(key.tag, []).append(key)
        return lambda picture: by_tag.get(picture.tag, ())

    def _sample(self, picture: ShardPicture, key: PairKey, kept: _Kept) -> Sample:
        for version in key[:2]:
            if version not in picture.versions:
                raise DatasetError(f"{picture.where}: has no version {version!r:.60}")
        places = f"{picture.where}: {key.anchor}", f"{picture.where}: {key.target}"
        data = picture.files[key.anchor], picture.files[key.target]
        sizes = [picture.size(version) for version in key[:2]]
        if sizes[0] != sizes[1]:
            raise DatasetError(
                f"{places[1]}: is {sizes[1][1]}×{sizes[1][0]} pixels (width × height), but "
                f"{key.anchor} is {sizes[0][1]}×{sizes[0][0]}"
            )
        loads = [
            partial(kept.pictures.get, place, partial(decode_rgb, d, place))
            for d, place in zip(data, places, strict=True)
        ]
        return make_sample(
            key,
            picture.record(key.anchor),
            picture.record(key.target),
            size=sizes[0],
            vocabulary=self.vocabulary,
            load_anchor=loads[0],
            load_target=loads[1],
            decode_masks=kept.masks,
            skip_empty_at=self._skip_empty_at,
            places=places,
        )

    def _check_split(self, split: str | None) -> None:
        if split is None:
            return
        if check_split(split) not in (self.splits or (split,)):
            there = ", ".join(self.splits or ())
            raise DatasetError(f"{self._name()}: no split {split}, there is {there}")

    def _name(self) -> str:
        first = self._shards[0][0] if self._shards else "shards"
        return str(Path(first).parent) if isinstance(first, Path | str) else "shards"


class _Kept:
    """Decoded pictures and masks of the picture at hand, for its other pairs."""

    def __init__(self) -> None:
        self.pictures: ArrayCache[np.uint8] = ArrayCache(_KEPT, _KEPT_BYTES)
        self._masks: ArrayCache[np.bool_] = ArrayCache(_KEPT, _KEPT_BYTES)

    def masks(self, regions: RegionSet) -> NDArray[np.bool_]:
        """(R, H, W) bool, read-only."""

        def decode() -> NDArray[np.bool_]:
            masks = regions.masks()
            masks.setflags(write=False)
            return masks

        return self._masks.get((regions.size, *(region.rle for region in regions)), decode)


def shuffled(items: Iterable[T], rng: np.random.Generator, buffer: int) -> Iterator[T]:
    """Items in random order, as far as `buffer` of them held back allow.

    Each item that comes takes the place of a random waiting one; at the end the waiting ones come
    in random order.
    """
    held: list[T] = []
    for item in items:
        if len(held) < buffer:
            held.append(item)
            continue
        k = int(rng.integers(len(held)))
        held[k], item = item, held[k]
        yield item
    held = [held[k] for k in rng.permutation(len(held))]
    while held:
        yield held.pop()  # not kept here: samples grow when they are used
