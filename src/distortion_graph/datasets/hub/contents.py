"""Which files of a folder, or of a repository, belong to a data set."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from distortion_graph.base.errors import DatasetError
from distortion_graph.datasets.layout import (
    CLEAN_FOLDER,
    DATASET_FILE,
    DEPTH_FOLDER,
    INDEX_FILE,
    JOURNAL_FILE,
    MANIFEST_FILE,
    SPLITS,
    STATS_FOLDER,
    check_tag,
)
from distortion_graph.datasets.shards.contents import SHARDS_FILE, is_shard_name, read_shards_file

README = "README.md"
LICENSE = "LICENSE"
TOP_FILES = (DATASET_FILE, MANIFEST_FILE, INDEX_FILE, SHARDS_FILE, README, LICENSE)
"""Files that are taken along from beside the folders or the shards."""

_READ_BYTES = 1 << 20


def belongs(name: str) -> bool:
    """Whether a file of this name, from the top with "/", has a place in a root or among shards.

    No such name leads out of the folder it is put in.
    """
    parts = name.split("/")
    try:
        for part in parts:
            check_tag(part, name)
    except DatasetError:
        return False
    if any(part.startswith(".") for part in parts):
        return False
    match parts:
        case [top]:
            return top in TOP_FILES or is_shard_name(top)
        case [folder, *_] if folder == DEPTH_FOLDER:
            return True
        case [folder, file]:
            return folder == STATS_FOLDER and file.endswith(".json")
        case [folder, split, _]:
            return folder != STATS_FOLDER and split in SPLITS
    return False


def data_set_names(names: Iterable[str], where: str) -> tuple[list[str], bool]:
    """Those of the names that are one data set, and whether it is in shards; else it is a root.

    Raises DatasetError where they are neither; `where` begins the line.
    """
    own = sorted(name for name in names if belongs(name))
    if SHARDS_FILE in own:
        return [name for name in own if "/" not in name], True
    stats = {name for name in own if name.startswith(f"{STATS_FOLDER}/")}
    if not stats:
        raise DatasetError(
            f"{where}: neither {SHARDS_FILE} nor {STATS_FOLDER}/ is in it; expected a data set or "
            "its shards"
        )
    return [name for name in own if _in_root(name, stats)], False


def _in_root(name: str, stats: Collection[str]) -> bool:
    """Whether a file that belongs somewhere belongs in a root with these stats files."""
    match name.split("/"):
        case [top]:
            return not is_shard_name(top)
        case [folder, split, _] if folder not in (CLEAN_FOLDER, DEPTH_FOLDER):
            return f"{STATS_FOLDER}/{split}_stats_{folder}.json" in stats
    return True


def local_names(folder: Path) -> tuple[list[str], int]:
    """The files of a root or a folder of shards, and the number of other files there.

    Raises DatasetError where the folder is neither, a build in it is unfinished, or shards are
    missing.
    """
    if (folder / JOURNAL_FILE).exists():
        raise DatasetError(f"{folder}: its build is unfinished; finish it with `dataset build`")
    every = [p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()]
    names, shards = data_set_names(every, str(folder))
    if shards:
        described = read_shards_file(folder)
        listed = {file.name: file.bytes for file in (*described.shards, *described.files)}
        for name, size in listed.items():
            if name not in names or (folder / name).stat().st_size != size:
                raise DatasetError(
                    f"{folder / name}: is missing or not of {size} bytes as {SHARDS_FILE} says; "
                    "pack again"
                )
        names = [n for n in names if n in listed or n in (SHARDS_FILE, README, LICENSE)]
    return names, len(every) - len(names)


@dataclass(frozen=True)
class Checksums:
    """What a file can be known by: its own SHA-256, and Git's name for its content."""

    size: int
    sha256: str
    git_oid: str

    @classmethod
    def of(cls, path: Path) -> Checksums:
        """Read a file once for both."""
        size = path.stat().st_size
        sha256 = hashlib.sha256()
        # Git names a content by the SHA-1 of a header and the content; nothing secret hangs on it.
        git = hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
        with path.open("rb") as stream:
            while data := stream.read(_READ_BYTES):
                sha256.update(data)
                git.update(data)
        return cls(size, sha256.hexdigest(), git.hexdigest())


@dataclass(frozen=True)
class RemoteFile:
    """A file of a repository; large files have their SHA-256, small ones only Git's name."""

    name: str
    size: int
    sha256: str | None
    git_oid: str

    def equals(self, path: Path) -> bool:
        """Whether the file at `path` has the same content."""
        return path.stat().st_size == self.size and self.matches(Checksums.of(path))

    def matches(self, other: Checksums) -> bool:
        """Whether a file with these checksums has the same content."""
        own = other.git_oid == self.git_oid if self.sha256 is None else other.sha256 == self.sha256
        return own and other.size == self.size
