"""How well two sets of masks of one scene are matched, the second moved and drawn less exactly.

    python benchmarks/region_matching.py bsds500/val

Each label map is seen a second time through a known similarity, with its borders pushed about by
smooth noise of 0, 2, 4 or 8 pixels, as by another hand. Names are none, one for each region, or
three for all. Prints, by roughness and names, how many of the pairs are right, and how many of the
regions that both pictures show with 100 pixels or more were paired with their own.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from distortion_graph.masks.container import Region, RegionSet, default_name
from distortion_graph.pictures.align import Alignment
from distortion_graph.regions.matched import match_regions
from distortion_graph.synth.keys import generator

LEAST_PX = 100
NAMES: dict[str, Callable[[int], str]] = {
    "none": default_name,
    "own": lambda number: f"thing {number}",
    "three": lambda number: f"thing {number % 3}",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="a folder with label maps in `regions`")
    parser.add_argument("--pictures", type=int, default=100)
    options = parser.parse_args()
    files = sorted((options.folder / "regions").glob("*_0.png"))[: options.pictures]
    print(f"{len(files)} label maps\nroughness_px names pairs right found")
    for rough in (0, 2, 4, 8):
        couples = [_couple(file, rough) for file in files]
        for names, name in NAMES.items():
            counts = np.sum([_judged(*couple, name) for couple in couples], axis=0)
            pairs, right, there, found = counts.tolist()
            print(f"{rough:12} {names:5} {pairs:5} {right / pairs:.4f} {found / there:.4f}")


def _couple(file: Path, rough: int) -> tuple[RegionSet, RegionSet, Alignment]:
    labels = np.asarray(Image.open(file)).astype(np.int32)
    labels += labels.min() == 0
    size = labels.shape[0], labels.shape[1]
    rng = generator("region matching", file.stem, rough)
    matrix = _similarity(rng)
    inverse = np.asarray(np.linalg.inv(matrix), np.float64)
    alignment = Alignment("similarity", matrix, inverse, size, size, 0.1, 1.0, 1.0)
    y, x = np.mgrid[: size[0], : size[1]] + 0.5
    x, y = (axis + rough * _smooth(size, rng) for axis in (x, y))
    places = [matrix[row, 0] * x + matrix[row, 1] * y + matrix[row, 2] for row in (0, 1)]
    column, line = ((axis - 0.5).astype(np.float32) for axis in places)
    seen = cv2.remap(labels.astype(np.float32), column, line, cv2.INTER_NEAREST, borderValue=0)
    target = RegionSet.from_label_map(seen.astype(np.int32))
    return RegionSet.from_label_map(labels), target, alignment


def _similarity(rng: np.random.Generator) -> NDArray[np.float64]:
    angle, scale = math.radians(rng.uniform(-4, 4)), rng.uniform(0.9, 1.1)
    c, s = scale * math.cos(angle), scale * math.sin(angle)
    return np.array([[c, -s, rng.uniform(-20, 20)], [s, c, rng.uniform(-20, 20)], [0, 0, 1]])


def _smooth(size: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float64]:
    """Noise of deviation 1 that changes over some 6 pixels."""
    noise = cv2.GaussianBlur(rng.standard_normal(size), (0, 0), 6)
    return np.asarray(noise / noise.std())


def _judged(
    anchor: RegionSet, target: RegionSet, alignment: Alignment, name: Callable[[int], str]
) -> tuple[int, int, int, int]:
    """Pairs, those that are right, regions that both show, and those that were found."""
    mine, others = (
        RegionSet(some.size, tuple(Region(r.id, name(r.id), r.rle) for r in some))
        for some in (anchor, target)
    )
    pairs = match_regions(mine, others, alignment).pairs
    right = {pair.anchor for pair in pairs if pair.anchor == pair.target}
    sizes = dict(zip(target.ids, target.areas().tolist(), strict=True))
    there = {number for number in anchor.ids if sizes.get(number, 0) >= LEAST_PX}
    return len(pairs), len(right), len(there), len(right & there)


if __name__ == "__main__":
    main()
