"""A graph's pictures, found again by what the graph says of them: source, size and checksum."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import ImageError
from distortion_graph.graph import DistortionGraph, ImageInfo, Side
from distortion_graph.pictures.backgrounds import DEFAULT_BACKGROUND
from distortion_graph.pictures.images import (
    DEFAULT_MAX_PIXELS,
    Picture,
    load_picture,
    open_picture_file,
    rgb_sha256,
)
from distortion_graph.pictures.turning import turned
from distortion_graph.report.wording import printable


@dataclass(frozen=True)
class FoundPicture:
    """What was found of a picture.

    `picture` is None where there is none or it cannot be read; `data` are its file's bytes.
    `problem` is one sentence for people (moved, unreadable, another size, changed); None when all
    is well.
    """

    picture: Picture | None
    data: bytes | None
    problem: str | None


def find_picture(
    info: ImageInfo,
    beside: Path | None,
    given: str | None = None,
    *,
    max_pixels: int = DEFAULT_MAX_PIXELS,
) -> FoundPicture:
    """The picture that a graph's `info` tells of.

    Looked for where its source says, then from the folder `beside` (the graph file's) on, then in
    that folder under its name alone; the first file that is what it was is taken, else the first
    that can be read. `given` is the only place where it is looked for. Raises ImageError where
    `given` cannot be read; anything else is a `problem`.
    """
    if given is not None:
        return _read(info, given, max_pixels)
    if not info.source:
        return FoundPicture(None, None, "the graph names no file of this picture")
    readable: FoundPicture | None = None
    problem = f"{printable(info.source)}: no such file"
    for place in _places(info.source, beside):
        try:
            picture = _read(info, place, max_pixels)
        except ImageError as error:
            problem = str(error)
            continue
        if picture.problem is None:
            return picture
        readable = readable or picture
    return readable or FoundPicture(None, None, problem)


def file_of(picture: Picture) -> FoundPicture:
    """A picture that has just been read, with its file's bytes as long as they are the same."""
    try:
        data = Path(picture.source or "").read_bytes()
    except (OSError, ValueError):
        return FoundPicture(picture, None, None)
    same = hashlib.sha256(data).hexdigest() == picture.sha256
    return FoundPicture(picture, data if same else None, None)


def check_pixels(graph: DistortionGraph, side: Side, rgb: NDArray[np.uint8], where: str) -> None:
    """Raise ImageError, a line that begins with `where`, unless pixels fit a side of the graph."""
    info = graph.picture_of(side)
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8 or rgb.size == 0:
        raise ImageError(
            f"{where}: the {side} is an array of shape {rgb.shape} and {rgb.dtype}, expected "
            "(H, W, 3) uint8"
        )
    expected = info.height or rgb.shape[0], info.width or rgb.shape[1]
    if rgb.shape[:2] != expected:
        raise ImageError(
            f"{where}: the {side} is {rgb.shape[1]}×{rgb.shape[0]}, expected the graph's "
            f"{expected[1]}×{expected[0]}"
        )


def _places(source: str, beside: Path | None) -> Iterator[str]:
    """Files that are there under a source's name."""
    places = [Path(source)]
    if beside is not None:
        places += [beside / source, beside / Path(source).name]
    for place in dict.fromkeys(places):
        try:
            if place.is_file():
                yield str(place)
        except (OSError, ValueError):  # a name that no file can have
            continue


def _read(info: ImageInfo, place: str, max_pixels: int) -> FoundPicture:
    label = printable(place)
    data = open_picture_file(place, label).data
    laid = DEFAULT_BACKGROUND if info.transparency is None else info.transparency.background
    picture = load_picture(data, max_pixels=max_pixels, name=label, background=laid)
    picture = turned(replace(picture, source=place), info.turned)
    return FoundPicture(picture, data, _problem(info, picture, label))


def _problem(info: ImageInfo, picture: Picture, label: str) -> str | None:
    width, height = info.width or picture.width, info.height or picture.height
    if (width, height) != (picture.width, picture.height):
        return (
            f"{label}: is {picture.width}×{picture.height} pixels, the graph is of {width}×{height}"
        )
    now = rgb_sha256(picture.rgb) if info.sha256_of == "rgb" else picture.sha256
    if info.sha256 is not None and now != info.sha256:
        return f"{label}: has changed since the graph was made (another checksum)"
    return None
