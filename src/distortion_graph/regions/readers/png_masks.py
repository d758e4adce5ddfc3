"""Masks that annotation files hold as PNGs in base64."""

from __future__ import annotations

import base64
import binascii

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import ImageError, RegionError
from distortion_graph.pictures.decoders import decode_strictly, open_header

OPAQUE = 128
"""From here, of 255, a pixel counts as opaque: by half or more."""


def mask_of_png(text: str, largest: tuple[int, int], what: str) -> NDArray[np.bool_]:
    """(h, w) bool of a PNG in base64: where it is opaque, or, without transparency, not 0.

    `largest` (h, w) bounds its pixels. Raises RegionError, its line beginning with `what`.
    """
    try:
        opened = open_header(base64.b64decode(text), what, largest[0] * largest[1])
        values = decode_strictly(opened, what).numbers()
    except (binascii.Error, ImageError, ValueError) as e:
        raise RegionError(f"{what}: its mask cannot be read ({e}), expected a PNG") from e
    if values.ndim == 2:
        return np.asarray(values != 0, np.bool_)
    if values.shape[2] in (2, 4):
        return np.asarray(values[..., -1] >= OPAQUE, np.bool_)
    raise RegionError(f"{what}: its mask is in colour, expected one channel, or transparency")
