"""From decoded answers, regions and pictures to the graph."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.vocabulary import Vocabulary
from distortion_graph.graph import (
    MOST_SPOTS,
    AlignmentInfo,
    ComparisonBelief,
    Difference,
    DistortionGraph,
    Evidence,
    Fitting,
    ImageInfo,
    Mask,
    MetricInfo,
    ModelInfo,
    Node,
    ReferenceInfo,
    RegionComparison,
    Scene,
    Scores,
    Transparency,
)
from distortion_graph.masks.container import Region, RegionSet
from distortion_graph.masks.masks import MaskArrays, Masks, as_masks, crops
from distortion_graph.masks.rle import Rle, rle_from_mask
from distortion_graph.measure.differences import (
    NO_DIFFERENCES,
    MeasuredDifferences,
    RegionDifference,
)
from distortion_graph.measure.evidence import NO_EVIDENCE, MeasuredEvidence, RegionEvidence
from distortion_graph.measure.metrics.measuring import NO_METRICS, MeasuredMetrics
from distortion_graph.pictures.images import Picture, alpha_sha256

DECIMALS = 6
"""Probabilities, scores and areas are rounded to this many decimals before anything is decided."""


@dataclass(frozen=True)
class DecodedRegion:
    """A region's two nodes (mask and box still unknown) and their comparison."""

    anchor: Node
    target: Node
    comparison: ComparisonBelief

    def swapped(self, vocabulary: Vocabulary) -> DecodedRegion:
        """The region with the images exchanged."""
        return DecodedRegion(self.target, self.anchor, self.comparison.mirrored(vocabulary))


@dataclass(frozen=True)
class Decoded:
    """The answer for a pair: its regions in the order of the predictions, and the scene.

    The scene's `distortion_share` is null where no areas were given; its evidence is null.
    """

    regions: tuple[DecodedRegion, ...]
    scene: Scene

    def swapped(self, vocabulary: Vocabulary) -> Decoded:
        """The answer with the images exchanged."""
        regions = tuple(region.swapped(vocabulary) for region in self.regions)
        return Decoded(regions, self.scene.swapped(vocabulary))


class Shape(NamedTuple):
    """A region's mask and box in one picture."""

    mask: Mask
    bbox_xywh_px: tuple[int, int, int, int]


def assemble(
    decoded: Decoded,
    regions: RegionSet,
    anchor: Picture,
    target: Picture,
    *,
    vocabulary: Vocabulary,
    masks: Masks | None = None,
    model: ModelInfo | None = None,
    evidence: MeasuredEvidence = NO_EVIDENCE,
    metrics: MeasuredMetrics = NO_METRICS,
    differences: MeasuredDifferences = NO_DIFFERENCES,
    fit: Fitting | None = None,
    alignment: AlignmentInfo | None = None,
    reference: ReferenceInfo | None = None,
    scores: Scores | None = None,
) -> DistortionGraph:
    """Build the graph.

    `masks` are the regions', where there already are some, so that none is decoded twice. With
    `fit` "crop" the regions lie on the common part of both pictures; else on the anchor, and are
    scaled to a target of another size.
    """
    differing: Sequence[RegionDifference | None] = differences.regions or [None] * len(regions)
    masks = masks or regions.lazy_masks()
    laid = _extended if fit == "crop" else _scaled
    on_anchor = laid(regions, anchor.size)
    shapes = shapes_of(on_anchor, masks if on_anchor is regions else on_anchor)
    target_shapes: Sequence[Shape | None] = [None] * len(regions)
    if target.size != anchor.size:
        on_target = laid(regions, target.size)
        target_shapes = shapes_of(on_target, on_target)
    pixels = regions.size[0] * regions.size[1]
    parts = [
        RegionComparison(
            id=region.id,
            name=region.name,
            area_fraction=round(np.count_nonzero(crop.mask) / pixels, DECIMALS),
            anchor=answer.anchor.model_copy(update=shape._asdict()),
            target=placed(answer.target, other, shape),
            comparison=answer.comparison,
            evidence=facts,
            differs=difference_part(difference, regions.size),
        )
        for region, crop, answer, shape, other, facts, difference in zip(
            regions,
            crops(masks),
            decoded.regions,
            shapes,
            target_shapes,
            evidence_parts(evidence, metrics, len(regions)),
            differing,
            strict=True,
        )
    ]
    scene = decoded.scene.model_copy(
        update={
            "evidence": evidence_part(evidence.scene, metrics.scene),
            "differs": difference_part(differences.scene, regions.size),
        }
    )
    return DistortionGraph(
        vocabulary=vocabulary,
        anchor=picture_info(anchor),
        target=picture_info(target),
        fit=fit,
        alignment=alignment,
        reference=reference,
        scores=scores,
        model=model,
        metrics=metric_parts(metrics),
        regions=tuple(parts),
        scene=scene,
    )


def shared_areas(masks: Masks | MaskArrays) -> NDArray[np.float64]:
    """Share of the picture under each of R masks, overlaps divided evenly.

    Returns (R,) float64, the same to the bit in any order of the masks; sums to at most 1.
    """
    if not len(masks):
        return np.zeros(0)
    masks = as_masks(masks)
    depth = np.zeros(masks.size, np.uint16 if len(masks) < 1 << 16 else np.uint32)
    for crop in crops(masks):
        depth[crop.box.area] += crop.mask
    deepest = int(depth.max())
    if deepest <= 1:
        return np.array([np.count_nonzero(crop.mask) / depth.size for crop in crops(masks)])
    weights = 1.0 / np.maximum(np.arange(deepest + 1), 1)
    counts = [np.bincount(depth[c.box.area][c.mask], minlength=deepest + 1) for c in crops(masks)]
    areas = [math.fsum(row * weights) / depth.size for row in counts]
    return np.array(areas, np.float64)


