"""What a root's own lists say of it: dataset.json, the manifest, the index of pairs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from distortion_graph.base.errors import DatasetError
from distortion_graph.datasets.check.findings import FindingLog
from distortion_graph.datasets.check.inventory import Inventory
from distortion_graph.datasets.check.work import PictureName, file_sha256
from distortion_graph.datasets.description import DatasetDescription
from distortion_graph.datasets.layout import (
    CLEAN_FOLDER,
    DATASET_FILE,
    INDEX_FILE,
    MANIFEST_FILE,
    PairKey,
    check_tag,
)
from distortion_graph.datasets.manifest import FileLine, parse_line
from distortion_graph.datasets.pair_lists import read_index
from distortion_graph.synth.synthesis import MIXED

_SHOWN_DIGITS = 12


@dataclass
class Manifest:
    """Bytes and SHA-256 of every file that is recorded; `there` is whether there is a manifest."""

    there: bool = False
    files: dict[str, tuple[int, str]] = field(default_factory=dict)


def take_manifest(root: Path, log: FindingLog) -> Manifest:
    """Read the manifest as far as it can be read, and report the rest."""
    path, manifest = root / MANIFEST_FILE, Manifest()
    if not path.exists():
        return manifest
    manifest.there = True
    try:
        with path.open("rb") as stream:
            for number, line in enumerate(stream, start=1):
                _take_line(line, f"{MANIFEST_FILE}: line {number}", manifest, log)
    except OSError as e:
        log.fault("manifest", MANIFEST_FILE, f"cannot be read ({e.strerror})")
    return manifest


def _take_line(line: bytes, place: str, manifest: Manifest, log: FindingLog) -> None:
    try:
        entry = parse_line(line, place)
    except DatasetError as e:
        log.refused("manifest", place, e)
        return
    if not isinstance(entry, FileLine):
        return
    if entry.file in manifest.files:
        log.fault("manifest", place, f"{entry.file} is listed twice, expected one line per file")
    manifest.files[entry.file] = (entry.bytes, entry.sha256)


def check_manifest(
    manifest: Manifest,
    inventory: Inventory,
    sums: Mapping[PictureName, str],
    missing: Collection[str],
    log: FindingLog,
) -> None:
    """Report files that are not as recorded, or not recorded, or not there.

    `sums` are the SHA-256 that were made, `missing` the files that are reported already.
    """
    if not manifest.there:
        return
    there = set()
    for name in inventory.names():
        there.add(name.place)
        if name.place not in manifest.files:
            log.fault("manifest", name.place, f"has no line in {MANIFEST_FILE}")
            continue
        size, sha256 = manifest.files[name.place]
        own = inventory.tags(name.folder, name.split)[name.tag]
        if own != size:
            text = f"has {own} bytes, but {size} in {MANIFEST_FILE}"
            log.fault("checksum", name.place, text)
        elif name in sums and sums[name] != sha256:
            text = f"has SHA-256 {sums[name][:_SHOWN_DIGITS]}…, but {sha256[:_SHOWN_DIGITS]}… in "
            log.fault("checksum", name.place, text + MANIFEST_FILE)
    for file in manifest.files:
        if file not in there and file not in missing:
            log.fault("missing-file", file, f"is not there, but {MANIFEST_FILE} lists it")


def check_description(
    description: DatasetDescription,
    inventory: Inventory,
    regions: Mapping[str, int],
    sums: Mapping[str, str],
    log: FindingLog,
) -> None:
    """Report counts that are not those of dataset.json, and files of other bytes than it says.

    `regions` are counted by split; `sums` are the SHA-256 of stats files by place.
    """
    for split in sorted({*description.splits, *inventory.splits}):
        said = description.splits.get(split)
        folder = inventory.versions[0] if description.judged else CLEAN_FOLDER
        pictures = len(inventory.tags(folder, split))
        for what, own, other in (
            ("pictures", pictures, said.pictures if said else 0),
            ("regions", regions.get(split, 0), said.regions if said else 0),
        ):
            if own != other:
                text = f"says that {split} has {other} {what}, but {own} are there"
                log.fault("description", DATASET_FILE, text)
    recorded = description.build.files if description.build else {}
    for file, sha256 in recorded.items():
        _check_recorded(inventory.root, file, sha256, sums, log)


def _check_recorded(
    root: Path, file: str, sha256: str, sums: Mapping[str, str], log: FindingLog
) -> None:
    try:
        for part in file.split("/"):
            check_tag(part, DATASET_FILE)
    except DatasetError:
        log.fault("description", DATASET_FILE, f"{file!r:.80} is no file's path from the root")
        return
    if not (root / file).is_file():
        if file not in sums and not file.startswith("stats/"):  # reported with the labels
            log.fault("missing-file", file, f"is not there, but {DATASET_FILE} lists it")
        return
    own = sums.get(file) or file_sha256(root / file)
    if own != sha256:
        text = f"has SHA-256 {own[:_SHOWN_DIGITS]}…, but {sha256[:_SHOWN_DIGITS]}… in "
        log.fault("checksum", file, text + DATASET_FILE)


def check_index(
    inventory: Inventory,
    labels: Mapping[tuple[str, str], Collection[str]],
    log: FindingLog,
) -> None:
    """Report pairs of the index whose pictures or labels are not there.

    `labels` are the pictures that the labels of a split and version name.
    """
    path = inventory.root / INDEX_FILE
    if not path.exists():
        return
    try:
        lists = read_index(path)
    except DatasetError as e:
        log.fault("index", INDEX_FILE, str(e).removeprefix(f"{path}: "))
        return
    for name, keys in lists.items():
        for number, key in enumerate(keys):
            fault = _fault_of_pair(key, inventory, labels)
            if fault:
                place = f"{INDEX_FILE}: {name} entry {number} {list(key)}"
                log.fault("index", place, fault)
        _check_kinds(name, keys, log)


def _fault_of_pair(
    key: PairKey, inventory: Inventory, labels: Mapping[tuple[str, str], Collection[str]]
) -> str:
    """What keeps a pair from being read; "" where it can be."""
    versions = (key.anchor, key.target)
    unknown = next((v for v in versions if v not in inventory.versions), None)
    if unknown is not None:
        return f"this data set has no version {unknown!r:.60}"
    if key.anchor == key.target:
        return "anchor and target are the same version, expected two"
    splits = [s for s in inventory.splits if key.tag in inventory.tags(CLEAN_FOLDER, s)]
    splits = splits or [s for s in inventory.splits if key.tag in inventory.tags(key.anchor, s)]
    if not splits:
        return f"no split has a picture {key.tag}"
    faults = []
    for split in splits:
        files = [v for v in versions if key.tag not in inventory.tags(v, split)]
        entries = [v for v in versions if key.tag not in labels.get((split, v), ())]
        if not files and not entries:
            return ""
        faults += [f"{PictureName(v, split, key.tag).place} is not there" for v in files]
        faults += [f"{key.tag} has no labels in {v} of {split}" for v in entries]
    return faults[0]


def _check_kinds(name: str, keys: Sequence[PairKey], log: FindingLog) -> None:
    """Easy pairs are of two single types, medium ones of one."""
    expected = {"easy": 0, "medium": 1, "hard": 2}.get(name)
    if expected is None:
        return
    odd = [k for k, key in enumerate(keys) if sum(v in MIXED for v in key[:2]) != expected]
    if odd:
        more = f" and {len(odd) - 1} more" if len(odd) > 1 else ""
        text = f"is no {name} pair, which has {expected} mixed versions"
        place = f"{INDEX_FILE}: {name} entry {odd[0]} {list(keys[odd[0]])}{more}"
        log.warn("index", place, text)
