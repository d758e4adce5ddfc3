"""One picture's work, as worker processes do it: everything it needs is in `Job` and `Task`."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import DatasetError, ImageError, OutputError, RegionError
from distortion_graph.datasets.fingerprints import near_hash, pixel_hash
from distortion_graph.datasets.layout import CLEAN_FOLDER, picture_path
from distortion_graph.datasets.make.listing import Listed
from distortion_graph.datasets.make.options import BuildOptions
from distortion_graph.datasets.make.pictures import distortion_codecs, encode_picture
from distortion_graph.datasets.make.splits import Fingerprint
from distortion_graph.datasets.sources import Source, SourcePicture, choose_regions
from distortion_graph.pictures.images import load_picture
from distortion_graph.synth.distort.compression import JPEG_LONGEST_PX
from distortion_graph.synth.synthesis import Draw, Version, make_versions


@dataclass(frozen=True)
class Job:
    """What is the same for all pictures; goes to each worker once."""

    root: Path
    sources: tuple[Source, ...]
    options: BuildOptions

    @cached_property
    def predicates(self) -> tuple[str, ...]:
        """What relations of any source say; a number in the root is a place in this list."""
        return tuple(dict.fromkeys(name for source in self.sources for name in source.predicates))


@dataclass(frozen=True)
class Known:
    """A picture made earlier: digests of what it was made from, and (SHA-256, bytes) by folder."""

    inputs: tuple[str, ...]
    files: Mapping[str, tuple[str, int]]


@dataclass(frozen=True)
class Task:
    """One picture to make or, where it is `known`, to check.

    Of a picture of a `finished` root no file is replaced by one with other bytes.
    """

    listed: Listed
    split: str
    known: Known | None = None
    finished: bool = False


@dataclass(frozen=True)
class Made:
    """The picture's files are written; `record` is everything about them, ready for JSON.

    `notes` are what the reader says of the picture, a line each.
    """

    record: dict[str, Any]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Kept:
    """The picture's files are there, whole, and made from what its source holds now."""


@dataclass(frozen=True)
class Skipped:
    """The picture cannot be used: a line for people, and that line without places on the disk."""

    line: str
    reason: str


@dataclass(frozen=True)
class Scanned:
    """What the picture file of this SHA-256 looks like, or why it cannot be read."""

    sha256: str
    seen: Fingerprint | Skipped


def scan_picture(job: Job, task: Task) -> Scanned:
    """Fingerprints of a picture, so that copies are found before anything is made."""
    del job
    path = task.listed.item.picture
    sha256, _ = file_digest(path)
    try:
        rgb = load_picture(path).rgb
    except ImageError as error:
        return Scanned(sha256, _skipped(task.listed, error))
    return Scanned(sha256, Fingerprint(pixel_hash(rgb), near_hash(rgb)))


def input_digests(listed: Listed) -> tuple[str, ...]:
    """SHA-256 of every file the picture is made from; "" for one that cannot be read."""
    return tuple(file_digest(path)[0] for path in listed.item.files)


def work_on(job: Job, task: Task) -> Made | Kept | Skipped:
    """Make a picture's files, or find them there.

    Raises DatasetError where its source has changed since they were made, and where one of a
    finished root, made again, is not what it was; OutputError where a file cannot be written.
    """
    inputs = input_digests(task.listed)
    known = task.known
    if known is not None:
        check_unchanged(task.listed, known.inputs, inputs)
        if all(
            file_digest(_place(job, task, folder)) == (digest, size)
            for folder, (digest, size) in known.files.items()
        ):
            return Kept()
    try:
        loaded = job.sources[task.listed.source].load(task.listed.item)
        picture = choose_regions(loaded, job.options.regions)
        if not len(picture.regions):
            raise RegionError(_no_region(task.listed, loaded, job.options))
        _check_side(task.listed, picture, job.options)
        if picture.notes and job.options.strict:
            raise ImageError(picture.notes[0])
        return Made(_make(job, task, picture, inputs), picture.notes)
    except (ImageError, RegionError) as error:
        return _skipped(task.listed, error)


def _skipped(listed: Listed, error: Exception) -> Skipped:
    return Skipped(str(error), listed.plain(str(error)))


def _check_side(listed: Listed, picture: SourcePicture, options: BuildOptions) -> None:
    """Raise ImageError where a codec behind the distortions does not take so long a side."""
    longest = max(picture.regions.size)
    if "compression" in options.versions and longest > JPEG_LONGEST_PX:
        raise ImageError(
            f"{listed.item.picture}: {longest} px long, compression takes {JPEG_LONGEST_PX} px; "
            "give --max-side"
        )


def check_unchanged(listed: Listed, before: tuple[str, ...], now: tuple[str, ...]) -> None:
    """Raise DatasetError, naming the file, where a picture is not what it was."""
    if before == now:
        return
    paths = listed.item.files
    changed = next((p for p, a, b in zip(paths, before, now, strict=False) if a != b), paths[-1])
    raise DatasetError(
        f"{changed}: has changed since this data set was begun; put the file back, or build into "
        "a new folder"
    )


