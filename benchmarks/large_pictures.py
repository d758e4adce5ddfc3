"""Time and memory of `compare` on large pictures, in fresh processes.

    python benchmarks/large_pictures.py                       # 0.2, 12 and 24 million pixels
    python benchmarks/large_pictures.py --sizes 4000x3000 --repeats 5 --evidence none
    python benchmarks/large_pictures.py --photos FOLDER       # your photographs in the mosaic

A pair is a mosaic of sharp photographs at their own resolution, 5×4 tiles, each a region that is
degraded by itself in the anchor and in the target; both are saved as JPEG of quality 95, the
regions as a label map. Every run is a process of its own: `compare` on the three files, decoding
and all evidence included. Printed are medians: wall time of the comparison, of the whole process
(imports and loading included), processor time of the comparison, and the process' peak memory.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage import data

from distortion_graph.masks.container import RegionSet
from distortion_graph.pictures.images import load_picture
from distortion_graph.synth.pairs import make_pair

Rgb = NDArray[np.uint8]

TILES = 4, 5
PHOTOS = ("astronaut", "coffee", "chelsea", "rocket", "retina", "hubble_deep_field")
SIZES = ("481x321", "4000x3000", "6000x4000")

# What a fresh process runs: one line of JSON.
_RUN = """
import json, resource, sys, time
start, used = time.perf_counter(), time.process_time()
from distortion_graph import compare
anchor, target, regions, evidence, name = sys.argv[1:]
from distortion_graph.predict.session import load_model
model = load_model(name or None)
ready, ready_used = time.perf_counter(), time.process_time()
compare(anchor, target, regions=regions, model=model, evidence=evidence)
done, done_used = time.perf_counter(), time.process_time()
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"compare": done - ready, "cpu": done_used - ready_used,
                  "process": done - start, "peak_mb": peak * 1024 / 1e6}))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--sizes", nargs="+", default=SIZES, metavar="WIDTHxHEIGHT")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--evidence", choices=("all", "fast", "none"), default="all")
    parser.add_argument("--model", help="folder or name; else the shipped one")
    parser.add_argument("--photos", type=Path, metavar="FOLDER", help="else scikit-image's")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="make the pairs there once")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        print(f"{'pixels':>11} {'compare s':>10} {'CPU s':>7} {'process s':>10} {'peak MB':>8}")
        for size in options.sizes:
            width, height = map(int, size.split("x"))
            files = make_files(folder, photographs(options.photos), width, height)
            runs = [measure(files, options.evidence, options.model) for _ in range(options.repeats)]
            found = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
            print(
                f"{size:>11} {found['compare']:10.2f} {found['cpu']:7.2f} "
                f"{found['process']:10.2f} {found['peak_mb']:8.0f}",
                flush=True,
            )


def photographs(folder: Path | None) -> list[Rgb]:
    """Sharp pictures, from a folder or from scikit-image."""
    if folder is None:
        return [getattr(data, name)() for name in PHOTOS]
    files = sorted(p for p in folder.iterdir() if p.suffix.lower() in (".jpg", ".png"))
    return [load_picture(path).rgb for path in files[: TILES[0] * TILES[1]]]


def make_files(folder: Path, photos: Sequence[Rgb], width: int, height: int) -> list[Path]:
    """Anchor, target and label map of a mosaic; kept where they exist."""
    names = ("anchor.jpg", "target.jpg", "regions.png")
    files = [folder / f"{width}x{height}-{name}" for name in names]
    if all(path.exists() for path in files):
        return files
    pair = np.zeros((2, height, width, 3), np.uint8)
    labels = np.zeros((height, width), np.uint8)
    grid = RegionSet.grid((height, width), *TILES)
    for index, (left, top, w, h) in enumerate(grid.boxes_xywh().tolist()):
        tile = np.s_[top : top + h, left : left + w]
        clean = filled(photos[index % len(photos)], w, h, index)
        made = make_pair(clean, RegionSet.whole((h, w)), tag=f"tile {index}")
        pair[0][tile], pair[1][tile] = made.anchor.image, made.target.image
        labels[tile] = index + 1
    for path, rgb in zip(files, pair, strict=False):
        bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
        cv2.imwrite(str(path), bgr, [cv2.IMWRITE_JPEG_QUALITY, 95])
    cv2.imwrite(str(files[2]), labels)
    return files


def filled(photo: Rgb, width: int, height: int, seed: int) -> Rgb:
    """A piece of that size of a photograph, repeated in mirrors where it is smaller; not scaled."""
    rng = np.random.default_rng(seed)
    top, left = (int(rng.integers(0, max(a - b, 0) + 1)) for a, b in
                 zip(photo.shape[:2], (height, width), strict=True))  # fmt: skip
    piece = photo[top : top + height, left : left + width]
    missing = [(0, height - piece.shape[0]), (0, width - piece.shape[1]), (0, 0)]
    return np.ascontiguousarray(np.pad(piece, missing, "symmetric"))


def measure(files: Sequence[Path], evidence: str, model: str | None) -> dict[str, Any]:
    """Figures of one process."""
    command = [sys.executable, "-c", _RUN, *map(str, files), evidence, model or ""]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return dict(json.loads(done.stdout))


if __name__ == "__main__":
    main()
