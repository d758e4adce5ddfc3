"""What a ranking says: typed, frozen, and one file of JSON.

Facts are as in a graph: labels obey the ranking's own vocabulary, scores are in [0, 1], 1 is the
best, and what is not known is null.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias, TypeVar

from pydantic import Field

from distortion_graph.base.errors import RankingError
from distortion_graph.base.vocabulary import FrozenMap, Vocabulary
from distortion_graph.graph import AlignmentInfo, ImageInfo, Mask, ModelInfo, Node, SceneNode
from distortion_graph.graph.basis import Number, Part, Share, Size, Text, Whole
from distortion_graph.graph.metrics import MetricInfos, MetricValues

Wanted: TypeAlias = Literal["score", "opinion"]
"""What an order may be wanted by where the original is at hand."""

By: TypeAlias = Literal["score", "opinion", "pairs"]
"""What an order follows: scores, the opinions that people are expected to give, or how often a
candidate is preferred to another one, all pairs compared."""

SCHEMA: Literal["distortion-ranking/1"] = "distortion-ranking/1"


class Standing(Part):
    """How one candidate does in a region, or as a whole.

    `place` is 1 for the best, and shared by those that are tied; null where the candidate does not
    show the region, and then so is what follows. `value` is what the order follows
    (`Ranking.by`): the score, the opinion, or of "pairs" the mean probability that the candidate is
    preferred to another one, with its 95 % `interval` where there is one. `behind` is how much less
    the value is than that of the best; of "pairs", by how much the probability that the best is
    preferred passes one half. `more` are values of further metrics between the reference and the
    candidate, which the ranking's `metrics` describe.
    """

    candidate: Text
    place: Size | None = None
    value: Share | None = None
    behind: Share | None = None
    interval: tuple[Share, Share] | None = None
    more: MetricValues = Field(default_factory=FrozenMap)


class RegionStanding(Standing):
    """A candidate in a region. `valid` is the share of the region that it shows."""

    node: Node | None = None
    valid: Share | None = None


class SceneStanding(Standing):
    """A candidate as a whole."""

    node: SceneNode


_S = TypeVar("_S", bound=Standing)


class RankedRegion(Part):
    """A region and how every candidate does in it.

    `mask` and box lie on the reference, or on the first candidate where there is none; a node has a
    box of its own where it lies elsewhere in its picture. `standings` are in the order of the
    candidates.
    """

    id: Whole
    name: Text
    area_fraction: Share | None = None
    mask: Mask | None = None
    bbox_xywh_px: tuple[Whole, Whole, Size, Size] | None = None
    standings: tuple[RegionStanding, ...]

    @property
    def best(self) -> tuple[str, ...]:
        """The candidates in the first place."""
        return _best(self.standings)

    @property
    def ordered(self) -> tuple[RegionStanding, ...]:
        """The best first; those that do not show the region are left out."""
        return tuple(in_order(self.standings))


class Candidate(Part):
    """A picture that was ranked.

    `alignment` says how it lies on the reference, or on the first candidate; null where nobody
    asked. `size_bytes` is that of its file, `bits_per_pixel` that size by the pixels of the
    reference or the first candidate, and `ladder` the ladder that it is a step of; null where file
    sizes were not asked for.
    """

    name: Text
    picture: ImageInfo
    alignment: AlignmentInfo | None = None
    size_bytes: Size | None = None
    bits_per_pixel: Annotated[Number, Field(gt=0)] | None = None
    ladder: Text | None = None


class LeftOut(Part):
    """A candidate that was not ranked, and why."""

    source: Text
    reason: Text


class Ladder(Part):
    """Candidates of one kind, such as one codec at several qualities; the smallest file first."""

    name: Text
    candidates: tuple[Text, ...]


class BdRate(Part):
    """How much larger the files of the ladder `test` are than those of `anchor` at equal quality.

    In per cent, below 0 where they are smaller: of a cubic (VCEG-M33, 2001) and of a piecewise
    cubic (PCHIP). `region` is an id, null for the whole picture. `overlap` is the share of the
    range of both qualities that both reach. Where there is no such number, `problem` says why.
    """

    region: Whole | None
    anchor: Text
    test: Text
    cubic_percent: Number | None = None
    pchip_percent: Number | None = None
    overlap: Share | None = None
    problem: Text | None = None


class Rates(Part):
    """Quality against file size.

    Of a region the file's own bits per pixel count: no file says how many of its bytes a region
    takes. `quality` is what counts as quality.
    """

    quality: Literal["score", "opinion"]
    ladders: tuple[Ladder, ...]
    bd_rates: tuple[BdRate, ...]


class Ranking(Part):
    """Candidates in order, in every region and as a whole.

    `reference` is the original that scores were measured against by `metric`; both are null where
    a model predicted them. `metrics` are further ones that were measured against it. Candidates
    that are at most `tolerance` behind share a place. `scene` are the standings as a whole, in the
    order of the candidates, as in every region.
    """

    schema_: Literal["distortion-ranking/1"] = Field(default=SCHEMA, alias="schema")
    vocabulary: Vocabulary
    model: ModelInfo | None = None
    reference: ImageInfo | None = None
    metric: Text | None = None
    metrics: MetricInfos = ()
    by: By
    tolerance: Annotated[Number, Field(ge=0)]
    candidates: tuple[Candidate, ...]
    left_out: tuple[LeftOut, ...] = ()
    scene: tuple[SceneStanding, ...]
    regions: tuple[RankedRegion, ...]
    rates: Rates | None = None

    @property
    def best(self) -> tuple[str, ...]:
        """The candidates in the first place as a whole."""
        return _best(self.scene)

    @property
    def ordered(self) -> tuple[SceneStanding, ...]:
        """The standings as a whole, the best first."""
        return tuple(in_order(self.scene))

    def region(self, region_id: int) -> RankedRegion:
        """The region with that id; raises RankingError when there is none."""
        for region in self.regions:
            if region.id == region_id:
                return region
        known = ", ".join(str(region.id) for region in self.regions) or "none"
        raise RankingError(f"the ranking has no region with the id {region_id} (ids: {known})")

    def candidate(self, name: str) -> Candidate:
        """The candidate of that name; raises RankingError when there is none."""
        for candidate in self.candidates:
            if candidate.name == name:
                return candidate
        known = ", ".join(candidate.name for candidate in self.candidates)
        raise RankingError(f"the ranking has no candidate {name!r}, expected one of: {known}")

    def to_json(self, indent: int | None = None) -> str:
        """JSON: compact unless `indent` is given, keys in a fixed order, no NaN."""
        return self.model_dump_json(by_alias=True, indent=indent)

    def __str__(self) -> str:
        from distortion_graph.ranking.wording import ranking_text

        return ranking_text(self)


def in_order(standings: tuple[_S, ...]) -> list[_S]:
    """Those that have a place, the best first; of equal ones the earlier candidate."""
    placed = [standing for standing in standings if standing.place is not None]
    return sorted(placed, key=lambda standing: (standing.place or 0, -(standing.value or 0.0)))


def _best(standings: tuple[Standing, ...]) -> tuple[str, ...]:
    return tuple(standing.candidate for standing in standings if standing.place == 1)
