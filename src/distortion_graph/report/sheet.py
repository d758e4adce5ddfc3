"""The sheet: one picture for a ticket or a slide: both pictures, a sentence, the worst regions.

The pictures stand plain, side by side, and below them the worst regions cut out of both, with what
the graph says of each. Pixels are shown as they are or enlarged by a whole factor; only a picture
too large for the page is scaled down, and never a region's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import ImageError
from distortion_graph.graph import (
    SIDES,
    AnyRegion,
    DistortionGraph,
    Evidence,
    Node,
    RegionAlone,
    Side,
)
from distortion_graph.report.cutouts import Cutout, cutout_of
from distortion_graph.report.drawing import (
    Canvas,
    Typeface,
    draw_marks,
    marks_width,
    rounded,
    typeface,
    write_middle,
)
from distortion_graph.report.heading import heading
from distortion_graph.report.palette import (
    INK,
    MUTED,
    NEUTRAL,
    PAPER,
    Rgb,
    comparison_colours,
    severity_colours,
)
from distortion_graph.report.places import place_text
from distortion_graph.report.sources import check_pixels
from distortion_graph.report.wording import (
    alone_last,
    alone_text,
    evidence_texts,
    metric_texts,
    node_on,
    node_text,
    printable,
    quality_text,
    rank_of,
    shared_text,
    summary,
    words,
)

SMALLEST_PX, LARGEST_PX = 600, 1200
"""Pictures whose long side is shorter are enlarged by a whole factor to at least the first; those
whose long side is longer than the second are scaled down to it."""

_FACE, _GAP, _LINE, _CAPTION = 20, 18, 32, 480
_SMALLEST_CROP, _LARGEST_CROP = 240, 520
_LANDSCAPE = 2.2
_PLAIN = {"–": "-", "×": "x", "∞": "infinite", "Δ": "d"}


@dataclass(frozen=True)
class _Line:
    """A line of a caption: a colour, a comparison's marks, or neither, and words."""

    text: str
    ink: Rgb = PAPER
    colour: Rgb | None = None
    rank: int | None = None

    def draw(self, out: Canvas, x: int, middle: float, face: Typeface) -> None:
        if self.colour is not None:
            rounded(out, (x, middle - face.px / 2, face.px, face.px), 0.28 * face.px, self.colour)
            x += round(1.4 * face.px)
        if self.rank is not None:
            draw_marks(out, self.rank, x, middle, face.px)
            x += marks_width(self.rank, face.px) + face.px // 3
        write_middle(out, self.text, x, middle, face, self.ink)


@dataclass(frozen=True)
class _Card:
    """A region: its cutouts, the colour of each side's outline, and its caption.

    The cutout is None of a picture that does not have the region.
    """

    cutouts: tuple[Cutout | None, Cutout | None]
    colours: tuple[Rgb, Rgb]
    caption: list[_Line]

    @property
    def there(self) -> list[Cutout]:
        return [cutout for cutout in self.cutouts if cutout is not None]

    @property
    def absent(self) -> list[Side]:
        return [side for side, cutout in zip(SIDES, self.cutouts, strict=True) if cutout is None]

    @property
    def height(self) -> int:
        return max(*(cutout.shown[1] for cutout in self.there), len(self.caption) * _LINE)


def sheet(
    graph: DistortionGraph,
    anchor_rgb: NDArray[np.uint8],
    target_rgb: NDArray[np.uint8],
    worst: int = 4,
) -> NDArray[np.uint8]:
    """Draw the sheet of a graph.

    Args:
        graph: any graph; a region with neither mask nor box is left out.
        anchor_rgb: (H, W, 3) uint8, of the size that the graph gives for the anchor.
        target_rgb: (H', W', 3) uint8, of the size that the graph gives for the target.
        worst: how many regions to show, in the order of `alone_last`.

    Returns:
        (h, w, 3) uint8: the pictures side by side (one above the other where they are very wide),
        then the summary, then a row per region: anchor, target, caption.

    Raises:
        ImageError: a picture is not of the size in the graph, or `worst` is below 0.
    """
    if worst < 0:
        raise ImageError(f"worst is {worst}, expected 0 or more regions")
    pictures = anchor_rgb, target_rgb
    for side, rgb in zip(SIDES, pictures, strict=True):
        check_pixels(graph, side, rgb, "sheet")
    face = typeface(_FACE)
    graph = _with_names_to_draw(graph, face)
    panels = _panels(graph, pictures, face)
    width = max(panels.shape[1], 2 * (_SMALLEST_CROP + _GAP) + _CAPTION + 2 * _GAP)
    room = (width - 2 * _GAP - _CAPTION) // 2 - _GAP
    cards = _cards(graph, pictures, min(room, _LARGEST_CROP), worst, face)
    sentence = _wrapped(_plain(summary(graph), face), width - 2 * _GAP, face)
    return _composed(panels, sentence, cards, pictures, width)


