"""SVG drawings: paths, polygons, rectangles, circles and ellipses as regions.

Every shape that is drawn is a region, filled as its `fill-rule` says whatever its colours, and
closed where it is open. Groups move and name what is in them. What only stands there to be used
(`defs`, clip paths, patterns) and pictures are no regions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias
from xml.etree.ElementTree import Element

import numpy as np

from distortion_graph.base.errors import RegionError
from distortion_graph.pictures.images import Picture
from distortion_graph.regions.coco_entries import refuse_choice
from distortion_graph.regions.polygons import Rule
from distortion_graph.regions.readers.documents import local_name
from distortion_graph.regions.readers.svg_places import Matrix, canvas_of, transform_of
from distortion_graph.regions.readers.svg_shapes import AREAS, rings_of
from distortion_graph.regions.shapes import Drawing, Shape, outlined

_GROUPS = ("svg", "g", "a", "switch")
_NO_AREA = ("line", "text", "foreignObject")
_INKSCAPE_LABEL = "{http://www.inkscape.org/namespaces/inkscape}label"
_NUMBERED = re.compile(
    r"(?:path|rect|circle|ellipse|polygon|polyline|g|layer|svg)[-_\d]*", re.IGNORECASE
)
_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)

Styles: TypeAlias = Mapping[str, Mapping[str, str]]
"""Properties by selector, of the selectors that are read: `path`, `.name`, `#name`."""


@dataclass(frozen=True)
class _Place:
    """What an element inherits: where it lies, what it is called and how it is filled."""

    matrix: Matrix
    name: str | None = None
    rule: Rule = "nonzero"
    displayed: bool = True
    visible: bool = True


def read_svg(root: Element, picture: Picture, what: str, image: str | None) -> Drawing:
    """The shapes of an SVG, of the picture's size in pixels or in the units of its viewBox.

    Raises RegionError, its line beginning with `what`, also for drawings of another size, and for
    elements that would have to be put together (`use`).
    """
    refuse_choice(image, what)
    canvas, matrix = canvas_of(root, picture, what)
    drawing, hidden = Drawing(), 0
    for index, (element, place) in enumerate(_drawn(root, _Place(matrix), what)):
        kind = local_name(element)
        where = f"{what}: {kind} {index}" + (f" ({place.name})" if place.name else "")
        if not (place.displayed and place.visible):
            hidden += 1
        elif kind in _NO_AREA:
            drawing.no_area[kind] += 1
        elif kind == "path" and not element.get("d", "").strip():
            drawing.no_area["path without data"] += 1
        else:
            rings = rings_of(element, place.matrix, where)
            rle = outlined(rings, canvas, where, place.rule)
            drawing.shapes.append(Shape(where, rle, place.name))
    if hidden:
        drawing.notes.append(f"left out what is not displayed: {hidden} of its elements")
    if any(element.get("clip-path") or element.get("mask") for element in root.iter()):
        drawing.notes.append("clip paths and masks cut nothing off its regions")
    return drawing


def _drawn(root: Element, place: _Place, what: str) -> Iterator[tuple[Element, _Place]]:
    """The elements that draw something, in order. Nesting may be deep, so nothing recurs."""
    styles, waiting = _styles(root), [(root, place)]
    while waiting:
        element, outer = waiting.pop()
        kind = local_name(element)
        if kind == "use" or (kind == "svg" and element is not root):
            raise RegionError(
                f"{what}: found <{kind}> in the drawing, expected the shapes themselves; in "
                "Inkscape: Edit, Clone, Unlink Clone"
            )
        if kind not in (*_GROUPS, *AREAS, *_NO_AREA):
            continue
        inner = _placed(element, outer, styles, what, root)
        if kind in _GROUPS:
            waiting += [(child, inner) for child in reversed(element)]
        else:
            yield element, inner


def _placed(element: Element, outer: _Place, styles: Styles, what: str, root: Element) -> _Place:
    facts = _properties(element, styles)
    matrix, rule, visible = outer.matrix, outer.rule, outer.visible
    if "transform" in facts:
        if element is root or "transform-origin" in facts:
            raise RegionError(
                f"{what}: a transform about another origin than 0, 0, expected shapes moved by "
                "plain transforms of their own or of their groups"
            )
        matrix = matrix @ transform_of(facts["transform"], what)
        if not np.isfinite(matrix).all():
            raise RegionError(f"{what}: transforms that lead beyond all numbers")
    if facts.get("fill-rule") in ("nonzero", "evenodd"):
        rule = "evenodd" if facts["fill-rule"] == "evenodd" else "nonzero"
    if "visibility" in facts:
        visible = facts["visibility"] == "visible"
    # What is inside of the drawing is not called as the drawing is.
    name = None if element is root else _name(element, outer.name)
    displayed = outer.displayed and facts.get("display") != "none"
    return _Place(matrix, name, rule, displayed, visible)


def _name(element: Element, outer: str | None) -> str | None:
    """What people called the element, else its group, else the id that a program gave it."""
    title = next((c.text for c in element if local_name(c) == "title" and c.text), None)
    given = element.get("id")
    own = element.get(_INKSCAPE_LABEL) or (title or "").strip() or element.get("data-name")
    if own or (given and not _NUMBERED.fullmatch(given)):
        return own or given
    is_group = local_name(element) in _GROUPS
    return outer or (None if is_group else given)


def _styles(root: Element) -> Styles:
    """The properties of the drawing's style sheets by simple selectors; others are passed over."""
    found: dict[str, dict[str, str]] = {}
    for sheet in root.iter():
        if local_name(sheet) == "style" and sheet.text:
            for selectors, body in _RULE.findall(_COMMENT.sub("", sheet.text)):
                for selector in selectors.split(","):
                    found.setdefault(selector.strip(), {}).update(_declared(body))
    return found


def _properties(element: Element, styles: Styles) -> dict[str, str]:
    """Attributes, then what style sheets say, then the element's own style, as CSS weighs them."""
    classes = [f".{name}" for name in element.get("class", "").split()]
    facts = dict(element.attrib)
    for selector in (local_name(element), *classes, f"#{element.get('id')}"):
        facts.update(styles.get(selector, {}))
    return facts | _declared(element.get("style", ""))


def _declared(body: str) -> dict[str, str]:
    parts = (piece.partition(":") for piece in body.split(";"))
    return {name.strip(): value.replace("!important", "").strip() for name, _, value in parts}
