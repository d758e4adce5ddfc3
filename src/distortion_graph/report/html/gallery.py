"""Several pairs on one page: thumbnails, a small chart of each, sorted as the reader likes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from urllib.parse import quote

from distortion_graph.base.counting import counted
from distortion_graph.graph import SIDES, DistortionGraph
from distortion_graph.report.html.agreement import agreement
from distortion_graph.report.html.document import asset, document
from distortion_graph.report.html.table import colour_rules
from distortion_graph.report.wording import printable, rank_of, summary

THUMBNAIL_PX = 320
"""Longest side of the gallery's pictures."""

_CHART = 100

# Value of the option, its words; the smallest comes first.
_ORDERS = (
    ("worst", "lowest score of a region"),
    ("margin", "target ahead of the anchor"),
    ("lead", "anchor ahead of the target"),
    ("name", "name"),
    ("right", "most mistakes"),
)


@dataclass(frozen=True)
class Pair:
    """A pair as the gallery shows it.

    `href` is the file of its own report, beside the gallery; `thumbnails` are data: URLs, None
    where a picture is not there.
    """

    name: str
    href: str
    graph: DistortionGraph
    thumbnails: tuple[str | None, str | None]
    truth: DistortionGraph | None = None


def gallery_page(pairs: Sequence[Pair]) -> str:
    """The page as text, the pairs with the lowest scores first until the reader sorts them.

    Raises GraphError where a truth is not that of its graph (`agreement`).
    """
    script = asset("gallery.js")
    style = [asset("table.css"), asset("report.css"), asset("gallery.css")]
    known = any(pair.truth is not None for pair in pairs)
    orders = [order for order in _ORDERS if known or order[0] != "right"]
    return document(
        asset("gallery.html"),
        title=f"{len(pairs)} distortion graphs",
        style=[*style, *_rules(pairs)],
        summary=escape(_counted(pairs)),
        orders="".join(f'<option value="{key}">{text}</option>' for key, text in orders),
        pairs="\n".join(_item(pair) for pair in sorted(pairs, key=_worst)),
        script=script,
    )


def _rules(pairs: Sequence[Pair]) -> list[str]:
    """Colours; pairs of several vocabularies get the rules of each, under its own name."""
    by_count = {len(pair.graph.vocabulary.comparisons): pair.graph for pair in pairs}
    return [
        colour_rules(graph).replace(".dg ", f".dg .of{count} ") for count, graph in by_count.items()
    ]


def _counted(pairs: Sequence[Pair]) -> str:
    ranks = [
        rank_of(pair.graph, scene.comparison.label)
        for pair in pairs
        if (scene := pair.graph.scene) is not None and scene.comparison is not None
    ]
    better, worse = sum(r > 0 for r in ranks), sum(r < 0 for r in ranks)
    return (
        f"Of {counted(len(pairs), 'pair')} the anchor is better as a whole in {better}, worse in "
        f"{worse} and about equal in {len(ranks) - better - worse}."
    )


def _worst(pair: Pair) -> float:
    """The lowest score of a region; above all scores where there is none."""
    regions = pair.graph.regions
    scores = [s for r in regions for side in SIDES if (s := r.node(side).score) is not None]
    return min(scores, default=2.0)


def _item(pair: Pair) -> str:
    graph = pair.graph
    name = printable(pair.name)
    facts = {"name": name, "worst": _number(_worst(pair)), "margin": "", "lead": "", "right": ""}
    if graph.scene is not None and graph.scene.comparison is not None:
        margin = graph.scene.comparison.margin
        if margin is not None:
            facts |= {"margin": _number(margin), "lead": _number(-margin)}
    text = ""
    if pair.truth is not None:
        agreed = agreement(graph, pair.truth)
        facts["right"] = str(-agreed.mistakes)
        text = f"<p>{escape(agreed.sentence())}</p>"
    data = "".join(f' data-{key}="{escape(value, quote=True)}"' for key, value in facts.items())
    pictures = "".join(_figure(side, url) for side, url in zip(SIDES, pair.thumbnails, strict=True))
    kind = f"of{len(graph.vocabulary.comparisons)}"
    return (
        f'<li class="{kind}"{data}><div class="small">{pictures}{_slopes(graph)}</div>'
        f'<h2><a href="{escape(quote(pair.href), quote=True)}"><bdi>{escape(name)}</bdi></a></h2>'
        f"<p>{escape(summary(graph))}</p>{text}</li>"
    )


def _figure(side: str, url: str | None) -> str:
    inside = f'<img src="{url}" alt="" loading="lazy">' if url else '<p class="absent">not here</p>'
    return f"<figure>{inside}<figcaption>{side}</figcaption></figure>"


def _slopes(graph: DistortionGraph) -> str:
    """A line per region from its score in the anchor to that in the target."""
    vocabulary = graph.vocabulary
    lines = []
    for region in graph.regions:
        left, right = region.anchor.score, region.target.score
        if left is None or right is None:
            continue
        place = vocabulary.comparison_index(region.comparison.label)
        lines.append(
            f'<line class="c{place}" x1="8" y1="{_height(left)}" x2="{_CHART - 8}" '
            f'y2="{_height(right)}"/>'
        )
    axes = "".join(
        f'<line class="axis" x1="{x}" y1="0" x2="{x}" y2="{_CHART}"/>' for x in (8, _CHART - 8)
    )
    label = f"Scores of {len(lines)} regions, anchor left, target right"
    return (
        f'<svg class="slopes" viewBox="0 0 {_CHART} {_CHART}" preserveAspectRatio="none" '
        f'role="img" aria-label="{label}">{axes}{"".join(lines)}</svg>'
    )


def _height(score: float) -> str:
    return f"{4 + (1 - score) * (_CHART - 8):.1f}"


def _number(value: float) -> str:
    return f"{value:.6f}"
