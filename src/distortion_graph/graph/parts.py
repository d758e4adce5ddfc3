"""The parts of a distortion graph: pictures, masks, nodes, comparisons, scene and relations.

All are frozen and typed, and unknown keys fail. Users import them from `distortion_graph.graph`.
"""

from __future__ import annotations

import math
from typing import Annotated, Literal, TypeAlias

from pydantic import BeforeValidator, Field, Strict, model_validator

from distortion_graph.base.vocabulary import FrozenMap, Vocabulary
from distortion_graph.graph.basis import Number, Part, Sha256, Share, Shares, Size, Text, Whole
from distortion_graph.graph.checks import PROBABILITY_TOLERANCE
from distortion_graph.graph.judged import Judgement
from distortion_graph.graph.metrics import MetricValues
from distortion_graph.masks.rle import Rle, rle_from_text

Side: TypeAlias = Literal["anchor", "target"]
"""One of the two pictures."""

SIDES: tuple[Side, Side] = ("anchor", "target")
"""Both, always in this order."""


Fitting: TypeAlias = Literal["crop", "resize"]
"""How two pictures of unequal size were compared: their common part, or one scaled to the other."""


class Transparency(Part):
    """What became of a picture's transparent pixels.

    `background`: the colour they were laid on (a CSS name or #rrggbb), or "checker". `sha256` is
    of the H×W alpha plane, so that pictures that differ in nothing else can be told apart.
    """

    background: Text
    sha256: Sha256


class ImageInfo(Part):
    """A picture: displayed size in pixels, where it came from, and the hash of its bytes.

    `source` is null for arrays. `sha256` is of the file's bytes or of the H×W×3 RGB values, as
    `sha256_of` says; the two are null together. `transparency` is null where every pixel is
    opaque.
    """

    width: Size | None = None
    height: Size | None = None
    source: str | None = None
    sha256: Sha256 | None = None
    sha256_of: Literal["file", "rgb"] | None = None
    transparency: Transparency | None = None
    turned: Literal[0, 90, 180, 270] = 0

    @model_validator(mode="after")
    def _check(self) -> ImageInfo:
        if (self.sha256 is None) != (self.sha256_of is None):
            raise ValueError("sha256 and sha256_of must be given together or both be null")
        return self


class ModelInfo(Part):
    """The model that made the graph; `sha256` is of its weights' file.

    Where a node's `known` is below `known_threshold`, the model calls its own label unreliable.
    """

    name: Text
    version: str | None = None
    sha256: Sha256 | None = None
    known_threshold: Share | None = None


class Mask(Part):
    """A region's pixels: `size` [height, width] and compressed COCO run lengths (column-major)."""

    size: tuple[Size, Size]
    counts: str

    @model_validator(mode="after")
    def _check(self) -> Mask:
        # Decoders written in C trust the runs and write past their buffer where these lie.
        rle_from_text(self.counts, self.size, "counts")
        return self

    @classmethod
    def of(cls, rle: Rle) -> Mask:
        """The mask of run lengths, which were checked when they were made."""
        return cls.model_construct(size=rle.size, counts=rle.counts)


class LabelBelief(Part):
    """A label, its probability, and the probabilities of all labels of that kind (sum 1)."""

    label: Text
    probability: Share | None = None
    probabilities: Shares | None = None

    @model_validator(mode="after")
    def _check(self) -> LabelBelief:
        if self.probabilities is None:
            return self
        total = math.fsum(self.probabilities.values())
        if abs(total - 1) > PROBABILITY_TOLERANCE:
            raise ValueError(f"probabilities sum to {total:.6g}, expected 1")
        # A label without a probability is reported by the graph, which knows the nearest label.
        listed = self.probabilities.get(self.label)
        if listed is not None and self.probability != listed:
            raise ValueError(
                f"probability is {_shown(self.probability)}, expected "
                f"probabilities[{self.label!r}] = {listed}"
            )
        return self


