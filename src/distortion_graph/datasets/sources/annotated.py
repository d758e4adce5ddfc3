"""Pictures whose segments a JSON file lists, with PNGs of segment numbers: COCO panoptic, PSG."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from distortion_graph.base.errors import DatasetError, ImageError, RegionError
from distortion_graph.base.files import kind_of
from distortion_graph.datasets.folders import LeftOut, list_folder
from distortion_graph.datasets.sources.base import Relation, SourceItem, SourcePicture
from distortion_graph.pictures.images import PICTURE_SUFFIXES, load_picture
from distortion_graph.regions.coco import segment_regions, segments_of
from distortion_graph.regions.readers.documents import read_json

_NO_CATEGORY = -1
_LARGEST = 2**31 - 1


@dataclass(frozen=True)
class Segments:
    """Segment ids and category numbers (−1: none) of one picture, packed as int32 bytes.

    The files list over a million segments: as Python objects they would fill the memory.
    """

    ids: bytes
    categories: bytes

    @classmethod
    def of(cls, listed: Mapping[int, int | None], what: str) -> Segments:
        """Packed; raises RegionError, its line beginning with `what`, for numbers out of range."""
        categories = [_NO_CATEGORY if c is None else c for c in listed.values()]
        if any(not _NO_CATEGORY <= n <= _LARGEST for n in (*listed, *categories)):
            raise RegionError(f"{what}: segments_info with a number out of range")
        ids = np.array([*listed], np.int32)
        return cls(ids.tobytes(), np.array(categories, np.int32).tobytes())

    def listed(self) -> dict[int, int | None]:
        """Category numbers by segment id, in the file's order."""
        ids, categories = (np.frombuffer(b, np.int32).tolist() for b in (self.ids, self.categories))
        return {i: None if c == _NO_CATEGORY else c for i, c in zip(ids, categories, strict=True)}

    def segment_ids(self) -> list[int]:
        """Segment ids, in the file's order."""
        return list(self.listed())


@dataclass(frozen=True, kw_only=True)
class SegmentItem(SourceItem):
    """A picture, its PNG of segment numbers, its segments, and its relations by segment id."""

    mask: Path
    segments: Segments
    relations: tuple[Relation, ...] = ()

    @property
    def files(self) -> tuple[Path, ...]:
        """The picture and its PNG."""
        return (self.picture, self.mask)


@dataclass(frozen=True)
class Annotations:
    """What the annotation files `tables` say of pictures in the folder `images`.

    `names` are those of categories by number.
    """

    items: tuple[SegmentItem, ...]
    names: Mapping[int, str]
    images: Path
    tables: tuple[Path, ...]
    predicates: tuple[str, ...] = ()


class AnnotatedSource:
    """The pictures that `read` finds listed in the file `path`, which is read once.

    A copy that came through pickle has everything but the list, and reads it when it is asked for.
    """

    segmenter: str | None = None

    def __init__(
        self, path: Path, *, name: str, kind: str, read: Callable[[], Annotations]
    ) -> None:
        self.path = path
        self.name = name
        self.kind = kind
        self._read = read
        annotations = read()
        self.names = dict(annotations.names)
        self.predicates = annotations.predicates
        self.images = annotations.images
        self.tables = annotations.tables
        self._items: tuple[SegmentItem, ...] | None = annotations.items

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_items": None}

    def items(self) -> Sequence[SegmentItem]:
        """All pictures that are listed, also those whose files are not there."""
        if self._items is None:
            self._items = self._read().items
        return self._items

    def left_out(self) -> Sequence[LeftOut]:
        """Pictures in the folder that the annotations do not list."""
        items = self.items()
        listed = {path for item in items for path in item.files}
        try:
            there = list_folder(self.images, PICTURE_SUFFIXES).names
        except ImageError as e:
            raise DatasetError(str(e)) from e
        reason = f"not listed in {self.path.name}"
        return [
            LeftOut(self.images, name, reason, expected=True)
            for name in there
            if self.images / name not in listed
        ]

    def load(self, item: SourceItem) -> SourcePicture:
        """The picture with its segments; ids are the segment ids, names those of the categories."""
        if not isinstance(item, SegmentItem):
            raise TypeError(f"expected one of this source's items, got {type(item).__name__}")
        picture = load_picture(item.picture)
        listed = item.segments.listed()
        regions = segment_regions(item.mask, listed, self.names, picture, str(self.path))
        return SourcePicture(
            picture.rgb,
            regions,
            category_ids=tuple(listed[i] for i in regions.ids),
            descriptions=(None,) * len(regions),
            notes=picture.warnings,
            relations=item.relations,
        )


def read_annotations(path: Path, keys: frozenset[str]) -> dict[str, Any]:
    """A large JSON file's object; inner objects keep only `keys`, segments as `Segments`.

    Of boxes beside the segments (`annotations`) only the number is kept, as "boxes". What is not
    kept is dropped while the file is read. Raises DatasetError, for `segments_info` RegionError.
    """
    kept = keys | {"id", "category_id", "segments_info", "file_name"}

    def slim(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        value = {key: inner for key, inner in pairs if key in kept}
        if "segments_info" in value:
            what = f"{path}: {value.get('file_name')!r:.80}"
            value["segments_info"] = Segments.of(segments_of(value, what), what)
            boxes = value.pop("annotations", None)
            value["boxes"] = len(boxes) if isinstance(boxes, list) else None
        return value

    value = read_json(path, slim)
    if not isinstance(value, dict):
        raise DatasetError(f"{path}: expected an object, got {type(value).__name__}")
    return value


def entries_of(value: Mapping[str, Any], key: str, path: Path) -> Iterator[dict[str, Any]]:
    """The objects of the list at `key`; raises DatasetError where it is none."""
    entries = value.get(key)
    if not isinstance(entries, list) or not all(isinstance(e, dict) for e in entries):
        raise DatasetError(f"{path}: expected a list of objects at {key!r}")
    return iter(entries)


def check_any_there(items: Sequence[SegmentItem], images: Path, masks: Path, path: Path) -> None:
    """Raise DatasetError where a folder has none of the listed files: then it is the wrong one."""
    for folder, files in ((images, [i.picture for i in items]), (masks, [i.mask for i in items])):
        if not any(kind_of(file) == "file" for file in files):
            raise DatasetError(
                f"{folder}: has none of the {len(files)} files that {path} lists, such as "
                f"{files[0].relative_to(folder).as_posix()}; give the right folder"
            )
