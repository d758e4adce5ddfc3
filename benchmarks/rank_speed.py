"""How long ranking takes: the whole command on 10 candidates of 0.2 MP, with and without reference.

    python benchmarks/rank_speed.py [--repeats N] [--candidates N]

Figures are medians; quote ratios between rows rather than single times, and say how many cores
there were. Processor time is of all threads, and disturbed less by what else runs.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from PIL import Image
from skimage import data as pictures

SIZE = 548, 365
CALLS: dict[str, Sequence[str]] = {
    "reference": ("--reference", "original.png"),
    "reference, page": ("--reference", "original.png", "--size", "--report", "page.html"),
    "no reference": (),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--candidates", type=int, default=10)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_candidates(folder, options.candidates)
        print("                   seconds   CPU seconds")
        for title, arguments in CALLS.items():
            wall, busy = command_times(folder, arguments, options.repeats)
            print(f"{title:18s} {wall:7.2f} {busy:13.2f}")


def make_candidates(folder: Path, count: int) -> None:
    """original.png, and it as JPEG of so many qualities in encodes/."""
    original = Image.fromarray(pictures.coffee()).resize(SIZE)
    original.save(folder / "original.png")
    (folder / "encodes").mkdir()
    for k in range(count):
        quality = 5 + 90 * k // max(count - 1, 1)
        original.save(folder / "encodes" / f"jpeg-q{quality}.jpg", quality=quality)


def command_times(folder: Path, arguments: Sequence[str], repeats: int) -> tuple[float, float]:
    """Median seconds of the command, and of all its threads together."""
    program = [sys.executable, "-m", "distortion_graph", "rank", "encodes", *arguments]
    walls, cpus = [], []
    for _ in range(repeats):
        before, started = os.times(), time.perf_counter()
        subprocess.run(program, cwd=folder, check=True, stdout=subprocess.DEVNULL)
        after = os.times()
        walls.append(time.perf_counter() - started)
        cpus.append(
            after.children_user
            - before.children_user
            + after.children_system
            - before.children_system
        )
    return statistics.median(walls), statistics.median(cpus)


if __name__ == "__main__":
    main()
