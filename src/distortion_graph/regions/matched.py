"""Two sets of masks, one per picture: which region of the one is which of the other.

A pair is possible where two regions lie on each other, after one is carried onto the other's
picture: by `LEAST_OVERLAP` at least, or by `LEAST_NAMED` where they have one name. Of all ways to
pair regions one to one, the one is taken whose pairs are worth the most together: a pair's overlap,
and `NAME_WORTH` for a common name (the assignment problem; NetworkX's `max_weight_matching`).

Exchanging the pictures gives the same pairs to the bit, and so does any order of the regions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import RegionError
from distortion_graph.graph import SIDES, Side
from distortion_graph.masks.boxes import Crop
from distortion_graph.masks.container import Region, RegionSet, is_default_name
from distortion_graph.masks.masks import LazyMasks
from distortion_graph.pictures.align import Alignment, valid_pixels
from distortion_graph.pictures.picture_names import composed
from distortion_graph.regions.carried import carry_masks

LEAST_OVERLAP = 0.5
"""Least intersection over union of a pair without a common name.

Above it, a region that overlaps no other of its set has at most one partner (Kirillov et al. 2019,
Panoptic Segmentation).
"""

LEAST_NAMED = 0.2
"""The same of a pair with a common name; "region 3" and the like are none."""

NAME_WORTH = 0.5
"""How much overlap a common name makes up for where regions have several possible partners."""

_WHOLE = 2**60


class Pair(NamedTuple):
    """A region of both pictures: its id in either, and how far the two masks lie on each other.

    `overlap` is their intersection over union, of what both pictures show, the mean of that on the
    one picture's pixels and that on the other's.
    """

    anchor: int
    target: int
    overlap: float


@dataclass(frozen=True)
class Matched:
    """Regions by their ids: `pairs`, ascending, and those that only one picture has, ascending.

    `leading` is the picture whose regions go first where nothing else decides, whichever is called
    the anchor; None where the two sets are equal.
    """

    pairs: tuple[Pair, ...]
    anchor_only: tuple[int, ...]
    target_only: tuple[int, ...]
    leading: Side | None

    def swapped(self) -> Matched:
        """The same with the pictures exchanged."""
        pairs = sorted(Pair(p.target, p.anchor, p.overlap) for p in self.pairs)
        other = None if self.leading is None else SIDES[self.leading == "anchor"]
        return Matched(tuple(pairs), self.target_only, self.anchor_only, other)


class JointRegion(NamedTuple):
    """A region of a pair of pictures with its mask in either, each on its own pixels.

    The mask is None in the picture that does not have the region.
    """

    id: int
    name: str
    anchor: Region | None
    target: Region | None


def match_regions(anchor: RegionSet, target: RegionSet, alignment: Alignment) -> Matched:
    """Pair the regions of the anchor with those of the target.

    `alignment` says how the target lies on the anchor. Raises RegionError for masks of another size
    than its pictures, and where there is no pair, as with masks of other pictures.
    """
    _check_size(target, alignment)
    overlaps = _overlaps(anchor, target, alignment)
    names = _names(anchor), _names(target)
    worth = {}
    for (mine, other), overlap in overlaps.items():
        alike = names[0][mine] is not None and names[0][mine] == names[1][other]
        if overlap >= (LEAST_NAMED if alike else LEAST_OVERLAP):
            worth[mine, other] = overlap + NAME_WORTH * alike
    keys = _key(anchor, alignment.matrix), _key(target, alignment.inverse)
    leading: Side | None = None if keys[0] == keys[1] else SIDES[keys[0] > keys[1]]
    # Ties between equally good ways are broken by place, so the same set is always the rows.
    if leading == "target":
        exchanged = _assigned({(other, mine): value for (mine, other), value in worth.items()})
        chosen = [(mine, other) for other, mine in exchanged]
    else:
        chosen = _assigned(worth)
    if not chosen:
        raise RegionError(_no_pair(anchor, target, overlaps))
    pairs = tuple(sorted(Pair(*ids, overlaps[ids]) for ids in chosen))
    anchor_only = {*anchor.ids} - {pair.anchor for pair in pairs}
    target_only = {*target.ids} - {pair.target for pair in pairs}
    return Matched(pairs, tuple(sorted(anchor_only)), tuple(sorted(target_only)), leading)


def joint_regions(anchor: RegionSet, target: RegionSet, matched: Matched) -> list[JointRegion]:
    """The regions of both pictures, each once, with one id and name, ascending by id.

    A pair whose ids agree keeps it. Any other region takes the smallest of its ids that is free,
    the largest region first, and where none is, the next number after all ids of both sets. A pair
    is called by both names where they differ, unless one of them only counts ("region 3").
    Exchanging the pictures changes no id, name or order.
    """
    mine, others = {r.id: r for r in anchor}, {r.id: r for r in target}
    couples: list[tuple[Region | None, Region | None]] = [
        *((mine[p.anchor], others[p.target]) for p in matched.pairs),
        *((mine[k], None) for k in matched.anchor_only),
        *((None, others[k]) for k in matched.target_only),
    ]
    if matched.leading == "target":
        couples.reverse()  # sorting keeps the order of equal ones
    couples.sort(key=_precedence)
    taken: dict[int, tuple[Region | None, Region | None]] = {}
    late = []
    for couple in couples:
        wanted = sorted({region.id for region in couple if region is not None})
        free = next((number for number in wanted if number not in taken), None)
        if free is None:
            late.append(couple)
        else:
            taken[free] = couple
    after = max((*anchor.ids, *target.ids), default=-1) + 1
    taken.update(enumerate(late, start=after))
    return [JointRegion(k, _joint_name(*taken[k]), *taken[k]) for k in sorted(taken)]


def _precedence(couple: tuple[Region | None, Region | None]) -> tuple[object, ...]:
    """Whose wish for an id goes first: an agreeing pair's, then a larger region's."""
    there = [region for region in couple if region is not None]
    agree = len(there) == 2 and there[0].id == there[1].id
    content = sorted((region.rle.counts, region.name, region.id) for region in there)
    return not agree, -sum(region.rle.area() for region in there), content


def _joint_name(mine: Region | None, other: Region | None) -> str:
    names = {region.name for region in (mine, other) if region is not None}
    telling = {name for name in names if not is_default_name(name)}
    if telling:
        return " / ".join(sorted(telling))
    return min(names, key=lambda name: (len(name), name))


def _names(regions: RegionSet) -> dict[int, str | None]:
    """What names are compared by, by id: neither case nor accents' form counts."""
    return {
        r.id: None if is_default_name(r.name) else composed(r.name).casefold().strip()
        for r in regions
    }


