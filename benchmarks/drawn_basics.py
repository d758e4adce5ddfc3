"""What all drawn pictures share: sizes, colours, words, fonts and smooth random fields."""

from __future__ import annotations

import colorsys
import math
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import cv2
import matplotlib.font_manager
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Colour = tuple[int, int, int]
Point = tuple[float, float]
Field = NDArray[np.floating[Any]]
Item = TypeVar("Item")

LONGEST = (320, 720)
SHORTEST = 224
SATURATIONS = (0.02, 0.3), (0.3, 0.95)
ASPECTS = (1.0, 1.25, 4 / 3, 1.5, 16 / 10, 16 / 9, 2.0)

DICTIONARY = """
river mountain window paper garden morning letter engine market silver harbour bridge copper
weather evening station signal forest island number kitchen orange winter summer lantern road
pocket mirror valley castle button ticket travel season colour picture table bottle candle meadow
corner village doctor teacher sailor painter baker report budget project meeting order price
volume ratio sample result method figure source layer region pixel detail border shadow light dark
small large quiet early late round narrow bright heavy simple open warm cold green yellow common
second third broad gentle steady careful modern wooden plain slowly often again never always walks
carries finds turns keeps opens crosses follows builds paints measures compares writes reads sends
moves grows falls rises near under over between behind beyond through against without because
while until although whether seven twelve forty hundred
"""
WORDS = DICTIONARY.split()

FAMILIES = (
    "DejaVuSans",
    "DejaVuSans-Bold",
    "DejaVuSans-Oblique",
    "DejaVuSansMono",
    "DejaVuSerif",
    "DejaVuSerif-Bold",
    "LiberationMono-Regular",
    "LiberationSans-Bold",
    "LiberationSans-Regular",
    "LiberationSansNarrow-Regular",
    "LiberationSerif-Bold",
    "LiberationSerif-Italic",
    "LiberationSerif-Regular",
)
"""Font files by name; those of DejaVu come with matplotlib, so that some are always there."""


def pick(rng: np.random.Generator, items: Sequence[Item]) -> Item:
    """One of the items, all alike."""
    return items[int(rng.integers(len(items)))]


def picture_size(rng: np.random.Generator, *, upright: float = 0.3) -> tuple[int, int]:
    """Width and height in pixels; `upright` is the share of pictures higher than wide."""
    longest = int(rng.integers(LONGEST[0], LONGEST[1] + 1))
    shortest = min(longest, max(SHORTEST, round(longest / pick(rng, ASPECTS))))
    return (shortest, longest) if rng.random() < upright else (longest, shortest)


def hsv(hue: float, saturation: float, value: float) -> Colour:
    """A colour from hue (any number; its fraction counts), saturation and value in 0 to 1."""
    red, green, blue = colorsys.hsv_to_rgb(hue % 1, saturation, value)
    return round(255 * red), round(255 * green), round(255 * blue)


def colours(rng: np.random.Generator, count: int) -> list[Colour]:
    """Colours that go together: their hues are spread evenly, in a narrow or in the whole range."""
    start, spread = rng.random(), pick(rng, (0.15, 0.35, 1.0))
    saturation, value = rng.uniform(*pick(rng, SATURATIONS)), rng.uniform(0.6, 0.98)
    made = [
        hsv(
            start + spread * k / count,
            float(np.clip(saturation + rng.normal(0, 0.08), 0, 1)),
            float(np.clip(value + rng.normal(0, 0.1), 0.25, 1)),
        )
        for k in range(count)
    ]
    return [made[k] for k in rng.permutation(count)]


def paper_and_ink(rng: np.random.Generator, *, dark: float = 0.35) -> tuple[Colour, Colour]:
    """A background and a text colour with strong contrast; `dark` is the share of dark papers.

    Of light papers most are white, as on most screens, and half of these have black ink.
    """
    if rng.random() >= dark and rng.random() < 0.6:
        return (255, 255, 255), pick(rng, ((0, 0, 0), (0, 0, 0), (34, 34, 34), (51, 51, 51)))
    hue, tint = rng.random(), float(pick(rng, (0.0, 0.02, 0.06, 0.12)))
    light, deep = hsv(hue, tint, rng.uniform(0.94, 1)), hsv(hue, 3 * tint, rng.uniform(0.03, 0.2))
    return (deep, light) if rng.random() < dark else (light, deep)


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """`first` with this share of `second` in it."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


def css(colour: Colour) -> str:
    """The colour as CSS and matplotlib write it."""
    return "#{:02x}{:02x}{:02x}".format(*colour)


def phrase(rng: np.random.Generator, least: int, most: int) -> str:
    """So many random words, the first with a capital."""
    return " ".join(
        pick(rng, WORDS) for _ in range(int(rng.integers(least, most + 1)))
    ).capitalize()


def prose(rng: np.random.Generator, sentences: int) -> str:
    """Sentences of random words."""
    made = (phrase(rng, 4, 13) + pick(rng, (".", ".", ".", "?", ";")) for _ in range(sentences))
    return " ".join(made)


@cache
def font_files() -> dict[str, str]:
    """The paths of the fonts of `FAMILIES` that are on this machine, by name."""
    own = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    paths = [*map(str, own.glob("DejaVu*.ttf")), *matplotlib.font_manager.findSystemFonts()]
    there = {Path(path).stem: path for path in sorted(paths)}
    return {name: there[name] for name in FAMILIES if name in there}


def font(rng: np.random.Generator, size: float, *, mono: bool = False) -> ImageFont.FreeTypeFont:
    """A random font of a size in pixels; with `mono` all its letters are equally wide."""
    names = [name for name in font_files() if ("Mono" in name) == mono]
    return ImageFont.truetype(font_files()[pick(rng, names)], size)


def draw_smooth(size: tuple[int, int], factor: int) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    """A canvas `factor` times as large as the picture; `smooth` reduces it. Factor 1 has steps."""
    image = Image.new("RGB", (size[0] * factor, size[1] * factor))
    return image, ImageDraw.Draw(image)


def smooth(image: Image.Image, size: tuple[int, int]) -> NDArray[np.uint8]:
    """The canvas reduced to the picture's size, so that edges are anti-aliased."""
    if image.size != size:
        image = image.resize(size, Image.Resampling.BOX)
    return np.asarray(image.convert("RGB"))


def fractal(
    rng: np.random.Generator, height: int, width: int, cells: int = 3, gain: float = 0.5
) -> Field:
    """A cloudy field in 0 to 1: random grids of ever finer cells, each `gain` times as strong."""
    field: Field = np.zeros((height, width), np.float32)
    strength = 1.0
    while cells <= max(height, width) / 3:
        rows = max(2, math.ceil(cells * height / max(height, width)) + 1)
        columns = max(2, math.ceil(cells * width / max(height, width)) + 1)
        grid = rng.random((rows, columns), dtype=np.float32)
        field += strength * cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC)
        cells, strength = 2 * cells, strength * gain
    low, high = np.percentile(field, (0.5, 99.5))
    scaled: Field = np.clip((field - low) / (high - low), 0, 1).astype(np.float32)
    return scaled


def ramp(field: Field, stops: Sequence[Colour]) -> Field:
    """Colours (…, 3) in 0 to 255 along equally spaced stops, for a field in 0 to 1."""
    places = np.linspace(0, 1, len(stops))
    channels = [np.interp(field, places, [stop[c] for stop in stops]) for c in range(3)]
    return np.stack(channels, axis=-1).astype(np.float32)