class ComparisonBelief(LabelBelief):
    """What the anchor is against the target; `margin` is score(anchor) − score(target), exactly.

    The margin is null where a score is.
    """

    margin: Annotated[float, Strict(), Field(ge=-1, le=1)] | None = None

    def mirrored(self, vocabulary: Vocabulary) -> ComparisonBelief:
        """The same comparison seen from the target: ranks and margin negated."""
        labels, mirrored = vocabulary.comparison_labels, vocabulary.comparison_labels[::-1]
        beliefs = self.probabilities
        return ComparisonBelief(
            label=mirrored[vocabulary.comparison_index(self.label)],
            probability=self.probability,
            probabilities=beliefs
            and {mine: beliefs[other] for mine, other in zip(labels, mirrored, strict=True)},
            margin=None if self.margin is None else 0.0 - self.margin,  # never −0.0
        )


class FurtherDistortion(Part):
    """A distortion that a region suffers beside the one that its node names first.

    `probability` is that of the region suffering it, whatever else it suffers; null where nobody
    said. `severity` is its own.
    """

    label: Text
    probability: Share | None = None
    severity: Text


FurtherDistortions: TypeAlias = Annotated[
    tuple[FurtherDistortion, ...],
    BeforeValidator(
        lambda value: () if value is None else value,
        json_schema_input_type=tuple[FurtherDistortion, ...] | None,
    ),
]
"""Distortions beside the first one, the most probable first; null is read as none."""


class Node(Part):
    """A region in one picture: its distortion, severity and quality score (1 = pristine).

    The target's `mask` and `bbox_xywh_px` (pixels) are null where they equal the anchor's; read
    them with `RegionComparison.mask_of` and `bbox_of`. `known` is the probability that what the
    region shows is in the vocabulary at all; null where nobody said. `opinion` is the mean opinion
    that people are expected to give, 1 = best; null where nobody said. `also` are further
    distortions of the region, the most probable first.
    """

    mask: Mask | None = None
    bbox_xywh_px: tuple[Whole, Whole, Size, Size] | None = None
    distortion: LabelBelief
    severity: LabelBelief
    score: Share | None = None
    known: Share | None = None
    opinion: Share | None = None
    also: FurtherDistortions = ()


class Evidence(Part):
    """Measured between the two pictures inside a region; no model takes part.

    `psnr_db` is null when the pixels are identical; `ssim` is on luma with an 11×11 Gaussian;
    `delta_e` is the mean CIEDE2000 colour difference. `more` are values of further metrics, which
    the graph's `metrics` describe.
    """

    psnr_db: Number | None = None
    ssim: Annotated[float, Strict(), Field(ge=-1, le=1)] | None = None
    haarpsi: Share | None = None
    delta_e: Annotated[float, Strict(), Field(ge=0)] | None = None
    more: MetricValues = Field(default_factory=FrozenMap)


MOST_SPOTS = 8
"""Spots of a region or of the scene, at most."""


class Difference(Part):
    """Where the two pictures show different things, measured; no model takes part.

    `share` of the pixels differ visibly, and `equal` of them look equal (`differences.py` says what
    that is). `spots` are boxes (x, y, w, h), the largest first, in pixels of a picture of `size`
    [height, width]: the anchor, or the common part where only that was compared.
    """

    share: Share
    equal: Share
    size: tuple[Size, Size]
    spots: Annotated[tuple[tuple[Whole, Whole, Size, Size], ...], Field(max_length=MOST_SPOTS)] = ()

    @model_validator(mode="after")
    def _check(self) -> Difference:
        if self.share + self.equal > 1 + PROBABILITY_TOLERANCE:
            raise ValueError(
                f"share {self.share} and equal {self.equal} are {self.share + self.equal:.6g} "
                "together, expected at most 1"
            )
        height, width = self.size
        for k, (x, y, w, h) in enumerate(self.spots):
            if x + w > width or y + h > height:
                raise ValueError(
                    f"spots[{k}]: {[x, y, w, h]} leaves the picture, which is {height} × {width} "
                    "(height × width)"
                )
            if k and w * h > self.spots[k - 1][2] * self.spots[k - 1][3]:
                raise ValueError(f"spots[{k}] is larger than spots[{k - 1}], expected it before")
        return self


