"""The protocol of everything that finds regions in one picture."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import RegionError
from distortion_graph.masks.container import RegionSet
from distortion_graph.segment.auto import auto_regions


@dataclass(frozen=True)
class Segments:
    """Regions of a picture, and for each the segmenter's confidence in [0, 1] or None."""

    regions: RegionSet
    scores: tuple[float | None, ...]


class Segmenter(Protocol):
    """Finds regions in a picture.

    `name` and `version` are recorded in data sets: together they must change whenever an answer
    may change.
    """

    @property
    def name(self) -> str:
        """Such as "auto" or "panoptic:" and a checkpoint's name."""
        ...

    @property
    def version(self) -> str:
        """Of the algorithm or weights."""
        ...

    def segment(self, rgb: NDArray[np.uint8]) -> Segments:
        """Regions of an (H, W, 3) RGB picture; raises RegionError where there is none."""
        ...


class AutoSegmenter:
    """Regions without names, found by colour and edges (`distortion_graph.segment.auto`)."""

    name = "auto"
    version = "1"

    def segment(self, rgb: NDArray[np.uint8]) -> Segments:
        """Regions that tile the picture; their names are numbers."""
        regions = auto_regions(rgb)
        return Segments(regions, (None,) * len(regions))


PANOPTIC_PREFIX = "panoptic:"
SEGMENTERS_HELP = "auto, or panoptic:NAME_OR_PATH of a panoptic checkpoint"
"""What the text of a segmenter may be, for a command's help."""

_KEPT_LOADED = 2


def check_segmenter(spec: str) -> str:
    """The text itself; raises RegionError unless `load_segmenter` knows it. Loads nothing."""
    if spec == AutoSegmenter.name or spec.removeprefix(PANOPTIC_PREFIX) not in (spec, ""):
        return spec
    raise RegionError(f"segmenter {spec!r}: unknown, expected {SEGMENTERS_HELP}")


@lru_cache(maxsize=_KEPT_LOADED)
def load_segmenter(spec: str) -> Segmenter:
    """The segmenter that a text stands for; a process keeps the last ones it loaded.

    "auto", or "panoptic:" and the name or folder of a checkpoint
    (`distortion_graph.segment.panoptic_model`). Raises RegionError for another text, and what the
    checkpoint's loading raises.
    """
    if check_segmenter(spec) == AutoSegmenter.name:
        return AutoSegmenter()
    from distortion_graph.segment.panoptic_model import panoptic_segmenter

    return panoptic_segmenter(spec.removeprefix(PANOPTIC_PREFIX))
