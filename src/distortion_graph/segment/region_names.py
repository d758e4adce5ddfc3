"""Names of regions that were found by what is wrong in them: what it is, and where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from distortion_graph.masks.container import RegionSet

_MOST = 0.5
"""A region of more than this share of the picture is most of it."""

_SIDE = 0.4
"""A region whose middle lies in the first or last so much of a side lies on that side."""

_SPANS = 2 / 3
"""A region that is not in the middle of what it spans, and spans so much both ways, is around."""


def region_names(
    regions: RegionSet, words: Sequence[tuple[str, str]], clean: str
) -> tuple[str, ...]:
    """Names such as `noise, left`, one for each of R regions.

    `words` are what is wrong with a region in the anchor and in the target. A name has both, in
    alphabetical order, so that it is the same in either order of the pictures, and `clean` only
    where both are. Equal names are numbered: `noise, left 2`.
    """
    plain = [f"{_wrong(both, clean)}, {_place(regions.mask(k))}" for k, both in enumerate(words)]
    seen: Counter[str] = Counter()
    names = []
    for name in plain:
        seen[name] += 1
        names.append(name if seen[name] == 1 else f"{name} {seen[name]}")
    return tuple(names)


def _wrong(both: tuple[str, str], clean: str) -> str:
    return " and ".join(sorted({word for word in both if word != clean})) or clean


def _place(mask: NDArray[np.bool_]) -> str:
    """Where the pixels of a mask lie in the picture."""
    share = np.count_nonzero(mask) / mask.size
    if share == 1:
        return "whole picture"
    if share > _MOST:
        return "most of the picture"
    rows, columns = np.nonzero(mask)
    down = _on_side(rows, mask.shape[0], ("top", "bottom"))
    across = _on_side(columns, mask.shape[1], ("left", "right"))
    if down or across:
        return " ".join(filter(None, (down, across)))
    spans = [np.ptp(places) + 1 for places in (rows, columns)]
    wide = all(span > _SPANS * n for span, n in zip(spans, mask.shape, strict=True))
    return "around the centre" if wide else "centre"


def _on_side(places: NDArray[np.intp], length: int, sides: tuple[str, str]) -> str:
    """One of two sides, or neither."""
    middle = (float(places.mean()) + 0.5) / length
    return sides[0] if middle < _SIDE else sides[1] if middle > 1 - _SIDE else ""
