"""A candidate held against its original: scores are measured, labels are the model's.

A candidate that lies on the original elsewhere, or is of another size, is looked at in its own
pixels; its score is measured where both show something, in the pixels of the coarser of the two.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import ImageError, RegionError
from distortion_graph.graph import SIDES, DistortionGraph, Mask, Node, Scene
from distortion_graph.graph.build import DECIMALS, shared_areas
from distortion_graph.masks.container import Region, RegionSet
from distortion_graph.masks.masks import LazyMasks
from distortion_graph.masks.rle import Rle, rle_from_mask
from distortion_graph.measure.metrics.measuring import measure_metrics
from distortion_graph.pictures.images import Picture
from distortion_graph.pipeline.aligned import compare_aligned
from distortion_graph.pipeline.pair_regions import AlignedPair
from distortion_graph.predict.against import Original, judge, pair_predictions
from distortion_graph.predict.decode import decode
from distortion_graph.predict.sizes import with_pixels
from distortion_graph.ranking.seen import (
    Looking,
    Seen,
    SeenCandidate,
    Warn,
    at_once,
    laid,
    unsaid,
)
from distortion_graph.regions.carried import shown_part
from distortion_graph.work.threads import parallel_map


@dataclass(frozen=True, eq=False)
class _Base:
    """The original, and the regions that lie on it."""

    original: Original
    regions: RegionSet
    masks: LazyMasks
    areas: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class _Held:
    """A candidate, or why there is none, and what else there is to say."""

    candidate: SeenCandidate | None
    problem: str
    notes: tuple[str, ...]


def see_against(
    looking: Looking,
    reference: Picture,
    candidates: Sequence[Picture],
    regions: RegionSet,
    warn: Warn,
) -> Seen:
    """Hold every candidate against the original, on which the regions lie.

    What the metric works out of the original alone is worked out once. Raises as `seeing.see` does.
    """
    masks = regions.lazy_masks()
    original = Original(reference, looking.metric)
    base = _Base(original, regions, masks, shared_areas(masks))
    found = parallel_map(partial(_held, looking, base), candidates, at_once(reference))
    for one in found:
        for note in one.notes:
            warn(note)
    return Seen(
        regions,
        tuple(one.candidate for one in found),
        {k: one.problem for k, one in enumerate(found) if one.candidate is None},
        metric=looking.metric.name,
    )


def _held(looking: Looking, base: _Base, candidate: Picture) -> _Held:
    notes: list[str] = []
    try:
        seen = _seen(looking, base, candidate, notes.append)
    except (ImageError, RegionError) as error:
        if looking.strict:
            raise
        return _Held(None, str(error), tuple(notes))
    return _Held(seen, "", tuple(notes))


def _seen(looking: Looking, base: _Base, candidate: Picture, warn: Warn) -> SeenCandidate:
    """What is known of a candidate; raises ImageError or RegionError where it cannot be laid."""
    alignment, moved = laid(looking, base.original.picture, candidate, warn)
    if moved is not None:
        return _moved(looking, base, moved)
    model = looking.model
    judged = judge(model, base.original, candidate, base.regions, base.masks)
    both = pair_predictions(judged, judged, model.vocabulary, 0.0)
    decoded = decode(both, model.vocabulary, base.areas, model.decoding, by_margin=True)
    pair = base.original.picture.rgb, candidate.rgb
    measured = measure_metrics(*pair, base.masks, looking.metrics, "anchor")
    return SeenCandidate(
        nodes={
            region.id: answer.target
            for region, answer in zip(base.regions, decoded.regions, strict=True)
        },
        scene=decoded.scene.target,
        valid={},
        alignment=alignment,
        more=_more(base.regions.ids, measured.regions, measured.scene),
    )


def _moved(looking: Looking, base: _Base, pair: AlignedPair) -> SeenCandidate:
    """A candidate that an alignment lays on the original."""
    graph = compare_aligned(looking.model, pair, base.regions, None, "none", unsaid)
    ids, masks = _shown(pair, graph)
    scores, scene = _scores(base, pair, ids, masks)
    both = pair.overlap.pair
    measured = measure_metrics(*both, masks, looking.metrics, "anchor").regions
    nodes = {r.id: _scored(looking, r.target, scores[r.id]) for r in graph.regions}
    node = (graph.scene or Scene()).target
    maps = looking.model.decoding.opinion
    opinion = maps and round(maps.of_picture(scene, node.distortion_share or {}), DECIMALS)
    return SeenCandidate(
        nodes=nodes,
        scene=node.model_copy(update={"score": scene, "opinion": opinion}),
        valid={r.id: r.valid for r in graph.regions},
        alignment=pair.info,
        more=_more(ids, measured[1:], measured[0]) if measured else {},
    )


def _shown(pair: AlignedPair, graph: DistortionGraph) -> tuple[tuple[int, ...], LazyMasks]:
    """In the frame in which both are seen: all that both show, then what they show of each region;
    and the regions' ids.
    """
    overlap = pair.overlap
    size = pair.pictures[overlap.frame].size
    masks = [(r, r.mask_of(SIDES[overlap.frame])) for r in graph.regions]
    on_frame = RegionSet(
        size, tuple(Region(r.id, r.name, _rle(mask)) for r, mask in masks if mask is not None)
    )
    parts = shown_part(on_frame, overlap.shown, overlap.window)
    everything = rle_from_mask(overlap.shown)
    rles = (everything, *(region.rle for region in parts))
    return tuple(parts.ids), LazyMasks(parts.size, rles)


def _scores(
    base: _Base, pair: AlignedPair, ids: Sequence[int], masks: LazyMasks
) -> tuple[Mapping[int, float], float]:
    """Scores of what both pictures show of each region, and of all that both show."""
    reference, candidate = map(with_pixels, pair.pictures, pair.overlap.pair)
    original = Original(reference, base.original.metric)
    found, _ = original.scores(candidate, masks)
    whole, *each = (round(score, DECIMALS) for score in found.tolist())
    return dict(zip(ids, each, strict=True)), whole


def _more(
    ids: Sequence[int],
    regions: Sequence[Mapping[str, float | None]],
    scene: Mapping[str, float | None],
) -> Mapping[int | None, Mapping[str, float | None]]:
    """Values of further metrics, as `SeenCandidate.more`."""
    found = {None: scene} | dict(zip(ids, regions, strict=bool(scene)))
    return {
        key: {name: None if v is None else round(v, DECIMALS) for name, v in values.items()}
        for key, values in found.items()
    }


def _scored(looking: Looking, node: Node, score: float) -> Node:
    """A node with a measured score, and the opinion that follows from it."""
    maps = looking.model.decoding.opinion
    opinion = maps and round(maps.opinion(score, node.distortion.label), DECIMALS)
    return node.model_copy(update={"mask": None, "score": score, "opinion": opinion})


def _rle(mask: Mask) -> Rle:
    return Rle(mask.size, mask.counts)
