"""The parts of a graph whose pictures do not lie on each other pixel by pixel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias, cast

from pydantic import model_validator

from distortion_graph.graph.basis import Number, Part, Share, Text, Whole
from distortion_graph.graph.parts import Mask, Node, RegionComparison, Side

Motion: TypeAlias = Literal["none", "translation", "similarity", "homography", "flow"]
"""How the target is moved to lie on the anchor; "none" leaves it as it is."""

Row: TypeAlias = tuple[Number, Number, Number]
Matrix: TypeAlias = tuple[Row, Row, Row]


class AlignmentInfo(Part):
    """How the target lies on the anchor, as it was found between the two pictures.

    `matrix` maps places of the target, in pixels from its top left corner, to places of the anchor,
    and `inverse` the other way; both are null for "flow". `residual_px` is how far small parts
    still lie off, the median; null where nothing could be measured. `overlap` is the share of the
    anchor that the target shows as well. `confidence` is the probability that the mapping is right,
    `same_scene` that both show one scene. `reason` says why the mapping is not relied on; null
    where it is. `frame` is the picture in whose pixels both were compared, and spots of `differs`
    are given: the one with the coarser pixels; null where the pictures lie on each other as they
    are.
    """

    model: Motion
    matrix: Matrix | None = None
    inverse: Matrix | None = None
    residual_px: Number | None = None
    overlap: Share = 1.0
    target_overlap: Share = 1.0
    confidence: Share
    same_scene: Share
    reason: Text | None = None
    frame: Side | None = None

    @model_validator(mode="after")
    def _check(self) -> AlignmentInfo:
        given = [name for name in ("matrix", "inverse") if getattr(self, name) is not None]
        expected = [] if self.model == "flow" else ["matrix", "inverse"]
        if given != expected:
            raise ValueError(
                f"{' and '.join(given) or 'no matrix'} given of the model {self.model!r}, expected "
                f"{' and '.join(expected) or 'null'}"
            )
        return self

    def swapped(self) -> AlignmentInfo:
        """The same seen from the target."""
        other: dict[Side | None, Side | None] = {"anchor": "target", "target": "anchor", None: None}
        return self.model_copy(
            update={
                "matrix": self.inverse,
                "inverse": self.matrix,
                "overlap": self.target_overlap,
                "target_overlap": self.overlap,
                "frame": other[self.frame],
            }
        )


class RegionAlone(Part):
    """A region that one picture alone has, or of which the other picture shows nothing.

    The other node is null, and so are `comparison`, `evidence`, `differs` and `judged`, which stand
    here so that all regions of a file have the same keys. `valid`, the share of the region that
    both show, is 0, or null where the pictures were not aligned.
    """

    id: Whole
    name: Text
    area_fraction: Share | None = None
    valid: Literal[0] | None = None
    anchor: Node | None
    target: Node | None
    comparison: None = None
    evidence: None = None
    differs: None = None
    judged: None = None

    @model_validator(mode="after")
    def _check(self) -> RegionAlone:
        if (self.anchor is None) == (self.target is None):
            raise ValueError("anchor and target are both null, expected a node in one of them")
        return self

    @property
    def side(self) -> Side:
        """The picture that has the region."""
        return "target" if self.anchor is None else "anchor"

    @property
    def node(self) -> Node:
        """The region in the picture that has it."""
        return cast(Node, self.anchor or self.target)

    @property
    def mask(self) -> Mask | None:
        """The region's mask in the picture that has it; null where it is not known."""
        return self.node.mask

    def mask_of(self, side: Side) -> Mask | None:
        """The region's mask in that picture; null in the other one, and where it is not known."""
        return self.mask if side == self.side else None

    def bbox_of(self, side: Side) -> tuple[int, int, int, int] | None:
        """The region's box (x, y, w, h) in pixels of that picture; null as `mask_of` is."""
        return self.node.bbox_xywh_px if side == self.side else None

    def swapped(self) -> RegionAlone:
        """The region with anchor and target exchanged."""
        return self.model_copy(update={"anchor": self.target, "target": self.anchor})


AnyRegion: TypeAlias = RegionComparison | RegionAlone
"""A region of a graph: one that both pictures have, or one of a picture alone."""


def is_alone(region: Any) -> bool:
    """Whether an object of a file's list of regions is one that one picture alone has."""
    if not isinstance(region, Mapping):
        return False
    sides = [region.get(side, region) for side in ("anchor", "target")]
    return any(node is None for node in sides)


def rows_of(matrix: Any) -> Matrix:
    """A 3×3 array as the rows of a graph, ten digits of each number."""
    first, second, third = (tuple(float(f"{v:.10g}") + 0.0 for v in row) for row in matrix)
    return first, second, third  # type: ignore[return-value]  # rows of three
