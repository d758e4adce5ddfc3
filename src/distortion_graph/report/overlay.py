"""The overlay: both pictures side by side, with what the graph says written into their regions.

A region is outlined and filled in the colour of its severity, of its distortion, or of how it
compares with the same region of the other picture (`colouring`): lightly, and more along its edge,
so that the pixels can still be judged. Its label has its id, its distortions and severities, and a
mark for the comparison. Labels that do not fit are shortened, down to the number, which is always
there. Places where the pictures differ have a frame.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import ImageError
from distortion_graph.graph import (
    SIDES,
    AnyRegion,
    DistortionGraph,
    Node,
    RegionAlone,
    Side,
)
from distortion_graph.masks.rle import Rle
from distortion_graph.report.colouring import ColourBy, paint
from distortion_graph.report.common_part import dim_outside, on_one_canvas
from distortion_graph.report.drawing import Canvas, Chip, Typeface
from distortion_graph.report.heading import heading
from distortion_graph.report.layout import Layout, lay_out
from distortion_graph.report.legend import legend_rows
from distortion_graph.report.mapping import laid_of
from distortion_graph.report.outlines import ground_of, outline
from distortion_graph.report.palette import INK, PLACE, Rgb
from distortion_graph.report.places import Frame, places_on
from distortion_graph.report.placing import Ground, place_labels
from distortion_graph.report.sources import check_pixels
from distortion_graph.report.wording import all_regions, node_on, node_text, node_words, rank_of

ALONE = "here alone"
"""Of a region that only this picture has."""

_TINT, _EDGE_TINT = 0.12, 0.7
_MAP_TINT = 0.45  # where every region is filled, clean ones too


@dataclass(frozen=True)
class _Drawn:
    """A region as it appears on one side; it is filled unless there is nothing to show.

    `rank` is None of a region that this picture alone has.
    """

    number: str
    wordings: tuple[str, ...]
    rank: int | None
    colour: Rgb
    filled: bool
    ground: Ground


def overlay(
    graph: DistortionGraph,
    anchor_rgb: NDArray[np.uint8],
    target_rgb: NDArray[np.uint8],
    colour_by: ColourBy = "severity",
    framed: Sequence[Frame] = (),
) -> NDArray[np.uint8]:
    """Draw a graph on its two pictures.

    Args:
        graph: any graph; regions without a mask are left out.
        anchor_rgb: (H, W, 3) uint8, of the size that the graph gives for the anchor.
        target_rgb: (H', W', 3) uint8; shown at the anchor's size, or, where only the common part
            of the two was compared, at the anchor's scale. Where an alignment lays the two on each
            other, it keeps its own shape and shows the scene as large as the anchor does, or is
            enlarged where it would be small. What was not compared of either is dimmed.
        colour_by: "severity"; "distortion", a map with one colour for each label, clean ones too;
            or "comparison": blue where the picture is the better one of the two, orange to
            vermilion where it is the worse one, grey and not filled where both are the same.
        framed: further boxes (x, y, w, h) with a frame, in pixels of two pictures of one size.

    Returns:
        (h, w, 3) uint8: the pictures side by side (one above the other where they are very wide),
        a heading over each and a legend below. Small pictures are enlarged by a whole factor,
        large ones scaled down (`layout.SHOWN_PX`, `LARGEST_PX`).

    Raises:
        ImageError: a picture is not of the size in the graph, or `colour_by` is another word.
    """
    if colour_by not in get_args(ColourBy):
        offered = ", ".join(map(repr, get_args(ColourBy)))
        raise ImageError(f"colour_by is {colour_by!r}, expected one of {offered}")
    pictures = dict(zip(SIDES, (anchor_rgb, target_rgb), strict=True))
    for side in SIDES:
        check_pixels(graph, side, pictures[side], "overlay")
    graph, *canvases = on_one_canvas(graph, anchor_rgb, target_rgb)
    pictures = dict(zip(SIDES, canvases, strict=True))
    layout = lay_out(canvases[0].shape[1], canvases[0].shape[0], laid_of(graph))
    panels = [_panel(graph, side, pictures[side], layout, colour_by, framed) for side in SIDES]
    return _composed(graph, panels, layout, colour_by, framed=bool(framed))


def _resized(picture: NDArray[np.uint8], size: tuple[int, int]) -> Canvas:
    """The picture at (w, h)."""
    height, width = picture.shape[:2]
    if size == (width, height):
        return np.array(picture, np.uint8, order="C")
    whole = size[0] % width == 0 and size[1] % height == 0
    way = cv2.INTER_NEAREST if whole else cv2.INTER_AREA
    return np.array(cv2.resize(picture, size, interpolation=way), np.uint8, order="C")


def _panel(
    graph: DistortionGraph,
    side: Side,
    picture: NDArray[np.uint8],
    layout: Layout,
    colour_by: ColourBy,
    framed: Sequence[Frame],
) -> Canvas:
    """One picture with its regions and labels; what the other one does not show is dimmed."""
    shown = layout.shown[SIDES.index(side)]
    canvas = _resized(picture, shown)
    laid = laid_of(graph)
    if laid is not None:
        dim_outside(canvas, laid.shown(side) * np.divide(shown, picture.shape[1::-1]))
    regions = _drawn_regions(graph, side, layout, colour_by)
    for region in regions:
        if region.filled:
            inside = _MAP_TINT if colour_by == "distortion" else _TINT
            _fill(canvas, region.ground, region.colour, layout.rim, inside)
    outline(canvas, [r.ground for r in regions], layout.line)
    wordings = [_wordings(r, layout.face) for r in regions]
    sizes = [[chip.size(layout.face) for chip in chips] for chips in wordings]
    places = place_labels([r.ground for r in regions], sizes, shown, layout.rim)
    for chips, place in zip(wordings, places, strict=True):
        chips[place.choice].draw(canvas, place.x, place.y, layout.face)
    _frame_places(canvas, graph, side, picture, layout, framed)
    return canvas


def _frame_places(
    canvas: Canvas,
    graph: DistortionGraph,
    side: Side,
    picture: NDArray[np.uint8],
    layout: Layout,
    framed: Sequence[Frame],
) -> None:
    """Frames around the places, as far outside their pixels as a region's edge is tinted inside."""
    shown = layout.shown[SIDES.index(side)]
    across, down = np.divide(shown, picture.shape[1::-1]).tolist()
    room = layout.rim
    own = (box for region in graph.regions for box in places_on(graph, region, side))
    for x, y, width, height in (*own, *framed):
        first = math.floor(x * across) - room, math.floor(y * down) - room
        last = math.ceil((x + width) * across) + room, math.ceil((y + height) * down) + room
        for ink, thickness in ((INK, 2 * layout.line + 2), (PLACE, 2 * layout.line)):
            cv2.rectangle(canvas, first, last, ink, thickness, cv2.LINE_AA)


