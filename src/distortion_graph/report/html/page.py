"""The report of one pair: pictures, summary, table, graph and script, in one file."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from distortion_graph.graph import SIDES, DistortionGraph, ImageInfo, Side
from distortion_graph.report.alignment import alignment_detail
from distortion_graph.report.html.agreement import agreement
from distortion_graph.report.html.document import asset, document
from distortion_graph.report.html.embedding import Embedded, embed
from distortion_graph.report.html.judging import packed_graph
from distortion_graph.report.html.table import colour_rules, table
from distortion_graph.report.html.view import reference_title, script_json, title_of, view
from distortion_graph.report.sources import FoundPicture
from distortion_graph.report.wording import measured_text, metric_note, printable, summary

_SCRIPTS = (
    "state.js",
    "laying.js",
    "viewer.js",
    "panel.js",
    "drawing.js",
    "filters.js",
    "judging.js",
    "start.js",
)


@dataclass(frozen=True)
class ReportPicture:
    """A picture of the pair as the page shows it.

    `embedded` is None where there is none to show; `problem` says in one sentence why, or what is
    wrong with it, such as a file that changed after the graph was made.
    """

    embedded: Embedded | None
    problem: str | None = None

    @classmethod
    def of(cls, source: FoundPicture, info: ImageInfo, *, lossy: bool = False) -> ReportPicture:
        """A found picture; one of another size than the graph's is not shown.

        Raises ImageError as `embed` does.
        """
        picture = source.picture
        if picture is None:
            return cls(None, source.problem)
        size = info.height or picture.height, info.width or picture.width
        fits = picture.size == size
        return cls(embed(picture, source.data, lossy=lossy) if fits else None, source.problem)


def report_page(
    graph: DistortionGraph,
    pictures: tuple[ReportPicture, ReportPicture],
    truth: DistortionGraph | None = None,
    reference: ReportPicture | None = None,
) -> str:
    """The page as text; the same input gives the same text.

    Args:
        graph: any graph.
        pictures: anchor and target.
        truth: the true graph of the pair; where it is given, agreement and mistakes are marked.
        reference: the original, where it is a third picture.

    Raises GraphError where the truth is not one of this graph's (`agreement`).
    """
    agreed = None if truth is None else agreement(graph, truth)
    script = report_script()
    names = [title_of(graph, side) for side in SIDES]
    shown = [_image(graph, *both) for both in zip(SIDES, pictures, strict=True)]
    return document(
        asset("report.html"),
        title=escape(f"{names[0]} → {names[1]} – distortion graph"),
        heading=f"Anchor <bdi>{escape(names[0])}</bdi>, target <bdi>{escape(names[1])}</bdi>",
        style=[*map(asset, ("table.css", "report.css", "judging.css")), colour_rules(graph)],
        summary=escape(summary(graph)),
        detail=_detail(graph),
        notices="".join(
            f'<p class="notice">{escape(text)}</p>' for text in _notices(pictures, reference)
        ),
        anchor_image=shown[0],
        target_image=shown[1],
        reference=_reference(graph, reference),
        agreement="" if agreed is None else f"<p>{escape(agreed.sentence())}</p>",
        table=table(graph, agreed),
        footer=_footer(graph, pictures, reference),
        graph=packed_graph(graph),
        view=script_json(view(graph, agreed)),
        script=script,
    )


def report_script() -> str:
    """The script of every report; whoever frames one under a policy of its own allows its hash."""
    return "\n".join(asset(name) for name in _SCRIPTS)


def _image(graph: DistortionGraph, side: Side, picture: ReportPicture) -> str:
    if picture.embedded is None:
        return f'<p class="absent">The {side} is not here.</p>'
    words = escape(f"{side}: {title_of(graph, side)}", quote=True)
    return f'<img src="{picture.embedded.url}" alt="{words}" draggable="false">'


def _detail(graph: DistortionGraph) -> str:
    """What was measured of how the pictures lie on each other."""
    detail = alignment_detail(graph)
    if detail is None:
        return ""
    if graph.alignment is not None and graph.alignment.matrix is None:
        detail += (
            " No one matrix moves the target: swipe, blink and difference lay the pictures on each "
            "other by their frames."
        )
    return f'<p class="detail">{escape(printable(detail))}</p>'


def _reference(graph: DistortionGraph, picture: ReportPicture | None) -> str:
    """The original as a section of its own, where it is a third picture; else nothing."""
    if graph.reference is None or graph.reference.picture is None:
        return ""
    name = reference_title(graph)
    shown = '<p class="absent">The reference is not here.</p>'
    if picture is not None and picture.embedded is not None:
        alt = escape(f"reference: {name}", quote=True)
        shown = f'<img src="{picture.embedded.url}" alt="{alt}">'
    return (
        '<section id="reference" aria-labelledby="reference-title">'
        f'<h2 id="reference-title">Reference <bdi>{escape(name)}</bdi></h2>{shown}</section>'
    )


def _notices(
    pictures: tuple[ReportPicture, ReportPicture], reference: ReportPicture | None
) -> list[str]:
    third = [] if reference is None else [("reference", reference)]
    named = [*zip(SIDES, pictures, strict=True), *third]
    problems = [picture.problem for _, picture in named if picture.problem]
    for side, picture in named:
        if picture.embedded is not None and not picture.embedded.exact:
            problems.append(f"The {side}'s pixels are not its own: {picture.embedded.how}.")
    return [printable(text) for text in problems]


def _footer(
    graph: DistortionGraph,
    pictures: tuple[ReportPicture, ReportPicture],
    reference: ReportPicture | None,
) -> str:
    known: list[tuple[str, ImageInfo, str]] = [
        (side, graph.picture_of(side), title_of(graph, side)) for side in SIDES
    ]
    shown: list[ReportPicture | None] = [*pictures]
    if graph.reference is not None and graph.reference.picture is not None:
        known.append(("reference", graph.reference.picture, reference_title(graph)))
        shown.append(reference)
    lines = []
    for (what, info, title), picture in zip(known, shown, strict=True):
        facts = [title] if info.source else []
        if info.width and info.height:
            facts.append(f"{info.width} × {info.height} pixels")
        if picture is not None and picture.embedded is not None:
            facts.append(f"embedded: {picture.embedded.how}")
        if info.sha256:
            facts.append(f"SHA-256 of the {info.sha256_of} {info.sha256[:12]}…")
        if facts:
            lines.append(f"{what.capitalize()}: {', '.join(facts)}.")
    if graph.model is not None:
        named = f"{graph.model.name} {graph.model.version or ''}".strip()
        said = "Labels are said" if measured_text(graph) else "Said"
        lines.append(f"{said} by the model {named}; evidence is measured, not said.")
    if measured_text(graph):
        metric = graph.scores.metric if graph.scores and graph.scores.metric else "a metric"
        lines.append(f"Scores are {measured_text(graph)}, by {metric}.")
    if graph.metrics:
        lines.append(f"Measured too: {'; '.join(map(metric_note, graph.metrics))}.")
    return "".join(f"<p>{escape(printable(line))}</p>" for line in lines)
