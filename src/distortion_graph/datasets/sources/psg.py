"""PSG, panoptic scene graphs over COCO pictures (Yang et al., ECCV 2022): names and relations."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from distortion_graph.base.errors import DatasetError
from distortion_graph.datasets.sources.annotated import (
    AnnotatedSource,
    Annotations,
    SegmentItem,
    Segments,
    check_any_there,
    entries_of,
    read_annotations,
)
from distortion_graph.datasets.sources.base import Relation
from distortion_graph.datasets.sources.names import inner_path, sorted_by_stem, stem_of

_KEYS = frozenset(
    {
        "data",
        "image_id",
        "pan_seg_file_name",
        "annotations",
        "relations",
        "thing_classes",
        "stuff_classes",
        "predicate_classes",
        "test_image_ids",
    }
)


def psg_source(
    path: Path, *, name: str, images: Path, masks: Path | None = None
) -> AnnotatedSource:
    """The pictures of a PSG file.

    `images` and `masks` (by default the same) are the folders that the file's names, such as
    "val2017/000000000139.jpg", are relative to. Categories are numbered through thing and stuff
    classes from 0. Relations name segments by id; the same one is kept once. Boxes are the
    segments' own. Pictures among `test_image_ids` are of the split "test". Raises DatasetError and
    RegionError.
    """
    masks = masks or images
    for folder, option in ((images, "images"), (masks, "masks")):
        if not folder.is_dir():
            raise DatasetError(
                f"{folder}: no such folder; say where they are: psg:{path.name},{option}=FOLDER"
            )
    read = partial(_read, path, images, masks)
    return AnnotatedSource(path, name=name, kind="psg", read=read)


def _read(path: Path, images: Path, masks: Path) -> Annotations:
    value = read_annotations(path, _KEYS)
    classes = [*_names(value, "thing_classes", path), *_names(value, "stuff_classes", path)]
    predicates = _names(value, "predicate_classes", path)
    test = value.get("test_image_ids")
    if not isinstance(test, list | None):
        raise DatasetError(f"{path}: expected a list at 'test_image_ids'")
    tested = {str(i) for i in test or ()}
    listed = [
        _item(entry, path, images, masks, "test" if str(entry.get("image_id")) in tested else None)
        for entry in entries_of(value, "data", path)
    ]
    items = sorted_by_stem(listed, str(path))
    check_any_there(items, images, masks, path)
    for item in items:
        _check_predicates(item, len(predicates), path)
    return Annotations(items, dict(enumerate(classes)), images, (path,), predicates)


def _names(value: dict[str, Any], key: str, path: Path) -> tuple[str, ...]:
    names = value.get(key)
    if not isinstance(names, list) or not all(isinstance(n, str) for n in names):
        raise DatasetError(f"{path}: expected a list of names at {key!r}; is it a PSG file?")
    return tuple(names)


def _item(
    entry: dict[str, Any], path: Path, images: Path, masks: Path, split: str | None
) -> SegmentItem:
    file = entry.get("file_name")
    what = f"{path}: {file!r:.80}"
    segments = entry.get("segments_info")
    if not isinstance(segments, Segments):
        raise DatasetError(f"{what}: no `segments_info`, expected PSG annotations")
    ids = segments.segment_ids()
    if entry["boxes"] not in (None, len(ids)):
        raise DatasetError(f"{what}: `annotations` do not stand one to one with `segments_info`")
    picture = inner_path(images, file, what)
    return SegmentItem(
        stem_of(str(file)),
        picture,
        split,
        picture.relative_to(images).as_posix(),
        mask=inner_path(masks, entry.get("pan_seg_file_name"), what),
        segments=segments,
        relations=_relations(entry.get("relations"), ids, what),
    )


def _relations(value: Any, ids: list[int], what: str) -> tuple[Relation, ...]:
    """[[subject index, object index, predicate], …] by segment id, each once."""
    triplets = [] if value is None else value
    if not isinstance(triplets, list) or not all(_is_triplet(t) for t in triplets):
        raise DatasetError(f"{what}: relations must be [[subject, object, predicate], …]")
    relations: dict[Relation, None] = {}  # keeps the order
    for triplet in triplets:
        subject, thing, predicate = triplet
        if not (0 <= subject < len(ids) and 0 <= thing < len(ids)):
            raise DatasetError(
                f"{what}: relation {triplet} names a segment that is not there, expected 0 to "
                f"{len(ids) - 1}"
            )
        relations[ids[subject], ids[thing], predicate] = None
    return tuple(relations)


def _is_triplet(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 3 and all(type(n) is int for n in value)


def _check_predicates(item: SegmentItem, known: int, path: Path) -> None:
    for relation in item.relations:
        if not 0 <= relation[2] < known:
            raise DatasetError(
                f"{path}: {item.file}: predicate {relation[2]} is not one of the {known} in "
                "`predicate_classes`"
            )
