"""From a model's probabilities to labels: one story for each region and for the scene.

Pure and exact: exchanging the images or permuting the regions exchanges or permutes the answer to
the last bit, so every choice here is either independent of order or breaks ties by a rule that
mirrors itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import BaseModel, ConfigDict

from distortion_graph.base.errors import ModelError
from distortion_graph.base.vocabulary import Vocabulary
from distortion_graph.graph import (
    ComparisonBelief,
    FrozenMap,
    FurtherDistortion,
    LabelBelief,
    Node,
    Scene,
    SceneNode,
    score_margin,
)
from distortion_graph.graph.build import DECIMALS, Decoded, DecodedRegion, distortion_shares
from distortion_graph.predict.comparing import choose_comparisons, comparisons_by_margin
from distortion_graph.predict.opinion import OpinionMaps, Unit
from distortion_graph.predict.predictions import Predictions

_STRUCTURE_TOLERANCE = 1e-4

_Further: TypeAlias = tuple[FurtherDistortion, ...]


class Decoding(BaseModel):
    """What a model's manifest says of how its answers are decoded.

    Further distortions of a region are listed from the probability `also_threshold` on. Without
    `opinion` no node has an opinion.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    also_threshold: Unit = 0.5
    opinion: OpinionMaps | None = None


DEFAULT_DECODING = Decoding()
"""Of a model whose manifest says nothing of it."""


@dataclass(frozen=True, eq=False)
class ChosenLabels:
    """Labels of R regions as positions in the vocabulary, and the rounded numbers beside them.

    `distortion`, `severity` (2, R), row 0 of the anchor and 1 of the target, and `comparison` (R,)
    are int64; `score` and `known` (2, R, or None) float64. The probabilities of all labels are
    (2, R, D), (2, R, S) and (R, C).
    """

    distortion: NDArray[np.int64]
    severity: NDArray[np.int64]
    comparison: NDArray[np.int64]
    score: NDArray[np.float64]
    known: NDArray[np.float64] | None
    distortion_probabilities: NDArray[np.float64]
    severity_probabilities: NDArray[np.float64]
    comparison_probabilities: NDArray[np.float64]


def choose_labels(
    predictions: Predictions, vocabulary: Vocabulary, *, by_margin: bool = False
) -> ChosenLabels:
    """Choose every region's labels.

    A node gets the most probable consistent pair (distortion, severity) by P(d)·P(s | d); on a tie
    the earlier distortion, then the lower severity. P(s) = Σ_d P(d)·P(s | d), so a region is clean
    with the same probability as a distortion and as a severity. Two clean nodes are the same; for
    any other comparison see `choose_comparisons`. `by_margin`: scores are measured, or the scale
    is finer than the labels; then every comparison follows from the two scores by the vocabulary's
    thresholds, and two clean nodes may differ.

    Raises ModelError for predictions made for another vocabulary.
    """
    _check_vocabulary(predictions, vocabulary)
    joint = predictions.distortion[..., None] * predictions.severity_given
    severity = np.zeros((*joint.shape[:2], joint.shape[-1]))
    # Added label by label: a reduction's order, and so its last bit, may depend on the layout.
    for d in range(joint.shape[2]):
        severity += joint[:, :, d]
    severity[..., 0] = predictions.distortion[..., vocabulary.clean_index]
    severity = np.minimum(severity, 1.0)  # sums may pass it by rounding

    clean = np.arange(joint.shape[2]) == vocabulary.clean_index
    consistent = clean[:, None] == (np.arange(joint.shape[3]) == 0)
    flat = np.where(consistent, joint, -1.0).reshape(*joint.shape[:2], consistent.size)
    distortions, severities = np.unravel_index(flat.argmax(-1), consistent.shape)

    # Comparisons are decided on the rounded numbers, the ones that a reader of the graph sees.
    score, comparison = _rounded(predictions.score), _rounded(predictions.comparison)
    both_clean = (distortions == vocabulary.clean_index).all(0)
    compared = _compared(comparison, score, both_clean, vocabulary, by_margin)
    return ChosenLabels(
        distortions.astype(np.int64),
        severities.astype(np.int64),
        compared,
        score,
        None if predictions.known is None else _rounded(predictions.known),
        _rounded(predictions.distortion),
        _rounded(severity),
        comparison,
    )


