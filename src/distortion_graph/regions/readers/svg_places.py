"""Where an SVG's units lie on the picture: lengths, viewBox, transforms."""

from __future__ import annotations

import math
import re
from typing import TypeAlias
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import RegionError
from distortion_graph.pictures.images import Picture
from distortion_graph.regions.fitting import turns
from distortion_graph.regions.readers.points import number, numbers_in

Matrix: TypeAlias = NDArray[np.float64]
"""3×3, from an element's units to pixels of the picture."""

_PX = {"": 1.0, "px": 1.0, "in": 96.0, "cm": 96 / 2.54, "mm": 96 / 25.4, "pt": 4 / 3, "pc": 16.0}
_LENGTH = re.compile(r"\s*([-+.\deE]*[\d.])\s*([a-z]*)\s*")
_STEP = re.compile(r"\s*,?\s*(\w+)\s*\(([^()]*)\)\s*")
_ASPECT = re.compile(r"x(Min|Mid|Max)Y(Min|Mid|Max)(?:\s+(meet|slice))?")
_SHARES = {"Min": 0.0, "Mid": 0.5, "Max": 1.0}
_NEAR_PX = 0.5


def length(text: str, what: str) -> float:
    """A length in units; raises RegionError for one that depends on what is not here (%, em)."""
    found = _LENGTH.fullmatch(text)
    unit = _PX.get(found[2]) if found else None
    if found is None or unit is None:
        raise RegionError(f"{what}: found the length {text!r:.40}, expected a number, px, mm or in")
    try:
        return number(found[1]) * unit
    except ValueError as e:
        raise RegionError(f"{what}: found the length {text!r:.40}, expected a number") from e


def canvas_of(root: Element, picture: Picture, what: str) -> tuple[tuple[int, int], Matrix]:
    """The size (h, w) of the picture that a drawing is for, and where the drawing's units lie.

    The drawing's width and height are of that size, at 96 px per inch, or else its viewBox is: an
    editor may have written the page in millimetres. Raises RegionError where neither is.
    """
    view = _view(root, what)
    sides = [_side(root.get(key), what) for key in ("width", "height")]
    if view is None and None in sides:
        return picture.size, np.eye(3)
    width, height = (
        side if side is not None else view[2 + k]  # type: ignore[index]
        for k, side in enumerate(sides)
    )
    sizes = [(height, width), *([] if view is None else [(view[3], view[2])])]
    for k, (h, w) in enumerate(sizes):
        for size in (picture.size, picture.stored_size):
            if abs(h - size[0]) < _NEAR_PX and abs(w - size[1]) < _NEAR_PX:
                return size, np.eye(3) if view is None else _viewed(root, view, (h, w), k == 1)
    turns((math.ceil(height), math.ceil(width)), picture, what)
    raise RegionError(f"{what}: a drawing of {width:g}×{height:g} px")


def transform_of(text: str, what: str) -> Matrix:
    """The 3×3 matrix of a `transform`: its steps, the last one first on the shape."""
    matrix, at = np.eye(3), 0
    if text.strip() in ("", "none"):
        return matrix
    while at < len(text):
        step = _STEP.match(text, at)
        values = None if step is None else numbers_in(re.sub(r"px|deg", "", step[2]))
        one = None if step is None or values is None else _step(step[1], values)
        if step is None or one is None:
            raise RegionError(f"{what}: the transform {text!r:.60} cannot be read")
        matrix, at = matrix @ one, step.end()
    return matrix


def _step(name: str, values: list[float]) -> Matrix | None:
    """One step of a transform; None where it is none."""
    match name, values:
        case "matrix", [a, b, c, d, e, f]:
            return np.array([[a, c, e], [b, d, f], [0, 0, 1]])
        case "translate", [x, *rest] if len(rest) < 2:
            return np.array([[1, 0, x], [0, 1, rest[0] if rest else 0.0], [0, 0, 1]])
        case "scale", [x, *rest] if len(rest) < 2:
            return np.diag([x, rest[0] if rest else x, 1])
        case "rotate", [degrees]:
            cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
            return np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]])
        case "rotate", [degrees, x, y]:
            there, turn = _step("translate", [x, y]), _step("rotate", [degrees])
            back = _step("translate", [-x, -y])
            return there @ turn @ back  # type: ignore[operator]
        case "skewX", [degrees]:
            return np.array([[1, math.tan(math.radians(degrees)), 0], [0, 1, 0], [0, 0, 1]])
        case "skewY", [degrees]:
            return np.array([[1, 0, 0], [math.tan(math.radians(degrees)), 1, 0], [0, 0, 1]])
    return None


def _side(text: str | None, what: str) -> float | None:
    """The drawing's width or height in px; None where it is as large as there is room."""
    return (
        None if text is None or text.strip() in ("auto", "") or "%" in text else length(text, what)
    )


def _view(root: Element, what: str) -> list[float] | None:
    text = root.get("viewBox")
    if text is None:
        return None
    view = numbers_in(text)
    if view is None or len(view) != 4 or min(view[2:]) <= 0:
        raise RegionError(f"{what}: the viewBox is {text!r:.60}, expected x y width height")
    return view


def _viewed(root: Element, view: list[float], size: tuple[float, float], own: bool) -> Matrix:
    """The viewBox laid into (h, w) pixels; `own` where a pixel is a unit of it."""
    x, y, width, height = view
    across, down = (1.0, 1.0) if own else (size[1] / width, size[0] / height)
    text = root.get("preserveAspectRatio", "").strip()
    if own or text == "none":
        return np.array([[across, 0, -x * across], [0, down, -y * down], [0, 0, 1]])
    aspect = _ASPECT.fullmatch(text)
    scale = max(across, down) if aspect and aspect[3] == "slice" else min(across, down)
    shares = (_SHARES[aspect[1]], _SHARES[aspect[2]]) if aspect else (0.5, 0.5)
    left = (size[1] - width * scale) * shares[0] - x * scale
    top = (size[0] - height * scale) * shares[1] - y * scale
    return np.array([[scale, 0, left], [0, scale, top], [0, 0, 1]])