class RegionComparison(Part):
    """A region in both pictures and the comparison edge anchor → target.

    `id` is kept from the source of the regions (label map: the pixel value; list: its index);
    `area_fraction` is the mask's share of the picture that the regions were given on. `valid` is
    the share of the region that both pictures show; null where they were not aligned. A region
    that one picture alone has is an `aligned.RegionAlone`. `judged` is what a person says of it;
    null where nobody did. The other parts stay the model's.
    """

    id: Whole
    name: Text
    area_fraction: Share | None = None
    valid: Share | None = None
    anchor: Node
    target: Node
    comparison: ComparisonBelief
    evidence: Evidence | None = None
    differs: Difference | None = None
    judged: Judgement | None = None

    @model_validator(mode="after")
    def _check(self) -> RegionComparison:
        check_margin(self.comparison, self.anchor.score, self.target.score)
        for field in ("mask", "bbox_xywh_px"):
            mine, other = getattr(self.target, field), getattr(self.anchor, field)
            if mine is not None and other is None:
                raise ValueError(f"target.{field} is given but anchor.{field} is null")
            if mine is not None and mine == other:
                raise ValueError(f"target.{field} equals the anchor's, expected null there")
        return self

    def node(self, side: Side) -> Node:
        """The region's node in the anchor or the target picture."""
        return self.anchor if side == "anchor" else self.target

    def mask_of(self, side: Side) -> Mask | None:
        """The region's mask in that picture; null only where it is not known."""
        return self.node(side).mask or self.anchor.mask

    def bbox_of(self, side: Side) -> tuple[int, int, int, int] | None:
        """The region's box (x, y, w, h) in pixels of that picture; null where it is not known."""
        return self.node(side).bbox_xywh_px or self.anchor.bbox_xywh_px

    def swapped(self, vocabulary: Vocabulary) -> RegionComparison:
        """The region with anchor and target exchanged and the comparison mirrored."""
        old, new = self.anchor, self.target
        shape = {"mask": self.mask_of("target"), "bbox_xywh_px": self.bbox_of("target")}
        # The mask stays with the anchor where both share it.
        kept = {key: getattr(old, key) if getattr(new, key) else None for key in shape}
        return self.model_copy(
            update={
                "anchor": new.model_copy(update=shape),
                "target": old.model_copy(update=kept),
                "comparison": self.comparison.mirrored(vocabulary),
                "judged": self.judged and self.judged.swapped(vocabulary),
            }
        )


class SceneNode(Part):
    """A whole picture: its score, and the share of its area under each distortion label.

    A label that no region has may be left out; pixels outside all regions count for no label.
    `opinion` is the mean opinion that people are expected to give; null where nobody said.
    """

    score: Share | None = None
    opinion: Share | None = None
    distortion_share: Shares | None = None

    @model_validator(mode="after")
    def _check(self) -> SceneNode:
        total = math.fsum((self.distortion_share or {}).values())
        if total > 1 + PROBABILITY_TOLERANCE:
            raise ValueError(f"distortion_share sums to {total:.6g}, expected at most 1")
        return self


class Scene(Part):
    """The whole image, beside the regions: its nodes, comparison, evidence and differences."""

    anchor: SceneNode = SceneNode()
    target: SceneNode = SceneNode()
    comparison: ComparisonBelief | None = None
    evidence: Evidence | None = None
    differs: Difference | None = None

    @model_validator(mode="after")
    def _check(self) -> Scene:
        if self.comparison is not None:
            check_margin(self.comparison, self.anchor.score, self.target.score)
        return self

    def swapped(self, vocabulary: Vocabulary) -> Scene:
        """The scene with anchor and target exchanged and the comparison mirrored."""
        mirrored = self.comparison and self.comparison.mirrored(vocabulary)
        return self.model_copy(
            update={"anchor": self.target, "target": self.anchor, "comparison": mirrored}
        )


class Relation(Part):
    """`subject` `predicate` `object` between two regions (by id) of one or both pictures."""

    subject: Whole
    predicate: Text
    object: Whole
    image: Literal["anchor", "target", "both"]


def check_margin(comparison: ComparisonBelief, anchor: float | None, target: float | None) -> None:
    """Raise ValueError unless the comparison's margin is exactly that of the two scores."""
    expected = score_margin(anchor, target)
    if comparison.margin != expected:
        raise ValueError(
            f"comparison.margin is {_shown(comparison.margin)}, expected anchor score − target "
            f"score = {_shown(expected)}"
        )


def score_margin(anchor: float | None, target: float | None) -> float | None:
    """The margin of two scores, anchor − target; null where one of them is not known."""
    return None if anchor is None or target is None else anchor - target


def _shown(value: float | None) -> str:
    return "null" if value is None else repr(float(value))
