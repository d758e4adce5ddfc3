"""Pictures and files for the tests of what reads regions."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import RegionError
from distortion_graph.pictures.images import Picture, load_picture
from distortion_graph.regions import RegionSet, resolve_regions


def blank(h: int, w: int, source: str | None = None) -> Picture:
    """A black picture of h×w pixels that lies at that path."""
    return replace(load_picture(np.zeros((h, w, 3), np.uint8)), source=source)


def art(text: str) -> NDArray[np.bool_]:
    """A mask as it is drawn: `#` is inside; rows are parted by spaces or lines."""
    return np.array([[c == "#" for c in row] for row in text.split()])


def written(path: Path, content: Any) -> Path:
    """The file with that content: bytes, a text, or any other value as JSON."""
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    return path


def regions_in(path: Path | str, picture: Picture) -> RegionSet:
    """The regions of a spec; whatever the file has beside them is a failure."""
    notes: list[str] = []
    found = resolve_regions(path, picture, picture, warn=notes.append)
    assert notes == []
    return found


def regions_and_notes(path: Path | str, picture: Picture) -> tuple[RegionSet, list[str]]:
    """The regions of a spec, and the lines that the user is told."""
    notes: list[str] = []
    return resolve_regions(path, picture, picture, warn=notes.append), notes


def refusal(path: Path | str, picture: Picture) -> str:
    """The one line that refuses a spec, without the folder of its file."""
    try:
        found = resolve_regions(path, picture, picture)
    except RegionError as error:
        line = str(error)
        assert "\n" not in line
        folder = str(Path(str(path).partition(",image=")[0]).parent)
        return line.replace(f"{folder}/", "")
    raise AssertionError(f"not refused: {found}")
