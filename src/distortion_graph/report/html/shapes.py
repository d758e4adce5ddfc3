"""Outlines of regions as SVG paths, along the edges of their pixels."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from distortion_graph.graph import Mask
from distortion_graph.masks.rle import Rle

ROOM = 160_000
"""Characters that the outlines of a page may take; beyond it they are simplified."""

_SEARCH_PX = 256
_STEPS_PX = (0.0, 0.75, 1.5, 3.0, 6.0, 12.0)

Rings = list[NDArray[np.int32]]


def outlines(masks: Sequence[Mask | None], size: tuple[int, int]) -> list[str | None]:
    """An SVG path for each mask in units of the picture's pixels, to be filled by even-odd.

    Args:
        masks: any number; None stays None, and so does a mask without a pixel.
        size: (h, w) of the picture that the paths lie on; masks of another size are stretched.

    Returns:
        Paths along the outer edges of pixels; corners are cut by up to half a pixel, and holes
        are up to one pixel too small. All together take no more than about `ROOM` characters:
        where they would, points that lie within a few pixels of the simplified line are left out,
        and then the smallest of a region's pieces.
    """
    rings = [_rings(mask) if mask is not None else [] for mask in masks]
    scales = [_scale(mask, size) if mask is not None else (1.0, 1.0) for mask in masks]
    paths: list[str | None] = []
    for step in _STEPS_PX:
        paths = [_path(r, s, step) for r, s in zip(rings, scales, strict=True)]
        if sum(len(path or "") for path in paths) <= ROOM:
            return paths
    share = ROOM // len(paths)
    return [path and _largest(path, share) for path in paths]


def _largest(path: str, room: int) -> str:
    """As many of a path's rings as there is room for, the longest first; one at least."""
    rings = sorted((f"{ring}z" for ring in path.split("z") if ring), key=len, reverse=True)
    ends = np.cumsum([len(ring) for ring in rings])
    return "".join(rings[: max(1, int(np.searchsorted(ends, room, "right")))])


def deepest_point(mask: Mask | None, size: tuple[int, int]) -> tuple[int, int] | None:
    """(x, y) of the point of a region that is farthest from its edge, on a picture of that size."""
    inside = None if mask is None else Rle(mask.size, mask.counts).crop()
    if mask is None or inside is None or not inside.mask.any():
        return None
    shrink = max(1.0, max(inside.mask.shape) / _SEARCH_PX)
    height, width = (max(1, round(side / shrink)) for side in inside.mask.shape)
    small = cv2.resize(
        inside.mask.astype(np.uint8) * 255, (width, height), interpolation=cv2.INTER_AREA
    )
    depth = cv2.distanceTransform(np.pad((small > 127).astype(np.uint8), 1), cv2.DIST_L2, 3)
    y, x = np.unravel_index(int(depth.argmax()), depth.shape)
    across, down = _scale(mask, size)
    return (
        round((inside.box.x + (float(x) - 0.5) * inside.mask.shape[1] / width) * across),
        round((inside.box.y + (float(y) - 0.5) * inside.mask.shape[0] / height) * down),
    )


def _scale(mask: Mask, size: tuple[int, int]) -> tuple[float, float]:
    """Across and down."""
    return size[1] / mask.size[1], size[0] / mask.size[0]


def _rings(mask: Mask) -> Rings:
    """Closed lines through corners of pixels: corner (x, y) is the upper left one of pixel (x, y).

    A corner belongs to a region where one of the four pixels around it does, so that a line one
    pixel wide still has an area.
    """
    crop = Rle(mask.size, mask.counts).crop()
    inside = crop.mask
    if not inside.any():
        return []
    corners = np.zeros((inside.shape[0] + 1, inside.shape[1] + 1), np.uint8)
    for down in (0, 1):
        for right in (0, 1):
            spot = corners[down : down + inside.shape[0], right : right + inside.shape[1]]
            np.maximum(spot, inside, out=spot)
    contours, _ = cv2.findContours(corners, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    shift = np.array([crop.box.x, crop.box.y], np.int32)
    return [np.asarray(ring[:, 0] + shift, np.int32) for ring in contours]


def _path(rings: Rings, scale: tuple[float, float], step: float) -> str | None:
    if not rings:
        return None
    parts = []
    for ring in rings:
        line = ring
        if step:
            line = np.asarray(cv2.approxPolyDP(ring[:, None], step, True)[:, 0], np.int32)
            if len(line) < 3:  # a speck: its box still shows where it is
                x, y, w, h = cv2.boundingRect(ring[:, None])
                line = np.array([(x, y), (x + w, y), (x + w, y + h), (x, y + h)], np.int32)
        points = np.rint(line * np.array(scale)).astype(int)
        moves = np.diff(points, axis=0)
        rest = " ".join(f"{x} {y}" for x, y in moves.tolist())
        parts.append(f"M{points[0, 0]} {points[0, 1]}l{rest}z")
    return "".join(parts)
