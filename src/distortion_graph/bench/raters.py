"""What people and the model say of the same regions, out of judged graphs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np

from distortion_graph.base.vocabulary import Vocabulary
from distortion_graph.bench.answers import Numbers
from distortion_graph.graph import SIDES, DistortionGraph, Judgement, RegionComparison
from distortion_graph.graph.judges import NamedGraph, Person, Said, groups_of, judged_pairs

KINDS = ("distortion", "severity", "comparison")
"""What people judge."""


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

    A pair that one person saw the other way round is turned. Raises GraphError as `judged_pairs`.
    """
    pairs = judged_pairs(graphs)
    vocabulary = graphs[0][1].vocabulary
    group_of = groups_of(pairs)
    ratings: dict[tuple[Rater, Rater], Ratings] = {}
    regions = 0
    for pair in pairs:
        judged = pair.said
        regions += len(judged)
        for people in judged.values():
            for raters, first, second in _couples(people):
                rows = ratings.setdefault(raters, Ratings()).rows
                for kind, x, y in _common(first, second, vocabulary):
                    rows[kind].append((group_of[pair.pictures[0]], x, y))
    groups = len(set(group_of.values()))
    return RatedGraphs(vocabulary, len(graphs), len(pairs), groups, regions, ratings)


def _model_of(graph: DistortionGraph) -> str:
    if graph.model is None:
        return "the graph"
    return " ".join(filter(None, (graph.model.name, graph.model.version)))


def _couples(people: Sequence[Said]) -> Iterator[tuple[tuple[Rater, Rater], Judgement, Judgement]]:
    """Each person beside their graph's model, and beside each other."""
    for one in people:
        yield (
            (_rater(one.by), Rater(True, _model_of(one.graph))),
            one.judgement,
            _of_model(one.region),
        )
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
