"""The pieces of a check that take long, one stats file or a few pictures at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from distortion_graph.base.errors import DatasetError
from distortion_graph.datasets.check.entries import EntryFacts, Rules, check_entry
from distortion_graph.datasets.check.findings import FindingLog
from distortion_graph.datasets.decoding import decode_with_notes, picture_size_of
from distortion_graph.datasets.fingerprints import near_hash, pixel_hash
from distortion_graph.datasets.label_columns import LabelColumn
from distortion_graph.datasets.layout import CLEAN_FOLDER, check_tag, picture_path, stats_path
from distortion_graph.datasets.stats_stream import stream_values


class PictureName(NamedTuple):
    """A picture file by its place; as a path from the root it is the three joined by "/"."""

    folder: str
    split: str
    tag: str

    @property
    def place(self) -> str:
        """The path from the root."""
        return "/".join(self)


@dataclass(frozen=True)
class CheckJob:
    """What every task is done by. `checksums` says that there are some to compare with."""

    root: Path
    rules: Rules
    quick: bool
    checksums: bool


@dataclass(frozen=True)
class StatsTask:
    """Check a stats file."""

    split: str
    version: str

    @property
    def place(self) -> str:
        """The file's path from the root."""
        return stats_path(Path(), self.split, self.version).as_posix()


@dataclass(frozen=True)
class PicturesTask:
    """Read some pictures."""

    names: tuple[PictureName, ...]


@dataclass
class StatsResult:
    """What a stats file says; `whole` is whether it could be read to its end, `broken` are
    pictures whose entry could not be read at all."""

    log: FindingLog = field(default_factory=FindingLog)
    entries: dict[str, EntryFacts] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    column: LabelColumn = field(default_factory=LabelColumn)
    whole: bool = True
    sha256: str = ""


class PictureFacts(NamedTuple):
    """Size (h, w) as displayed, or None and the `fault`; hex SHA-256 of the file and, of a clean
    picture, of its pixels and what looks like it. None where it was not asked for. `notes` are
    what the reader says of the picture beside its pixels."""

    size: tuple[int, int] | None
    fault: str
    sha256: str | None = None
    pixels: str | None = None
    near: int | None = None
    notes: tuple[str, ...] = ()


Task = StatsTask | PicturesTask
Result = StatsResult | list[PictureFacts]


def work(job: CheckJob, task: Task) -> Result:
    """Do a task; damage is a result, not an error."""
    if isinstance(task, StatsTask):
        return check_stats(job, task)
    return [look_at(job, name) for name in task.names]


def check_stats(job: CheckJob, task: StatsTask) -> StatsResult:
    """Everything about a stats file that can be told from it alone."""
    result, place = StatsResult(), task.place
    path = job.root / place
    try:
        for tag, value in stream_values(path):
            _take_entry(tag, value, task, job.rules, result)
    except DatasetError as e:
        result.whole = False
        result.log.fault("stats", place, str(e).removeprefix(f"{path}: "))
    if job.checksums:
        result.sha256 = file_sha256(path)
    return result


def _take_entry(
    tag: object, value: object, task: StatsTask, rules: Rules, result: StatsResult
) -> None:
    try:
        name = check_tag(tag, task.place)
    except DatasetError as e:
        result.log.refused("stats", task.place, e)
        return
    place = f"{task.place}: {name}"
    if name in result.entries or name in result.broken:
        result.log.fault("stats", place, "is listed twice, expected one entry for a picture")
        return
    entry = check_entry(value, task.version, place, rules, result.log)
    if entry is None:
        result.broken.add(name)
    else:
        result.entries[name] = entry.facts
        result.column.add(name, entry.labels, entry.scene_score)


def look_at(job: CheckJob, name: PictureName) -> PictureFacts:
    """Read a picture: all of it, or its header in a quick check."""
    path = picture_path(job.root, *name)
    try:
        if job.quick:
            return PictureFacts(picture_size_of(path), "")
        data = path.read_bytes()
    except OSError as e:
        return PictureFacts(None, f"cannot be read ({e.strerror})")
    except DatasetError as e:
        return PictureFacts(None, str(e).removeprefix(f"{path}: "))
    sha256 = hashlib.sha256(data).hexdigest() if job.checksums else None
    try:
        rgb, notes = decode_with_notes(data, name.place)
    except DatasetError as e:
        return PictureFacts(None, str(e).removeprefix(f"{name.place}: "), sha256)
    size = (rgb.shape[0], rgb.shape[1])
    if name.folder != CLEAN_FOLDER:
        return PictureFacts(size, "", sha256, notes=notes)
    return PictureFacts(size, "", sha256, pixel_hash(rgb), near_hash(rgb), notes)


def file_sha256(path: Path) -> str:
    """Hex SHA-256 of a file; "" for one that cannot be read."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return ""


def batches(names: Sequence[PictureName], count: int) -> list[PicturesTask]:
    """The names in tasks of `count`."""
    return [PicturesTask(tuple(names[k : k + count])) for k in range(0, len(names), count)]
