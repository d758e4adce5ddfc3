"""Names and places in a data-set root of the published layout.

    root/gt/{train,val,test}/<tag>              clean pictures
    root/<version>/{train,val,test}/<tag>       degraded: one folder a type, mixed, mixed2
    root/stats/{train,val,test}_stats_<version>.json
    root/depth/                                 always there, may be empty
    root/dataset.json, manifest.jsonl, pandabench_index.json

A *tag* is a picture's file name with its suffix, the same in every folder. No other folder may
stand in the root, or the published loader stops; other files do not disturb it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import NamedTuple

from distortion_graph.base.errors import DatasetError
from distortion_graph.base.vocabulary import Vocabulary
from distortion_graph.synth.synthesis import MIXED

SPLITS = ("train", "val", "test")
"""The parts of a data set; no picture is in two of them."""

CLEAN_FOLDER = "gt"
DEPTH_FOLDER = "depth"
STATS_FOLDER = "stats"
DATASET_FILE = "dataset.json"
MANIFEST_FILE = "manifest.jsonl"
INDEX_FILE = "pandabench_index.json"
JOURNAL_FILE = "build.journal.jsonl"
"""There while a build is unfinished."""

_LONGEST_NAME_BYTES = 255


class PairKey(NamedTuple):
    """A pair by the names of its two versions and its picture's tag, in the published order."""

    anchor: str
    target: str
    tag: str


def version_names(vocabulary: Vocabulary) -> tuple[str, ...]:
    """The degraded versions of a picture: every distortion type, then the mixed ones."""
    types = tuple(label for label in vocabulary.distortions if label != vocabulary.clean)
    return types + MIXED


def picture_path(root: Path, folder: str, split: str, tag: str) -> Path:
    """Place of a picture; `folder` is a version's name or `CLEAN_FOLDER`."""
    return root / folder / split / tag


def stats_path(root: Path, split: str, version: str) -> Path:
    """Place of the file with regions, labels and scores of one version of a split's pictures."""
    return root / STATS_FOLDER / f"{split}_stats_{version}.json"


def check_split(split: str) -> str:
    """The split itself; raises DatasetError unless it is one of `SPLITS`."""
    if split not in SPLITS:
        raise DatasetError(f"unknown split {split!r}, expected one of {', '.join(SPLITS)}")
    return split


def check_tag(tag: object, where: str) -> str:
    """The tag itself, if it is the plain name of a file; `where` begins the error's line.

    A name from inside a file must not lead out of the folder it belongs to. Raises DatasetError.
    """
    plain = (
        isinstance(tag, str)
        and tag.isprintable()
        and tag.strip() == tag
        and tag not in ("", ".", "..")
        and PurePosixPath(tag).name == tag
        and PureWindowsPath(tag).name == tag
        and len(tag.encode("utf-8", "surrogatepass")) <= _LONGEST_NAME_BYTES
    )
    if not plain:
        raise DatasetError(
            f"{where}: the picture name {tag!r:.80} is not the plain name of a file in its folder"
        )
    return str(tag)


def check_versions(names: Sequence[str], known: Sequence[str], where: str) -> None:
    """Raise DatasetError for a version that is not one of `known`."""
    for name in names:
        if name not in known:
            raise DatasetError(
                f"{where}: unknown version {name!r:.80}, expected one of {', '.join(known)}"
            )


def check_version_folders(versions: Iterable[str], where: str) -> None:
    """Raise DatasetError for versions that cannot be folders of a root beside its other ones."""
    for version in versions:
        try:
            check_tag(version, where)
        except DatasetError as e:
            raise DatasetError(f"{where}: {version!r:.80} is no name of a version's folder") from e
        if version in (CLEAN_FOLDER, DEPTH_FOLDER, STATS_FOLDER):
            raise DatasetError(f"{where}: {version!r} is no version, but another folder's name")
