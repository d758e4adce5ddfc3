"""What is in a shard: names of its members, a picture's JSON, and `shards.json`.

A shard is a plain tar file in the WebDataset convention: members that stand together and share
their name up to the first dot are one picture.

    <key>.json                split, tag, masks (once each), the stats entry of every version
    <key>.gt.<suffix>         the clean picture's file, byte for byte
    <key>.<version>.<suffix>  the same of each version

Tar rather than Parquet with embedded pictures: any tool reads it, it streams from a disk, a pipe or
a web server without an index or a columnar library, the picture files stay the files they were,
and training frameworks take it as it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Literal, TypeGuard
from urllib.parse import quote, unquote

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from distortion_graph.base.errors import DatasetError, RegionError
from distortion_graph.base.validation import validation_line
from distortion_graph.datasets.layout import (
    DATASET_FILE,
    INDEX_FILE,
    MANIFEST_FILE,
    SPLITS,
    check_tag,
    check_version_folders,
)
from distortion_graph.datasets.stats import LONGEST_SIDE_PX, PictureRecord, picture_from_json
from distortion_graph.masks.rle import Rle, pack_counts, rle_from_text, unpack_counts

SHARDS_FILE = "shards.json"
"""Beside the shards: what they are and their checksums."""

COPIED_FILES = (DATASET_FILE, MANIFEST_FILE, INDEX_FILE)
"""Files of a root that stand beside its shards as they are."""

PICTURE_FORMAT = "distortion-graph picture 1"

_JSON = "json"
_SUFFIX = re.compile(r"\.[a-z0-9]{1,8}", re.IGNORECASE)
_NO_SUFFIX = "bin"

_Sha256 = Field(pattern=r"^[0-9a-f]{64}$")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FileEntry(_Part):
    """A file beside the shards."""

    name: str
    bytes: int
    sha256: str = _Sha256


class ShardEntry(FileEntry):
    """One shard: `samples` is the number of its pictures."""

    split: Literal["train", "val", "test"]
    samples: int


class SplitEntry(_Part):
    """One split: how many pictures, and which versions have a stats file."""

    pictures: int
    versions: tuple[str, ...]


class ShardsDescription(_Part):
    """All of `shards.json`; shards stand in reading order."""

    format: Literal["distortion-graph shards 1"] = "distortion-graph shards 1"
    splits: dict[Literal["train", "val", "test"], SplitEntry]
    shards: tuple[ShardEntry, ...]
    files: tuple[FileEntry, ...]


def read_shards_file(folder: Path) -> ShardsDescription:
    """What a folder of shards says of itself; raises DatasetError."""
    path = folder / SHARDS_FILE
    try:
        description = ShardsDescription.model_validate_json(path.read_bytes())
    except FileNotFoundError as e:
        raise DatasetError(
            f"{folder}: no {SHARDS_FILE} in it, expected a folder made by `dataset pack`"
        ) from e
    except ValidationError as e:
        raise DatasetError(validation_line(e, str(path), ShardsDescription)) from e
    except OSError as e:
        raise DatasetError(f"{path}: cannot be read ({e.strerror})") from e
    for shard in description.shards:
        check_shard_name(shard.name, str(path))
    for file in description.files:
        if file.name not in COPIED_FILES:
            raise DatasetError(f"{path}: unknown file {file.name!r:.80} beside the shards")
    for name, split in description.splits.items():
        check_version_folders(split.versions, str(path))
        listed = sum(shard.samples for shard in description.shards if shard.split == name)
        if listed != split.pictures:
            raise DatasetError(
                f"{path}: says that {name} has {split.pictures} pictures, but its shards have "
                f"{listed}; get it anew"
            )
    return description


def shard_name(split: str, number: int) -> str:
    """Name of a split's shard."""
    return f"{split}-{number:06d}.tar"


def is_shard_name(name: str) -> bool:
    """Whether a file is named as a shard is."""
    split, _, rest = name.partition("-")
    return split in SPLITS and re.fullmatch(r"\d{6,}\.tar", rest) is not None


def check_shard_name(name: str, where: str) -> None:
    """Raise DatasetError for a name that no shard has; `where` begins the line."""
    if not is_shard_name(name):
        raise DatasetError(
            f"{where}: unknown shard {name!r:.80}, expected <split>-<six digits>.tar"
        )


def picture_key(split: str, tag: str) -> str:
    """A picture's key in its shard, `<split>/<tag>` with the tag's dots and unusual characters as
    in a URL (`test/100075%2Epng`): WebDataset takes the first dot for the key's end."""
    return f"{split}/{_plain(tag)}"


def tag_of_key(key: str) -> str:
    """The tag in a picture's key."""
    return unquote(key.rpartition("/")[2])


def json_name(key: str) -> str:
    """Name of the member with a picture's JSON."""
    return f"{key}.{_JSON}"


def picture_name(key: str, folder: str, tag: str) -> str:
    """Name of a picture file's member; `folder` is a version's name or `CLEAN_FOLDER`."""
    suffix = PurePosixPath(tag).suffix
    kind = suffix[1:].lower() if _SUFFIX.fullmatch(suffix) else _NO_SUFFIX
    return f"{key}.{_plain(folder)}.{_NO_SUFFIX if kind == _JSON else kind}"


def _plain(text: str) -> str:
    return quote(text, safe="").replace(".", "%2E").replace("~", "%7E")


