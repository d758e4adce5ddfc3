"""The pairs of `alignment.py`: photographs under known movements, distorted; all drawn by key."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from distortion_graph.pictures.align.matrices import (
    Matrix,
    about_centres,
    corners,
    in_indices,
    moved,
    shift,
)
from distortion_graph.pictures.images import load_picture
from distortion_graph.synth.distort import PUBLISHED, apply
from distortion_graph.synth.keys import generator

Picture = NDArray[np.uint8]
Kind = Literal["none", "translation", "similarity", "homography"]

KINDS: tuple[Kind, ...] = get_args(Kind)
TOLERANCE_PX: dict[Kind, float] = {
    "none": 0.1,
    "translation": 0.1,
    "similarity": 0.3,
    "homography": 0.5,
}
LEVELS = (4, 5)
MARGIN = 0.11  # of a side, on each side
SHIFT = 0.05  # of the shorter side
TURN_DEGREES = 5.0
LOG_SCALE = 0.07
CORNER = 0.05  # of the shorter side
BENT_PX = 3.0
SMALL_SIDES = (24, 32, 48, 64, 96, 128)
TYPES = tuple(dict.fromkeys(entry.distortion for entry in PUBLISHED))


class Pair(NamedTuple):
    """Two pictures and the truth about them: target to anchor, in pixels."""

    anchor: Picture
    target: Picture
    matrix: Matrix


def drawn_matrix(kind: Kind, size: tuple[int, int], rng: np.random.Generator) -> Matrix:
    """A warp of a kind, target to anchor, both of `size` (h, w)."""
    h, w = size
    side = min(h, w)
    if kind == "none":
        return np.eye(3)
    dx, dy = (float(x) for x in rng.uniform(-SHIFT, SHIFT, 2) * side)
    if kind == "translation":
        return shift(dx, dy)
    if kind == "similarity":
        turn = math.radians(rng.uniform(-TURN_DEGREES, TURN_DEGREES))
        scale = math.exp(rng.uniform(-LOG_SCALE, LOG_SCALE))
        return shift(dx, dy) @ about_centres(turn, scale, size, size)
    ends = corners(size) + rng.uniform(-CORNER, CORNER, (4, 2)) * side
    found = cv2.getPerspectiveTransform(corners(size).astype(np.float32), ends.astype(np.float32))
    return np.asarray(found, np.float64)


def make_pair(photograph: Picture, kind: Kind, rng: np.random.Generator) -> Pair:
    """The middle of a photograph, and the same through a warp that stays inside of it."""
    height, width = photograph.shape[:2]
    left, top = round(width * MARGIN), round(height * MARGIN)
    size = (height - 2 * top, width - 2 * left)
    while True:
        matrix = drawn_matrix(kind, size, rng)
        whole = shift(left, top) @ matrix
        places = moved(whole, corners(size))
        if (places >= 2).all() and (places <= [width - 2, height - 2]).all():
            break
    flags = cv2.INTER_LANCZOS4 | cv2.WARP_INVERSE_MAP
    target = cv2.warpPerspective(photograph, in_indices(whole), size[::-1], flags=flags)
    anchor = photograph[top : top + size[0], left : left + size[1]]
    return Pair(np.ascontiguousarray(anchor), np.asarray(target, np.uint8), matrix)


def severely(picture: Picture, distortion: str, tag: str) -> tuple[Picture, str]:
    """A picture under a drawn sub-type at level 4 or 5, and which."""
    rng = generator(0, "alignment", tag, distortion)
    names = [e.name for e in PUBLISHED if e.distortion == distortion and e.drawn]
    name, level = str(rng.choice(names)), int(rng.choice(LEVELS))
    return apply(picture, distortion, name, level, rng), f"{name} {level}"


def photographs(folders: Sequence[Path], limit: int) -> list[tuple[str, Picture]]:
    """`limit` photographs of each folder, evenly spread over those of 0.13 MP or more."""
    chosen = []
    for folder in folders:
        every = sorted((folder / "images").glob("*.jpg"))
        pictures = [(path.stem, load_picture(path).rgb) for path in every]
        large = [p for p in pictures if p[1].shape[0] * p[1].shape[1] >= 130_000]
        places = np.linspace(0, len(large) - 1, min(limit, len(large))).round().astype(int)
        chosen += [large[k] for k in places]
    return chosen


def warped_pairs(
    pictures: Sequence[tuple[str, Picture]], kinds: Sequence[Kind]
) -> Iterator[tuple[str, Kind, str, str, Pair]]:
    """Every photograph under every kind of warp and every type of distortion."""
    for tag, photograph in pictures:
        for kind in kinds:
            for distortion in TYPES:
                rng = generator(0, "alignment", tag, kind, distortion)
                pair = make_pair(photograph, kind, rng)
                target, sub_type = severely(pair.target, distortion, f"{tag} {kind}")
                yield tag, kind, distortion, sub_type, pair._replace(target=target)


def other_pairs(
    pictures: Sequence[tuple[str, Picture]],
) -> Iterator[tuple[str, str, str, str, Pair]]:
    """What is not the same scene, or not the same way up, each under every type of distortion."""
    turns = {"mirrored": None, "turned by 90°": 3, "turned by 180°": 2, "turned by 270°": 1}
    for k, (tag, photograph) in enumerate(pictures):
        other = pictures[(k + 1) % len(pictures)][1]
        for distortion in TYPES:
            target, sub_type = severely(other, distortion, f"{tag} unrelated")
            yield tag, "unrelated", distortion, sub_type, Pair(photograph, target, np.eye(3))
        # One type for each photograph and turn, all types in the end.
        for n, (name, quarters) in enumerate(turns.items()):
            distortion = TYPES[(k + 4 * n) % len(TYPES)]
            target, sub_type = severely(photograph, distortion, f"{tag} {name}")
            moved_by = target[:, ::-1] if quarters is None else np.rot90(target, quarters)
            pair = Pair(photograph, np.ascontiguousarray(moved_by), np.eye(3))
            yield tag, name, distortion, sub_type, pair


def bent_pair(
    photograph: Picture, rng: np.random.Generator
) -> tuple[Picture, Picture, NDArray[np.float32]]:
    """The middle of a photograph, the same bent, and what is added (h, w, 2) to target's places."""
    height, width = photograph.shape[:2]
    left, top = round(width * MARGIN), round(height * MARGIN)
    h, w = height - 2 * top, width - 2 * left
    y, x = np.mgrid[:h, :w].astype(np.float32)
    a, b, c, d = rng.uniform(0, 2 * math.pi, 4)
    across = np.sin(2 * math.pi * y / (0.6 * h) + a) * np.sin(2 * math.pi * x / (0.8 * w) + b)
    down = np.sin(2 * math.pi * x / (0.6 * w) + c) * np.sin(2 * math.pi * y / (0.9 * h) + d)
    displacement = (BENT_PX * np.dstack([across, down])).astype(np.float32)
    places = np.dstack([x + left, y + top]).astype(np.float32) + displacement
    target = cv2.remap(photograph, places, None, cv2.INTER_LANCZOS4)  # type: ignore[call-overload]
    anchor = np.ascontiguousarray(photograph[top : top + h, left : left + w])
    return anchor, np.asarray(target, np.uint8), displacement