def _compared(
    probabilities: NDArray[np.float64],
    scores: NDArray[np.float64],
    both_clean: NDArray[np.bool_],
    vocabulary: Vocabulary,
    by_margin: bool,
) -> NDArray[np.int64]:
    """Comparisons (R,) of scores (2, R), as `choose_labels` says."""
    if by_margin:
        return comparisons_by_margin(scores, vocabulary)
    likeliest = choose_comparisons(probabilities, scores[0] - scores[1], vocabulary)
    return np.where(both_clean, vocabulary.neutral_index, likeliest)


def choose_further(
    predictions: Predictions,
    distortion: NDArray[np.int64],
    vocabulary: Vocabulary,
    threshold: float,
) -> NDArray[np.bool_]:
    """Which distortions the regions suffer beside those that `choose_labels` chose.

    They are those whose probability, to six decimals, is at least `threshold`. A region that is
    clean suffers none, and none is listed where the model does not say.

    Args:
        predictions: of R regions.
        distortion: (2, R) positions of the chosen distortions.
        vocabulary: of D distortions.
        threshold: in [0, 1].

    Returns:
        (2, R, D).
    """
    if predictions.present is None:
        return np.zeros(predictions.distortion.shape, np.bool_)
    further = _rounded(predictions.present) >= threshold
    further[..., vocabulary.clean_index] = False
    further[distortion == vocabulary.clean_index] = False
    np.put_along_axis(further, distortion[..., None], False, axis=-1)
    return further


def decode(
    predictions: Predictions,
    vocabulary: Vocabulary,
    areas: ArrayLike | None = None,
    decoding: Decoding = DEFAULT_DECODING,
    *,
    by_margin: bool = False,
) -> Decoded:
    """Turn probabilities into the labels that `choose_labels` chooses, as parts of a graph.

    `areas`: (R,) or (2, R), the share of the picture under each region, where a pixel of several
    regions is divided among them (`shared_areas`); gives the scene's `distortion_share`.
    `decoding`: the model's own (`Model.decoding`). `by_margin` as for `choose_labels`.

    Raises ModelError for predictions made for another vocabulary.
    """
    chosen = choose_labels(predictions, vocabulary, by_margin=by_margin)
    also = _further(predictions, chosen, vocabulary, decoding.also_threshold)
    anchors, targets = (
        _nodes(chosen, side, vocabulary, also[side], decoding.opinion) for side in (0, 1)
    )
    beliefs = zip(chosen.comparison.tolist(), chosen.comparison_probabilities.tolist(), strict=True)
    regions = tuple(
        DecodedRegion(a, t, _comparison(label, p, (a.score, t.score), vocabulary))
        for a, t, (label, p) in zip(anchors, targets, beliefs, strict=True)
    )
    scene = _scene(predictions, vocabulary, (anchors, targets), areas, decoding.opinion, by_margin)
    return Decoded(regions, scene)


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


def _further(
    predictions: Predictions, chosen: ChosenLabels, vocabulary: Vocabulary, threshold: float
) -> tuple[list[_Further], list[_Further]]:
    """Each node's further distortions, the most probable first, on a tie the earlier one.

    Each has its most probable severity, on a tie the lower one.
    """
    count = predictions.n_regions
    if predictions.present is None:
        return [()] * count, [()] * count
    listed = choose_further(predictions, chosen.distortion, vocabulary, threshold)
    present = _rounded(predictions.present)
    severity = predictions.severity_given[..., 1:].argmax(-1) + 1

    def of_node(*place: int) -> _Further:
        found = np.flatnonzero(listed[place]).tolist()
        return tuple(
            FurtherDistortion(
                label=vocabulary.distortions[d],
                probability=float(present[place][d]),
                severity=vocabulary.severities[severity[place][d]],
            )
            for d in sorted(found, key=lambda d: -present[place][d])
        )

    anchors, targets = ([of_node(side, k) for k in range(count)] for side in (0, 1))
    return anchors, targets


