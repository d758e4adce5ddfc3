"""How well severity can be told by an observer who holds the clean picture and is told the label.

    python benchmarks/severity_bound.py bsds500/train bsds500/val --json severity_bound.json

A bound for models, which have neither: the levels of a severity meet in the picture (a strong blur
of a flat region is a weak one), and saturated colours have no more to give. The observer is boosted
trees on full-reference figures of a region and its true distortion label. It learns from regions of
the mixed versions of TRAIN's pictures and is measured on those of TEST's hard pairs
(docs/benchmark.md), clean regions left out in both. To compare with a model's
severity accuracy on hard pairs, see the line with clean regions counted right.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.files import atomic_write_text
from distortion_graph.bench.protocol import BenchPicture, bench_picture, make_pairs
from distortion_graph.datasets.pictures import load_labelled
from distortion_graph.measure.ciede2000 import delta_e
from distortion_graph.measure.ssim import ssim_map
from distortion_graph.synth.synthesis import DEFAULT_RECIPE, Version

Image = NDArray[np.uint8]
Floats = NDArray[np.float32]

EDGE_PX = 3
"""Filtered values are taken from inside the region, where all but the widest see only it."""
SCALES_PX = (0.7, 1.4, 2.8, 5.6)
DRAWS = 1000
_TINY = 1e-3
_MOMENTS = 5  # of a channel's two planes: both means, both squares, the product
_CHANNELS = 5


@dataclass(frozen=True)
class Regions:
    """Distorted regions: figures (N, F), positions of label and severity, number of the picture.

    `clean` is the number of clean regions that were left out, by picture.
    """

    figures: Floats
    label: NDArray[np.int64]
    severity: NDArray[np.int64]
    picture: NDArray[np.int64]
    clean: NDArray[np.int64]

    @property
    def told(self) -> Floats:
        """Figures with the label in front."""
        return np.column_stack([self.label, self.figures]).astype(np.float32)


def region_figures(clean: Image, degraded: Image, masks: NDArray[np.bool_]) -> Floats:
    """(R, F) full-reference figures of the regions of a picture and its degraded version."""
    maps = np.stack(_pixel_maps(clean, degraded), -1)
    filtered = np.stack(_filtered_maps(clean, degraded), -1)
    values = _means(maps, masks)
    inner = _means(filtered, _inside(masks))
    of_channels = _MOMENTS * _CHANNELS
    channels = values[:, :of_channels].reshape(-1, _CHANNELS, _MOMENTS)
    first, second, squares, other_squares, products = np.moveaxis(channels, 2, 0)
    spread = np.sqrt(np.maximum(squares - first**2, 0))
    other_spread = np.sqrt(np.maximum(other_squares - second**2, 0))
    together = products - first * second
    error = squares + other_squares - 2 * products
    half = inner.shape[1] // 2
    columns = [
        first,
        second - first,
        spread,
        np.log((other_spread + _TINY) / (spread + _TINY)),
        together / (spread**2 + _TINY),  # the slope of the straight line
        together / (spread * other_spread + _TINY),
        np.log(np.maximum(error, 0) + _TINY),  # PSNR, by channel
        values[:, of_channels:],
        np.log((inner[:, 1:half] + _TINY) / (inner[:, half + 1 :] + _TINY)),
        np.log(inner[:, half + 1 :] + _TINY),
        inner[:, [0, half]],
        np.log(masks.mean(axis=(1, 2)))[:, None],
    ]
    return np.concatenate(columns, axis=1).astype(np.float32)


def _planes(rgb: Image) -> list[Floats]:
    """Luma, two chroma planes, saturation, value; [0, 255]."""
    planes = [cv2.cvtColor(rgb, cv2.COLOR_RGB2YCrCb), cv2.cvtColor(rgb, cv2.COLOR_RGB2HSV)[..., 1:]]
    return [p.astype(np.float32) for whole in planes for p in np.moveaxis(whole, 2, 0)]


def _pixel_maps(clean: Image, degraded: Image) -> list[Floats]:
    """Moments of every channel, then differences, shares of changed and of clipped pixels."""
    maps: list[Floats] = []
    for c, d in zip(_planes(clean), _planes(degraded), strict=True):
        maps += [c, d, c * c, d * d, c * d]
    step = np.abs(degraded.astype(np.float32) - clean).max(axis=2)
    colour = delta_e(clean, degraded)
    maps += [colour, colour**2, *((step > t).astype(np.float32) for t in (0, 8, 32, 96))]
    for rgb in (clean, degraded):
        maps += [(rgb == end).mean(axis=2, dtype=np.float32) for end in (0, 255)]
        maps.append((cv2.cvtColor(rgb, cv2.COLOR_RGB2HSV)[..., 1] > 250).astype(np.float32))
    return maps


def _filtered_maps(clean: Image, degraded: Image) -> list[Floats]:
    """Two halves: SSIM, energies of the degraded luma; the fine part of the error, of the clean."""
    error = degraded.astype(np.float32) - clean
    residual = error - cv2.GaussianBlur(error, (0, 0), 2)
    halves = [[ssim_map(clean, degraded)], [(residual**2).mean(axis=2)]]
    for half, rgb in zip(halves, (degraded, clean), strict=True):
        luma = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
        across, down = (cv2.Sobel(luma, cv2.CV_32F, *d) for d in ((1, 0), (0, 1)))
        half += [across**2 + down**2, cv2.Laplacian(luma, cv2.CV_32F) ** 2]
        smooth = [luma, *(cv2.GaussianBlur(luma, (0, 0), sigma) for sigma in SCALES_PX)]
        half += [(a - b) ** 2 for a, b in pairwise(smooth)]
    return halves[0] + halves[1]


def _means(maps: Floats, masks: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(R, M): the mean of each map in each mask."""
    flat = masks.reshape(len(masks), -1)
    sums = flat.astype(np.float32) @ maps.reshape(-1, maps.shape[-1])
    return np.asarray(sums / flat.sum(axis=1)[:, None], np.float64)


