"""The pixels of places that a policy names, on the pictures of a pair."""

from __future__ import annotations

from fnmatch import fnmatchcase

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import ImageError, PolicyError
from distortion_graph.batch.storage import picture_source
from distortion_graph.gate.policy import Places
from distortion_graph.masks.boxes import Box
from distortion_graph.masks.container import RegionSet
from distortion_graph.pictures.images import Picture, load_picture

Bools = NDArray[np.bool_]


def pixels_of(places: Places, anchor: Picture, regions: RegionSet | None, key: str) -> Bools:
    """(H, W): the pixels of the anchor that lie in one of the places.

    `regions` are needed where the places name some. Raises PolicyError, a line that names the
    policy's `key`, for a box outside the picture, a mask of another size, and a name that no region
    has.
    """
    inside = np.zeros(anchor.size, np.bool_)
    for numbers in places.boxes:
        box = Box(*numbers).clipped(anchor.size)
        if box.empty:
            raise PolicyError(
                f"{key}.boxes: {list(numbers)} has no pixel of {anchor.source or 'the anchor'}, "
                f"which is {anchor.width}×{anchor.height}, expected x, y, width, height inside it"
            )
        inside[box.area] = True
    for name in places.masks:
        inside |= _mask(name, anchor, key)
    for name in places.regions:
        named = _named(name, regions, key)
        inside[: named.shape[0], : named.shape[1]] |= named
    return inside


def _mask(name: str, anchor: Picture, key: str) -> Bools:
    try:
        mask = load_picture(picture_source(name), name=name)
    except ImageError as error:
        raise PolicyError(f"{key}.masks: {error}") from error
    if mask.size != anchor.size:
        raise PolicyError(
            f"{key}.masks: {name} is {mask.width}×{mask.height}, expected "
            f"{anchor.width}×{anchor.height} as {anchor.source or 'the anchor'}"
        )
    return np.asarray(mask.rgb.any(2), np.bool_)


def _named(name: str, regions: RegionSet | None, key: str) -> Bools:
    if regions is None:
        raise PolicyError(
            f"{key}.regions: {name!r} names a region, but these are found in the pictures, "
            "expected compare.regions with names, such as a file of regions"
        )
    chosen = [k for k, own in enumerate(regions.names) if fnmatchcase(own, name)]
    if not chosen:
        known = ", ".join(regions.names[:8]) + ", …" * (len(regions) > 8)
        raise PolicyError(f"{key}.regions: no region is called {name!r}, expected one of {known}")
    inside = np.zeros(regions.size, np.bool_)
    for k in chosen:
        inside |= regions.mask(k)
    return inside
