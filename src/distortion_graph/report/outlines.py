"""Regions on a picture as it is shown: their masks at that size, and lines around them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from distortion_graph.masks.rle import Rle
from distortion_graph.report.drawing import Canvas
from distortion_graph.report.palette import INK, PAPER, Rgb
from distortion_graph.report.placing import Ground


def ground_of(rle: Rle, shown_wh: tuple[int, int]) -> Ground | None:
    """A mask on its picture shown at (w, h) pixels, cropped; None where it has no pixel."""
    mask = rle.decode()
    ys, xs = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(ys):
        return None
    top, bottom, left, right = int(ys[0]), int(ys[-1]) + 1, int(xs[0]), int(xs[-1]) + 1
    across, down = shown_wh[0] / mask.shape[1], shown_wh[1] / mask.shape[0]
    x0, y0 = math.floor(left * across), math.floor(top * down)
    width = max(1, math.ceil(right * across) - x0)
    height = max(1, math.ceil(bottom * down) - y0)
    crop = mask[top:bottom, left:right].astype(np.uint8) * 255
    way = cv2.INTER_LINEAR if across >= 1 else cv2.INTER_AREA
    shown = cv2.resize(crop, (width, height), interpolation=way) > 127
    # Thin regions may fall between the pixels of a picture that is scaled down.
    return Ground(shown if shown.any() else np.ones((height, width), bool), x0, y0)


def outline(canvas: Canvas, grounds: Sequence[Ground], line: int, colour: Rgb = PAPER) -> None:
    """A dark line under a light or coloured one, so that it shows on any picture."""
    rings = [ring for ground in grounds for ring in _rings(ground)]
    for ink, thickness in ((INK, line + 2), (colour, line)):
        cv2.polylines(canvas, rings, True, ink, thickness, cv2.LINE_AA)


def _rings(ground: Ground) -> list[NDArray[np.int32]]:
    contours, _ = cv2.findContours(
        ground.mask.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE
    )
    return [np.asarray(ring + np.array([ground.x, ground.y]), np.int32) for ring in contours]
