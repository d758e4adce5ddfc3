"""Rows to measure a model by: what chance, the commonest answer and a perfect metric reach."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.vocabulary import Vocabulary
from distortion_graph.bench.answers import Answers, Numbers, Positions, Truth
from distortion_graph.bench.metrics import MISSED
from distortion_graph.graph.truth import compare_positions
from distortion_graph.synth.keys import generator

Baseline = Callable[[Truth, Vocabulary, int], Answers]


def random_answers(truth: Truth, vocabulary: Vocabulary, seed: int) -> Answers:
    """Uniform labels and scores, drawn from the key (seed, versions, tag, region id)."""
    sizes = (len(vocabulary.distortions), len(vocabulary.severities), len(vocabulary.comparisons))
    answers = Answers.none(len(truth))
    for k, (pair, region) in enumerate(
        zip(truth.pair.tolist(), truth.region.tolist(), strict=True)
    ):
        rng = generator(seed, "random answer", *truth.keys[pair], region)
        answers.distortion[:, k] = rng.integers(sizes[0], size=2)
        answers.severity[:, k] = rng.integers(sizes[1], size=2)
        answers.comparison[k] = rng.integers(sizes[2])
        answers.score[:, k] = rng.random(2)
    answers.distortion_confidence[:] = 1 / sizes[0]
    answers.severity_confidence[:] = 1 / sizes[1]
    answers.comparison_confidence[:] = 1 / sizes[2]
    return answers


def majority_answers(truth: Truth, vocabulary: Vocabulary, seed: int) -> Answers:
    """The commonest labels of anchor and target together (the earlier on a tie), the mean score."""
    answers = Answers.none(len(truth))
    if len(truth):
        answers.distortion[:] = _commonest(truth.distortion)
        answers.severity[:] = _commonest(truth.severity)
        answers.comparison[:] = _commonest(truth.comparison)
        known = truth.score[~np.isnan(truth.score)]
        answers.score[:] = known.mean() if len(known) else np.nan
    return answers


def metric_oracle(truth: Truth, vocabulary: Vocabulary, seed: int) -> Answers:
    """What follows from the measured scores alone: the ceiling of a model that only knows quality.

    The scores themselves; the comparison by the vocabulary's rule; the severity by the thresholds
    on the score that fit these very regions best; the distortion clean where the score is 1, else
    the commonest type of such regions.
    """
    answers = Answers.none(len(truth))
    if not len(truth) or np.isnan(truth.score).any():  # people judged: nothing was measured
        return answers
    answers.score[:] = truth.score
    answers.comparison[:] = compare_positions(truth.score[0], truth.score[1], vocabulary)
    fitted = best_steps(truth.score.ravel(), truth.severity.ravel(), len(vocabulary.severities))
    answers.severity[:] = fitted.reshape(2, -1)
    flawed = truth.score < 1
    types = truth.distortion[flawed & (truth.distortion != vocabulary.clean_index)]
    guess = _commonest(types) if types.size else vocabulary.clean_index
    answers.distortion[:] = np.where(flawed, guess, vocabulary.clean_index)
    return answers


BASELINES: Mapping[str, Baseline] = MappingProxyType(
    {"random": random_answers, "majority": majority_answers, "metric oracle": metric_oracle}
)
"""Rows of a table by name; a baseline makes its answers from the truth and a seed."""


def best_steps(score: Numbers, severity: Positions, steps: int) -> Positions:
    """The severity of every score by the thresholds that get most of them right, (N,).

    Severity falls as the score rises; equal scores get one severity. Exact, by dynamic programming
    over the sorted scores: the best of each prefix that ends in a given step.
    """
    values, place = np.unique(-score, return_inverse=True)  # best score first
    right = np.zeros((len(values), steps), np.int64)
    np.add.at(right, (place, severity), 1)
    best = np.zeros((len(values), steps), np.int64)
    came_from = np.zeros((len(values), steps), np.int64)
    before: NDArray[np.int64] = np.zeros(steps, np.int64)
    for k in range(len(values)):
        # The step before is this one or a milder one; the mildest on a tie.
        came_from[k] = [int(np.argmax(before[: step + 1])) for step in range(steps)]
        best[k] = before[came_from[k]] + right[k]
        before = best[k]
    chosen = np.zeros(len(values), np.int64)
    step = int(np.argmax(best[-1]))
    for k in range(len(values) - 1, -1, -1):
        chosen[k] = step
        step = int(came_from[k, step])
    return chosen[place]


def _commonest(labels: Positions) -> int:
    """The commonest label that was said; none where none was."""
    said = labels[labels != MISSED]
    return int(np.argmax(np.bincount(said))) if len(said) else MISSED
