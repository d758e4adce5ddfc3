"""A graph as a table on the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from distortion_graph.graph import DistortionGraph, Node, RegionComparison, SceneNode
from distortion_graph.report.palette import hex_name, severity_colours
from distortion_graph.report.places import place_text
from distortion_graph.report.wording import (
    UNCERTAIN,
    evidence_texts,
    is_uncertain,
    marks,
    percent,
    printable,
    rank_of,
    score_text,
    summary,
    words,
    worst_first,
)

WIDE_COLUMNS = 100
"""From this width on evidence has columns of its own; below it stands under the comparison."""

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
    table = _table(rows, _scene_row(graph), wide=width >= WIDE_COLUMNS)
    return Group(table, Text(""), Text(summary(graph)))


def _table(rows: Sequence[_Row], scene: _Row | None, *, wide: bool) -> Table:
    every = [*rows, *([scene] if scene else [])]
    measured = any(any(row.evidence) for row in every)
    table = Table(
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        header_style="bold",
    )
    table.add_column("id", justify="right", no_wrap=True)
    table.add_column("name", max_width=24 if wide else 11, no_wrap=True, overflow="ellipsis")
    table.add_column("", no_wrap=True)
    table.add_column("distortion", no_wrap=True)
    table.add_column("severity", no_wrap=True)
    table.add_column("score", justify="right", no_wrap=True)
    under = "" if wide or not measured else "\n" + _in_columns(_EVIDENCE)
    table.add_column(f"the anchor is{under}", no_wrap=True, overflow="ellipsis")
    if wide and measured:
        for title in _EVIDENCE:
            table.add_column(title, justify="right", no_wrap=True)
    for row in every:
        if row is scene:
            table.add_section()
        table.add_row(*_cells(row, wide=wide, measured=measured))
    return table


def _cells(row: _Row, *, wide: bool, measured: bool) -> list[RenderableType]:
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
        (_scene_node(scene.anchor), _scene_node(scene.target)),
        Text("–") if comparison is None else _comparison(graph, comparison.label),
        evidence_texts(scene.evidence),
    )


def _node(graph: DistortionGraph, node: Node) -> _Side:
    vocabulary = graph.vocabulary
    if is_uncertain(graph, node):
        return _Side(Text(UNCERTAIN, "dim"), Text("–"), score_text(node.score))
    level = vocabulary.severity_index(node.severity.label)
    colour = hex_name(severity_colours(len(vocabulary.severities))[level])
    # The palette's yellow cannot be read on white; a terminal's own yellow suits its ground.
    style = ("", "yellow")[level] if level < 2 else colour
    severity = Text("–" if level == 0 else words(node.severity.label), style)
    return _Side(Text(words(node.distortion.label)), severity, score_text(node.score))


def _scene_node(node: SceneNode) -> _Side:
    """The label with the largest share of the picture, and that share."""
    shares = node.distortion_share or {}
    if not shares:
        return _Side(Text("–"), Text("–"), score_text(node.score))
    label = max(shares, key=lambda name: shares[name])
    return _Side(Text(words(label)), Text(percent(shares[label])), score_text(node.score))


def _comparison(graph: DistortionGraph, label: str) -> Text:
    rank = rank_of(graph, label)
    style = _BETTER if rank > 0 else _WORSE if rank < 0 else ""
    return Text.assemble((marks(rank), style), " ", words(label))
