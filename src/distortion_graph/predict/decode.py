"""From a model's probabilities to labels: one story for each region and for the scene.

Pure and exact: exchanging the images or permuting the regions exchanges or permutes the answer to
the last bit, so every choice here is either independent of order or breaks ties by a rule that
mirrors itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from distortion_graph.base.errors import ModelError
from distortion_graph.base.vocabulary import Vocabulary
from distortion_graph.graph import (
    ComparisonBelief,
    FrozenMap,
    LabelBelief,
    Node,
    Scene,
    SceneNode,
    score_margin,
)
from distortion_graph.graph.build import DECIMALS, Decoded, DecodedRegion, distortion_shares
from distortion_graph.predict.predictions import Predictions

_STRUCTURE_TOLERANCE = 1e-4


def decode(
    predictions: Predictions, vocabulary: Vocabulary, areas: ArrayLike | None = None
) -> Decoded:
    """Turn probabilities into labels.

    A node gets the most probable consistent pair (distortion, severity) by P(d)·P(s | d); on a tie
    the earlier distortion, then the lower severity. P(s) = Σ_d P(d)·P(s | d), so a region is clean
    with the same probability as a distortion and as a severity. For the comparison see
    `comparison_label`.

    `areas`: (R,) or (2, R), the share of the picture under each region, where a pixel of several
    regions is divided among them (`shared_areas`); gives the scene's `distortion_share`.

    Raises ModelError for predictions made for another vocabulary.
    """
    _check_vocabulary(predictions, vocabulary)
    anchors, targets = (_nodes(predictions, side, vocabulary) for side in (0, 1))
    regions = tuple(
        DecodedRegion(a, t, _compare(p, (a.score, t.score), _clean(a, t, vocabulary), vocabulary))
        for a, t, p in zip(anchors, targets, predictions.comparison, strict=True)
    )
    return Decoded(regions, _scene(predictions, vocabulary, (anchors, targets), areas))


def comparison_label(
    probabilities: Mapping[str, float], margin: float | None, vocabulary: Vocabulary
) -> str:
    """The most probable comparison that does not oppose the margin; nearer the neutral on a tie.

    Where |margin| reaches the first threshold, ranks of the other sign are out of the question.
    Ranks k and −k in a tie give the neutral label: any other choice would favour one image.
    """
    threshold, neutral = vocabulary.thresholds[0], vocabulary.neutral_index
    sign = 0 if margin is None or abs(margin) < threshold else 1 if margin > 0 else -1
    allowed = [level for level in vocabulary.comparisons if level.rank * sign >= 0]
    best = max(probabilities[level.label] for level in allowed)
    tied = [level for level in allowed if probabilities[level.label] == best]
    nearest = min(abs(level.rank) for level in tied)
    winners = [level.label for level in tied if abs(level.rank) == nearest]
    return winners[0] if len(winners) == 1 else vocabulary.comparison_labels[neutral]


def _check_vocabulary(predictions: Predictions, vocabulary: Vocabulary) -> None:
    found = (*predictions.severity_given.shape[2:], predictions.scene_comparison.size)
    expected = tuple(
        map(len, (vocabulary.distortions, vocabulary.severities, vocabulary.comparisons))
    )
    if found != expected:
        raise ModelError(
            f"vocabulary mismatch: the model has {found[0]} distortions, {found[1]} severities and "
            f"{found[2]} comparisons, the vocabulary {expected[0]}, {expected[1]} and {expected[2]}"
        )
    on_clean = predictions.severity_given[..., 0]
    rule = np.arange(expected[0]) == vocabulary.clean_index
    if np.abs(on_clean - rule).max(initial=0) > _STRUCTURE_TOLERANCE:
        raise ModelError(
            f"predictions: P(severity {vocabulary.clean!r} | distortion) must be 1 for the "
            f"distortion {vocabulary.clean!r} and 0 for every other"
        )


def _nodes(predictions: Predictions, side: int, vocabulary: Vocabulary) -> list[Node]:
    distortion = predictions.distortion[side]
    joint = distortion[..., None] * predictions.severity_given[side]  # (R, D, S)
    severity = np.zeros((len(joint), joint.shape[-1]))
    # Added label by label: a reduction's order, and so its last bit, may depend on the layout.
    for d in range(joint.shape[1]):
        severity += joint[:, d]
    severity[:, 0] = distortion[:, vocabulary.clean_index]
    severity = np.minimum(severity, 1.0)  # sums may pass it by rounding

    clean_d = np.arange(joint.shape[1]) == vocabulary.clean_index
    clean_s = np.arange(joint.shape[2]) == 0
    consistent = clean_d[:, None] == clean_s
    best = np.where(consistent, joint, -1.0).reshape(-1, consistent.size).argmax(axis=-1)
    labels = np.unravel_index(best, joint.shape[1:])
    scores = _rounded(predictions.score[side])
    known: Sequence[float | None] = [None] * len(scores)
    if predictions.known is not None:
        known = _rounded(predictions.known[side])
    return [
        Node(
            distortion=_belief(vocabulary.distortions, int(d), distortion[k]),
            severity=_belief(vocabulary.severities, int(s), severity[k]),
            score=scores[k],
            known=known[k],
        )
        for k, (d, s) in enumerate(zip(*labels, strict=True))
    ]


def _belief(labels: Sequence[str], index: int, probabilities: NDArray[np.float64]) -> LabelBelief:
    beliefs = FrozenMap(zip(labels, _rounded(probabilities), strict=True))
    label = labels[index]
    return LabelBelief(label=label, probability=beliefs[label], probabilities=beliefs)


def _compare(
    probabilities: NDArray[np.float64],
    scores: tuple[float | None, float | None],
    both_clean: bool,
    vocabulary: Vocabulary,
) -> ComparisonBelief:
    """The comparison is decided on the rounded numbers, the ones a reader of the graph sees."""
    labels = vocabulary.comparison_labels
    beliefs = FrozenMap(zip(labels, _rounded(probabilities), strict=True))
    margin = score_margin(*scores)
    label = (
        labels[vocabulary.neutral_index]
        if both_clean
        else comparison_label(beliefs, margin, vocabulary)
    )
    return ComparisonBelief(
        label=label, probability=beliefs[label], probabilities=beliefs, margin=margin
    )


def _clean(anchor: Node, target: Node, vocabulary: Vocabulary) -> bool:
    return anchor.distortion.label == target.distortion.label == vocabulary.clean


def _scene(
    predictions: Predictions,
    vocabulary: Vocabulary,
    nodes: tuple[list[Node], list[Node]],
    areas: ArrayLike | None,
) -> Scene:
    scores = _rounded(predictions.scene_score)
    shares: list[dict[str, float] | None] = [None, None]
    if areas is not None:
        both = _checked_areas(areas, predictions.n_regions)
        shares = [
            distortion_shares(side, area, vocabulary)
            for side, area in zip(nodes, both, strict=True)
        ]
    # Two pictures without a pixel that is not in a clean region are `same`, as two clean nodes are.
    both_clean = all(share is not None and share.get(vocabulary.clean) == 1 for share in shares)
    return Scene(
        anchor=SceneNode(score=scores[0], distortion_share=shares[0]),
        target=SceneNode(score=scores[1], distortion_share=shares[1]),
        comparison=_compare(
            predictions.scene_comparison, (scores[0], scores[1]), both_clean, vocabulary
        ),
    )


def _checked_areas(areas: ArrayLike, n_regions: int) -> NDArray[np.float64]:
    given = np.asarray(areas, np.float64)
    if given.shape not in {(n_regions,), (2, n_regions)}:
        raise ModelError(
            f"areas must be ({n_regions},) or (2, {n_regions}), a share for each region, "
            f"got {given.shape}"
        )
    return np.broadcast_to(given, (2, n_regions))


def _rounded(values: NDArray[np.float64]) -> list[float]:
    """As Python floats, rounded; each is the double nearest to its six decimals."""
    rounded: list[float] = np.round(values, DECIMALS).tolist()
    return rounded
