"""How many pairs per second a machine compares when there are many of them.

    python benchmarks/batch_throughput.py [--pairs N] [--workers N] [--repeats N]

Pairs of 481×321 pixels with 10 regions, pixels and masks in memory. Every worker is a thread with
one thread of ONNX Runtime and none of OpenCV, so pairs run side by side and not parts of one pair.
Rows: without evidence, with what `fast` measures, with all of it. Medians over repeats; say how
many cores there were.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
from skimage import data as pictures

from distortion_graph.masks.container import RegionSet
from distortion_graph.measure.evidence import Level
from distortion_graph.pictures.images import Picture, load_picture
from distortion_graph.pipeline import compare_pictures
from distortion_graph.predict.session import Model
from distortion_graph.synth.pairs import make_pair

SIZE = (321, 481)
PHOTOGRAPHS = ("coffee", "astronaut", "chelsea", "rocket")
LEVELS: tuple[Level, ...] = ("none", "fast", "all")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=40)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    model = Model.load(threads=1)
    regions = RegionSet.grid(SIZE, 2, 5)
    pairs = [made(k, regions) for k in range(options.pairs)]
    print(f"{options.workers} workers, {os.cpu_count()} cores, {options.pairs} pairs")
    for level in LEVELS:

        def compare(pair: tuple[Picture, Picture], level: Level = level) -> None:
            compare_pictures(*pair, regions=regions, model=model, evidence=level)

        compare(pairs[0])
        rates = []
        for _ in range(options.repeats):
            start = time.perf_counter()
            with ThreadPoolExecutor(options.workers) as pool:
                list(pool.map(compare, pairs))
            rates.append(options.pairs / (time.perf_counter() - start))
        print(f"evidence {level:5s} {statistics.median(rates):6.1f} pairs/s")


def made(number: int, regions: RegionSet) -> tuple[Picture, Picture]:
    """One hard pair of a photograph that comes with scikit-image."""
    name = PHOTOGRAPHS[number % len(PHOTOGRAPHS)]
    clean = cv2.resize(getattr(pictures, name)(), SIZE[::-1], interpolation=cv2.INTER_AREA)
    pair = make_pair(np.asarray(clean), regions, tag=name, seed=number)
    return load_picture(pair.anchor.image), load_picture(pair.target.image)


if __name__ == "__main__":
    main()
