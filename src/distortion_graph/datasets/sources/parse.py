"""Sources by their spelling on the command line."""

from __future__ import annotations

import re
from pathlib import Path

from distortion_graph.base.errors import DatasetError
from distortion_graph.datasets.sources.alone import PictureSource
from distortion_graph.datasets.sources.base import Source
from distortion_graph.datasets.sources.choice import RegionChoice
from distortion_graph.datasets.sources.coco import coco_source
from distortion_graph.datasets.sources.labels import LabelSource
from distortion_graph.datasets.sources.named import NamedSource
from distortion_graph.datasets.sources.psg import psg_source

SOURCES_HELP = (
    "FOLDER with images/ and label maps regions/<name>_<annotator>.png (labels:FOLDER), or of "
    "pictures alone (pictures:FOLDER); coco:PANOPTIC.json[,images=FOLDER][,masks=FOLDER]"
    "[,categories=FILE]; psg:PSG.json,images=FOLDER[,masks=FOLDER]. NAME= before it names the "
    "source and begins its pictures' names"
)
"""What a source may be, for a command's help."""

_NAMED = re.compile(r"(\w[\w.-]*)=(.+)", re.DOTALL)
_KIND = re.compile(r"(\w+):(.*)", re.DOTALL)
# A path may have commas, so that only a comma before KEY= parts.
_OPTION = re.compile(r",(?=\w+=)")
_OPTIONS = {"coco": ("images", "masks", "categories"), "psg": ("images", "masks")}
_FOLDERS = ("labels", "pictures")
_DEFAULT_CHOICE = RegionChoice()


def parse_source(
    spec: str, *, choice: RegionChoice = _DEFAULT_CHOICE, segmenter: str = "auto"
) -> Source:
    """The source that a text stands for.

    Args:
        spec: a folder, which is `labels` if it has images/ and regions/ and else `pictures`, or one
            of `labels:FOLDER`, `pictures:FOLDER`,
            `coco:PANOPTIC.json[,images=FOLDER][,masks=FOLDER][,categories=FILE]` and
            `psg:PSG.json,images=FOLDER[,masks=FOLDER]`, each with `NAME=` before it or not. What
            exists as a folder is that folder.
        choice: of several label maps, the one nearest to what it wants is used.
        segmenter: finds the regions of pictures alone, as `load_segmenter` takes it.

    Raises DatasetError or RegionError, one line, for a spelling that is none of these, folders and
    files that are not there, and annotation files that are not as they must be.
    """
    named = _NAMED.fullmatch(spec)
    if named and not Path(spec).exists():
        return NamedSource(named[1], _parse(named[2], named[1], choice, segmenter))
    return _parse(spec, None, choice, segmenter)


def _parse(spec: str, name: str | None, choice: RegionChoice, segmenter: str) -> Source:
    path = Path(spec)
    if spec and path.is_dir():
        labelled = (path / "images").is_dir() and (path / "regions").is_dir()
        return _folder("labels" if labelled else "pictures", path, name, choice, segmenter)
    kind = _KIND.fullmatch(spec)
    if kind and kind[1] in _FOLDERS and kind[2]:
        return _folder(kind[1], Path(kind[2]), name, choice, segmenter)
    if kind and kind[1] in _OPTIONS and kind[2]:
        return _annotated(kind[1], kind[2], name)
    found = "is a file" if path.is_file() else "no such folder"
    raise DatasetError(f"source {spec!r}: {found}, expected one of: {SOURCES_HELP}")


def _folder(
    kind: str, folder: Path, name: str | None, choice: RegionChoice, segmenter: str
) -> Source:
    name = name or folder.resolve().name or kind
    if kind == "labels":
        return LabelSource(folder, name=name, choice=choice)
    return PictureSource(folder, name=name, segmenter=segmenter)


def _annotated(kind: str, text: str, name: str | None) -> Source:
    file, *options = _OPTION.split(text)
    path, given = Path(file), {}
    for option in options:
        key, _, value = option.partition("=")
        if key not in _OPTIONS[kind] or key in given or not value:
            raise DatasetError(
                f"source {kind}:{text}: found {option!r}, expected "
                f"{', '.join(f'{known}=…' for known in _OPTIONS[kind])}, each at most once"
            )
        given[key] = Path(value)
    if not path.is_file():
        raise DatasetError(f"{path}: no such file, expected the JSON of {kind} annotations")
    name = name or path.stem
    if kind == "coco":
        return coco_source(path, name=name, **given)
    if "images" not in given:
        raise DatasetError(
            f"source psg:{text}: where are the pictures? expected psg:{path.name},images=FOLDER"
        )
    return psg_source(path, name=name, **given)
