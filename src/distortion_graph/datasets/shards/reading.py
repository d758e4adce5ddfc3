"""Shards as a stream of pictures: read from start to end, one picture in memory."""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

from distortion_graph.base.errors import DatasetError
from distortion_graph.datasets.decoding import picture_size
from distortion_graph.datasets.layout import CLEAN_FOLDER
from distortion_graph.datasets.shards.contents import (
    SHARDS_FILE,
    PictureJson,
    ShardEntry,
    json_name,
    picture_name,
)
from distortion_graph.datasets.shards.hashed import HashedStream
from distortion_graph.datasets.stats import PictureRecord

ShardPlace = Path | str | Callable[[], BinaryIO]
"""A shard: a file, or a function that opens a stream of its bytes."""


class ShardPicture:
    """All versions of one picture as they stand in a shard.

    `files` are the encoded pictures by version, the clean one under `CLEAN_FOLDER`; `where` begins
    error lines.
    """

    def __init__(self, facts: PictureJson, files: dict[str, bytes], where: str) -> None:
        self._facts = facts
        self._records: dict[str, PictureRecord] = {}
        self._sizes: dict[str, tuple[int, int]] = {}
        self.split: str = facts.split
        self.tag: str = facts.tag
        self.files = files
        self.where = where

    @property
    def versions(self) -> tuple[str, ...]:
        """The degraded versions that are there."""
        return self._facts.versions

    def record(self, version: str) -> PictureRecord:
        """Regions, labels and scores of a version; raises DatasetError."""
        if version not in self._records:
            self._records[version] = self._facts.record(version)
        return self._records[version]

    def size(self, folder: str) -> tuple[int, int]:
        """(h, w) in pixels of a version or, under `CLEAN_FOLDER`, of the clean picture.

        Raises DatasetError.
        """
        if folder not in self._sizes:
            self._sizes[folder] = picture_size(self.files[folder], f"{self.where}: {folder}")
        return self._sizes[folder]

    def stats_entry(self, version: str) -> Any:
        """The JSON value that the version has in the stats file; raises DatasetError."""
        return self._facts.stats_entry(version)


def read_shard(
    shard: ShardPlace, expected: ShardEntry | None = None, *, checksum: bool = False
) -> Iterator[ShardPicture]:
    """The pictures of a shard in order.

    With `expected`, number of pictures, length and, with `checksum`, SHA-256 are compared at the
    end. Raises DatasetError for a damaged shard and for members that `packing` would not have
    written.
    """
    name = str(shard) if isinstance(shard, Path | str) else "shard"
    stream = HashedStream(_open(shard, name), name, hashed=checksum)
    with stream:
        count = 0
        for key, members in _groups(_members(stream, name), name):
            picture = _picture(key, members, name)
            if expected is not None and picture.split != expected.split:
                raise DatasetError(f"{picture.where}: is in a shard of {expected.split}")
            yield picture
            count += 1
        if expected is not None:
            _compare(stream, count, expected)


def _open(shard: ShardPlace, name: str) -> BinaryIO:
    if not isinstance(shard, Path | str):
        return shard()
    try:
        return Path(shard).open("rb")
    except OSError as e:
        raise DatasetError(f"{name}: cannot be read ({e.strerror}), expected a shard") from e


def _members(stream: HashedStream, name: str) -> Iterator[tuple[str, bytes]]:
    """Name and content of the members of a tar stream."""
    try:
        # "r|" reads forward only, and no compressed archives: such a bomb is no shard.
        with tarfile.open(fileobj=cast(Any, stream), mode="r|") as tar:
            for member in tar:
                # A sparse file would be as large as it says, whatever stands in the shard.
                plain = member.isreg() and not member.issparse()
                content = tar.extractfile(member) if plain else None
                if content is None:
                    raise DatasetError(f"{name}: {member.name!r:.120} is no plain file")
                yield member.name, content.read()
                tar.members = []  # type: ignore[attr-defined]  # or it grows with the shard
    except DatasetError:
        raise
    except (tarfile.TarError, ValueError) as e:  # the latter of headers of sparse files
        raise DatasetError(f"{name}: damaged or no tar file ({e}), expected a shard") from e


def _groups(
    members: Iterator[tuple[str, bytes]], shard: str
) -> Iterator[tuple[str, dict[str, bytes]]]:
    """Members that stand together and have one key: what is before the name's first dot."""
    key, group = "", dict[str, bytes]()
    for name, data in members:
        folder, slash, base = name.rpartition("/")
        own = f"{folder}{slash}{base.partition('.')[0]}"
        if own != key and group:
            yield key, group
            group = {}
        if name in group:
            raise DatasetError(f"{shard}: {name!r:.120} is there twice, expected once")
        key, group[name] = own, data
    if group:
        yield key, group


def _picture(key: str, members: dict[str, bytes], shard: str) -> ShardPicture:
    data = members.get(json_name(key))
    if data is None:
        raise DatasetError(f"{shard}: {next(iter(members))!r:.120} stands without {key[:80]}.json")
    facts = PictureJson(data, key, shard)
    files = {}
    for folder in (CLEAN_FOLDER, *facts.versions):
        name = picture_name(key, folder, facts.tag)
        if name not in members:
            raise DatasetError(f"{shard}: {name} is missing, which {json_name(key)} names")
        files[folder] = members[name]
    if len(members) != len(files) + 1:
        known = {json_name(key), *(picture_name(key, f, facts.tag) for f in files)}
        extra = next(name for name in members if name not in known)
        raise DatasetError(f"{shard}: {extra!r:.120} is not named in {json_name(key)}")
    return ShardPicture(facts, files, f"{shard}: {facts.split}/{facts.tag}")


def _compare(stream: HashedStream, count: int, expected: ShardEntry) -> None:
    stream.drain()
    if (stream.length, count) != (expected.bytes, expected.samples):
        fault = (
            f"{stream.length} bytes and {count} pictures, expected {expected.bytes} and "
            f"{expected.samples}"
        )
    elif stream.sha256 not in (None, expected.sha256):
        fault = f"SHA-256 {stream.sha256[:12]}…, expected {expected.sha256[:12]}…"
    else:
        return
    raise DatasetError(
        f"{stream.name}: is not the shard that {SHARDS_FILE} describes ({fault}); get it anew"
    )
