"""What happens to pictures and masks on their way to a user, so that training sees it too.

None of it changes what is true of a region: the labels stay those of the synthesis.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage


def recompressed(
    images: Sequence[NDArray[np.uint8]], rng: np.random.Generator
) -> list[NDArray[np.uint8]]:
    """The whole (H, W, 3) pictures, or a random one of them, saved as good JPEGs and read back.

    Quality 88 to 96, in a third of the cases 75 to 87, the same for all, as a service does that
    keeps what it is given.
    """
    lowest, highest = (75, 88) if rng.random() < 1 / 3 else (88, 97)
    quality, subsampling = int(rng.integers(lowest, highest)), int(rng.choice((0, 2)))
    chosen = range(len(images)) if rng.random() < 0.7 else [int(rng.integers(len(images)))]
    return [
        _jpeg(image, quality, subsampling) if i in chosen else image
        for i, image in enumerate(images)
    ]


def _jpeg(image: NDArray[np.uint8], quality: int, subsampling: int) -> NDArray[np.uint8]:
    buffer = io.BytesIO()
    PillowImage.fromarray(image).save(buffer, "JPEG", quality=quality, subsampling=subsampling)
    with PillowImage.open(buffer) as decoded:
        return np.asarray(decoded.convert("RGB"))


def resized(
    image: NDArray[np.uint8], side: int, interpolation: int = cv2.INTER_AREA
) -> NDArray[np.uint8]:
    """A square picture scaled to `side` pixels."""
    return np.asarray(cv2.resize(image, (side, side), interpolation=interpolation), np.uint8)


def resized_masks(masks: NDArray[np.bool_], side: int) -> NDArray[np.bool_]:
    """(R, n, n) masks scaled to (R, side, side) by the nearest pixel."""
    return np.stack(
        [
            cv2.resize(m.view(np.uint8), (side, side), interpolation=cv2.INTER_NEAREST_EXACT)
            for m in masks
        ]
    ).view(bool)


def loosened(masks: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.bool_]:
    """(R, H, W) masks moved, grown or shrunk by up to 4 pixels, all alike; none becomes empty."""
    if rng.random() < 0.5:
        dy, dx = rng.integers(-4, 5, 2).tolist()
        height, width = masks.shape[1:]
        rows = np.clip(np.arange(height) - dy, 0, height - 1)
        columns = np.clip(np.arange(width) - dx, 0, width - 1)
        changed = masks[:, rows[:, None], columns]
    else:
        reach = int(rng.integers(1, 5))
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1,) * 2)
        # Grown masks take in some of their neighbours and are the harder ones.
        work = cv2.dilate if rng.random() < 0.7 else cv2.erode
        changed = np.stack([work(m.view(np.uint8), disc) for m in masks]).view(bool)
    gone = ~changed.any(axis=(1, 2))
    changed[gone] = masks[gone]
    return changed
