"""Small graphs of pictures that an alignment lays on each other, with regions of one alone."""

from __future__ import annotations

from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from report_samples import photo

from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY
from distortion_graph.graph import (
    AlignmentInfo,
    ComparisonBelief,
    DistortionGraph,
    ImageInfo,
    LabelBelief,
    Mask,
    Node,
    RegionAlone,
    RegionComparison,
    Scene,
    SceneNode,
    rows_of,
)
from distortion_graph.masks.boxes import Box
from distortion_graph.masks.container import RegionSet
from distortion_graph.masks.rle import rle_from_mask
from distortion_graph.report.mapping import mapped

CROP = np.array([(1, 0, 40), (0, 1, 24), (0, 0, 1)], float)
HALF = np.diag([2.0, 2.0, 1.0])
TURN = np.array([(0.9994, -0.0349, 3.1), (0.0349, 0.9994, -2.2), (0, 0, 1)])
BENT = np.array([(1.02, 0.03, 4), (-0.02, 0.97, 3), (2e-4, 1e-4, 1)])


class Sample(NamedTuple):
    """A graph and its pictures, (H, W, 3) uint8."""

    graph: DistortionGraph
    anchor: NDArray[np.uint8]
    target: NDArray[np.uint8]


def alignment(model: Any, matrix: NDArray[np.float64] | None = None, **more: Any) -> AlignmentInfo:
    """An alignment without a doubt, but for what is given."""
    given = np.eye(3) if matrix is None and model != "flow" else matrix
    facts = {"confidence": 0.99, "same_scene": 0.98, "residual_px": 0.034, "frame": "anchor"}
    rows = None if given is None else rows_of(given)
    back = None if given is None else rows_of(np.linalg.inv(given))
    return AlignmentInfo(model=model, matrix=rows, inverse=back, **facts | more)


def node(label: str = "clean", severity: str = "clean", score: float = 1.0, **more: Any) -> Node:
    beliefs = {"distortion": LabelBelief(label=label), "severity": LabelBelief(label=severity)}
    return Node(**beliefs, score=score, **more)


def aligned(
    model: Any = "translation",
    matrix: NDArray[np.float64] = CROP,
    target_size: tuple[int, int] = (56, 72),
    size: tuple[int, int] = (96, 128),
    rows: int = 3,
    columns: int = 4,
    **more: Any,
) -> Sample:
    """A pair whose regions are a grid on the anchor; the target shows the same scene.

    Every target node is a minor blur. A cell of which the target shows no pixel is in the anchor
    alone.
    """
    anchor = photo(*size)
    height, width = target_size
    moved = np.array([(1, 0, 0.5), (0, 1, 0.5), (0, 0, 1)])  # of pixels to their centres
    centres = np.linalg.inv(moved) @ matrix @ moved
    flags = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    target = cv2.warpPerspective(anchor, centres, (width, height), flags=flags)
    shared: list[RegionComparison] = []
    alone: list[RegionAlone] = []
    for region in RegionSet.grid(size, rows, columns):
        mask = region.rle.decode()
        facts: Any = {
            "id": region.id,
            "name": f"region {region.id}",
            "area_fraction": 1 / rows / columns,
            "anchor": _placed(node(), mask),
        }
        there = _on_target(mask, matrix, target_size)
        if there.any():
            other = _unlike(_placed(node("blur", "minor", 0.75), there), facts["anchor"])
            belief = ComparisonBelief(label="slightly_better", margin=0.25)
            shared.append(RegionComparison(**facts, valid=1.0, target=other, comparison=belief))
        else:
            alone.append(RegionAlone(**facts, valid=0, target=None))
    graph = DistortionGraph(
        vocabulary=DEFAULT_VOCABULARY,
        anchor=ImageInfo(width=size[1], height=size[0], source="a.png"),
        target=ImageInfo(width=width, height=height, source="b.png"),
        alignment=alignment(model, matrix, **more),
        regions=tuple(shared),
        alone=tuple(alone),
        scene=Scene(
            anchor=SceneNode(score=1.0),
            target=SceneNode(score=0.75),
            comparison=ComparisonBelief(label="slightly_better", margin=0.25),
        ),
    )
    return Sample(graph, anchor, np.asarray(target, np.uint8))


def _on_target(
    mask: NDArray[np.bool_], matrix: NDArray[np.float64], target_size: tuple[int, int]
) -> NDArray[np.bool_]:
    """Where the target's pixels have their centre in a mask of the anchor."""
    height, width = target_size
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    places = np.floor(mapped(matrix, np.stack([x.ravel(), y.ravel()], 1))).astype(int)
    inside = ((places >= 0) & (places < mask.shape[::-1])).all(1)
    there = np.zeros(width * height, bool)
    there[inside] = mask[places[inside, 1], places[inside, 0]]
    return there.reshape(target_size)


def _unlike(other: Node, mine: Node) -> Node:
    """The target's node without what the anchor's has as well."""
    shape = ("mask", "bbox_xywh_px")
    same = {key: None for key in shape if getattr(other, key) == getattr(mine, key)}
    return other.model_copy(update=same)


def _placed(found: Node, mask: NDArray[np.bool_]) -> Node:
    rle = rle_from_mask(mask)
    box = Box.around(mask)
    return found.model_copy(
        update={
            "mask": Mask(size=rle.size, counts=rle.counts),
            "bbox_xywh_px": (box.x, box.y, box.width, box.height),
        }
    )
