"""How many moments per second a machine compares of two 1080p videos, and in how much memory.

    python benchmarks/video_rate.py [--frames N] [--workers N] [--every N]

Two H.264 videos of moving photographs, 1920×1080, the second compressed harder; ten regions. The
time begins with the first frame that is decoded and ends with the tables; processor time is that of
all threads. Say how many cores there were, and what else ran on them.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage import data

from distortion_graph.predict.session import load_model
from distortion_graph.video import Comparing, VideoOptions, compare_videos

SIZE = (1080, 1920)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=120)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--every", default="1")
    options = parser.parse_args()
    load_model()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for stem, quality in (("a", "18"), ("b", "34")):
            encode(folder / f"{stem}.mp4", views(options.frames), quality)
        for evidence in ("none", "fast"):
            how = Comparing("grid:2x5", evidence)
            wanted = VideoOptions(how, every=options.every, workers=options.workers, moments=0)
            began, busy = time.perf_counter(), time.process_time()
            report = compare_videos(folder / "a.mp4", folder / "b.mp4", folder / evidence, wanted)
            seconds, busy = time.perf_counter() - began, time.process_time() - busy
            most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(
                f"evidence {evidence:5s} {report.moments} moments, {options.workers} workers, "
                f"{os.cpu_count()} cores: {report.moments / seconds:.2f} per second, "
                f"{busy / report.moments:.2f} s of processor each, {most:.0f} MB at most so far"
            )


def views(count: int) -> Iterator[NDArray[np.uint8]]:
    """A view that moves over a photograph."""
    height, width = SIZE
    whole = cv2.resize(data.astronaut(), (2 * width, 2 * height), interpolation=cv2.INTER_CUBIC)
    for k in range(count):
        y = round(height / 2 + height / 3 * np.sin(k / 20))
        x = round(width / 2 + width / 3 * np.cos(k / 30))
        yield np.ascontiguousarray(whole[y : y + height, x : x + width], np.uint8)


def encode(path: Path, frames: Iterator[NDArray[np.uint8]], quality: str) -> None:
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream(
            "libx264", rate=25, options={"crf": quality, "preset": "veryfast"}
        )
        stream.height, stream.width = SIZE
        stream.pix_fmt = "yuv420p"
        for rgb in frames:
            for packet in stream.encode(av.VideoFrame.from_ndarray(rgb, "rgb24")):
                container.mux(packet)
        for packet in stream.encode(None):
            container.mux(packet)


if __name__ == "__main__":
    main()
