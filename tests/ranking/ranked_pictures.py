"""Small photographs to rank, and versions of one that are known to be worse and worse."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from skimage import data

SIZE = 96, 128


def scene(size: tuple[int, int] = SIZE, of: str = "coffee") -> NDArray[np.uint8]:
    """A photograph of scikit-image at this height and width, (h, w, 3)."""
    whole = getattr(data, of)()
    return np.asarray(cv2.resize(whole, size[::-1], interpolation=cv2.INTER_AREA), np.uint8)


def jpeg(rgb: NDArray[np.uint8], quality: int) -> bytes:
    """The bytes of a JPEG file."""
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def ladder(folder: Path, qualities: tuple[int, ...] = (5, 15, 40, 90)) -> Path:
    """A folder with original.png, and jpeg-q5.jpg and so on in encodes/."""
    (folder / "encodes").mkdir(parents=True)
    rgb = scene()
    Image.fromarray(rgb).save(folder / "original.png")
    for quality in qualities:
        (folder / "encodes" / f"jpeg-q{quality}.jpg").write_bytes(jpeg(rgb, quality))
    return folder
