"""Set-of-mark overlays: regions outlined or boxed, each with its number, and still to be seen.

The rule: numbers and the lines that lead to them cover at most a fifth (`MOST_COVERED`) of the
pixels of any region, their own or another. A number that does not fit into its region under the
rule stands beside it, on pixels of no region or of large ones, or else in a margin around the
picture; a thin line then leads to its region. Lines between regions are drawn on the larger one.
Pixels are never resized, and those under no mark stay as they are.

Yang et al., *Set-of-Mark Prompting Unleashes Extraordinary Visual Grounding in GPT-4V* (2023).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from distortion_graph.errors import ImageError, RegionError
from distortion_graph.mllm.coverage import MOST_COVERED, Box
from distortion_graph.mllm.mark_places import Place, Point, Style, place_numbers
from distortion_graph.regions.rle import Crop, Rle, rle_from_box
from distortion_graph.report.drawing import Canvas, Typeface, rounded, typeface, write
from distortion_graph.report.palette import INK, PAPER, Rgb

__all__ = ["MOST_COVERED", "Mark", "Marked", "draw_boxes", "draw_outlines", "mark_regions"]

_FACE_SHARE, _SMALLEST_FACE, _TALLEST_FACE = 0.018, 14, 64
_YELLOW: Rgb = (255, 221, 51)


@dataclass(frozen=True)
class Mark:
    """A number as it was drawn: the region's `id`, its box and its line in pixels of the canvas.

    `leader` are the corners (x, y) of the line from the number to the region; none where the
    number stands in its region.
    """

    id: int
    box_xywh_px: tuple[int, int, int, int]
    leader: tuple[Point, ...] = ()


@dataclass(frozen=True, eq=False)
class Marked:
    """A picture with marks.

    `rgb` is the canvas, (H, W, 3) uint8; `origin` is where the picture's corner (x, y) lies in it
    and `picture_hw` the picture's size. `covered`, (h, w) bool, are the picture's pixels under
    numbers and their lines. Every region has a mark; one in several large pieces may have more.
    """

    rgb: NDArray[np.uint8] = field(repr=False)
    marks: tuple[Mark, ...]
    origin: Point
    picture_hw: tuple[int, int]
    covered: NDArray[np.bool_] = field(repr=False)


def mark_regions(rgb: NDArray[np.uint8], masks: Mapping[int, Rle]) -> Marked:
    """Outline regions and write their ids.

    Args:
        rgb: (H, W, 3) uint8.
        masks: by region id, each of the picture's size and not empty; they may overlap. Their
            order does not matter.

    Raises ImageError for another array, RegionError for masks of another size and empty ones.
    """
    ids, crops = _checked(rgb, masks)
    canvas = np.array(rgb, np.uint8, order="C")
    _outline(canvas, crops, _style(canvas).line)
    return _numbered(canvas, ids, crops, at_corners=False)


def draw_boxes(rgb: NDArray[np.uint8], masks: Mapping[int, Rle]) -> Marked:
    """As `mark_regions`, with the regions' tight boxes in place of their outlines.

    Numbers stand at a corner of their box where the rule allows it.
    """
    ids, crops = _checked(rgb, masks)
    canvas = np.array(rgb, np.uint8, order="C")
    boxes = [Crop(c.top, c.left, np.ones(c.mask.shape, np.bool_)) for c in crops]
    _outline(canvas, boxes, _style(canvas).line)
    return _numbered(canvas, ids, crops, at_corners=True)


def draw_outlines(
    rgb: NDArray[np.uint8], masks: Sequence[NDArray[np.bool_]]
) -> NDArray[np.uint8]:
    """The picture with the outlines of (H, W) masks and no numbers."""
    canvas = np.array(rgb, np.uint8, order="C")
    crops = [crop for crop in map(_crop, masks) if crop.mask.size]
    _outline(canvas, crops, 1)
    return canvas
