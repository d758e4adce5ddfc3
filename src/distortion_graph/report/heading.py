"""The line over a picture: which side it is, its file, and how good it is as a whole."""

from __future__ import annotations

from pathlib import Path

from distortion_graph.graph import DistortionGraph, Side
from distortion_graph.report.drawing import (
    Canvas,
    Typeface,
    draw_marks,
    marks_width,
    write_middle,
)
from distortion_graph.report.palette import MUTED, PAPER
from distortion_graph.report.wording import rank_of


def heading(
    out: Canvas,
    graph: DistortionGraph,
    side: Side,
    span: tuple[int, int],
    middle: float,
    face: Typeface,
) -> None:
    """Write it at the height `middle` from `span[0]` to `span[1]`; the name only where it fits."""
    gap = round(0.7 * face.px)
    x, end = span
    end -= _verdict(out, graph, side, end, middle, face)
    write_middle(out, side, x, middle, face, PAPER)
    x += face.width(side) + gap
    info = graph.picture_of(side)
    name = Path(info.source).name if info.source else ""
    if face.can_draw(name) and x + face.width(name) <= end - gap:
        write_middle(out, name, x, middle, face, MUTED)


def _verdict(
    out: Canvas, graph: DistortionGraph, side: Side, end: int, middle: float, face: Typeface
) -> int:
    """Score and marks of the whole picture, right-aligned at `end`; the width they take."""
    scene = graph.scene
    if scene is None:
        return 0
    taken = 0
    if scene.comparison is not None:
        rank = rank_of(graph, scene.comparison.label) * (1 if side == "anchor" else -1)
        taken = marks_width(rank, face.px)
        draw_marks(out, rank, end - taken, middle, face.px)
        taken += face.px // 2
    score = (scene.anchor if side == "anchor" else scene.target).score
    if score is not None:
        text = f"score {score:.2f}"
        taken += face.width(text)
        write_middle(out, text, end - taken, middle, face, PAPER)
    return taken
