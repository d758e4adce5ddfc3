"""A data-set root as shards; `contents` says what is in one.

The same root gives the same shards, to the byte. One picture is in memory at a time.
"""

from __future__ import annotations

import contextlib
import io
import tarfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from distortion_graph.base.errors import DatasetError, OutputError
from distortion_graph.base.files import atomic_write_text, new_folder
from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY
from distortion_graph.datasets.description import read_description
from distortion_graph.datasets.layout import (
    CLEAN_FOLDER,
    DEPTH_FOLDER,
    JOURNAL_FILE,
    SPLITS,
    STATS_FOLDER,
    check_split,
    picture_path,
    stats_path,
    version_names,
)
from distortion_graph.datasets.shards.contents import (
    COPIED_FILES,
    SHARDS_FILE,
    ShardEntry,
    ShardsDescription,
    SplitEntry,
    json_name,
    picture_json,
    picture_key,
    picture_name,
    shard_name,
)
from distortion_graph.datasets.shards.hashed import HashedFile, copy_file, writing
from distortion_graph.datasets.stats_stream import StatsIndex

DEFAULT_SHARD_BYTES = 256_000_000

_TAR_BLOCK = 512

Progress = Callable[[int, int], None]
"""Told after every picture: how many are done, and of how many."""


@dataclass(frozen=True)
class PackReport:
    """What was packed. `left_out` counts the files of the root that are in no shard, by folder."""

    pictures: int
    shards: int
    bytes: int
    left_out: Mapping[str, int]


