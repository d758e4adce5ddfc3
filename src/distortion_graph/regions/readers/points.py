"""Numbers and points as files of annotations write them, checked."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np

from distortion_graph.base.errors import RegionError
from distortion_graph.regions.polygons import Ring

_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_BETWEEN = str.maketrans("", "", " \t\r\n,;")


def points_of(value: Any, what: str) -> Ring:
    """(n, 2) float64 of a list of [x, y], at least one; further coordinates are left out.

    Raises RegionError, its line beginning with `what`.
    """
    try:
        array = np.array(value)
    except ValueError:  # lists of unequal length
        array = np.zeros(0)
    usable = array.ndim == 2 and array.shape[1] >= 2 and array.dtype.kind in "iuf"
    if not usable or not np.isfinite(array).all():
        raise RegionError(f"{what}: its points must be [[x1, y1], [x2, y2], …] in numbers")
    return np.ascontiguousarray(array[:, :2], np.float64)


def points_in(text: str | None, what: str) -> Ring:
    """(n, 2) float64 of a text such as "x1,y1 x2,y2" or "x1,y1;x2,y2".

    Raises RegionError, its line beginning with `what`.
    """
    numbers = numbers_in(text or "")
    if numbers is None or not numbers or len(numbers) % 2:
        raise RegionError(f"{what}: its points are {(text or '')!r:.60}, expected x1,y1 x2,y2 …")
    return np.array(numbers, np.float64).reshape(-1, 2)


def numbers_in(text: str) -> list[float] | None:
    """The finite numbers of a text, parted by spaces, commas, semicolons or signs.

    None of a text with anything else in it.
    """
    found: list[str] = _NUMBER.findall(text)
    if sum(map(len, found)) != len(text.translate(_BETWEEN)):
        return None
    values = list(map(float, found))
    return values if all(map(math.isfinite, values)) else None


def number(value: Any) -> float:
    """A finite number, or one that a text spells; raises ValueError."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"{value!r:.40} is no number")
    found = float(value)
    if not math.isfinite(found):
        raise ValueError(f"{found} is not finite")
    return found


def numbers(entry: Any, keys: tuple[str, ...], what: str) -> list[float]:
    """The numbers of an object or element under these keys; raises RegionError."""
    values = [entry.get(key) for key in keys]
    try:
        return [number(value) for value in values]
    except (OverflowError, ValueError) as e:
        raise RegionError(
            f"{what}: {', '.join(keys)} are {', '.join(map(str, values))}, expected numbers"
        ) from e