def _nodes(
    chosen: ChosenLabels,
    side: int,
    vocabulary: Vocabulary,
    also: Sequence[_Further],
    maps: OpinionMaps | None,
) -> list[Node]:
    count = len(chosen.comparison)
    known = [None] * count if chosen.known is None else chosen.known[side].tolist()
    columns = (
        chosen.distortion[side].tolist(),
        chosen.distortion_probabilities[side].tolist(),
        chosen.severity[side].tolist(),
        chosen.severity_probabilities[side].tolist(),
        chosen.score[side].tolist(),
        known,
        also,
    )
    return [
        Node(
            distortion=_belief(vocabulary.distortions, d, of_distortions),
            severity=_belief(vocabulary.severities, s, of_severities),
            score=score,
            known=sure,
            opinion=maps and round(maps.opinion(score, vocabulary.distortions[d]), DECIMALS),
            also=further,
        )
        for d, of_distortions, s, of_severities, score, sure, further in zip(*columns, strict=True)
    ]


def _belief(labels: Sequence[str], index: int, probabilities: Sequence[float]) -> LabelBelief:
    beliefs = FrozenMap(zip(labels, probabilities, strict=True))
    return LabelBelief(label=labels[index], probability=probabilities[index], probabilities=beliefs)


def _comparison(
    index: int,
    probabilities: Sequence[float],
    scores: tuple[float | None, float | None],
    vocabulary: Vocabulary,
) -> ComparisonBelief:
    labels = vocabulary.comparison_labels
    return ComparisonBelief(
        label=labels[index],
        probability=probabilities[index],
        probabilities=FrozenMap(zip(labels, probabilities, strict=True)),
        margin=score_margin(*scores),
    )


def _scene(
    predictions: Predictions,
    vocabulary: Vocabulary,
    nodes: tuple[list[Node], list[Node]],
    areas: ArrayLike | None,
    maps: OpinionMaps | None,
    by_margin: bool,
) -> Scene:
    scores = _rounded(predictions.scene_score)
    probabilities = _rounded(predictions.scene_comparison)
    shares: list[dict[str, float] | None] = [None, None]
    if areas is not None:
        both = _checked_areas(areas, predictions.n_regions)
        shares = [
            distortion_shares(side, area, vocabulary)
            for side, area in zip(nodes, both, strict=True)
        ]
    # Two pictures without a pixel that is not in a clean region are `same`, as two clean nodes are.
    both_clean = all(share is not None and share.get(vocabulary.clean) == 1 for share in shares)
    [index] = _compared(
        probabilities[None], scores[:, None], np.array([both_clean]), vocabulary, by_margin
    ).tolist()
    anchor, target = (
        SceneNode(
            score=score,
            opinion=maps and round(maps.of_picture(score, share or {}), DECIMALS),
            distortion_share=share,
        )
        for score, share in zip(scores.tolist(), shares, strict=True)
    )
    compared = (anchor.score, target.score)
    return Scene(
        anchor=anchor,
        target=target,
        comparison=_comparison(index, probabilities.tolist(), compared, vocabulary),
    )


def _checked_areas(areas: ArrayLike, n_regions: int) -> NDArray[np.float64]:
    given = np.asarray(areas, np.float64)
    if given.shape not in {(n_regions,), (2, n_regions)}:
        raise ModelError(
            f"areas must be ({n_regions},) or (2, {n_regions}), a share for each region, "
            f"got {given.shape}"
        )
    return np.broadcast_to(given, (2, n_regions))


def _rounded(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each is the double nearest to its six decimals."""
    return np.round(values, DECIMALS)
