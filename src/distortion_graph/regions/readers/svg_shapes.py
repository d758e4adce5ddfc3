"""The outlines of SVG's shapes in pixels of the picture, curves as chords."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import RegionError
from distortion_graph.regions.polygons import FLATNESS_PX, Ring, chords_of, ellipse
from distortion_graph.regions.readers.points import numbers_in, points_in
from distortion_graph.regions.readers.svg_places import Matrix, length

if TYPE_CHECKING:
    from svg.path import Arc
    from svg.path.path import PathSegment

AREAS = ("path", "polygon", "polyline", "rect", "circle", "ellipse")
"""The elements that draw an area."""

# No part of path data: another letter, or an exponent of no number.
_FOREIGN = re.compile(r"[^MmZzLlHhVvCcSsQqTtAaEe\d+\-.,\s]|(?<![\d.])[Ee]")
# One capital M with its points, perhaps with capital Ls between them, and so on: no curves.
_STRAIGHT = re.compile(r"\s*(?:M[^A-DF-Za-df-z]*(?:L[^A-DF-Za-df-z]*)*(?:[Zz]\s*)?)+")
_MOST_CHORDS = 10_000


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
    return list(_curved(segments, matrix))


def _straight(text: str, what: str) -> Iterator[Ring]:
    """The outlines of path data of straight lines between absolute points, read all at once."""
    for part in re.split("[MZz]", text):
        points = numbers_in(part.replace("L", " "))
        if points is None or len(points) % 2:
            raise RegionError(f"{what}: its path {part!r:.60} is no list of points")
        if points:
            yield np.array(points, np.float64).reshape(-1, 2)


def _curved(segments: list[PathSegment], matrix: Matrix) -> Iterator[Ring]:
    """The outlines of parsed path data, one for each move and for what follows a closing."""
    parts: list[Ring] = []
    for segment in segments:
        kind = type(segment).__name__
        if kind in ("Move", "Close"):
            if parts:
                yield np.concatenate(parts)
            # What goes on after a closing starts where the closed outline did.
            parts = [moved(_xy([segment.end]), matrix)]
        else:
            parts.append(_chords(segment, matrix))
    if parts:
        yield np.concatenate(parts)


def _xy(places: list[complex] | NDArray[np.complex128]) -> Ring:
    values = np.asarray(places, np.complex128)
    return np.stack([values.real, values.imag], axis=1)


def _chords(segment: PathSegment, matrix: Matrix) -> Ring:
    """The points of a segment after its first one, in pixels."""
    match type(segment).__name__:
        case "CubicBezier":
            control = [segment.start, segment.control1, segment.control2, segment.end]  # type: ignore[attr-defined]
            return _bezier(moved(_xy(control), matrix))
        case "QuadraticBezier":
            control = [segment.start, segment.control, segment.end]  # type: ignore[attr-defined]
            return _bezier(moved(_xy(control), matrix))
        case "Arc":
            return moved(_xy(_arc(segment, _scale(matrix))), matrix)  # type: ignore[arg-type]
    return moved(_xy([segment.end]), matrix)


def _bezier(control: Ring) -> Ring:
    """Points on a Bézier curve of degree 2 or 3, evenly in its parameter.

    A chord over the step t lies at most t²/8 · |second derivative| from the curve (the error of
    linear interpolation), which is degree · (degree − 1) · the largest second difference.
    """
    degree = len(control) - 1
    bend = np.linalg.norm(np.diff(control, 2, axis=0), axis=1).max()
    steps = math.ceil(math.sqrt(degree * (degree - 1) * bend / (8 * FLATNESS_PX)))
    t = np.linspace(0, 1, min(max(steps, 1), _MOST_CHORDS) + 1)[1:, None]
    points = control[None].repeat(len(t), axis=0).transpose(1, 0, 2)
    while len(points) > 1:  # de Casteljau
        points = np.stack([a + (b - a) * t for a, b in pairwise(points)])
    out: Ring = points[0]
    return out


def _arc(arc: Arc, scale: float) -> NDArray[np.complex128]:
    """Points on an elliptical arc after its first one; the last is its end, exactly."""
    if arc.start == arc.end or not arc.radius.real or not arc.radius.imag:
        return np.array([arc.end])
    # A bound of its radius: beyond it, the arc is scaled up to reach its end.
    radius = max(arc.radius.real, arc.radius.imag, abs(arc.end - arc.start)) * scale
    steps = chords_of(radius)
    points = [arc.point(k / steps) for k in range(1, steps)]
    return np.array([*points, arc.end])
