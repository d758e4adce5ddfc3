"""What an order follows, and where candidates stand, from facts that were made up."""

from __future__ import annotations

import numpy as np
import pytest

from distortion_graph import DEFAULT_VOCABULARY as VOCABULARY
from distortion_graph.base.errors import RankingError
from distortion_graph.graph import (
    ComparisonBelief,
    FurtherDistortion,
    LabelBelief,
    Node,
    SceneNode,
)
from distortion_graph.masks.container import RegionSet
from distortion_graph.ranking.consensus import mean_node, mean_scene
from distortion_graph.ranking.pairs import probability_better
from distortion_graph.ranking.seen import Seen, SeenCandidate
from distortion_graph.ranking.standings import chosen_order, region_standings, scene_standings

REGIONS = RegionSet.grid((20, 30), 1, 2)
NAMES = ("a", "b", "c")


def belief(labels, label, probability):
    rest = (1 - probability) / (len(labels) - 1)
    shares = {each: probability if each == label else rest for each in labels}
    return LabelBelief(label=label, probability=probability, probabilities=shares)


def node(score=0.5, opinion=None, label="blur", severity="minor", sure=0.8, also=(), known=None):
    return Node(
        distortion=belief(VOCABULARY.distortions, label, sure),
        severity=belief(VOCABULARY.severities, severity, sure),
        score=score,
        opinion=opinion,
        known=known,
        also=also,
    )


def candidate(scores, opinions=(None, None), whole=0.5, opinion=None, shown=(0, 1)):
    nodes = {k: node(scores[k], opinions[k]) for k in shown}
    scene = SceneNode(score=whole, opinion=opinion, distortion_share={"blur": 1.0})
    return SeenCandidate(nodes, scene, dict.fromkeys(shown, 0.5), None)


def seen(*candidates, preferred=None):
    return Seen(REGIONS, candidates, {}, preferred)


def test_opinions_order_only_where_every_candidate_has_them_everywhere():
    rated = candidate((0.5, 0.6), (0.4, 0.4), opinion=0.4)
    assert chosen_order(seen(rated, rated), "score") == "score"
    assert chosen_order(seen(rated, rated), "opinion") == "opinion"
    for other in (
        candidate((0.5, 0.6), (0.4, None), opinion=0.4),
        candidate((0.5, 0.6), (0.4, 0.4)),
        candidate((0.5, 0.6)),
    ):
        assert chosen_order(seen(rated, other), "score") == "score"
        with pytest.raises(RankingError, match="gives opinions everywhere"):
            chosen_order(seen(rated, other), "opinion")
    assert chosen_order(seen(rated, None), "opinion") == "opinion"
    assert chosen_order(seen(rated, rated, preferred=np.full((3, 2, 2), 0.5)), "score") == "pairs"


def test_opinions_may_turn_an_order_of_scores_round():
    first = candidate((0.9, 0.9), (0.3, 0.3), whole=0.9, opinion=0.3)
    second = candidate((0.8, 0.8), (0.6, 0.6), whole=0.8, opinion=0.6)
    found = seen(first, second)
    assert [s.place for s in scene_standings(found, NAMES[:2], "score", 0)] == [1, 2]
    by_opinion = scene_standings(found, NAMES[:2], "opinion", 0)
    assert [(s.place, s.value, s.behind) for s in by_opinion] == [(2, 0.3, 0.3), (1, 0.6, 0.0)]


def test_who_does_not_show_a_region_has_no_place_and_who_was_not_compared_is_left_out():
    found = seen(candidate((0.9, 0.4)), candidate((0.8, 0.6), shown=(0,)), None)
    first = region_standings(found, NAMES, "score", 0.2, 1)
    assert [(s.candidate, s.place, s.valid) for s in first] == [("a", 1, 0.5), ("b", 1, 0.5)]
    second = region_standings(found, NAMES, "score", 0.2, 2)
    assert [(s.candidate, s.place, s.value, s.node is None) for s in second] == [
        ("a", 1, 0.4, False),
        ("b", None, None, True),
    ]


