"""The headline figures under weights for the pictures: what bootstrap and permutation tests ask.

Drawing pictures anew with replacement is giving each a whole weight: how often it was drawn. So the
regions are counted once, and a thousand draws are one matrix of weights (draws, pictures).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.vocabulary import Vocabulary
from distortion_graph.bench.answers import Answers, Numbers, Positions, Truth
from distortion_graph.bench.metrics import MISSED

FIGURES = (
    "distortion.accuracy",
    "distortion.f1",
    "severity.accuracy",
    "severity.f1",
    "comparison.accuracy",
    "comparison.f1",
    "score.srcc",
    "score.plcc",
)
"""What intervals are given for; nodes' and scores' are the mean of anchor and target."""

HEADLINES = ("distortion.accuracy", "severity.accuracy", "comparison.accuracy", "score.srcc")
"""The four figures that runs are compared by."""

DRAWS = 1000
LARGEST_BLOCK = 4_000_000

Interval = tuple[float, float]


@dataclass(frozen=True, eq=False)
class WeightedFigures:
    """The figures of answers as functions of the pictures' weights.

    `under(weights)` takes (B, G) weights of G pictures and gives each figure as (B,).
    """

    pictures: int
    labels: dict[str, tuple[_LabelCounts, ...]]
    scores: tuple[WeightedScores, ...]

    @classmethod
    def of(cls, truth: Truth, answers: Answers, vocabulary: Vocabulary) -> WeightedFigures:
        """Of one run."""
        return cls._of_rows(truth, answers, truth.picture, len(truth.pictures), vocabulary)

    @classmethod
    def of_two(
        cls, truth: Truth, first: Answers, second: Answers, vocabulary: Vocabulary
    ) -> WeightedFigures:
        """Of a mixture of two runs over the same truth.

        The weights are (B, 2 G): of a picture's regions as the first run answers them, then as
        the second does.
        """
        count = len(truth.pictures)
        doubled = Truth(
            truth.keys,
            *(
                np.concatenate([getattr(truth, name)] * 2, -1)
                for name in ("pair", "region", "distortion", "severity", "comparison", "score")
            ),
        )
        groups = np.concatenate([truth.picture, truth.picture + count])
        answers = Answers.joined([first, second])
        return cls._of_rows(doubled, answers, groups, 2 * count, vocabulary)

    @classmethod
    def _of_rows(
        cls,
        truth: Truth,
        answers: Answers,
        groups: Positions,
        count: int,
        vocabulary: Vocabulary,
    ) -> WeightedFigures:
        sizes = {
            "distortion": len(vocabulary.distortions),
            "severity": len(vocabulary.severities),
            "comparison": len(vocabulary.comparisons),
        }
        labels = {
            what: tuple(
                _LabelCounts.of(groups, count, t, p, size)
                for t, p in zip(
                    np.atleast_2d(getattr(truth, what)),
                    np.atleast_2d(getattr(answers, what)),
                    strict=True,
                )
            )
            for what, size in sizes.items()
        }
        scores = tuple(
            WeightedScores.of(groups, count, t, p)
            for t, p in zip(truth.score, answers.score, strict=True)
        )
        return cls(count, labels, scores)

    def under(self, weights: NDArray[np.floating]) -> dict[str, Numbers]:
        """Every figure of `FIGURES`, (B,) each, NaN where it is not defined."""
        numbers: dict[str, Numbers] = {}
        for what, sides in self.labels.items():
            pairs = [side.under(weights) for side in sides]
            numbers[f"{what}.accuracy"] = np.mean([accuracy for accuracy, _ in pairs], 0)
            numbers[f"{what}.f1"] = np.mean([f1 for _, f1 in pairs], 0)
        srcc, plcc = np.mean([side.under(weights) for side in self.scores], 0)
        return numbers | {"score.srcc": srcc, "score.plcc": plcc}


@dataclass(frozen=True, eq=False)
class _LabelCounts:
    """Of each picture (G, L): hits, given and true labels; (G,) its regions."""

    hits: Numbers
    given: Numbers
    true: Numbers
    regions: Numbers

    @classmethod
    def of(
        cls, groups: Positions, count: int, truth: Positions, predicted: Positions, labels: int
    ) -> _LabelCounts:
        said = truth != MISSED
        groups, truth, predicted = groups[said], truth[said], predicted[said]

        def counted(rows: NDArray[np.bool_], label: Positions) -> Numbers:
            cells = np.bincount(groups[rows] * labels + label[rows], minlength=count * labels)
            return cells.reshape(count, labels).astype(np.float64)

        return cls(
            counted(truth == predicted, truth),
            counted(predicted != MISSED, predicted),
            counted(np.ones(len(truth), bool), truth),
            np.bincount(groups, minlength=count).astype(np.float64),
        )

    def under(self, weights: NDArray[np.floating]) -> tuple[Numbers, Numbers]:
        """Accuracy and macro F1, (B,) each."""
        hits, either = weights @ self.hits, weights @ (self.given + self.true)
        present = either > 0
        with np.errstate(invalid="ignore"):
            accuracy = hits.sum(1) / (weights @ self.regions)
            f1 = np.where(present, 2 * hits / np.where(present, either, 1), 0).sum(1)
            return accuracy, f1 / present.sum(1)


@dataclass(frozen=True, eq=False)
class WeightedScores:
    """Correlations of true and given scores as functions of the weights of G pictures.

    N regions have a score; equal values share a place in their order (N,). Of each picture: sums
    (G, 6) of 1, x, y, x², y² and xy of true and given scores less their means, and the least and
    largest of both (2, G).
    """

    groups: Positions
    truth_place: Positions
    predicted_place: Positions
    sums: Numbers
    least: Numbers
    largest: Numbers

    @classmethod
    def of(
        cls, groups: Positions, count: int, truth: Numbers, predicted: Numbers
    ) -> WeightedScores:
        """Of (N,) scores, NaN where none is given; `groups` (N,) are positions of the pictures."""
        known = np.flatnonzero(~np.isnan(predicted) & ~np.isnan(truth))
        known = known[np.argsort(truth[known], kind="stable")]  # so that one order is memory's own
        groups, x, y = groups[known], truth[known], predicted[known]
        x_place, y_place = (np.unique(v, return_inverse=True)[1] for v in (x, y))
        least, largest = np.full((2, count), np.inf), np.full((2, count), -np.inf)
        for side, values in enumerate((x, y)):
            np.minimum.at(least[side], groups, values)
            np.maximum.at(largest[side], groups, values)
        x, y = (v - v.mean() if len(v) else v for v in (x, y))
        terms = (np.ones(len(x)), x, y, x * x, y * y, x * y)
        sums = np.stack([np.bincount(groups, t, count) for t in terms], 1).astype(np.float64)
        return cls(groups, x_place, y_place, sums, least, largest)

    def under(self, weights: NDArray[np.floating]) -> tuple[Numbers, Numbers]:
        """SRCC and PLCC, (B,) each."""
        spearman = np.array([self._spearman(row[self.groups]) for row in weights])
        return spearman, self._pearson(weights)

    def _spearman(self, w: Numbers) -> float:
        """Of the mean ranks among w copies of every region, (N,), ties sharing theirs."""
        # Sums and einsum rather than products by BLAS, whose threads wait for each other here.
        middle = (w.sum() + 1) / 2
        ranks, spread = [], 1.0
        for place in (self.truth_place, self.predicted_place):
            mass = np.bincount(place, w)
            rank = np.cumsum(mass) - (mass - 1) / 2 - middle
            spread *= float((mass * rank * rank).sum())
            ranks.append(rank[place])
        return float(np.einsum("i,i,i->", w, *ranks)) / spread**0.5 if spread else float("nan")

    def _pearson(self, weights: NDArray[np.floating]) -> Numbers:
        n, x, y, xx, yy, xy = (weights @ self.sums).T
        # Asked of the values themselves: rounding need not leave a constant without variance.
        there = weights > 0
        varied = np.ones(len(weights), bool)
        for least, largest in zip(self.least, self.largest, strict=True):
            low = np.where(there, least, np.inf).min(1, initial=np.inf)
            varied &= np.where(there, largest, -np.inf).max(1, initial=-np.inf) > low
        with np.errstate(invalid="ignore", divide="ignore"):
            spread = (xx - x * x / n) * (yy - y * y / n)
            correlation = (xy - x * y / n) / np.sqrt(spread)
        return np.where(varied & (spread > 0), correlation, np.nan)


def bootstrap_weights(
    pictures: int, *, seed: int, draws: int = DRAWS, largest_block: int = LARGEST_BLOCK
) -> Iterator[Numbers]:
    """Blocks (B, G) of how often each picture is drawn when G are drawn anew; B sums to `draws`.

    A block has at most `largest_block` numbers, or one row; the draws do not depend on it.
    """
    rng = np.random.default_rng(seed)
    block = max(1, largest_block // max(pictures, 1))
    for start in range(0, draws, block):
        rows = min(block, draws - start)
        picks = rng.integers(pictures, size=(rows, pictures))
        picks += np.arange(rows)[:, None] * pictures
        counts = np.bincount(picks.ravel(), minlength=rows * pictures)
        yield counts.reshape(rows, pictures).astype(np.float64)


def bootstrap_intervals(
    figures: WeightedFigures, *, seed: int = 0, draws: int = DRAWS
) -> dict[str, Interval | None]:
    """95 % percentile intervals over pictures; None with fewer than two, or where undefined."""
    if figures.pictures < 2:
        return dict.fromkeys(FIGURES)
    blocks = [figures.under(w) for w in bootstrap_weights(figures.pictures, seed=seed, draws=draws)]
    return {
        name: percentile_interval(np.concatenate([b[name] for b in blocks])) for name in FIGURES
    }


def percentile_interval(values: Numbers) -> Interval | None:
    """2.5 and 97.5 % of the defined values; None where most are not."""
    known = values[~np.isnan(values)]
    if 2 * len(known) < len(values) or not len(known):
        return None
    low, high = np.percentile(known, [2.5, 97.5])
    return float(low), float(high)
