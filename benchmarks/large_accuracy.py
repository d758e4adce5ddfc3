"""Are noise, compression and pixelation still seen on pictures of many megapixels?

    python benchmarks/free_pictures.py runs/free-pictures
    python benchmarks/large_accuracy.py runs/free-pictures

Takes the photographs of FOLDER that have at least 6 million pixels, as they are (those over 12
million reduced to 12), in 4×5 regions. Each region of two versions is clean (20 %) or has noise,
compression or pixelation of any severity. Printed are the shares of such regions that get the right
label, and of clean ones, on the large pictures and on the same ones reduced to 0.2 million pixels
with the same draws; and on all of them after both versions were saved as JPEG 95 and 90.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from robustness import recompressed

from distortion_graph.base.files import atomic_write_text
from distortion_graph.bench.protocol import BenchPicture, samples_of
from distortion_graph.datasets.pictures import find_pictures
from distortion_graph.masks.container import RegionSet
from distortion_graph.pictures.images import load_picture
from distortion_graph.predict.session import Model
from distortion_graph.synth.synthesis import DEFAULT_RECIPE

TYPES = ("noise", "compression", "pixelate")
GRID = 4, 5
LEAST_PX = 6e6
SIZES = {"6 to 12 MP": 12e6, "the same, reduced to 0.2 MP": 0.2e6}  # at most so many pixels
CHANGES = {"": None, ", JPEG 95": recompressed(95), ", JPEG 90": recompressed(90)}


def picture_of(path: Path, most: float) -> BenchPicture | None:
    """A photograph of at most so many pixels with its grid; None where it is not large."""
    rgb = load_picture(path).rgb
    if rgb.shape[0] * rgb.shape[1] < LEAST_PX:
        return None
    scale = min(1.0, math.sqrt(most / (rgb.shape[0] * rgb.shape[1])))
    size = round(rgb.shape[1] * scale), round(rgb.shape[0] * scale)
    if scale < 1:
        rgb = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
    masks = RegionSet.grid((size[1], size[0]), *GRID).masks()
    return BenchPicture(path.stem, rgb, masks, tuple(range(len(masks))))


def accuracies(model: Model, paths: Sequence[Path], most: float) -> dict[str, dict[str, float]]:
    """Share of nodes with the right label, by true label and over all, on pictures of at most so
    many pixels; of each of `CHANGES` in turn.
    """
    words = DEFAULT_RECIPE.vocabulary
    recipe = replace(DEFAULT_RECIPE, drawn_types=TYPES)
    truth: list[NDArray[np.int64]] = []
    right: dict[str, list[NDArray[np.bool_]]] = {name: [] for name in CHANGES}
    for path in paths:
        picture = picture_of(path, most)
        if picture is None:
            continue
        # The second of the two hard pairs is the first one the other way round.
        for sample in itertools.islice(samples_of([picture], "hard", recipe=recipe), 1):
            truth.append(sample.labels.distortion.ravel())
            pair = sample.anchor, sample.target, sample.masks
            for name, change in CHANGES.items():
                said = model.predict(*(change(*pair) if change else pair))
                right[name].append(said.distortion.argmax(-1).ravel() == truth[-1])
    if not truth:
        raise SystemExit(f"no photograph of at least {LEAST_PX / 1e6:.0f} million pixels there")
    labels = np.concatenate(truth)
    nodes = {name: labels == words.distortion_index(name) for name in (words.clean, *TYPES)}
    nodes |= {"all": np.ones_like(labels, bool)}
    return {
        change: {name: float(np.concatenate(hits)[there].mean()) for name, there in nodes.items()}
        | {"pictures": float(len(truth))}
        for change, hits in right.items()
    }


def main() -> None:
    """See the head of this file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", help="model folder; the shipped one without it")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--markdown", type=Path)
    options = parser.parse_args()
    model, paths = Model.load(options.model), find_pictures(options.folder)
    by_size = {name: accuracies(model, paths, most) for name, most in SIZES.items()}
    found = {name + change: by_size[name][change] for change in CHANGES for name in SIZES}
    columns = list(next(iter(found.values())))
    lines = ["| pictures | " + " | ".join(columns[:-1]) + " |", "|---" * len(columns) + "|"]
    for name, row in found.items():
        cells = [f"{row[c]:.3f}" for c in columns[:-1]]
        lines.append(f"| {row['pictures']:.0f} photographs, {name} | " + " | ".join(cells) + " |")
    print("\n".join(lines))
    if options.json:
        atomic_write_text(options.json, json.dumps(found, indent=1) + "\n")
    if options.markdown:
        atomic_write_text(options.markdown, "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
