"""Whether the memory of a batch grows with its number of pairs.

    python benchmarks/batch_memory.py [--pairs N] [--workers N] [--side PIXELS]

Runs `distortion-graph batch` on small pictures, over and over the same ones, and adds up the memory
of all its processes (proportional set size: a page that several share counts once) every two
seconds: the largest of each tenth of the run, and the summary and the page after it.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
import time
from pathlib import Path

import psutil
from batch_pairs import command, write_pairs

from distortion_graph.batch.results import part_paths


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=20_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--side", type=int, default=48)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        size = options.side, options.side * 4 // 3
        listed = write_pairs(folder / "in", options.pairs, size=size, grid=(1, 2))
        how = ("--workers", str(options.workers), "--evidence", "none", "--align", "none")
        start = time.monotonic()
        process = subprocess.Popen(command(listed, folder / "out", *how))
        samples: list[tuple[float, int, int]] = []  # seconds, MB, pairs that are in tables
        while process.poll() is None:
            samples.append((time.monotonic() - start, _megabytes(process.pid), _done(folder)))
            time.sleep(2)
        if process.returncode:
            raise SystemExit(f"the batch ended with {process.returncode}")
    seconds = samples[-1][0]
    print(f"{options.pairs} pairs, {options.workers} workers, {seconds:.0f} s")
    tenth = options.pairs / 10
    for part in range(11):
        inside = [mb for _, mb, done in samples if int(done / tenth) == part]
        what = f"from {int(part * tenth)} pairs" if part < 10 else "summary and page"
        print(f"{what:18s} {max(inside, default=0):5d} MB")


def _done(folder: Path) -> int:
    """Pairs in tables, of full parts."""
    from distortion_graph.batch.run import PART_PAIRS

    if not any((folder / "out" / "regions").glob("part-*.parquet")):
        return 0
    return len(part_paths(folder / "out", "regions")) * PART_PAIRS


def _megabytes(pid: int) -> int:
    """Proportional set size of a process and all below it."""
    total = 0
    try:
        family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0
    for process in family:
        try:
            total += process.memory_full_info().pss
        except (psutil.Error, FileNotFoundError):
            continue
    return total // 1_000_000


if __name__ == "__main__":
    main()
