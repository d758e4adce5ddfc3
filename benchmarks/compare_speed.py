"""How long a comparison takes: the model step by number of regions, and the whole command.

    python benchmarks/compare_speed.py [--repeats N] [--threads N]

Figures are medians of one run on a 481×321 pair; quote ratios between rows rather than single
times, and say how many cores there were. Processor time is of all threads, and disturbed less by
what else runs.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from skimage import data as pictures

from distortion_graph.base.files import save_png
from distortion_graph.masks.container import RegionSet
from distortion_graph.measure.evidence import Level
from distortion_graph.pictures.images import load_picture
from distortion_graph.pipeline import compare_pictures
from distortion_graph.predict.session import Model
from distortion_graph.synth.pairs import make_pair

SIZE = (321, 481)
LEVELS: tuple[Level, ...] = ("fast", "all")
GRIDS = {1: (1, 1), 10: (2, 5), 40: (5, 8), 300: (15, 20)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--threads", type=int, default=0)
    options = parser.parse_args()
    model = Model.load(threads=options.threads)
    clean = np.asarray(cv2.resize(pictures.coffee(), SIZE[::-1], interpolation=cv2.INTER_AREA))
    pair = make_pair(clean, RegionSet.grid(SIZE, 2, 5), tag="coffee")
    anchor, target = load_picture(pair.anchor.image), load_picture(pair.target.image)
    print("regions   model ms, CPU ms   compare, fast evidence, ms   compare, all evidence, ms")
    for count, (rows, columns) in GRIDS.items():
        regions = RegionSet.grid(SIZE, rows, columns)
        masks = regions.masks()
        step = partial(model.predict, anchor.rgb, target.rgb, masks)
        figures = [
            median_ms(step, options.repeats),
            median_ms(step, options.repeats, time.process_time),
        ]
        for level in LEVELS:
            whole = partial(
                compare_pictures, anchor, target, regions=regions, model=model, evidence=level
            )
            figures.append(median_ms(whole, options.repeats))
        print(
            f"{count:7d} {figures[0]:10.1f} {figures[1]:7.1f} {figures[2]:28.1f} {figures[3]:27.1f}"
        )
    command_times(anchor.rgb, target.rgb, options.repeats)


def median_ms(
    call: Callable[[], object], repeats: int, clock: Callable[[], float] = time.perf_counter
) -> float:
    """Median milliseconds of a call after two warm-ups."""
    call(), call()
    times = []
    for _ in range(repeats):
        started = clock()
        call()
        times.append(clock() - started)
    return 1000 * statistics.median(times)


def command_times(anchor: np.ndarray, target: np.ndarray, repeats: int) -> None:
    """Whole processes: the command, and the bare imports it cannot do without."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / name for name in ("a.png", "t.png", "labels.png")]
        save_png(paths[0], anchor)
        save_png(paths[1], target)
        rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
        labels = rows * 2 // SIZE[0] * 5 + columns * 5 // SIZE[1] + 1
        cv2.imwrite(str(paths[2]), labels.astype(np.uint8))
        command = [
            sys.executable,
            "-m",
            "distortion_graph",
            "compare",
            str(paths[0]),
            str(paths[1]),
        ]
        rows_of_table = {
            "bare imports (numpy, cv2, onnxruntime, pydantic, typer)": [
                sys.executable,
                "-c",
                "import numpy, cv2, onnxruntime, pydantic, typer",
            ],
            "compare, 10 regions given, --evidence fast": [
                *command,
                "--regions",
                str(paths[2]),
                "--evidence",
                "fast",
            ],
            "compare, regions found, --evidence all": command,
        }
        print("\nwhole command, from process start")
        for name, arguments in rows_of_table.items():
            took = median_ms(
                partial(subprocess.run, arguments, check=True, capture_output=True),
                max(3, repeats // 4),
            )
            print(f"{took:7.0f} ms   {name}")


if __name__ == "__main__":
    main()
