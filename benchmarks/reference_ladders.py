"""JPEG ladders against the original: are measured scores in order, and how far do they spread?

    python benchmarks/reference_ladders.py free_dev/images
    python benchmarks/reference_ladders.py free_dev/images --spread free/images --every 14

Every photograph is saved as JPEG of quality 50, 55, … 95, and each file is held against it as
`compare --reference` does: as a whole, and on the 3×3 grid. Of two qualities the higher one is to
have the higher score. Where it has not, PSNR is told as well: a photograph that has been a JPEG
file of some quality itself comes back best at that one.

With --spread the root mean square is measured by which a region's score changes when its picture
is saved once more as JPEG 98 (`FullReferenceMetric.spread`).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.files import atomic_write_text
from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY, fine_scale
from distortion_graph.graph.truth import compare_positions
from distortion_graph.masks.container import RegionSet
from distortion_graph.measure.quality import get_metric
from distortion_graph.pictures.images import Picture, load_picture
from distortion_graph.predict.against import Original
from distortion_graph.synth.distort import LEVELS, PUBLISHED, SUBTYPES, apply, blur, noise
from distortion_graph.synth.distort.compression import avif, jpeg, webp
from distortion_graph.synth.keys import generator

Image = NDArray[np.uint8]

QUALITIES = tuple(range(50, 100, 5))
SAVED_ONCE_MORE = 98
GRID = (3, 3)
TOLD_APART = ((75, 85), (80, 85), (85, 90), (90, 95))
"""Pairs of qualities for which it is counted how many pictures the fine scale tells apart."""


class Ladder(NamedTuple):
    """Scores of a picture's rungs: of the whole (Q,), of regions (Q, R); PSNR of the whole, dB."""

    name: str
    scene: NDArray[np.float64]
    regions: NDArray[np.float64]
    psnr_db: NDArray[np.float64]


def ladder_of(path: Path, metric: str) -> Ladder:
    """The ladder of one photograph."""
    picture = load_picture(path)
    original = Original(picture, get_metric(metric))
    masks = RegionSet.grid(picture.size, *GRID).lazy_masks()
    rng = generator(path.name)
    scenes, regions, psnr = [], [], []
    for quality in QUALITIES:
        saved = load_picture(np.ascontiguousarray(jpeg(picture.rgb, quality, rng)))
        of_regions, of_scene = original.scores(saved, masks)
        scenes.append(of_scene)
        regions.append(of_regions)
        psnr.append(cv2.PSNR(picture.rgb, saved.rgb))
    return Ladder(path.name, np.array(scenes), np.array(regions), np.array(psnr))


def figures(ladders: Sequence[Ladder]) -> dict[str, Any]:
    """Shares in order, what is not, mean scores, and what the fine scale tells apart."""
    scores = np.stack([ladder.scene for ladder in ladders])
    rises = np.diff(scores, axis=1) > 0
    of_regions = np.diff(np.stack([ladder.regions for ladder in ladders]), axis=1) > 0
    exceptions = [_exception(ladders[k], step) for k, step in np.argwhere(~rises).tolist()]
    return {
        "pictures": len(ladders),
        "whole ladders in order": _counted(np.asarray(rises.all(axis=1))),
        "steps in order": _counted(rises),
        "steps of regions in order": _counted(of_regions),
        "not in order": exceptions,
        "mean score": dict(zip(map(str, QUALITIES), scores.mean(0).round(4).tolist(), strict=True)),
        "told apart by the fine scale": {
            f"{low} against {high}": round(_told_apart(scores, low, high), 4)
            for low, high in TOLD_APART
        },
    }


def _counted(right: NDArray[np.bool_]) -> str:
    return f"{np.count_nonzero(right)} of {right.size}"


def _exception(ladder: Ladder, k: int) -> str:
    lower, higher = QUALITIES[k], QUALITIES[k + 1]
    scores, psnr = ladder.scene[k : k + 2], ladder.psnr_db[k : k + 2]
    return (
        f"{ladder.name}: {lower} {scores[0]:.5f} and {higher} {scores[1]:.5f}; "
        f"PSNR {psnr[0]:.1f} and {psnr[1]:.1f} dB"
    )


def _told_apart(scores: NDArray[np.float64], low: int, high: int) -> float:
    """Share of pictures whose two files the fine scale does not call the same."""
    words = fine_scale(DEFAULT_VOCABULARY)
    first, second = (scores[:, QUALITIES.index(quality)] for quality in (low, high))
    return float((compare_positions(second, first, words) > words.neutral_index).mean())


def versions(rgb: Image, name: str) -> Iterator[tuple[str, Image]]:
    """A photograph as it is, near-lossless, and damaged all over by every type at some level."""
    rng = generator("spread", name)
    yield "itself", rgb
    for quality in (50, 75, 85, 90, 95):
        yield f"JPEG {quality}", jpeg(rgb, quality, rng)
    yield "WebP 80", webp(rgb, 80, rng)
    yield "AVIF 80", avif(rgb, 80, rng)
    yield "blur .5 px", blur.gaussian(rgb, 0.5, rng)
    yield "noise 2", noise.gaussian_rgb(rgb, 2 / 255, rng)
    for label in sorted(SUBTYPES):
        ways = sorted(entry.name for entry in PUBLISHED if entry.distortion == label)
        way, level = ways[int(rng.integers(len(ways)))], int(rng.integers(1, LEVELS + 1))
        yield label, apply(rgb, label, way, level, rng)


def spread(paths: Sequence[Path], metric: str) -> dict[str, Any]:
    """Root mean square of the change of region scores by JPEG 98: in all, and by version."""
    changes: dict[str, list[NDArray[np.float64]]] = {}
    for path in paths:
        picture = load_picture(path)
        original = Original(picture, get_metric(metric))
        masks = RegionSet.grid(picture.size, *GRID).lazy_masks()
        for name, version in versions(picture.rgb, path.name):
            before, after = (
                original.scores(_picture(rgb), masks)[0]
                for rgb in (version, jpeg(version, SAVED_ONCE_MORE, generator(path.name)))
            )
            changes.setdefault(name, []).append(after - before)
    by_version = {name: np.concatenate(found) for name, found in changes.items()}
    return {
        "pictures": len(paths),
        "spread": _rms(np.concatenate(list(by_version.values()))),
        "by version": {name: _rms(found) for name, found in by_version.items()},
    }


def _picture(rgb: Image) -> Picture:
    return load_picture(np.ascontiguousarray(rgb))


def _rms(values: NDArray[np.float64]) -> float:
    return round(float(np.sqrt(np.mean(values**2))), 5)


def pictures_in(folder: Path, every: int) -> list[Path]:
    """Every so manieth file of a folder, by name."""
    found = sorted(path for path in folder.iterdir() if path.is_file())[::every]
    if not found:
        raise SystemExit(f"{folder}: no pictures there")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("folder", type=Path, help="photographs for the ladders")
    parser.add_argument("--limit", type=int, help="so many of them")
    parser.add_argument("--metric", default="haarpsi")
    parser.add_argument("--spread", type=Path, metavar="FOLDER", help="photographs for the spread")
    parser.add_argument("--every", type=int, default=14, help="one in so many of those")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()

    paths = pictures_in(options.folder, 1)[: options.limit]
    found = figures([ladder_of(path, options.metric) for path in paths])
    if options.spread is not None:
        found["JPEG 98"] = spread(pictures_in(options.spread, options.every), options.metric)
    print(json.dumps(found, indent=1))
    if options.json:
        atomic_write_text(options.json, json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
