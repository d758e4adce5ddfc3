"""The map of who is best where: the regions on the picture, each in the colour of its best."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from distortion_graph.base.counting import counted
from distortion_graph.ranking.page.pictures import Shown
from distortion_graph.ranking.parts import RankedRegion, Ranking
from distortion_graph.ranking.wording import region_line
from distortion_graph.report.html.shapes import deepest_point, outlines
from distortion_graph.report.palette import CATEGORIES, NEUTRAL, Rgb, hex_name
from distortion_graph.report.wording import percent, printable

_MOST_STRIPES = 3
_LEAST_LABELLED = 0.012
_COLOURS = CATEGORIES[:6]


@dataclass(frozen=True)
class BestOf:
    """The map as SVG and its legend as HTML."""

    drawing: str
    legend: str


@dataclass(frozen=True)
class _Kind:
    """Regions that the same candidates are best in."""

    names: tuple[str, ...]
    sign: str
    area: float
    regions: int


def best_of(ranking: Ranking, base: Shown) -> BestOf:
    """The map on the picture that the regions lie on.

    Where several candidates are tied for the first place their colours are striped, and from four
    on the region is grey. The colours go round where more than six candidates are best somewhere;
    names stand in the map and in the legend.
    """
    kinds = _kinds(ranking)
    colours = _colours(ranking, kinds)
    size = (base.height, base.width)
    paths = outlines([region.mask for region in ranking.regions], size)
    text_px = max(base.width / 42, 9)
    defs, shapes, labels = [], [], []
    for kind in kinds:
        defs.append(_pattern(kind, colours, text_px))
    signs = {frozenset(kind.names): kind.sign for kind in kinds}
    for region, path in zip(ranking.regions, paths, strict=True):
        if path is None:
            continue
        fill = f"url(#{signs[frozenset(region.best)]})" if region.best else "none"
        tied = ' class="tied"' if len(region.best) > 1 else ""
        shapes.append(
            f'<path d="{path}" data-region="{region.id}" fill="{fill}"{tied}><title>'
            f"{escape(region_line(ranking, region))}</title></path>"
        )
        labels.append(_label(region, size, text_px))
    label = escape(
        f"Map: which candidate is best where, {len(ranking.regions)} regions", quote=True
    )
    drawing = (
        f'<svg viewBox="0 0 {base.width} {base.height}" role="img" aria-label="{label}">'
        f'<defs>{"".join(defs)}</defs><g class="shapes">{"".join(shapes)}</g>'
        f'<g class="labels" font-size="{text_px:.1f}">{"".join(labels)}</g></svg>'
    )
    return BestOf(drawing, _legend(kinds, colours))


def _kinds(ranking: Ranking) -> list[_Kind]:
    """The largest area first; candidates by their place as a whole."""
    order = [standing.candidate for standing in ranking.ordered]
    areas: dict[tuple[str, ...], list[float]] = {}
    for region in ranking.regions:
        if region.best:
            best = tuple(sorted(region.best, key=order.index))
            areas.setdefault(best, []).append(region.area_fraction or 0.0)
    found = [
        _Kind(names, f"best{k}", sum(areas[names]), len(areas[names]))
        for k, names in enumerate(areas)
    ]
    return sorted(found, key=lambda kind: -kind.area)


def _colours(ranking: Ranking, kinds: list[_Kind]) -> dict[str, Rgb]:
    """A colour for each candidate that is best somewhere, by its place as a whole."""
    there = {name for kind in kinds for name in kind.names}
    order = [s.candidate for s in ranking.ordered if s.candidate in there]
    return {name: _COLOURS[k % len(_COLOURS)] for k, name in enumerate(order)}


def _stripes(kind: _Kind, colours: dict[str, Rgb]) -> list[Rgb]:
    names = kind.names if len(kind.names) <= _MOST_STRIPES else ()
    return [colours[name] for name in names] or [NEUTRAL]


def _pattern(kind: _Kind, colours: dict[str, Rgb], width: float) -> str:
    stripes = _stripes(kind, colours)
    bars = "".join(
        f'<rect x="{k * width:.1f}" width="{width:.1f}" height="{width:.1f}" '
        f'fill="{hex_name(colour)}"/>'
        for k, colour in enumerate(stripes)
    )
    return (
        f'<pattern id="{kind.sign}" width="{len(stripes) * width:.1f}" height="{width:.1f}" '
        f'patternUnits="userSpaceOnUse" patternTransform="rotate(45)">{bars}</pattern>'
    )


def _label(region: RankedRegion, size: tuple[int, int], text_px: float) -> str:
    """Names of the best where the region is deepest; none in small regions."""
    spot = deepest_point(region.mask, size)
    if spot is None or not region.best or (region.area_fraction or 0) < _LEAST_LABELLED:
        return ""
    more = len(region.best) - 1
    name = printable(region.ordered[0].candidate) + (f" +{more}" if more else "")
    # Kept inside the picture: a letter is about half as wide as high.
    half = len(name) * text_px * 0.3
    x = min(max(spot[0], half), size[1] - half) if 2 * half < size[1] else size[1] / 2
    return f'<text x="{x:.0f}" y="{spot[1] + text_px / 3:.0f}">{escape(name)}</text>'


def _legend(kinds: list[_Kind], colours: dict[str, Rgb]) -> str:
    entries = []
    for kind in kinds:
        stripes = [hex_name(colour) for colour in _stripes(kind, colours)]
        stops = ", ".join(
            f"{colour} {100 * k / len(stripes):.0f}% {100 * (k + 1) / len(stripes):.0f}%"
            for k, colour in enumerate(stripes)
        )
        tied = "" if len(kind.names) == 1 else " (tied)"
        where = f"{counted(kind.regions, 'region')}, {percent(kind.area)}"
        names = escape(", ".join(map(printable, kind.names)))
        entries.append(
            f'<li><span class="swatch" style="background: linear-gradient(135deg, {stops})">'
            f"</span> <b>{names}</b>{tied}<small>{where}</small></li>"
        )
    return f'<ul class="winners">{"".join(entries)}</ul>'
