"""Time and memory of the measured evidence, of further metrics and of the region scores.

    python benchmarks/evidence_speed.py                       # made-up pictures, 481×321 and 12 MP
    python benchmarks/evidence_speed.py a.png b.png           # your own pair
    python benchmarks/evidence_speed.py --threads 1 --repeats 50
    python benchmarks/evidence_speed.py --metrics flip vif

Prints the median and the best wall time in milliseconds, and the peak of the memory allocated
beyond the pictures and the masks.
"""

from __future__ import annotations

import argparse
import statistics
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from distortion_graph.measure.evidence import measure_evidence
from distortion_graph.measure.metrics.measuring import measure_metrics
from distortion_graph.measure.metrics.registry import BUILT_IN, map_metrics
from distortion_graph.measure.quality import region_scores
from distortion_graph.pictures.images import load_picture
from distortion_graph.work.threads import thread_budget

Rgb = NDArray[np.uint8]


def made_up_pair(height: int, width: int) -> tuple[Rgb, Rgb]:
    """A smooth picture with texture, and the same with noise."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (height // 40 + 2, width // 40 + 2, 3)).astype(np.float32)
    smooth = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    pictures = []
    for sigma in (4.0, 20.0):
        noise = rng.standard_normal(smooth.shape, dtype=np.float32) * sigma
        pictures.append(np.clip(np.rint(smooth + noise), 0, 255).astype(np.uint8))
    return pictures[0], pictures[1]


def patches(count: int, height: int, width: int) -> NDArray[np.bool_]:
    """Disjoint regions of irregular outline that cover the picture: cells of random points."""
    rng = np.random.default_rng(1)
    seeds = rng.random((count, 2)) * (height, width)
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    nearest = np.full((height, width), np.inf, dtype=np.float32)
    owner = np.zeros((height, width), dtype=np.int32)
    for index, (y, x) in enumerate(seeds):
        distance = (rows - np.float32(y)) ** 2 + (columns - np.float32(x)) ** 2
        owner[distance < nearest] = index
        np.minimum(nearest, distance, out=nearest)
    return np.stack([owner == index for index in range(count)])


def report(name: str, call: Callable[[], object], repeats: int) -> None:
    call()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(1000 * (time.perf_counter() - start))
    tracemalloc.start()
    call()
    peak = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    print(f"  {name:15s} {statistics.median(times):9.1f} {min(times):9.1f} {peak:9.1f}")


def measure(anchor: Rgb, target: Rgb, regions: int, repeats: int, metrics: tuple[str, ...]) -> None:
    height, width = anchor.shape[:2]
    masks = patches(regions, height, width)
    print(f"{width}×{height}, {regions} regions")
    print(f"  {'':15s} {'median ms':>9s} {'best ms':>9s} {'peak MiB':>9s}")
    report("evidence fast", lambda: measure_evidence(anchor, target, masks, "fast"), repeats)
    report("evidence all", lambda: measure_evidence(anchor, target, masks, "all"), repeats)
    report("region scores", lambda: region_scores(anchor, target, masks), repeats)
    for name in metrics:
        one = map_metrics([name])
        report(name, lambda one=one: measure_metrics(anchor, target, masks, one), repeats)  # type: ignore[misc]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("pictures", nargs="*", type=Path, help="anchor and target of one size")
    parser.add_argument("--regions", type=int, default=10)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--threads", type=int, default=0, help="budget of threads; 0: all cores")
    parser.add_argument(
        "--metrics", nargs="*", choices=BUILT_IN, default=BUILT_IN, help="further metrics; all"
    )
    options = parser.parse_args()
    if len(options.pictures) not in (0, 2):
        parser.error("give an anchor and a target, or no picture at all")
    with thread_budget(options.threads):
        if options.pictures:
            anchor, target = (load_picture(path).rgb for path in options.pictures)
            measure(anchor, target, options.regions, options.repeats, options.metrics)
            return
        measure(*made_up_pair(224, 224), 8, options.repeats, options.metrics)
        measure(*made_up_pair(321, 481), options.regions, options.repeats, options.metrics)
        repeats = max(options.repeats // 10, 1)
        measure(*made_up_pair(3000, 4000), options.regions, repeats, options.metrics)


if __name__ == "__main__":
    main()