def pack(
    root: Path,
    out: Path,
    *,
    shard_bytes: int = DEFAULT_SHARD_BYTES,
    splits: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> PackReport:
    """Write the pictures of a root into a new folder of shards of about `shard_bytes` each.

    `splits` are those to take, all that have stats files if None. Raises DatasetError for a root
    that is unfinished or has files missing, OutputError where `out` cannot be made.
    """
    if (root / JOURNAL_FILE).exists():
        raise DatasetError(f"{root}: its build is unfinished; finish it with `dataset build`")
    described = read_description(root)
    if described is not None:
        described.need_scores(root, "shards hold clean pictures and scores")
    vocabulary = described.vocabulary if described else DEFAULT_VOCABULARY
    versions = version_names(vocabulary)
    if out.resolve().is_relative_to(root.resolve()):
        raise OutputError(f"{out}: is inside {root}, where no other folder may stand")
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(new_folder(out))
        sources = [
            stack.enter_context(_SplitSource(root, split, versions))
            for split in _splits_to_pack(root, versions, splits)
        ]
        total, done = sum(len(source.tags) for source in sources), 0
        shards: list[ShardEntry] = []
        for source in sources:
            with _ShardWriter(folder, source.split, shard_bytes, out) as writer:
                for tag in source.tags:
                    writer.add(source.members(tag))
                    done += 1
                    if progress:
                        progress(done, total)
            shards += writer.finished
        description = ShardsDescription(
            splits={
                source.split: SplitEntry(pictures=len(source.tags), versions=tuple(source.stats))
                for source in sources
            },
            shards=tuple(shards),
            files=tuple(
                copy_file(root / name, folder / name, out)
                for name in COPIED_FILES
                if (root / name).is_file()
            ),
        )
        atomic_write_text(folder / SHARDS_FILE, description.model_dump_json(indent=1) + "\n")
        left_out = _left_out(root, sources, versions)
    return PackReport(total, len(shards), sum(shard.bytes for shard in shards), left_out)


def _splits_to_pack(root: Path, versions: Sequence[str], wanted: Sequence[str] | None) -> list[str]:
    there = [s for s in SPLITS if any(stats_path(root, s, v).is_file() for v in versions)]
    if not there:
        raise DatasetError(
            f"{root}: no {STATS_FOLDER}/<split>_stats_<version>.json in it, expected a data set"
        )
    if wanted is None:
        return there
    for split in wanted:
        if check_split(split) not in there:
            raise DatasetError(f"{root}: no stats of split {split}, there is {', '.join(there)}")
    return [split for split in there if split in wanted]


class _SplitSource:
    """The pictures of one split of a root."""

    def __init__(self, root: Path, split: str, versions: Sequence[str]) -> None:
        self.root, self.split = root, split
        self.stats: dict[str, StatsIndex] = {}
        with contextlib.ExitStack() as stack:
            for version in versions:
                path = stats_path(root, split, version)
                if path.is_file():
                    self.stats[version] = stack.enter_context(StatsIndex(path))
            self._open = stack.pop_all()
        self.tags = tuple(dict.fromkeys(t for index in self.stats.values() for t in index.tags))

    def __enter__(self) -> _SplitSource:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def members(self, tag: str) -> Iterator[tuple[str, bytes]]:
        """Name and content of a picture's members."""
        key = picture_key(self.split, tag)
        entries = {v: index.entry(tag) for v, index in self.stats.items() if tag in index}
        where = f"{self.root}: {self.split}/{tag}"
        yield json_name(key), picture_json(self.split, tag, entries, where)
        for folder in (CLEAN_FOLDER, *entries):
            path = picture_path(self.root, folder, self.split, tag)
            try:
                yield picture_name(key, folder, tag), path.read_bytes()
            except OSError as e:
                raise DatasetError(
                    f"{path}: cannot be read ({e.strerror}), but is in the stats of "
                    f"{self.split}; run `distortion-graph dataset check`"
                ) from e


class _ShardWriter:
    """The shards of one split, a new one begun where the last would grow beyond the limit."""

    def __init__(self, folder: Path, split: str, limit: int, out: Path) -> None:
        self._folder, self._split, self._limit, self._out = folder, split, limit, out
        self._file: HashedFile | None = None
        self._tar: tarfile.TarFile | None = None
        self._samples = 0
        self.finished: list[ShardEntry] = []

    def __enter__(self) -> _ShardWriter:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        with writing(self._out):
            if kind is None:
                self._finish()
            elif self._file is not None:
                with contextlib.suppress(OSError):
                    self._file.close()

    def add(self, members: Iterator[tuple[str, bytes]]) -> None:
        """Add a picture."""
        there = list(members)
        size = sum(_TAR_BLOCK + -(-len(data) // _TAR_BLOCK) * _TAR_BLOCK for _, data in there)
        with writing(self._out):
            if self._file is not None and self._file.length + size > self._limit:
                self._finish()
            tar = self._tar or self._begin()
            for name, data in there:
                # Nothing of this machine: time 0, no owner, the same rights for all.
                member = tarfile.TarInfo(name)
                member.size, member.mode = len(data), 0o644
                tar.addfile(member, io.BytesIO(data))
            tar.members = []  # type: ignore[attr-defined]  # which tarfile keeps for a listing that nobody asks for
        self._samples += 1

    def _begin(self) -> tarfile.TarFile:
        name = shard_name(self._split, len(self.finished))
        self._file = HashedFile(self._folder / name)
        # PAX holds names of any length; it adds nothing to those that fit the plain header.
        self._tar = tarfile.TarFile(
            fileobj=self._file,  # type: ignore[arg-type]  # write and tell are all it needs
            mode="w",
            format=tarfile.PAX_FORMAT,
        )
        return self._tar

    def _finish(self) -> None:
        if self._file is None or self._tar is None:
            return
        self._tar.close()
        self._file.close()
        self.finished.append(
            ShardEntry(
                name=shard_name(self._split, len(self.finished)),
                split=self._split,
                samples=self._samples,
                bytes=self._file.length,
                sha256=self._file.sha256,
            )
        )
        self._file, self._tar, self._samples = None, None, 0


def _left_out(
    root: Path, sources: Sequence[_SplitSource], versions: Sequence[str]
) -> dict[str, int]:
    """Number of files by folder that stand in the packed splits and in no stats, and in depth/."""
    numbers = {}
    for source in sources:
        for folder in (CLEAN_FOLDER, *versions):
            tags = source.tags if folder == CLEAN_FOLDER else source.stats.get(folder, ())
            place = root / folder / source.split
            names = (p.name for p in place.iterdir()) if place.is_dir() else iter(())
            numbers[f"{folder}/{source.split}"] = sum(name not in tags for name in names)
    depth = root / DEPTH_FOLDER
    numbers[DEPTH_FOLDER] = sum(p.is_file() for p in depth.rglob("*")) if depth.is_dir() else 0
    return {place: number for place, number in numbers.items() if number}
