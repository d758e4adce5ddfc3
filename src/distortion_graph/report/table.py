"""A graph as a table on the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich import box
from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from distortion_graph.base.vocabulary import Vocabulary
from distortion_graph.graph import (
    SIDES,
    DistortionGraph,
    Evidence,
    Node,
    RegionAlone,
    RegionComparison,
    SceneNode,
    Side,
)
from distortion_graph.report.judging import judged_lines
from distortion_graph.report.palette import hex_name, severity_colours
from distortion_graph.report.places import place_text
from distortion_graph.report.wording import (
    UNCERTAIN,
    alone_last,
    alone_text,
    evidence_texts,
    marks,
    metric_texts,
    node_on,
    percent,
    printable,
    rank_of,
    scene_words,
    score_text,
    shared_text,
    summary,
    words,
)

WIDE_COLUMNS = 100
"""From this width on evidence has columns of its own; below it stands under the comparison.

Opinions are shown from this width on.
"""

_LONGEST_NAME = 24
_CUT = (("name", 6), ("the anchor is", 4), ("distortion", 8), ("severity", 3))
"""Which columns are cut where the terminal is narrow, and to what at least, in this order."""

_EVIDENCE = ("PSNR", "SSIM", "Haar", "ΔE")
_METRICS_WIDTH = 24
"""Further metrics stand under the comparison, as many in a line as fit into so many columns."""
_BETTER, _WORSE = "bright_blue", "dark_orange3"


@dataclass(frozen=True)
class _Side:
    """Cells of one picture's node; `further` are distortion and severity of what it suffers also,
    which stand on lines of their own."""

    distortion: Text
    severity: Text
    score: str
    opinion: str
    further: tuple[tuple[Text, Text], ...] = ()

    def lines(self) -> list[tuple[Text, Text]]:
        """Distortion and severity of every line."""
        return [(self.distortion, self.severity), *self.further]

    def beside(self, text: str) -> str:
        """A text on the first of these lines."""
        return text + "\n" * len(self.further)


@dataclass(frozen=True)
class _Row:
    """Cells of a region or of the scene."""

    number: str
    name: str
    area: str
    sides: tuple[_Side, _Side]
    comparison: Text
    evidence: tuple[str, str, str, str]
    metrics: tuple[str, ...] = ()
    differs: str = ""
    shared: str = ""
    judged: tuple[str, ...] = ()


def render(graph: DistortionGraph, width: int) -> RenderableType:
    """The table of a graph for a terminal of `width` columns, and its summary below.

    A region's target stands under its anchor, and each further distortion of a node under the one
    that it names first. Opinions have a column where there are any and room for it. Regions stand
    worst first: by the lower of a region's two scores; then those clean in both, the most different
    first. Where the pictures differ in places of a region, the first of them stands under the
    comparison, and how much of a region both show where that is not all of it, and what a person
    says of it. Regions of one picture alone stand after the others. The scene stands last, with the
    distortion that covers most of each picture. A node that the model does not believe to know is
    `uncertain`. Evidence is PSNR in dB, SSIM, HaarPSI and the mean CIEDE2000 difference, between
    the two pictures; further metrics stand under the comparison.
    """
    rows = [
        _lone_row(graph, region) if isinstance(region, RegionAlone) else _region_row(graph, region)
        for region in alone_last(graph)
    ]
    table = _table(rows, _scene_row(graph), width)
    return Group(table, Text(""), Text(summary(graph)))


def _table(rows: Sequence[_Row], scene: _Row | None, width: int) -> Table:
    wide, every = width >= WIDE_COLUMNS, [*rows, *([scene] if scene else [])]
    measured = any(any(row.evidence) for row in every)
    under = "" if wide or not measured else "\n" + _in_columns(_EVIDENCE)
    rated = wide and any(side.opinion for row in every for side in row.sides)
    titles = ["id", "name", "", "distortion", "severity", "score", *(["opinion"] if rated else [])]
    titles += [f"the anchor is{under}", *(_EVIDENCE if wide and measured else ())]
    cells = [_cells(row, wide=wide, measured=measured, rated=rated) for row in every]
    gap, widths = _fitted(titles, cells, width)
    table = Table(
        box=box.SIMPLE_HEAD,  # which puts a blank of its own between columns
        show_edge=False,
        pad_edge=False,
        padding=(0, gap - 1, 0, 0),
        header_style="bold",
    )
    for title, most in zip(titles, widths, strict=True):
        right = title in ("id", "score", "opinion", *_EVIDENCE)
        table.add_column(title, justify="right" if right else "left", no_wrap=True, max_width=most)
    for row, texts in zip(every, cells, strict=True):
        if row is scene:
            table.add_section()
        table.add_row(*texts)
    return table


def _fitted(
    titles: Sequence[str], cells: Sequence[Sequence[Text | str]], width: int
) -> tuple[int, list[int]]:
    """Blanks between columns, and the widths of these; they close up before any of them is cut."""
    widths = [
        max(cell_len(line) for text in column for line in str(text).split("\n"))
        for column in zip(titles, *cells, strict=True)
    ]
    place = {title.partition("\n")[0]: k for k, title in enumerate(titles)}
    widths[place["name"]] = min(widths[place["name"]], _LONGEST_NAME)
    gaps = len(widths) - 1
    gap = 2 if sum(widths) + 2 * gaps <= width else 1
    excess = sum(widths) + gap * gaps - width
    for title, least in _CUT:
        column = place[title]
        cut = min(max(excess, 0), max(widths[column] - least, 0))
        widths[column] -= cut
        excess -= cut
    return gap, widths


def _cells(row: _Row, *, wide: bool, measured: bool, rated: bool) -> list[Text | str]:
    anchor, target = row.sides
    distortions, severities = zip(*anchor.lines(), *target.lines(), strict=True)
    comparison = row.comparison
    if measured and not wide:
        comparison = Text.assemble(comparison, "\n", (_in_columns(row.evidence), "dim"))
    for line in row.metrics:
        comparison = Text.assemble(comparison, "\n", (line, "dim"))
    if row.differs:
        comparison = Text.assemble(comparison, "\n", (row.differs, "bold"))
    if row.shared:
        comparison = Text.assemble(comparison, "\n", (row.shared, "dim"))
    for line in row.judged:
        comparison = Text.assemble(comparison, "\n", (line, "italic"))
    return [
        row.number,
        Text.assemble(row.name, "\n", (row.area, "dim")),
        f"{anchor.beside('anchor')}\ntarget",
        Text("\n").join(distortions),
        Text("\n").join(severities),
        f"{anchor.beside(anchor.score)}\n{target.score}",
        *([f"{anchor.beside(anchor.opinion)}\n{target.opinion}"] if rated else []),
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
        _metric_lines(graph, region.evidence),
        place_text(graph, region, short=True),
        shared_text(region),
        judged_lines(graph, region.judged),
    )


def _lone_row(graph: DistortionGraph, region: RegionAlone) -> _Row:
    """A region of one picture: dashes for the other, and where it is."""
    area = "" if region.area_fraction is None else percent(region.area_fraction)
    nothing = _Side(Text("–"), Text("–"), score_text(None), "")
    sides = tuple(nothing if (n := node_on(region, s)) is None else _node(graph, n) for s in SIDES)
    where = Text.assemble("– ", (alone_text(region), "dim"))
    name = printable(region.name)
    return _Row(str(region.id), name, area, (sides[0], sides[1]), where, ("", "", "", ""))


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
        _metric_lines(graph, scene.evidence),
    )


def _metric_lines(graph: DistortionGraph, facts: Evidence | None) -> tuple[str, ...]:
    lines: list[str] = []
    for name, text in metric_texts(graph, facts):
        joined = f"{lines[-1]}, {name} {text}" if lines else ""
        if joined and len(joined) <= _METRICS_WIDTH:
            lines[-1] = joined
        elif text:
            lines.append(f"{name} {text}")
    return tuple(lines)


def _node(graph: DistortionGraph, node: Node) -> _Side:
    vocabulary = graph.vocabulary
    if graph.is_uncertain(node):
        return _Side(Text(UNCERTAIN, "dim"), Text("–"), *_quality(node, graph.vocabulary))
    further = tuple(
        (Text(f"+ {words(vocabulary, f.label)}"), _severity(vocabulary, f.severity))
        for f in node.also
    )
    distortion = Text(words(vocabulary, node.distortion.label))
    severity = _severity(vocabulary, node.severity.label)
    return _Side(distortion, severity, *_quality(node, graph.vocabulary), further)


def _severity(vocabulary: Vocabulary, label: str) -> Text:
    level = vocabulary.severity_index(label)
    colour = hex_name(severity_colours(len(vocabulary.severities))[level])
    # The palette's yellow cannot be read on white; a terminal's own yellow suits its ground.
    style = ("", "yellow")[level] if level < 2 else colour
    return Text("–" if level == 0 else words(vocabulary, label), style)


def _quality(node: Node | SceneNode, vocabulary: Vocabulary) -> tuple[str, str]:
    """Score and opinion; nothing for an opinion that is not known."""
    opinion = "" if node.opinion is None else score_text(node.opinion)
    return score_text(node.score, vocabulary), opinion


def _scene_node(graph: DistortionGraph, side: Side, node: SceneNode) -> _Side:
    """What covers most of the picture, and its share."""
    said = [(text, percent(share)) for text, share in scene_words(graph, side)]
    what, share = said[0] if said else ("–", "–")
    style = "dim" if what == UNCERTAIN else ""
    return _Side(Text(what, style), Text(share), *_quality(node, graph.vocabulary))


def _comparison(graph: DistortionGraph, label: str) -> Text:
    rank = rank_of(graph, label)
    style = _BETTER if rank > 0 else _WORSE if rank < 0 else ""
    return Text.assemble((marks(rank), style), " ", words(graph.vocabulary, label))
