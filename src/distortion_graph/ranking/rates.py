"""Quality against file size: curves of ladders, and how they differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Literal, TypeAlias

from distortion_graph.base.errors import RankingError
from distortion_graph.ranking.bd_rate import Point, bd_rate
from distortion_graph.ranking.ladders import chosen_ladders, ladders_by_name
from distortion_graph.ranking.order import DECIMALS
from distortion_graph.ranking.parts import (
    BdRate,
    By,
    Candidate,
    Ladder,
    RankedRegion,
    Rates,
    RegionStanding,
    SceneStanding,
)

Quality: TypeAlias = Literal["score", "opinion"]
Standings: TypeAlias = Sequence[RegionStanding] | Sequence[SceneStanding]


def rates_of(
    candidates: Sequence[Candidate],
    scene: Sequence[SceneStanding],
    regions: Sequence[RankedRegion],
    wanted: Mapping[str, Sequence[str]] | None,
    by: By,
) -> Rates:
    """Ladders and how each differs from each one before it, as a whole and in every region.

    `wanted` are patterns of the candidates' names by ladder; without them names that end in numbers
    tell (`ladders.ladder_of`). Quality is the opinion where the order is `by` that, else the score.
    Raises RankingError as `chosen_ladders` does.
    """
    names = [candidate.name for candidate in candidates]
    if wanted is None:
        members = ladders_by_name(names)
    else:
        called = {c.name: (c.name, *_file_names(c)) for c in candidates}
        members = chosen_ladders(wanted, called)
    size = {c.name: c.bits_per_pixel or 0.0 for c in candidates}
    ladders = tuple(
        Ladder(name=name, candidates=tuple(sorted(steps, key=lambda step: size[step])))
        for name, steps in members.items()
    )
    quality: Quality = "opinion" if by == "opinion" else "score"
    found = [*_compared(ladders, scene, size, None, quality)]
    for region in regions:
        found += _compared(ladders, region.standings, size, region.id, quality)
    return Rates(quality=quality, ladders=ladders, bd_rates=tuple(found))


def curve(
    ladder: Ladder, standings: Standings, size: Mapping[str, float], quality: str
) -> list[tuple[str, Point]]:
    """The steps of a ladder with their rate and quality; those without a quality are left out."""
    nodes = {standing.candidate: standing.node for standing in standings}
    found = []
    for step in ladder.candidates:
        node = nodes.get(step)
        value = None if node is None else getattr(node, quality)
        if value is not None:
            found.append((step, Point(size[step], value)))
    return found


def bits_per_pixel(name: str, size_bytes: int | None, size: tuple[int, int]) -> float:
    """A file's bits by the pixels of a picture of `size` (h, w).

    Raises RankingError for a candidate that is no file.
    """
    if not size_bytes:
        raise RankingError(f"{name}: has no file whose size counts, expected a path or its bytes")
    return 8 * size_bytes / (size[0] * size[1])


def _file_names(candidate: Candidate) -> tuple[str, ...]:
    source = candidate.picture.source
    return () if source is None else (source, source.replace("\\", "/").rpartition("/")[2])


def _compared(
    ladders: Sequence[Ladder],
    standings: Standings,
    size: Mapping[str, float],
    region: int | None,
    quality: str,
) -> Iterator[BdRate]:
    for anchor, test in combinations(ladders, 2):
        curves = [[p for _, p in curve(one, standings, size, quality)] for one in (anchor, test)]
        found = bd_rate(*curves)
        pair = {"region": region, "anchor": anchor.name, "test": test.name}
        if isinstance(found, str):
            named = found.replace("the first ladder", anchor.name)
            yield BdRate(**pair, problem=named.replace("the second ladder", test.name))
        else:
            yield BdRate(
                **pair,
                cubic_percent=round(found.cubic, 4),
                pchip_percent=round(found.pchip, 4),
                overlap=round(found.overlap, DECIMALS),
            )
