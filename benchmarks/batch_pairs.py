"""Pairs of pictures on the disk, a list of them, and the command that compares them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from skimage import data as pictures

from distortion_graph.masks.container import RegionSet
from distortion_graph.synth.pairs import make_pair

PHOTOGRAPHS = ("coffee", "astronaut", "chelsea", "rocket")
SIZE = (321, 481)


def write_pairs(
    folder: Path,
    count: int,
    *,
    size: tuple[int, int] = SIZE,
    grid: tuple[int, int] = (2, 5),
    different: int = 24,
    regions: bool = True,
) -> Path:
    """A list of `count` pairs of JPEG pictures, `different` of them, and a label map of all."""
    folder.mkdir(parents=True, exist_ok=True)
    masks = RegionSet.grid(size, *grid)
    labels = np.zeros(size, np.uint8)
    for number, mask in enumerate(masks.masks(), start=1):
        labels[mask] = number
    Image.fromarray(labels).save(folder / "labels.png")
    for k in range(min(count, different)):
        name = PHOTOGRAPHS[k % len(PHOTOGRAPHS)]
        clean = cv2.resize(getattr(pictures, name)(), size[::-1], interpolation=cv2.INTER_AREA)
        pair = make_pair(np.asarray(clean), masks, tag=name, seed=k)
        for side, shown in (("a", pair.anchor), ("b", pair.target)):
            Image.fromarray(shown.image).save(folder / f"{k}{side}.jpg", quality=95)
    listed = folder / "pairs.jsonl"
    with listed.open("w", encoding="utf-8") as stream:
        for number in range(count):
            k = number % different
            row = {"anchor": f"{k}a.jpg", "target": f"{k}b.jpg", "method": f"m{number % 3}"}
            if regions:
                row["regions"] = "labels.png"
            stream.write(json.dumps(row) + "\n")
    return listed


def command(listed: Path, out: Path, *options: str) -> list[str]:
    """`distortion-graph batch` on a list."""
    start = [sys.executable, "-m", "distortion_graph", "batch", "--manifest", str(listed)]
    return [*start, "--out", str(out), "--quiet", *options]
