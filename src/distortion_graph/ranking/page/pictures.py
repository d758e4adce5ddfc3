"""The pictures of a page, each embedded once and shown whole or in part by CSS."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from distortion_graph.ranking.candidates import Loaded
from distortion_graph.ranking.parts import RankedRegion, Ranking, RegionStanding
from distortion_graph.ranking.wording import behind_text, title_of, value_text, why
from distortion_graph.report.html.embedding import Embedded, embed
from distortion_graph.report.sources import file_of
from distortion_graph.report.wording import printable

REFERENCE = "reference"
"""What stands for the original among names of candidates, which are never looked up by it."""

CUT_WH_PX = 190, 142
"""Pixels of a picture that a cut shows at most."""


@dataclass(frozen=True)
class Shown:
    """A picture of a page: the CSS class that has its pixels, and its size in pixels."""

    name: str
    sign: str
    width: int
    height: int
    embedded: Embedded


@dataclass(frozen=True)
class RankedPictures:
    """All pictures of a ranking, the best candidate first; `reference` is None without one."""

    reference: Shown | None
    candidates: tuple[Shown, ...]

    @classmethod
    def of(cls, ranking: Ranking, loaded: Loaded, *, lossy: bool = False) -> RankedPictures:
        """Those that a ranking was made of; raises ImageError as `embed` does."""

        def shown(name: str, sign: str) -> Shown:
            picture = pictures[name]
            found = file_of(picture)
            embedded = embed(picture, found.data, lossy=lossy)
            return Shown(name, sign, picture.width, picture.height, embedded)

        pictures = {one.name: one.picture for one in loaded.candidates}
        candidates = tuple(
            shown(standing.candidate, f"p{k}") for k, standing in enumerate(ranking.ordered)
        )
        if loaded.reference is None:
            return cls(None, candidates)
        pictures = {REFERENCE: loaded.reference}
        return cls(shown(REFERENCE, "pr"), candidates)

    @property
    def every(self) -> tuple[Shown, ...]:
        """The reference first."""
        return (self.reference, *self.candidates) if self.reference else self.candidates

    def base(self, ranking: Ranking) -> Shown:
        """The picture that the regions lie on."""
        if self.reference is not None:
            return self.reference
        first = ranking.candidates[0].name
        return next(shown for shown in self.candidates if shown.name == first)

    def rules(self) -> str:
        """CSS: the pixels of each picture, once, however often it is shown."""
        return "\n".join(
            f'.{shown.sign} {{ background-image: url("{shown.embedded.url}") }}'
            for shown in self.every
        )


def wholes(ranking: Ranking, pictures: RankedPictures) -> str:
    """All pictures, small."""
    said = {s.candidate: f"{value_text(s)}, {why(ranking, s.node)}" for s in ranking.scene}
    figures = []
    for shown in pictures.every:
        text = said.get(shown.name, "") if shown is not pictures.reference else ""
        ratio = f"aspect-ratio: {shown.width} / {shown.height}"
        figures.append(_figure(shown, "whole", ratio, text))
    return f'<div class="row wholes">{"".join(figures)}</div>'


def cuts(ranking: Ranking, pictures: RankedPictures) -> str:
    """Every region of every picture at its own pixels, a fold for each region."""
    return "".join(_fold(ranking, region, pictures) for region in ranking.regions)


def _fold(ranking: Ranking, region: RankedRegion, pictures: RankedPictures) -> str:
    standings = {standing.candidate: standing for standing in region.standings}
    order = {standing.candidate: k for k, standing in enumerate(region.ordered)}
    ranked = sorted(pictures.candidates, key=lambda shown: order.get(shown.name, len(order)))
    figures = []
    if pictures.reference is not None:
        figures.append(_cut(pictures.reference, region, None, ""))
    for shown in ranked:
        standing = standings[shown.name]
        text = f"{value_text(standing)}, {why(ranking, standing.node)}"
        if standing.place is None:
            text = "not shown"
        elif standing.place != 1:
            text = f"{behind_text(standing)}: {why(ranking, standing.node)}"
        figures.append(_cut(shown, region, standing, text))
    title = escape(title_of(region))
    return (
        f'<details data-region="{region.id}"><summary>{title}</summary>'
        f'<div class="row">{"".join(figures)}</div></details>'
    )


def _cut(shown: Shown, region: RankedRegion, standing: RegionStanding | None, text: str) -> str:
    """The middle of a region at the picture's own pixels."""
    box = region.bbox_xywh_px
    if standing is not None and standing.node is not None and standing.node.bbox_xywh_px:
        box = standing.node.bbox_xywh_px
    if box is None or (standing is not None and standing.node is None):
        return _figure(shown, "cut absent", "width: 8rem", text, empty=True)
    left, width = _window(box[0], box[2], shown.width, CUT_WH_PX[0])
    top, height = _window(box[1], box[3], shown.height, CUT_WH_PX[1])
    style = f"width: {width}px; height: {height}px; background-position: -{left}px -{top}px"
    return _figure(shown, "cut", style, text)


def _window(start: int, length: int, whole: int, most: int) -> tuple[int, int]:
    """Where a cut begins and how long it is: the region with a margin, or its middle."""
    size = min(whole, most, max(length + length // 4, most // 2))
    middle = start + length // 2
    return min(max(middle - size // 2, 0), whole - size), size


def _figure(shown: Shown, kind: str, style: str, text: str, *, empty: bool = False) -> str:
    name = escape(printable(shown.name))
    sign = "" if empty else f" {shown.sign}"
    words = escape(
        f"{printable(shown.name)}: {text}" if text else printable(shown.name), quote=True
    )
    return (
        f'<figure><div class="{kind}{sign}" style="{style}" role="img" aria-label="{words}"></div>'
        f"<figcaption><b>{name}</b>{'<br>' if text else ''}{escape(text)}</figcaption></figure>"
    )


def notices(pictures: RankedPictures) -> Sequence[str]:
    """Which pictures of the page are not what was ranked."""
    return [
        f"The pixels of {printable(shown.name)} are not its own: {shown.embedded.how}."
        for shown in pictures.every
        if not shown.embedded.exact
    ]
