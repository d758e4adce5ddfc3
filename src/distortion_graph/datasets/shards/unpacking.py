"""Shards as a data-set root.

Picture files come back byte for byte, stats entries with their values; a root that `dataset build`
made comes back the same to the byte. One picture is in memory at a time.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path

from distortion_graph.base.errors import DatasetError, OutputError
from distortion_graph.base.files import new_folder
from distortion_graph.datasets.layout import DEPTH_FOLDER, STATS_FOLDER, picture_path, stats_path
from distortion_graph.datasets.shards.contents import (
    SHARDS_FILE,
    ShardsDescription,
    read_shards_file,
)
from distortion_graph.datasets.shards.hashed import copy_file, writing
from distortion_graph.datasets.shards.packing import Progress
from distortion_graph.datasets.shards.reading import ShardPicture, read_shard
from distortion_graph.datasets.stats_writer import StatsWriter


@dataclass(frozen=True)
class UnpackReport:
    """What was unpacked: pictures (of all versions one) and picture files."""

    pictures: int
    files: int


def unpack(shards: Path, out: Path, *, progress: Progress | None = None) -> UnpackReport:
    """Write the pictures of a folder of shards as a new root.

    Every checksum of `shards.json` is checked. Names from inside the shards are only believed
    where they are what this package would have written. Raises DatasetError for anything else,
    OutputError where `out` cannot be made.
    """
    description = read_shards_file(shards)
    if out.resolve().is_relative_to(shards.resolve()):
        raise OutputError(f"{out}: is inside {shards}; name a folder elsewhere")
    total = sum(split.pictures for split in description.splits.values())
    pictures = files = 0
    with new_folder(out) as folder, contextlib.ExitStack() as stack:
        for name in (DEPTH_FOLDER, STATS_FOLDER):
            (folder / name).mkdir()
        target = _RootWriter(folder, description, out, stack)
        for shard in description.shards:
            for picture in read_shard(shards / shard.name, shard, checksum=True):
                files += target.add(picture)
                pictures += 1
                if progress:
                    progress(pictures, total)
        target.finish()
        for file in description.files:
            copied = copy_file(shards / file.name, folder / file.name, out)
            if copied != file:
                raise DatasetError(
                    f"{shards / file.name}: is not the file that {SHARDS_FILE} describes (SHA-256 "
                    f"{copied.sha256[:12]}…, expected {file.sha256[:12]}…); get it anew"
                )
    return UnpackReport(pictures, files)


class _RootWriter:
    """A root in the making: pictures in their folders, stats files growing."""

    def __init__(
        self,
        folder: Path,
        description: ShardsDescription,
        out: Path,
        stack: contextlib.ExitStack,
    ) -> None:
        self._folder, self._out = folder, out
        self._stats: dict[tuple[str, str], StatsWriter] = {
            (name, version): stack.enter_context(
                StatsWriter(stats_path(folder, name, version), folder)
            )
            for name, split in description.splits.items()
            for version in split.versions
        }
        self._seen: set[tuple[str, str]] = set()

    def add(self, picture: ShardPicture) -> int:
        """Write a picture's files and stats entries; gives the number of its files."""
        if (picture.split, picture.tag) in self._seen:
            raise DatasetError(f"{picture.where}: is in the shards twice, expected once")
        self._seen.add((picture.split, picture.tag))
        for version in picture.versions:
            if (picture.split, version) not in self._stats:
                raise DatasetError(
                    f"{picture.where}: version {version!r:.40} is not in {SHARDS_FILE}"
                )
            entry = picture.stats_entry(version)
            try:
                self._stats[picture.split, version].add_json(picture.tag, entry)
            except OutputError:
                raise
            except ValueError as e:  # such as a score that is no finite number
                raise DatasetError(f"{picture.where}: cannot be written as JSON ({e})") from e
        for folder, data in picture.files.items():
            place = picture_path(self._folder, folder, picture.split, picture.tag)
            with writing(self._out):
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(data)
        return len(picture.files)

    def finish(self) -> None:
        """Put the stats files in their place."""
        for writer in self._stats.values():
            writer.finish()
