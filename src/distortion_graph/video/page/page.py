"""The page of two videos, in one file without a script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from urllib.parse import quote

from distortion_graph.base.vocabulary import Vocabulary
from distortion_graph.graph import SIDES
from distortion_graph.report.html.document import asset, document
from distortion_graph.report.palette import (
    comparison_colours,
    hex_name,
)
from distortion_graph.report.wording import percent, printable, words
from distortion_graph.video.page.tracks import (
    axis,
    comparisons,
    distortions,
    place_of,
    scores,
)
from distortion_graph.video.sampling import time_text
from distortion_graph.video.summary import distortion_rows, moment_text, offset_text, sentence
from distortion_graph.video.sync import Offset
from distortion_graph.video.timeline import MEANS, Timeline
from distortion_graph.video.worst import WorstMoment

_PACKAGE = "distortion_graph.video.page"

_MARK_WIDTH = 0.075
"""Share of a narrow screen's timeline that a mark takes."""


@dataclass(frozen=True)
class ShownMoment:
    """A moment as the page shows it: `href`, its report beside the page, and thumbnails as data:
    URLs, None where a frame is not there.
    """

    moment: WorstMoment
    href: str
    thumbnails: tuple[str | None, str | None]


def video_page(
    found: Timeline,
    worst: Sequence[ShownMoment],
    names: Sequence[str],
    vocabulary: Vocabulary,
    *,
    notes: Sequence[str],
    details: Sequence[str],
    offset: Offset,
    model: str,
    measured: bool,
) -> str:
    """The page as text; the same input gives the same text.

    Args:
        found: the moments over time.
        worst: the worst of them, the worst first.
        names: of the anchor, the target and, where there is one, the reference.
        vocabulary: the model's.
        notes: what a person should know, a line each.
        details: what was assumed, for the footer.
        offset: how much later the target shows the same.
        model: its name, for the footer.
        measured: whether scores are measured against an original.
    """
    style = [asset("table.css"), asset("report.css"), asset("video.css", _PACKAGE)]
    return document(
        asset("video.html", _PACKAGE),
        title=escape(f"{printable(names[0])} → {printable(names[1])} over time"),
        heading=f"Anchor <bdi>{escape(names[0])}</bdi>, target <bdi>{escape(names[1])}</bdi>",
        style=[*style, *_rules(vocabulary)],
        summary=escape(sentence(found)),
        offset=_detail(offset_text(offset)),
        notices="".join(f'<p class="notice">{escape(printable(line))}</p>' for line in notes),
        worst=_worst(worst),
        tracks=_tracks(found, worst, vocabulary, measured),
        legend=_legend(vocabulary),
        numbers=_numbers(found, vocabulary),
        footer=_footer(names, model, measured, details),
    )


def _rules(vocabulary: Vocabulary) -> list[str]:
    """Colours of comparisons; the ground stands for those that are the same."""
    colours = map(hex_name, comparison_colours(len(vocabulary.comparisons)))
    return [f".dg .c{k} {{ fill: {c}; background: {c} }}" for k, c in enumerate(colours)]


def _detail(text: str) -> str:
    return f'<p class="detail">{escape(text)}</p>' if text else ""


def _worst(worst: Sequence[ShownMoment]) -> str:
    if not worst:
        return "<p>In no moment is a region better or worse in one of the videos.</p>"
    items = "".join(_item(number, shown) for number, shown in enumerate(worst, start=1))
    return f'<ol class="moments">{items}</ol>'


def _item(number: int, shown: ShownMoment) -> str:
    pictures = "".join(
        _figure(side, url) for side, url in zip(SIDES, shown.thumbnails, strict=True)
    )
    time = time_text(shown.moment.time_s)
    return (
        f'<li id="m{number}"><div class="pair">{pictures}</div>'
        f'<h3><span class="number">{number}</span> '
        f'<a href="{escape(quote(shown.href), quote=True)}">{time}</a></h3>'
        f"<p>{escape(moment_text(shown.moment.graph))}</p></li>"
    )


