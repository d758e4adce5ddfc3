"""What people and the model say of the same regions, out of judged graphs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import networkx as nx
import numpy as np

from distortion_graph.base.errors import GraphError
from distortion_graph.base.vocabulary import Vocabulary
from distortion_graph.bench.answers import Numbers
from distortion_graph.graph import SIDES, DistortionGraph, ImageInfo, Judgement, RegionComparison

KINDS = ("distortion", "severity", "comparison")
"""What people judge."""

NamedGraph = tuple[str, DistortionGraph]
"""A graph, and what error lines call it."""

Person = str | None
"""A pseudonym; None is the one of whom nobody said who they are."""


@dataclass(frozen=True, order=True)
class Rater:
    """Someone who gives labels: a person, or a model."""

    is_model: bool
    name: str


@dataclass
class Ratings:
    """What two raters gave to the same things: per kind, rows (picture group, first, second).

    Labels are positions on the vocabulary's scale.
    """

    rows: dict[str, list[tuple[int, int, int]]] = field(
        default_factory=lambda: {kind: [] for kind in KINDS}
    )

    def counts(self, kind: str, groups: int, labels: int) -> Numbers:
        """(G, L, L) how often each pair of labels was given in each group of pictures."""
        table = np.zeros((groups, labels, labels))
        if self.rows[kind]:
            np.add.at(table, tuple(np.array(self.rows[kind]).T), 1)
        return table


@dataclass(frozen=True)
class RatedGraphs:
    """All ratings of some graphs, by the two raters who gave them, people before models.

    `groups` is the number of groups of pictures: pairs that share a picture are in one.
    """

    vocabulary: Vocabulary
    graphs: int
    pairs: int
    groups: int
    regions: int
    ratings: dict[tuple[Rater, Rater], Ratings]


def rated_graphs(graphs: Sequence[NamedGraph]) -> RatedGraphs:
    """What the judgements in graphs, one per person and pair of pictures, say beside the others.

    A pair that one person saw the other way round is turned. Raises GraphError for no graphs at
    all, and for one without judgements, without hashes of its pictures, with another vocabulary or
    another mask of a region than the others, and for a region that one person judged twice.
    """
    if not graphs:
        raise GraphError("no graphs, expected at least one that a person has judged")
    vocabulary = graphs[0][1].vocabulary
    pairs: dict[tuple[str, str], list[NamedGraph]] = {}
    for where, graph in graphs:
        _check(where, graph, graphs[0])
        names = _name_of(where, graph.anchor), _name_of(where, graph.target)
        turned = graph if names[0] <= names[1] else graph.swapped()
        pairs.setdefault((min(names), max(names)), []).append((where, turned))
    shared = nx.Graph(pairs.keys())
    group_of = {p: k for k, part in enumerate(nx.connected_components(shared)) for p in part}
    ratings: dict[tuple[Rater, Rater], Ratings] = {}
    regions = 0
    for pictures, members in pairs.items():
        judged = _by_region(members)
        regions += len(judged)
        for people in judged.values():
            for raters, first, second in _couples(people):
                rows = ratings.setdefault(raters, Ratings()).rows
                for kind, x, y in _common(first, second, vocabulary):
                    rows[kind].append((group_of[pictures[0]], x, y))
    groups = len(set(group_of.values()))
    return RatedGraphs(vocabulary, len(graphs), len(pairs), groups, regions, ratings)


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


@dataclass(frozen=True)
class _Said:
    """A region that a person judged, in which graph."""

    where: str
    by: Person
    judgement: Judgement
    region: RegionComparison
    model: str


def _by_region(members: Sequence[NamedGraph]) -> dict[int, list[_Said]]:
    """Of graphs of one pair: what is said of each region; raises GraphError."""
    found: dict[int, list[_Said]] = {}
    for where, graph in members:
        for region in graph.regions:
            if region.judged is None:
                continue
            others = found.setdefault(region.id, [])
            new = _Said(where, region.judged.by, region.judged, region, _model_of(graph))
            for old in others:
                _check_two(old, new)
            others.append(new)
    return found


def _check_two(old: _Said, new: _Said) -> None:
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


def _model_of(graph: DistortionGraph) -> str:
    if graph.model is None:
        return "the graph"
    return " ".join(filter(None, (graph.model.name, graph.model.version)))


def _couples(people: Sequence[_Said]) -> Iterator[tuple[tuple[Rater, Rater], Judgement, Judgement]]:
    """Each person beside their graph's model, and beside each other."""
    for one in people:
        yield (_rater(one.by), Rater(True, one.model)), one.judgement, _of_model(one.region)
    for one, other in combinations(sorted(people, key=lambda said: _rater(said.by)), 2):
        yield (_rater(one.by), _rater(other.by)), one.judgement, other.judgement


def _rater(by: Person) -> Rater:
    return Rater(False, "nobody named" if by is None else by)


def _of_model(region: RegionComparison) -> Judgement:
    """The model's answer in the form of a judgement."""
    value = {
        side: {kind: getattr(region.node(side), kind).label for kind in KINDS[:2]} for side in SIDES
    }
    return Judgement.model_validate(value | {"comparison": region.comparison.label})


def _common(
    first: Judgement, second: Judgement, vocabulary: Vocabulary
) -> Iterator[tuple[str, int, int]]:
    """What both judged: the kind and the two positions on its scale."""
    index = {
        "distortion": vocabulary.distortion_index,
        "severity": vocabulary.severity_index,
        "comparison": vocabulary.comparison_index,
    }
    for part in (*SIDES, None):
        for kind in KINDS[:2] if part else KINDS[2:]:
            x, y = (getattr(getattr(j, part) if part else j, kind) for j in (first, second))
            if x is not None and y is not None:
                yield kind, index[kind](x), index[kind](y)
