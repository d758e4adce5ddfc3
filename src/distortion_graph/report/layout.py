"""How large the overlay shows either picture, and its letters and margins."""

from __future__ import annotations

import math
from dataclasses import dataclass

from distortion_graph.report.drawing import Typeface, typeface
from distortion_graph.report.mapping import Laid

SHOWN_PX = 900
"""Pictures whose long side is shorter are enlarged by a whole factor to at least this."""

LARGEST_PX = 2400
"""Pictures whose long side is longer are scaled down to this."""

_TALLEST_FACE, _SMALLEST_FACE = 64, 12
_FACE_SHARE = 0.024
_LANDSCAPE = 2.2
_SMALL = 0.5  # of the other picture: what is shown smaller than that is enlarged


@dataclass(frozen=True)
class Layout:
    """Sizes in pixels: (w, h) of anchor and target as shown, of the letters, of margins and bars.

    Either picture has a room of `width` and `height`.
    """

    shown: tuple[tuple[int, int], tuple[int, int]]
    face: Typeface
    stacked: bool

    @property
    def width(self) -> int:
        """Of the wider picture."""
        return max(width for width, _ in self.shown)

    @property
    def height(self) -> int:
        """Of the higher picture."""
        return max(height for _, height in self.shown)

    @property
    def gap(self) -> int:
        """Between pictures, and around them."""
        return round(0.7 * self.face.px)

    @property
    def bar(self) -> int:
        """Height of a line of the heading or the legend."""
        return round(2.2 * self.face.px)

    @property
    def line(self) -> int:
        """Width of an outline."""
        return max(1, round(self.face.px / 20))

    @property
    def rim(self) -> int:
        """How deep a region's edge is tinted."""
        return max(3, round(0.4 * self.face.px))


def lay_out(width: int, height: int, laid: Laid | None) -> Layout:
    """The layout of a pair whose anchor has that size.

    The target is shown at the anchor's size. Where the two are laid on each other it keeps its own
    shape, and the scene has one size in both; a picture that would be shown smaller than half of
    the other one is shown as large as fits beside it.
    """
    anchor, target = (float(width), float(height)), (float(width), float(height))
    if laid is not None:
        own_height, own_width = laid.sizes[1]
        target = own_width * laid.scale, own_height * laid.scale
        anchor, target = _grown(anchor, target), _grown(target, anchor)
    longest = max(*anchor, *target)
    scale = float(math.ceil(SHOWN_PX / longest)) if longest < SHOWN_PX else 1.0
    scale = min(scale, LARGEST_PX / longest)
    sizes = [(max(1, round(w * scale)), max(1, round(h * scale))) for w, h in (anchor, target)]
    shown_w, shown_h = (max(side) for side in zip(*sizes, strict=True))
    face = round(_FACE_SHARE * math.sqrt(max(shown_w * shown_h, (max(shown_w, shown_h) / 2) ** 2)))
    face = min(max(face, _SMALLEST_FACE), _TALLEST_FACE)
    stacked = max(anchor[0], target[0]) > _LANDSCAPE * max(anchor[1], target[1])
    return Layout((sizes[0], sizes[1]), typeface(face), stacked)


def _grown(one: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
    """A width and height, as large as fits into the other's where it is much smaller."""
    fits = min(o / n for n, o in zip(one, other, strict=True))
    return one if fits < 1 / _SMALL else (one[0] * fits, one[1] * fits)
