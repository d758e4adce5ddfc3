"""Names of pictures: from paths below a folder, and from inside annotation files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TypeVar

from distortion_graph.base.errors import DatasetError
from distortion_graph.datasets.layout import SPLITS, check_tag
from distortion_graph.datasets.sources.base import SourceItem
from distortion_graph.pictures.picture_names import file_in, parts_of

_LONGEST_SUFFIX = ".webp"
Item = TypeVar("Item", bound=SourceItem)


def flat_stem(name: str) -> str:
    """ "sub/folder/name.png" as "sub_folder_name"."""
    return name.rpartition(".")[0].replace("/", "_")


def stem_of(name: str) -> str:
    """The stem of a file that a list names, whatever parts its folders."""
    return PurePosixPath(parts_of(name)[-1]).stem


def split_of(name: str) -> str | None:
    """The split that the first folder of "train/name.png" says, None where it is no split's."""
    first, _, rest = name.partition("/")
    return first if rest and first in SPLITS else None


def inner_path(folder: Path, name: object, what: str) -> Path:
    """A file in `folder` that a line of a file names; `what` begins the error's line.

    "\\" parts folders too, unless a file is called so, and accents may be written in another form
    than on the disk. Raises DatasetError for what is no name and for one that leads out of the
    folder.
    """
    if not isinstance(name, str) or not name or not name.isprintable():
        raise DatasetError(f"{what}: the file name is {name!r:.80}, expected text")
    inside = PurePosixPath(name.replace("\\", "/"))
    outside = inside.is_absolute() or ".." in inside.parts or PureWindowsPath(name).anchor
    if outside or inside.name == "":
        raise DatasetError(
            f"{what}: the file name {name!r:.80} leads out of {folder}, expected one inside it "
            "with / between folders"
        )
    return file_in(folder, name) or folder / inside


def sorted_by_stem(items: Sequence[Item], what: str) -> tuple[Item, ...]:
    """The items in the order of their stems, no two alike; `what` begins the error's line.

    Raises DatasetError for none at all, a stem that cannot be a file's name, and two stems that
    are equal or differ in case only.
    """
    if not items:
        raise DatasetError(f"{what}: lists no picture, expected at least one")
    seen: dict[str, Item] = {}
    for item in sorted(items, key=lambda item: (item.stem, item.file)):
        check_tag(item.stem + _LONGEST_SUFFIX, f"{what}: {item.file!r}")
        other = seen.setdefault(item.stem.casefold(), item)
        if other is not item:
            raise DatasetError(
                f"{what}: {other.file} and {item.file} would both be called {item.stem!r}; "
                "rename one"
            )
    return tuple(seen.values())
