"""Measure further metrics between two pictures, in every region and as a whole.

The two pictures are put into one order, whichever is the anchor: every value is the same, to the
bit, when they are exchanged. A metric that has a reference side is computed both ways, and the
worse value counts, unless it is said which picture is the reference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import RecipeError, RegionError
from distortion_graph.masks.masks import MaskArrays, Masks, as_masks, crops
from distortion_graph.measure.metrics.metric import MapMetric
from distortion_graph.measure.metrics.pooling import PARTS, WHOLE, Area, Parts, pooled_by_region
from distortion_graph.measure.quality import check_pair

Rgb = NDArray[np.uint8]

_ROUNDING = 1e-6


class MeasuredMetrics(NamedTuple):
    """Further metrics, and their values by name: by region, in the masks' order, and of the scene.

    A value is None where the metric says nothing of such a region.
    """

    metrics: tuple[MapMetric, ...]
    regions: tuple[Mapping[str, float | None], ...]
    scene: Mapping[str, float | None]


NO_METRICS = MeasuredMetrics((), (), {})
"""None were asked for."""


def measure_metrics(
    anchor: Rgb,
    target: Rgb,
    masks: Masks | MaskArrays,
    metrics: Sequence[MapMetric],
    reference: Literal["anchor", "target"] | None = None,
    parts: Parts = PARTS,
) -> MeasuredMetrics:
    """Measure further metrics inside every region and of the whole pictures.

    Identical pixels have the perfect value exactly, whatever stands beside them.

    Args:
        anchor: (H, W, 3) RGB uint8.
        target: The same shape.
        masks: (R, H, W) bool, a sequence of (H, W) bool masks, or `Masks`; regions may overlap.
        metrics: As `map_metrics` gives them.
        reference: Which picture is the original, for metrics that have a reference side; None for
            the worse value of both directions.
        parts: What is worked on at once.

    Raises:
        ImageError: The arrays are not two RGB uint8 pictures of one size.
        RegionError: A mask is not (H, W) bool, or has no pixel.
        RecipeError: A registered metric's map is none, or a value lies outside its range.
    """
    check_pair(anchor, target)
    masks = as_masks(masks, anchor.shape[:2])
    if not metrics:
        return NO_METRICS
    pair = _in_order(anchor, target)
    direction = None if reference is None else int((reference == "anchor") != (pair[0] is anchor))
    regions = [Area(crop.box, crop.mask.view(np.uint8)) for crop in crops(masks)]
    for index, region in enumerate(regions):
        if region.box is not None and region.box.empty:
            raise RegionError(f"mask {index} has no pixel, expected at least one; leave it out")
    regions.append(WHOLE)
    same = [_identical(pair, region) for region in regions]
    differing = [region for region, alike in zip(regions, same, strict=True) if not alike]
    values: list[dict[str, float | None]] = [{} for _ in regions]
    for metric in metrics:
        measured = iter(_values(metric, pair, differing, direction, parts))
        for found, alike in zip(values, same, strict=True):
            found[metric.name] = metric.perfect if alike else next(measured)
    *of_regions, scene = values
    return MeasuredMetrics(tuple(metrics), tuple(of_regions), scene)


def _in_order(anchor: Rgb, target: Rgb) -> tuple[Rgb, Rgb]:
    """The pictures in an order that does not depend on which is the anchor."""
    for one, two in zip(anchor, target, strict=True):
        if not np.array_equal(one, two):
            return (anchor, target) if one.tobytes() < two.tobytes() else (target, anchor)
    return anchor, target


def _identical(pair: tuple[Rgb, Rgb], region: Area) -> bool:
    one, two = (rgb if region.box is None else rgb[region.box.area] for rgb in pair)
    return not cv2.norm(one, two, cv2.NORM_INF, region.pixels)


def _values(
    metric: MapMetric,
    pair: tuple[Rgb, Rgb],
    regions: Sequence[Area],
    direction: int | None,
    parts: Parts,
) -> list[float | None]:
    """A metric's value in regions whose pixels differ."""
    if not regions:
        return []
    maps = metric.maps(*pair[0].shape[:2])
    try:
        pooled = pooled_by_region(maps, pair, regions, parts)
        return [_value(metric, maps.values(of_region), direction) for of_region in pooled]
    except RecipeError as problem:
        raise RecipeError(f"metric {metric.name!r}: {problem}") from problem


def _value(
    metric: MapMetric, values: Sequence[float | None], direction: int | None
) -> float | None:
    """The value of one direction, or the worse of those there are; rounding is cut off."""
    if direction is not None and len(values) > 1:
        values = values[direction : direction + 1]
    known = [value for value in values if value is not None]
    if not known:
        return None
    worse, (low, high) = metric.worse(known), metric.range
    if not low - _ROUNDING <= worse <= high + _ROUNDING:
        raise RecipeError(f"found a value of {worse:.6g}, expected one in its range {metric.range}")
    return min(max(worse, low), high)
