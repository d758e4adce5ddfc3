"""A graph's pictures, found again by their hashes in folders, whatever they are called there."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path, PurePath

from distortion_graph.base.errors import DatasetError, ImageError
from distortion_graph.datasets.folders import list_folder
from distortion_graph.graph import ImageInfo
from distortion_graph.pictures.images import PICTURE_SUFFIXES, Picture, load_picture, rgb_sha256
from distortion_graph.report.sources import find_picture
from distortion_graph.report.wording import printable

_SHOWN_DIGITS = 12


class PictureFolders:
    """The pictures in some folders, or files, by their hashes; hashed when first asked for."""

    def __init__(self, places: Sequence[Path]) -> None:
        """Raises DatasetError for a place that is not there, ImageError for an unreadable one."""
        self.places = tuple(places)
        for place in places:
            if not place.exists():
                raise DatasetError(f"{place}: no such folder, expected the pictures of the graphs")
        self.files = tuple(
            place / name if place.is_dir() else place
            for place in places
            for name in (list_folder(place, PICTURE_SUFFIXES).names if place.is_dir() else ("",))
        )

    def find(self, info: ImageInfo, what: str) -> Picture:
        """The very picture that `info` tells of, as it was compared; `what` begins error lines.

        Raises DatasetError where no file has its hash, and as `find_picture` does.
        """
        known = self._by_file if info.sha256_of == "file" else self._by_pixels
        path = known.get(info.sha256 or "")
        name = printable(PurePath(info.source).name) if info.source else ""
        if path is None:
            alike = next((file for file in self.files if name and file.name == name), None)
            if alike is not None:
                raise DatasetError(
                    f"{what} {name}: {alike} has another checksum, so it has changed since it was "
                    "judged; expected the very file"
                )
            digits = (info.sha256 or "")[:_SHOWN_DIGITS]
            raise DatasetError(
                f"{what} {name or 'of no name'}: no file in {', '.join(map(str, self.places))} has "
                f"its checksum ({digits}…), expected the picture that was judged"
            )
        found = find_picture(info, None, str(path))
        if found.picture is None or found.problem is not None:
            raise DatasetError(f"{what}: {found.problem}")
        return found.picture

    @cached_property
    def _by_file(self) -> dict[str, Path]:
        return dict(reversed(list(self._hashed())))

    def _hashed(self) -> Iterator[tuple[str, Path]]:
        for path in self.files:
            try:
                with path.open("rb") as stream:
                    yield hashlib.file_digest(stream, "sha256").hexdigest(), path
            except OSError as error:
                raise DatasetError(f"{path}: cannot be read ({error.strerror})") from error

    @cached_property
    def _by_pixels(self) -> dict[str, Path]:
        """For graphs of arrays; what is no picture that can be read cannot be one of theirs."""
        found: dict[str, Path] = {}
        for path in self.files:
            try:
                found.setdefault(rgb_sha256(load_picture(path).rgb), path)
            except ImageError:
                continue
        return found
