"""What a model sees of distortions that are not drawn as the protocol draws them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import numpy as np
from numpy.typing import NDArray
from real_rows import TONES
from robustness_rows import Picture, Rows, auroc, labels_of, mixed_version
from unseen import UNSEEN

from distortion_graph.bench.protocol import BenchPicture
from distortion_graph.predict.session import Model
from distortion_graph.synth.distort import HELD_OUT, LEVELS, Frames, apply, find_subtype
from distortion_graph.synth.keys import generator
from distortion_graph.synth.synthesis import (
    DEFAULT_RECIPE,
    MIXED,
    apply_draw,
    draw_region,
    paste,
)
from distortion_graph.synth.whole_frames import labelled_frame


def tone_rows(model: Model, pictures: Sequence[BenchPicture], rows: Rows) -> None:
    """Tones changed all over a picture, as 8-bit curves leave them and with gaps closed.

    A curve on 8 bits leaves grey levels empty, which no camera does. Regions with the type's name,
    beside the clean picture and beside the changed one itself.
    """
    strong = replace(DEFAULT_RECIPE, severity_weights={"moderate": 1.0, "severe": 1.0})
    right: dict[str, list[NDArray[np.bool_]]] = {}
    for picture, label in product(pictures, TONES):
        rng = generator(0, picture.tag, "tone", label)
        changed = apply_draw(picture.rgb, draw_region(label, strong, rng), rng)
        closed = without_gaps(changed, rng)
        pairs = {
            "gaps between levels, beside the clean picture": (changed, picture.rgb),
            "gaps between levels, beside itself": (changed, changed),
            "no gaps between levels, beside the clean picture": (closed, picture.rgb),
            "no gaps between levels, beside itself": (closed, closed),
        }
        wanted = strong.vocabulary.distortion_index(label)
        for name, pair in pairs.items():
            said = labels_of(model.predict(*pair, picture.masks))[0]
            right.setdefault(name, []).append(said == wanted)
    for name, found in right.items():
        rows.add(f"tones named, {name}", np.concatenate(found).mean())


def without_gaps(image: Picture, rng: np.random.Generator) -> Picture:
    """The picture with each channel's values spread half-way to the next ones that occur."""
    out = np.empty_like(image)
    for channel in range(image.shape[2]):
        values = image[..., channel]
        levels = np.unique(values).astype(np.float32)
        between = (levels[1:] + levels[:-1]) / 2
        low = np.concatenate([levels[:1], between])
        high = np.concatenate([between, levels[-1:]])
        place = np.searchsorted(levels, values)
        share = rng.random(values.shape, dtype=np.float32)
        spread = low[place] + share * (high[place] - low[place])
        out[..., channel] = np.rint(spread).astype(np.uint8)
    return out


def double_row(model: Model, pictures: Sequence[BenchPicture], rows: Rows) -> None:
    """Two different distortions in every region of one picture, against its clean version."""
    right = total = 0
    for picture in pictures:
        image = picture.rgb
        truth: list[list[int]] = []
        for mask, region in zip(picture.masks, picture.region_ids, strict=True):
            rng = generator(0, picture.tag, "double", region)
            types = rng.choice(len(DEFAULT_RECIPE.types), 2, replace=False)
            truth.append([])
            for kind in types:
                label = DEFAULT_RECIPE.types[kind]
                draw = draw_region(label, DEFAULT_RECIPE, rng)
                image = paste(image, apply_draw(image, draw, rng), mask)
                truth[-1].append(DEFAULT_RECIPE.vocabulary.distortion_index(label))
        other = mixed_version(picture, MIXED[1], DEFAULT_RECIPE)
        found = labels_of(model.predict(image, other, picture.masks))[0]
        right += sum(f in t for f, t in zip(found.tolist(), truth, strict=True))
        total += len(truth)
    rows.add("two distortions at once, either named", right / max(total, 1))


