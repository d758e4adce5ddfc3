"""The pictures that are to be ranked: read, named, and those left out that cannot be."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from distortion_graph.base.counting import counted
from distortion_graph.base.errors import ImageError, RankingError
from distortion_graph.pictures.backgrounds import DEFAULT_BACKGROUND
from distortion_graph.pictures.images import (
    DEFAULT_MAX_PIXELS,
    PICTURE_SUFFIXES,
    ImageSource,
    Picture,
    load_picture,
    rgb_sha256,
)
from distortion_graph.work.threads import parallel_map

Source: TypeAlias = "ImageSource | Picture"
CandidateSources: TypeAlias = "str | Path | Sequence[Source] | Mapping[str, Source]"
"""A folder, pictures in a row, or pictures by name."""

FEWEST = 2


@dataclass(frozen=True, eq=False)
class NamedPicture:
    """A candidate that was read; `size_bytes` is of its file, None where there is none."""

    name: str
    picture: Picture
    size_bytes: int | None


@dataclass(frozen=True, eq=False)
class Loaded:
    """Pictures to rank.

    Attributes:
        reference: the original; None where nobody knows it.
        candidates: those that could be read, in the order they came in.
        left_out: (name, line) of those that could not.
        notes: what a person should know of the others, a line each.
    """

    reference: Picture | None
    candidates: tuple[NamedPicture, ...]
    left_out: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class _Given:
    """A candidate before it is read: what its user calls it, if anything, and where it is."""

    source: Source
    number: int
    name: str | None = None

    @property
    def path(self) -> Path | None:
        """Its file."""
        return Path(self.source) if isinstance(self.source, str | Path) else None

    def called(self) -> tuple[str, ...]:
        """What it may be called, the shortest first."""
        if self.name is not None:
            return (self.name,)
        if self.path is None:
            return (f"candidate {self.number}",)
        return self.path.stem, self.path.name, str(self.path), f"{self.path} ({self.number})"


def load_candidates(
    candidates: CandidateSources,
    reference: Source | None = None,
    *,
    strict: bool = False,
    max_pixels: int = DEFAULT_MAX_PIXELS,
    background: str = DEFAULT_BACKGROUND,
    problems: Sequence[str] = (),
) -> Loaded:
    """Read all pictures.

    A folder stands for the pictures in it, by their names. A file that is given twice counts once,
    the file of the reference is no candidate, and one that cannot be read is left out; each is
    said, or with `strict` refused. `problems` say why the caller knows of others that are none.

    Raises ImageError for a reference that cannot be read and, with `strict`, for any candidate;
    RankingError with `strict` for a file twice and for the reference among the candidates, and
    where fewer than two are left.
    """
    notes: list[str] = []
    given = _apart(_given(candidates), reference, notes)
    if strict and notes:
        raise RankingError(f"{notes[0]}, expected every picture once (--strict)")

    def read(source: Source, name: str | None) -> Picture | ImageError:
        unnamed = None if isinstance(source, str | Path | Picture) else name
        try:
            return load_picture(source, max_pixels=max_pixels, name=unnamed, background=background)
        except ImageError as error:
            return error

    original = None if reference is None else read(reference, "reference")
    if isinstance(original, ImageError):
        raise original
    # Pillow images may share a file that only one thread can read.
    at_most = None if all(isinstance(g.source, str | Path | bytes) for g in given) else 1
    names = _short_names(given)
    pictures = parallel_map(
        lambda pair: read(pair[0].source, pair[1]), zip(given, names, strict=True), at_most
    )
    left_out = tuple(
        (name, str(p)) for name, p in zip(names, pictures, strict=True) if isinstance(p, ImageError)
    )
    if strict and left_out:
        raise ImageError(left_out[0][1])
    kept = tuple(
        NamedPicture(name, picture, _bytes_of(entry.source))
        for name, entry, picture in zip(names, given, pictures, strict=True)
        if isinstance(picture, Picture)
    )
    check_enough(kept, [*problems, *notes, *(line for _, line in left_out)])
    notes += [line for p in (original, *(k.picture for k in kept)) if p for line in p.warnings]
    return Loaded(original, kept, left_out, (*notes, *_equal_lines(kept, original)))


def check_enough(candidates: Sequence[NamedPicture], problems: Sequence[str]) -> None:
    """Raise RankingError for fewer than two candidates; `problems` say why others are none."""
    count = len(candidates)
    if count < FEWEST:
        few = f"{counted(count, 'candidate')} to rank, expected {FEWEST} or more"
        raise RankingError("; ".join([few, *problems]))


def picture_files(folder: Path) -> list[Path]:
    """The pictures of a folder by their names' endings, numbers in their order.

    Raises RankingError for a folder that cannot be listed or holds none.
    """
    try:
        entries = [entry for entry in folder.iterdir() if entry.is_file()]
    except OSError as error:
        raise RankingError(f"{folder}: cannot be listed ({error.strerror})") from error
    found = [entry for entry in entries if entry.suffix.lower() in PICTURE_SUFFIXES]
    if not found:
        raise RankingError(f"{folder}: holds no picture, expected the candidates")
    return sorted(found, key=lambda entry: _natural(entry.name))


def candidate_files(sources: Iterable[str]) -> list[str]:
    """The files that some names stand for, folders taken apart; raises as `picture_files` does."""
    return [str(entry.source) for entry in _given(list(sources))]


def candidate_names(sources: Sequence[str]) -> list[str]:
    """What candidates are called, by their paths; those of data URLs by their numbers."""
    urls = [source[:5].lower() == "data:" for source in sources]
    return _short_names(
        [
            _Given(b"" if url else source, number)
            for number, (source, url) in enumerate(zip(sources, urls, strict=True), start=1)
        ]
    )


def _given(candidates: CandidateSources) -> list[_Given]:
    """Every candidate, folders taken apart."""
    if isinstance(candidates, Mapping):
        return [_Given(source, k, name) for k, (name, source) in enumerate(candidates.items(), 1)]
    listed: Sequence[Source] = [candidates] if isinstance(candidates, str | Path) else [*candidates]
    sources: list[Source] = []
    for source in listed:
        if isinstance(source, str | Path) and Path(source).is_dir():
            sources += [str(path) for path in picture_files(Path(source))]
        else:
            sources.append(source)
    return [_Given(source, number) for number, source in enumerate(sources, start=1)]


def _apart(given: Sequence[_Given], reference: Source | None, notes: list[str]) -> list[_Given]:
    """The candidates without the reference's file and without repetitions, which are noted."""
    original = os.path.realpath(reference) if isinstance(reference, str | Path) else None
    seen: set[str] = set()
    kept = []
    for entry in given:
        place = None if entry.path is None else os.path.realpath(entry.path)
        if place is not None and place == original:
            notes.append(f"{entry.path}: is the reference and no candidate")
        elif place in seen:
            notes.append(f"{entry.path}: is given twice and counts once")
        else:
            kept.append(entry)
        if place is not None:
            seen.add(place)
    return kept


