"""How many samples per second a data-set root gives: pictures decoded, masks and labels included.

    python benchmarks/read_speed.py [--root ROOT --split SPLIT] [--pictures N] [--seconds S]

Without `--root` a root of JPEGs is made for the purpose, 481×321 with 8 regions per picture and all
16 versions. One process reads; each row is the list of pairs in its own order, or shuffled.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage import data as photographs

from distortion_graph.base.files import encode_image
from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY as WORDS
from distortion_graph.datasets.layout import (
    CLEAN_FOLDER,
    INDEX_FILE,
    STATS_FOLDER,
    PairKey,
    picture_path,
    stats_path,
    version_names,
)
from distortion_graph.datasets.pair_lists import draw_lists, index_text
from distortion_graph.datasets.reader import PandaSet
from distortion_graph.datasets.stats import PictureRecord, RegionRecord
from distortion_graph.datasets.stats_writer import MaskTexts, StatsWriter
from distortion_graph.masks.container import RegionSet

SIZE = (321, 481)
REGIONS = 8
QUALITY = 95
PHOTOGRAPHS: Sequence[Callable[[], Any]] = (
    photographs.coffee,
    photographs.chelsea,
    photographs.astronaut,
)
PAIRS = ("hard", "easy", "medium", "all")
VERSIONS = version_names(WORDS)
AHEAD = 4


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--root", type=Path)
    parser.add_argument("--split", default="test")
    parser.add_argument("--pictures", type=int, default=60)
    parser.add_argument("--seconds", type=float, default=5.0, help="of reading, for each row")
    options = parser.parse_args()
    if options.root is not None:
        measure(options.root, options.split, options.seconds)
        return
    with tempfile.TemporaryDirectory() as folder:
        make_root(Path(folder), options.pictures)
        measure(Path(folder), "test", options.seconds)


def measure(root: Path, split: str, seconds: float) -> None:
    """Print rows for every kind of pairs: in order, shuffled, and shuffled with decoding ahead."""
    cv2.setNumThreads(1)
    started = time.perf_counter()
    opened = PandaSet(root)
    opening = time.perf_counter() - started
    for version in opened.versions(split):
        opened.record(split, version, opened.tags(split)[0])
    stats = time.perf_counter() - started - opening
    print(f"opened in {opening * 1000:.1f} ms, all stats of {split} read in {stats:.2f} s")
    print("pairs    order      ahead  samples  samples/s  of process time")
    for pairs in PAIRS:
        keys = opened.keys(split, pairs)
        mixed = [keys[k] for k in np.random.default_rng(0).permutation(len(keys))]
        for order, chosen, ahead in (
            ("in order", keys, 0), ("shuffled", mixed, 0), ("shuffled", mixed, AHEAD)
        ):  # fmt: skip
            # A reader with empty caches for each row; reading stats is not what is timed.
            data = PandaSet(root)
            for version in data.versions(split):
                data.tags(split), data.record(split, version, keys[0].tag)
            count, wall, used = read(data, split, chosen, seconds, ahead)
            rates = f"{count / wall:10.0f} {count / used:16.0f}"
            print(f"{pairs:8} {order:10} {ahead:5d} {count:8d} {rates}")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


def read(
    data: PandaSet, split: str, keys: Sequence[PairKey], seconds: float, ahead: int
) -> tuple[int, float, float]:
    """Samples read, over and over until the time is up; seconds of the clock and of the process."""
    wall, used, count = time.perf_counter(), time.process_time(), 0
    while time.perf_counter() - wall < seconds:
        for sample in data.samples(split, keys, ahead=ahead):
            shapes = sample.anchor.shape[:2], sample.target.shape[:2], sample.masks.shape[1:]
            assert len(set(shapes)) == 1 and len(sample.masks) == sample.labels.score.shape[1]
            count += 1
            if time.perf_counter() - wall >= seconds:
                break
    return count, time.perf_counter() - wall, time.process_time() - used


def make_root(root: Path, pictures: int) -> None:
    """A root in the published layout: crops of photographs, every version a slightly noisier one.

    Reading does not depend on what was done to the pixels.
    """
    (root / STATS_FOLDER).mkdir(parents=True)
    for folder in (CLEAN_FOLDER, *VERSIONS):
        (root / folder / "test").mkdir(parents=True)
    tags = [f"p{k:04d}.jpg" for k in range(pictures)]
    regions = {}
    for k, tag in enumerate(tags):
        rng = np.random.default_rng(k)
        clean = crop_of_photograph(rng)
        regions[tag] = wavy_regions(rng)
        for folder in (CLEAN_FOLDER, *VERSIONS):
            noise = rng.normal(0, 4, clean.shape) * (folder != CLEAN_FOLDER)
            rgb = np.clip(np.rint(clean + noise), 0, 255).astype(np.uint8)
            path = picture_path(root, folder, "test", tag)
            path.write_bytes(encode_image(path, rgb, quality=QUALITY))
    for version in VERSIONS:
        rng = np.random.default_rng(len(version))
        with StatsWriter(stats_path(root, "test", version), root / STATS_FOLDER) as writer:
            for tag in tags:
                writer.add(tag, record_of(version, regions[tag], rng), MaskTexts())
            writer.finish()
    types = [label for label in WORDS.distortions if label != WORDS.clean]
    (root / INDEX_FILE).write_text(index_text(draw_lists(tags, types, seed=0)), "utf-8")


def crop_of_photograph(rng: np.random.Generator) -> NDArray[np.uint8]:
    """(321, 481, 3): a random part of one of scikit-image's photographs."""
    rgb = np.asarray(PHOTOGRAPHS[int(rng.integers(len(PHOTOGRAPHS)))]())
    scale = max(SIZE[0] / rgb.shape[0], SIZE[1] / rgb.shape[1]) * float(rng.uniform(1.05, 1.5))
    rgb = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    top, left = (int(rng.integers(rgb.shape[i] - SIZE[i] + 1)) for i in range(2))
    return np.ascontiguousarray(rgb[top : top + SIZE[0], left : left + SIZE[1]], np.uint8)


def wavy_regions(rng: np.random.Generator) -> RegionSet:
    """Eight regions with uneven borders, as people draw them: a tiling with random waves."""
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    waves = [cv2.GaussianBlur(rng.normal(0, 1, SIZE), (0, 0), 6) * 60 for _ in range(2)]
    row = np.clip((y + waves[0]) * 2 // SIZE[0], 0, 1)
    column = np.clip((x + waves[1]) * 4 // SIZE[1], 0, 3)
    return RegionSet.from_label_map((row * 4 + column + 1).astype(np.int32))


def record_of(version: str, regions: RegionSet, rng: np.random.Generator) -> PictureRecord:
    """Random labels for the regions of a version."""
    types = [label for label in WORDS.distortions if label != WORDS.clean]
    records = [
        RegionRecord(
            name=region.name,
            severity=int(rng.integers(1, len(WORDS.severities))),
            degradation=version if version in types else str(rng.choice(types)),
            score=float(rng.random()),
            bbox_xywh_px=(int(box[0]), int(box[1]), int(box[2]), int(box[3])),
            mask=region.rle,
        )
        for region, box in zip(regions, regions.boxes_xywh().tolist(), strict=True)
    ]
    return PictureRecord(float(rng.random()), (), tuple(records))


if __name__ == "__main__":
    main()