def distortion_shares(
    nodes: Sequence[Node], areas: NDArray[np.float64], vocabulary: Vocabulary
) -> dict[str, float]:
    """Area under each label that occurs; `fsum` makes it independent of the regions' order."""
    areas_by_label: dict[str, list[float]] = {}
    for node, area in zip(nodes, areas.tolist(), strict=True):
        areas_by_label.setdefault(node.distortion.label, []).append(area)
    return {
        label: round(min(math.fsum(areas_by_label[label]), 1.0), DECIMALS)
        for label in vocabulary.distortions
        if label in areas_by_label
    }


def shapes_of(regions: RegionSet, masks: Masks) -> list[Shape]:
    """Mask and box of every region; `masks` are the regions'."""
    return [
        Shape(Mask.of(region.rle), crop.box.xywh)
        for region, crop in zip(regions, crops(masks), strict=True)
    ]


def placed(node: Node, shape: Shape | None, anchors: Shape) -> Node:
    """The target's node; what equals the anchor's stays null there."""
    if shape is None:
        return node
    own = {key: value for key, value in shape._asdict().items() if value != getattr(anchors, key)}
    return node.model_copy(update=own)


def _extended(regions: RegionSet, size: tuple[int, int]) -> RegionSet:
    """The regions of a picture's top left on all of the picture."""
    if regions.size == size:
        return regions
    extended = []
    for region in regions:
        mask = np.zeros(size, np.bool_)
        mask[: regions.size[0], : regions.size[1]] = region.rle.decode()
        extended.append(Region(region.id, region.name, rle_from_mask(mask)))
    return RegionSet(size, tuple(extended))


def _scaled(regions: RegionSet, size: tuple[int, int]) -> RegionSet:
    """The regions on a picture of another size, none of them lost."""
    if regions.size == size:
        return regions
    scaled = (Region(r.id, r.name, scaled_rle(r.rle, size)) for r in regions)
    return RegionSet(size, tuple(scaled))


def scaled_rle(rle: Rle, size: tuple[int, int]) -> Rle:
    """A mask on a picture of another size (h, w), by the nearest pixel; it is never lost."""
    height, width = size
    mask = rle.decode()
    out = cv2.resize(
        mask.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST_EXACT
    ).astype(bool)
    if not out.any():
        # Smaller than a pixel there: it is where its middle falls.
        y, x = np.argwhere(mask).mean(0) / mask.shape
        out[min(int(y * height), height - 1), min(int(x * width), width - 1)] = True
    return rle_from_mask(out)


def picture_info(picture: Picture) -> ImageInfo:
    """What a graph says of a picture."""
    source = picture.source
    return ImageInfo(
        width=picture.width,
        height=picture.height,
        # A file's name may hold bytes that no text has; JSON cannot.
        source=None if source is None else source.encode("utf-8", "replace").decode(),
        sha256=picture.sha256,
        sha256_of=picture.sha256_of,
        transparency=_transparency(picture),
        turned=picture.turned,
    )


def _transparency(picture: Picture) -> Transparency | None:
    if picture.alpha is None or picture.background is None:
        return None
    return Transparency(background=picture.background, sha256=alpha_sha256(picture.alpha))


def metric_parts(measured: MeasuredMetrics) -> tuple[MetricInfo, ...]:
    """What further metrics are, as a part of a graph."""
    return tuple(MetricInfo(**metric.describe()) for metric in measured.metrics)


def evidence_parts(
    evidence: MeasuredEvidence, metrics: MeasuredMetrics, count: int
) -> list[Evidence | None]:
    """What was measured in each of so many regions, as parts of a graph."""
    measured = evidence.regions or (None,) * count
    further = metrics.regions or ({},) * count
    return [evidence_part(facts, more) for facts, more in zip(measured, further, strict=True)]


def evidence_part(
    facts: RegionEvidence | None, more: Mapping[str, float | None]
) -> Evidence | None:
    """Evidence and values of further metrics as a part of a graph, rounded."""
    if facts is None and not more:
        return None
    values = {name: _rounded(value, DECIMALS) for name, value in more.items()}
    if facts is None:
        return Evidence(more=values)
    return Evidence(
        psnr_db=_rounded(facts.psnr_db, 3),
        ssim=_rounded(facts.ssim, DECIMALS),
        haarpsi=_rounded(facts.haarpsi, DECIMALS),
        delta_e=_rounded(facts.delta_e, 4),
        more=values,
    )


def difference_part(measured: RegionDifference | None, size: tuple[int, int]) -> Difference | None:
    """Differences as a part of a graph; `size` (h, w) is of what their boxes lie in."""
    if measured is None:
        return None
    return Difference(
        share=round(measured.share, DECIMALS),
        equal=round(measured.equal, DECIMALS),
        size=size,
        spots=measured.spots[:MOST_SPOTS],
    )


def _rounded(value: float | None, decimals: int) -> float | None:
    return None if value is None else round(float(value), decimals)
