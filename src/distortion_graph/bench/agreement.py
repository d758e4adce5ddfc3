"""How far people agree with the model and with each other about the same regions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from distortion_graph.base.counting import counted
from distortion_graph.base.vocabulary import Vocabulary
from distortion_graph.bench.answers import Numbers
from distortion_graph.bench.figures import Part
from distortion_graph.bench.metrics import cohens_kappa
from distortion_graph.bench.raters import KINDS, Ratings, rated_graphs
from distortion_graph.bench.resampling import (
    DRAWS,
    Interval,
    bootstrap_weights,
    percentile_interval,
)
from distortion_graph.bench.tables import Cell, ResultTable, Section, shown
from distortion_graph.graph.judges import NamedGraph

PEOPLE = "people"
"""Stands for all people together."""


class KappaFigure(Part):
    """Agreement on one kind of label.

    `kappa` is Cohen's, weighted by the square of the steps for severity and comparison; null where
    it is not defined: nothing in common, or one and the same single label. `interval` is 95 %, by
    bootstrap over pictures; null for one group of pictures. `equal` is the share of equal labels,
    `items` their number, anchor and target counted separately.
    """

    kappa: float | None
    interval: Interval | None
    equal: float | None
    items: int


class RaterAgreement(Part):
    """Of two raters: people, or a person and a model.

    "people" beside a model are all together. "people" twice is the mean over every two people
    (Light 1971).
    """

    first: str
    second: str
    model: bool
    distortion: KappaFigure
    severity: KappaFigure
    comparison: KappaFigure


class AgreementResult(Part):
    """All of `agreement`: how much was judged, and every two raters.

    `groups` are what intervals are drawn over: pairs that share a picture are in one.
    """

    graphs: int
    pairs: int
    groups: int
    regions: int
    seed: int
    draws: int
    raters: tuple[RaterAgreement, ...]


def rater_agreement(
    graphs: Sequence[NamedGraph], *, seed: int = 0, draws: int = DRAWS
) -> AgreementResult:
    """The agreement of people with the model and with each other in judged graphs.

    `graphs` are graphs and what to call them in errors; one per person and pair of pictures. Raises
    GraphError as `raters.rated_graphs` does.
    """
    rated = rated_graphs(graphs)

    def row(first: str, second: str, model: bool, parts: Sequence[Ratings]) -> RaterAgreement:
        figures = {
            kind: _figure(
                np.stack(
                    [p.counts(kind, rated.groups, _labels(kind, rated.vocabulary)) for p in parts]
                ),
                ordered=kind != KINDS[0],
                seed=seed,
                draws=draws,
            )
            for kind in KINDS
        }
        return RaterAgreement(first=first, second=second, model=model, **figures)

    with_model: dict[str, dict[str, Ratings]] = {}
    between: dict[tuple[str, str], Ratings] = {}
    for (first, second), ratings in sorted(rated.ratings.items()):
        if second.is_model:
            with_model.setdefault(second.name, {})[first.name] = ratings
        else:
            between[first.name, second.name] = ratings
    rows = []
    for model, people in with_model.items():
        if len(people) > 1:
            rows.append(row(PEOPLE, model, True, [_together(list(people.values()))]))
        rows += [row(name, model, True, [ratings]) for name, ratings in people.items()]
    if len(between) > 1:
        rows.append(row(PEOPLE, PEOPLE, False, list(between.values())))
    rows += [row(*names, False, [ratings]) for names, ratings in between.items()]
    return AgreementResult(
        graphs=rated.graphs,
        pairs=rated.pairs,
        groups=rated.groups,
        regions=rated.regions,
        seed=seed,
        draws=draws,
        raters=tuple(rows),
    )


def _labels(kind: str, vocabulary: Vocabulary) -> int:
    scales = (vocabulary.distortions, vocabulary.severities, vocabulary.comparisons)
    return len(scales[KINDS.index(kind)])


def _together(parts: Sequence[Ratings]) -> Ratings:
    return Ratings({kind: [row for part in parts for row in part.rows[kind]] for kind in KINDS})


def _figure(counts: Numbers, *, ordered: bool, seed: int, draws: int) -> KappaFigure:
    """Of (K, G, L, L) counts of K couples of raters in G groups: the mean of their kappas."""
    groups = counts.shape[1]

    def under(weights: Numbers) -> Numbers:
        drawn = np.einsum("bg,kgij->bkij", weights, counts, optimize=True)
        return _mean_known(cohens_kappa(drawn, ordered=ordered))

    total = counts.sum((0, 1))
    items = int(total.sum())
    kappa = float(under(np.ones((1, groups)))[0])
    blocks = bootstrap_weights(groups, seed=seed, draws=draws) if groups > 1 and draws else ()
    values = [under(weights) for weights in blocks]
    known = not np.isnan(kappa) and bool(values)
    return KappaFigure(
        kappa=None if np.isnan(kappa) else kappa,
        interval=percentile_interval(np.concatenate(values)) if known else None,
        equal=float(np.trace(total)) / items if items else None,
        items=items,
    )


def _mean_known(values: Numbers) -> Numbers:
    """(B,) mean of the defined ones of (B, K), NaN where there is none."""
    known = ~np.isnan(values)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(known, values, 0).sum(1) / known.sum(1), np.float64)


def agreement_table(result: AgreementResult) -> ResultTable:
    """Kappas of every two raters, those with a model first."""

    def cells(row: RaterAgreement) -> tuple[Cell, ...]:
        figures = [getattr(row, kind) for kind in KINDS]
        return (
            Cell(f"{row.first} – {row.second}"),
            *(
                cell
                for f in figures
                for cell in (Cell(shown(f.kappa), f.interval), Cell(str(f.items)))
            ),
        )

    titles = {True: "people and model", False: "between people"}
    sections = tuple(
        Section(title, tuple(cells(row) for row in result.raters if row.model is model))
        for model, title in titles.items()
        if any(row.model is model for row in result.raters)
    )
    size = (
        f"{counted(result.regions, 'judged region')} of {counted(result.pairs, 'pair')} of pictures"
    )
    interval = (
        f"Intervals: 95 %, bootstrap over {result.groups} groups of pictures"
        if result.groups > 1 and result.draws
        else "No intervals: all pairs share their pictures, or no draws"
    )
    return ResultTable(
        "Agreement (kappa)",
        ("raters", "distortion", "n", "severity", "n", "comparison", "n"),
        sections,
        section_title="agreement",
        notes=(
            f"{size}. {interval}; pairs that share a picture are in one group.",
            "1 is full agreement, 0 that of chance. Severity and comparison: weighted by the "
            "square of the steps. n: labels that both gave, anchor and target counted separately.",
        ),
    )
