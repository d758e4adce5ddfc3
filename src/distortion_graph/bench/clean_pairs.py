"""Pairs in which at least one picture is clean all over, as users compare them.

Pairs of the protocol hold clean regions only beside damaged ones of the same picture. A picture
with nothing wrong in it is another case, and it has to be asked about by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from distortion_graph.datasets.samples import Sample
from distortion_graph.synth.distort import LEVELS, PUBLISHED, SUBTYPES, apply
from distortion_graph.synth.distort.compression import jpeg

Image = NDArray[np.uint8]

IDENTICAL = "beside itself"
"""The kind of a pair of one picture with itself."""

_LOOKS = (95, 85, 75)  # JPEG qualities that leave a photograph clean
_DAMAGED = (60, 40, 10)  # and that do not
_BLUR_PX = 2.0
_DRAWS = 3


class CleanSample(NamedTuple):
    """A clean picture (H, W, 3), and a pair of degraded versions of that picture."""

    picture: Image
    versions: Sample


class CleanPair(NamedTuple):
    """Two pictures, the sides (0 anchor, 1 target) that are clean all over, and the distortion that
    the target has all over, if it has one.
    """

    kind: str
    anchor: Image
    target: Image
    sides: tuple[int, ...]
    damage: str | None = None


def clean_pairs(sample: CleanSample, rng: np.random.Generator) -> Iterator[CleanPair]:
    """The picture beside itself, JPEG files of itself, a blurred copy, copies that are damaged
    alike all over, and versions whose regions are damaged differently.
    """
    picture, versions = sample
    yield CleanPair(IDENTICAL, picture, picture, (0, 1))
    for quality in _LOOKS:
        yield CleanPair(f"beside JPEG {quality}", picture, jpeg(picture, quality, rng), (0, 1))
    for quality in _DAMAGED:
        coarse = jpeg(picture, quality, rng)
        yield CleanPair(f"beside JPEG {quality}", picture, coarse, (0,), "compression")
    blurred = np.asarray(cv2.GaussianBlur(picture, (0, 0), _BLUR_PX), np.uint8)
    yield CleanPair("beside a blurred copy", picture, blurred, (0,), "blur")
    for label in rng.choice(sorted(SUBTYPES), _DRAWS, replace=False).tolist():
        ways = sorted(entry.name for entry in PUBLISHED if entry.distortion == label)
        way, level = ways[int(rng.integers(len(ways)))], int(rng.integers(1, LEVELS + 1))
        damaged = apply(picture, label, way, level, rng)
        yield CleanPair("beside a copy damaged all over", picture, damaged, (0,), label)
    yield CleanPair("beside a mixed version", picture, versions.target, (0,))
    yield CleanPair("beside a mixed version", versions.anchor, picture, (1,))