def picture_json(split: str, tag: str, entries: Mapping[str, Any], where: str) -> bytes:
    """The JSON member of a picture: its stats entries by version, with every mask once.

    A mask that several regions have is in the list `masks`, as compressed COCO RLE, and regions
    name it by its index there. What is no uncompressed RLE stays where it is, so that nothing is
    lost. `where` begins error lines.
    """
    masks = _Masks()
    versions = {
        version: _with_masks(entry, masks.number, f"{where}: {version}")
        for version, entry in entries.items()
    }
    value = {
        "format": PICTURE_FORMAT,
        "split": split,
        "tag": tag,
        "masks": masks.values,
        "versions": versions,
    }
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return text.encode("utf-8")
    except ValueError as e:  # such as a score that is no finite number
        raise DatasetError(f"{where}: cannot be kept as JSON ({e})") from e


class _Masks:
    """Masks by their runs, in the order in which they came."""

    def __init__(self) -> None:
        self.values: list[dict[str, Any]] = []
        self._numbers: dict[tuple[int, ...], int] = {}

    def number(self, mask: Any, where: str) -> Any:
        """The mask's number, or itself if it cannot be kept as compressed RLE."""
        if isinstance(mask, int):
            raise DatasetError(f"{where}: segmentation_mask is {mask}, expected size and counts")
        if not isinstance(mask, dict) or list(mask) != ["size", "counts"]:
            return mask
        size, counts = mask["size"], mask["counts"]
        if not (_is_numbers(size) and len(size) == 2 and _is_numbers(counts)):
            return mask
        key = (*size, *counts)
        if key not in self._numbers:
            try:
                text = pack_counts(np.array(counts, np.int64))
                exact = unpack_counts(text).tolist() == counts
            except (OverflowError, ValueError):
                exact = False
            if not exact:
                return mask
            self._numbers[key] = len(self.values)
            self.values.append({"size": size, "counts": text})
        return self._numbers[key]


def _is_numbers(value: Any) -> TypeGuard[list[int]]:
    """Whether it is a list of whole numbers, none of them a bool."""
    return isinstance(value, list) and {int}.issuperset(map(type, value))


def _with_masks(entry: Any, change: Callable[[Any, str], Any], where: str) -> Any:
    """A stats entry with `change(mask, where)` in the place of every mask that is not null."""
    regions = entry.get("regions") if isinstance(entry, dict) else None
    if not isinstance(regions, list):
        raise DatasetError(f"{where}: expected an object with `score_fr` and a list `regions`")
    changed = []
    for k, region in enumerate(regions):
        if isinstance(region, dict) and region.get("segmentation_mask") is not None:
            mask = change(region["segmentation_mask"], f"{where}: region {k}")
            region = region | {"segmentation_mask": mask}
        changed.append(region)
    return entry | {"regions": changed}


class PictureJson:
    """A picture's JSON member, checked: `split`, `tag`, and its stats entries on request."""

    def __init__(self, data: bytes, key: str, where: str) -> None:
        """Raises DatasetError for what is no such member, or belongs to another key."""
        self._where = f"{where}: {key}"
        try:
            value = json.loads(data)
        except (ValueError, RecursionError) as e:
            raise DatasetError(f"{self._where}: damaged JSON ({e})") from e
        form = value.get("format") if isinstance(value, dict) else None
        if form != PICTURE_FORMAT:
            raise DatasetError(
                f"{self._where}: its JSON is of format {form!r:.60}, expected {PICTURE_FORMAT!r}"
            )
        self.split, self.tag = value.get("split"), check_tag(value.get("tag"), self._where)
        if self.split not in SPLITS or picture_key(self.split, self.tag) != key:
            raise DatasetError(
                f"{self._where}: its JSON names another picture, {self.split!r:.20} "
                f"{self.tag!r:.80}"
            )
        self._masks, self._versions = value.get("masks"), value.get("versions")
        if not isinstance(self._masks, list) or not isinstance(self._versions, dict):
            raise DatasetError(f"{self._where}: its JSON lacks `masks` or `versions`")
        check_version_folders(self._versions, self._where)
        self._shared: dict[str, Rle] = {}
        self._rles: dict[int, Rle] = {}

    @property
    def versions(self) -> tuple[str, ...]:
        """The versions that have an entry."""
        return tuple(self._versions)

    def stats_entry(self, version: str) -> Any:
        """The entry as it stood in the stats file."""

        def runs(number: int, where: str) -> dict[str, Any]:
            mask = self._mask(number, where)
            try:
                return mask | {"counts": unpack_counts(mask["counts"]).tolist()}
            except ValueError as e:
                raise DatasetError(f"{where}: mask {number} is damaged ({e})") from e

        return self._entry(version, runs)

    def record(self, version: str) -> PictureRecord:
        """The entry, read as `datasets.stats` reads it."""
        return picture_from_json(
            self._entry(version, self._rle), f"{self._where}: {version}", self._shared
        )

    def _rle(self, number: int, where: str) -> Rle:
        """A mask of the list, decoded once for all versions."""
        if number not in self._rles:
            mask = self._mask(number, where)
            size = mask.get("size")
            if not (
                _is_numbers(size)
                and len(size) == 2
                and 0 < min(size) <= max(size) <= LONGEST_SIDE_PX
            ):
                raise DatasetError(f"{where}: mask {number} is of size {size!r:.40}, not [h, w]")
            try:
                self._rles[number] = rle_from_text(mask["counts"], (size[0], size[1]), where)
            except RegionError as e:
                raise DatasetError(str(e)) from e
        return self._rles[number]

    def _entry(self, version: str, mask_of: Callable[[int, str], Any]) -> Any:
        def change(mask: Any, where: str) -> Any:
            return mask_of(mask, where) if isinstance(mask, int) else mask

        return _with_masks(self._versions[version], change, f"{self._where}: {version}")

    def _mask(self, number: int, where: str) -> dict[str, Any]:
        mask = self._masks[number] if 0 <= number < len(self._masks) else None
        if not isinstance(mask, dict) or not isinstance(mask.get("counts"), str):
            raise DatasetError(f"{where}: there is no mask {number} in the picture's `masks`")
        return mask
