"""Small pictures to rank: a scene, and versions of it that are known to be worse and worse."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIZE = 96, 128


def scene(size: tuple[int, int] = SIZE, seed: int = 5) -> NDArray[np.uint8]:
    """Edges, ramps and texture, (h, w, 3)."""
    rng = np.random.default_rng(seed)
    h, w = size
    blocks = np.kron(rng.integers(30, 226, (h // 16 + 1, w // 16 + 1, 3)), np.ones((16, 16, 1)))
    ramp = np.linspace(-20, 20, w)[None, :, None]
    texture = rng.normal(0, 6, (h, w, 1))
    return np.clip(blocks[:h, :w] + ramp + texture, 0, 255).astype(np.uint8)


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
