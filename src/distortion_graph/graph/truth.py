"""What is true of a pair, as positions in a vocabulary, and the graph that says so."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.vocabulary import Vocabulary
from distortion_graph.graph import (
    ComparisonBelief,
    DistortionGraph,
    FurtherDistortion,
    LabelBelief,
    Node,
    Relation,
    Scene,
    SceneNode,
    score_margin,
)
from distortion_graph.graph.build import (
    DECIMALS,
    Decoded,
    DecodedRegion,
    assemble,
    distortion_shares,
    shared_areas,
)
from distortion_graph.masks.container import RegionSet
from distortion_graph.pictures.images import Picture

UNSAID = -1
"""Stands for a label that nobody said: people judge only some of what there is."""


@dataclass(frozen=True, eq=False)
class PairLabels:
    """True labels of R regions as positions in a vocabulary; row 0 is the anchor, 1 the target.

    `distortion`, `severity` (2, R) int64; `score` (2, R) float64 in [0, 1]; `comparison` (R,)
    int64, anchor against target, in the order of `Vocabulary.comparisons`; the whole pictures'
    `scene_score` (2,) and `scene_comparison`. Where people judged, labels may be `UNSAID` and
    scores are NaN.
    """

    distortion: NDArray[np.int64]
    severity: NDArray[np.int64]
    score: NDArray[np.float64]
    comparison: NDArray[np.int64]
    scene_score: NDArray[np.float64]
    scene_comparison: int

    @classmethod
    def of(
        cls,
        distortion: NDArray[np.int64],
        severity: NDArray[np.int64],
        score: NDArray[np.float64],
        scene_score: NDArray[np.float64],
        vocabulary: Vocabulary,
        judged: NDArray[np.int64] | None = None,
    ) -> PairLabels:
        """Labels with the comparisons that follow from the scores.

        `judged` (R,) are what people say where there are no scores, or `UNSAID`.
        """
        whole = compare_positions(scene_score[:1], scene_score[1:], vocabulary)
        comparison = compare_positions(score[0], score[1], vocabulary)
        if judged is not None:
            comparison = np.where(comparison == UNSAID, judged, comparison)
        return cls(
            distortion,
            severity,
            score,
            comparison,
            scene_score,
            int(whole[0]),
        )

    def rounded(self, vocabulary: Vocabulary) -> PairLabels:
        """The labels that follow from the scores as a graph holds them, to `DECIMALS` decimals."""
        score = [[round(value, DECIMALS) for value in row] for row in self.score.tolist()]
        scene = [round(value, DECIMALS) for value in self.scene_score.tolist()]
        return PairLabels.of(
            self.distortion,
            self.severity,
            np.array(score),
            np.array(scene),
            vocabulary,
            self.comparison,
        )

    def swapped(self, vocabulary: Vocabulary) -> PairLabels:
        """The labels of the pair (target, anchor)."""
        last = len(vocabulary.comparisons) - 1
        return PairLabels(
            self.distortion[::-1],
            self.severity[::-1],
            self.score[::-1],
            np.where(self.comparison == UNSAID, UNSAID, last - self.comparison),
            self.scene_score[::-1],
            UNSAID if self.scene_comparison == UNSAID else last - self.scene_comparison,
        )


class SufferedDistortions(NamedTuple):
    """All that R regions truly suffer, the distortions that their labels name among them.

    `present` (2, R, D) is True for what is there, row 0 of the anchor and 1 of the target;
    `severity` (2, R, D) is each distortion's own position on the scale, 0 where it is not there.
    """

    present: NDArray[np.bool_]
    severity: NDArray[np.int64]

    def swapped(self) -> SufferedDistortions:
        """What the regions of the pair (target, anchor) suffer."""
        return SufferedDistortions(self.present[::-1], self.severity[::-1])


def compare_positions(
    anchor: NDArray[np.float64], target: NDArray[np.float64], vocabulary: Vocabulary
) -> NDArray[np.int64]:
    """`Vocabulary.compare_scores` for (R,) scores: positions in `Vocabulary.comparisons`.

    `UNSAID` where one of the scores is NaN.
    """
    d = anchor - target
    rank = (np.abs(d)[:, None] >= np.array(vocabulary.thresholds)).sum(axis=1)
    found = vocabulary.neutral_index + np.where(d > 0, rank, -rank)
    return np.asarray(np.where(np.isnan(d), UNSAID, found), np.int64)


def graph_of_truth(
    labels: PairLabels,
    regions: RegionSet,
    pictures: tuple[Picture, Picture],
    vocabulary: Vocabulary,
    relations: Sequence[Relation] = (),
    suffered: SufferedDistortions | None = None,
) -> DistortionGraph:
    """The graph of labels that are known: all but scores are said, nothing with a probability.

    Args:
        labels: in the order of `regions`.
        regions: masks, names and ids.
        pictures: anchor and target.
        vocabulary: of all labels.
        relations: between ids of `regions`.
        suffered: all distortions of the regions, where some may suffer several; what a node's
            label does not name is listed in its `also`, in the order of the vocabulary.

    Raises pydantic's `ValidationError` for labels that contradict each other.
    """
    nodes = true_nodes(labels, vocabulary, suffered)
    answers = tuple(
        DecodedRegion(a, t, _belief(label, a.score, t.score, vocabulary))
        for a, t, label in zip(*nodes, labels.comparison.tolist(), strict=True)
    )
    masks = regions.lazy_masks()
    areas = shared_areas(masks)
    shares = [distortion_shares(side, areas, vocabulary) for side in nodes]
    scores = [_rounded(score) for score in labels.scene_score.tolist()]
    scene = Scene(
        anchor=SceneNode(score=scores[0], distortion_share=shares[0]),
        target=SceneNode(score=scores[1], distortion_share=shares[1]),
        comparison=None
        if labels.scene_comparison == UNSAID
        else _belief(labels.scene_comparison, scores[0], scores[1], vocabulary),
    )
    graph = assemble(
        Decoded(answers, scene), regions, *pictures, vocabulary=vocabulary, masks=masks
    )
    return graph.model_copy(update={"relations": tuple(relations)}) if relations else graph


def true_nodes(
    labels: PairLabels, vocabulary: Vocabulary, suffered: SufferedDistortions | None = None
) -> tuple[list[Node], list[Node]]:
    """The anchor's and the target's nodes, in the order of the labels, without masks."""
    anchor, target = (
        [
            Node(
                distortion=LabelBelief(label=vocabulary.distortions[d]),
                severity=LabelBelief(label=vocabulary.severities[s]),
                score=_rounded(score),
                also=() if suffered is None else _further(suffered, side, k, d, vocabulary),
            )
            for k, (d, s, score) in enumerate(
                zip(
                    labels.distortion[side].tolist(),
                    labels.severity[side].tolist(),
                    labels.score[side].tolist(),
                    strict=True,
                )
            )
        ]
        for side in range(2)
    )
    return anchor, target


def _further(
    suffered: SufferedDistortions, side: int, region: int, named: int, vocabulary: Vocabulary
) -> tuple[FurtherDistortion, ...]:
    """What a region suffers beside the distortion that its label names."""
    return tuple(
        FurtherDistortion(
            label=vocabulary.distortions[d],
            severity=vocabulary.severities[suffered.severity[side, region, d]],
        )
        for d in np.flatnonzero(suffered.present[side, region]).tolist()
        if d != named
    )


def _rounded(score: float) -> float | None:
    """A score as a graph holds it; None where it is not known."""
    return None if math.isnan(score) else round(score, DECIMALS)


def _belief(
    comparison: int, anchor: float | None, target: float | None, vocabulary: Vocabulary
) -> ComparisonBelief:
    label = vocabulary.comparison_labels[comparison]
    return ComparisonBelief(label=label, margin=score_margin(anchor, target))
