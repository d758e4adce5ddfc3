"""How much longer a comparison takes beside busy processes than on an idle machine.

    python benchmarks/busy_machine.py [--cores N] [--pairs N] [--threads N]

The program keeps itself and as many busy processes as cores to `--cores` cores. Each pair is one
comparison while the busy processes are stopped, and one while they run, the second one first in
every other pair; the ratio is taken pair by pair, so a drift of the machine's speed leaves it. It
is 2 where every thread gets half of its core. Quote the median ratio, and run it on a machine on
which nothing else runs: what else runs makes the idle comparison slower and the ratio smaller.
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import cv2
import numpy as np
from skimage import data as pictures

from distortion_graph.images import load_picture
from distortion_graph.runtime.compare import compare_pictures
from distortion_graph.runtime.session import Model

SIZES = ((481, 321), (1280, 960))
REGIONS = ("grid:2x5", "auto")
_SETTLE_S = 0.05


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cores", type=int, default=2, help="how many cores to keep to")
    parser.add_argument("--pairs", type=int, default=15, help="comparisons, idle and busy each")
    parser.add_argument("--threads", type=int, default=0, help="budget of a comparison, 0 = cores")
    options = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))[: options.cores]
    os.sched_setaffinity(0, cores)
    model = Model.load(threads=options.threads)
    print(f"{len(cores)} cores, as many busy processes, {options.pairs} pairs, medians")
    print("pictures   regions    idle ms   busy ms   ratio")
    with busy_processes(len(cores)) as busy:
        for width, height in SIZES:
            clean = np.asarray(cv2.resize(pictures.coffee(), (width, height)), np.uint8)
            blurred = np.asarray(cv2.GaussianBlur(clean, (0, 0), 2), np.uint8)
            pair = load_picture(clean), load_picture(blurred)
            for regions in REGIONS:
                idle: list[float] = []
                loud: list[float] = []
                compare_pictures(*pair, regions=regions, model=model)
                for number in range(options.pairs):
                    for running in (False, True) if number % 2 else (True, False):
                        send(busy, signal.SIGCONT if running else signal.SIGSTOP)
                        started = time.perf_counter()
                        compare_pictures(*pair, regions=regions, model=model)
                        (loud if running else idle).append(time.perf_counter() - started)
                ratio = statistics.median(b / a for a, b in zip(idle, loud, strict=True))
                times = (1000 * statistics.median(found) for found in (idle, loud))
                print(f"{width}×{height:<6d} {regions:9}", *(f"{t:8.1f}" for t in times), end="")
                print(f"{ratio:9.2f}", flush=True)


@contextmanager
def busy_processes(count: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Processes that compute for ever, stopped at first, gone at the end."""
    started = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        send(started, signal.SIGSTOP)
        yield started
    finally:
        for process in started:
            process.kill()
            process.wait()


def send(processes: list[subprocess.Popen[bytes]], what: signal.Signals) -> None:
    for process in processes:
        process.send_signal(what)
    time.sleep(_SETTLE_S)


if __name__ == "__main__":
    main()
