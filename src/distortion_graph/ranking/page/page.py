"""The page of a ranking, in one file without a script."""

from __future__ import annotations

from html import escape

from distortion_graph.ranking.chart import chart
from distortion_graph.ranking.page.best_of import best_of
from distortion_graph.ranking.page.matrix import matrix, order_table, rate_table
from distortion_graph.ranking.page.pictures import RankedPictures, cuts, notices, wholes
from distortion_graph.ranking.parts import Ranking
from distortion_graph.ranking.wording import basis, rate_line, summary, title_of
from distortion_graph.report.html.document import asset, document
from distortion_graph.report.wording import printable

_PACKAGE = "distortion_graph.ranking.page"

_MOST_LIT = 200
"""Of more regions none is lit where its row is pointed at: a rule each would slow the page."""

__all__ = ["RankedPictures", "ranking_page"]


def ranking_page(ranking: Ranking, pictures: RankedPictures) -> str:
    """The page as text; the same input gives the same text.

    `pictures` are those of the ranking, as `RankedPictures.of` embeds them.
    """
    base = pictures.base(ranking)
    best = best_of(ranking, base)
    count = len(ranking.candidates)
    against = "" if pictures.reference is None else ", with their reference"
    style = [asset("table.css"), asset("report.css"), asset("ranking.css", _PACKAGE)]
    return document(
        asset("ranking.html", _PACKAGE),
        title=f"{count} candidates ranked{against}",
        style=[*style, _lit(ranking), pictures.rules()],
        summary=escape(summary(ranking)),
        basis=escape(basis(ranking)),
        notices="".join(
            f'<p class="notice">{escape(line)}</p>' for line in _notices(ranking, pictures)
        ),
        order=order_table(ranking),
        base=base.sign,
        ratio=f"{base.width} / {base.height}",
        map=best.drawing,
        legend=best.legend,
        matrix=matrix(ranking),
        wholes=wholes(ranking, pictures),
        cuts=cuts(ranking, pictures),
        rates=_rates(ranking),
        footer=_footer(ranking, pictures),
    )


def _notices(ranking: Ranking, pictures: RankedPictures) -> list[str]:
    left = [f"Left out: {printable(left.reason)}" for left in ranking.left_out]
    return [*left, *notices(pictures)]


def _lit(ranking: Ranking) -> str:
    """CSS: a region that is pointed at in a table or a list is lit in the map."""
    if len(ranking.regions) > _MOST_LIT:
        return ""
    return "\n".join(
        f'body:has([data-region="{r.id}"]:hover) .shapes [data-region="{r.id}"] '
        "{ fill-opacity: .85; stroke-width: 4px }"
        for r in ranking.regions
    )


def _rates(ranking: Ranking) -> str:
    """Curves and BD-rates; nothing where file sizes were not asked for."""
    if ranking.rates is None:
        return ""
    wholes = [rate for rate in ranking.rates.bd_rates if rate.region is None]
    lines = "".join(f"<p>{escape(rate_line(rate))}.</p>" for rate in wholes)
    note = (
        "<p>Bits per pixel are those of the file: no file says how many of its bytes a region "
        "takes.</p>"
    )
    return (
        '<section aria-labelledby="rates-title"><h2 id="rates-title">Rate and quality</h2>'
        f'{lines}<div class="chart">{chart(ranking)}</div>{note}{_region_charts(ranking)}'
        f'<div class="scroll" tabindex="0" role="group" aria-label="BD-rates">{rate_table(ranking)}'
        "</div></section>"
    )


def _region_charts(ranking: Ranking) -> str:
    """The curves in each region, in a fold."""
    figures = "".join(
        f"<figure>{chart(ranking, region.id)}<figcaption>{escape(title_of(region))}</figcaption>"
        "</figure>"
        for region in ranking.regions
        if region.ordered
    )
    return (
        '<div class="cuts"><details><summary>Curves in each region</summary>'
        f'<div class="charts">{figures}</div></details></div>'
    )


def _footer(ranking: Ranking, pictures: RankedPictures) -> str:
    lines = []
    for shown in pictures.every:
        of_reference = shown is pictures.reference
        info = ranking.reference if of_reference else ranking.candidate(shown.name).picture
        facts = [printable(info.source)] if info is not None and info.source else []
        facts += [f"{shown.width} × {shown.height} pixels", f"embedded: {shown.embedded.how}"]
        lines.append(f"{printable(shown.name)}: {', '.join(facts)}.")
    if ranking.model is not None:
        named = f"{ranking.model.name} {ranking.model.version or ''}".strip()
        lines.append(f"Labels are said by the model {named}.")
    return "".join(f"<p>{escape(line)}</p>" for line in lines)
