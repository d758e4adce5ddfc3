"""The tool `rank_images`: several pictures of one scene, the best first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

from pydantic import Field

from distortion_graph.base.errors import ImageError
from distortion_graph.graph.basis import Part
from distortion_graph.mllm.ask.compact import DECIMALS
from distortion_graph.pictures.align import AlignMode
from distortion_graph.pictures.images import Picture
from distortion_graph.predict.session import Model
from distortion_graph.ranking import LeftOut, Loaded, Ranking, load_candidates, rank_loaded
from distortion_graph.ranking.candidates import candidate_names
from distortion_graph.ranking.parts import By, RegionStanding, SceneStanding
from distortion_graph.ranking.wording import basis, summary, why
from distortion_graph.regions.spec import LOCAL_SPECS_HELP
from distortion_graph.serve.mcp_files import Access
from distortion_graph.serve.mcp_offers import Offer, Outcome

MOST_CANDIDATES = 32
"""Without a reference the time grows with the square of their number."""


class RankQuestion(Part):
    """The arguments of `rank_images`."""

    candidates: Annotated[list[str], Field(min_length=2, max_length=MOST_CANDIDATES)] = Field(
        description="Pictures of one scene: paths on the server's machine, or data: URLs in base64."
    )
    reference: str | None = Field(
        None,
        description="The original that all of them were made from, where it is at hand; scores are "
        "then measured against it. Without it all pairs are compared.",
    )
    regions: str = Field(
        "auto",
        description="Where the regions come from, on the reference or the first candidate: "
        f"{LOCAL_SPECS_HELP}.",
    )
    align: AlignMode = Field(
        "auto",
        description="How a candidate may lie on the reference or the first candidate, as in "
        "compare_images.",
    )


class StandingFacts(Part):
    """How one candidate does."""

    candidate: str
    place: int | None = Field(
        description="1 for the best, shared by those that are tied; null where it does not show "
        "the region."
    )
    value: float | None = Field(description="What the order follows (ordered_by), 0 to 1.")
    interval: tuple[float, float] | None = Field(description="95 % interval of the value.")
    behind: float | None = Field(description="How far behind the best.")
    score: float | None = Field(description="Quality from 0 to 1, 1 = pristine.")
    opinion: float | None = Field(description="The mean opinion to expect of people, 0 to 1.")
    words: str = Field(description="What is wrong, as people read it.")


class RankedRegionFacts(Part):
    """A region, and how every candidate does in it, the best first."""

    id: int
    name: str
    area_fraction: float | None = Field(description="Share of the picture.")
    bbox_xywh_px: tuple[int, int, int, int] | None = Field(
        description="Left, top, width and height in pixels of the reference, or of the first "
        "candidate."
    )
    best: list[str] = Field(description="The candidates in the first place.")
    standings: list[StandingFacts]


class RankFacts(Part):
    """What ranking several pictures gave."""

    summary: str
    notes: list[str] = Field(description="What in the files was not taken quite as it is.")
    ordered_by: By = Field(
        description="score: against the reference; pairs: the mean probability that a candidate is "
        "preferred to another one."
    )
    tolerance: float = Field(description="Candidates that are at most so far behind are tied.")
    metric: str | None = Field(
        description="What measured the scores; null: a model predicted them."
    )
    order: list[StandingFacts] = Field(description="As wholes, the best first.")
    regions: list[RankedRegionFacts]
    left_out: list[LeftOut] = Field(description="Candidates that could not be ranked, and why.")


def rank_offer(model: Model, access: Access) -> Offer:
    """The tool."""

    def rank_images(question: RankQuestion) -> Outcome:
        regions = access.regions(question.regions)
        loaded = _loaded(access, question)
        notes = list(loaded.notes)
        ranking = rank_loaded(
            loaded, regions=regions, model=model, align=question.align, warn=notes.append
        )
        left = [left.reason for left in ranking.left_out]
        said = [summary(ranking), basis(ranking)]
        said += [f"Left out: {line}." for line in left]
        said += [f"Note: {note}." for note in notes if note.removesuffix("; left out") not in left]
        return Outcome(" ".join(said), rank_facts(ranking, notes))

    return Offer(
        "Rank pictures",
        "Rank two or more pictures of the same scene, in each region and as wholes: who is best, "
        "by how much, and what is wrong with the others. With the original as reference, scores "
        "are measured against it.",
        RankQuestion,
        RankFacts,
        rank_images,
        heavy=True,
    )


def rank_facts(ranking: Ranking, notes: Sequence[str]) -> RankFacts:
    """The facts of a ranking; `notes` are what else was said of the pictures."""
    return RankFacts(
        summary=summary(ranking),
        notes=list(notes),
        ordered_by=ranking.by,
        tolerance=ranking.tolerance,
        metric=ranking.metric,
        order=[_standing(ranking, standing) for standing in ranking.ordered],
        regions=[
            RankedRegionFacts(
                id=region.id,
                name=region.name,
                area_fraction=_short(region.area_fraction),
                bbox_xywh_px=region.bbox_xywh_px,
                best=list(region.best),
                standings=[_standing(ranking, standing) for standing in region.ordered],
            )
            for region in ranking.regions
        ],
        left_out=list(ranking.left_out),
    )


def _loaded(access: Access, question: RankQuestion) -> Loaded:
    """The pictures of a question; raises AccessError for one that may not be read."""
    reference = question.reference
    original = None if reference is None else access.picture(reference, "reference")
    sources = list(dict.fromkeys(question.candidates))
    read: dict[str, Picture] = {}
    left_out = []
    for name, source in zip(candidate_names(sources), sources, strict=True):
        try:
            read[name] = access.picture(source, name)
        except ImageError as error:
            left_out.append((name, str(error)))
    loaded = load_candidates(read, original, problems=[line for _, line in left_out])
    twice = [
        f"{source}: is given twice and counts once"
        for source in sources
        if question.candidates.count(source) > 1
    ]
    return replace(loaded, left_out=tuple(left_out), notes=(*twice, *loaded.notes))


def _standing(ranking: Ranking, standing: RegionStanding | SceneStanding) -> StandingFacts:
    node, interval = standing.node, standing.interval
    return StandingFacts(
        candidate=standing.candidate,
        place=standing.place,
        value=_short(standing.value),
        interval=interval and (round(interval[0], DECIMALS), round(interval[1], DECIMALS)),
        behind=_short(standing.behind),
        score=None if node is None else _short(node.score),
        opinion=None if node is None else _short(node.opinion),
        words=why(ranking, node),
    )


def _short(value: float | None) -> float | None:
    return None if value is None else round(value, DECIMALS)
