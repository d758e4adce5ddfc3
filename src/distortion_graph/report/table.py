"""A graph as a table on the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich import box
from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from distortion_graph.graph import DistortionGraph, Node, RegionComparison, SceneNode, Side
from distortion_graph.report.palette import hex_name, severity_colours
from distortion_graph.report.places import place_text
from distortion_graph.report.wording import (
    UNCERTAIN,
    evidence_texts,
    marks,
    percent,
    printable,
    rank_of,
    scene_words,
    score_text,
    summary,
    words,
    worst_first,
)

WIDE_COLUMNS = 100
"""From this width on evidence has columns of its own; below it stands under the comparison."""

_NAME, _DISTORTION, _SEVERITY, _COMPARISON = 1, 3, 4, 6
_LONGEST_NAME = 24
_CUT = ((_NAME, 6), (_COMPARISON, 4), (_DISTORTION, 8), (_SEVERITY, 3))
"""Which columns are cut where the terminal is narrow, and to what at least, in this order."""

_EVIDENCE = ("PSNR", "SSIM", "Haar", "ΔE")
_BETTER, _WORSE = "bright_blue", "dark_orange3"


@dataclass(frozen=True)
class _Side:
    """Cells of one picture's node."""

    distortion: Text
    severity: Text
    score: str


@dataclass(frozen=True)
class _Row:
    """Cells of a region or of the scene."""

    number: str
    name: str
    area: str
    sides: tuple[_Side, _Side]
    comparison: Text
    evidence: tuple[str, str, str, str]
    differs: str = ""


def render(graph: DistortionGraph, width: int) -> RenderableType:
    """The table of a graph for a terminal of `width` columns, and its summary below.

    A region's target stands under its anchor. Regions stand worst first: by the lower of a
    region's two scores; then those clean in both, the most different first. Where the pictures
    differ in places of a region, the first of them stands under the comparison. The scene stands
    last, with the distortion that covers most of each picture. A node that the model does not
    believe to know is `uncertain`. Evidence is PSNR in dB, SSIM, HaarPSI and the mean CIEDE2000
    difference, between the two pictures.
    """
    rows = [_region_row(graph, region) for region in worst_first(graph)]
    table = _table(rows, _scene_row(graph), width)
    return Group(table, Text(""), Text(summary(graph)))


def _table(rows: Sequence[_Row], scene: _Row | None, width: int) -> Table:
    wide, every = width >= WIDE_COLUMNS, [*rows, *([scene] if scene else [])]
    measured = any(any(row.evidence) for row in every)
    under = "" if wide or not measured else "\n" + _in_columns(_EVIDENCE)
    titles = ["id", "name", "", "distortion", "severity", "score", f"the anchor is{under}"]
    titles += _EVIDENCE if wide and measured else ()
    cells = [_cells(row, wide=wide, measured=measured) for row in every]
    gap, widths = _fitted([titles, *cells], width)
    table = Table(
        box=box.SIMPLE_HEAD,  # which puts a blank of its own between columns
        show_edge=False,
        pad_edge=False,
        padding=(0, gap - 1, 0, 0),
        header_style="bold",
    )
    for title, most in zip(titles, widths, strict=True):
        right = title in ("id", "score", *_EVIDENCE)
        table.add_column(title, justify="right" if right else "left", no_wrap=True, max_width=most)
    for row, texts in zip(every, cells, strict=True):
        if row is scene:
            table.add_section()
        table.add_row(*texts)
    return table


def _fitted(lines: Sequence[Sequence[Text | str]], width: int) -> tuple[int, list[int]]:
    """Blanks between columns, and the widths of these; they close up before any of them is cut."""
    widths = [
        max(cell_len(line) for text in column for line in str(text).split("\n"))
        for column in zip(*lines, strict=True)
    ]
    widths[_NAME] = min(widths[_NAME], _LONGEST_NAME)
    gaps = len(widths) - 1
    gap = 2 if sum(widths) + 2 * gaps <= width else 1
    excess = sum(widths) + gap * gaps - width
    for column, least in _CUT:
        cut = min(max(excess, 0), max(widths[column] - least, 0))
        widths[column] -= cut
        excess -= cut
    return gap, widths


def _cells(row: _Row, *, wide: bool, measured: bool) -> list[Text | str]:
    anchor, target = row.sides
    comparison = row.comparison
    if measured and not wide:
        comparison = Text.assemble(comparison, "\n", (_in_columns(row.evidence), "dim"))
    if row.differs:
        comparison = Text.assemble(comparison, "\n", (row.differs, "bold"))
    return [
        row.number,
        Text.assemble(row.name, "\n", (row.area, "dim")),
        "anchor\ntarget",
        Text("\n").join([anchor.distortion, target.distortion]),
        Text("\n").join([anchor.severity, target.severity]),
        f"{anchor.score}\n{target.score}",
        comparison,
        *(row.evidence if wide and measured else ()),
    ]


def _in_columns(values: Sequence[str]) -> str:
    return " ".join(value.rjust(4) for value in values).rstrip()


def _region_row(graph: DistortionGraph, region: RegionComparison) -> _Row:
    area = "" if region.area_fraction is None else percent(region.area_fraction)
    return _Row(
        str(region.id),
        printable(region.name),
        area,
        (_node(graph, region.anchor), _node(graph, region.target)),
        _comparison(graph, region.comparison.label),
        evidence_texts(region.evidence),
        place_text(graph, region, short=True),
    )


def _scene_row(graph: DistortionGraph) -> _Row | None:
    scene = graph.scene
    if scene is None:
        return None
    comparison = scene.comparison
    return _Row(
        "",
        "scene",
        "",
        (_scene_node(graph, "anchor", scene.anchor), _scene_node(graph, "target", scene.target)),
        Text("–") if comparison is None else _comparison(graph, comparison.label),
        evidence_texts(scene.evidence),
    )


def _node(graph: DistortionGraph, node: Node) -> _Side:
    vocabulary = graph.vocabulary
    if graph.is_uncertain(node):
        return _Side(Text(UNCERTAIN, "dim"), Text("–"), score_text(node.score))
    level = vocabulary.severity_index(node.severity.label)
    colour = hex_name(severity_colours(len(vocabulary.severities))[level])
    # The palette's yellow cannot be read on white; a terminal's own yellow suits its ground.
    style = ("", "yellow")[level] if level < 2 else colour
    severity = Text("–" if level == 0 else words(vocabulary, node.severity.label), style)
    return _Side(Text(words(vocabulary, node.distortion.label)), severity, score_text(node.score))


def _scene_node(graph: DistortionGraph, side: Side, node: SceneNode) -> _Side:
    """What covers most of the picture, and its share."""
    said = [(text, percent(share)) for text, share in scene_words(graph, side)]
    what, share = said[0] if said else ("–", "–")
    style = "dim" if what == UNCERTAIN else ""
    return _Side(Text(what, style), Text(share), score_text(node.score))


def _comparison(graph: DistortionGraph, label: str) -> Text:
    rank = rank_of(graph, label)
    style = _BETTER if rank > 0 else _WORSE if rank < 0 else ""
    return Text.assemble((marks(rank), style), " ", words(graph.vocabulary, label))
