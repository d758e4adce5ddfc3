"""Two pictures that do not lie on each other pixel by pixel: what is compared of them, and how.

The model looks at each picture's own pixels with its own masks. What the two show together is seen
in the frame of the picture with the coarser pixels, and so are evidence and differences; the other
picture is resampled for these alone. What one picture alone shows is compared with nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.vocabulary import Scale
from distortion_graph.graph import SIDES, DistortionGraph
from distortion_graph.graph.build import shared_areas
from distortion_graph.graph.build_aligned import LoneNodes, assemble_aligned
from distortion_graph.masks.container import RegionSet
from distortion_graph.masks.masks import LazyMasks
from distortion_graph.masks.rle import rle_from_mask
from distortion_graph.measure.differences import (
    NO_DIFFERENCES,
    MeasuredDifferences,
    RegionDifference,
    find_differences,
)
from distortion_graph.measure.evidence import Level, MeasuredEvidence, measure_evidence
from distortion_graph.measure.metrics.measuring import MeasuredMetrics, measure_metrics
from distortion_graph.measure.metrics.metric import MapMetric
from distortion_graph.pictures.images import rgb_sha256
from distortion_graph.pipeline.asked_aligned import AskedAligned
from distortion_graph.pipeline.pair_regions import (
    AlignedPair,
    PairRegions,
    regions_of_both,
    regions_of_pair,
)
from distortion_graph.predict.answers import answer_with
from distortion_graph.predict.canonical import predict_canonically, predict_view_canonically
from distortion_graph.predict.decode import decode
from distortion_graph.predict.predictions import Predictions
from distortion_graph.predict.session import Model
from distortion_graph.predict.sizes import with_pixels
from distortion_graph.predict.views import OwnView, View
from distortion_graph.regions import RegionSource
from distortion_graph.work.threads import CachedCall

_SHOWN_IDS = 8


def compare_aligned(
    model: Model,
    pair: AlignedPair,
    source: RegionSource,
    target_source: RegionSource | None,
    evidence: Level,
    warn: Callable[[str], object],
    metrics: Sequence[MapMetric] = (),
    scale: Scale = "common",
) -> DistortionGraph:
    """The graph of two pictures that an alignment lays on each other.

    `target_source` are regions of the target where it has its own (`regions_of_both`).

    `warn` is told of regions that one picture alone shows.
    """
    differences = CachedCall(lambda: find_differences(*pair.overlap.pair))
    if target_source is None:
        asked = AskedAligned(model, pair, partial(_predictions, model, pair))
        regions = regions_of_pair(source, pair, differences, asked, warn)
    else:
        regions = regions_of_both(source, target_source, pair, warn)
    answer = answer_with(_predictions(model, pair, regions), model.vocabulary, scale)
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
    areas = np.minimum(areas, 1)
    return assemble_aligned(
        decode(
            answer.predictions,
            answer.vocabulary,
            areas,
            model.decoding,
            by_margin=answer.by_margin,
        ),
        regions.shared,
        regions.valid,
        regions.area,
        (_alone(model, pair, regions, 0), _alone(model, pair, regions, 1)),
        pair.pictures,
        vocabulary=answer.vocabulary,
        model=model.identity.info,
        scores=answer.scores,
        evidence=measured,
        metrics=further,
        differences=differing,
        frame=pair.overlap.frame,
        alignment=pair.info,
    )


def _predictions(model: Model, pair: AlignedPair, regions: PairRegions) -> Predictions:
    """What the model says of the parts that both pictures show."""
    overlap = pair.overlap
    if regions.own == (None, None):  # moved by whole pixels: two that lie on each other
        anchor, target = map(with_pixels, pair.pictures, overlap.pair)
        return predict_canonically(model, anchor, target, regions.shown)
    own = [
        of
        and OwnView(np.ascontiguousarray(picture.rgb[of.window]), _with_scene(of.shown, of.regions))
        for of, picture in zip(regions.own, pair.pictures, strict=True)
    ]
    view = View(overlap.pair, _with_scene(overlap.shown, regions.shown), (own[0], own[1]))
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
