"""What transparent pixels are laid on: a colour or a checkerboard."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from distortion_graph.errors import ImageError

CHECKER = "checker"
CHECKER_SIDE_PX = 8
_CHECKER_GREYS = (255, 204)
DEFAULT_BACKGROUND = "white"


def check_background(background: str) -> str:
    """The background's name in small letters; raises ImageError where there is no such colour."""
    name = background.strip().lower()
    if name not in (CHECKER, DEFAULT_BACKGROUND):
        _colour(name)
    return name


def lay_on(rgb: NDArray[np.uint8], alpha: NDArray[np.uint8], background: str) -> NDArray[np.uint8]:
    """(H, W, 3) pixels with (H, W) alpha, 255 = opaque, laid on a background; sRGB throughout.

    A checkerboard has squares of 8 px, white at the top left, then light grey.
    """
    if background == CHECKER:
        below = _checkerboard(alpha.shape)[..., None].astype(np.uint32)
    else:
        below = np.array(_colour(background), np.uint32)
    a = alpha.astype(np.uint32)[..., None]
    return ((rgb * a + below * (255 - a) + 127) // 255).astype(np.uint8)


def background_words(background: str) -> str:
    """How a sentence names a background: `white`, `#ff0000`, `a checkerboard`."""
    return "a checkerboard" if background == CHECKER else background


def _checkerboard(size: tuple[int, ...]) -> NDArray[np.uint8]:
    rows, columns = (np.arange(n) // CHECKER_SIDE_PX for n in size)
    return np.where((rows[:, None] + columns) % 2, _CHECKER_GREYS[1], _CHECKER_GREYS[0]).astype(
        np.uint8
    )


def _colour(name: str) -> tuple[int, int, int]:
    from PIL import ImageColor

    try:
        red, green, blue = ImageColor.getrgb(name)[:3]
        opaque = len(ImageColor.getrgb(name)) == 3
    except ValueError:
        opaque = False
    if not opaque:
        raise ImageError(
            f"background {name!r}: not a colour without transparency, expected a CSS name such as "
            f"white, #rrggbb, or {CHECKER}"
        )
    return red, green, blue