def _composed(
    panels: Canvas,
    sentence: list[str],
    cards: Sequence[_Card],
    pictures: tuple[NDArray[np.uint8], NDArray[np.uint8]],
    width: int,
) -> Canvas:
    face = typeface(_FACE)
    cutouts = [cutout for card in cards for cutout in card.there]
    texts = [*SIDES, *(_absent(side) for card in cards for side in card.absent)]
    column = _GAP + max(*map(face.width, texts), *(cutout.shown[0] for cutout in cutouts))
    height = panels.shape[0] + len(sentence) * _LINE + _GAP
    height += sum(card.height + _GAP for card in cards) + (_LINE if cards else 0)
    out = np.empty((height, width, 3), np.uint8)
    out[:] = INK
    out[: panels.shape[0], : panels.shape[1]] = panels
    y = panels.shape[0]
    for text in sentence:
        write_middle(out, text, _GAP, y + _LINE / 2, face, PAPER)
        y += _LINE
    y += _GAP // 2
    if cards:
        for k, side in enumerate(SIDES):
            write_middle(out, side, _GAP + k * column, y + _LINE / 2, face, MUTED)
        y += _LINE
    for card in cards:
        for k, (cutout, colour, rgb) in enumerate(
            zip(card.cutouts, card.colours, pictures, strict=True)
        ):
            x = _GAP + k * column
            if cutout is None:
                write_middle(out, _absent(SIDES[k]), x, y + _LINE / 2, face, MUTED)
            else:
                cutout.draw(out, x, y, rgb, colour)
        for k, line in enumerate(card.caption):
            line.draw(out, _GAP + 2 * column, y + (k + 0.5) * _LINE, face)
        y += card.height + _GAP
    return out


