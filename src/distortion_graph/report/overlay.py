"""The overlay: both pictures side by side, with what the graph says written into their regions.

A region is outlined and filled in the colour of its severity, of its distortion, or of how it
compares with the same region of the other picture (`colouring`): lightly, and more along its edge,
so that the pixels can still be judged. Its label has its id, its distortions and severities, and a
mark for the comparison. Labels that do not fit are shortened, down to the number, which is always
there. Places where the pictures differ have a frame.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import ImageError
from distortion_graph.graph import SIDES, DistortionGraph, Side
from distortion_graph.masks.rle import Rle
from distortion_graph.report.colouring import ColourBy, meanings, paint
from distortion_graph.report.common_part import on_one_canvas
from distortion_graph.report.drawing import (
    Canvas,
    Chip,
    Typeface,
    draw_marks,
    marks_width,
    rounded,
    typeface,
    write_middle,
)
from distortion_graph.report.heading import heading
from distortion_graph.report.outlines import ground_of, outline
from distortion_graph.report.palette import (
    INK,
    MUTED,
    PLACE,
    Rgb,
)
from distortion_graph.report.places import places, places_on
from distortion_graph.report.placing import Ground, place_labels
from distortion_graph.report.sources import check_pixels
from distortion_graph.report.wording import node_text, node_words, rank_of

SHOWN_PX = 900
"""Pictures whose long side is shorter are enlarged by a whole factor to at least this."""

LARGEST_PX = 2400
"""Pictures whose long side is longer are scaled down to this."""

_TALLEST_FACE, _SMALLEST_FACE = 64, 12
_FACE_SHARE = 0.024
_LANDSCAPE = 2.2
_TINT, _EDGE_TINT = 0.12, 0.7
_MAP_TINT = 0.45  # where every region is filled, clean ones too


@dataclass(frozen=True)
class _Layout:
    """Sizes in pixels: of a picture as shown, of the letters, of margins and bars."""

    width: int
    height: int
    face: Typeface
    stacked: bool

    @property
    def gap(self) -> int:
        return round(0.7 * self.face.px)

    @property
    def bar(self) -> int:
        return round(2.2 * self.face.px)

    @property
    def line(self) -> int:
        return max(1, round(self.face.px / 20))

    @property
    def rim(self) -> int:
        return max(3, round(0.4 * self.face.px))


@dataclass(frozen=True)
class _Drawn:
    """A region as it appears on one side; it is filled unless there is nothing to show."""

    number: str
    wordings: tuple[str, ...]
    rank: int
    colour: Rgb
    filled: bool
    ground: Ground


def overlay(
    graph: DistortionGraph,
    anchor_rgb: NDArray[np.uint8],
    target_rgb: NDArray[np.uint8],
    colour_by: ColourBy = "severity",
) -> NDArray[np.uint8]:
    """Draw a graph on its two pictures.

    Args:
        graph: any graph; regions without a mask are left out.
        anchor_rgb: (H, W, 3) uint8, of the size that the graph gives for the anchor.
        target_rgb: (H', W', 3) uint8; shown at the anchor's size, or, where only the common part
            of the two was compared, at the anchor's scale, the rest of both dimmed.
        colour_by: "severity"; "distortion", a map with one colour for each label, clean ones too;
            or "comparison": blue where the picture is the better one of the two, orange to
            vermilion where it is the worse one, grey and not filled where both are the same.

    Returns:
        (h, w, 3) uint8: the pictures side by side (one above the other where they are very wide),
        a heading over each and a legend below. Small pictures are enlarged by a whole factor,
        large ones scaled down (`SHOWN_PX`, `LARGEST_PX`).

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
    layout = _layout(canvases[0].shape[1], canvases[0].shape[0])
    panels = [_panel(graph, side, pictures[side], layout, colour_by) for side in SIDES]
    return _composed(graph, panels, layout, colour_by)


def _layout(width: int, height: int) -> _Layout:
    longest = max(width, height)
    scale = float(math.ceil(SHOWN_PX / longest)) if longest < SHOWN_PX else 1.0
    scale = min(scale, LARGEST_PX / longest)
    shown_w, shown_h = max(1, round(width * scale)), max(1, round(height * scale))
    face = round(_FACE_SHARE * math.sqrt(max(shown_w * shown_h, (max(shown_w, shown_h) / 2) ** 2)))
    face = min(max(face, _SMALLEST_FACE), _TALLEST_FACE)
    return _Layout(shown_w, shown_h, typeface(face), stacked=width > _LANDSCAPE * height)


def _resized(picture: NDArray[np.uint8], layout: _Layout) -> Canvas:
    height, width = picture.shape[:2]
    if (layout.width, layout.height) == (width, height):
        return np.array(picture, np.uint8, order="C")
    whole = layout.width % width == 0 and layout.height % height == 0
    way = cv2.INTER_NEAREST if whole else cv2.INTER_AREA
    size = (layout.width, layout.height)
    return np.array(cv2.resize(picture, size, interpolation=way), np.uint8, order="C")


def _panel(
    graph: DistortionGraph,
    side: Side,
    picture: NDArray[np.uint8],
    layout: _Layout,
    colour_by: ColourBy,
) -> Canvas:
    """One picture with its regions and labels."""
    canvas = _resized(picture, layout)
    regions = _drawn_regions(graph, side, layout, colour_by)
    for region in regions:
        if region.filled:
            inside = _MAP_TINT if colour_by == "distortion" else _TINT
            _fill(canvas, region.ground, region.colour, layout.rim, inside)
    outline(canvas, [r.ground for r in regions], layout.line)
    wordings = [_wordings(r, layout.face) for r in regions]
    sizes = [[chip.size(layout.face) for chip in chips] for chips in wordings]
    places = place_labels(
        [r.ground for r in regions], sizes, (layout.width, layout.height), layout.rim
    )
    for chips, place in zip(wordings, places, strict=True):
        chips[place.choice].draw(canvas, place.x, place.y, layout.face)
    _frame_places(canvas, graph, side, picture, layout)
    return canvas


