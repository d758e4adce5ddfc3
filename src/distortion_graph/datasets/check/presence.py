"""Whether every picture is there in every version, on the disk and among the labels."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from distortion_graph.datasets.check.findings import FindingLog
from distortion_graph.datasets.check.inventory import Inventory
from distortion_graph.datasets.check.work import PictureName, StatsTask
from distortion_graph.datasets.layout import CLEAN_FOLDER, STATS_FOLDER
from distortion_graph.pictures.images import PICTURE_SUFFIXES


@dataclass(frozen=True)
class Named:
    """The pictures that a stats file names, and whether it could be read to its end."""

    tags: Collection[str]
    whole: bool


Labels = Mapping[tuple[str, str], Named]
"""By split and version."""


def named_in(split: str, inventory: Inventory, labels: Labels) -> dict[str, list[str]]:
    """Every picture that labels of a split name, and the versions that do."""
    versions_of: dict[str, list[str]] = {}
    for version in inventory.versions:
        named = labels.get((split, version))
        for tag in sorted(named.tags) if named else ():
            versions_of.setdefault(tag, []).append(version)
    return versions_of


def check_presence(
    inventory: Inventory, labels: Labels, log: FindingLog, *, originals: bool = True
) -> None:
    """Report files without labels, labels without files, and what only some versions have.

    `originals`: whether every picture has its clean one, which people who judge seldom know.
    """
    clean = any(inventory.tags(CLEAN_FOLDER, split) for split in inventory.splits)
    if not clean and all(named.whole and not named.tags for named in labels.values()):
        text = f"no picture is named here, and none is in {CLEAN_FOLDER}/; the data set is empty"
        log.fault("stats", f"{STATS_FOLDER}/", text)
    for split in inventory.splits:
        of_split = [v for v in inventory.versions if (split, v) in labels]
        if not of_split:
            count = len(inventory.tags(CLEAN_FOLDER, split))
            text = f"no such file, so nothing is known of {count} clean pictures of {split}"
            log.fault("missing-file", f"stats/{split}_stats_*.json", text)
            continue
        _check_stats_files(inventory, split, labels, log)
        named = named_in(split, inventory, labels)
        _check_files(inventory, split, labels, named, originals, log)
        for version in of_split:
            _check_entries(inventory, split, version, labels, named, log)


def _check_stats_files(inventory: Inventory, split: str, labels: Labels, log: FindingLog) -> None:
    for version in inventory.versions:
        if (split, version) not in labels:
            text = f"is not there, but {split} has labels of other versions"
            log.fault("missing-file", StatsTask(split, version).place, text)


def _check_files(
    inventory: Inventory,
    split: str,
    labels: Labels,
    named: Mapping[str, list[str]],
    originals: bool,
    log: FindingLog,
) -> None:
    """Every folder of pictures of a split against the labels."""
    certain = any(labels[split, v].whole for v in inventory.versions if (split, v) in labels)
    for folder in (CLEAN_FOLDER, *inventory.versions):
        if (folder, split) not in inventory.pictures:
            if folder in inventory.folders:
                text = f"is not there, but {split} has labels of {len(named)} pictures"
                log.fault("missing-folder", f"{folder}/{split}/", text)
            continue
        files = inventory.tags(folder, split)
        for tag, versions in named.items():
            wanted = originals if folder == CLEAN_FOLDER else folder in versions
            if tag not in files and wanted:
                place = PictureName(folder, split, tag).place
                source = StatsTask(split, versions[0] if folder == CLEAN_FOLDER else folder).place
                log.fault("missing-file", place, f"is not there, but {source} names it")
        for tag in files if certain else ():
            if tag not in named:
                _report_extra(PictureName(folder, split, tag), log)


def _report_extra(name: PictureName, log: FindingLog) -> None:
    picture = PurePosixPath(name.tag).suffix.lower() in PICTURE_SUFFIXES
    if name.folder == CLEAN_FOLDER and not picture:
        text = "is no picture; the published loader takes every file here for one"
        log.fault("extra-file", name.place, text)
    elif picture:
        log.fault("extra-file", name.place, f"no stats file of {name.split} names it")
    else:
        log.warn("extra-file", name.place, "is no picture")


def _check_entries(
    inventory: Inventory,
    split: str,
    version: str,
    labels: Labels,
    named: Mapping[str, list[str]],
    log: FindingLog,
) -> None:
    """Pictures that labels of other versions name."""
    own = labels[split, version]
    files = inventory.tags(version, split)
    for tag, versions in named.items() if own.whole else ():
        if tag not in own.tags:
            place = f"{StatsTask(split, version).place}: {tag}"
            file = "" if tag in files else f", and {PictureName(version, split, tag).place} is not"
            text = f"has no entry here, but {len(versions)} other versions have one"
            log.fault("missing-entry", place, f"{text}{file and file + ' there'}")


def check_names(inventory: Inventory, log: FindingLog) -> None:
    """Report pictures of one name in two splits."""
    first: dict[str, str] = {}
    for split in inventory.splits:
        for tag in sorted(inventory.tags(CLEAN_FOLDER, split)):
            other = first.setdefault(tag, split)
            if other != split:
                text = f"{PictureName(CLEAN_FOLDER, other, tag).place} has the same name, so pairs "
                place = PictureName(CLEAN_FOLDER, split, tag).place
                log.warn("same-name", place, f"{text}on a list may mean either")
