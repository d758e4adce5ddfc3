"""Two pictures that do not lie on each other pixel by pixel: what is compared of them, and how.

The model looks at each picture's own pixels with its own masks. What the two show together is seen
in the frame of the picture with the coarser pixels, and so are evidence and differences; the other
picture is resampled for these alone. What one picture alone shows is compared with nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import ImageError, RegionError
from distortion_graph.graph import SIDES, DistortionGraph
from distortion_graph.graph.aligned import AlignmentInfo, rows_of
from distortion_graph.graph.build import shared_areas
from distortion_graph.graph.build_aligned import LoneNodes, assemble_aligned
from distortion_graph.masks.container import RegionSet
from distortion_graph.masks.masks import LazyMasks
from distortion_graph.masks.rle import rle_from_mask
from distortion_graph.measure.differences import (
    NO_DIFFERENCES,
    DifferenceMap,
    MeasuredDifferences,
    RegionDifference,
    find_differences,
)
from distortion_graph.measure.evidence import Level, MeasuredEvidence, measure_evidence
from distortion_graph.measure.metrics.measuring import MeasuredMetrics, measure_metrics
from distortion_graph.measure.metrics.metric import MapMetric
from distortion_graph.pictures.align import (
    Alignment,
    Overlap,
    coarser,
    overlap_of,
    valid_pixels,
)
from distortion_graph.pictures.images import Picture, rgb_sha256
from distortion_graph.predict.canonical import predict_canonically, predict_view_canonically
from distortion_graph.predict.decode import decode
from distortion_graph.predict.predictions import Predictions
from distortion_graph.predict.session import Model
from distortion_graph.predict.sizes import with_pixels
from distortion_graph.predict.views import OwnView, View
from distortion_graph.regions import RegionSource, RegionSpec, resolve_regions
from distortion_graph.regions.carried import carry_masks, on_whole, shown_part
from distortion_graph.work.threads import CachedCall

_SHOWN_IDS = 8


class PairRegions(NamedTuple):
    """Regions of an aligned pair.

    Attributes:
        given_on: The picture whose masks or cells they are, 0 the anchor or 1 the target.
        shared: Those of which both pictures show something, on all of the anchor and of the target;
            the same ids in the same order.
        shown: The parts of the same that both show, in the window of the overlap.
        own: The same parts in the own pixels of the picture that is not the frame; None where its
            pixels are copied.
        valid: By id, the share of a region that both show.
        alone: Regions of the anchor and of the target of which the other picture shows nothing.
    """

    given_on: int
    shared: tuple[RegionSet, RegionSet]
    shown: RegionSet
    own: OwnRegions | None
    valid: dict[int, float]
    alone: tuple[RegionSet, RegionSet]


class OwnRegions(NamedTuple):
    """Where a picture shows what the other one shows, `shown` (h, w) bool of a window (rows,
    columns) of it, and the parts of regions there.
    """

    window: tuple[slice, slice]
    shown: NDArray[np.bool_]
    regions: RegionSet


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


def alignment_info(alignment: Alignment, frame: int | None) -> AlignmentInfo:
    """An alignment as part of a graph; `frame` is the picture in whose pixels both are compared."""
    of_matrix = alignment.model != "flow"
    return AlignmentInfo(
        model=alignment.model,
        matrix=rows_of(alignment.matrix) if of_matrix else None,
        inverse=rows_of(alignment.inverse) if of_matrix else None,
        residual_px=None if alignment.residual_px is None else round(alignment.residual_px, 4),
        overlap=round(alignment.overlap, 6),
        target_overlap=round(alignment.swapped().overlap, 6),
        confidence=round(alignment.confidence, 6),
        same_scene=round(alignment.same_scene, 6),
        reason=alignment.reason,
        frame=None if frame is None else SIDES[frame],
    )


def compare_aligned(
    model: Model,
    pair: AlignedPair,
    source: RegionSource,
    evidence: Level,
    warn: Callable[[str], object],
    metrics: Sequence[MapMetric] = (),
) -> DistortionGraph:
    """The graph of two pictures that an alignment lays on each other.

    `warn` is told of regions that one picture alone shows.
    """
    differences = CachedCall(lambda: find_differences(*pair.overlap.pair))
    regions = regions_of_pair(source, pair, differences)
    predictions = _predictions(model, pair, regions)
    shown = pair.overlap.shown
    areas = shared_areas(regions.shown.lazy_masks()) * (shown.size / np.count_nonzero(shown))
    # The first mask is all that both show.
    masks = _with_scene(shown, regions.shown)
    evidences = measure_evidence(*pair.overlap.pair, masks, evidence)
    measured = MeasuredEvidence(evidences.regions[1:], evidences.regions[0])
    further = measure_metrics(*pair.overlap.pair, masks, metrics)
    if metrics:
        further = MeasuredMetrics(further.metrics, further.regions[1:], further.regions[0])
    differing = NO_DIFFERENCES
    if evidence != "none":
        of_scene, *of_regions = (
            _on_frame(found, pair.overlap.window) for found in differences().measure(masks).regions
        )
        differing = MeasuredDifferences(tuple(of_regions), of_scene)
    for line in _lone_lines(regions):
        warn(line)
    return assemble_aligned(
        decode(predictions, model.vocabulary, np.minimum(areas, 1), model.decoding),
        regions.shared,
        regions.given_on,
        regions.valid,
        (_alone(model, pair, regions, 0), _alone(model, pair, regions, 1)),
        pair.pictures,
        vocabulary=model.vocabulary,
        model=model.identity.info,
        evidence=measured,
        metrics=further,
        differences=differing,
        frame=pair.overlap.frame,
        alignment=pair.info,
    )


def regions_of_pair(
    source: RegionSource, pair: AlignedPair, differences: Callable[[], DifferenceMap]
) -> PairRegions:
    """The regions of a source on both pictures.

    What is found in the pictures is found in what both show, and grids lie on that; masks that are
    given lie on the anchor. Raises as `resolve_regions` does, and RegionError where none lies in
    what both pictures show.
    """
    if isinstance(source, str | Path):
        source = RegionSpec.parse(source)
    frame, window, both, shown, copied = pair.overlap
    if isinstance(source, RegionSpec) and source.found_in_pictures:
        anchor, target = map(with_pixels, pair.pictures, both)
        found = resolve_regions(source, anchor, target, differences)
        base = frame
        given = on_whole(found, pair.pictures[frame].size, window)
    else:
        base = 0
        given = resolve_regions(source, pair.pictures[0], pair.pictures[0])
    carried = carry_masks(given, pair.seen_from(base))
    sets = (given, carried.regions) if base == 0 else (carried.regions, given)
    parts = shown_part(sets[frame], shown, window)
    own = None if copied else _own_regions(sets[1 - frame], pair)
    kept = [k for k in given.ids if k in set(parts.ids) and (own is None or k in own.regions.ids)]
    if not kept:
        raise RegionError("regions: none lies in what both pictures show, expected one that does")
    left = [k for k in given.ids if k not in kept]
    alone = given.subset(left), RegionSet(sets[1 - base].size, ())
    return PairRegions(
        base,
        (sets[0].subset(kept), sets[1].subset(kept)),
        parts.subset(kept),
        own and own._replace(regions=own.regions.subset(kept)),
        carried.valid,
        alone if base == 0 else (alone[1], alone[0]),
    )


def _own_regions(regions: RegionSet, pair: AlignedPair) -> OwnRegions:
    """Of the picture that is not the frame: where it shows what both show."""
    shown = valid_pixels(pair.seen_from(1 - pair.overlap.frame))
    rows, columns = (np.flatnonzero(shown.any(axis)) for axis in (1, 0))
    window = slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
    part = np.ascontiguousarray(shown[window])
    return OwnRegions(window, part, shown_part(regions, part, window))


def _predictions(model: Model, pair: AlignedPair, regions: PairRegions) -> Predictions:
    """What the model says of the parts that both pictures show."""
    overlap = pair.overlap
    if regions.own is None:  # moved by whole pixels: two pictures that lie on each other
        anchor, target = map(with_pixels, pair.pictures, overlap.pair)
        return predict_canonically(model, anchor, target, regions.shown)
    window, shown, parts = regions.own
    other = np.ascontiguousarray(pair.pictures[1 - overlap.frame].rgb[window])
    own = OwnView(other, _with_scene(shown, parts))
    masks = _with_scene(overlap.shown, regions.shown)
    view = View(overlap.pair, masks, (None, own) if overlap.frame == 0 else (own, None))
    first, second = regions.shared
    codes = [(a.rle.counts, t.rle.counts) for a, t in zip(first, second, strict=True)]
    hashes = rgb_sha256(pair.pictures[0].rgb), rgb_sha256(pair.pictures[1].rgb)
    return predict_view_canonically(model, view, hashes, codes)


def _with_scene(shown: NDArray[np.bool_], regions: RegionSet) -> LazyMasks:
    """The masks of regions after one of all that is shown."""
    return LazyMasks(regions.size, (rle_from_mask(shown), *(region.rle for region in regions)))


def _alone(model: Model, pair: AlignedPair, regions: PairRegions, side: int) -> LoneNodes:
    """What a picture shows in regions of which the other one shows nothing."""
    alone, picture = regions.alone[side], pair.pictures[side]
    if not len(alone):
        return LoneNodes(alone, ())
    predictions = predict_canonically(model, picture, picture, alone)
    answers = decode(predictions, model.vocabulary, None, model.decoding).regions
    return LoneNodes(alone, tuple(answer.anchor for answer in answers))


def _on_frame(
    found: RegionDifference | None, window: tuple[slice, slice]
) -> RegionDifference | None:
    """Differences in a window (rows, columns) of a picture, with their boxes on all of it."""
    if found is None:
        return None
    rows, columns = window
    return found._replace(spots=tuple(b.moved(columns.start, rows.start) for b in found.spots))


def _lone_lines(regions: PairRegions) -> Iterator[str]:
    for side, alone in zip(SIDES, regions.alone, strict=True):
        if len(alone):
            few = ", ".join(map(str, alone.ids[:_SHOWN_IDS])) + ", …" * (len(alone) > _SHOWN_IDS)
            plural = "s" * (len(alone) > 1)
            yield f"{len(alone)} region{plural} that the {side} alone shows: {few}"
