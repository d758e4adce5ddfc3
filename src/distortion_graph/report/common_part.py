"""Two pictures of which not all was compared: one scale for both, and the rest dimmed."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from distortion_graph.graph import DistortionGraph, Mask, Node
from distortion_graph.masks.rle import Rle, rle_from_mask
from distortion_graph.report.drawing import Canvas, blend
from distortion_graph.report.mapping import Points
from distortion_graph.report.palette import INK

_FRACTION_BITS = 4
_DIMMED = 0.45  # of what was not compared, towards the dark ground


def on_one_canvas(
    graph: DistortionGraph, anchor_rgb: NDArray[np.uint8], target_rgb: NDArray[np.uint8]
) -> tuple[DistortionGraph, Canvas, Canvas]:
    """The graph and both pictures on canvases of one size, that hold either picture.

    What was not compared is dimmed, and where a picture ends the ground is dark. A graph of all of
    both pictures, and its pictures, stay as they are.
    """
    part = graph.common_part()
    if part is None:
        return graph, anchor_rgb, target_rgb
    height, width = (max(anchor_rgb.shape[axis], target_rgb.shape[axis]) for axis in (0, 1))
    size = {"height": height, "width": width}

    def laid(node: Node) -> Node:
        return node.model_copy(update={"mask": node.mask and _laid(node.mask, (height, width))})

    drawn = graph.model_copy(
        update={
            "anchor": graph.anchor.model_copy(update=size),
            "target": graph.target.model_copy(update=size),
            "regions": tuple(
                region.model_copy(
                    update={"anchor": laid(region.anchor), "target": laid(region.target)}
                )
                for region in graph.regions
            ),
        }
    )
    canvases = [_canvas(rgb, part, (height, width)) for rgb in (anchor_rgb, target_rgb)]
    return drawn, canvases[0], canvases[1]


def dim_outside(canvas: Canvas, part: Points) -> None:
    """Dim a picture outside a convex polygon of (n, 2) corners in its pixels; all, without one."""
    cover = np.zeros(canvas.shape[:2], np.uint8)
    if len(part):
        fixed = np.rint((part - 0.5) * 2**_FRACTION_BITS).astype(np.int32)
        cv2.fillConvexPoly(cover, fixed, 255, cv2.LINE_AA, _FRACTION_BITS)
    blend(canvas, np.rint((255 - cover) * _DIMMED).astype(np.uint8), 0, 0, INK)


def _canvas(rgb: NDArray[np.uint8], part: tuple[int, int], size: tuple[int, int]) -> Canvas:
    out = np.empty((*size, 3), np.uint8)
    out[:] = INK
    dark = np.array(INK, np.float32)
    dimmed = np.rint(dark + (1 - _DIMMED) * (rgb - dark)).astype(np.uint8)
    out[: rgb.shape[0], : rgb.shape[1]] = dimmed
    out[: part[0], : part[1]] = rgb[: part[0], : part[1]]
    return out


def _laid(mask: Mask, size: tuple[int, int]) -> Mask:
    """A mask of a picture on a larger canvas."""
    out = np.zeros(size, np.bool_)
    laid = Rle(mask.size, mask.counts).decode()
    out[: laid.shape[0], : laid.shape[1]] = laid
    return Mask(size=size, counts=rle_from_mask(out).counts)
