"""An aligned pair, and which regions it has: of one source on both pictures, or one for each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import ImageError, RegionError, warn_user
from distortion_graph.graph.aligned import AlignmentInfo
from distortion_graph.masks.container import Region, RegionSet
from distortion_graph.masks.rle import rle_from_mask
from distortion_graph.measure.differences import DifferenceMap
from distortion_graph.pictures.align import (
    Alignment,
    Overlap,
    coarser,
    overlap_of,
    valid_pixels,
)
from distortion_graph.pictures.images import Picture, rgb_sha256
from distortion_graph.pipeline.laying import alignment_info
from distortion_graph.predict.sizes import with_pixels
from distortion_graph.regions import Asked, RegionSource, RegionSpec, resolve_regions
from distortion_graph.regions.carried import carry_masks, on_whole, shown_part
from distortion_graph.regions.matched import joint_regions, match_regions


@dataclass(frozen=True, eq=False)
class AlignedPair:
    """Two pictures, how they lie on each other, and what they both show."""

    pictures: tuple[Picture, Picture]
    alignment: Alignment
    overlap: Overlap

    @classmethod
    def of(cls, anchor: Picture, target: Picture, alignment: Alignment) -> AlignedPair:
        """Raises ImageError for pictures that have no pixel in common."""
        hashes = rgb_sha256(anchor.rgb), rgb_sha256(target.rgb)
        frame = coarser(alignment, int(hashes[0] > hashes[1]))
        overlap = overlap_of(anchor.rgb, target.rgb, alignment, frame)
        if overlap is None:
            raise ImageError(
                f"{target.source or 'target'}: shows nothing of {anchor.source or 'anchor'}, "
                "expected two pictures of one scene that overlap"
            )
        return cls((anchor, target), alignment, overlap)

    def seen_from(self, side: int) -> Alignment:
        """The alignment with the picture `side` as its anchor."""
        return self.alignment if side == 0 else self.alignment.swapped()

    @property
    def info(self) -> AlignmentInfo:
        """What the graph says of the alignment."""
        return alignment_info(self.alignment, self.overlap.frame)


class PairRegions(NamedTuple):
    """Regions of an aligned pair.

    Attributes:
        shared: Those of which both pictures show something, on all of the anchor and of the target;
            the same ids in the same order.
        shown: The parts of the same that both show, in the window of the overlap.
        own: The same parts in each picture's own pixels, where those differ from the window's or
            the masks do; None where they are the same.
        valid: By id, the share of a region that both pictures show.
        area: By id, the share of the picture that the region was given on; the mean of both where
            it has a mask of its own in each.
        alone: Regions of the anchor and of the target of which the other picture shows nothing.
    """

    shared: tuple[RegionSet, RegionSet]
    shown: RegionSet
    own: tuple[OwnRegions | None, OwnRegions | None]
    valid: dict[int, float]
    area: dict[int, float]
    alone: tuple[RegionSet, RegionSet]


class OwnRegions(NamedTuple):
    """Where a picture shows what the other one shows, `shown` (h, w) bool of a window (rows,
    columns) of it, and the parts of regions there.
    """

    window: tuple[slice, slice]
    shown: NDArray[np.bool_]
    regions: RegionSet


def regions_of_pair(
    source: RegionSource,
    pair: AlignedPair,
    differences: Callable[[], DifferenceMap],
    asked: Asked | None = None,
    warn: Callable[[str], object] = warn_user,
) -> PairRegions:
    """The regions of a source on both pictures.

    What is found in the pictures is found in what both show, and grids lie on that; masks that are
    given lie on the anchor. Raises as `resolve_regions` does, and RegionError where none lies in
    what both pictures show. `asked` is the model, for regions that are found by it; `warn` is told
    what a file of regions has beside them.
    """
    if isinstance(source, str | Path):
        source = RegionSpec.parse(source)
    frame, window, both, _, _ = pair.overlap
    if isinstance(source, RegionSpec) and source.found_in_pictures:
        anchor, target = map(with_pixels, pair.pictures, both)
        found = resolve_regions(source, anchor, target, differences, asked, warn)
        return laid_on_both(on_whole(found, pair.pictures[frame].size, window), frame, pair)
    given = resolve_regions(source, pair.pictures[0], pair.pictures[0], warn=warn)
    return laid_on_both(given, 0, pair)


def laid_on_both(given: RegionSet, base: int, pair: AlignedPair) -> PairRegions:
    """Regions of the picture `base`, 0 or 1, on both.

    Raises RegionError where none lies in what both pictures show.
    """
    frame, window, _, shown, copied = pair.overlap
    carried = carry_masks(given, pair.seen_from(base))
    sets = (given, carried.regions) if base == 0 else (carried.regions, given)
    parts = shown_part(sets[frame], shown, window)
    other = None if copied else _own_regions(sets[1 - frame], pair, 1 - frame)
    none = RegionSet(sets[1 - base].size, ())
    return _kept(
        sets,
        parts,
        (None, other) if frame == 0 else (other, None),
        carried.valid,
        _areas(given),
        (given, none) if base == 0 else (none, given),
    )


def regions_of_both(
    source: RegionSource,
    target_source: RegionSource,
    pair: AlignedPair,
    warn: Callable[[str], object] = warn_user,
) -> PairRegions:
    """The regions of two sources, one for each picture, matched one to one.

    Raises as `resolve_regions` and `match_regions` do, and RegionError for a source that finds its
    regions in both pictures.
    """
    anchor, target = pair.pictures
    sets = (
        _of_one(source, anchor, "regions", warn),
        _of_one(target_source, target, "target regions", warn),
    )
    joint = joint_regions(*sets, match_regions(*sets, pair.alignment))
    on_anchor, on_target = (
        RegionSet(
            sets[side].size,
            tuple(
                Region(region.id, region.name, mine.rle)
                for region in joint
                if (mine := (region.anchor, region.target)[side]) is not None
            ),
        )
        for side in (0, 1)
    )
    both = [region.id for region in joint if region.anchor and region.target]
    shared = on_anchor.subset(both), on_target.subset(both)
    frame, window, _, shown, _ = pair.overlap
    carried = [carry_masks(shared[side], pair.seen_from(side)) for side in (0, 1)]
    parts = _intersections(
        shown_part(shared[frame], shown, window),
        shown_part(carried[1 - frame].regions, shown, window),
    )
    own = _own_regions(shared[0], pair, 0), _own_regions(shared[1], pair, 1)
    areas = _areas(on_anchor), _areas(on_target)
    return _kept(
        shared,
        parts,
        own,
        {k: (carried[0].valid[k] + carried[1].valid[k]) / 2 for k in both},
        {k: (areas[0][k] + areas[1][k]) / 2 for k in both} | _others(areas, both),
        (on_anchor, on_target),
    )


def _kept(
    sets: tuple[RegionSet, RegionSet],
    parts: RegionSet,
    own: tuple[OwnRegions | None, OwnRegions | None],
    valid: dict[int, float],
    area: dict[int, float],
    given: tuple[RegionSet, RegionSet],
) -> PairRegions:
    """Regions of which something is left wherever they are looked at; the others stand alone."""
    left = set(parts.ids)
    for regions in own:
        if regions is not None:
            left &= set(regions.regions.ids)
    kept = [k for k in parts.ids if k in left]
    if not kept:
        raise RegionError("regions: none lies in what both pictures show, expected one that does")
    first, second = (one and one._replace(regions=one.regions.subset(kept)) for one in own)
    alone_anchor, alone_target = (
        regions.subset([k for k in regions.ids if k not in left]) for regions in given
    )
    return PairRegions(
        (sets[0].subset(kept), sets[1].subset(kept)),
        parts.subset(kept),
        (first, second),
        valid,
        area,
        (alone_anchor, alone_target),
    )


def _of_one(
    source: RegionSource, picture: Picture, what: str, warn: Callable[[str], object]
) -> RegionSet:
    """Regions of a picture alone."""
    if isinstance(source, str | Path):
        source = RegionSpec.parse(source)
    if isinstance(source, RegionSpec) and source.found_in_pictures:
        raise RegionError(
            f"{what} are {str(source)!r}, which lies on both pictures; expected masks of one "
            "picture where regions of the target are given"
        )
    return resolve_regions(source, picture, picture, warn=warn)


def _areas(regions: RegionSet) -> dict[int, float]:
    pixels = regions.size[0] * regions.size[1]
    areas = regions.areas().tolist()
    return {region.id: area / pixels for region, area in zip(regions, areas, strict=True)}


def _others(areas: tuple[dict[int, float], dict[int, float]], both: list[int]) -> dict[int, float]:
    return {k: area for side in areas for k, area in side.items() if k not in both}


def _intersections(first: RegionSet, second: RegionSet) -> RegionSet:
    """What two masks of each region have in common; those with nothing in common are left out."""
    others = {region.id: region.rle for region in second}
    met = []
    for region in first:
        if region.id in others:
            mask = region.rle.decode() & others[region.id].decode()
            if mask.any():
                met.append(Region(region.id, region.name, rle_from_mask(mask)))
    return RegionSet(first.size, tuple(met))


def _own_regions(regions: RegionSet, pair: AlignedPair, side: int) -> OwnRegions:
    """Of one picture: where it shows what both show, and its regions there."""
    shown = valid_pixels(pair.seen_from(side))
    rows, columns = (np.flatnonzero(shown.any(axis)) for axis in (1, 0))
    window = slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
    part = np.ascontiguousarray(shown[window])
    return OwnRegions(window, part, shown_part(regions, part, window))
