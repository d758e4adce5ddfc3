"""How long `dataset check` takes for a data set of 10,000 picture files, and how much memory.

    python benchmarks/check_speed.py                  # PNG, as dataset build writes them
    python benchmarks/check_speed.py --format jpg --files 10000 --workers 2

The root is made of 481×321 pictures with 8 regions in all 16 versions. Clean pictures differ,
degraded ones are copies of a few dozen: every file is read and decoded all the same. Quote CPU
seconds beside wall seconds where something else runs on the machine.
"""

from __future__ import annotations

import argparse
import io
import os
import resource
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY
from distortion_graph.datasets.check import check_dataset
from distortion_graph.datasets.info import dataset_info
from distortion_graph.datasets.layout import SPLITS, stats_path, version_names
from distortion_graph.datasets.stats import PictureRecord, RegionRecord
from distortion_graph.datasets.stats_writer import StatsWriter
from distortion_graph.masks.container import RegionSet
from distortion_graph.synth.synthesis import MIXED

SIZE, REGIONS, POOL = (321, 481), 8, 32
SHARES = (0.8, 0.1, 0.1)
VERSIONS = version_names(DEFAULT_VOCABULARY)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--format", choices=["png", "jpg"], default="png")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "root"
        count = -(-options.files // (1 + len(VERSIONS)))
        make_root(root, count, options.format)
        size = sum(p.stat().st_size for p in root.rglob("*") if p.is_file())
        print(f"{count * (1 + len(VERSIONS))} files, {count} pictures, {size / 1e6:.0f} MB")
        for name, quick in (("every pixel", False), ("--quick", True)):
            start, before = time.perf_counter(), cpu_seconds()
            report = check_dataset(root, quick=quick, workers=options.workers)
            seconds, cpu = time.perf_counter() - start, cpu_seconds() - before
            found = f"{report.faults} faults, {report.warnings} warnings"
            rate = f"{report.files / seconds:.0f} files/s"
            print(f"check, {name}: {seconds:.1f} s, {cpu:.1f} CPU s, {rate}; {found}")
        start = time.perf_counter()
        dataset_info(root)
        print(f"info: {time.perf_counter() - start:.1f} s")
    own, children = (
        resource.getrusage(who).ru_maxrss / 1024
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    print(f"peak memory: {own:.0f} MB, largest worker {children:.0f} MB")


def cpu_seconds() -> float:
    """Of this process and of its workers that have ended."""
    usages = [resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def make_root(root: Path, count: int, suffix: str) -> None:
    rng = np.random.default_rng(0)
    degraded = [encoded(picture(rng), suffix) for _ in range(POOL)]
    layouts = [RegionSet.from_masks(patches(rng)) for _ in range(POOL)]
    bounds = np.cumsum([0, *(np.array(SHARES) * count).astype(int)])
    bounds[-1] = count
    for split, first, last in zip(SPLITS, bounds, bounds[1:], strict=False):
        for folder in ("gt", *VERSIONS):
            (root / folder / split).mkdir(parents=True)
            for k in range(first, last):
                path = root / folder / split / f"{k:06d}.{suffix}"
                if folder == "gt":
                    path.write_bytes(encoded(picture(rng), suffix))
                else:
                    path.write_bytes(degraded[int(rng.integers(POOL))])
        (root / "stats").mkdir(exist_ok=True)
        for version in VERSIONS:
            with StatsWriter(stats_path(root, split, version), root) as writer:
                for k in range(first, last):
                    tag = f"{k:06d}.{suffix}"
                    writer.add(tag, record(version, layouts[k % POOL], rng))
                writer.finish()
    (root / "depth").mkdir()


def picture(rng: np.random.Generator) -> NDArray[np.uint8]:
    """Smooth shapes with texture, about as hard to compress as a photograph."""
    height, width = SIZE
    coarse = rng.integers(0, 256, (height // 40 + 2, width // 40 + 2, 3)).astype(np.float32)
    smooth = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    noise = rng.standard_normal((height, width, 1), dtype=np.float32) * 6
    return np.asarray(np.clip(np.rint(smooth + noise), 0, 255), np.uint8)


def patches(rng: np.random.Generator) -> NDArray[np.bool_]:
    """(R, h, w) disjoint regions that cover the picture: cells of random points, edges frayed."""
    height, width = SIZE
    points = rng.random((REGIONS, 2)) * (height, width)
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    fray = cv2.resize(rng.random((40, 60)).astype(np.float32), (width, height)) * 4000
    away = [
        (rows - y) ** 2 + (columns - x) ** 2 + fray * (k % 2) for k, (y, x) in enumerate(points)
    ]
    owner = np.argmin(np.stack(away), 0)
    return np.stack([owner == k for k in range(REGIONS)])


def record(version: str, regions: RegionSet, rng: np.random.Generator) -> PictureRecord:
    types = [label for label in VERSIONS if label not in MIXED]
    boxes = regions.boxes_xywh().tolist()
    return PictureRecord(
        float(rng.random()),
        (),
        tuple(
            RegionRecord(
                name=region.name,
                severity=int(rng.integers(1, 4)),
                degradation=types[int(rng.integers(len(types)))] if version in MIXED else version,
                score=float(rng.random()),
                bbox_xywh_px=(x, y, w, h),
                mask=region.rle,
            )
            for region, (x, y, w, h) in zip(regions, boxes, strict=True)
        ),
    )


def encoded(rgb: NDArray[np.uint8], suffix: str) -> bytes:
    buffer = io.BytesIO()
    if suffix == "jpg":
        Image.fromarray(rgb).save(buffer, "JPEG", quality=92)
    else:
        Image.fromarray(rgb).save(buffer, "PNG")
    return buffer.getvalue()


if __name__ == "__main__":
    main()
