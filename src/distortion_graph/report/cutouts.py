"""A region cut out of its picture: at its own size or enlarged by a whole factor, and outlined."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from distortion_graph.graph import AnyRegion, Side
from distortion_graph.masks.boxes import Box
from distortion_graph.masks.rle import Rle
from distortion_graph.report.drawing import Canvas
from distortion_graph.report.outlines import outline
from distortion_graph.report.palette import Rgb
from distortion_graph.report.placing import Ground

_P = TypeVar("_P", bound=np.generic)
_CONTEXT_SHARE, _CONTEXT_PX, _LINE_PX = 0.12, 4, 2
_DEEP = 0.9


@dataclass(frozen=True)
class Cutout:
    """A window of a picture around a region, with that window's part of the mask.

    `factor` is how many pixels of the page a pixel becomes along either side, `whole` whether the
    window holds all of the region.
    """

    window: Box
    mask: NDArray[np.bool_]
    factor: int
    whole: bool

    @property
    def shown(self) -> tuple[int, int]:
        """Width and height on the page, in pixels."""
        return self.window.width * self.factor, self.window.height * self.factor

    def draw(self, canvas: Canvas, x: int, y: int, rgb: NDArray[np.uint8], colour: Rgb) -> None:
        """Draw the window of the picture `rgb` with its corner at (x, y) of the canvas."""
        spot = _enlarged(rgb[self.window.area], self.factor)
        outline(spot, [Ground(_enlarged(self.mask, self.factor), 0, 0)], _LINE_PX, colour)
        canvas[y : y + spot.shape[0], x : x + spot.shape[1]] = spot


def cutout_of(region: AnyRegion, side: Side, size: tuple[int, int], room: int) -> Cutout | None:
    """The region in a picture of `size` (h, w), at most `room` pixels wide and high when shown.

    Of a region that is larger, the part around its innermost pixel. Where there is no mask the box
    stands for it; None where there is neither, or nothing of it in the picture.
    """
    mask = _mask_of(region, side, size)
    if mask is None or not mask.any():
        return None
    box = Box.around(mask)
    context = max(_CONTEXT_PX, round(_CONTEXT_SHARE * max(box.width, box.height)))
    deep_y, deep_x = innermost(mask[box.area])
    middle = box.y + deep_y, box.x + deep_x
    spans = (box.y, box.bottom), (box.x, box.right)
    (y0, y1), (x0, x1) = (
        _window(span, length, context, room, at)
        for span, length, at in zip(spans, size, middle, strict=True)
    )
    whole = all(end - start <= room for start, end in spans)
    window = Box(x0, y0, x1 - x0, y1 - y0)
    factor = max(1, room // max(window.width, window.height))
    return Cutout(window, mask[window.area], factor, whole)


def _mask_of(region: AnyRegion, side: Side, size: tuple[int, int]) -> NDArray[np.bool_] | None:
    mask, box = region.mask_of(side), region.bbox_of(side)
    if mask is not None:
        inside = Rle(mask.size, mask.counts).decode()
        if inside.shape == size:
            return inside
        wanted = (size[1], size[0])
        fitted = cv2.resize(inside.astype(np.uint8), wanted, interpolation=cv2.INTER_NEAREST)
        return np.asarray(fitted, np.uint8).astype(bool)
    if box is None:
        return None
    inside = np.zeros(size, bool)
    inside[Box(*box).area] = True
    return inside


def innermost(mask: NDArray[np.bool_]) -> tuple[int, int]:
    """(y, x) of a pixel about as deep in a mask as any, of several the one nearest its middle.

    `mask` (h, w) is a region in its tight box, with at least one pixel.
    """
    depth = cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, 3)[1:-1, 1:-1]
    deepest = np.argwhere(depth >= _DEEP * depth.max())
    # Twice the distance from the middle, in whole numbers, so that ties are the same anywhere.
    away = ((2 * deepest - np.array(mask.shape) + 1) ** 2).sum(1)
    y, x = deepest[int(away.argmin())]
    return int(y), int(x)


def _window(
    span: tuple[int, int], length: int, context: int, room: int, middle: int
) -> tuple[int, int]:
    """Where the window begins and ends along one side of the picture, `length` pixels long."""
    start, end = max(0, span[0] - context), min(length, span[1] + context)
    if end - start <= room:
        return start, end
    if span[1] - span[0] <= room:
        start = max(0, span[0] - (room - (span[1] - span[0])) // 2)
    else:
        start = min(max(span[0], middle - room // 2), span[1] - room)
    return start, min(length, start + room)


def _enlarged(pixels: NDArray[_P], factor: int) -> NDArray[_P]:
    return np.array(pixels.repeat(factor, 0).repeat(factor, 1), order="C")