def _key(regions: RegionSet, matrix: NDArray[np.float64]) -> tuple[object, ...]:
    """What a set of regions is, in any order, and how it lies on the other."""
    content = sorted((r.id, r.name, r.rle.counts) for r in regions)
    return regions.size, content, matrix.tobytes()


def _check_size(target: RegionSet, alignment: Alignment) -> None:
    if target.size != alignment.target_size:
        h, w = alignment.target_size
        raise RegionError(
            f"target regions: masks are {target.size[1]}×{target.size[0]}, expected {w}×{h} as the "
            "target"
        )


def _no_pair(anchor: RegionSet, target: RegionSet, overlaps: dict[tuple[int, int], float]) -> str:
    closest = max(overlaps.values(), default=0.0)
    return (
        f"target regions: none of {len(target)} lies on one of the anchor's {len(anchor)} "
        f"(intersection over union at most {closest:.2f}, expected at least {LEAST_OVERLAP}, or "
        f"{LEAST_NAMED} with a common name); are they masks of these pictures?"
    )


def _overlaps(
    anchor: RegionSet, target: RegionSet, alignment: Alignment
) -> dict[tuple[int, int], float]:
    """Intersection over union of regions that lie on each other, by their ids."""
    if alignment.registered:
        carry_masks(anchor, alignment)  # which refuses masks of another size
        return _on_one(anchor, target, None)
    back = alignment.swapped()
    forth = _on_one(carry_masks(anchor, alignment).regions, target, valid_pixels(back))
    home = _on_one(anchor, carry_masks(target, back).regions, valid_pixels(alignment))
    return {
        ids: (forth.get(ids, 0.0) + home.get(ids, 0.0)) / 2 for ids in forth.keys() | home.keys()
    }


def _on_one(
    first: RegionSet, second: RegionSet, shown: NDArray[np.bool_] | None
) -> dict[tuple[int, int], float]:
    """The same on one picture's pixels, of those that are `shown` in both."""
    masks = [regions.lazy_masks() for regions in (first, second)]
    counts = [[_pixels(crop, shown) for crop in _crops(some)] for some in masks]
    left, top, width, height = second.boxes_xywh().T
    found = {}
    for k, crop in enumerate(_crops(masks[0])):
        box = crop.box
        across = (left < box.right) & (left + width > box.x)
        meets = across & (top < box.bottom) & (top + height > box.y)
        for j in np.flatnonzero(meets).tolist():
            common = _common(crop, masks[1].crop(j), shown)
            if common:
                union = counts[0][k] + counts[1][j] - common
                found[first[k].id, second[j].id] = common / union
    return found


def _crops(masks: LazyMasks) -> Iterator[Crop]:
    return map(masks.crop, range(len(masks)))


def _pixels(crop: Crop, shown: NDArray[np.bool_] | None) -> int:
    return int(np.count_nonzero(crop.mask if shown is None else crop.mask & shown[crop.box.area]))


def _common(first: Crop, second: Crop, shown: NDArray[np.bool_] | None) -> int:
    both = first.box.meet(second.box)
    common = first.mask[both.within(first.box)] & second.mask[both.within(second.box)]
    return _pixels(Crop(both, common), shown)


def _assigned(worth: dict[tuple[int, int], float]) -> list[tuple[int, int]]:
    """The pairs, one to one, that are worth the most together.

    Regions that share no possible partner do not concern each other, so each group of those that
    do is solved alone.
    """
    import networkx as nx

    graph: nx.Graph[tuple[int, int]] = nx.Graph()
    for (mine, other), value in sorted(worth.items()):
        # As whole numbers, in which sums are exact.
        graph.add_edge((0, mine), (1, other), weight=int(value * _WHOLE))
    groups = (graph.subgraph(group).copy() for group in nx.connected_components(graph))
    pairs = [sorted(pair) for group in groups for pair in nx.max_weight_matching(group)]
    return [(mine, other) for (_, mine), (_, other) in pairs]
