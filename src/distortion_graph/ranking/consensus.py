"""One answer out of those that a model gave of a picture beside several other ones."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from statistics import mode

from distortion_graph.base.vocabulary import FrozenMap, Vocabulary
from distortion_graph.graph import FurtherDistortion, LabelBelief, Node, SceneNode
from distortion_graph.ranking.order import DECIMALS


def mean_node(nodes: Sequence[Node], vocabulary: Vocabulary) -> Node:
    """The mean of a region's nodes: of probabilities, score, `known` and opinion.

    The label is the most probable distortion of the mean, the severity the most probable one that
    goes with it; on a tie the earlier. A further distortion is listed where more than half of the
    nodes list it. Mask and box are null. The order of the nodes changes no bit.
    """
    distortion = _mean_belief([node.distortion for node in nodes], vocabulary.distortions)
    fitting = vocabulary.severities[1:]
    if distortion.label == vocabulary.clean:
        fitting = vocabulary.severities[:1]
    severity = _mean_belief([node.severity for node in nodes], vocabulary.severities, fitting)
    return Node(
        distortion=distortion,
        severity=severity,
        score=mean(node.score for node in nodes),
        known=mean(node.known for node in nodes),
        opinion=mean(node.opinion for node in nodes),
        also=_mean_further(nodes, distortion.label, vocabulary),
    )


def mean_scene(scenes: Sequence[SceneNode]) -> SceneNode:
    """The mean of what is said of a whole picture."""
    shares = [scene.distortion_share or {} for scene in scenes]
    labels = dict.fromkeys(label for share in shares for label in share)
    return SceneNode(
        score=mean(scene.score for scene in scenes),
        opinion=mean(scene.opinion for scene in scenes),
        distortion_share={
            label: mean([share.get(label, 0.0) for share in shares]) or 0.0
            for label in sorted(labels)
        },
    )


def mean(values: Iterable[float | None]) -> float | None:
    """The mean, rounded; None unless all are known. The order changes no bit."""
    every = list(values)
    known = [value for value in every if value is not None]
    if not known or len(known) < len(every):
        return None
    return round(math.fsum(known) / len(known), DECIMALS)


def _mean_belief(
    beliefs: Sequence[LabelBelief], labels: Sequence[str], fitting: Sequence[str] | None = None
) -> LabelBelief:
    """The mean probabilities of all labels, and the most probable of those that are `fitting`."""
    maps = [belief.probabilities or {} for belief in beliefs]
    means = {label: mean([known.get(label, 0.0) for known in maps]) or 0.0 for label in labels}
    label = max(labels if fitting is None else fitting, key=lambda each: means[each])
    return LabelBelief(label=label, probability=means[label], probabilities=FrozenMap(means))


def _mean_further(
    nodes: Sequence[Node], first: str, vocabulary: Vocabulary
) -> tuple[FurtherDistortion, ...]:
    """What more than half of the nodes list, the most probable first."""
    found = []
    for label in vocabulary.distortions:
        listed = [further for node in nodes for further in node.also if further.label == label]
        if label == first or 2 * len(listed) <= len(nodes):
            continue
        severities = sorted((f.severity for f in listed), key=vocabulary.severity_index)
        found.append(
            FurtherDistortion(
                label=label,
                probability=mean(further.probability for further in listed),
                severity=mode(severities),
            )
        )
    return tuple(sorted(found, key=lambda further: -(further.probability or 0.0)))
