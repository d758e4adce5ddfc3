"""Quality against bits per pixel as SVG: a line per ladder, a dot per candidate."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from distortion_graph.base.errors import RankingError
from distortion_graph.ranking.bd_rate import Point
from distortion_graph.ranking.parts import Ladder, Ranking, Rates
from distortion_graph.ranking.rates import Standings, curve
from distortion_graph.report.palette import CATEGORIES, hex_name
from distortion_graph.report.wording import printable

_WIDTH, _HEIGHT = 560, 330
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 16, 14, 44
_ROW = 16
_DASHES = ("", "6 3", "2 3", "8 3 2 3")
_DARK_INK = "#eceef1"
_STYLE = (
    "text{font:12px system-ui,'Segoe UI',Roboto,sans-serif;fill:currentColor}"
    ".grid{stroke:currentColor;stroke-opacity:.18}.ladder{fill:none;stroke-width:2}"
)
_ALONE = (
    "svg{color:#16181d;background:#fff}@media (prefers-color-scheme:dark){svg{color:"
    f"{_DARK_INK};background:#14161a}}}}"
)


class Line(NamedTuple):
    """A ladder's name and its steps; the name is empty for candidates of no ladder."""

    name: str
    steps: Sequence[tuple[str, Point]]


def chart(ranking: Ranking, region: int | None = None, *, alone: bool = False) -> str:
    """The curves of all ladders, as a whole or in a region by its id.

    `alone` makes a file of its own, with a background, in place of a part of a page. Raises
    RankingError for a ranking without file sizes.
    """
    if ranking.rates is None:
        raise RankingError("the ranking has no file sizes, expected one made with sizes (--size)")
    standings: Standings = ranking.scene if region is None else ranking.region(region).standings
    lines = _lines(ranking, ranking.rates, standings)
    points = [point for line in lines for _, point in line.steps]
    if not points:
        raise RankingError(f"region {region}: no candidate shows it, so there is nothing to draw")
    across, up = _Axis.of([p.rate for p in points], log=True), _Axis.of([p.quality for p in points])
    height = _HEIGHT + _ROW * len(lines)
    where = "the whole picture" if region is None else f"region {region}"
    title = f"{ranking.rates.quality} against bits per pixel, {where}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
        f'class="rate-chart" role="img" aria-label="{escape(title, quote=True)}">',
        f"<style>{_STYLE}{_ALONE if alone else ''}</style>",
        *_grid(across, up, ranking.rates.quality),
    ]
    for number, line in enumerate(lines):
        parts += _drawn(line, number, across, up)
    return "".join([*parts, "</svg>"])


class _Axis(NamedTuple):
    """Values from `low` to `high`, their ticks, and whether their logarithms are drawn."""

    low: float
    high: float
    ticks: tuple[float, ...]
    log: bool

    @classmethod
    def of(cls, values: Sequence[float], *, log: bool = False) -> _Axis:
        low, high = min(values), max(values)
        if log:
            low, high = low / 1.15, high * 1.15
            first, last = (math.floor(math.log10(v)) for v in (low, high))
            marks = (m * 10.0**k for k in range(first, last + 1) for m in (1, 2, 5))
            return cls(low, high, tuple(m for m in marks if low <= m <= high), True)
        room = max(high - low, 0.01) * 0.06
        low, high = low - room, min(high + room, 1.0 + room)
        step = _nice((high - low) / 5)
        first, last = math.ceil(low / step), math.floor(high / step)
        ticks = tuple(round(k * step, 6) for k in range(first, last + 1))
        return cls(low, high, ticks, False)

    def at(self, value: float) -> float:
        """Where a value lies, 0 … 1."""
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


def _lines(ranking: Ranking, rates: Rates, standings: Standings) -> list[Line]:
    """Every ladder, and what is on none."""
    size = {c.name: c.bits_per_pixel or 0.0 for c in ranking.candidates}
    rest = Ladder(name="-", candidates=tuple(c.name for c in ranking.candidates if not c.ladder))
    lines = [
        Line(printable(ladder.name), curve(ladder, standings, size, rates.quality))
        for ladder in rates.ladders
    ]
    lines.append(Line("", curve(rest, standings, size, rates.quality)))
    return [line for line in lines if line.steps]


def _grid(across: _Axis, up: _Axis, quality: str) -> list[str]:
    left, right, top, bottom = _LEFT, _WIDTH - _RIGHT, _TOP, _HEIGHT - _BOTTOM
    parts = []
    for tick in across.ticks:
        x = _x(across, tick)
        parts.append(f'<path class="grid" d="M{x:.1f} {top}V{bottom}"/>')
        parts.append(f'<text x="{x:.1f}" y="{bottom + 16}" text-anchor="middle">{tick:g}</text>')
    for tick in up.ticks:
        y = _y(up, tick)
        parts.append(f'<path class="grid" d="M{left} {y:.1f}H{right}"/>')
        parts.append(f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{tick:g}</text>')
    middle = (left + right) / 2
    parts.append(
        f'<text x="{middle}" y="{bottom + 34}" text-anchor="middle">bits per pixel of the file '
        f"(logarithmic)</text>"
    )
    turned = f'transform="rotate(-90 12 {(top + bottom) / 2})"'
    parts.append(
        f'<text x="12" y="{(top + bottom) / 2}" text-anchor="middle" {turned}>{quality}</text>'
    )
    return parts


def _drawn(line: Line, number: int, across: _Axis, up: _Axis) -> list[str]:
    colour = hex_name(CATEGORIES[number % 6]) if line.name else "currentColor"
    dash = _DASHES[number // 6 % len(_DASHES)]
    spots = [(_x(across, p.rate), _y(up, p.quality)) for _, p in line.steps]
    style = f'stroke="{colour}"' + (f' stroke-dasharray="{dash}"' if dash else "")
    parts = []
    if line.name and len(spots) > 1:
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in spots)
        parts.append(f'<path class="ladder" {style} d="M{path}"/>')
    for (x, y), (name, point) in zip(spots, line.steps, strict=True):
        said = f"{printable(name)}: {point.quality:.3f} at {point.rate:.3f} bits per pixel"
        parts.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"><title>{escape(said)}'
            "</title></circle>"
        )
    y = _HEIGHT + _ROW * number
    name = line.name or ", ".join(printable(step) for step, _ in line.steps)
    parts.append(f'<path class="ladder" {style} d="M{_LEFT} {y}h24"/>')
    parts.append(f'<text x="{_LEFT + 32}" y="{y + 4}">{escape(name)}</text>')
    return parts


def _x(axis: _Axis, value: float) -> float:
    return _LEFT + axis.at(value) * (_WIDTH - _LEFT - _RIGHT)


def _y(axis: _Axis, value: float) -> float:
    return _HEIGHT - _BOTTOM - axis.at(value) * (_HEIGHT - _TOP - _BOTTOM)


def _nice(step: float) -> float:
    """1, 2 or 5 times a power of ten, at least the step."""
    power: float = 10.0 ** math.floor(math.log10(step))
    return next(m * power for m in (1, 2, 5, 10) if m * power >= step * (1 - 1e-9))
