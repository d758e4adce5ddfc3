"""How a model comes by its answers: does it reason or copy, favour a place, repeat itself?

All figures are of answers as arrays (`bench.answers`), so they hold for answers from anywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.vocabulary import Vocabulary
from distortion_graph.bench.answers import Answers, Truth
from distortion_graph.bench.figures import Part
from distortion_graph.bench.metrics import MISSED

FIELDS = ("distortion", "severity", "comparison")
"""What a hint suggests; distortion and severity count anchor and target nodes alike."""

NEAR_DUPLICATE = 0.9
"""The share of equal labels from which two answers are near-duplicates."""

FEWEST_REGIONS = 3
"""Answers with fewer regions are alike by chance too often to tell anything."""


class CopyFigures(Part):
    """What a model made of a hint for one kind of label, over what it answered and was hinted at.

    `agreement` is the share of answers equal to the hint, `agreement_unseen` the same of the
    answers the model gave without the hint; what is above that is copied. `hint_accuracy` is the
    hint's own. `kept_right` is the accuracy where the hint is right, `accuracy_where_wrong` where
    it is wrong. `override_rate` is the share of answers that differ from the hint,
    `override_precision` the share of those that are right. Null where nothing is counted.
    """

    answered: int
    agreement: float | None
    agreement_unseen: float | None
    accuracy: float | None
    hint_accuracy: float | None
    kept_right: float | None
    accuracy_where_wrong: float | None
    override_rate: float | None
    override_precision: float | None


def copy_figures(
    truth: Truth, hint: Answers, said: Answers, unseen: Answers | None = None
) -> dict[str, CopyFigures]:
    """By field of `FIELDS`; `unseen` are the same model's answers without the hint."""
    figures = {}
    for name in FIELDS:
        true, given, answered = (np.ravel(getattr(t, name)) for t in (truth, hint, said))
        blind = None if unseen is None else np.ravel(getattr(unseen, name))
        figures[name] = _copy_figures(true, given, answered, blind)
    return figures


def _copy_figures(
    truth: NDArray[np.int64],
    hint: NDArray[np.int64],
    said: NDArray[np.int64],
    unseen: NDArray[np.int64] | None,
) -> CopyFigures:
    rows = (said != MISSED) & (hint != MISSED)
    right, agrees, hint_right = said == truth, said == hint, hint == truth
    blind = None
    if unseen is not None:
        blind = share(unseen == hint, (unseen != MISSED) & (hint != MISSED))
    return CopyFigures(
        answered=int(rows.sum()),
        agreement=share(agrees, rows),
        agreement_unseen=blind,
        accuracy=share(right, rows),
        hint_accuracy=share(hint_right, rows),
        kept_right=share(right, rows & hint_right),
        accuracy_where_wrong=share(right, rows & ~hint_right),
        override_rate=share(~agrees, rows),
        override_precision=share(right, rows & ~agrees),
    )


def share(hits: NDArray[np.bool_], rows: NDArray[np.bool_]) -> float | None:
    """The share of `rows` (N,) that are `hits` (N,); None where there is no row."""
    return float(hits[rows].mean()) if rows.any() else None


class OrderFigures(Part):
    """What the order in which pictures are shown does to comparisons.

    `first_better` and `second_better` are the shares of answers that call the picture shown first
    or second the better one, `bias` their difference. Where every pair is asked in both orders it
    is 0 if the order does not matter; in one order, it is then about the truth's. With both orders
    asked, `consistency` is the share of regions whose comparison is the same in both.
    """

    answered: int
    first_better: float | None
    second_better: float | None
    bias: float | None
    consistency: float | None


def order_figures(
    comparison: NDArray[np.int64],
    swapped: NDArray[np.bool_],
    other: NDArray[np.int64] | None,
    vocabulary: Vocabulary,
) -> OrderFigures:
    """Of N regions' comparisons as positions, anchor against target, `MISSED` where none.

    Args:
        comparison: (N,) of the order that counts.
        swapped: (N,) whether the target was shown first.
        other: (N,) of the other order, turned round to the pair's own; None where not asked.
        vocabulary: whose comparisons these are.
    """
    answered = comparison != MISSED
    first = _rank_of_first(comparison, swapped, vocabulary)[answered]
    consistency = None
    if other is not None:
        both = answered & (other != MISSED)
        consistency = share(comparison == other, both)
        turned = _rank_of_first(other, ~swapped, vocabulary)
        first = np.concatenate([first, turned[other != MISSED]])
    better, worse = (None, None) if not len(first) else (np.mean(first > 0), np.mean(first < 0))
    return OrderFigures(
        answered=len(first),
        first_better=None if better is None else float(better),
        second_better=None if worse is None else float(worse),
        bias=None if better is None or worse is None else float(better - worse),
        consistency=consistency,
    )


def _rank_of_first(
    comparison: NDArray[np.int64], swapped: NDArray[np.bool_], vocabulary: Vocabulary
) -> NDArray[np.int64]:
    rank = comparison - vocabulary.neutral_index
    return np.where(swapped, -rank, rank)


@dataclass(frozen=True, eq=False)
class _Said:
    """One pair's labels, a row per region, and the picture they are of."""

    picture: str
    labels: NDArray[np.int64]


def template_rate(truth: Truth, said: Answers) -> float | None:
    """The share of answers that another picture's pair got too, or nearly.

    Two answers are near-duplicates where they have equally many regions, at least
    `FEWEST_REGIONS`, and at least `NEAR_DUPLICATE` of their labels are the same, region by region.
    Null where no two answers can be compared. The truth has such a rate of its own: see
    `truth_as_answers`.
    """
    groups: dict[int, list[_Said]] = {}
    for number, key in enumerate(truth.keys):
        rows = (truth.pair == number) & said.answered
        labels = np.concatenate([said.distortion, said.severity, said.comparison[None]])[:, rows].T
        if len(labels) >= FEWEST_REGIONS:
            groups.setdefault(len(labels), []).append(_Said(key.tag, labels))
    compared = repeated = 0
    for group in groups.values():
        repeats = _repeated(group)
        compared += len(repeats)
        repeated += sum(repeats)
    return repeated / compared if compared else None


def _repeated(group: Sequence[_Said]) -> list[bool]:
    """For each answer that can be compared, whether another picture's is nearly the same."""
    labels = np.stack([said.labels.ravel() for said in group])
    pictures = np.array([said.picture for said in group])
    repeats = []
    for k, own in enumerate(labels):
        others = pictures != pictures[k]
        if others.any():
            alike = (labels[others] == own).mean(1)
            repeats.append(bool(alike.max() >= NEAR_DUPLICATE))
    return repeats


def truth_as_answers(truth: Truth) -> Answers:
    """The truth as if someone had said it: what a perfect model would be measured as."""
    nothing = Answers.none(len(truth))
    return Answers(
        truth.distortion,
        truth.severity,
        truth.comparison,
        truth.score,
        nothing.distortion_confidence,
        nothing.severity_confidence,
        nothing.comparison_confidence,
    )
