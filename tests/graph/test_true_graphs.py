"""True graphs of regions that suffer several distortions at once."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY as WORDS
from distortion_graph.graph.truth import PairLabels, SufferedDistortions, graph_of_truth
from distortion_graph.masks.container import RegionSet
from distortion_graph.pictures.images import load_picture

REGIONS = RegionSet.grid((4, 6), 1, 2)
PICTURES = load_picture(np.zeros((4, 6, 3), np.uint8)), load_picture(np.ones((4, 6, 3), np.uint8))
BLUR, DARKEN, NOISE = (WORDS.distortion_index(x) for x in ("blur", "darken", "noise"))


def labels():
    """Anchor: clean, blur minor; target: noise severe, clean."""
    distortion = np.array([[WORDS.clean_index, BLUR], [NOISE, WORDS.clean_index]])
    score = np.array([[1.0, 0.8], [0.5, 1.0]])
    return PairLabels.of(distortion, np.array([[0, 1], [3, 0]]), score, np.array([0.9, 0.7]), WORDS)


def suffered():
    """The target's first region is noisy, too dark and blurred; the anchor's second is blurred."""
    there = {(0, 1, BLUR): 1, (1, 0, NOISE): 3, (1, 0, DARKEN): 2, (1, 0, BLUR): 1}
    present, severity = np.zeros((2, 2, 15), bool), np.zeros((2, 2, 15), int)
    for place, level in there.items():
        present[place], severity[place] = True, level
    return SufferedDistortions(present, severity)


def listed(graph):
    """Further distortions with their severities, of anchor and target of each region."""
    return [
        [[(f.label, f.severity, f.probability) for f in region.node(side).also]
         for side in ("anchor", "target")]
        for region in graph.regions
    ]  # fmt: skip


def test_what_the_label_does_not_name_is_listed_with_its_own_severity():
    graph = graph_of_truth(labels(), REGIONS, PICTURES, WORDS, suffered=suffered())
    further = [("blur", "minor", None), ("darken", "moderate", None)]
    assert listed(graph) == [[[], further], [[], []]]
    plain = graph_of_truth(labels(), REGIONS, PICTURES, WORDS)
    assert listed(plain) == [[[], []], [[], []]]
    assert plain.regions[0].target.distortion == graph.regions[0].target.distortion
    assert plain.scene == graph.scene


def test_the_pair_turned_round_suffers_the_same():
    graph = graph_of_truth(labels(), REGIONS, PICTURES, WORDS, suffered=suffered())
    back = graph_of_truth(
        labels().swapped(WORDS), REGIONS, PICTURES[::-1], WORDS, suffered=suffered().swapped()
    )
    assert back == graph.swapped()


def test_a_distortion_that_is_there_has_a_severity():
    broken = suffered()
    broken.severity[1, 0, DARKEN] = 0
    with pytest.raises(ValidationError, match="is 'clean', expected how severe 'darken' is"):
        graph_of_truth(labels(), REGIONS, PICTURES, WORDS, suffered=broken)