def _inside(masks: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The masks without a rim; those that would vanish as they are."""
    kernel = np.ones((2 * EDGE_PX + 1,) * 2, np.uint8)
    inner = np.stack([cv2.erode(m.view(np.uint8), kernel) for m in masks]).astype(bool)
    thin = inner.sum(axis=(1, 2)) < 32
    inner[thin] = masks[thin]
    return inner


def regions_of(pictures: Sequence[BenchPicture], seed: int) -> Regions:
    """The distorted regions of both mixed versions of every picture, as in its hard pairs."""
    words = DEFAULT_RECIPE.vocabulary
    rows: list[tuple[Floats, int, int, int]] = []
    numbers = {picture.tag: k for k, picture in enumerate(pictures)}
    clean = np.zeros(len(pictures), np.int64)
    for picture, version in _versions(pictures, seed):
        seen = region_figures(picture.rgb, version.image, picture.masks)
        seen = np.column_stack([version.scores, seen]).astype(np.float32)
        for figures, draw in zip(seen, version.draws, strict=True):
            if draw.subtype is None:
                clean[numbers[picture.tag]] += 1
                continue
            label = words.distortion_index(draw.distortion)
            severity = words.severity_index(draw.severity)
            rows.append((figures, label, severity, numbers[picture.tag]))
    if not rows:
        raise SystemExit("severity_bound: no distorted region in these pictures")
    columns = list(zip(*rows, strict=True))
    label_column, severity_column, picture_column = (np.array(c, np.int64) for c in columns[1:])
    figures_of_all = np.stack([row[0] for row in rows])
    return Regions(figures_of_all, label_column, severity_column, picture_column, clean)


def _versions(
    pictures: Sequence[BenchPicture], seed: int
) -> Iterator[tuple[BenchPicture, Version]]:
    """Each version once: both orders of a picture's pair are there, so the anchors are all."""
    for pair in make_pairs("hard", pictures, seed=seed):
        yield pair.picture, pair.anchor


def joined(parts: Sequence[Regions]) -> Regions:
    """Regions of the same pictures with different draws, as one."""
    return Regions(
        np.concatenate([part.figures for part in parts]),
        np.concatenate([part.label for part in parts]),
        np.concatenate([part.severity for part in parts]),
        np.concatenate([part.picture for part in parts]),
        np.sum([part.clean for part in parts], axis=0),
    )


def observer(training: Regions) -> Any:
    """Boosted trees that give a severity for figures and a label."""
    from sklearn.ensemble import (
        HistGradientBoostingClassifier,
    )

    trees = HistGradientBoostingClassifier(
        categorical_features=[0],
        learning_rate=0.05,
        max_iter=250,
        max_leaf_nodes=15,
        l2_regularization=5.0,
        max_features=0.3,
        random_state=0,
        early_stopping=False,
    )
    return trees.fit(training.told, training.severity)


def share_right(
    right: NDArray[np.bool_], picture: NDArray[np.int64], clean: NDArray[np.int64]
) -> dict[str, Any]:
    """Share of right regions, clean ones counted so, with its 95 % interval over pictures."""
    hits = np.bincount(picture[right], minlength=len(clean)) + clean
    total = np.bincount(picture, minlength=len(clean)) + clean
    drawn = np.random.default_rng(0).integers(len(clean), size=(DRAWS, len(clean)))
    sums = total[drawn].sum(axis=1)
    draws = hits[drawn].sum(axis=1)[sums > 0] / sums[sums > 0]
    low, high = np.quantile(draws, (0.025, 0.975))
    return {
        "accuracy": round(float(hits.sum() / total.sum()), 4),
        "interval": [round(float(low), 4), round(float(high), 4)],
        "regions": int(total.sum()),
    }


def bound(training: Regions, tested: Regions) -> dict[str, Any]:
    """Accuracy overall, with clean regions counted right, and for each distortion."""
    right = observer(training).predict(tested.told) == tested.severity
    none = np.zeros_like(tested.clean)
    by_type = {}
    for k, name in enumerate(DEFAULT_RECIPE.vocabulary.distortions):
        these = tested.label == k
        if these.any():
            by_type[name] = share_right(right[these], tested.picture[these], none)
    return {
        "distorted": share_right(right, tested.picture, none),
        "with clean": share_right(right, tested.picture, tested.clean),
        "by type": by_type,
    }


def lines_of(found: dict[str, Any]) -> Iterator[str]:
    """The table."""
    rows = [
        ("all distorted regions", found["distorted"]),
        ("with clean regions counted right", found["with clean"]),
        *sorted(found["by type"].items(), key=lambda item: item[1]["accuracy"]),
    ]
    for name, row in rows:
        low, high = row["interval"]
        yield f"{name:<34}{row['accuracy']:.3f}  {low:.3f}–{high:.3f}  {row['regions']:6}"


def usable(folder: Path) -> list[BenchPicture]:
    """Pictures of a folder that have regions, with the protocol's label map."""
    made = [bench_picture(p) for p in load_labelled(folder)]
    return [p for p in made if len(p.masks)]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("train", type=Path, help="folder with images/ and regions/")
    parser.add_argument("test", type=Path, help="the same, of other pictures")
    parser.add_argument("--draws", type=int, default=4, help="mixed pairs of a training picture")
    parser.add_argument("--limit", type=int, help="so many pictures of each folder")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()

    began = time.process_time()
    pictures = usable(options.train)[: options.limit]
    # Seed 0 is the benchmark's own.
    training = joined([regions_of(pictures, seed) for seed in range(1, options.draws + 1)])
    tested = regions_of(usable(options.test)[: options.limit], 0)
    found = bound(training, tested)
    found |= {"trained on": len(training.label), "training pictures": len(pictures)}
    print(
        f"severity, told the label and holding the clean picture: {len(training.label)} regions of "
        f"{len(pictures)} pictures to learn from, {time.process_time() - began:.0f} s of CPU"
    )
    for line in lines_of(found):
        print(line)
    if options.json:
        atomic_write_text(options.json, json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
