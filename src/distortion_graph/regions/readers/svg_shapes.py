"""The outlines of SVG's shapes in pixels of the picture, curves as chords."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TypeAlias, cast
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import RegionError
from distortion_graph.regions.polygons import FLATNESS_PX, Ring, chords_of, ellipse
from distortion_graph.regions.readers.points import numbers_in, points_in
from distortion_graph.regions.readers.svg_places import Matrix, length

if TYPE_CHECKING:
    from svg.path import Arc, CubicBezier, QuadraticBezier
    from svg.path.path import PathSegment

_Piece: TypeAlias = "tuple[complex, complex, complex, complex]"

AREAS = ("path", "polygon", "polyline", "rect", "circle", "ellipse")
"""The elements that draw an area."""

# No part of path data: another letter, or an exponent of no number.
_FOREIGN = re.compile(r"[^MmZzLlHhVvCcSsQqTtAaEe\d+\-.,\s]|(?<![\d.])[Ee]")
# A move and its points, perhaps with Ls of the same case between them, and so on: no curves.
_POINTS = "[^A-DF-Za-df-z]*"
_STRAIGHT = re.compile(
    rf"\s*(?:(?:M{_POINTS}(?:L{_POINTS})*|m{_POINTS}(?:l{_POINTS})*)(?:[Zz]\s*)?)+"
)
_OUTLINE = re.compile("([Mm])([^MmZz]*)([Zz]?)")
_MOST_CHORDS = 10_000
_MOST_PX = 2.0**31


def rings_of(element: Element, matrix: Matrix, what: str) -> list[Ring]:
    """The outlines of an element that draws an area; raises RegionError.

    `matrix` takes its units to pixels.
    """
    kind = element.tag.rpartition("}")[2]
    if kind == "path":
        return _path(element.get("d", ""), matrix, what)
    if kind in ("polygon", "polyline"):
        return [moved(points_in(element.get("points"), what), matrix)]
    if kind == "rect":
        return [moved(_rectangle(element, matrix, what), matrix)]
    x, y = (_length(element, key, what) for key in ("cx", "cy"))
    radii = ("r", "r") if kind == "circle" else ("rx", "ry")
    radius_x, radius_y = (_length(element, key, what) for key in radii)
    return [moved(_round(x, y, radius_x, radius_y, matrix), matrix)]


def moved(points: Ring, matrix: Matrix) -> Ring:
    """Points in pixels."""
    out: Ring = points @ matrix[:2, :2].T + matrix[:2, 2]
    return out


def _length(element: Element, key: str, what: str) -> float:
    text = element.get(key, "0")
    return 0.0 if text == "auto" else length(text, what)


def _round(x: float, y: float, radius_x: float, radius_y: float, matrix: Matrix) -> Ring:
    """An ellipse in its own units, with as many chords as its size in pixels asks for."""
    scale = _scale(matrix)
    unit = np.diag([1 / scale, 1 / scale, 1]) if scale else np.eye(3)
    return moved(ellipse(x * scale, y * scale, radius_x * scale, radius_y * scale), unit)


def _scale(matrix: Matrix) -> float:
    """How many pixels a unit is, at most."""
    return float(np.linalg.norm(matrix[:2, :2], 2))


def _rectangle(element: Element, matrix: Matrix, what: str) -> Ring:
    """A rectangle, perhaps with rounded corners, in its own units."""
    x, y, width, height = (_length(element, key, what) for key in ("x", "y", "width", "height"))
    given = [element.get(key, "auto") for key in ("rx", "ry")]
    # One radius stands for both.
    radii = [length(text, what) for text in given if text != "auto"]
    radius_x = min(radii[0], width / 2) if radii else 0.0
    radius_y = min(radii[-1], height / 2) if radii else 0.0
    corners = [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]
    if radius_x <= 0 or radius_y <= 0:
        return np.array(corners)
    inner = [(x + radius_x, y + radius_y), (x + width - radius_x, y + height - radius_y)]
    oval = _round(0, 0, radius_x, radius_y, matrix)
    # Each quarter of the oval goes to the corner on its side.
    centres = np.where(oval < 0, inner[0], inner[1])
    return oval + centres


def _path(text: str, matrix: Matrix, what: str) -> list[Ring]:
    if _FOREIGN.search(text):
        raise RegionError(f"{what}: its path {text!r:.60} is no path data")
    if _STRAIGHT.fullmatch(text):
        return [moved(ring, matrix) for ring in _straight(text, what)]
    from svg.path import parse_path

    try:
        segments = list(parse_path(text))
    # What the parser raises for text that is no path.
    except (AssertionError, IndexError, ValueError, ZeroDivisionError, OverflowError) as e:
        raise RegionError(f"{what}: its path {text!r:.60} cannot be read") from e
    return [_flat(np.array(pieces), matrix) for pieces in _outlines(segments, _scale(matrix))]


def _straight(text: str, what: str) -> Iterator[Ring]:
    """The outlines of path data of straight lines between points, each read all at once."""
    at = np.zeros(2)
    for move, listed, closing in _OUTLINE.findall(text):
        numbers = numbers_in(listed.replace("L", " ").replace("l", " "))
        if not numbers or len(numbers) % 2:
            raise RegionError(f"{what}: its path {listed!r:.60} is no list of points")
        points = np.array(numbers, np.float64).reshape(-1, 2)
        if move == "m":
            points = np.cumsum(points, axis=0) + at
        yield points
        at = points[0] if closing else points[-1]


def _outlines(segments: Sequence[PathSegment], scale: float) -> Iterator[list[_Piece]]:
    """The outlines of parsed path data, one for each move and for what follows a closing.

    All of it in cubic Bézier curves: a straight line and the chords of an arc are their ends.
    """
    pieces: list[_Piece] = []
    for segment in segments:
        match type(segment).__name__:
            case "Move" | "Close":
                if pieces:
                    yield pieces
                # What goes on after a closing starts where the closed outline did.
                pieces = [(segment.end,) * 4]
            case "CubicBezier":
                curve = cast("CubicBezier", segment)
                pieces.append((curve.start, curve.control1, curve.control2, curve.end))
            case "QuadraticBezier":
                start, control, end = _quadratic(cast("QuadraticBezier", segment))
                third = (start + 2 * control) / 3, (end + 2 * control) / 3
                pieces.append((start, *third, end))
            case "Arc":
                pieces += [(place,) * 4 for place in _arc(cast("Arc", segment), scale)]
            case _:
                pieces.append((segment.end,) * 4)
    if pieces:
        yield pieces


def _quadratic(curve: QuadraticBezier) -> tuple[complex, complex, complex]:
    return curve.start, curve.control, curve.end


def _flat(pieces: NDArray[np.complex128], matrix: Matrix) -> Ring:
    """(n, 2) points in pixels on (k, 4) cubic Bézier curves, evenly in their parameter.

    A chord over the step t lies at most t²/8 · |second derivative| from a curve (the error of
    linear interpolation), and that is at most 6 times the larger second difference of its points.
    """
    points = np.stack([pieces.real, pieces.imag], axis=2) @ matrix[:2, :2].T + matrix[:2, 2]
    bend = np.linalg.norm(np.diff(points, 2, axis=1), axis=2).max(axis=1)
    steps = np.sqrt(6 * bend / (8 * FLATNESS_PX))
    # What is no number is none of a pixel either, which is said where it is filled.
    steps = np.ceil(np.nan_to_num(steps, posinf=1)).clip(1, _MOST_CHORDS).astype(np.int64)
    step = np.arange(int(steps.sum())) - np.repeat(np.cumsum(steps) - steps, steps) + 1
    t = (step / np.repeat(steps, steps))[:, None]
    first, second, third, last = (np.repeat(points[:, k], steps, axis=0) for k in range(4))
    s = 1 - t
    out: Ring = s**3 * first + 3 * s * s * t * second + 3 * s * t * t * third + t**3 * last
    return out


def _arc(arc: Arc, scale: float) -> list[complex]:
    """Points on an elliptical arc after its first one; the last is its end, exactly."""
    if arc.start == arc.end or not arc.radius.real or not arc.radius.imag:
        return [arc.end]
    # A bound of its radius: beyond it, the arc is scaled up to reach its end.
    radius = max(arc.radius.real, arc.radius.imag, abs(arc.end - arc.start)) * scale
    if not radius < _MOST_PX:
        return [complex(radius)]  # no pixel, as above
    steps = chords_of(radius)
    return [*(arc.point(k / steps) for k in range(1, steps)), arc.end]
