"""Reading a data-set root of the published layout, whoever made it.

    data = PandaSet("pandaset")
    for sample in data.samples("test", "hard"):
        sample.anchor, sample.target, sample.masks, sample.labels

Opening reads nothing but `dataset.json`. A stats file is read once, when something of it is first
asked for, and masks are kept as run lengths, once for all versions. Decoded pictures and masks are
kept in caches of bounded size. A reader can be pickled: its copy begins with empty caches.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import DatasetError
from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY, Vocabulary
from distortion_graph.datasets.array_cache import ArrayCache
from distortion_graph.datasets.decoding import picture_size_of, read_rgb
from distortion_graph.datasets.description import DatasetDescription, read_description
from distortion_graph.datasets.layout import (
    CLEAN_FOLDER,
    INDEX_FILE,
    SPLITS,
    STATS_FOLDER,
    PairKey,
    check_split,
    check_tag,
    check_versions,
    picture_path,
    stats_path,
    version_names,
)
from distortion_graph.datasets.pair_lists import PAIRS, all_pairs, hard_pairs, read_index
from distortion_graph.datasets.samples import Sample
from distortion_graph.datasets.stats import PictureRecord, picture_from_json
from distortion_graph.datasets.stats_stream import stream_stats
from distortion_graph.datasets.truth import SKIP_EMPTY_AT, make_sample, true_graph
from distortion_graph.masks.container import RegionSet
from distortion_graph.masks.rle import Rle
from distortion_graph.synth.synthesis import MIXED
from distortion_graph.work.local import LocalThreads
from distortion_graph.work.threads import CachedCall

__all__ = ["SKIP_EMPTY_AT", "PandaSet", "make_sample", "read_predicates", "true_graph"]

_CACHE_BYTES = 256 << 20
_DECODING_THREADS = 2


class PandaSet:
    """A data-set root: splits, versions, pairs and their samples.

    `root`, `vocabulary`, `description` (None for a root without dataset.json, as the published
    one) and `predicates`, the words of its relations where it says them.
    """

    def __init__(
        self,
        root: str | Path,
        *,
        vocabulary: Vocabulary | None = None,
        index: str | Path | None = None,
        skip_empty_at: int | None = SKIP_EMPTY_AT,
        cache_pictures: int = 32,
    ) -> None:
        """Open a root.

        Args:
            root: the folder with gt/, stats/ and a folder for each version.
            vocabulary: of the labels; None takes the root's own, or else the published one.
            index: file of the easy and medium lists; None takes the one in the root.
            skip_empty_at: see `datasets.truth.make_sample`.
            cache_pictures: decoded pictures that are kept, and the masks of eight times as many;
                of each no more than 256 MiB.

        Raises DatasetError for a folder that is no such root.
        """
        self.root = Path(root)
        if not (self.root / STATS_FOLDER).is_dir():
            what = f"has no folder {STATS_FOLDER}/" if self.root.is_dir() else "is not a folder"
            raise DatasetError(
                f"{self.root}: {what}, expected the root of a data set (see docs/dataset.md)"
            )
        if skip_empty_at is not None and skip_empty_at < 1:
            raise DatasetError(f"skip_empty_at must be at least 1 or None, got {skip_empty_at}")
        self.description: DatasetDescription | None = read_description(self.root)
        own = self.description.vocabulary if self.description else DEFAULT_VOCABULARY
        self.vocabulary = vocabulary or own
        self.predicates = self.description.predicates if self.description else ()
        self.skip_empty_at = skip_empty_at
        self._index_path = Path(index) if index is not None else self.root / INDEX_FILE
        self._cache_pictures = cache_pictures
        self._forget()

    def _forget(self) -> None:
        self._records: dict[tuple[str, str], dict[str, PictureRecord]] = {}
        self._files: dict[tuple[str, str], str] = {}
        self._shared_masks: dict[str, Rle] = {}
        self._sizes: dict[tuple[str, str, str], tuple[int, int]] = {}
        self._lists: dict[str, list[PairKey]] | None = None
        self._pictures: ArrayCache[np.uint8] = ArrayCache(self._cache_pictures, _CACHE_BYTES)
        self._masks: ArrayCache[np.bool_] = ArrayCache(8 * self._cache_pictures, _CACHE_BYTES)

    def __getstate__(self) -> dict[str, Any]:
        caches = ("_records", "_files", "_shared_masks", "_sizes", "_lists", "_pictures", "_masks")
        return {name: value for name, value in vars(self).items() if name not in caches}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._forget()

    def __repr__(self) -> str:
        return f"PandaSet({str(self.root)!r})"

    def splits(self) -> tuple[str, ...]:
        """The splits that have a stats file."""
        return tuple(split for split in SPLITS if self._versions_of(split))

    def versions(self, split: str) -> tuple[str, ...]:
        """The versions of a split that have a stats file, in the vocabulary's order."""
        versions = self._versions_of(check_split(split))
        if not versions:
            there = ", ".join(self.splits()) or "none"
            raise DatasetError(
                f"{self.root}: no stats of the split {split!r}; the splits there are: {there}"
            )
        return versions

    def _versions_of(self, split: str) -> tuple[str, ...]:
        names = version_names(self.vocabulary)
        return tuple(v for v in names if stats_path(self.root, split, v).is_file())

    def tags(self, split: str) -> tuple[str, ...]:
        """The pictures of a split, in the order of its first version's stats file."""
        return tuple(self._read(split, self.versions(split)[0]))

    def keys(self, split: str, pairs: str) -> list[PairKey]:
        """The pairs of a split: from the index (easy, medium), or of all its pictures (hard, all).

        Raises DatasetError where there are none, and for an entry of the index that the root does
        not have.
        """
        if pairs not in PAIRS:
            raise DatasetError(f"unknown pairs {pairs!r}, expected one of {', '.join(PAIRS)}")
        versions = self.versions(split)
        if pairs in ("easy", "medium"):
            return self._listed(split, pairs)
        if pairs == "hard":
            check_versions(MIXED, versions, f"{self.root}: hard pairs of {split}")
            keys = hard_pairs(self.tags(split))
        else:
            keys = all_pairs(self.tags(split), versions)
        if not keys:
            raise DatasetError(f"{self.root}: there are no {pairs} pairs in the split {split!r}")
        return keys

    def sample(self, split: str, key: PairKey | tuple[str, str, str]) -> Sample:
        """A pair with its truth; pixels and masks are decoded when they are asked for.

        Raises DatasetError, naming file, picture and region, for a pair that is not there and for
        contents as `datasets.truth.make_sample` says.
        """
        key = PairKey(*key)
        records = [self.record(split, version, key.tag) for version in key[:2]]
        sizes = [self._size(split, version, key.tag) for version in key[:2]]
        if sizes[0] != sizes[1]:
            shown = [f"{key[k]} is {sizes[k][1]}×{sizes[k][0]}" for k in range(2)]
            raise DatasetError(
                f"{self.root}: {split}/{key.tag}: {shown[0]} and {shown[1]} pixels (width × "
                "height), expected versions of one size"
            )
        sample = make_sample(
            key,
            *records,
            size=sizes[0],
            vocabulary=self.vocabulary,
            load_anchor=partial(self._load, split, key.anchor, key.tag),
            load_target=partial(self._load, split, key.target, key.tag),
            decode_masks=self._decoded,
            skip_empty_at=self.skip_empty_at,
            places=(
                self._place(split, key.anchor, key.tag),
                self._place(split, key.target, key.tag),
            ),
        )
        anchor, target = (picture_path(self.root, version, split, key.tag) for version in key[:2])
        return replace(sample, files=(anchor, target))

    def samples(
        self, split: str, pairs: str | Sequence[PairKey], *, ahead: int = 0
    ) -> Iterator[Sample]:
        """The samples of these keys, or of `keys(split, pairs)`, one by one in their order.

        With `ahead` above 0 two threads decode the pictures of so many following pairs meanwhile:
        for those who look at every picture. Such samples cannot be pickled; else they are the same.
        """
        keys = self.keys(split, pairs) if isinstance(pairs, str) else pairs
        samples = map(partial(self.sample, split), keys)
        return _decoded_ahead(samples, ahead) if ahead > 0 else samples

    def record(self, split: str, version: str, tag: str) -> PictureRecord:
        """What the stats say of a picture; raises DatasetError where they do not."""
        record = self._read(split, version).get(tag)
        if record is None:
            path = stats_path(self.root, split, version)
            raise DatasetError(f"{path}: has no entry for the picture {tag!r:.80}")
        return record

    def clean(self, split: str, tag: str) -> NDArray[np.uint8]:
        """The clean picture, (H, W, 3) RGB, read-only; raises DatasetError."""
        return self._load(check_split(split), CLEAN_FOLDER, check_tag(tag, str(self.root)))

    def has_clean(self, split: str, tag: str) -> bool:
        """Whether there is a clean picture; of what people judged it is seldom known.

        Where a data set was synthesised, one that is missing is damage: `clean` says so.
        """
        judged = self.description is not None and self.description.judged is not None
        return not judged or picture_path(self.root, CLEAN_FOLDER, split, tag).is_file()

    def picture(self, split: str, version: str, tag: str) -> NDArray[np.uint8]:
        """A version of a picture, (H, W, 3) RGB, read-only; raises DatasetError."""
        check_versions((version,), version_names(self.vocabulary), str(self.root))
        return self._load(check_split(split), version, check_tag(tag, str(self.root)))

    def _load(self, split: str, folder: str, tag: str) -> NDArray[np.uint8]:
        path = picture_path(self.root, folder, split, tag)
        return self._pictures.get((split, folder, tag), partial(read_rgb, path))

    def _size(self, split: str, version: str, tag: str) -> tuple[int, int]:
        """(h, w) of a picture that the stats name, from the file's header; read once."""
        key = (split, version, tag)
        size = self._sizes.get(key)
        if size is None:
            size = picture_size_of(picture_path(self.root, version, split, tag))
            self._sizes[key] = size
        return size

    def _place(self, split: str, version: str, tag: str) -> str:
        return f"{self._files[split, version]}: {tag}"

    def _decoded(self, regions: RegionSet) -> NDArray[np.bool_]:
        def decode() -> NDArray[np.bool_]:
            masks = regions.masks()
            masks.setflags(write=False)
            return masks

        return self._masks.get((regions.size, *(region.rle for region in regions)), decode)

    def _read(self, split: str, version: str) -> dict[str, PictureRecord]:
        """All of a stats file by tag, read at the first call."""
        known = self._records.get((split, version))
        if known is None:
            check_versions((version,), self.versions(split), f"{self.root}: stats of {split}")
            path = stats_path(self.root, split, version)
            known = {}
            for tag, entry in stream_stats(path):
                if tag in known:
                    raise DatasetError(f"{path}: {tag} is listed twice, expected one entry each")
                known[tag] = picture_from_json(entry, f"{path}: {tag}", self._shared_masks)
            self._records[split, version], self._files[split, version] = known, str(path)
        return known

    def _listed(self, split: str, pairs: str) -> list[PairKey]:
        if self._lists is None:
            if not self._index_path.is_file():
                raise DatasetError(
                    f"{self._index_path}: no such file, expected the lists of easy and medium "
                    "pairs; name the file that has them as the index"
                )
            self._lists = read_index(self._index_path)
        if pairs not in self._lists:
            there = ", ".join(self._lists)
            raise DatasetError(f"{self._index_path}: has no list {pairs!r}, only {there}")
        tags = frozenset(self.tags(split))
        keys = []
        for key in self._lists[pairs]:
            if key.tag in tags or self._has_file(split, key):
                self._check_entry(split, pairs, key)
                keys.append(key)
            elif not any(self._has_file(other, key) for other in SPLITS):
                raise DatasetError(
                    f"{self._index_path}: {pairs}: {_named(key)}: no split of {self.root} has this "
                    "picture"
                )
        if not keys:
            raise DatasetError(
                f"{self._index_path}: none of its {len(self._lists[pairs])} {pairs} pairs is of a "
                f"picture in the split {split!r} of {self.root}"
            )
        return keys

    def _check_entry(self, split: str, pairs: str, key: PairKey) -> None:
        where = f"{self._index_path}: {pairs}: {_named(key)}"
        for version in key[:2]:
            check_versions((version,), self.versions(split), where)
            if key.tag not in self._read(split, version):
                path = stats_path(self.root, split, version)
                raise DatasetError(f"{where}: the picture has no entry in {path}")
            picture = picture_path(self.root, version, split, key.tag)
            if not picture.is_file():
                raise DatasetError(f"{where}: there is no file {picture}")

    def _has_file(self, split: str, key: PairKey) -> bool:
        """Whether a split has the picture, by its files: stats of others need not be read."""
        folders = (CLEAN_FOLDER, key.anchor)
        return any(picture_path(self.root, f, split, key.tag).is_file() for f in folders)


