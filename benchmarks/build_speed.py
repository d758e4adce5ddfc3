"""Speed and memory of `distortion-graph dataset build`, checking and resuming included.

    python benchmarks/build_speed.py [FOLDER] [--pictures N] [--workers N] [--image-format SUFFIX]

FOLDER holds images/ and regions/, as BSDS does; without one, pictures of 481×321 pixels with 8
regions are cut out of scikit-image's photographs. Memory is that of all processes together (PSS,
shared pages counted once; Linux only). Other work on the machine lowers the rate: user seconds an
image, summed over all processes, hardly depend on it.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from skimage import data

from distortion_graph.datasets.description import read_description

SIZE = (321, 481)
REGIONS = 8
SECONDS_BETWEEN_LOOKS = 0.1
MIB = 1 << 20


@dataclass(frozen=True)
class Figures:
    """One run of the command: seconds, seconds of processors, peak memory of all processes."""

    wall: float
    user: float
    peak_bytes: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--pictures", type=int, default=40)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--image-format", default="png")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        source, root = Path(place) / "source", Path(place) / "root"
        if options.folder is None:
            make_source(source, options.pictures)
        else:
            take_some(options.folder, source, options.pictures)
        command = [
            *(sys.executable, "-m", "distortion_graph", "dataset", "build", str(source)),
            *("--out", str(root), "--split", "test", "--workers", str(options.workers)),
            *("--image-format", options.image_format),
        ]
        print(f"{options.workers} workers, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
        print("                images   wall s   images/s   user ms/image   peak MiB   MiB on disk")
        for name in ("build", "check again"):
            figures = run(command)
            show(name, figures, root)


def show(name: str, figures: Figures, root: Path) -> None:
    description = read_description(root)
    if description is None:
        raise SystemExit(f"{root}: the build did not end")
    pictures = sum(split.pictures for split in description.splits.values())
    images = pictures * len(description.versions)
    size = sum(path.stat().st_size for path in root.rglob("*") if path.is_file())
    print(
        f"{name:13s} {images:8d} {figures.wall:8.1f} {images / figures.wall:10.1f} "
        f"{1000 * figures.user / images:15.1f} {figures.peak_bytes / MIB:10.0f} "
        f"{size / MIB:13.0f}"
    )


def run(command: list[str]) -> Figures:
    """Run a command and look at the memory of it and its descendants now and then."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
    peak = 0
    while process.poll() is None:
        peak = max(peak, session_memory(process.pid))
        time.sleep(SECONDS_BETWEEN_LOOKS)
    if process.returncode:
        raise SystemExit(process.returncode)
    wall = time.perf_counter() - started
    return Figures(wall, resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before, peak)


def session_memory(session: int) -> int:
    """Bytes of all processes of a session, shared pages counted once."""
    total = 0
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if int((place / "stat").read_text().rpartition(")")[2].split()[3]) != session:
                continue
            lines = (place / "smaps_rollup").read_text().splitlines()
            total += sum(1024 * int(line.split()[1]) for line in lines if line.startswith("Pss:"))
        except (OSError, ValueError):
            continue  # it has just ended
    return total


def take_some(folder: Path, source: Path, count: int) -> None:
    """The first pictures of a folder with images/ and regions/, and their label maps."""
    for part in ("images", "regions"):
        (source / part).mkdir(parents=True)
    for picture in sorted((folder / "images").iterdir())[:count]:
        shutil.copy(picture, source / "images")
        for label_map in (folder / "regions").glob(f"{picture.stem}*.png"):
            shutil.copy(label_map, source / "regions")


def make_source(source: Path, count: int) -> None:
    """Cut-outs of photographs; regions are the cells nearest to random points."""
    for part in ("images", "regions"):
        (source / part).mkdir(parents=True)
    photographs = [data.coffee(), data.chelsea(), data.astronaut(), data.rocket()]
    rng = np.random.default_rng(0)
    height, width = SIZE
    rows, columns = np.ogrid[:height, :width]
    for k in range(count):
        photograph = photographs[k % len(photographs)]
        # As large as the picture, and somewhat larger, so that each is another one.
        scale = max(height / photograph.shape[0], width / photograph.shape[1])
        scale *= float(rng.uniform(1, 1.5))
        size = [max(n, round(s * scale)) for n, s in zip(SIZE, photograph.shape, strict=False)]
        enlarged = cv2.resize(photograph, size[::-1], interpolation=cv2.INTER_CUBIC)
        top, left = (int(rng.integers(s - n + 1)) for s, n in zip(size, SIZE, strict=True))
        picture = enlarged[top : top + height, left : left + width]
        points = rng.uniform((0, 0), SIZE, (REGIONS, 2))
        distance = [(rows - y) ** 2 + (columns - x) ** 2 for y, x in points]
        labels = np.argmin(distance, axis=0).astype(np.uint8) + 1
        bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
        cv2.imwrite(str(source / "images" / f"{k:05d}.jpg"), bgr, [cv2.IMWRITE_JPEG_QUALITY, 95])
        cv2.imwrite(str(source / "regions" / f"{k:05d}.png"), labels)


if __name__ == "__main__":
    main()
