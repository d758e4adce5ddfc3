"""From decoded answers, regions and pictures to the graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from distortion_graph.differences import NO_DIFFERENCES, MeasuredDifferences, RegionDifference
from distortion_graph.evidence import NO_EVIDENCE, MeasuredEvidence, RegionEvidence
from distortion_graph.graph import (
    MOST_SPOTS,
    Difference,
    DistortionGraph,
    Evidence,
    Fitting,
    ImageInfo,
    Mask,
    ModelInfo,
    Node,
    RegionComparison,
    Transparency,
)
from distortion_graph.images import Picture, alpha_sha256
from distortion_graph.regions.container import Region, RegionSet
from distortion_graph.regions.rle import Rle, rle_from_mask
from distortion_graph.runtime.decode import DECIMALS, Decoded
from distortion_graph.vocabulary import Vocabulary


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
    model: ModelInfo | None = None,
    evidence: MeasuredEvidence = NO_EVIDENCE,
    differences: MeasuredDifferences = NO_DIFFERENCES,
    fit: Fitting | None = None,
) -> DistortionGraph:
    """Build the graph.

    With `fit` "crop" the regions lie on the common part of both pictures; else on the anchor, and
    are scaled to a target of another size.
    """
    measured: Sequence[RegionEvidence | None] = evidence.regions or [None] * len(regions)
    differing: Sequence[RegionDifference | None] = differences.regions or [None] * len(regions)
    laid = _extended if fit == "crop" else _scaled
    shapes = _shapes(laid(regions, anchor.size))
    target_shapes: Sequence[Shape | None] = [None] * len(regions)
    if target.size != anchor.size:
        target_shapes = _shapes(laid(regions, target.size))
    pixels = regions.size[0] * regions.size[1]
    parts = [
        RegionComparison(
            id=region.id,
            name=region.name,
            area_fraction=round(area / pixels, DECIMALS),
            anchor=answer.anchor.model_copy(update=shape._asdict()),
            target=_placed(answer.target, other, shape),
            comparison=answer.comparison,
            evidence=_evidence(facts),
            differs=_difference(found, regions.size),
        )
        for region, area, answer, shape, other, facts, found in zip(
            regions,
            regions.areas().tolist(),
            decoded.regions,
            shapes,
            target_shapes,
            measured,
            differing,
            strict=True,
        )
    ]
    scene = decoded.scene.model_copy(
        update={
            "evidence": _evidence(evidence.scene),
            "differs": _difference(differences.scene, regions.size),
        }
    )
    return DistortionGraph(
        vocabulary=vocabulary,
        anchor=_info(anchor),
        target=_info(target),
        fit=fit,
        model=model,
        regions=tuple(parts),
        scene=scene,
    )


def _shapes(regions: RegionSet) -> list[Shape]:
    boxes = regions.boxes_xywh().tolist()
    return [
        Shape(Mask(size=region.rle.size, counts=region.rle.counts), (x, y, w, h))
        for region, (x, y, w, h) in zip(regions, boxes, strict=True)
    ]


def _placed(node: Node, shape: Shape | None, anchors: Shape) -> Node:
    """The target's node; what equals the anchor's stays null there."""
    if shape is None:
        return node
    own = {key: value for key, value in shape._asdict().items() if value != getattr(anchors, key)}
    return node.model_copy(update=own)


def _extended(regions: RegionSet, size: tuple[int, int]) -> RegionSet:
    """The regions of a picture's top left on all of the picture."""
    if regions.size == size:
        return regions
    found = []
    for region in regions:
        mask = np.zeros(size, np.bool_)
        mask[: regions.size[0], : regions.size[1]] = region.rle.decode()
        found.append(Region(region.id, region.name, rle_from_mask(mask)))
    return RegionSet(size, tuple(found))


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


def _info(picture: Picture) -> ImageInfo:
    source = picture.source
    return ImageInfo(
        width=picture.width,
        height=picture.height,
        # A file's name may hold bytes that no text has; JSON cannot.
        source=None if source is None else source.encode("utf-8", "replace").decode(),
        sha256=picture.sha256,
        sha256_of=picture.sha256_of,
        transparency=_transparency(picture),
    )


def _transparency(picture: Picture) -> Transparency | None:
    if picture.alpha is None or picture.background is None:
        return None
    return Transparency(background=picture.background, sha256=alpha_sha256(picture.alpha))


def _evidence(facts: RegionEvidence | None) -> Evidence | None:
    if facts is None:
        return None
    return Evidence(
        psnr_db=_rounded(facts.psnr_db, 3),
        ssim=_rounded(facts.ssim, DECIMALS),
        haarpsi=_rounded(facts.haarpsi, DECIMALS),
        delta_e=_rounded(facts.delta_e, 4),
    )


def _difference(found: RegionDifference | None, size: tuple[int, int]) -> Difference | None:
    if found is None:
        return None
    return Difference(
        share=round(found.share, DECIMALS),
        equal=round(found.equal, DECIMALS),
        size=size,
        spots=found.spots[:MOST_SPOTS],
    )


def _rounded(value: float | None, decimals: int) -> float | None:
    return None if value is None else round(float(value), decimals)
