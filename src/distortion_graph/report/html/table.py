"""A graph as a table in HTML, for the report and for notebooks; all text is escaped."""

from __future__ import annotations

from html import escape
from typing import NamedTuple

from distortion_graph.graph import (
    SIDES,
    AnyRegion,
    DistortionGraph,
    Evidence,
    MetricInfo,
    Node,
    RegionAlone,
    RegionComparison,
    Scene,
    SceneNode,
    Side,
)
from distortion_graph.report.alignment import alignment_detail, is_moved
from distortion_graph.report.html.agreement import Agreement, NodeAgreement, RegionAgreement
from distortion_graph.report.html.document import asset
from distortion_graph.report.judging import is_judged, judged_lines, judgement_of
from distortion_graph.report.palette import (
    NEUTRAL,
    comparison_colours,
    hex_name,
    ink_on,
    label_colours,
    severity_colours,
)
from distortion_graph.report.places import place_text
from distortion_graph.report.wording import (
    UNCERTAIN,
    all_regions,
    alone_last,
    alone_text,
    evidence_texts,
    marks,
    metric_note,
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

_EVIDENCE = (
    ("PSNR", "peak signal-to-noise ratio, dB"),
    ("SSIM", "structural similarity"),
    ("Haar", "HaarPSI"),
    ("ΔE", "mean CIEDE2000 colour difference"),
)


def colour_rules(graph: DistortionGraph) -> str:
    """CSS: colour and ink of each severity, .s0 … .sN, each comparison in rank order, .c0 …, and
    each distortion, .d0 …

    .su and .du are of a node whose labels are uncertain.
    """
    vocabulary = graph.vocabulary
    labels = label_colours(len(vocabulary.distortions), vocabulary.clean_index)
    named = [
        *((f"s{k}", c) for k, c in enumerate(severity_colours(len(vocabulary.severities)))),
        ("su", NEUTRAL),
        *((f"c{k}", c) for k, c in enumerate(comparison_colours(len(vocabulary.comparisons)))),
        *((f"d{k}", c) for k, c in enumerate(labels)),
        ("du", NEUTRAL),
    ]
    rules = []
    for sign, colour in named:
        name = {"s": "severity", "c": "comparison", "d": "distortion"}[sign[0]]
        values = f"--{name}: {hex_name(colour)}; --{name}-ink: {hex_name(ink_on(colour))}"
        rules.append(f".dg .{sign} {{ {values} }}")
    return "\n".join(rules)


def notebook(graph: DistortionGraph) -> str:
    """Summary and table with their style, for a notebook's cell."""
    style = f"{asset('table.css')}\n{colour_rules(graph)}"
    detail = alignment_detail(graph)
    more = f"<p><small>{escape(detail)}</small></p>" if detail else ""
    head = f"<style>{style}</style><p>{escape(summary(graph))}</p>{more}"
    return f'<div class="dg">{head}<div class="scroll">{table(graph)}</div></div>'


def table(graph: DistortionGraph, agreed: Agreement | None = None) -> str:
    """The regions, worst and then most different first, and the scene, as one `<table>`.

    Regions of one picture alone stand after the others. A region's row carries its position in the
    graph as `data-region`. Where the truth is known, wrong labels are marked and the true ones
    stand behind them.
    """
    measured = any(region.evidence for region in graph.regions)
    measured = measured or (graph.scene is not None and graph.scene.evidence is not None)
    place = {region.id: k for k, region in enumerate(all_regions(graph))}
    shown = _Shown(measured, _is_rated(graph), graph.metrics, is_judged(graph))
    rows = [
        _lone_row(graph, region, place[region.id], shown)
        if isinstance(region, RegionAlone)
        else _row(graph, region, place[region.id], agreed, shown)
        for region in alone_last(graph)
    ]
    foot = _scene_row(graph, shown)
    caption = "<caption>Regions: the distorted, worst first; then those that differ most</caption>"
    body = f"<tbody>{''.join(rows)}</tbody>" if rows else ""
    return f'<table class="graph-table">{caption}{_head(shown)}{body}{foot}</table>'


class _Shown(NamedTuple):
    """Which columns there are beside those that every table has."""

    measured: bool
    rated: bool
    metrics: tuple[MetricInfo, ...]
    judged: bool


def _is_rated(graph: DistortionGraph) -> bool:
    """Whether any opinion is expected."""
    scene = graph.scene or Scene()
    regions = all_regions(graph)
    nodes = (node_on(region, side) for region in regions for side in SIDES)
    opinions = (node.opinion for node in nodes if node is not None)
    return any(o is not None for o in (*opinions, scene.anchor.opinion, scene.target.opinion))


def _head(shown: _Shown) -> str:
    columns = ("Distortion", "Severity", "Score", *(("Opinion",) if shown.rated else ()))
    cells = ['<th scope="col" rowspan="2">Region</th>']
    cells += [f'<th scope="colgroup" colspan="{len(columns)}">Anchor</th>']
    cells += ['<th scope="col" rowspan="2">The anchor is</th>']
    cells += [f'<th scope="colgroup" colspan="{len(columns)}">Target</th>']
    if shown.measured:
        count = len(_EVIDENCE) + len(shown.metrics)
        cells += [f'<th scope="colgroup" colspan="{count}">Measured between them</th>']
    if shown.judged:
        cells += ['<th scope="col" rowspan="2">Judged</th>']
    under = "".join(f'<th scope="col">{text}</th>' for text in columns)
    under += under
    if shown.measured:
        further = [(metric.name, metric_note(metric)) for metric in shown.metrics]
        under += "".join(
            f'<th scope="col"><abbr title="{escape(meaning, quote=True)}">{short}</abbr></th>'
            for short, meaning in (*_EVIDENCE, *further)
        )
    return f"<thead><tr>{''.join(cells)}</tr><tr>{under}</tr></thead>"


def _row(
    graph: DistortionGraph,
    region: RegionComparison,
    position: int,
    agreed: Agreement | None,
    shown: _Shown,
) -> str:
    truth = agreed.regions.get(region.id) if agreed else None
    nodes = truth.nodes if truth else (None, None)
    anchor, target = (
        _node_cells(graph, region.node(side), node, shown)
        for side, node in zip(SIDES, nodes, strict=True)
    )
    middle = _comparison_cell(graph, region.comparison.label, truth, place_text(graph, region))
    facts = _evidence_cells(graph, region.evidence) if shown.measured else ""
    wrong = ' class="wrong-row"' if truth and truth.mistakes else ""
    facts += _judged_cell(graph, region, shown)
    head = _name_cell(region)
    return f'<tr data-region="{position}"{wrong}>{head}{anchor}{middle}{target}{facts}</tr>'


def _lone_row(graph: DistortionGraph, region: RegionAlone, position: int, shown: _Shown) -> str:
    """A region of one picture: dashes for the other, and where it is."""
    nothing = "<td>–</td>" * 2 + '<td class="number">–</td>' * (1 + shown.rated)
    anchor, target = (
        nothing if node is None else _node_cells(graph, node, None, shown)
        for node in (region.anchor, region.target)
    )
    middle = f"<td>– {alone_text(region)}</td>"
    facts = _evidence_cells(graph, None) if shown.measured else ""
    facts += _judged_cell(graph, region, shown)
    head = _name_cell(region)
    return f'<tr data-region="{position}">{head}{anchor}{middle}{target}{facts}</tr>'


def _name_cell(region: AnyRegion) -> str:
    """Number, name, area, and how much of it both pictures show."""
    area = "" if region.area_fraction is None else percent(region.area_fraction)
    facts = ", ".join(text for text in (area, shared_text(region)) if text)
    small = f" <small>{facts}</small>" if facts else ""
    name = f'<bdi class="name">{escape(printable(region.name))}</bdi>'
    return f'<th scope="row"><span class="id">{region.id}</span> {name}{small}</th>'


def _node_cells(
    graph: DistortionGraph, node: Node, truth: NodeAgreement | None, shown: _Shown
) -> str:
    """Distortion, severity and score, each further distortion on a line below the first."""
    vocabulary = graph.vocabulary
    if graph.is_uncertain(node):
        said = f'<td title="the model does not know this"><i>{UNCERTAIN}</i></td><td>–</td>'
        return said + _quality_cells(graph, node, shown)
    level = vocabulary.severity_index(node.severity.label)
    what = escape(words(vocabulary, node.distortion.label))
    how_bad = "–" if level == 0 else _chip(words(vocabulary, node.severity.label), level)
    if truth is not None:
        what += _correction(graph, truth.distortion, truth.true_distortion)
        how_bad += _correction(graph, truth.severity, truth.true_severity)
    for further in node.also:
        what += f"<br>+ {escape(words(vocabulary, further.label))}"
        level = vocabulary.severity_index(further.severity)
        how_bad += f"<br>{_chip(words(vocabulary, further.severity), level)}"
    return f'<td class="what">{what}</td><td>{how_bad}</td>{_quality_cells(graph, node, shown)}'


def _chip(text: str, level: int) -> str:
    return f'<span class="chip s{level}">{escape(text)}</span>'


def _correction(graph: DistortionGraph, right: bool, true: str) -> str:
    if right:
        return ""
    said = escape(words(graph.vocabulary, true))
    return f' <span class="wrong">✗ <span class="truth">{said}</span></span>'


def _comparison_cell(
    graph: DistortionGraph, label: str, truth: RegionAgreement | None, differs: str = ""
) -> str:
    rank = rank_of(graph, label)
    way = "better" if rank > 0 else "worse" if rank < 0 else "same"
    sign = f'<span class="mark {way}" aria-hidden="true">{marks(rank)}</span>'
    fix = _correction(graph, truth.comparison, truth.true_comparison) if truth else ""
    place = f'<br><span class="differs">≠ {escape(differs)}</span>' if differs else ""
    return f"<td>{sign} {escape(words(graph.vocabulary, label))}{fix}{place}</td>"


def _judged_cell(graph: DistortionGraph, region: AnyRegion, shown: _Shown) -> str:
    """What a person says; the page's script writes the same into it (judging.js)."""
    lines = judged_lines(graph, judgement_of(region))
    return f'<td class="judged">{escape("; ".join(lines))}</td>' * shown.judged


def _scene_row(graph: DistortionGraph, shown: _Shown) -> str:
    scene = graph.scene
    if scene is None:
        return ""
    middle = "<td>–</td>"
    if scene.comparison is not None:
        middle = _comparison_cell(graph, scene.comparison.label, None)
    facts = _evidence_cells(graph, scene.evidence) if shown.measured else ""
    facts += "<td></td>" * shown.judged
    nodes = zip(SIDES, (scene.anchor, scene.target), strict=True)
    sides = [_scene_cells(graph, side, node, shown) for side, node in nodes]
    part = "what both pictures show" if is_moved(graph) else "the whole picture"
    head = f'<th scope="row">scene <small>{part}</small></th>'
    return f'<tfoot><tr class="scene">{head}{sides[0]}{middle}{sides[1]}{facts}</tr></tfoot>'


def _scene_cells(graph: DistortionGraph, side: Side, node: SceneNode, shown: _Shown) -> str:
    """What covers most of the picture, and its share."""
    said = [(escape(text), percent(share)) for text, share in scene_words(graph, side)]
    what, share = said[0] if said else ("–", "–")
    return f'<td class="what">{what}</td><td>{share}</td>{_quality_cells(graph, node, shown)}'


def _evidence_cells(graph: DistortionGraph, facts: Evidence | None) -> str:
    texts = [*evidence_texts(facts), *(text for _, text in metric_texts(graph, facts))]
    return "".join(f'<td class="number">{text}</td>' for text in texts)


def _quality_cells(graph: DistortionGraph, node: Node | SceneNode, shown: _Shown) -> str:
    """The score, and the opinion where the table has such a column."""
    texts = [score_text(node.score, graph.vocabulary)]
    texts += [score_text(node.opinion)] * shown.rated
    return "".join(f'<td class="number">{text}</td>' for text in texts)
