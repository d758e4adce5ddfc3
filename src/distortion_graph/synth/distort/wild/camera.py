"""What a camera does after the light has fallen: fine grain, and a JPEG file."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from distortion_graph.synth.distort.common import Image
from distortion_graph.synth.distort.compression import Subsampling, jpeg_saved
from distortion_graph.synth.distort.light import Values, rounded

_SUBSAMPLINGS: tuple[Subsampling, ...] = ("444", "422", "420")


def saved(
    grey: NDArray[np.floating],
    rng: np.random.Generator,
    *,
    share: float = 0.4,
    lowest: int = 80,
) -> Image:
    """Grey levels rounded to 8 bits; `share` of them as JPEG of quality `lowest` to 97."""
    image = rounded(grey.astype(np.float32))
    if rng.random() >= share:
        return image
    quality = int(rng.integers(lowest, 98))
    return jpeg_saved(image, quality, _SUBSAMPLINGS[int(rng.choice(3, p=(0.35, 0.15, 0.5)))])


def finished(grey: Values, rng: np.random.Generator) -> Image:
    """A picture as it leaves a camera: often with grain of up to 1.5 grey levels, often JPEG."""
    if rng.random() < 0.4:
        grain = rng.standard_normal(grey.shape[:2], dtype=np.float32)
        grain *= np.float32(rng.uniform(0.3, 1.5))
        grey = grey + grain[..., None]
    return saved(grey, rng, share=0.4, lowest=82)
