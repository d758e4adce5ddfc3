"""Pairs of the pictures of folders, matched by their names and never by their order."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import NamedTuple

from distortion_graph.base.errors import BatchError
from distortion_graph.batch.pairs import METHOD, PairTask, checked
from distortion_graph.batch.storage import joined, listed
from distortion_graph.pictures.picture_names import composed

SUFFIXES = frozenset(
    (
        *(".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".avif", ".heic", ".heif", ".jxl"),
        *(".tif", ".tiff", ".bmp", ".gif", ".ppm", ".pgm", ".jp2"),
    )
)
"""Files of other names in a folder are no pictures."""

_SHOWN = 5


@dataclass(frozen=True)
class Matching:
    """How files of two folders belong together.

    `by` is "name" (the same path from the folder on), "stem" (the same but for the suffix) or a
    regular expression with a group `id`, which is searched in that path; its other groups are
    carried through as columns. With `allow_unmatched` files without a partner are left out.
    """

    by: str = "name"
    allow_unmatched: bool = False

    def reader(self) -> Callable[[str], _Key | None]:
        """What tells of a relative name which pair it is of; raises BatchError."""
        if self.by == "name":
            return lambda name: _Key(composed(name), {})
        if self.by == "stem":
            return lambda name: _Key(composed(str(PurePosixPath(name).with_suffix(""))), {})
        try:
            pattern = re.compile(self.by)
        except re.error as error:
            raise BatchError(
                f"--match {self.by!r}: no regular expression ({error}), expected name, stem or one "
                "with a group (?P<id>…)"
            ) from error
        if "id" not in pattern.groupindex:
            raise BatchError(
                f"--match {self.by!r}: expected name, stem or a regular expression with a group "
                "(?P<id>…)"
            )

        def read(name: str) -> _Key | None:
            found = pattern.search(composed(name))
            if found is None:
                return None
            groups = found.groupdict()
            key = groups.pop("id")
            return None if key is None else _Key(key, groups)

        return read


class _Key(NamedTuple):
    """Which pair a file is of, and columns from its name."""

    pair: str
    columns: Mapping[str, str | None]


class Unmatched(NamedTuple):
    """Files that were left out: the folder, and names in it."""

    folder: str
    names: tuple[str, ...]


def match_folders(
    anchors: str,
    targets: Sequence[str],
    *,
    references: str | None = None,
    matching: Matching = Matching(),
) -> tuple[list[PairTask], list[Unmatched]]:
    """Pairs of the pictures in a folder of anchors and in one or more folders of targets.

    With several folders of targets each is a method, named by the folder, and an id begins with
    it. Returns the pairs in the order of their ids and what was left out. Raises BatchError for a
    folder without pictures, two files of one folder that are of the same pair, and files without a
    partner, unless these are allowed.
    """
    read = matching.reader()
    anchor_files = _keyed(anchors, read)
    reference_files = None if references is None else _keyed(references, read)
    methods = _method_names(targets)
    pairs: list[PairTask] = []
    unmatched: list[Unmatched] = []
    for folder, method in zip(targets, methods, strict=True):
        target_files = _keyed(folder, read)
        sets = {anchors: anchor_files, folder: target_files}
        if references is not None and reference_files is not None:
            sets[references] = reference_files
        shared = set.intersection(*(set(files) for files in sets.values()))
        for place, files in sets.items():
            alone = tuple(name for key, (name, _) in files.items() if key not in shared)
            if alone:
                unmatched.append(Unmatched(place, alone))
        for key in sorted(shared):
            (anchor, mine), (target, other) = anchor_files[key], target_files[key]
            named = {METHOD: method} if len(targets) > 1 else {}
            pairs.append(
                PairTask(
                    f"{method}/{key}" if len(targets) > 1 else key,
                    joined(anchors, anchor),
                    joined(folder, target),
                    _reference(references, reference_files, key),
                    columns={**mine, **other, **named},
                )
            )
    if unmatched and not matching.allow_unmatched:
        raise BatchError(_unmatched_line(unmatched))
    checked(pairs, f"{anchors} and {', '.join(targets)}")
    return pairs, unmatched


def _reference(
    folder: str | None, files: Mapping[str, tuple[str, Mapping[str, str | None]]] | None, key: str
) -> str | None:
    return None if folder is None or files is None else joined(folder, files[key][0])


def _keyed(
    folder: str, read: Callable[[str], _Key | None]
) -> dict[str, tuple[str, Mapping[str, str | None]]]:
    """Pair → file and columns, of the pictures in a folder."""
    files: dict[str, tuple[str, Mapping[str, str | None]]] = {}
    for name in listed(folder):
        path = PurePosixPath(name)
        if path.suffix.lower() not in SUFFIXES or path.name.startswith("."):
            continue
        key = read(name)
        if key is None:
            continue
        if key.pair in files:
            raise BatchError(
                f"{folder}: {files[key.pair][0]} and {name} are both of the pair {key.pair!r}, "
                "expected one file of each; --match says how names are read"
            )
        files[key.pair] = name, key.columns
    if not files:
        raise BatchError(
            f"{folder}: no picture there whose name fits, expected files such as a.png"
        )
    return files


def _method_names(folders: Sequence[str]) -> list[str]:
    """The folders' names, or so much of their paths as tells them apart."""
    parts = [PurePosixPath(folder.replace("\\", "/").rstrip("/")).parts for folder in folders]
    for length in range(1, max(map(len, parts), default=1) + 1):
        names = ["/".join(p[-length:]) for p in parts]
        if len(set(names)) == len(names):
            return names
    raise BatchError(f"{folders[0]}: given twice, expected different folders")


def _unmatched_line(unmatched: Sequence[Unmatched]) -> str:
    parts = [f"{len(left.names)} of {left.folder} ({few_names(left.names)})" for left in unmatched]
    return (
        f"pictures without a partner: {'; '.join(parts)}; --match says how names belong together, "
        "--allow-unmatched leaves these out"
    )


def few_names(names: Sequence[str] | frozenset[str]) -> str:
    """The first names of many, in order."""
    shown = sorted(names)[:_SHOWN]
    return ", ".join(shown) + ", …" * (len(names) > _SHOWN)
