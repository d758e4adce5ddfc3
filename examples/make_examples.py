"""Make the example pair: one real photograph, spoilt differently by region in each picture.

    python examples/make_examples.py              # writes anchor.png and target.png beside this
    python examples/make_examples.py some/folder

The photograph ships with scikit-image; `regions.json` was drawn by hand on it. No distortion that
goes through a codec is used, so that the same picture comes out whatever codec is installed.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.files import save_png
from distortion_graph.pictures.images import load_picture
from distortion_graph.regions.sources import resolve_regions
from distortion_graph.synth.distort import apply
from distortion_graph.synth.keys import generator
from distortion_graph.synth.synthesis import paste

HERE = Path(__file__).parent
WIDTH_PX = 480
SEED = 1

Applied = tuple[str, str, int] | None
"""Distortion type, sub-type and level 1 … 5; None leaves the region clean."""

RECIPE: dict[str, tuple[Applied, Applied]] = {
    "table left": (("blur", "lens", 5), None),
    "table right": (None, ("rain", "streaks", 4)),
    "saucer": (("darken", "rgb_gamma", 3), ("snow", "flakes", 3)),
    "cup": (("oversharpen", "unsharp", 2), None),
    "cup inside": (("noise", "gaussian_rgb", 2), ("noise", "gaussian_rgb", 2)),
    "coffee": (None, ("saturate_dec", "ycrcb", 4)),
    "spoon": (None, ("pixelate", "block", 4)),
}
"""Region name → what happens to it in the anchor and in the target."""


def clean_picture() -> NDArray[np.uint8]:
    """The photograph as (H, 480, 3) RGB uint8."""
    from skimage.data import coffee

    rgb = coffee()
    height = round(rgb.shape[0] * WIDTH_PX / rgb.shape[1])
    return np.asarray(cv2.resize(rgb, (WIDTH_PX, height), interpolation=cv2.INTER_AREA), np.uint8)


def make_pair() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Anchor and target, each (H, 480, 3) RGB uint8; the same every time."""
    clean = clean_picture()
    picture = load_picture(clean)
    regions = resolve_regions(HERE / "regions.json", picture, picture)
    sides = []
    for side, name in enumerate(("anchor", "target")):
        image = clean.copy()
        for region, mask in zip(regions, regions.masks(), strict=True):
            applied = RECIPE[region.name][side]
            # A clean region is pasted too: along its edge it may share pixels with the one before.
            frame = clean
            if applied:
                frame = apply(clean, *applied, generator(SEED, name, region.name))
            image = paste(image, frame, mask)
        sides.append(image)
    return sides[0], sides[1]


def main() -> None:
    """Write the pair."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    for name, image in zip(("anchor", "target"), make_pair(), strict=True):
        save_png(folder / f"{name}.png", image)


if __name__ == "__main__":
    main()
