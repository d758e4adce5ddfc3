"""A picture turned by a quarter of a circle, for files that do not say how they are to be seen."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, TypeAlias, get_args

import numpy as np

from distortion_graph.base.errors import ImageError
from distortion_graph.pictures.images import Picture

Turn: TypeAlias = Literal[0, 90, 180, 270]
"""Degrees clockwise."""

TURNS: tuple[Turn, ...] = get_args(Turn)


def turned(picture: Picture, degrees: Turn) -> Picture:
    """The picture turned clockwise, as it would be shown with another EXIF orientation.

    `Picture.turned` counts all turns together. Raises ImageError for other angles.
    """
    if degrees not in TURNS:
        raise ImageError(f"rotate is {degrees}, expected one of {', '.join(map(str, TURNS))}")
    if degrees == 0:
        return picture
    quarters = -degrees // 90
    rgb = np.ascontiguousarray(np.rot90(picture.rgb, quarters))
    alpha = picture.alpha
    if alpha is not None:
        alpha = np.ascontiguousarray(np.rot90(alpha, quarters))
        alpha.setflags(write=False)
    rgb.setflags(write=False)
    return replace(
        picture,
        rgb=rgb,
        alpha=alpha,
        stored_size=rgb.shape[:2],
        orientation=1,
        plain=False,  # browsers would show the file's own pixels, which lie otherwise
        turned=(picture.turned + degrees) % 360,
    )