def _decoded_ahead(samples: Iterable[Sample], ahead: int) -> Iterator[Sample]:
    """The same samples, the pictures of the next ones on their way in threads."""
    keeping = (
        replace(
            sample,
            load_anchor=CachedCall(sample.load_anchor),
            load_target=CachedCall(sample.load_target),
        )
        for sample in samples
    )
    with LocalThreads(None, _DECODING_THREADS) as executor:
        decoded = executor.run(_decode, keeping, ordered=True, window=ahead + 1)
        yield from (sample for sample, _ in decoded)


def _decode(job: None, sample: Sample) -> None:
    """Load the pictures; a damaged one is told again by whoever asks the sample for it."""
    for load in (sample.load_anchor, sample.load_target):
        with suppress(DatasetError):
            load()


def read_predicates(path: str | Path) -> tuple[str, ...]:
    """The words of relations: `predicate_classes` of PSG's JSON or `predicates` of dataset.json.

    Raises DatasetError.
    """
    try:
        value = json.loads(Path(path).read_bytes())
    except OSError as e:
        raise DatasetError(f"{path}: cannot be read ({e.strerror}), expected JSON") from e
    except (ValueError, RecursionError) as e:
        raise DatasetError(f"{path}: not JSON ({e}), expected names of predicates") from e
    names = None
    if isinstance(value, dict):
        names = value.get("predicate_classes", value.get("predicates"))
    if not isinstance(names, list) or not all(isinstance(n, str) and n for n in names):
        raise DatasetError(
            f"{path}: expected names of predicates, as `predicate_classes` of PSG's JSON or "
            "`predicates` of a dataset.json"
        )
    return tuple(names)


def _named(key: Sequence[str]) -> str:
    return f"({', '.join(key)})"
