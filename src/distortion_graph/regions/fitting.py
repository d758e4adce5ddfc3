"""Masks and label pictures brought to the size at which a picture is shown.

A mask of the displayed size is taken as it is. One that fits only the size in which the file
stores the picture is turned as the picture's EXIF orientation asks. Any other size is an error.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import ImageError, RegionError
from distortion_graph.base.files import HeldFile
from distortion_graph.masks.rle import Rle, rle_from_mask
from distortion_graph.pictures.decoders import decode_strictly
from distortion_graph.pictures.images import Picture, open_picture_file, orient

_GREY_PNG = 0
_MODE_WORDS = {
    "RGBA": "RGBA (4 channels of 8 bits, the last one transparency)",
    "LA": "grey with transparency (2 channels of 8 bits)",
    "PA": "a palette with transparency",
    "F": "floating-point numbers (1 channel of 32 bits)",
    "CMYK": "CMYK (4 channels of 8 bits)",
}
_LOSSLESS = ("PNG", "TIFF", "BMP", "GIF")


class Frame(NamedTuple):
    """How a picture lies: (h, w) as displayed and as stored, and its EXIF orientation."""

    size: tuple[int, int]
    stored_size: tuple[int, int]
    orientation: int

    @classmethod
    def of(cls, picture: Picture) -> Frame:
        """The frame of a picture."""
        return cls(picture.size, picture.stored_size, picture.orientation)


def turns(size: tuple[int, ...], picture: Picture | Frame, what: str) -> bool:
    """Whether a mask of `size` (h, w) has to be turned to lie on the picture.

    Raises RegionError, its line beginning with `what`, when it fits neither size.
    """
    if size == picture.size:
        return False
    if size == picture.stored_size:
        return True
    raise RegionError(
        f"{what}: found {size[1]}×{size[0]} pixels (width × height), expected the picture's "
        f"{picture.size[1]}×{picture.size[0]}"
    )


def fit_map(array: NDArray[Any], picture: Picture | Frame, what: str) -> NDArray[Any]:
    """An (H, W, …) map laid on the picture."""
    turned = turns(array.shape[:2], picture, what)
    return orient(array, picture.orientation) if turned else array


def fit_rle(rle: Rle, picture: Picture | Frame, what: str) -> Rle:
    """A run-length mask laid on the picture."""
    if not turns(rle.size, picture, what):
        return rle
    return rle_from_mask(orient(rle.decode(), picture.orientation))


def read_label_picture(path: Path | HeldFile, picture: Picture | Frame) -> NDArray[Any]:
    """The stored numbers of a lossless label picture, laid on `picture`.

    (H, W) integers for one channel (palette pictures by index, 1 to 16 bits, never rescaled),
    (H, W, 3) uint8 for RGB. Raises RegionError, one line, for everything else.
    """
    label = str(path)
    try:
        opened = open_picture_file(path, label)
        if opened.kind not in _LOSSLESS:
            raise RegionError(
                f"{label}: found {opened.kind}, which blurs label numbers; expected a PNG"
            )
        image = opened.image
        # From the header: a label picture of another size is refused before it is decoded.
        turned = turns((image.height, image.width), picture, label)
        _check_mode(image.mode, label)
        values = decode_strictly(opened, label).numbers()
    except ImageError as e:
        raise RegionError(str(e)) from e
    if values.dtype == np.bool_:
        values = values.astype(np.uint8)
    if opened.kind == "PNG" and opened.data[25] == _GREY_PNG and opened.data[24] in (2, 4):
        # Readers spread few bits over 0…255; the label is the number that was stored.
        values = values // (255 // (2 ** opened.data[24] - 1))
    return orient(values, picture.orientation) if turned else values


def _check_mode(mode: str, label: str) -> None:
    if mode in ("1", "L", "P", "I", "RGB") or mode.startswith("I;16"):
        return
    what = _MODE_WORDS.get(mode, f"pixels of Pillow's mode {mode}")
    raise RegionError(
        f"{label}: found {what}, expected one channel of label numbers (8 or 16 bits, or a "
        "palette), or COCO panoptic's RGB of 8 bits; save it again as one of these"
    )
