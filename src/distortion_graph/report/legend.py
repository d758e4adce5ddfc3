"""The line below the overlay that says what its colours and marks mean."""

from __future__ import annotations

from dataclasses import dataclass

from distortion_graph.graph import DistortionGraph
from distortion_graph.report.colouring import ColourBy, meanings
from distortion_graph.report.drawing import (
    Canvas,
    Typeface,
    draw_marks,
    marks_width,
    rounded,
    write_middle,
)
from distortion_graph.report.layout import Layout
from distortion_graph.report.palette import MUTED, PLACE, Rgb
from distortion_graph.report.places import places
from distortion_graph.report.wording import DIMMED


@dataclass(frozen=True)
class Entry:
    """A legend entry: a colour, a comparison's marks, or both, and the word for it."""

    text: str
    colour: Rgb | None = None
    rank: int | None = None

    def _sign(self, face: Typeface) -> int:
        colour = 0 if self.colour is None else face.px + face.px // 3
        marks = 0 if self.rank is None else marks_width(self.rank, face.px) + face.px // 3
        return colour + marks

    def width(self, face: Typeface) -> int:
        """In pixels."""
        return self._sign(face) + face.width(self.text)

    def draw(self, out: Canvas, x: int, middle: float, face: Typeface) -> None:
        """Draw it from x on, centred on the height `middle`."""
        at = x
        if self.colour is not None:
            side = face.px
            rounded(out, (at, middle - side / 2, side, side), side * 0.28, self.colour)
            at += side + side // 3
        if self.rank is not None:
            draw_marks(out, self.rank, at, middle, face.px)
        write_middle(out, self.text, x + self._sign(face), middle, face, MUTED)


def _legend(
    graph: DistortionGraph, colour_by: ColourBy, *, dimmed: bool, framed: bool
) -> list[Entry]:
    """What the fill means, then what the marks mean where that is something else."""
    framed = framed or any(places(graph, region) for region in graph.regions)
    rest = [Entry("they differ here", PLACE)] if framed else []
    rest += [Entry(DIMMED)] if dimmed else []
    filled = [Entry(*meaning) for meaning in meanings(graph, colour_by)]
    if colour_by == "comparison":
        return [Entry("against the other picture:"), *filled, *rest]
    ranks = [Entry(m.text, rank=m.rank) for m in meanings(graph, "comparison")]
    return [*filled, *ranks, *rest]


def legend_rows(
    graph: DistortionGraph,
    layout: Layout,
    room: int,
    colour_by: ColourBy,
    *,
    dimmed: bool,
    framed: bool = False,
) -> list[list[Entry]]:
    """The legend's entries, broken into rows of at most `room` pixels.

    `dimmed`: whether the other picture does not show all of one. `framed`: whether there are frames
    beside those of the graph's places.
    """
    face = layout.face
    rows: list[list[Entry]] = [[]]
    used = 0
    entries = _legend(graph, colour_by, dimmed=dimmed, framed=framed)
    for entry in (e for e in entries if face.can_draw(e.text)):
        width = entry.width(face) + 2 * layout.gap
        if rows[-1] and used + width - 2 * layout.gap > room:
            rows.append([])
            used = 0
        rows[-1].append(entry)
        used += width
    return rows