def _panels(
    graph: DistortionGraph, pictures: tuple[NDArray[np.uint8], NDArray[np.uint8]], face: Typeface
) -> Canvas:
    """Both pictures, plain, under their headings."""
    shown = [_shown(rgb) for rgb in pictures]
    heights, widths = [s.shape[0] for s in shown], [s.shape[1] for s in shown]
    stacked = any(rgb.shape[1] > _LANDSCAPE * rgb.shape[0] for rgb in pictures)
    column = max(*widths, _SMALLEST_CROP + _CAPTION // 2)
    width = _GAP + (1 if stacked else 2) * (column + _GAP)
    height = sum(h + _LINE + _GAP for h in heights) if stacked else max(heights) + _LINE + _GAP
    out = np.empty((height, width, 3), np.uint8)
    out[:] = INK
    x, y = _GAP, 0
    for side, panel in zip(SIDES, shown, strict=True):
        heading(out, graph, side, (x, x + column), y + _LINE / 2, face)
        out[y + _LINE : y + _LINE + panel.shape[0], x : x + panel.shape[1]] = panel
        if stacked:
            y += _LINE + panel.shape[0] + _GAP
        else:
            x += column + _GAP
    return out


def _shown(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture as it is, enlarged by a whole factor, or scaled down."""
    height, width = rgb.shape[:2]
    longest = max(height, width)
    if longest > LARGEST_PX:
        size = tuple(max(1, round(n * LARGEST_PX / longest)) for n in (width, height))
        return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
    factor = -(-SMALLEST_PX // longest)
    return rgb.repeat(factor, 0).repeat(factor, 1)


def _cards(
    graph: DistortionGraph,
    pictures: tuple[NDArray[np.uint8], NDArray[np.uint8]],
    room: int,
    worst: int,
    face: Typeface,
) -> list[_Card]:
    cards: list[_Card] = []
    for region in alone_last(graph):
        if len(cards) == worst:
            break
        anchor, target = (
            cutout_of(region, side, (rgb.shape[0], rgb.shape[1]), room)
            for side, rgb in zip(SIDES, pictures, strict=True)
        )
        there = [cutout for cutout in (anchor, target) if cutout is not None]
        if len(there) < sum(node_on(region, side) is not None for side in SIDES):
            continue
        colours = _colour(graph, region.anchor), _colour(graph, region.target)
        caption = _caption(graph, region, there, colours, face)
        cards.append(_Card((anchor, target), colours, caption))
    return cards


def _absent(side: Side) -> str:
    return f"not in the {side}"


def _colour(graph: DistortionGraph, node: Node | None) -> Rgb:
    if node is None or graph.is_uncertain(node):
        return NEUTRAL
    vocabulary = graph.vocabulary
    level = vocabulary.severity_index(node.severity.label)
    return severity_colours(len(vocabulary.severities))[level]


def _caption(
    graph: DistortionGraph,
    region: AnyRegion,
    cutouts: Sequence[Cutout],
    colours: tuple[Rgb, Rgb],
    face: Typeface,
) -> list[_Line]:
    """Number and name, its nodes, the comparison, the evidence, and how the cutouts are shown."""
    room = _CAPTION - 2 * _FACE
    named = printable(region.name)
    plain = f"region {region.id}"
    title = plain if named in ("", plain, str(region.id)) else f"{region.id}  {named}"
    lines = [_Line(text) for text in _wrapped(title, room, face)]
    for side, colour in zip(SIDES, colours, strict=True):
        node = node_on(region, side)
        if node is not None:
            first, *more = _wrapped(_node_text(graph, node, side), room, face)
            lines += [_Line(first, colour=colour), *map(_Line, more)]
    lines.append(_verdict(graph, region))
    notes = [text for text in (_place(graph, region), shared_text(region)) if text]
    notes += [*_evidence_lines(graph, region.evidence), *_cutout_lines(cutouts)]
    lines += [_Line(text, MUTED) for note in notes for text in _wrapped(note, room, face)]
    return [_Line(_plain(x.text, face), x.ink, x.colour, x.rank) for x in lines]


def _verdict(graph: DistortionGraph, region: AnyRegion) -> _Line:
    if isinstance(region, RegionAlone):
        return _Line(alone_text(region))
    vocabulary = graph.vocabulary
    rank = rank_of(graph, region.comparison.label)
    compared = comparison_colours(len(vocabulary.comparisons))[rank + vocabulary.neutral_index]
    said = words(vocabulary, region.comparison.label)
    return _Line(f"anchor against target: {said}", colour=compared, rank=rank)


def _place(graph: DistortionGraph, region: AnyRegion) -> str:
    return "" if isinstance(region, RegionAlone) else place_text(graph, region)


def _node_text(graph: DistortionGraph, node: Node, side: Side) -> str:
    quality = quality_text(node, graph.vocabulary)
    return f"{side}: {node_text(graph, node, ' · ')}, {quality}"


def _evidence_lines(graph: DistortionGraph, facts: Evidence | None) -> list[str]:
    names = ("PSNR {} dB", "SSIM {}", "HaarPSI {}", "CIEDE2000 {}")
    known = zip(names, evidence_texts(facts), strict=True)
    said = [name.format(value) for name, value in known if value]
    said += [f"{name} {value}" for name, value in metric_texts(graph, facts) if value]
    text = ", ".join(said)
    return [text] if text else []


def _cutout_lines(cutouts: Sequence[Cutout]) -> list[str]:
    factors = [cutout.factor for cutout in cutouts]
    shown = " and ".join(f"{factor}×" for factor in dict.fromkeys(factors))
    lines = [f"shown {shown} enlarged"] if max(factors) > 1 else []
    whole = all(cutout.whole for cutout in cutouts)
    return lines if whole else [*lines, "a part of the region is shown"]


def _with_names_to_draw(graph: DistortionGraph, face: Typeface) -> DistortionGraph:
    """The graph with `region 7` for a name that the typeface cannot draw."""
    renamed = {
        key: tuple(
            r
            if face.can_draw(printable(r.name))
            else r.model_copy(update={"name": f"region {r.id}"})
            for r in regions
        )
        for key, regions in (("regions", graph.regions), ("alone", graph.alone))
    }
    return graph.model_copy(update=renamed)


def _plain(text: str, face: Typeface) -> str:
    """The text in letters that the typeface has."""
    return "".join(c if face.can_draw(c) else _PLAIN.get(c, "?") for c in text)


def _wrapped(text: str, room: int, face: Typeface) -> list[str]:
    """The text in lines of at most `room` pixels, broken between words where that is possible."""
    lines = [""]
    for word in text.split():
        joined = f"{lines[-1]} {word}".strip()
        if face.width(joined) <= room:
            lines[-1] = joined
            continue
        lines.append("")
        for letter in word:
            if face.width(lines[-1] + letter) > room:
                lines.append("")
            lines[-1] += letter
    return [line for line in lines if line]
