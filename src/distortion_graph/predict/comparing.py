"""Which comparison two scores are: the label, and how sure it is.

Pure and exact: exchanging the images mirrors the answer to the last bit, so every choice here
either is independent of order or breaks ties by a rule that mirrors itself.
"""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.vocabulary import Vocabulary
from distortion_graph.graph.truth import compare_positions

_SPREADS = np.geomspace(0.005, 0.5, 93)
"""Spreads among which `implied_spread` chooses: each is 5 % above the one before it."""

_LEAST = 1e-12


def choose_comparisons(
    probabilities: NDArray[np.float64], margins: NDArray[np.float64], vocabulary: Vocabulary
) -> NDArray[np.int64]:
    """The most probable comparison that does not oppose the margin; nearer the neutral on a tie.

    Where |margin| reaches the first threshold, ranks of the other sign are out of the question.
    Ranks k and −k in a tie give the neutral label: any other choice would favour one image.

    Args:
        probabilities: (R, C), in the order of the vocabulary.
        margins: (R,) score of the anchor − score of the target.
        vocabulary: of C comparisons.

    Returns:
        (R,) positions.
    """
    ranks = np.array([level.rank for level in vocabulary.comparisons])
    signs = np.where(np.abs(margins) < vocabulary.thresholds[0], 0, np.sign(margins))
    allowed = np.where(ranks * signs[:, None] >= 0, probabilities, -1.0)
    tied = allowed == allowed.max(-1, keepdims=True)
    away = np.where(tied, np.abs(ranks), len(ranks))
    winners = away == away.min(-1, keepdims=True)
    chosen = np.where(winners.sum(-1) == 1, winners.argmax(-1), vocabulary.neutral_index)
    return chosen.astype(np.int64)


def comparisons_by_margin(scores: NDArray[np.float64], vocabulary: Vocabulary) -> NDArray[np.int64]:
    """The comparison that the vocabulary's thresholds make of the scores (2, R): positions (R,)."""
    return compare_positions(scores[0], scores[1], vocabulary)


def margin_masses(
    margins: NDArray[np.float64], spreads: NDArray[np.float64], vocabulary: Vocabulary
) -> NDArray[np.float64]:
    """Probability of every comparison where the true margin is normally distributed.

    Args:
        margins: (R,) expected score of the anchor − that of the target.
        spreads: (R,) standard deviations; where one is 0, the margin is certain.
        vocabulary: of C comparisons, whose thresholds divide the line.

    Returns:
        (R, C), each row the mass of N(margin, spread²) between the thresholds; the rows of −margin
        are those of margin turned round, to the bit.
    """
    masses = np.zeros((len(margins), len(vocabulary.comparisons)))
    for row, (margin, spread) in enumerate(zip(margins.tolist(), spreads.tolist(), strict=True)):
        masses[row] = _masses(abs(margin), spread, vocabulary)
        if margin < 0:
            masses[row] = masses[row, ::-1].copy()
        elif margin == 0:
            masses[row] = (masses[row] + masses[row, ::-1]) / 2
    return masses


def implied_spreads(
    margins: NDArray[np.float64], probabilities: NDArray[np.float64], vocabulary: Vocabulary
) -> NDArray[np.float64]:
    """How unsure of its margins a model is, by the probabilities that it gives its comparisons.

    Of `_SPREADS` the one whose `margin_masses` agree best (least cross-entropy) with the
    probabilities (R, C) of the model's own vocabulary; the smallest on a tie. 0 where the two are
    equal for certain: the margin is 0 and the neutral comparison has the probability 1.

    Returns (R,).
    """
    found = np.zeros(len(margins))
    for row, margin in enumerate(margins.tolist()):
        if margin == 0 and probabilities[row, vocabulary.neutral_index] == 1:
            continue
        said = probabilities[row] if margin >= 0 else probabilities[row, ::-1]
        same = np.full(len(_SPREADS), abs(margin))
        if margin == 0:
            said = (said + said[::-1]) / 2
        masses = np.maximum(margin_masses(same, _SPREADS, vocabulary), _LEAST)
        found[row] = _SPREADS[int(np.argmax((np.log(masses) * said).sum(1)))]
    return found


def _masses(margin: float, spread: float, vocabulary: Vocabulary) -> list[float]:
    """Of a margin that is not negative."""
    edges = [-t for t in reversed(vocabulary.thresholds)] + list(vocabulary.thresholds)
    if not spread:
        rank = sum(margin >= t for t in vocabulary.thresholds)
        return [float(k == vocabulary.neutral_index + rank) for k in range(len(edges) + 1)]
    # What lies above each edge; differences of small tails keep their digits.
    above = [1.0, *(math.erfc((edge - margin) / (spread * math.sqrt(2))) / 2 for edge in edges), 0]
    return [high - low for high, low in pairwise(above)]
