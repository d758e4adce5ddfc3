"""From decoded answers, regions and pictures to the graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from distortion_graph.differences import MeasuredDifferences, RegionDifference
from distortion_graph.evidence import MeasuredEvidence, RegionEvidence
from distortion_graph.graph import (
    MOST_SPOTS,
    Difference,
    DistortionGraph,
    Evidence,
    ImageInfo,
    Mask,
    ModelInfo,
    Node,
    RegionComparison,
)
from distortion_graph.images import Picture
from distortion_graph.regions.container import Region, RegionSet
from distortion_graph.regions.rle import Rle, rle_from_mask
from distortion_graph.runtime.decode import DECIMALS, Decoded
from distortion_graph.vocabulary import Vocabulary

_NO_EVIDENCE = MeasuredEvidence((), None)
_NO_DIFFERENCES = MeasuredDifferences((), None)


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
    evidence: MeasuredEvidence = _NO_EVIDENCE,
    differences: MeasuredDifferences = _NO_DIFFERENCES,
) -> DistortionGraph:
    """Build the graph; regions lie on the anchor and are scaled to a target of another size."""
    measured: Sequence[RegionEvidence | None] = evidence.regions or [None] * len(regions)
    differing: Sequence[RegionDifference | None] = differences.regions or [None] * len(regions)
    shapes = _shapes(regions)
    target_shapes: Sequence[Shape | None] = [None] * len(regions)
    if target.size != anchor.size:
        target_shapes = _shapes(_scaled(regions, target.size))
    pixels = anchor.width * anchor.height
    parts = [
        RegionComparison(
            id=region.id,
            name=region.name,
            area_fraction=round(area / pixels, DECIMALS),
            anchor=_placed(answer.anchor, shape),
            target=_placed(answer.target, other),
            comparison=answer.comparison,
            evidence=_evidence(facts),
            differs=_difference(found, anchor.size),
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
            "differs": _difference(differences.scene, anchor.size),
        }
    )
    return DistortionGraph(
        vocabulary=vocabulary,
        anchor=_info(anchor),
        target=_info(target),
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


def _placed(node: Node, shape: Shape | None) -> Node:
    return node if shape is None else node.model_copy(update=shape._asdict())


def _scaled(regions: RegionSet, size: tuple[int, int]) -> RegionSet:
    """The regions on a picture of another size, none of them lost."""
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
    )


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
