"""The graph itself as a drawing: a node a region and picture, edges between, attributes beside.

Anchor nodes stand left, target nodes right, one row per region, the worst first, the scene above;
regions of one picture alone stand last.
Between them is the edge that compares them; relations run in the outer margins. Sizes are in mm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from distortion_graph.graph import (
    SIDES,
    AnyRegion,
    ComparisonBelief,
    DistortionGraph,
    Node,
    RegionAlone,
    Relation,
    SceneNode,
    Side,
)
from distortion_graph.report.arcs import Arc, lay_out_arcs
from distortion_graph.report.figures import (
    INCHES_PER_MM,
    FigureKind,
    drawable,
    figure_bytes,
    settings,
    shortened,
    unit,
    width_mm,
)
from distortion_graph.report.palette import (
    INK,
    NEUTRAL,
    Rgb,
    comparison_colours,
    ink_on,
    severity_colours,
)
from distortion_graph.report.places import places
from distortion_graph.report.wording import (
    alone_last,
    alone_text,
    marks,
    node_text,
    percent,
    printable,
    rank_of,
    scene_words,
    score_text,
    words,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_ROW, _BOX, _PAD, _GAP, _LINE = 5.6, 4.2, 1.2, 2.2, 7.0
_LANE, _EDGE, _BEND = 4.2, 3.0, 1.2
_LONGEST_NAME, _LONGEST_PREDICATE = 40.0, 30.0
_POINTS = 7.0
_FACE: Rgb = (238, 239, 241)
_STRIPE: Rgb = (248, 248, 249)
_QUIET: Rgb = (96, 100, 108)
_THREAD: Rgb = (150, 154, 162)


@dataclass(frozen=True)
class _Side:
    """A node: its attributes, its score and the colour of its severity."""

    attributes: str
    score: str
    colour: Rgb


@dataclass(frozen=True)
class _Row:
    """A region or the scene: number, name, its nodes, and the edge where there is one.

    A region of one picture has one node, and words instead of the edge.
    """

    number: str
    name: str
    sides: tuple[_Side | None, _Side | None]
    edge: tuple[str, Rgb] | None
    alone: str = ""

    @property
    def nodes(self) -> list[_Side]:
        return [side for side in self.sides if side is not None]


@dataclass(frozen=True)
class _Columns:
    """Widths of the columns, the same on either side, and of the two margins."""

    number: float
    name: float
    attributes: float
    score: float
    edge: float
    margins: tuple[float, float]

    @property
    def half(self) -> float:
        """From the outer end of a node to where its edge begins."""
        return self.number + self.name + _GAP + self.attributes + _GAP + self.score + _PAD

    @property
    def width(self) -> float:
        return sum(self.margins) + 2 * (self.half + _LINE) + self.edge


def draw_graph(graph: DistortionGraph, kind: FigureKind = "svg", *, collapse: bool = True) -> bytes:
    """The file of a graph's drawing; needs the figures extra.

    With `collapse` the regions that are clean in both pictures, the same, without a place where the
    pictures differ and in no relation become one line with their number. The text of an SVG is
    text; letters that matplotlib's typeface lacks are boxes in the other kinds.
    """
    with settings():
        return _drawn(graph, kind, collapse)


def _drawn(graph: DistortionGraph, kind: FigureKind, collapse: bool) -> bytes:
    from matplotlib.figure import Figure

    shown, hidden = _regions(graph, collapse)
    scene = _scene_row(graph)
    rows = [*([scene] if scene else []), *(_region_row(graph, r, kind) for r in shown)]
    head = _EDGE + _ROW + _PAD
    below = {r.id: head + (k + bool(scene) + 0.5) * _ROW for k, r in enumerate(shown)}
    bottom = head + len(rows) * _ROW
    height = bottom + (_ROW if hidden or not shown else 0) + _EDGE
    arcs = [_arcs(graph, side, below, (_EDGE, height - _EDGE), kind) for side in SIDES]
    columns = _columns(graph, rows, [max((a.lane + 1 for a in part), default=0) for part in arcs])
    figure = Figure(figsize=(columns.width * INCHES_PER_MM, height * INCHES_PER_MM))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, columns.width), ylim=(height, 0))
    axes.axis("off")
    pen = _Pen(axes, kind)
    _draw_head(pen, graph, columns)
    for k, row in enumerate(rows):
        is_scene = scene is not None and k == 0
        _draw_row(pen, row, head + (k + 0.5) * _ROW, columns, k % 2 == 1 and not is_scene)
    if hidden or not shown:
        pen.text(columns.width / 2, bottom + _ROW / 2, _closing(graph, hidden), "center", _QUIET)
    for side, part in zip(SIDES, arcs, strict=True):
        for arc in part:
            _draw_arc(pen, arc, side, columns)
    return figure_bytes(figure, kind)


def _regions(graph: DistortionGraph, collapse: bool) -> tuple[list[AnyRegion], int]:
    """The regions to draw, the worst first, and how many are left to one line."""
    regions = alone_last(graph)
    if not collapse:
        return regions, 0
    related = {end for r in graph.relations for end in (r.subject, r.object)}
    shown = [r for r in regions if r.id in related or not _is_quiet(graph, r)]
    hidden = len(regions) - len(shown)
    return (shown, hidden) if hidden > 1 else (regions, 0)


def _is_quiet(graph: DistortionGraph, region: AnyRegion) -> bool:
    """Whether nothing is wrong with a region in either picture, as far as the model knows, and the
    pictures differ in no place of it."""
    if isinstance(region, RegionAlone) or places(graph, region):
        return False
    clean = graph.vocabulary.clean
    nodes = [region.node(side) for side in SIDES]
    return rank_of(graph, region.comparison.label) == 0 and all(
        n.distortion.label == clean and not graph.is_uncertain(n) for n in nodes
    )


def _closing(graph: DistortionGraph, hidden: int) -> str:
    if not graph.regions and not graph.alone:
        return "no regions"
    vocabulary = graph.vocabulary
    same = words(vocabulary, vocabulary.comparison_labels[vocabulary.neutral_index])
    return f"{hidden} regions: {words(vocabulary, vocabulary.clean)} in both, {same}"


def _region_row(graph: DistortionGraph, region: AnyRegion, kind: FigureKind) -> _Row:
    name = shortened(drawable(printable(region.name), kind), _LONGEST_NAME, _POINTS)
    sides = _region_side(graph, region.anchor), _region_side(graph, region.target)
    if isinstance(region, RegionAlone):
        return _Row(str(region.id), name, sides, None, alone_text(region))
    return _Row(str(region.id), name, sides, _edge(graph, region.comparison))


def _region_side(graph: DistortionGraph, node: Node | None) -> _Side | None:
    if node is None:
        return None
    vocabulary = graph.vocabulary
    level = vocabulary.severity_index(node.severity.label)
    colour = severity_colours(len(vocabulary.severities))[level]
    text = node_text(graph, node, " · ")
    shown = score_text(node.score, vocabulary)
    return _Side(text, shown, NEUTRAL if graph.is_uncertain(node) else colour)


def _scene_row(graph: DistortionGraph) -> _Row | None:
    scene = graph.scene
    if scene is None:
        return None
    edge = None if scene.comparison is None else _edge(graph, scene.comparison)
    anchor = _scene_side(graph, "anchor", scene.anchor)
    target = _scene_side(graph, "target", scene.target)
    return _Row("", "scene", (anchor, target), edge)


def _scene_side(graph: DistortionGraph, side: Side, node: SceneNode) -> _Side:
    """What covers most of the picture, and its share."""
    text = "".join(f"{what} {percent(share)}" for what, share in scene_words(graph, side)[:1])
    return _Side(text, score_text(node.score, graph.vocabulary), INK)


def _edge(graph: DistortionGraph, comparison: ComparisonBelief) -> tuple[str, Rgb]:
    vocabulary = graph.vocabulary
    colours = comparison_colours(len(vocabulary.comparisons))
    rank = rank_of(graph, comparison.label)
    text = f"{marks(rank)} {words(vocabulary, comparison.label)}"
    return text, colours[rank + vocabulary.neutral_index]


def _arcs(
    graph: DistortionGraph,
    side: Side,
    rows: dict[int, float],
    extent: tuple[float, float],
    kind: FigureKind,
) -> list[Arc]:
    there: list[Relation] = [r for r in graph.relations if r.image in (side, "both")]
    room = min(_LONGEST_PREDICATE, extent[1] - extent[0])
    texts = [
        shortened(drawable(printable(r.predicate.replace("_", " ")), kind), room, _POINTS)
        for r in there
    ]
    lengths = [width_mm(text, _POINTS) for text in texts]
    return lay_out_arcs(there, rows, lengths, texts, extent, _BOX)


def _columns(graph: DistortionGraph, rows: Sequence[_Row], lanes: Sequence[int]) -> _Columns:
    """As wide as the widest text in them."""

    def widest(texts: Sequence[str], *, bold: bool = False) -> float:
        return max((width_mm(text, _POINTS, bold=bold) for text in texts), default=0.0)

    sides = [side for row in rows for side in row.nodes]
    edges = [row.edge[0] if row.edge else row.alone for row in rows]
    left, right = (_EDGE + (_GAP + lane * _LANE if lane else 0) for lane in lanes)
    return _Columns(
        number=widest([row.number for row in rows], bold=True) + 2 * _PAD,
        name=widest([*SIDES, *(row.name for row in rows)]) + 2 * _PAD,
        attributes=widest([side.attributes for side in sides]),
        score=widest([side.score for side in sides], bold=True),
        edge=max(widest(edges), widest([_HEADING])) + 2 * _PAD,
        margins=(left, right),
    )


_HEADING = "the anchor is"


@dataclass(frozen=True)
class _Pen:
    """Draws on axes whose unit is the millimetre."""

    axes: Axes
    kind: FigureKind

    def text(self, x: float, y: float, text: str, align: str, colour: Rgb, **more: Any) -> None:
        place = {"ha": align, "va": "center_baseline"} | more
        self.axes.text(x, y, text, color=unit(colour), fontsize=_POINTS, **place)

    def box(self, x: float, y: float, width: float, colour: Rgb, radius: float = 0.9) -> None:
        """A box with round corners around the height y."""
        from matplotlib.patches import FancyBboxPatch

        corner = (x + radius, y - _BOX / 2 + radius)
        size = width - 2 * radius, _BOX - 2 * radius
        style = f"round,pad={radius},rounding_size={radius}"
        face = unit(colour)
        self.axes.add_patch(FancyBboxPatch(corner, *size, boxstyle=style, fc=face, lw=0))

    def stripe(self, y: float, colour: Rgb) -> None:
        from matplotlib.patches import Rectangle

        width = self.axes.get_xlim()[1]
        corner = (0, y - _ROW / 2)
        self.axes.add_patch(Rectangle(corner, width, _ROW, fc=unit(colour), lw=0, zorder=0))

    def line(self, x0: float, x1: float, y: float, colour: Rgb, points: float) -> None:
        self.axes.plot([x0, x1], [y, y], color=unit(colour), lw=points, solid_capstyle="butt")


def _draw_head(pen: _Pen, graph: DistortionGraph, columns: _Columns) -> None:
    """Which column is which picture, and what the edges say."""
    y = _EDGE + _ROW / 2
    pen.text(columns.width / 2, y, _HEADING, "center", _QUIET)
    for side, info in zip(SIDES, (graph.anchor, graph.target), strict=True):
        left = side == "anchor"
        x, align = _outer(columns, side), "left" if left else "right"
        pen.text(x, y, side, align, INK, weight="bold")
        taken = width_mm(side, _POINTS, bold=True) + _GAP
        room = columns.half - taken
        source = drawable(printable(Path(info.source or "").name), pen.kind)
        name = shortened(source, room, _POINTS) if source else ""
        pen.text(x + taken if left else x - taken, y, name, align, _QUIET)


def _outer(columns: _Columns, side: Side) -> float:
    """Where the nodes of a side begin, seen from the margin."""
    left, right = columns.margins
    return left if side == "anchor" else columns.width - right


def _draw_row(pen: _Pen, row: _Row, y: float, columns: _Columns, striped: bool) -> None:
    if striped:
        pen.stripe(y, _STRIPE)
    for side, node in zip(SIDES, row.sides, strict=True):
        if node is not None:
            _draw_node(pen, row, node, side, y, columns)
        else:
            inwards = columns.number / 2 * (1 if side == "anchor" else -1)
            pen.text(_outer(columns, side) + inwards, y, "–", "center", _QUIET)
    x0 = columns.margins[0] + columns.half
    if row.edge is None:
        middle = x0 + _LINE + columns.edge / 2
        pen.text(middle, y, row.alone, "center", _QUIET)
        return
    text, colour = row.edge
    x1 = x0 + 2 * _LINE + columns.edge
    pen.line(x0, x1, y, colour, 1.6)
    pen.box(x0 + _LINE, y, columns.edge, colour)
    pen.text((x0 + x1) / 2, y, text, "center", ink_on(colour))


def _draw_node(pen: _Pen, row: _Row, node: _Side, side: Side, y: float, columns: _Columns) -> None:
    """Number and name in a box, attributes and score beside it, towards the edge."""
    sign, align = (1, "left") if side == "anchor" else (-1, "right")
    outer = _outer(columns, side)

    def box(start: float, width: float, colour: Rgb) -> None:
        pen.box(min(outer + sign * start, outer + sign * (start + width)), y, width, colour)

    whole = columns.number + columns.name
    if row.number:
        box(0, whole, _FACE)
        box(0, columns.number, node.colour)
        middle = outer + sign * columns.number / 2
        pen.text(middle, y, row.number, "center", ink_on(node.colour), weight="bold")
        pen.text(outer + sign * (columns.number + _PAD), y, row.name, align, INK)
    else:
        box(0, whole, node.colour)
        pen.text(outer + sign * whole / 2, y, row.name, "center", ink_on(node.colour))
    at = outer + sign * (whole + _GAP)
    pen.text(at, y, drawable(node.attributes, pen.kind), align, INK)
    at = outer + sign * (columns.half - _PAD)
    pen.text(at, y, node.score, "right" if sign == 1 else "left", INK, weight="bold")


def _draw_arc(pen: _Pen, arc: Arc, side: Side, columns: _Columns) -> None:
    """Out of the subject, along the lane, into the object, where its arrow is."""
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path as Way

    sign = -1 if side == "anchor" else 1
    start = _outer(columns, side)
    lane = start + sign * (_GAP + arc.lane * _LANE)
    bend = _BEND if arc.end > arc.start else -_BEND
    bend *= min(1.0, abs(arc.end - arc.start) / 2 / _BEND)
    points = [
        (start, arc.start),
        (lane - sign * _BEND, arc.start), (lane, arc.start), (lane, arc.start + bend),
        (lane, arc.end - bend), (lane, arc.end), (lane - sign * _BEND, arc.end),
        (start, arc.end),
    ]  # fmt: skip
    codes = [Way.MOVETO, Way.LINETO, Way.CURVE3, Way.CURVE3]
    codes += [Way.LINETO, Way.CURVE3, Way.CURVE3, Way.LINETO]
    style: dict[str, Any] = {"arrowstyle": "-|>,head_length=1.6,head_width=0.8", "lw": 0.6}
    colour = unit(_THREAD)
    pen.axes.add_patch(FancyArrowPatch(path=Way(points, codes), fc=colour, ec=colour, **style))
    turned = {"rotation": 90, "va": "center", "zorder": 5}
    pen.text(lane + sign * _LANE / 2, arc.middle, arc.predicate, "center", INK, **turned)
