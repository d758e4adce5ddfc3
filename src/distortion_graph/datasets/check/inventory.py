"""The files and folders of a root, and which of them have no place there."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from distortion_graph.base.errors import DatasetError
from distortion_graph.datasets.check.findings import FindingLog
from distortion_graph.datasets.check.work import PictureName, StatsTask
from distortion_graph.datasets.layout import (
    CLEAN_FOLDER,
    DEPTH_FOLDER,
    JOURNAL_FILE,
    SPLITS,
    STATS_FOLDER,
)
from distortion_graph.datasets.shards.contents import SHARDS_FILE


@dataclass
class Inventory:
    """What is on the disk.

    `pictures` are the files of a folder (`gt` or a version's) and split with their sizes in bytes,
    whatever they are; an empty or missing folder has none. `stats` are the files that are there.
    """

    root: Path
    versions: tuple[str, ...]
    pictures: dict[tuple[str, str], dict[str, int]] = field(default_factory=dict)
    stats: set[tuple[str, str]] = field(default_factory=set)
    folders: set[str] = field(default_factory=set)

    def tags(self, folder: str, split: str) -> Mapping[str, int]:
        """Names and bytes of the files of a folder's split."""
        return self.pictures.get((folder, split), {})

    @property
    def splits(self) -> tuple[str, ...]:
        """Those of which there is anything."""
        there = {split for (_, split), files in self.pictures.items() if files}
        there |= {split for split, _ in self.stats}
        return tuple(split for split in SPLITS if split in there)

    def names(self) -> Iterator[PictureName]:
        """Every file by its place, those of a picture one after the other."""
        for split in self.splits:
            folders = [f for f in (CLEAN_FOLDER, *self.versions) if (f, split) in self.pictures]
            every = sorted({tag for folder in folders for tag in self.tags(folder, split)})
            for tag in every:
                for folder in folders:
                    if tag in self.tags(folder, split):
                        yield PictureName(folder, split, tag)

    def stats_tasks(self) -> list[StatsTask]:
        """One a stats file, splits and versions in their order."""
        return [
            StatsTask(split, version)
            for split in SPLITS
            for version in self.versions
            if (split, version) in self.stats
        ]


def take_inventory(
    root: Path, known: Sequence[str], wanted: Sequence[str] | None, log: FindingLog
) -> Inventory:
    """List a root. `known` are names of versions; `wanted` those it says it has, if it says so.

    Without `wanted`, a version is any of the known with a folder or a stats file. Raises
    DatasetError where `root` is no folder, or nothing in it is a data set's.
    """
    entries = _listed(root)
    folders = {entry.name for entry in entries if _is_folder(entry)}
    if not folders & {CLEAN_FOLDER, STATS_FOLDER}:
        shards = any(entry.name == SHARDS_FILE for entry in entries)
        what = "a data set in shards; unpack it first" if shards else "not a data set's root"
        raise DatasetError(f"{root}: {what} (neither {CLEAN_FOLDER}/ nor {STATS_FOLDER}/ is in it)")
    stats = _list_stats(root, known, log) if STATS_FOLDER in folders else set()
    named = {version for _, version in stats} | folders
    versions = tuple(v for v in known if v in (named if wanted is None else wanted))
    inventory = Inventory(root, versions, stats=stats, folders=folders)
    _check_top(entries, versions, log)
    for folder in (CLEAN_FOLDER, *versions):
        if folder in folders:
            _list_pictures(inventory, folder, log)
    return inventory


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Whether it is a folder or a link to one; a link that leads in a circle is none."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def _file_bytes(entry: os.DirEntry[str]) -> int | None:
    """Length of an ordinary file, or one that is linked to; None for anything else."""
    try:
        return entry.stat().st_size if entry.is_file() else None
    except OSError:
        return None


def _listed(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except FileNotFoundError as e:
        raise DatasetError(f"{folder}: no such folder, expected a data set's root") from e
    except OSError as e:
        raise DatasetError(f"{folder}: cannot be read ({e.strerror}), expected a folder") from e


def _check_top(
    entries: Sequence[os.DirEntry[str]], versions: Sequence[str], log: FindingLog
) -> None:
    wanted = (CLEAN_FOLDER, DEPTH_FOLDER, STATS_FOLDER, *versions)
    there = {entry.name for entry in entries if _is_folder(entry)}
    for name in wanted:
        if name not in there:
            empty = ", which the published loader wants, also empty" if name == DEPTH_FOLDER else ""
            log.fault("missing-folder", f"{name}/", f"is not there{empty}")
    for entry in entries:
        if _is_folder(entry) and entry.name not in wanted:
            text = "is no version's folder; the published loader stops at other folders in a root"
            log.fault("extra-folder", f"{entry.name}/", text)
        elif entry.name == JOURNAL_FILE:
            text = "the build is unfinished; start the same `dataset build` again"
            log.fault("unfinished", entry.name, text)


def _list_stats(root: Path, known: Sequence[str], log: FindingLog) -> set[tuple[str, str]]:
    expected = {f"{s}_stats_{v}.json": (s, v) for s in SPLITS for v in known}
    stats = set()
    for entry in _listed_below(root, STATS_FOLDER, log):
        place = f"{STATS_FOLDER}/{entry.name}"
        if _is_folder(entry):
            log.fault("extra-folder", f"{place}/", "expected only files of statistics here")
        elif entry.name in expected:
            stats.add(expected[entry.name])
        elif entry.name.endswith(".json"):
            log.fault("extra-file", place, "belongs to no split and version of this data set")
        else:
            log.warn("extra-file", place, "is no file of statistics")
    return stats


def _list_pictures(inventory: Inventory, folder: str, log: FindingLog) -> None:
    for entry in _listed_below(inventory.root, folder, log):
        place = f"{folder}/{entry.name}"
        if not _is_folder(entry):
            log.fault("extra-file", place, f"expected only {', '.join(SPLITS)} here")
        elif entry.name not in SPLITS:
            log.fault("extra-folder", f"{place}/", f"expected only {', '.join(SPLITS)} here")
        else:
            files = inventory.pictures[folder, entry.name] = {}
            for file in _listed_below(inventory.root, place, log):
                size = _file_bytes(file)
                if _is_folder(file):
                    name = f"{place}/{file.name}/"
                    log.fault("extra-folder", name, "expected only pictures here")
                elif size is not None:
                    files[file.name] = size
                else:
                    text = "is a link to nothing, or no ordinary file"
                    log.fault("missing-file", f"{place}/{file.name}", text)


def _listed_below(root: Path, place: str, log: FindingLog) -> list[os.DirEntry[str]]:
    try:
        return _listed(root / place)
    except DatasetError as e:
        log.fault("missing-folder", f"{place}/", str(e).removeprefix(f"{root / place}: "))
        return []