def _figure(side: str, url: str | None) -> str:
    inside = f'<img src="{url}" alt="" loading="lazy">' if url else '<p class="absent">not here</p>'
    return f"<figure>{inside}<figcaption>{side}</figcaption></figure>"


def _tracks(
    found: Timeline, worst: Sequence[ShownMoment], vocabulary: Vocabulary, measured: bool
) -> str:
    parts = [_marks(found, worst), scores(found, measured)]
    parts += [_title("Comparison"), comparisons(found, vocabulary)]
    for side in reversed(SIDES):
        rows = distortions(found, vocabulary, side)
        if rows:
            parts += [_title(f"Distortions of the {side}"), rows]
    return "".join([*parts, axis(found)])


def _title(text: str) -> str:
    return f'<h3 class="kind">{escape(text)}</h3>'


def _marks(found: Timeline, worst: Sequence[ShownMoment]) -> str:
    """A link per worst moment where it lies, in so many rows that none lies on another."""
    ends: list[float] = []
    marks = []
    placed = sorted(enumerate(worst, start=1), key=lambda entry: entry[1].moment.time_s)
    for number, shown in placed:
        place = place_of(found, shown.moment.time_s)
        row = next((k for k, end in enumerate(ends) if place >= end), len(ends))
        ends[row : row + 1] = [place + _MARK_WIDTH]
        time = time_text(shown.moment.time_s)
        marks.append(
            f'<a href="#m{number}" style="left:{100 * place:.2f}%;top:{1.6 * row:.1f}rem" '
            f'aria-label="worst moment {number}, at {time}">{number}</a>'
        )
    if not marks:
        return ""
    height = 1.6 * len(ends)
    return (
        '<div class="name">worst moments</div>'
        f'<div class="track marks" style="height:{height:.1f}rem">{"".join(marks)}</div>'
    )


def _legend(vocabulary: Vocabulary) -> str:
    signs = [
        f'<span><span class="swatch{f" c{k}" if c.rank else ""}"></span>'
        f"{escape(words(vocabulary, c.label))}</span>"
        for k, c in enumerate(sorted(vocabulary.comparisons, key=lambda c: c.rank))
    ]
    lines = [
        f'<span><span class="swatch line {side}"></span>score of the {side}</span>'
        for side in SIDES
    ]
    return (
        f'<p class="legend">{"".join(lines)}<span>band: down to the lowest</span></p>'
        f'<p class="legend">The anchor is {"".join(signs)}</p>'
    )


def _numbers(found: Timeline, vocabulary: Vocabulary) -> str:
    means = "".join(
        f'<tr><th scope="row">{escape(MEANS[name])}</th><td class="number">{value:.3f}</td></tr>'
        for name, value in found.means.items()
    )
    shares = "".join(
        f'<tr><th scope="row">{escape(text)}</th><td class="number">{percent(a)}</td>'
        f'<td class="number">{percent(t)}</td></tr>'
        for text, a, t in distortion_rows(found, vocabulary)
    )
    tables = []
    if means:
        tables.append(
            '<table class="graph-table"><caption>Means over all moments</caption>'
            f"<tbody>{means}</tbody></table>"
        )
    if shares:
        tables.append(
            '<table class="graph-table"><caption>Share of the regions\' area</caption><thead><tr>'
            '<td></td><th scope="col" class="number">anchor</th><th scope="col" class="number">'
            f"target</th></tr></thead><tbody>{shares}</tbody></table>"
        )
    return "".join(tables)


def _footer(names: Sequence[str], model: str, measured: bool, details: Sequence[str]) -> str:
    scored = "Scores are measured against the original" if measured else "Scores are predicted"
    third = f" ({printable(names[2])})" if len(names) > 2 else ""
    lines = [
        f"Labels are said by the model {model}. {scored}{third}; evidence is measured.",
        "Tables: pairs/*.parquet, a row per moment; regions/*.parquet, a row per region.",
        *(f"{line}." for line in details),
    ]
    return "".join(f"<p>{escape(printable(line))}</p>" for line in lines)