def small_and_pasted_pairs(
    pictures: Sequence[tuple[str, Picture]],
) -> Iterator[tuple[Pair, bool]]:
    """Pairs of which small size or a strange part makes it hard to say whether they are one scene.

    Each photograph and its successor, distorted by the next of the types: reduced to 24 to 128 px,
    and with a part of a third photograph pasted in.
    """
    for k, (tag, photograph) in enumerate(pictures):
        distortion, rng = TYPES[k % len(TYPES)], generator(0, "scene", tag)
        strange = pictures[(k + 2) % len(pictures)][1]
        for same in (True, False):
            other = photograph if same else pictures[(k + 1) % len(pictures)][1]
            factor = SMALL_SIDES[k % len(SMALL_SIDES)] / max(photograph.shape[:2])
            size = tuple(max(24, round(n * factor)) for n in photograph.shape[1::-1])
            small = [cv2.resize(p, size, interpolation=cv2.INTER_AREA) for p in (photograph, other)]
            target, _ = severely(np.asarray(small[1], np.uint8), distortion, f"{tag} small {same}")
            yield Pair(np.asarray(small[0], np.uint8), target, np.eye(3)), same
            target, _ = severely(_pasted(other, strange, rng), distortion, f"{tag} pasted {same}")
            yield Pair(photograph, target, np.eye(3)), same


def _pasted(picture: Picture, strange: Picture, rng: np.random.Generator) -> Picture:
    """A picture with a part of another one over a rectangle of a quarter of it."""
    h, w = (n // 2 for n in picture.shape[:2])
    top, left = (
        int(rng.integers(0, n - m + 1)) for n, m in zip(picture.shape, (h, w), strict=False)
    )
    out = picture.copy()
    out[top : top + h, left : left + w] = cv2.resize(strange, (w, h), interpolation=cv2.INTER_AREA)
    return out
