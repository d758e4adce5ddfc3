"""Which of the pictures that a file lists is this one: by name, as people and systems write names.

Names are compared in composed Unicode (NFC), for some disks decompose accents; "\\" parts folders
as "/" does, for lists are also written on Windows.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath

from distortion_graph.base.files import kind_of

_MOST_LISTED = 5


def composed(name: str) -> str:
    """A name in composed Unicode (NFC)."""
    return unicodedata.normalize("NFC", name)


def parts_of(name: str) -> tuple[str, ...]:
    """Folders and file name of a path as it is written anywhere, composed; () of none."""
    pieces = composed(name).replace("\\", "/").split("/")
    return tuple(piece for piece in pieces if piece not in ("", "."))


def best_named(names: Sequence[str | None], path: str | None) -> list[int]:
    """Places of the names that fit a picture's path best; none where no file name does.

    The same file name wins over one that differs in upper and lower case, and either over the same
    stem. Of several alike, one wins whose folders are those that the picture lies in, the longest
    such.
    """
    own = parts_of(os.path.abspath(path)) if path else ()  # noqa: PTH100 - links stay as they are
    if not own:
        return []
    listed = [parts_of(name) if name else () for name in names]
    for reading in _READINGS:
        fitting = [k for k, parts in enumerate(listed) if parts and _same(parts, own, reading)]
        if fitting:
            return _nearest(fitting, listed, own)
    return []


def _same(parts: Sequence[str], own: Sequence[str], reading: Callable[[str], str]) -> bool:
    return reading(parts[-1]) == reading(own[-1])


def _stem(name: str) -> str:
    return PurePosixPath(name).stem


_READINGS: tuple[Callable[[str], str], ...] = (
    str,
    str.casefold,
    _stem,
    lambda name: _stem(name).casefold(),
)


def _nearest(
    found: Sequence[int], listed: Sequence[tuple[str, ...]], own: tuple[str, ...]
) -> list[int]:
    """Those of the places whose folders all fit, of them the longest; all where none fits."""
    fitting = [k for k in found if listed[k][:-1] == own[-len(listed[k]) : -1]]
    longest = max((len(listed[k]) for k in fitting), default=0)
    return [k for k in fitting if len(listed[k]) == longest] or list(found)


def named_so(names: Sequence[str | None], ids: Sequence[object], wanted: str) -> list[int]:
    """Places of the pictures that `image=WANTED` chooses: by the whole name listed, or the id."""
    parts = parts_of(wanted)
    by_name = [k for k, name in enumerate(names) if name and parts_of(name) == parts]
    return by_name or [k for k, number in enumerate(ids) if str(number) == wanted]


def listed_names(names: Sequence[str | None], ids: Sequence[object]) -> str:
    """`day/a.png (id 1), night/a.png (id 2) and 3 more`."""
    shown = [f"{name} (id {number})" for name, number in zip(names, ids, strict=True)]
    more = f" and {len(shown) - _MOST_LISTED} more" if len(shown) > _MOST_LISTED else ""
    return ", ".join(shown[:_MOST_LISTED]) + more


def choice_of(names: Sequence[str | None], ids: Sequence[object]) -> str:
    """What chooses the first of several pictures: its name, or its id where names are equal."""
    first = names[0]
    return str(ids[0]) if not first or names.count(first) > 1 else first


def file_in(folder: Path, name: str) -> Path | None:
    """The file of that name below a folder, whatever form its accents have and whoever wrote "\\".

    The name as it is written comes first. None where there is none, and for a name that leads out.
    """
    parts = parts_of(name)
    if not parts or ".." in parts or name[0] in "/\\" or re.match(r"[A-Za-z]:", name):
        return None
    for place in (folder / name, folder.joinpath(*parts)):
        if kind_of(place) == "file":
            return place
    place = folder
    for part in parts:
        found = next((entry for entry in _entries(place) if composed(entry.name) == part), None)
        if found is None:
            return None
        place = found
    return place if kind_of(place) == "file" else None


def _entries(folder: Path) -> Iterator[Path]:
    try:
        yield from folder.iterdir()
    except OSError:
        return
