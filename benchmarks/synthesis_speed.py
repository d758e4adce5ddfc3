"""Time to degrade, score and encode the 16 versions of a picture, in one process.

    python benchmarks/synthesis_speed.py                    # a picture of 481×321, 9 regions
    python benchmarks/synthesis_speed.py FOLDER             # FOLDER/images and FOLDER/regions
    python benchmarks/synthesis_speed.py FOLDER --pictures 40 --feather 2 --threads 1

The label map of a picture of FOLDER is chosen as docs/benchmark.md says. Prints milliseconds of
processor time a version, as the mean over the pictures, and how long the whole took.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np

from distortion_graph.base.files import encode_image
from distortion_graph.bench.protocol import BenchPicture, bench_picture
from distortion_graph.datasets.pictures import find_pictures, load_with_maps
from distortion_graph.synth.synthesis import MIXED, Recipe, make_versions

HEIGHT, WIDTH, REGIONS = 321, 481, 9


def made_up_picture() -> BenchPicture:
    """A photo of scikit-image, and regions of irregular outline: cells of random points."""
    from skimage import data

    photo = np.asarray(data.astronaut(), np.uint8)[96:438]
    rgb = np.asarray(cv2.resize(photo, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA), np.uint8)
    points = np.random.default_rng(1).random((REGIONS, 2)) * (HEIGHT, WIDTH)
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    distances = [(rows - y) ** 2 + (columns - x) ** 2 for y, x in points]
    cells = np.argmin(distances, axis=0)
    masks = cells[None] == np.arange(REGIONS)[:, None, None]
    return BenchPicture("astronaut", rgb, masks, tuple(range(REGIONS)))


def pictures_of(folder: Path | None, count: int) -> list[BenchPicture]:
    if folder is None:
        return [made_up_picture()] * min(count, 4)
    found = find_pictures(folder / "images")
    chosen = found[:: max(1, len(found) // count)][:count]
    return [bench_picture(load_with_maps(path, folder / "regions")) for path in chosen]


class Clock:
    """Processor time by name."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def named(self, name: str) -> Iterator[None]:
        """Add what is done inside to a name's time."""
        start = time.process_time()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.process_time() - start


def measure(pictures: list[BenchPicture], recipe: Recipe, clock: Clock) -> int:
    """Make all versions of all pictures; the number of bytes of their files."""
    names = (*recipe.types, *MIXED)
    size = 0
    for picture in pictures:
        versions = make_versions(
            picture.rgb,
            picture.masks,
            picture.region_ids,
            names,
            tag=picture.tag,
            seed=0,
            recipe=recipe,
        )
        for name in names:
            with clock.named(name):
                version = next(versions)
            with clock.named("encode"):
                size += len(encode_image("version.png", version.image, fast=True))
    return size


def report(
    pictures: list[BenchPicture], recipe: Recipe, clock: Clock, wall: float, size: int
) -> None:
    count = len(pictures)
    height, width = pictures[0].rgb.shape[:2]
    regions = sum(len(p.masks) for p in pictures) / count
    print(f"{count} pictures, the first {width}×{height}, {regions:.1f} regions each")
    versions = len(recipe.types) + len(MIXED)
    for name, seconds in clock.seconds.items():
        note = f"  all {versions}, PNG" if name == "encode" else ""
        print(f"  {name:14s} {1000 * seconds / count:7.1f} ms{note}")
    total = sum(clock.seconds.values()) / count
    made = versions * count
    print(f"  {versions} versions    {1000 * total:7.1f} ms of one core, {wall / count:.3f} s wall")
    print(f"  {made / wall:.1f} images/s, {size / made / 1000:.0f} kB each")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", nargs="?", type=Path, help="holds images/ and regions/")
    parser.add_argument("--pictures", type=int, default=16, help="how many of them, spread evenly")
    parser.add_argument("--feather", type=float, default=0.0, metavar="PX")
    parser.add_argument("--threads", type=int, help="OpenCV's number of threads")
    options = parser.parse_args()
    if options.threads is not None:
        cv2.setNumThreads(options.threads)
    recipe = Recipe(feather_px=options.feather)
    pictures = pictures_of(options.folder, options.pictures)
    measure(pictures[:1], recipe, Clock())  # libraries load and caches fill
    clock = Clock()
    start = time.perf_counter()
    size = measure(pictures, recipe, clock)
    wall = time.perf_counter() - start
    report(pictures, recipe, clock, wall, size)


if __name__ == "__main__":
    main()