def _short_names(given: Sequence[_Given]) -> list[str]:
    """The shortest name of each by which it differs from all others."""
    names = [entry.called() for entry in given]
    level = [0] * len(names)
    while True:
        chosen = [called[k] for called, k in zip(names, level, strict=True)]
        counts = Counter(chosen)
        longer = [
            k for k, name in enumerate(chosen) if counts[name] > 1 and level[k] + 1 < len(names[k])
        ]
        if not longer:
            return chosen
        for k in longer:
            level[k] += 1


def _equal_lines(candidates: Sequence[NamedPicture], reference: Picture | None) -> Iterator[str]:
    """What is said of pictures that show the very same."""
    by_pixels: dict[str, list[str]] = {}
    if reference is not None:
        by_pixels[rgb_sha256(reference.rgb)] = ["the reference"]
    for candidate in candidates:
        by_pixels.setdefault(rgb_sha256(candidate.picture.rgb), []).append(candidate.name)
    for names in by_pixels.values():
        if len(names) > 1:
            yield f"{', '.join(names[:-1])} and {names[-1]} are equal, pixel for pixel"


def _bytes_of(source: Source) -> int | None:
    """Bytes of a file, or of its contents."""
    if isinstance(source, str | Path):
        return Path(source).stat().st_size
    return len(source) if isinstance(source, bytes | bytearray) else None


def _natural(name: str) -> list[tuple[int, int, str]]:
    """What sorts q5 before q10."""
    parts = re.split(r"(\d+)", name)
    return [(1, int(p), "") if p.isdecimal() else (0, 0, p.casefold()) for p in parts]
