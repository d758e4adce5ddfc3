"""Tables of a page: the order as a whole, the matrix of regions and candidates, and BD-rates."""

from __future__ import annotations

from html import escape

from distortion_graph.graph import Node
from distortion_graph.ranking.parts import BdRate, RankedRegion, Ranking, Standing
from distortion_graph.ranking.wording import (
    bare_value,
    behind_text,
    best_counts,
    metric_text,
    place_text,
    title_of,
    value_text,
    weakest,
    why,
)
from distortion_graph.report.palette import CLEAN, Rgb
from distortion_graph.report.wording import percent, printable

_BEHIND: Rgb = (213, 94, 0)
_MOST_INK = 0.5
_VALUES = {"score": "Score", "opinion": "Opinion", "pairs": "Preferred"}


def order_table(ranking: Ranking) -> str:
    """All candidates, the best first."""
    sized = ranking.rates is not None
    heads = ["Place", "Candidate", _VALUES[ranking.by], "Behind", "Best in"]
    metrics = [metric.name for metric in ranking.metrics]
    heads += metrics
    heads += ["Bytes", "Bits per pixel"] if sized else []
    heads += ["What is wrong", "Weakest in"]
    counts = best_counts(ranking)
    rows = []
    for standing in ranking.ordered:
        candidate = ranking.candidate(standing.candidate)
        cells = [
            _number(value_text(standing)),
            _number(behind_text(standing)),
            _number(f"{counts[standing.candidate]} of {len(ranking.regions)}"),
        ]
        cells += [_number(metric_text(standing.more.get(name))) for name in metrics]
        if sized:
            cells += [
                _number(f"{candidate.size_bytes:,}"),
                _number(f"{candidate.bits_per_pixel:.3f}"),
            ]
        found = weakest(ranking, standing.candidate)
        weak = "–" if found is None else f"{title_of(found[0])}: {why(ranking, found[1].node)}"
        cells += [_what(why(ranking, standing.node)), _what(weak)]
        rows.append(
            f'<tr><td class="number">{place_text(standing, ranking.scene)}</td>'
            f'<th scope="row"><bdi>{escape(printable(standing.candidate))}</bdi></th>'
            f"{''.join(cells)}</tr>"
        )
    return _table("Candidates as a whole, the best first", heads, rows)


def matrix(ranking: Ranking) -> str:
    """A row per region, a column per candidate in the order as a whole."""
    names = [standing.candidate for standing in ranking.ordered]
    most = max((s.behind or 0.0 for r in ranking.regions for s in r.standings), default=0.0)
    heads = ["Region", *(escape(printable(name)) for name in names)]
    rows = [_matrix_row(ranking, region, names, most) for region in ranking.regions]
    caption = "Every region and candidate; the darker, the farther behind the best, which is blue"
    return _table(caption, heads, rows, "graph-table matrix", escaped=True)


def _matrix_row(ranking: Ranking, region: RankedRegion, names: list[str], most: float) -> str:
    standings = {standing.candidate: standing for standing in region.standings}
    area = (
        "" if region.area_fraction is None else f" <small>{percent(region.area_fraction)}</small>"
    )
    head = f'<th scope="row">{escape(title_of(region))}{area}</th>'
    cells = "".join(_cell(ranking, standings[name], standings[name].node, most) for name in names)
    return f'<tr data-region="{region.id}">{head}{cells}</tr>'


def _cell(ranking: Ranking, standing: Standing, node: Node | None, most: float) -> str:
    said = escape(why(ranking, node))
    for name, found in standing.more.items():
        said += f"<br>{escape(name)} {metric_text(found)}"
    if standing.place is None:
        return f"<td><small>{said}</small></td>"
    value = bare_value(standing)
    if standing.place == 1:
        ground = f"rgb({CLEAN[0]} {CLEAN[1]} {CLEAN[2]} / .38)"
        return f'<td style="background: {ground}"><b>★ {value}</b><br><small>{said}</small></td>'
    ink = _MOST_INK * (standing.behind or 0.0) / most if most else 0.0
    ground = f"rgb({_BEHIND[0]} {_BEHIND[1]} {_BEHIND[2]} / {ink:.2f})"
    place = f'<span class="place">{standing.place}</span>'
    return f'<td style="background: {ground}">{place} {value}<br><small>{said}</small></td>'


def rate_table(ranking: Ranking) -> str:
    """How ladders differ, as a whole and in each region."""
    if ranking.rates is None or not ranking.rates.bd_rates:
        return ""
    names = {region.id: title_of(region) for region in ranking.regions}
    heads = ["Where", "Ladder", "against", "PCHIP", "Cubic", "Qualities in common"]
    rows = [_rate_row(rate, names) for rate in ranking.rates.bd_rates]
    return _table("BD-rate: bytes more (+) or less (−) at equal quality", heads, rows)


def _rate_row(rate: BdRate, names: dict[int, str]) -> str:
    where = "whole picture" if rate.region is None else names[rate.region]
    sides = "".join(f"<td>{escape(printable(name))}</td>" for name in (rate.test, rate.anchor))
    head = f'<th scope="row">{escape(where)}</th>{sides}'
    if rate.pchip_percent is None or rate.cubic_percent is None:
        problem = escape(printable(rate.problem or ""))
        return f'<tr>{head}<td class="what" colspan="3">{problem}</td></tr>'
    numbers = [
        f"{value:+.1f} %".replace("-", "−") for value in (rate.pchip_percent, rate.cubic_percent)
    ]
    numbers.append("" if rate.overlap is None else percent(rate.overlap))
    return f"<tr>{head}{''.join(map(_number, numbers))}</tr>"


def _table(
    caption: str,
    heads: list[str],
    rows: list[str],
    kind: str = "graph-table",
    *,
    escaped: bool = False,
) -> str:
    cells = "".join(f'<th scope="col">{text if escaped else escape(text)}</th>' for text in heads)
    return (
        f'<table class="{kind}"><caption><span>{escape(caption)}</span></caption>'
        f"<thead><tr>{cells}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    )


def _number(text: str) -> str:
    return f'<td class="number">{escape(text)}</td>'


def _what(text: str) -> str:
    return f'<td class="what">{escape(text)}</td>'
