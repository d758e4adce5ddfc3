"""What annotation files hold of a picture, shapes, and the regions that are made of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import count

import numpy as np

from distortion_graph.base.errors import RegionError, one_line
from distortion_graph.masks.container import Region, RegionSet, default_name
from distortion_graph.masks.rle import Rle, rle_union
from distortion_graph.pictures.images import Picture
from distortion_graph.regions.fitting import fit_rle
from distortion_graph.regions.polygons import Ring, Rule, crosses_itself, fill

_BEYOND_PX = 1.0  # tools put points on the edge itself, or half a pixel beyond it
_SHOWN = 4

EMPTY = "the mask is empty, expected at least one pixel of the picture"


@dataclass(frozen=True)
class Shape:
    """One shape on the picture that a file is of.

    `what` begins the error lines about it. Shapes with the same `id`, or of one `group`, are parts
    of one region; without an id they get numbers in the file's order.
    """

    what: str
    rle: Rle
    name: str | None = None
    id: int | None = None
    group: Hashable = None


@dataclass
class Drawing:
    """The shapes that a file has for one picture, in its order.

    `no_area` counts, by their kind, what can be no region: points, lines, texts. `cut` and
    `crossing` name shapes that reach beyond the picture, and whose outline crosses itself. `notes`
    are further lines for the user, without the file's name.
    """

    shapes: list[Shape] = field(default_factory=list)
    no_area: Counter[str] = field(default_factory=Counter)
    cut: list[str] = field(default_factory=list)
    crossing: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def drawn(self, ring: Ring, size: tuple[int, int], what: str) -> Rle:
        """The mask of an outline drawn by hand; raises RegionError where it has no pixel."""
        self.look_at(ring, size, what)
        return outlined([ring], size, what)

    def look_at(self, ring: Ring, size: tuple[int, int], what: str) -> None:
        """Note an outline that is hardly meant as it is."""
        limit = np.array([size[1], size[0]]) + _BEYOND_PX
        if len(ring) and ((ring < -_BEYOND_PX) | (ring > limit)).any():
            self.cut.append(what)
        if crosses_itself(ring, size, what):
            self.crossing.append(what)

    def warnings(self, what: str) -> list[str]:
        """The lines that tell the user what was left out; `what` begins them."""
        lines = list(self.notes)
        if self.no_area:
            kinds = ", ".join(f"{number} {kind}" for kind, number in self.no_area.items())
            lines.insert(0, f"left out what has no area: {kinds}")
        for shapes, fault in (
            (self.cut, "reaching beyond the picture, cut off at its edge"),
            (self.crossing, "whose outline crosses itself, all that it goes around is filled"),
        ):
            if shapes:
                few = ", ".join(shape.removeprefix(f"{what}: ") for shape in shapes[:_SHOWN])
                more = ", …" * (len(shapes) > _SHOWN)
                plural = "s" * (len(shapes) > 1)
                lines.append(f"{len(shapes)} shape{plural} {fault}: {few}{more}")
        return [one_line(f"{what}: {line}") for line in lines]


def outlined(
    rings: Sequence[Ring], size: tuple[int, int], what: str, rule: Rule = "nonzero"
) -> Rle:
    """The mask, of (h, w) pixels, of outlines; raises RegionError where there is no pixel."""
    rle = fill(rings, size, what, rule)
    return checked(rle, np.concatenate([np.zeros((0, 2)), *rings]), what)


def checked(rle: Rle, points: Ring, what: str) -> Rle:
    """A mask of outlines through these points; raises RegionError where it has no pixel."""
    if rle.area():
        return rle
    h, w = rle.size
    if not len(points):
        raise RegionError(f"{what}: {EMPTY}")
    left, top = points.min(0)
    right, bottom = points.max(0)
    if right <= 0 or bottom <= 0 or left >= w or top >= h:
        raise RegionError(
            f"{what}: lies at x {left:g}…{right:g}, y {top:g}…{bottom:g}, outside of the picture's "
            f"{w}×{h} pixels (width × height)"
        )
    raise RegionError(
        f"{what}: covers the centre of no pixel (x {left:g}…{right:g}, y {top:g}…{bottom:g}), "
        "expected at least one; remove it or draw it larger"
    )


def assembled(shapes: Iterable[Shape], picture: Picture, what: str) -> RegionSet:
    """The regions of shapes, laid on the picture, in the order of their first parts.

    Raises RegionError, its line beginning with `what` or with the shape's own words, for an empty
    mask, one of another size, one id with two names, and no shape at all.
    """
    parts: dict[Hashable, list[Shape]] = {}
    for shape in shapes:
        if shape.rle.area() == 0:
            raise RegionError(f"{shape.what}: {EMPTY}")
        key = ("alone", len(parts)) if shape.group is None else ("group", shape.group)
        of_region = parts.setdefault(key if shape.id is None else ("id", shape.id), [])
        if of_region and of_region[0].name != shape.name:
            raise RegionError(
                f"{shape.what}: the id {shape.id} is also of {of_region[0].name!r}, expected one "
                "name for the parts of a region; give it another id"
            )
        of_region.append(shape)
    if not parts:
        raise RegionError(f"{what}: no region left, expected at least one")
    given = [of_region[0].id for of_region in parts.values()]
    numbers = count(max((number for number in given if number is not None), default=-1) + 1)
    regions = []
    for of_region in parts.values():
        first = of_region[0]
        number = next(numbers) if first.id is None else first.id
        rle = fit_rle(rle_union([part.rle for part in of_region]), picture, first.what)
        regions.append(Region(number, first.name or default_name(number), rle))
    return RegionSet(picture.size, tuple(regions))


def whole_number(value: object) -> int | None:
    """The number ≥ 0 that a value is or spells; None for any other."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 19:
        return int(value)
    return value if type(value) is int and value >= 0 else None
