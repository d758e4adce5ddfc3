"""`align`: how a target lies on its anchor."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import ImageError
from distortion_graph.pictures.align.alignment import ALIGN_MODES, Alignment, AlignMode, Reason
from distortion_graph.pictures.align.detail import Pyramid
from distortion_graph.pictures.align.flow import local_flow
from distortion_graph.pictures.align.matrices import (
    Matrix,
    Size,
    inverted,
    mirror,
    normalised,
    overlap_share,
    turn_of,
)
from distortion_graph.pictures.align.quick import is_registered, order
from distortion_graph.pictures.align.refine import (
    COARSE_PIXELS,
    MIDDLE_PIXELS,
    Levels,
    levels_for,
)
from distortion_graph.pictures.align.residual import residual
from distortion_graph.pictures.align.search import (
    DOUBTFUL_NATS,
    PLAIN_NATS,
    Coarse,
    Search,
    coarse_search,
    frame_model,
    frames,
    made_alike,
    search,
)
from distortion_graph.pictures.align.trust import (
    Measurements,
    confidence,
    is_flat,
    measurements,
    reason_against,
    same_scene,
)
from distortion_graph.work.threads import thread_budget

_MIRRORED_NATS = 800.0  # below it the mirrored picture is tried: many scenes are half symmetric
_LEAST_SIDE = 16
_QUARTER = math.pi / 2
_NEAR_QUARTER = math.radians(20)


def align(
    anchor_rgb: NDArray[np.uint8], target_rgb: NDArray[np.uint8], model: AlignMode = "auto"
) -> Alignment:
    """How a target lies on its anchor; both (H, W, 3) uint8 RGB of any two sizes.

    `model` is what may be found: "auto" the simplest of none, translation, similarity and
    homography that explains the pictures; "flow" the same and small local motion; one of the others
    that alone; "none" that both are compared as they are. Two equal pictures, and for "auto" two
    that lie on each other to half a pixel, have the model "none".

    The same pictures give the same answer to the bit, and swapping them gives its `swapped()`.

    Raises ImageError for another array, an unknown `model`, and "none" for pictures of two sizes.
    """
    if model not in ALIGN_MODES:
        raise ImageError(f"align is {model!r}, expected one of {', '.join(map(repr, ALIGN_MODES))}")
    for name, rgb in (("anchor", anchor_rgb), ("target", target_rgb)):
        if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8 or not rgb.size:
            raise ImageError(
                f"{name}: found an array of shape {rgb.shape} and {rgb.dtype}, expected "
                "(H, W, 3) uint8 with at least one pixel"
            )
    turn = order(anchor_rgb, target_rgb)
    if turn == 0:
        return _identical(anchor_rgb.shape[:2])
    if model == "none" and anchor_rgb.shape != target_rgb.shape:
        raise ImageError(
            f"target: is {target_rgb.shape[1]}×{target_rgb.shape[0]}, expected "
            f"{anchor_rgb.shape[1]}×{anchor_rgb.shape[0]} as anchor; align 'auto' finds how "
            "pictures of two sizes lie on each other"
        )
    # OpenCV on one thread, and the pictures in an order of their own: the bits depend on neither.
    with thread_budget():
        if turn < 0:
            return _aligned(Pyramid(anchor_rgb), Pyramid(target_rgb), model)
        return _aligned(Pyramid(target_rgb), Pyramid(anchor_rgb), model).swapped()


class Found(NamedTuple):
    """Where a search ended, and what was measured there, at `levels`.

    `of` is the picture that is moved, mirrored first where `mirrored`; `turned` degrees clockwise,
    to a quarter, are part of the motion.
    """

    search: Search
    onto: Pyramid
    of: Pyramid
    mirrored: bool
    turned: int
    levels: Levels
    measured: Measurements


def find(onto: Pyramid, of: Pyramid, mode: AlignMode) -> Found:
    """The search behind `align`, for two pictures in their canonical order."""
    as_they_are = mode == "none" or (mode in ("auto", "flow") and is_registered(onto, of))
    mirrored, turned = False, 0
    if as_they_are:
        end = _unsearched(onto, of)
    else:
        coarse, of, mirrored = _coarse(onto, of)
        turned = _quarter_turn(coarse.matrix, of.size)
        alike = made_alike(onto, of, coarse)
        onto, of = alike.onto, alike.of
        end = search(alike, coarse.information, mode)
    levels = levels_for(onto, of, end.matrix, MIDDLE_PIXELS)
    return Found(end, onto, of, mirrored, turned, levels, measurements(end, levels))


def _identical(size: tuple[int, ...]) -> Alignment:
    one = np.eye(3)
    return Alignment("none", one, one, (size[0], size[1]), (size[0], size[1]), 0.0, 1.0, 1.0)


def _aligned(onto: Pyramid, of: Pyramid, mode: AlignMode) -> Alignment:
    if min(*onto.size, *of.size) < _LEAST_SIDE or is_flat(onto) or is_flat(of):
        return _frame_on_frame(onto, of, 0.5, "flat")
    found = find(onto, of, mode)
    measured, matrix, model = found.measured, found.search.matrix, found.search.model
    overlap = overlap_share(matrix, of.size, onto.size)
    reason = reason_against(measured, overlap, found.turned, found.mirrored)
    if reason == "unrelated":
        return _frame_on_frame(onto, of, same_scene(measured), reason)
    if found.mirrored:
        matrix = normalised(matrix @ mirror(of.size))
        model = "similarity" if model in ("none", "translation") else model
    aligned = Alignment(
        model,
        matrix,
        inverted(matrix),
        onto.size,
        of.size,
        residual(found.levels, found.search.matrix),
        confidence(measured),
        same_scene(measured),
        reason,
        found.turned,
    )
    if mode != "flow" or reason is not None:
        return aligned
    there, back = local_flow(onto, of, matrix)
    return replace(aligned, model="flow", flow=there, back_flow=back)


def _frame_on_frame(onto: Pyramid, of: Pyramid, scene: float, reason: Reason) -> Alignment:
    """Frame on frame, where nothing can be found or believed."""
    matrix = frames(onto, of)
    return Alignment(
        frame_model(onto, of),
        matrix,
        inverted(matrix),
        onto.size,
        of.size,
        None,
        0.0,
        scene,
        reason,
    )


def _unsearched(onto: Pyramid, of: Pyramid) -> Search:
    """Frame on frame, as if a search had ended there."""
    matrix = frames(onto, of)
    coarse, middle = (
        levels_for(onto, of, matrix, pixels).shared(matrix)
        for pixels in (COARSE_PIXELS, MIDDLE_PIXELS)
    )
    return Search(frame_model(onto, of), matrix, None, coarse.information, middle)


def _coarse(onto: Pyramid, of: Pyramid) -> tuple[Coarse, Pyramid, bool]:
    """The best guess, and of which picture: the mirrored one where only that is found."""
    plain = coarse_search(onto, of)
    if plain.information < _MIRRORED_NATS:
        flipped = of.mirrored()
        other = coarse_search(onto, flipped, plain.information < PLAIN_NATS)
        if other.information > max(DOUBTFUL_NATS, 2 * plain.information):
            return other, flipped, True
    return plain, of, False


def _quarter_turn(matrix: Matrix, size: Size) -> int:
    """0, 90, 180 or 270: the quarter turns, clockwise, in a mapping that is near to one."""
    turn = turn_of(matrix, size)
    quarters = round(turn / _QUARTER)
    return quarters * 90 % 360 if abs(turn - quarters * _QUARTER) < _NEAR_QUARTER else 0
