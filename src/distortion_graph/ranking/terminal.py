"""A ranking as tables on the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from distortion_graph.ranking.parts import RankedRegion, Ranking, RegionStanding, SceneStanding
from distortion_graph.ranking.wording import (
    bare_value,
    basis,
    behind_text,
    best_counts,
    metric_text,
    names_text,
    place_text,
    rate_line,
    summary,
    title_of,
    value_text,
    weakest,
    why,
)
from distortion_graph.report.wording import percent, printable

_LONGEST_NAME = 24
_VALUES = {"score": "score", "opinion": "opinion", "pairs": "preferred"}


def render(ranking: Ranking) -> RenderableType:
    """The order as a whole, a few rows of every region, and the sentences below."""
    parts: list[RenderableType] = [_order(ranking), Text("")]
    if ranking.metrics:
        parts += [_further(ranking), Text("")]
    if ranking.regions:
        parts += [_regions(ranking), Text("")]
    parts.append(Text(f"{summary(ranking)} {basis(ranking)}"))
    if ranking.rates is not None:
        wholes = [rate for rate in ranking.rates.bd_rates if rate.region is None]
        parts += [Text(f"{rate_line(rate)}.") for rate in wholes]
    return Group(*parts)


def _table(*columns: tuple[str, bool]) -> Table:
    """A table without lines but one; columns are (title, whether they are numbers)."""
    table = Table(
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        header_style="bold",
    )
    for title, number in columns:
        # What is wrong stands last and may take several lines.
        table.add_column(
            title, justify="right" if number else "left", no_wrap=title != "what is wrong"
        )
    return table


def _order(ranking: Ranking) -> Table:
    sized = ranking.rates is not None
    sizes = [("bytes", True), ("bpp", True)] if sized else []
    value = _VALUES[ranking.by]
    table = _table(
        ("", True), ("candidate", False), (value, True), ("behind", True), *sizes,
        ("best in", True), ("what is wrong", False),
    )  # fmt: skip
    table.columns[1].max_width = _LONGEST_NAME
    counts = best_counts(ranking)
    for standing in ranking.ordered:
        candidate = ranking.candidate(standing.candidate)
        size = [f"{candidate.size_bytes}", f"{candidate.bits_per_pixel:.2f}"] if sized else []
        table.add_row(
            place_text(standing, ranking.scene),
            printable(standing.candidate),
            value_text(standing),
            behind_text(standing),
            *size,
            f"{counts[standing.candidate]}/{len(ranking.regions)}",
            _whole(ranking, standing),
        )
    return table


def _further(ranking: Ranking) -> Table:
    """Further metrics of the candidates as wholes."""
    names = [metric.name for metric in ranking.metrics]
    table = _table(("candidate", False), *((name, True) for name in names))
    table.columns[0].max_width = _LONGEST_NAME
    for standing in ranking.ordered:
        values = [metric_text(standing.more.get(name)) for name in names]
        table.add_row(printable(standing.candidate), *values)
    return table


def _whole(ranking: Ranking, standing: SceneStanding) -> str:
    """What covers most of a picture, and the region in which it is farthest behind."""
    said = why(ranking, standing.node)
    found = weakest(ranking, standing.candidate)
    if found is None:
        return said
    return f"{said}; weakest in {title_of(found[0])}"


def _regions(ranking: Ranking) -> Table:
    """Of every region the best, who comes next, and the last."""
    table = _table(
        ("region", False), ("", True), ("candidate", False), (_VALUES[ranking.by], True),
        ("behind", True), ("what is wrong", False),
    )  # fmt: skip
    table.columns[0].max_width = _LONGEST_NAME
    table.columns[2].no_wrap = False
    for region in ranking.regions:
        rows = _rows(ranking, region)
        area = "" if region.area_fraction is None else percent(region.area_fraction)
        heads = [Text(title_of(region), "bold"), Text(area, "dim"), Text("")]
        if len(rows) == 1:
            heads[0] = Text.assemble(heads[0], " ", heads[1])
        for head, row in zip(heads, rows, strict=False):
            table.add_row(head, *row)
    return table


def _rows(ranking: Ranking, region: RankedRegion) -> list[Sequence[str]]:
    order = region.ordered
    if not order:
        return [("–", "no candidate shows it", "", "", "")]
    best = [standing for standing in order if standing.place == 1]
    others = order[len(best) :]
    rows = [_row(ranking, region, best)]
    return rows + [_row(ranking, region, [s]) for s in others[:1] + others[1:][-1:]]


def _row(ranking: Ranking, region: RankedRegion, tied: Sequence[RegionStanding]) -> Sequence[str]:
    """Candidates that share a place, with what is known of the first of them."""
    first = tied[0]
    return (
        place_text(first, region.standings),
        names_text([standing.candidate for standing in tied]),
        bare_value(first),
        behind_text(first),
        why(ranking, first.node),
    )