def _drawn_regions(
    graph: DistortionGraph, side: Side, layout: Layout, colour_by: ColourBy
) -> list[_Drawn]:
    drawn = []
    for region in all_regions(graph):
        node, mask = node_on(region, side), region.mask_of(side)
        if node is None or mask is None:
            continue
        ground = ground_of(Rle(mask.size, mask.counts), layout.shown[SIDES.index(side)])
        if ground is not None:
            drawn.append(_as_drawn(graph, region, side, node, ground, colour_by))
    return drawn


def _as_drawn(
    graph: DistortionGraph,
    region: AnyRegion,
    side: Side,
    node: Node,
    ground: Ground,
    colour_by: ColourBy,
) -> _Drawn:
    said = node_words(graph, node)
    texts = [node_text(graph, node, " · "), " · ".join(said), said[0]]
    if isinstance(region, RegionAlone):
        rank = None
        texts = [f"{text} · {ALONE}" for text in texts] + [ALONE]
    else:
        rank = rank_of(graph, region.comparison.label) * (1 if side == "anchor" else -1)
    colour, filled = paint(graph, colour_by, node, rank or 0)
    return _Drawn(
        number=str(region.id),
        wordings=tuple(dict.fromkeys(texts)),
        rank=rank,
        colour=colour,
        filled=filled,
        ground=ground,
    )


def _fill(canvas: Canvas, ground: Ground, colour: Rgb, rim: int, inside: float) -> None:
    """Tint a region, and its inner edge of `rim` pixels more strongly."""
    height, width = ground.mask.shape
    spot = canvas[ground.y : ground.y + height, ground.x : ground.x + width]
    depth = cv2.distanceTransform(np.pad(ground.mask, 1).astype(np.uint8), cv2.DIST_L2, 3)
    depth = depth[1:-1, 1:-1][: spot.shape[0], : spot.shape[1]]
    share = np.where(depth <= rim, np.float32(_EDGE_TINT), np.float32(inside)) * (depth > 0)
    mixed = spot + share[..., None] * (np.array(colour, np.float32) - spot)
    spot[:] = np.rint(mixed).astype(np.uint8)


def _wordings(region: _Drawn, face: Typeface) -> list[Chip]:
    """Labels from the longest to the number alone, without words the typeface cannot draw."""
    texts = [*(w for w in region.wordings if face.can_draw(w)), ""]
    chips = [Chip(region.number, text, region.rank, region.colour) for text in texts]
    return [*chips, Chip(region.number, "", None, region.colour)]


def _composed(
    graph: DistortionGraph,
    panels: list[Canvas],
    layout: Layout,
    colour_by: ColourBy,
    *,
    framed: bool,
) -> Canvas:
    """Both panels under their headings, the legend below, on the dark ground."""
    gap, bar = layout.gap, layout.bar
    across, down = (1, 2) if layout.stacked else (2, 1)
    width = gap + across * (layout.width + gap)
    laid = laid_of(graph)
    dimmed = laid is not None and laid.has_more
    legend = legend_rows(graph, layout, width - 2 * gap, colour_by, dimmed=dimmed, framed=framed)
    height = down * (bar + layout.height) + len(legend) * bar + gap // 2
    out = np.empty((height, width, 3), np.uint8)
    out[:] = INK
    for k, (side, panel) in enumerate(zip(SIDES, panels, strict=True)):
        x = gap if layout.stacked else gap + k * (layout.width + gap)
        y = k * (bar + layout.height) if layout.stacked else 0
        heading(out, graph, side, (x, x + layout.width), y + bar / 2, layout.face)
        out[y + bar : y + bar + panel.shape[0], x : x + panel.shape[1]] = panel
    y = down * (bar + layout.height)
    for row in legend:
        x = gap
        for item in row:
            item.draw(out, x, y + bar / 2, layout.face)
            x += item.width(layout.face) + 2 * gap
        y += bar
    return out
