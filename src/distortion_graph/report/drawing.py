"""Antialiased shapes, text and labels on (H, W, 3) uint8 pictures.

Shapes are OpenCV's, text is set in the typeface that comes with Pillow. That typeface has few
letters beyond ASCII, so text is asked whether it can be drawn (`Typeface.can_draw`) first.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from distortion_graph.report.palette import INK, PAPER, Rgb, ink_on

Canvas = NDArray[np.uint8]
"""(H, W, 3) RGB, written to."""

_NO_SUCH_LETTER = "\U0010ffff"
_FRACTION_BITS = 4


class Typeface:
    """Pillow's own typeface at one size, `px` pixels high."""

    def __init__(self, px: int) -> None:
        from PIL import ImageFont

        self.px = px
        self._font: Any = ImageFont.load_default(px)
        self._letters: dict[str, bool] = {}

    @cached_property
    def _missing(self) -> bytes:
        return bytes(self._font.getmask(_NO_SUCH_LETTER))

    def can_draw(self, text: str) -> bool:
        """Whether every letter of the text has a shape in this typeface."""
        return all(map(self._has, text))

    def _has(self, letter: str) -> bool:
        if letter not in self._letters:
            shown = letter.isprintable() and bytes(self._font.getmask(letter)) != self._missing
            self._letters[letter] = shown or letter == " "
        return self._letters[letter]

    def width(self, text: str) -> int:
        """Width of a line of text in pixels."""
        return math.ceil(float(self._font.getlength(text)))

    def shape(self, text: str) -> tuple[NDArray[np.uint8], int, int]:
        """Coverage 0 … 255 of the text, and how far it is right of and below its corner."""
        mask = self._font.getmask(text, mode="L")
        left, top, _, _ = self._font.getbbox(text)
        width, height = mask.size
        return np.array(mask, np.uint8).reshape(height, width), int(left), int(top)

    @cached_property
    def digit_extent(self) -> tuple[int, int]:
        """Top and bottom of figures and capitals below the corner, for centring a line."""
        _, top, _, bottom = self._font.getbbox("0H")
        return int(top), int(bottom)


@lru_cache(maxsize=8)
def typeface(px: int) -> Typeface:
    """The typeface at a size, opened once."""
    return Typeface(px)


def blend(canvas: Canvas, cover: NDArray[np.uint8], x: int, y: int, colour: Rgb) -> None:
    """Lay a colour on the canvas where `cover` (h, w), 0 … 255, says; (x, y) is its corner."""
    top, left = max(y, 0), max(x, 0)
    bottom = min(y + cover.shape[0], canvas.shape[0])
    right = min(x + cover.shape[1], canvas.shape[1])
    if top >= bottom or left >= right:
        return
    share = cover[top - y : bottom - y, left - x : right - x, None].astype(np.float32) / 255
    spot = canvas[top:bottom, left:right]
    spot[:] = np.rint(spot + share * (np.array(colour, np.float32) - spot)).astype(np.uint8)


def polygon(
    canvas: Canvas, points: Sequence[tuple[float, float]], colour: Rgb, alpha: float = 1.0
) -> None:
    """Fill a convex polygon of (x, y) corners in pixels, edges antialiased."""
    corners = np.array(points, np.float64)
    x, y = (int(v) - 1 for v in np.floor(corners.min(0)))
    width, height = (int(v) + 2 for v in np.ceil(corners.max(0)) - (x, y))
    cover = np.zeros((height, width), np.uint8)
    fixed = np.rint((corners - (x, y) - 0.5) * 2**_FRACTION_BITS).astype(np.int32)
    cv2.fillConvexPoly(cover, fixed, 255, cv2.LINE_AA, _FRACTION_BITS)
    blend(canvas, cover if alpha == 1 else np.rint(cover * alpha).astype(np.uint8), x, y, colour)


