"""Full-reference quality scores in [0, 1], higher is better: HaarPSI, pooled by region.

The score of region r in a degraded picture compares the clean picture with *the clean picture in
which only r's pixels are the degraded one's*: a region without a change is exactly 1 and its
neighbours' distortions do not leak in. Over the whole picture it is HaarPSI itself (see
``measure/haar.py`` for the source).

Any other metric with the same two functions can take its place: describe it as a
``FullReferenceMetric`` and register it with ``register_metric``. That is how TOPIQ-FR of pyiqa can
be plugged in; it is not part of the package because pyiqa's licence (PolyForm Noncommercial)
forbids most uses. ``register_metric`` also takes metrics that are maps of two pictures, which are
evidence and no scores (``measure/metrics``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import ImageError, RecipeError, RegionError
from distortion_graph.masks.masks import Masks
from distortion_graph.measure import haar
from distortion_graph.measure.metrics.metric import MapMetric
from distortion_graph.measure.metrics.registry import map_metric_names, register_map_metric
from distortion_graph.work.threads import parallel_map

Rgb = NDArray[np.uint8]
Bools = NDArray[np.bool_]

STRIP_CELLS = 1 << 14
"""Half-grid cells of a strip of rows that is worked on at once: its maps stay in a core's cache.
Their number changes a score by rounding at most."""


def haarpsi(reference: Rgb, image: Rgb, strip_cells: int = STRIP_CELLS) -> float:
    """HaarPSI of two pictures; exactly 1 for identical ones and the same for either order.

    Args:
        reference: (H, W, 3) RGB uint8, of any size from 1×1.
        image: The same shape.
        strip_cells: As `STRIP_CELLS`.

    Raises:
        ImageError: The arrays are not two RGB uint8 pictures of one size.
    """
    check_pair(reference, image)
    if np.array_equal(reference, image):
        return 1.0
    height, width = haar.half_size(*reference.shape[:2])
    pooled = haar.NOTHING
    for rows in _strips(0, height, width, strip_cells):
        pair = (haar.window_planes(rgb, rows, (0, width)) for rgb in (reference, image))
        maps = haar.losses(*(haar.haar_maps(planes) for planes in pair))
        pooled = pooled.plus(haar.pool(haar.terms(*maps), None))
    return haar.score_of(pooled)


def scene_score(clean: Rgb, degraded: Rgb) -> float:
    """Score of the whole degraded picture: ``haarpsi(clean, degraded)``."""
    return haarpsi(clean, degraded)


def region_scores(
    clean: Rgb, degraded: Rgb, masks: Bools, strip_cells: int = STRIP_CELLS
) -> NDArray[np.float64]:
    """Score of every region of ``degraded``; see the module's docstring for the definition.

    Args:
        clean: (H, W, 3) RGB uint8.
        degraded: The same shape.
        masks: (R, H, W) bool; regions may overlap, R may be 0.
        strip_cells: As `STRIP_CELLS`.

    Returns:
        (R,) float64 in [0, 1]; exactly 1 where the region's pixels are identical in both
        pictures, which includes a region without pixels.

    Raises:
        ImageError: The arrays are not two RGB uint8 pictures of one size.
        RegionError: The masks are not (R, H, W) bool.
    """
    return HaarReference(clean, strip_cells).region_scores(degraded, masks)


class Reference(Protocol):
    """A clean picture that any number of degraded ones are scored against."""

    def region_scores(self, degraded: Rgb, masks: Bools) -> NDArray[np.float64]:
        """Score of every region: (R,) float64."""
        ...

    def scene_score(self, degraded: Rgb) -> float:
        """Score of the whole picture."""
        ...


class HaarReference:
    """The scores of ``region_scores`` and ``scene_score``, to the bit, for one clean picture.

    Its filters are worked out once, and kept: 56 bytes for every four pixels. The picture must not
    change meanwhile.
    """

    def __init__(self, clean: Rgb, strip_cells: int = STRIP_CELLS) -> None:
        """``clean`` is (H, W, 3) RGB uint8; it is checked against the first degraded picture."""
        self._clean = clean
        self._strip_cells = strip_cells

    @cached_property
    def _maps(self) -> haar.HaarMaps:
        height, width = haar.half_size(*self._clean.shape[:2])
        return haar.haar_maps(haar.window_planes(self._clean, (0, height), (0, width)))

    def region_scores(self, degraded: Rgb, masks: Bools) -> NDArray[np.float64]:
        """As the function of this name, which says what is taken, given and raised."""
        clean = self._clean
        check_pair(clean, degraded)
        _check_masks(masks, clean.shape[:2])
        scores = np.ones(len(masks), dtype=np.float64)
        if not len(masks):
            return scores
        composite = clean.copy()
        for index, mask in enumerate(masks):
            scores[index] = self._score_region(mask, degraded, composite)
        return scores

    def scene_score(self, degraded: Rgb) -> float:
        """As the function of this name."""
        check_pair(self._clean, degraded)
        if np.array_equal(self._clean, degraded):
            return 1.0
        height, width = haar.half_size(*degraded.shape[:2])
        pooled = haar.NOTHING
        for top, bottom in _strips(0, height, width, self._strip_cells):
            known = haar.HaarMaps(*(part[:, top:bottom] for part in self._maps))
            maps = haar.haar_maps(haar.window_planes(degraded, (top, bottom), (0, width)))
            pooled = pooled.plus(haar.pool(haar.terms(*haar.losses(known, maps)), None))
        return haar.score_of(pooled)

    def _score_region(self, mask: Bools, degraded: Rgb, composite: Rgb) -> float:
        """Score of one region, from the half-grid cells of its box alone.

        Cells outside the box have no weight, and the filters' reach beyond it finds the clean
        picture around, so the result equals the full frame's. ``composite`` equals the clean
        picture before and after the call.
        """
        clean = self._clean
        x, y, width, height = cv2.boundingRect(mask.view(np.uint8))
        box = np.s_[y : y + height, x : x + width]
        inside = mask[box].view(np.uint8)
        if not width or not cv2.norm(clean[box], degraded[box], cv2.NORM_L2SQR, inside):
            return 1.0
        composite[box] = cv2.copyTo(degraded[box], inside, clean[box].copy())
        left, right = x // 2, (x + width + 1) // 2
        pooled = haar.NOTHING
        rows = y // 2, (y + height + 1) // 2
        for top, bottom in _strips(*rows, right - left, self._strip_cells):
            planes = haar.window_planes(composite, (top, bottom), (left, right))
            known = haar.HaarMaps(*(part[:, top:bottom, left:right] for part in self._maps))
            terms = haar.terms(*haar.losses(known, haar.haar_maps(planes)))
            share = haar.cell_shares(mask[2 * top : 2 * bottom, 2 * left : 2 * right])
            pooled = pooled.plus(haar.pool(terms, share))
        composite[box] = clean[box]
        return haar.score_of(pooled)


def score_masks(reference: Reference, degraded: Rgb, masks: Masks) -> NDArray[np.float64]:
    """Score of every region, each by itself: no score depends on the other regions or their order.

    Args:
        reference: Of a picture of the masks' size.
        degraded: (H, W, 3) RGB uint8.
        masks: R of them.

    Returns:
        (R,) float64, as ``Reference.region_scores``, which says what is raised.
    """

    def score(index: int) -> float:
        crop = masks.crop(index)
        mask = np.zeros((1, *masks.size), np.bool_)
        mask[0][crop.box.area] = crop.mask
        return float(reference.region_scores(degraded, mask)[0])

    return np.array(parallel_map(score, range(len(masks))), np.float64)


def _strips(first: int, last: int, width: int, cells: int) -> Iterator[tuple[int, int]]:
    """Rows from ``first`` up to ``last`` in strips whose maps stay in a core's cache."""
    step = max(cells // width, 4 * haar.MARGIN)
    for top in range(first, last, step):
        yield top, min(top + step, last)


def check_pair(first: Rgb, second: Rgb) -> None:
    """Raise ``ImageError`` unless both are (H, W, 3) uint8 of one size with at least one pixel."""
    for name, rgb in (("first", first), ("second", second)):
        if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8 or not rgb.size:
            raise ImageError(
                f"{name} picture: found {rgb.dtype} of shape {rgb.shape}, "
                "expected (H, W, 3) RGB uint8 with at least one pixel"
            )
    if first.shape != second.shape:
        raise ImageError(
            f"pictures of unequal size: {first.shape[1]}×{first.shape[0]} and "
            f"{second.shape[1]}×{second.shape[0]}; resize one to the other first"
        )


def _check_masks(masks: Bools, size: tuple[int, ...]) -> None:
    if masks.ndim != 3 or masks.shape[1:] != size or masks.dtype != np.bool_:
        raise RegionError(
            f"masks must be (R, {size[0]}, {size[1]}) bool, "
            f"got {masks.dtype} of shape {masks.shape}"
        )


@dataclass(frozen=True)
class FullReferenceMetric:
    """A full-reference metric whose scores can stand in a graph or a data set.

    Attributes:
        name: The registry's key, also recorded in data sets.
        version: Changes whenever a score may change.
        range: Lowest and highest score that can occur.
        direction: Which end is better; the package's graphs need "higher_is_better".
        licence: SPDX identifier, or a name, of the terms under which its code may be used.
        region_scores: ``(clean, degraded, masks (R, H, W) bool) -> (R,) float64``.
        scene_score: ``(clean, degraded) -> float``.
        pooling: How a region's score comes from the metric's map, in a few words.
        spread: Root mean square of what a region's score changes by when its picture is saved once
            more as JPEG of quality 98; 0 where nobody measured it. Comparisons of measured scores
            are as sure as it lets them be.
        prepare: ``clean -> Reference``, where many pictures can be scored against one faster than
            by the two functions above; its scores must be theirs.
    """

    name: str
    version: str
    range: tuple[float, float]
    direction: Literal["higher_is_better", "lower_is_better"]
    licence: str
    region_scores: Callable[[Rgb, Rgb, Bools], NDArray[np.float64]]
    scene_score: Callable[[Rgb, Rgb], float]
    pooling: str
    spread: float = 0.0
    prepare: Callable[[Rgb], Reference] | None = None

    def against(self, clean: Rgb) -> Reference:
        """The metric for any number of pictures to be scored against one clean picture."""
        return _PlainReference(self, clean) if self.prepare is None else self.prepare(clean)

    def describe(self) -> dict[str, Any]:
        """The facts that a data set's manifest records, ready for JSON."""
        return {
            "name": self.name,
            "version": self.version,
            "range": list(self.range),
            "direction": self.direction,
            "licence": self.licence,
            "pooling": self.pooling,
        }


@dataclass(frozen=True)
class _PlainReference:
    """Nothing kept: the metric's own functions."""

    metric: FullReferenceMetric
    clean: Rgb

    def region_scores(self, degraded: Rgb, masks: Bools) -> NDArray[np.float64]:
        return self.metric.region_scores(self.clean, degraded, masks)

    def scene_score(self, degraded: Rgb) -> float:
        return self.metric.scene_score(self.clean, degraded)


HAARPSI_SPREAD = 0.0053
"""`FullReferenceMetric.spread` of HaarPSI; `benchmarks/reference_ladders.py` measures it."""

HAARPSI = FullReferenceMetric(
    name="haarpsi",
    version="1",
    range=(0.0, 1.0),
    direction="higher_is_better",
    licence="Apache-2.0",
    region_scores=region_scores,
    scene_score=scene_score,
    pooling="similarity maps of the clean picture against itself with only the region replaced, "
    "weighted mean inside the area-averaged mask",
    spread=HAARPSI_SPREAD,
    prepare=HaarReference,
)

_METRICS: dict[str, FullReferenceMetric] = {HAARPSI.name: HAARPSI}


def register_metric(metric: FullReferenceMetric | MapMetric) -> None:
    """Make a metric available under its name: a score to ``get_metric``, maps as evidence.

    Raises:
        RecipeError: The name is taken by another metric, or the lower score is better: scores of a
            graph rise with quality and lie in [0, 1], so such a metric must be turned round first.
            For maps, as ``register_map_metric`` says.
    """
    if isinstance(metric, MapMetric):
        if metric.name in _METRICS:
            raise RecipeError(f"metric {metric.name!r} is already registered; choose another name")
        register_map_metric(metric)
        return
    if metric.direction != "higher_is_better" or metric.range != (0.0, 1.0):
        raise RecipeError(
            f"metric {metric.name!r}: found range {metric.range}, {metric.direction}; expected "
            "range (0.0, 1.0), higher_is_better; map its scores before registering it"
        )
    taken = metric.name in map_metric_names()
    if taken or _METRICS.get(metric.name, metric) is not metric:
        raise RecipeError(f"metric {metric.name!r} is already registered; choose another name")
    _METRICS[metric.name] = metric


def metric_names() -> tuple[str, ...]:
    """Names of all registered metrics, in the order in which they were registered."""
    return tuple(_METRICS)


def get_metric(name: str) -> FullReferenceMetric:
    """The registered metric of that name.

    Raises:
        RecipeError: There is none; the line lists those that there are.
    """
    try:
        return _METRICS[name]
    except KeyError:
        known = ", ".join(sorted(_METRICS))
        raise RecipeError(f"unknown metric {name!r}; expected one of: {known}") from None
