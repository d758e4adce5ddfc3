"""Ray on one machine beside processes of this machine: pairs per second in one run.

    python benchmarks/batch_engines.py [--pairs N] [--workers N] [--turns N]

Both executors are open and take turns on the same pairs (481×321 JPEG, 10 given regions, fast
evidence), so that what else the machine does meets both. The first turn of each, in which workers
load the model, does not count. Printed are medians over turns, and the median of the ratios of
neighbouring turns.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from batch_pairs import write_pairs

from distortion_graph.batch.manifests import read_manifest
from distortion_graph.batch.worker import Comparing, Job, compare_task
from distortion_graph.work.processes import LocalProcesses
from distortion_graph.work.ray_actors import RayActors


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=24)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--turns", type=int, default=7)
    options = parser.parse_args()
    job = Job(Comparing())
    with (
        tempfile.TemporaryDirectory() as name,
        LocalProcesses(job, options.workers, option="--workers") as local,
        RayActors(job, options.workers, option="--workers") as ray,
    ):
        tasks = read_manifest(str(write_pairs(Path(name), options.pairs)))

        def rate(run: Callable[..., object]) -> float:
            start = time.perf_counter()
            results = list(run(compare_task, tasks, ordered=True))  # type: ignore[call-overload]
            assert all(result.failure is None for _, result in results)
            return len(tasks) / (time.perf_counter() - start)

        turns = [(rate(local.run), rate(ray.run)) for _ in range(options.turns + 1)][1:]
    locals_, rays = zip(*turns, strict=True)
    ratios = [with_ray / without for without, with_ray in turns]
    print(f"local {statistics.median(locals_):6.1f} pairs/s, {options.workers} workers")
    print(f"Ray   {statistics.median(rays):6.1f} pairs/s")
    print(f"Ray / local {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")


if __name__ == "__main__":
    main()
