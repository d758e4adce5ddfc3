"""The lists of a folder of real pictures, read and checked before anything is measured.

FOLDER holds `index.json`, a list of pairs that no one synthesised, `pristine.json`, clean pictures
of several origins, and `unpaired.json`, damaged pictures without a better twin. Paths are relative
to FOLDER. Keys that are read of an entry:

- pairs: `kind`; `ref`, the better picture, and `dist`; `expected`, the labels that name what is
  wrong with `dist`; `aligned`, "exact", "near" (up to a pixel) or "no"; `partial`, whether only
  parts of the picture differ; `reference_is`, which begins with "none" where neither picture is the
  better one; `source.repository` and `source.ref`, which tell pictures of one scene.
- pristine: `file`; its folder is the origin.
- unpaired: `kind`, `file`, `expected`.

Other keys are for people.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from distortion_graph.errors import DatasetError
from distortion_graph.vocabulary import Vocabulary

ALIGNED = ("exact", "near", "no")
T = TypeVar("T")


@dataclass(frozen=True)
class RealPair:
    """A pair of one scene; `scene` is the same for pairs with the same reference."""

    kind: str
    group: str
    scene: str
    reference: Path
    distorted: Path
    expected: tuple[str, ...]
    is_registered: bool
    is_partial: bool
    has_reference: bool


@dataclass(frozen=True)
class RealPicture:
    """A picture alone: its kind of damage, or the origin of a clean one; labels that name it."""

    kind: str
    path: Path
    expected: tuple[str, ...]


@dataclass(frozen=True)
class RealFolder:
    """The three lists, in the order of the files."""

    pairs: tuple[RealPair, ...]
    pristine: tuple[RealPicture, ...]
    unpaired: tuple[RealPicture, ...]

    def limited(self, count: int | None) -> RealFolder:
        """The first `count` pairs of each group and pictures of each kind; None keeps all."""
        if count is None:
            return self
        return RealFolder(
            tuple(_first(self.pairs, count, lambda pair: pair.group)),
            tuple(_first(self.pristine, count, lambda picture: picture.kind)),
            tuple(_first(self.unpaired, count, lambda picture: picture.kind)),
        )


def read_real_folder(folder: Path, vocabulary: Vocabulary) -> RealFolder:
    """Read and check the three lists.

    Raises DatasetError with one line for a file that is missing or no list of objects, a key that
    is missing or of another type, a label that the vocabulary does not have, or a picture that is
    not there.
    """
    if not folder.is_dir():
        raise DatasetError(f"{folder}: no such folder, expected one with index.json in it")

    def picture(entry: _Entry, kind: str) -> RealPicture:
        expected = entry.labels(vocabulary) if "expected" in entry.values else ()
        return RealPicture(kind, entry.picture("file"), expected)

    return RealFolder(
        tuple(_pair(e, vocabulary) for e in _entries(folder, "index.json")),
        tuple(picture(e, e.picture("file").parent.name) for e in _entries(folder, "pristine.json")),
        tuple(picture(e, e.text("kind")) for e in _entries(folder, "unpaired.json")),
    )


@dataclass(frozen=True)
class _Entry:
    """One object of a list, with words for where it stands."""

    folder: Path
    where: str
    values: dict[str, Any]

    def get(self, name: str, kind: type[T], expected: str) -> T:
        found: Any = self.values
        for part in name.split("."):
            found = found.get(part) if isinstance(found, dict) else None
        if not isinstance(found, kind):
            raise DatasetError(f"{self.where}: {name} is {found!r}, expected {expected}")
        return found

    def text(self, name: str) -> str:
        return self.get(name, str, "a text")

    def picture(self, name: str) -> Path:
        path = self.folder / self.text(name)
        if not path.is_file():
            raise DatasetError(f"{self.where}: {name} is {path}, where there is no file")
        return path

    def labels(self, vocabulary: Vocabulary) -> tuple[str, ...]:
        found = self.get("expected", list, "a list of labels")
        unknown = [label for label in found if label not in vocabulary.distortions]
        if unknown:
            known = ", ".join(vocabulary.distortions)
            raise DatasetError(
                f"{self.where}: expected has {unknown[0]!r}, which the model does not know; there "
                f"are {known}"
            )
        return tuple(found)


def _pair(entry: _Entry, vocabulary: Vocabulary) -> RealPair:
    aligned = entry.text("aligned")
    if aligned not in ALIGNED:
        raise DatasetError(
            f"{entry.where}: aligned is {aligned!r}, expected one of {', '.join(ALIGNED)}"
        )
    distorted = entry.picture("dist")
    return RealPair(
        kind=entry.text("kind"),
        group=distorted.parent.name,
        scene=f"{entry.text('source.repository')} {entry.text('source.ref')}",
        reference=entry.picture("ref"),
        distorted=distorted,
        expected=entry.labels(vocabulary),
        is_registered=aligned != "no",
        is_partial=entry.get("partial", bool, "true or false"),
        has_reference=not entry.text("reference_is").startswith("none"),
    )


def _entries(folder: Path, name: str) -> list[_Entry]:
    path = folder / name
    try:
        listed = json.loads(path.read_text("utf-8"))
    except OSError as problem:
        raise DatasetError(
            f"{path}: cannot be read ({problem.strerror}); expected a folder with index.json, "
            "pristine.json and unpaired.json"
        ) from problem
    except ValueError as problem:
        raise DatasetError(f"{path}: not JSON ({problem})") from problem
    if not isinstance(listed, list) or not all(isinstance(entry, dict) for entry in listed):
        raise DatasetError(f"{path}: expected a list of objects")
    return [_Entry(folder, f"{path}, entry {k}", entry) for k, entry in enumerate(listed)]


def _first(things: Sequence[T], count: int, key: Callable[[T], str]) -> list[T]:
    seen: dict[str, int] = {}
    kept = []
    for thing in things:
        seen[key(thing)] = seen.get(key(thing), 0) + 1
        if seen[key(thing)] <= count:
            kept.append(thing)
    return kept