def _no_region(listed: Listed, loaded: SourcePicture, options: BuildOptions) -> str:
    return (
        f"{listed.item.picture}: none of its {len(loaded.regions)} regions covers "
        f"{100 * options.regions.min_share:g} % of the picture; lower --min-share to keep it"
    )


def not_what_it_was(job: Job, listed: Listed) -> DatasetError:
    """The error for a picture of a finished root that cannot be made as it was."""
    return DatasetError(
        f"{job.root}: {listed.stem} was damaged, and made again it is not what it was (other "
        "library versions?); build into a new folder"
    )


def _make(job: Job, task: Task, picture: SourcePicture, inputs: tuple[str, ...]) -> dict[str, Any]:
    """Write the picture's files and describe them.

    Raises ImageError, before anything is written, where the file format cannot hold the picture.
    """
    options = job.options
    masks = picture.regions.masks()
    files = {CLEAN_FOLDER: _write(job, task, CLEAN_FOLDER, picture.rgb)}
    versions = {}
    for version in make_versions(
        picture.rgb,
        masks,
        picture.regions.ids,
        options.versions,
        tag=task.listed.stem,
        seed=options.seed,
        recipe=options.recipe(),
        metric=options.metric,
        shares=options.shots,
    ):
        files[version.name] = _write(job, task, version.name, version.image)
        versions[version.name] = _describe_version(version, options)
    return {
        "split": task.split,
        "inputs": inputs,
        "files": files,
        "size": picture.regions.size,
        "regions": _describe_regions(picture),
        "relations": _relations(job, task, picture),
        "versions": versions,
        "notes": [task.listed.plain(note) for note in picture.notes],
    }


def _describe_regions(picture: SourcePicture) -> list[dict[str, Any]]:
    boxes = picture.regions.boxes_xywh().tolist()
    rows = zip(picture.regions, boxes, picture.category_ids, picture.descriptions, strict=True)
    return [
        {
            "id": region.id,
            "name": region.name,
            "box": box,
            "counts": region.rle.counts,
            "category": category,
            "description": description,
        }
        for region, box, category, description in rows
    ]


def _relations(job: Job, task: Task, picture: SourcePicture) -> list[tuple[int, int, int]]:
    """Regions by their place in the list, as published, and predicates by theirs in the root's."""
    place = {region_id: k for k, region_id in enumerate(picture.regions.ids)}
    names = job.sources[task.listed.source].predicates
    number = [job.predicates.index(name) for name in names]
    return [(place[a], place[b], number[p]) for a, b, p in picture.relations]


def _describe_version(version: Version, options: BuildOptions) -> dict[str, Any]:
    applied = {part.applied for d in version.draws for part in (d, *d.also) if part.applied}
    described: dict[str, Any] = {
        "score": float(version.scene_score),
        "codecs": distortion_codecs(applied),
        "draws": [
            [*_draw_row(draw), float(score)]
            for draw, score in zip(version.draws, version.scores, strict=True)
        ],
    }
    if options.wild:
        described["also"] = [[_draw_row(part) for part in draw.also] for draw in version.draws]
        described["shot"] = {} if version.shot is None else version.shot.facts()
    return described


def _draw_row(draw: Draw) -> list[str | float | None]:
    return [draw.distortion, draw.severity, draw.subtype, draw.level]


def tag_of(listed: Listed, options: BuildOptions) -> str:
    """The picture's file name in every folder of the root."""
    return f"{listed.stem}.{options.image_format}"


def _place(job: Job, task: Task, folder: str) -> Path:
    return picture_path(job.root, folder, task.split, tag_of(task.listed, job.options))


def _write(job: Job, task: Task, folder: str, rgb: NDArray[np.uint8]) -> tuple[str, int]:
    """Encode and write a picture; SHA-256 and size of the file."""
    try:
        data = encode_picture(rgb, job.options.image_format, job.options.stored_quality)
    except OutputError as error:
        raise ImageError(f"{task.listed.item.picture}: {error}") from error
    digest_and_size = hashlib.sha256(data).hexdigest(), len(data)
    if task.finished and task.known is not None and task.known.files.get(folder) != digest_and_size:
        raise not_what_it_was(job, task.listed)
    put_file(job.root, _place(job, task, folder), data)
    return digest_and_size


def put_file(root: Path, path: Path, data: bytes) -> None:
    """Write a file of the root, whole or not at all.

    It stands under a temporary name directly in the root until it is complete. It need not have
    reached the disk when this returns: a build that goes on checks every file's digest, and waiting
    for each of thousands would cost more than the work. Raises OutputError.
    """
    temporary = root / f".{secrets.token_hex(8)}.tmp"
    try:
        try:
            temporary.write_bytes(data)
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as e:
        raise OutputError(f"{path}: cannot be written ({e.strerror})") from e


def file_digest(path: Path) -> tuple[str, int]:
    """SHA-256 and size; ("", 0) for what is no file, is not there or cannot be read."""
    try:
        if not path.is_file():  # a pipe would be waited for
            return "", 0
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
            return digest, os.fstat(stream.fileno()).st_size
    except OSError:
        return "", 0