def _frame_places(
    canvas: Canvas,
    graph: DistortionGraph,
    side: Side,
    picture: NDArray[np.uint8],
    layout: _Layout,
) -> None:
    """Frames around the places, as far outside their pixels as a region's edge is tinted inside."""
    across, down = layout.width / picture.shape[1], layout.height / picture.shape[0]
    room = layout.rim
    for region in graph.regions:
        for x, y, width, height in places_on(graph, region, side):
            first = math.floor(x * across) - room, math.floor(y * down) - room
            last = math.ceil((x + width) * across) + room, math.ceil((y + height) * down) + room
            for ink, thickness in ((INK, 2 * layout.line + 2), (PLACE, 2 * layout.line)):
                cv2.rectangle(canvas, first, last, ink, thickness, cv2.LINE_AA)


def _drawn_regions(
    graph: DistortionGraph, side: Side, layout: _Layout, colour_by: ColourBy
) -> list[_Drawn]:
    drawn = []
    for region in graph.regions:
        mask = region.mask_of(side)
        shown = (layout.width, layout.height)
        ground = None if mask is None else ground_of(Rle(mask.size, mask.counts), shown)
        if ground is None:
            continue
        node = region.node(side)
        rank = rank_of(graph, region.comparison.label) * (1 if side == "anchor" else -1)
        colour, filled = paint(graph, colour_by, node, rank)
        said = node_words(graph, node)
        texts = node_text(graph, node, " · "), " · ".join(said), said[0]
        drawn.append(
            _Drawn(
                number=str(region.id),
                wordings=tuple(dict.fromkeys(texts)),
                rank=rank,
                colour=colour,
                filled=filled,
                ground=ground,
            )
        )
    return drawn


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
    graph: DistortionGraph, panels: list[Canvas], layout: _Layout, colour_by: ColourBy
) -> Canvas:
    """Both panels under their headings, the legend below, on the dark ground."""
    gap, bar = layout.gap, layout.bar
    across, down = (1, 2) if layout.stacked else (2, 1)
    width = gap + across * (layout.width + gap)
    legend = _legend_rows(graph, layout, width - 2 * gap, colour_by)
    height = down * (bar + layout.height) + len(legend) * bar + gap // 2
    out = np.empty((height, width, 3), np.uint8)
    out[:] = INK
    for k, (side, panel) in enumerate(zip(SIDES, panels, strict=True)):
        x = gap if layout.stacked else gap + k * (layout.width + gap)
        y = k * (bar + layout.height) if layout.stacked else 0
        heading(out, graph, side, (x, x + layout.width), y + bar / 2, layout.face)
        out[y + bar : y + bar + layout.height, x : x + layout.width] = panel
    y = down * (bar + layout.height)
    for row in legend:
        x = gap
        for item in row:
            item.draw(out, x, y + bar / 2, layout.face)
            x += item.width(layout.face) + 2 * gap
        y += bar
    return out


@dataclass(frozen=True)
class _Entry:
    """A legend entry: a colour, a comparison's marks, or both, and the word for it."""

    text: str
    colour: Rgb | None = None
    rank: int | None = None

    def _sign(self, face: Typeface) -> int:
        colour = 0 if self.colour is None else face.px + face.px // 3
        marks = 0 if self.rank is None else marks_width(self.rank, face.px) + face.px // 3
        return colour + marks

    def width(self, face: Typeface) -> int:
        return self._sign(face) + face.width(self.text)

    def draw(self, out: Canvas, x: int, middle: float, face: Typeface) -> None:
        at = x
        if self.colour is not None:
            side = face.px
            rounded(out, (at, middle - side / 2, side, side), side * 0.28, self.colour)
            at += side + side // 3
        if self.rank is not None:
            draw_marks(out, self.rank, at, middle, face.px)
        write_middle(out, self.text, x + self._sign(face), middle, face, MUTED)


def _legend(graph: DistortionGraph, colour_by: ColourBy) -> list[_Entry]:
    """What the fill means, then what the marks mean where that is something else."""
    framed = any(places(graph, region) for region in graph.regions)
    differ = [_Entry("they differ here", PLACE)] if framed else []
    filled = [_Entry(*meaning) for meaning in meanings(graph, colour_by)]
    if colour_by == "comparison":
        return [_Entry("against the other picture:"), *filled, *differ]
    ranks = [_Entry(m.text, rank=m.rank) for m in meanings(graph, "comparison")]
    return [*filled, *ranks, *differ]


def _legend_rows(
    graph: DistortionGraph, layout: _Layout, room: int, colour_by: ColourBy
) -> list[list[_Entry]]:
    """The legend's entries, broken into rows of at most `room` pixels."""
    face = layout.face
    rows: list[list[_Entry]] = [[]]
    used = 0
    for entry in (e for e in _legend(graph, colour_by) if face.can_draw(e.text)):
        width = entry.width(face) + 2 * layout.gap
        if rows[-1] and used + width - 2 * layout.gap > room:
            rows.append([])
            used = 0
        rows[-1].append(entry)
        used += width
    return rows