def test_pairs_are_ordered_by_strength_and_tied_by_the_probability_of_being_better():
    shares = np.array([[0.5, 0.55, 0.9], [0.45, 0.5, 0.9], [0.1, 0.1, 0.5]])
    preferred = np.stack([shares, shares.T, np.full((3, 3), np.nan)])
    found = seen(*[candidate((0.5, 0.5))] * 3, preferred=preferred)
    whole = scene_standings(found, NAMES, "pairs", 0.1)
    assert [s.place for s in whole] == [1, 1, 3]
    assert whole[0].behind == 0 and 0 < (whole[1].behind or 0) < 0.1 < (whole[2].behind or 0)
    assert sum(s.value or 0 for s in whole) == pytest.approx(1.5, abs=1e-5)  # half on average
    assert all(s.interval and s.interval[0] <= (s.value or 0) <= s.interval[1] for s in whole)
    assert [s.place for s in region_standings(found, NAMES, "pairs", 0.1, 1)] == [2, 2, 1]
    assert [s.place for s in region_standings(found, NAMES, "pairs", 0.1, 2)] == [None] * 3


def test_a_probability_of_being_better_has_half_of_what_is_the_same():
    shares = dict(zip(VOCABULARY.comparison_labels, (0.1, 0.15, 0.25, 0.2, 0.3), strict=True))
    comparison = ComparisonBelief(
        label="significantly_better", probability=0.3, probabilities=shares
    )
    assert probability_better(comparison, VOCABULARY) == pytest.approx(0.625)
    back = probability_better(comparison.mirrored(VOCABULARY), VOCABULARY)
    assert back == pytest.approx(0.375)


def test_the_mean_of_nodes_is_that_of_all_they_say_in_any_order():
    nodes = [
        node(0.5, 0.4, "blur", "minor", 0.9, known=0.8),
        node(0.7, 0.5, "noise", "severe", 0.6, known=0.6),
        node(0.6, 0.6, "blur", "moderate", 0.7, known=0.7),
    ]
    mean = mean_node(nodes, VOCABULARY)
    assert mean == mean_node(nodes[::-1], VOCABULARY)
    assert (mean.distortion.label, mean.score, mean.opinion, mean.known) == ("blur", 0.6, 0.5, 0.7)
    shares = [(n.distortion.probabilities or {})["blur"] for n in nodes]
    assert mean.distortion.probability == pytest.approx(np.mean(shares), abs=1e-6)
    assert mean.severity.label == "minor"
    assert mean_node(nodes[:1], VOCABULARY) == nodes[0].model_copy(
        update={"distortion": mean_node(nodes[:1], VOCABULARY).distortion,
                "severity": mean_node(nodes[:1], VOCABULARY).severity}
    )  # fmt: skip


def test_the_severity_of_a_mean_fits_its_distortion():
    clean = node(label="clean", severity="clean", sure=0.6)
    blurred = node(label="blur", severity="clean", sure=0.55)
    assert mean_node([clean, clean, blurred], VOCABULARY).severity.label == "clean"
    # More believe in clean than in any one severity, and yet it is blur.
    assert mean_node([blurred], VOCABULARY).severity.label == "minor"


def test_what_more_than_half_of_the_nodes_list_is_listed():
    haze = FurtherDistortion(label="haze", probability=0.8, severity="minor")
    worse = FurtherDistortion(label="haze", probability=0.6, severity="severe")
    listed = mean_node([node(also=(haze,)), node(also=(worse,)), node()], VOCABULARY).also
    assert [(f.label, f.probability, f.severity) for f in listed] == [("haze", 0.7, "minor")]
    assert mean_node([node(also=(haze,)), node()], VOCABULARY).also == ()


def test_the_mean_of_scenes_counts_a_missing_label_as_nothing():
    scenes = [
        SceneNode(score=0.4, distortion_share={"blur": 1.0}),
        SceneNode(score=0.6, opinion=0.5, distortion_share={"noise": 0.5}),
    ]
    mean = mean_scene(scenes)
    assert (mean.score, mean.opinion) == (0.5, None)
    assert dict(mean.distortion_share or {}) == {"blur": 0.5, "noise": 0.25}
