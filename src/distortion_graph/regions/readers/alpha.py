"""The region that a picture's transparency cuts out."""

from __future__ import annotations

from pathlib import Path

from distortion_graph.base.errors import ImageError, RegionError
from distortion_graph.masks.container import Region, RegionSet
from distortion_graph.masks.rle import rle_from_mask
from distortion_graph.pictures.images import Picture, load_picture
from distortion_graph.regions.fitting import fit_map
from distortion_graph.regions.readers.png_masks import OPAQUE
from distortion_graph.regions.shapes import EMPTY


def regions_from_alpha(path: Path, picture: Picture) -> RegionSet:
    """One region, id 0, named "opaque": where a picture of any kind is opaque by half or more.

    Raises RegionError: no picture, one of another size, one without transparency, or nothing
    opaque.
    """
    try:
        found = load_picture(path)
    except ImageError as e:
        raise RegionError(str(e)) from e
    if found.alpha is None:
        raise RegionError(
            f"{path}: every pixel is opaque, expected a picture with transparency; for all of the "
            "picture say whole"
        )
    mask = fit_map(found.alpha, picture, str(path)) >= OPAQUE
    if not mask.any():
        raise RegionError(f"{path}: {EMPTY} that is opaque by half or more")
    return RegionSet(picture.size, (Region(0, "opaque", rle_from_mask(mask)),))
