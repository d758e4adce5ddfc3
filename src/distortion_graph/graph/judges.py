"""Graphs of the same pictures that people judged: who said what of which region."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from distortion_graph.base.errors import GraphError
from distortion_graph.graph import SIDES, DistortionGraph, ImageInfo, Judgement, RegionComparison

NamedGraph = tuple[str, DistortionGraph]
"""A graph, and what error lines call it."""

Person = str | None
"""A pseudonym; None is the one of whom nobody said who they are."""


@dataclass(frozen=True)
class Said:
    """A region that a person judged, in which graph."""

    where: str
    by: Person
    judgement: Judgement
    region: RegionComparison
    graph: DistortionGraph


@dataclass(frozen=True)
class JudgedPair:
    """Two pictures and what people say of their regions, by id.

    `pictures` are names made of their hashes, in order; graphs of the pair the other way round are
    turned. `turned` is whether the first graph was.
    """

    pictures: tuple[str, str]
    members: tuple[NamedGraph, ...]
    said: Mapping[int, tuple[Said, ...]]
    turned: bool


def judged_pairs(graphs: Sequence[NamedGraph]) -> list[JudgedPair]:
    """The pairs of pictures of judged graphs, one graph per person and pair, in order.

    Raises GraphError for no graphs at all, and for one without judgements, without hashes of its
    pictures, with another vocabulary or another mask of a region than the others, and for a region
    that one person judged twice.
    """
    if not graphs:
        raise GraphError("no graphs, expected at least one that a person has judged")
    pairs: dict[tuple[str, str], list[NamedGraph]] = {}
    turned: dict[tuple[str, str], bool] = {}
    for where, graph in graphs:
        _check(where, graph, graphs[0])
        names = _name_of(where, graph.anchor), _name_of(where, graph.target)
        key, way = (min(names), max(names)), names[0] > names[1]
        turned.setdefault(key, way)
        pairs.setdefault(key, []).append((where, graph.swapped() if way else graph))
    return [
        JudgedPair(key, tuple(members), _by_region(members), turned[key])
        for key, members in pairs.items()
    ]


def groups_of(pairs: Sequence[JudgedPair]) -> dict[str, int]:
    """The number of each picture's group: pairs that share a picture are in one."""
    import networkx as nx

    shared = nx.Graph([pair.pictures for pair in pairs])
    return {name: k for k, part in enumerate(nx.connected_components(shared)) for name in part}


def _check(where: str, graph: DistortionGraph, first: NamedGraph) -> None:
    if not any(region.judged for region in graph.regions):
        raise GraphError(
            f"{where}: no region is judged, expected `judged` in at least one (see docs/judging.md)"
        )
    if graph.vocabulary != first[1].vocabulary:
        raise GraphError(
            f"{where}: another vocabulary than in {first[0]}, expected one for all graphs"
        )


def _name_of(where: str, picture: ImageInfo) -> str:
    if picture.sha256 is None:
        raise GraphError(
            f"{where}: its pictures have no sha256, expected hashes that tell which graphs are of "
            "the same pictures (`compare` writes them)"
        )
    return f"{picture.sha256_of}:{picture.sha256}"


def _by_region(members: Sequence[NamedGraph]) -> dict[int, tuple[Said, ...]]:
    """Of graphs of one pair: what is said of each region; raises GraphError."""
    found: dict[int, list[Said]] = {}
    for where, graph in members:
        for region in graph.regions:
            if region.judged is None:
                continue
            others = found.setdefault(region.id, [])
            new = Said(where, region.judged.by, region.judged, region, graph)
            for old in others:
                _check_two(old, new)
            others.append(new)
    return {region: tuple(said) for region, said in found.items()}


def _check_two(old: Said, new: Said) -> None:
    region = f"region {new.region.id}"
    if old.by == new.by:
        who = f"by {new.by!r:.60}" if new.by is not None else "by nobody named"
        advice = "" if new.by is not None else " (give each person a pseudonym in `by`)"
        raise GraphError(
            f"{new.where}: {region} is judged {who} as in {old.where}, a graph of the same "
            f"pictures; expected one judgement per person{advice}"
        )
    for side in SIDES:
        shapes = [(r.mask_of(side), r.bbox_of(side)) for r in (old.region, new.region)]
        if shapes[0] != shapes[1]:
            raise GraphError(
                f"{new.where}: {region} covers other pixels than in {old.where}, a graph of the "
                "same pictures; expected the same regions"
            )
