"""What a model still sees when masks, files and distortions are not those of the protocol.

    python benchmarks/robustness.py bsds500/val --markdown robustness.md

FOLDER has images/ and label maps regions/, as BSDS500 val. On its hard pairs (docs/benchmark.md):
distortion accuracy with masks that are off, pictures recompressed and resized, soft edges and grey
pictures; pictures distorted alike all over; regions with two distortions; AVIF and WebP; renderers,
noise and a codec that training never draws (`HELD_OUT`); tones with and without gaps between grey
levels; thumbnails and tiny regions; how well `known` tells distortions of the vocabulary from five
that it does not have (benchmarks/unseen.py), and how much of pictures that are clean all over is
called uncertain. With --pictures, a folder of photographs of other origin, also those: their clean
regions, what of them is called uncertain, and their hard pairs.
"""

from __future__ import annotations

import argparse
import io
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage
from robustness_rows import Masks, Picture, Rows, labels_of, mixed_version
from robustness_types import (
    codec_rows,
    double_row,
    even_row,
    held_out_rows,
    known_rows,
    tone_rows,
)

from distortion_graph.base.files import atomic_write_text
from distortion_graph.bench.clean_pairs import CleanSample, clean_pairs
from distortion_graph.bench.protocol import BenchPicture, bench_picture, samples_of
from distortion_graph.datasets.pictures import CleanPicture, load_sources, read_names
from distortion_graph.datasets.samples import Sample
from distortion_graph.predict.session import Model
from distortion_graph.synth.distort import SUBTYPES
from distortion_graph.synth.keys import generator
from distortion_graph.synth.synthesis import DEFAULT_RECIPE, MIXED

Change = Callable[[Picture, Picture, Masks], tuple[Picture, Picture, Masks]]


def accuracy(model: Model, samples: Iterable[Sample], change: Change | None = None) -> float:
    """Share of nodes with the right distortion; a region whose mask vanishes counts as wrong."""
    right = total = 0
    for sample in samples:
        anchor, target, masks = sample.anchor, sample.target, sample.masks
        if change is not None:
            anchor, target, masks = change(anchor, target, masks)
        there = [bool(mask.any()) for mask in masks]
        found = np.full((2, len(masks)), -1)
        found[:, there] = labels_of(model.predict(anchor, target, masks[there]))
        right += int((found == sample.labels.distortion).sum())
        total += found.size
    return right / max(total, 1)


def shifted(pixels: int) -> Change:
    def change(a: Picture, t: Picture, masks: Masks) -> tuple[Picture, Picture, Masks]:
        move = np.array([[1, 0, pixels], [0, 1, pixels]], np.float32)
        size = masks.shape[:0:-1]
        moved = [cv2.warpAffine(m.view(np.uint8), move, size, flags=0) for m in masks]
        return a, t, np.stack(moved).astype(bool)

    return change


def with_disc(work: Callable[..., Any], pixels: int) -> Change:
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * pixels + 1,) * 2)

    def change(a: Picture, t: Picture, masks: Masks) -> tuple[Picture, Picture, Masks]:
        return a, t, np.stack([work(m.view(np.uint8), disc) for m in masks]).astype(bool)

    return change


def recompressed(quality: int) -> Change:
    def again(image: Picture) -> Picture:
        buffer = io.BytesIO()
        PillowImage.fromarray(image).save(buffer, "JPEG", quality=quality)
        return np.asarray(PillowImage.open(buffer).convert("RGB"))

    return lambda a, t, masks: (again(a), again(t), masks)


def resized(factor: float) -> Change:
    def change(a: Picture, t: Picture, masks: Masks) -> tuple[Picture, Picture, Masks]:
        size = (round(a.shape[1] * factor), round(a.shape[0] * factor))
        way = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
        near = cv2.INTER_NEAREST_EXACT
        scaled = [cv2.resize(m.view(np.uint8), size, interpolation=near) for m in masks]
        first, second = (
            np.asarray(cv2.resize(x, size, interpolation=way), np.uint8) for x in (a, t)
        )
        return first, second, np.stack(scaled).astype(bool)

    return change


CHANGES: dict[str, Change] = {
    "masks shifted by 3 px": shifted(3),
    "masks dilated by 3 px": with_disc(cv2.dilate, 3),
    "masks eroded by 3 px": with_disc(cv2.erode, 3),
    "both recompressed, JPEG 95": recompressed(95),
    "both recompressed, JPEG 90": recompressed(90),
    "both resized × 0.8": resized(0.8),
    "both resized × 1.25": resized(1.25),
}


def changed_rows(model: Model, pictures: Sequence[BenchPicture], rows: Rows) -> None:
    """Accuracy on the hard pairs as they are, and with every change."""
    rows.add("hard pairs, distortion accuracy", accuracy(model, samples_of(pictures, "hard")))
    for name, change in CHANGES.items():
        rows.add(name, accuracy(model, samples_of(pictures, "hard"), change))
    soft = replace(DEFAULT_RECIPE, feather_px=2.0)
    rows.add("feathered edges, 2 px", accuracy(model, samples_of(pictures, "hard", recipe=soft)))
    visible = tuple(
        t for t in DEFAULT_RECIPE.types if not all(e.colour for e in SUBTYPES[t].values())
    )
    grey = [replace(p, rgb=np.repeat(_luma(p.rgb)[..., None], 3, 2)) for p in pictures]
    recipe = replace(DEFAULT_RECIPE, drawn_types=visible)
    rows.add("grey pictures, 12 types", accuracy(model, samples_of(grey, "hard", recipe=recipe)))


