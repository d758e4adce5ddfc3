"""Colours of severities and comparisons, told apart by people who are colour-blind.

The hues are those of Okabe and Ito, *Color Universal Design* (2008): sky blue where nothing is
wrong, then yellow, orange and vermilion, each darker than the one before.
"""

from __future__ import annotations

from typing import TypeAlias

Rgb: TypeAlias = tuple[int, int, int]
"""Red, green, blue, 0 … 255."""

CLEAN: Rgb = (86, 180, 233)
"""Sky blue, for the lowest severity."""

INK: Rgb = (18, 20, 24)
"""The dark of labels and margins."""

PAPER: Rgb = (245, 245, 242)
"""The light of text and lines."""

MUTED: Rgb = (168, 172, 180)
"""Text that matters less, on `INK`."""

NEUTRAL: Rgb = (142, 146, 153)
"""Grey, for two things that are the same."""

PLACE: Rgb = (204, 121, 167)
"""Reddish purple, around a place where the pictures differ."""

CATEGORIES: tuple[Rgb, ...] = (
    (0, 114, 178), (230, 159, 0), (0, 158, 115), (204, 121, 167), (86, 180, 233), (213, 94, 0),
    (0, 0, 0), (240, 228, 66),
)  # fmt: skip
"""For things that have no order; those that suit any ground come first."""

# Of Kelly, "Twenty-two colors of maximum contrast", Color Engineering 1965, in his order and in
# sRGB as by Centore (2016): without black, white and grey, the blues, which are near `CLEAN`, and
# two that are near others here.
_LABELS: tuple[Rgb, ...] = (
    (243, 195, 0), (135, 86, 146), (243, 132, 0), (190, 0, 50), (194, 178, 128), (0, 136, 86),
    (230, 143, 172), (249, 147, 121), (179, 68, 108), (220, 211, 0), (136, 45, 23), (141, 182, 0),
    (101, 69, 34), (226, 88, 34), (43, 61, 38),
)  # fmt: skip
_DARKER = 0.4
_BETTER: tuple[Rgb, Rgb] = (86, 180, 233), (0, 114, 178)
_SCALE: tuple[Rgb, ...] = ((240, 228, 66), (230, 159, 0), (213, 94, 0))


def severity_colours(count: int) -> tuple[Rgb, ...]:
    """A colour for each of `count` ordered severities; the first one means undistorted."""
    steps = count - 1
    if steps == 1:
        return CLEAN, _SCALE[-1]
    spots = [k * (len(_SCALE) - 1) / (steps - 1) for k in range(steps)]
    return CLEAN, *(_between(spot) for spot in spots)


def comparison_colours(count: int) -> tuple[Rgb, ...]:
    """A colour for each of `count` comparisons in rank order, the worst first.

    Vermilion for worse and blue for better, paler towards the neutral grey in the middle.
    """
    steps = count // 2
    worse = [_between(2 if steps == 1 else 1 + k / (steps - 1)) for k in range(steps)]
    better = [_mixed(*_BETTER, 1.0 if steps == 1 else k / (steps - 1)) for k in range(steps)]
    return *reversed(worse), NEUTRAL, *better


def label_colours(count: int, clean: int) -> tuple[Rgb, ...]:
    """A colour for each of `count` labels, of which the one at the position `clean` is undistorted.

    More labels than there are colours get the same ones darker.
    """
    others = iter(range(count))
    return tuple(CLEAN if k == clean else _label_colour(next(others)) for k in range(count))


def _label_colour(number: int) -> Rgb:
    round_, place = divmod(number, len(_LABELS))
    return _mixed(_LABELS[place], INK, 1 - (1 - _DARKER) ** round_)


def ink_on(colour: Rgb) -> Rgb:
    """The dark or the light, whichever reads better on `colour` (contrast as in WCAG 2)."""
    dark, light, ground = (_luminance(c) + 0.05 for c in (INK, PAPER, colour))
    return INK if ground / dark >= light / ground else PAPER


def hex_name(colour: Rgb) -> str:
    """`#rrggbb`."""
    return "#{:02x}{:02x}{:02x}".format(*colour)


def _between(spot: float) -> Rgb:
    left = min(int(spot), len(_SCALE) - 2)
    return _mixed(_SCALE[left], _SCALE[left + 1], spot - left)


def _mixed(first: Rgb, second: Rgb, share: float) -> Rgb:
    red, green, blue = (round(a + share * (b - a)) for a, b in zip(first, second, strict=True))
    return red, green, blue


def _luminance(colour: Rgb) -> float:
    """Relative luminance of an sRGB colour (IEC 61966-2-1)."""
    linear = [
        v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4
        for v in (c / 255 for c in colour)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
