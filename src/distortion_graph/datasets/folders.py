"""Which files below a folder are taken, and which are not and why: nothing vanishes unsaid."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from distortion_graph.base.errors import ImageError

_OF_THE_SYSTEM = ("thumbs.db", "desktop.ini", "icon\r")
_MOST_NAMES = 5


@dataclass(frozen=True)
class LeftOut:
    """A file or folder that is not taken: its place below `folder` with "/" between, and why.

    `expected` ones are no reason to stop a strict run: files that an operating system leaves in
    folders, and pictures that a list beside them does not name.
    """

    folder: Path
    file: str
    reason: str
    expected: bool = False


@dataclass(frozen=True)
class Folder:
    """What lies below a folder: files that are taken as "sub/folder/name", sorted, and the rest."""

    names: tuple[str, ...]
    left_out: tuple[LeftOut, ...]


def list_folder(folder: Path, suffixes: tuple[str, ...], what: str = "pictures") -> Folder:
    """The files below a folder that end with one of `suffixes`, links to files followed.

    `what` says in reasons what files of these suffixes are. Links to folders are not followed, for
    they may lead in a circle. Nothing lies below what is no folder. Raises ImageError for a folder
    that cannot be read.
    """
    names: list[str] = []
    left_out: list[LeftOut] = []
    waiting = [""]
    while waiting:
        before = waiting.pop()
        for entry in _entries(folder / before):
            name = before + entry.name
            if entry.is_dir(follow_symlinks=False):
                waiting.append(f"{name}/")
                continue
            reason = _reason(entry, suffixes, what)
            if reason is None:
                names.append(name)
            else:
                left_out.append(LeftOut(folder, name, reason, _is_of_the_system(entry.name)))
    return Folder(tuple(sorted(names)), tuple(sorted(left_out, key=lambda found: found.file)))


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise ImageError(f"{folder}: cannot be read ({error.strerror})") from error


def _reason(entry: os.DirEntry[str], suffixes: tuple[str, ...], what: str) -> str | None:
    """Why a file is not taken; None where it is."""
    if _is_of_the_system(entry.name):
        return "hidden, or of the operating system"
    if entry.is_symlink() and entry.is_dir():
        return "a link to a folder"
    suffix = suffix_of(entry.name)
    if suffix in suffixes:
        return None  # whether it is as it looks, reading tells
    return f"{suffix} is no suffix of {what}" if suffix else "without a suffix"


def _is_of_the_system(name: str) -> bool:
    return name.startswith(".") or name.lower() in _OF_THE_SYSTEM


def suffix_of(name: str) -> str:
    """As `Path.suffix`, which takes ten times as long, in small letters."""
    before, dot, after = name.rpartition(".")
    return f".{after.lower()}" if dot and before.strip(".") else ""


def no_picture(folder: Path, found: Folder, suffixes: Iterable[str]) -> ImageError:
    """The error for a folder without any picture, with what is there instead."""
    kinds = Counter(suffix_of(other.file) or "without a suffix" for other in found.left_out)
    others = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common(_MOST_NAMES))
    there = f" among {len(found.left_out)} files ({others})" if others else ""
    return ImageError(f"{folder}: no picture found{there}, expected files {', '.join(suffixes)}")


def left_out_lines(left_out: Iterable[LeftOut]) -> Iterator[str]:
    """A line per folder and reason, with the number of files and the first names.

    `photos: 3 files left out (.txt is no suffix of pictures): a.txt, b.txt, c/d.txt`
    """
    groups: dict[tuple[Path, str], list[str]] = {}
    for left in left_out:
        groups.setdefault((left.folder, left.reason), []).append(left.file)
    for (folder, reason), names in groups.items():
        files = "file" if len(names) == 1 else "files"
        yield f"{folder}: {len(names)} {files} left out ({reason}): {first_names(names)}"


def first_names(names: Sequence[str]) -> str:
    """`a, b, c, d, e and 3 more`."""
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(names[:_MOST_NAMES]) + more


class ReaderNotes:
    """Passes on what the reader says of pictures, "FILE: TEXT": of one kind the first five.

    Texts that differ in numbers alone are of one kind.
    """

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def take(self, notes: Iterable[str]) -> Iterator[str]:
        """Those of a picture's notes that are to be told."""
        for note in notes:
            kind = re.sub(r"\d+", "N", note.partition(": ")[2] or note)
            self._counts[kind] += 1
            if self._counts[kind] <= _MOST_NAMES:
                yield note

    def rest(self) -> Iterator[str]:
        """A line per kind of which there were more."""
        for kind, count in self._counts.items():
            if count > _MOST_NAMES:
                yield f"{count - _MOST_NAMES} more pictures: {kind}"