def small_rows(model: Model, pictures: Sequence[BenchPicture], rows: Rows) -> None:
    """Accuracy beside the mean probability of what is said, where there are few pixels."""
    thumbnails = [thumbnail(p, 64) for p in pictures]
    pairs = samples_of([p for p in thumbnails if len(p.masks)], "hard")
    rows.add_both("hard pairs of 64-px thumbnails", model, pairs, lambda masks: masks)
    pairs = samples_of(pictures, "hard")
    rows.add_both("a square of 8 px in each region", model, pairs, lambda m: inner_squares(m, 8))


def thumbnail(picture: BenchPicture, side: int) -> BenchPicture:
    """The picture reduced to `side` px at its longer side, with the regions that are left."""
    scale = side / max(picture.rgb.shape[:2])
    size = round(picture.rgb.shape[1] * scale), round(picture.rgb.shape[0] * scale)
    rgb = np.asarray(cv2.resize(picture.rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
    near = cv2.INTER_NEAREST_EXACT
    scaled = [cv2.resize(m.view(np.uint8), size, interpolation=near) for m in picture.masks]
    masks = np.stack(scaled).astype(bool)
    there = [bool(mask.any()) for mask in masks]
    ids = tuple(i for i, kept in zip(picture.region_ids, there, strict=True) if kept)
    return BenchPicture(picture.tag, rgb, masks[np.array(there)], ids)


def inner_squares(masks: Masks, side: int) -> Masks:
    """Of each mask the square about its innermost pixel, where the mask has it."""
    out = np.zeros_like(masks)
    for mask, square in zip(masks, out, strict=True):
        depth = cv2.distanceTransform(np.pad(mask, 1).view(np.uint8), cv2.DIST_L2, 3)[1:-1, 1:-1]
        y, x = np.unravel_index(int(depth.argmax()), depth.shape)
        top, left = max(int(y) - side // 2, 0), max(int(x) - side // 2, 0)
        square[top : top + side, left : left + side] = mask[top : top + side, left : left + side]
    return out


def clean_rows(
    model: Model, pictures: Sequence[BenchPicture], rows: Rows, origin: str = ""
) -> None:
    """Share of regions called uncertain of pictures that are clean all over, by what they stand
    beside.
    """
    threshold = model.identity.known_threshold
    if threshold is None:
        return
    doubtful: dict[str, list[NDArray[np.bool_]]] = {}
    seen: set[str] = set()
    rgb = {picture.tag: picture.rgb for picture in pictures}
    for sample in samples_of(pictures, "hard"):
        if sample.tag in seen:
            continue
        seen.add(sample.tag)
        rng = generator(0, sample.tag, "clean pairs")
        for pair in clean_pairs(CleanSample(rgb[sample.tag], sample), rng):
            known = model.predict(pair.anchor, pair.target, sample.masks).known
            if known is not None:
                below = known[list(pair.sides)] < threshold
                doubtful.setdefault(pair.kind, []).append(below.ravel())
    for kind, found in doubtful.items():
        rows.add(f"{origin}clean {kind}: called uncertain", np.concatenate(found).mean())
    everything = np.concatenate([part for found in doubtful.values() for part in found])
    rows.add(f"{origin}clean, all of these: called uncertain", everything.mean())


def origin_rows(model: Model, pictures: Sequence[BenchPicture], rows: Rows) -> None:
    """Photographs of other origin: clean ones beside themselves and a mixed version; hard pairs."""
    clean = DEFAULT_RECIPE.vocabulary.clean_index
    alone, beside = [], []
    for picture in pictures:
        if len(picture.masks):
            said = model.predict(picture.rgb, picture.rgb, picture.masks)
            alone.append((labels_of(said)[0] == clean).ravel())
            other = mixed_version(picture, MIXED[0], DEFAULT_RECIPE)
            said = model.predict(picture.rgb, other, picture.masks)
            beside.append((labels_of(said)[0] == clean).ravel())
    rows.add("other origins: clean regions, beside itself", np.concatenate(alone).mean())
    rows.add("other origins: clean regions, beside mixed", np.concatenate(beside).mean())
    rows.add("other origins: hard pairs", accuracy(model, samples_of(pictures, "hard")))


PARTS = (
    changed_rows,
    small_rows,
    even_row,
    double_row,
    codec_rows,
    held_out_rows,
    tone_rows,
    known_rows,
)
"""What is asked of the labelled pictures, in this order."""


def _luma(rgb: Picture) -> Picture:
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.uint8)


def main() -> None:
    """See the head of this file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path, help="folder with images/ and regions/")
    parser.add_argument("--model", help="model folder; the shipped one without it")
    parser.add_argument("--only", type=Path, help="JSON lists of the pictures to take")
    parser.add_argument("--pictures", type=Path, help="photographs of other origin")
    parser.add_argument("--limit", type=int, help="so many pictures of each folder")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--markdown", type=Path)
    options = parser.parse_args()

    def usable(found: list[CleanPicture]) -> list[BenchPicture]:
        kept = read_names(options.only) if options.only else None
        chosen = [p for p in found if kept is None or p.tag in kept]
        made = [bench_picture(p) for p in chosen]
        return [p for p in made if len(p.masks)][: options.limit]

    model, rows = Model.load(options.model), Rows()
    cache = Path("runs/regions")
    pictures = usable(load_sources([options.folder], [], cache=cache))
    for part in PARTS:
        part(model, pictures, rows)
    clean_rows(model, pictures, rows)
    if options.pictures:
        options.only = None
        others = usable(load_sources([], [options.pictures], cache=cache))
        origin_rows(model, others, rows)
        clean_rows(model, others, rows, "other origins: ")
    if options.json:
        atomic_write_text(options.json, json.dumps(rows.rows, indent=1) + "\n")
    if options.markdown:
        atomic_write_text(options.markdown, rows.markdown())


if __name__ == "__main__":
    main()
