"""COCO panoptic: a JSON of annotations with `segments_info`, and a folder of PNGs."""

from __future__ import annotations

from functools import partial
from pathlib import Path

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
from distortion_graph.datasets.sources.names import inner_path, sorted_by_stem, stem_of
from distortion_graph.regions.coco import names_from
from distortion_graph.regions.readers.documents import read_json

_KEYS = frozenset({"images", "annotations", "categories", "image_id", "name"})


def coco_source(
    path: Path,
    *,
    name: str,
    images: Path | None = None,
    masks: Path | None = None,
    categories: Path | None = None,
) -> AnnotatedSource:
    """The pictures of a COCO panoptic file.

    PNGs are in `masks`, by default the folder of the JSON's name beside it. Pictures are in
    `images`, by default beside the JSON or one folder up: `images`, or the folder named like the
    JSON without "panoptic_", such as `val2017`. Names come from `categories` or from the JSON
    itself. Raises DatasetError and RegionError.
    """
    masks = masks or path.with_suffix("")
    images = images or _images_beside(path)
    for folder, option in ((images, "images"), (masks, "masks")):
        if not folder.is_dir():
            raise DatasetError(
                f"{folder}: no such folder; say where they are: coco:{path.name},{option}=FOLDER"
            )
    read = partial(_read, path, images, masks, categories)
    return AnnotatedSource(path, name=name, kind="coco", read=read)


def _images_beside(path: Path) -> Path:
    names = ("images", path.stem.removeprefix("panoptic_"))
    places = [folder / name for folder in (path.parent, path.parent.parent) for name in names]
    return next((p for p in places if p.is_dir()), places[0])


def _read(path: Path, images: Path, masks: Path, categories: Path | None) -> Annotations:
    value = read_annotations(path, _KEYS)
    files = {str(e.get("id")): e.get("file_name") for e in entries_of(value, "images", path)}
    listed = []
    for entry in entries_of(value, "annotations", path):
        what = f"{path}: {entry.get('file_name')!r:.80}"
        segments = entry.get("segments_info")
        if not isinstance(segments, Segments):
            raise DatasetError(f"{what}: no `segments_info`, expected COCO panoptic annotations")
        file = files.get(str(entry.get("image_id")))
        if file is None:
            raise DatasetError(f"{what}: its image_id is not one of `images`")
        picture = inner_path(images, file, what)
        listed.append(
            SegmentItem(
                stem_of(file),
                picture,
                file=picture.relative_to(images).as_posix(),
                mask=inner_path(masks, entry.get("file_name"), what),
                segments=segments,
            )
        )
    items = sorted_by_stem(listed, str(path))
    check_any_there(items, images, masks, path)
    if categories is not None:
        names = names_from(read_json(categories), str(categories))
        return Annotations(items, names, images, (path, categories))
    return Annotations(items, names_from(value.get("categories") or {}, str(path)), images, (path,))
