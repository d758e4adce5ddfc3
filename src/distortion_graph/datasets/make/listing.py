"""All pictures of all sources, before any is read: names checked, in order, with a digest."""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from distortion_graph.base.errors import DatasetError
from distortion_graph.datasets.folders import LeftOut
from distortion_graph.datasets.layout import check_tag
from distortion_graph.datasets.sources import Source, SourceItem

_SEARCHED = ("labels", "pictures")
"""Kinds of sources that take every picture below their folder."""

_ABSOLUTE = re.compile(r"(?<![\w.:/\\])(?:[A-Za-z]:)?(?:[/\\][^/\\\s:'\"]+)*[/\\](?=[^/\\\s])")


@dataclass(frozen=True)
class Listed:
    """A picture of the source at position `source`."""

    source: int
    item: SourceItem

    @property
    def stem(self) -> str:
        """The picture's name in the data set, without suffix."""
        return self.item.stem

    def plain(self, text: str) -> str:
        """A line about this picture, without where on this machine its files lie."""
        for path in self.item.files:
            name = self.item.file if path == self.item.picture else path.name
            text = text.replace(str(path), name).replace(str(path.parent), path.parent.name)
        return _ABSOLUTE.sub("", text)


@dataclass(frozen=True)
class Listing:
    """Every picture, sorted by stem; `digest` changes with any name, file or split of a source,
    and with its tables (annotations, names). `left_out` are the other files of each source.
    """

    pictures: tuple[Listed, ...]
    digest: str
    left_out: tuple[tuple[LeftOut, ...], ...]


def list_pictures(sources: Sequence[Source], image_format: str) -> Listing:
    """List all sources; raises DatasetError where two pictures would get one name.

    Names that differ in case or in the form of accents only count as one: on some disks they are.
    """
    names = [source.name for source in sources]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise DatasetError(f"two sources are called {twice!r}; give one another name: NAME={twice}")
    found: list[Listed] = []
    for number, source in enumerate(sources):
        for item in source.items():
            check_tag(f"{item.stem}.{image_format}", str(item.picture))
            found.append(Listed(number, item))
    found.sort(key=lambda listed: listed.stem)
    _check_names(found, sources)
    digest = hashlib.sha256()
    for source in sources:
        for table in source.tables:
            digest.update(_file_digest(table))
    for p in found:
        line = f"{names[p.source]}\t{p.stem}\t{p.item.file}\t{p.item.split or ''}\n"
        digest.update(line.encode("utf-8", "surrogatepass"))
    left_out = tuple(tuple(source.left_out()) for source in sources)
    return Listing(tuple(found), digest.hexdigest(), left_out)


def _file_digest(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").digest()
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror})") from error


def _check_names(found: Sequence[Listed], sources: Sequence[Source]) -> None:
    seen: dict[str, Listed] = {}
    for listed in found:
        key = unicodedata.normalize("NFC", listed.stem).casefold()
        other = seen.setdefault(key, listed)
        if other is listed:
            continue
        both = f"{other.item.picture} and {listed.item.picture}"
        if other.source == listed.source:
            raise DatasetError(
                f"{both} would both be called {listed.stem!r}, in upper or lower case; rename one"
            )
        name = sources[listed.source].name
        raise DatasetError(
            f"{both} would both be called {listed.stem!r}; name one of the sources, as in "
            f"{name}2=SOURCE, to put {name}2_ before its pictures' names"
        )


def check_apart(listing: Listing, sources: Sequence[Source], out: Path) -> None:
    """Raise DatasetError where the root lies among the pictures of a source, or they in it.

    It would find its own pictures there when it goes on.
    """
    root = Path(os.path.realpath(out))
    folders: dict[tuple[int, Path], SourceItem] = {}
    for listed in listing.pictures:
        folders.setdefault((listed.source, listed.item.picture.parent), listed.item)
    for (number, folder), item in folders.items():
        if Path(os.path.realpath(folder)).is_relative_to(root):
            raise DatasetError(
                f"{out}: {item.picture} is a picture of a source and lies in it; choose another "
                "folder for --out"
            )
        below = len(PurePosixPath(item.file).parts)
        top = Path(os.path.realpath(item.picture.parents[below - 1]))
        if sources[number].kind in _SEARCHED and root.is_relative_to(top):
            raise DatasetError(
                f"{out}: lies in the source's folder {top}, where pictures are taken at any "
                "depth; choose a folder outside for --out"
            )