def codec_rows(model: Model, pictures: Sequence[BenchPicture], rows: Rows) -> None:
    """Regions under a codec that the protocol does not draw, beside a mixed version."""
    wanted = DEFAULT_RECIPE.vocabulary.distortion_index("compression")
    for codec in ("webp", "avif"):
        right = total = 0
        for picture in pictures:
            image = picture.rgb
            for mask, region in zip(picture.masks, picture.region_ids, strict=True):
                rng = generator(0, picture.tag, codec, region)
                level = int(rng.integers(1, LEVELS + 1))
                image = paste(image, apply(picture.rgb, "compression", codec, level, rng), mask)
            other = mixed_version(picture, MIXED[1], DEFAULT_RECIPE)
            found = labels_of(model.predict(image, other, picture.masks))[0]
            right += int((found == wanted).sum())
            total += len(found)
        rows.add(f"{codec.upper()} called compression", right / max(total, 1))


def even_row(model: Model, pictures: Sequence[BenchPicture], rows: Rows) -> None:
    """The same distortion all over a picture, which then has no edges between regions, against
    the clean one; three of the types for each picture.
    """
    right = total = 0
    for picture in pictures:
        rng = generator(0, picture.tag, "even")
        for kind in rng.choice(len(DEFAULT_RECIPE.types), 3, replace=False):
            label = DEFAULT_RECIPE.types[kind]
            image = apply_draw(picture.rgb, draw_region(label, DEFAULT_RECIPE, rng), rng)
            found = labels_of(model.predict(image, picture.rgb, picture.masks))
            truth = DEFAULT_RECIPE.vocabulary.distortion_index(label)
            right += int((found[0] == truth).sum())
            total += found.shape[1]
    rows.add("the same distortion all over a picture", right / max(total, 1))


def held_out_rows(model: Model, pictures: Sequence[BenchPicture], rows: Rows) -> None:
    """Renderers, noise and a codec that training never draws, all over a picture, beside the clean
    one: regions with the type's name, where what is lost is enough for a label.
    """
    for name in HELD_OUT:
        label, _, renderer = name.partition(":")
        if not find_subtype(label, renderer).available:
            print(f"{name} cannot be made here")
            continue
        recipe = replace(DEFAULT_RECIPE, made_of={label: (name,)}, labelled_by="loss")
        wanted = recipe.vocabulary.distortion_index(label)
        right: list[NDArray[np.bool_]] = []
        for picture in pictures:
            rng = generator(0, picture.tag, name)
            drawn = draw_region(label, recipe, rng)
            draw, image = labelled_frame(drawn, Frames(picture.rgb), recipe, rng)
            if draw.distortion == label:
                said = model.predict(image, picture.rgb, picture.masks)
                right.append(labels_of(said)[0] == wanted)
        if right:
            rows.add(f"never trained on: {name} called {label}", np.concatenate(right).mean())


def known_rows(model: Model, pictures: Sequence[BenchPicture], rows: Rows) -> None:
    """AUROC of `known`: regions of mixed versions against regions of each unseen distortion."""
    known: list[NDArray[np.float64]] = []
    unknown: dict[str, list[NDArray[np.float64]]] = {name: [] for name in UNSEEN}
    for picture in pictures:
        first, second = (mixed_version(picture, name, DEFAULT_RECIPE) for name in MIXED)
        said = model.predict(first, second, picture.masks)
        if said.known is None:
            print("this model does not say what it knows")
            return
        known.append(said.known.ravel())
        for name, distort in UNSEEN.items():
            rng = generator(0, picture.tag, name)
            image = distort(picture.rgb, int(rng.integers(1, 4)))
            found = model.predict(image, second, picture.masks).known
            if found is not None:
                unknown[name].append(found[0])
    inside = np.concatenate(known)
    for name, values in unknown.items():
        rows.add(f"known: AUROC against {name}", auroc(inside, np.concatenate(values)))
    everything = np.concatenate([v for values in unknown.values() for v in values])
    rows.add("known: AUROC against all five", auroc(inside, everything))
    threshold = model.identity.known_threshold
    if threshold is not None:
        rows.add("of the five, called uncertain", float((everything < threshold).mean()))
        rows.add("of the vocabulary's, called uncertain", float((inside < threshold).mean()))