def rounded(
    canvas: Canvas,
    box: tuple[float, float, float, float],
    radius: float,
    colour: Rgb,
    alpha: float = 1.0,
) -> None:
    """Fill a rectangle (x, y, w, h) with round corners."""
    x, y, w, h = box
    radius = min(radius, w / 2, h / 2)
    middles = (
        (x + w - radius, y + radius, -90),
        (x + w - radius, y + h - radius, 0),
        (x + radius, y + h - radius, 90),
        (x + radius, y + radius, 180),
    )
    points = [
        (
            mx + radius * math.cos(math.radians(start + turn)),
            my + radius * math.sin(math.radians(start + turn)),
        )
        for mx, my, start in middles
        for turn in range(0, 91, 15)
    ]
    polygon(canvas, points, colour, alpha)


def write(canvas: Canvas, text: str, x: int, y: int, face: Typeface, colour: Rgb) -> None:
    """A line of text whose corner (left, above the letters) is (x, y)."""
    if text:
        cover, left, top = face.shape(text)
        blend(canvas, cover, x + left, y + top, colour)


def write_middle(
    canvas: Canvas, text: str, x: int, middle: float, face: Typeface, colour: Rgb
) -> None:
    """A line of text from x on, its figures centred on the height `middle`."""
    top, bottom = face.digit_extent
    write(canvas, text, x, round(middle - (top + bottom) / 2), face, colour)


def marks_width(rank: int, px: int) -> int:
    """Width in pixels of what `draw_marks` draws."""
    return round(0.8 * px) if rank == 0 else round(0.72 * px * abs(rank))


def draw_marks(
    canvas: Canvas, rank: int, x: float, middle: float, px: int, colour: Rgb = PAPER
) -> None:
    """A comparison: |rank| triangles, up for better and down for worse; two bars for 0."""
    step, size = 0.72 * px, 0.6 * px
    if rank == 0:
        for shift in (-0.17 * px, 0.17 * px):
            bar = (x + 0.06 * px, middle + shift - 0.07 * px, 0.6 * px, 0.14 * px)
            rounded(canvas, bar, 0.05 * px, colour)
        return
    base, tip = (0.3 * px, -0.3 * px) if rank > 0 else (-0.3 * px, 0.3 * px)
    for k in range(abs(rank)):
        left = x + k * step + 0.06 * px
        corners = [
            (left, middle + base),
            (left + size, middle + base),
            (left + size / 2, middle + tip),
        ]
        polygon(canvas, corners, colour)


@dataclass(frozen=True)
class Chip:
    """A label: a number on the severity's colour, words, and the comparison's marks.

    `words` may be empty and `rank` None: then the number stands alone.
    """

    number: str
    words: str
    rank: int | None
    colour: Rgb

    def size(self, face: Typeface) -> tuple[int, int]:
        """Width and height in pixels."""
        pad = self._pad(face)
        width = face.width(self.number) + 2 * pad
        if self.words:
            width += face.width(self.words) + 2 * pad
        if self.rank is not None:
            width += marks_width(self.rank, face.px) + (pad if self.words else 2 * pad)
        return width, round(1.5 * face.px)

    def draw(self, canvas: Canvas, x: int, y: int, face: Typeface) -> None:
        """Draw it with its corner at (x, y)."""
        width, height = self.size(face)
        pad, middle, radius = self._pad(face), y + height / 2, 0.28 * height
        rounded(canvas, (x - 1, y - 1, width + 2, height + 2), radius + 1, PAPER, 0.85)
        rounded(canvas, (x, y, width, height), radius, INK, 0.92)
        head = face.width(self.number) + 2 * pad
        rounded(canvas, (x, y, head, height), radius, self.colour)
        if head < width:  # square where the dark part begins
            rounded(canvas, (x + head / 2, y, head / 2, height), 0, self.colour)
        write_middle(canvas, self.number, x + pad, middle, face, ink_on(self.colour))
        at = x + head + pad
        if self.words:
            write_middle(canvas, self.words, at, middle, face, PAPER)
            at += face.width(self.words) + pad
        if self.rank is not None:
            draw_marks(canvas, self.rank, at, middle, face.px)

    @staticmethod
    def _pad(face: Typeface) -> int:
        return max(2, round(0.34 * face.px))
