from __future__ import annotations

import numpy as np
import pytest
from skimage import data as pictures

from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY as WORDS
from distortion_graph.bench.evaluate import predict_all
from distortion_graph.bench.figures import figures_of
from distortion_graph.bench.protocol import (
    PAIRS_PER_LIST,
    BenchPicture,
    bench_picture,
    make_pairs,
    pair_list,
    sample_of,
)
from distortion_graph.datasets.pictures import CleanPicture, choose_annotator
from distortion_graph.predict.predictions import Predictions
from distortion_graph.synth.synthesis import DEFAULT_RECIPE, MIXED

TYPES = DEFAULT_RECIPE.types


def small_picture(tag="cat"):
    rgb = np.ascontiguousarray(pictures.chelsea()[50:114, 80:160])
    masks = np.zeros((3, 64, 80), bool)
    for k in range(3):
        masks[k, :, 20 * k : 20 * k + 20] = True
    return BenchPicture(tag, rgb, masks, (1, 2, 4))


def test_lists():
    easy = pair_list("easy", ["a", "b"], TYPES)
    medium = pair_list("medium", ["a", "b"], TYPES)
    assert len(easy) == len(medium) == PAIRS_PER_LIST == 300
    assert all(a != t and a in TYPES and t in TYPES for a, t, _ in easy)
    assert all((a in MIXED) != (t in MIXED) for a, t, _ in medium)
    assert 100 < sum(a in MIXED for a, _, _ in medium) < 200
    assert pair_list("hard", ["a"], TYPES) == [("mixed", "mixed2", "a"), ("mixed2", "mixed", "a")]
    assert easy == pair_list("easy", ["a", "b"], TYPES)
    assert easy != pair_list("easy", ["a", "b"], TYPES, seed=1)


def test_annotator_with_about_eight_regions_is_chosen():
    def grid(rows, columns):
        y, x = np.mgrid[:60, :60]
        return (y * rows // 60 * columns + x * columns // 60 + 1).astype(np.uint16)

    assert choose_annotator([grid(1, 2), grid(3, 3), grid(5, 5)]) == 1
    assert choose_annotator([grid(1, 7), grid(3, 3)]) == 0  # 7 and 9: a tie goes to the first
    speckled = grid(2, 4)
    speckled[:2, :5] = 99  # 10 of 3600 pixels: below 0.8 %
    picture = bench_picture(CleanPicture("p", np.zeros((60, 60, 3), np.uint8), (speckled,)))
    assert picture.region_ids == tuple(range(1, 9)) and len(picture.masks) == 8
    assert not picture.masks[:, 0, 0].any()


class Oracle:
    """Knows the truth of the pairs it is asked about, in order."""

    def __init__(self, pairs):
        self.pairs = iter(pairs)

    def predict(self, anchor, target, masks):
        pair = next(self.pairs)
        assert np.array_equal(anchor, pair.anchor.image)
        count = len(masks)
        distortion = np.zeros((2, count, 15))
        severity = np.zeros((2, count, 15, 4))
        severity[:, :, :, 1] = 1
        severity[:, :, WORDS.clean_index] = [1, 0, 0, 0]
        comparison = np.zeros((count, 5))
        scores = np.stack([pair.anchor.scores, pair.target.scores])
        for i, version in enumerate((pair.anchor, pair.target)):
            for r, draw in enumerate(version.draws):
                d = WORDS.distortion_index(draw.distortion)
                distortion[i, r, d] = 1
                severity[i, r, d] = np.eye(4)[WORDS.severity_index(draw.severity)]
        for r, (a, t) in enumerate(scores.T):
            comparison[r, WORDS.comparison_index(WORDS.compare_scores(a, t).label)] = 1
        scene = np.array([pair.anchor.scene_score, pair.target.scene_score])
        return Predictions(distortion, severity, scores, comparison, scene, np.eye(5)[2])


def test_an_oracle_gets_full_marks():
    pairs = list(make_pairs("hard", [small_picture("a"), small_picture("b")]))
    assert [(p.picture.tag, p.anchor.name) for p in pairs] == [
        ("a", "mixed"),
        ("a", "mixed2"),
        ("b", "mixed"),
        ("b", "mixed2"),
    ]
    truth, answers = predict_all(Oracle(pairs), [sample_of(p, WORDS) for p in pairs], WORDS)
    figures = figures_of(truth, answers, WORDS)
    assert figures.regions == 12 and figures.coverage == figures.score_coverage == 1
    assert figures.distortion.averaged.accuracy == figures.severity.averaged.accuracy == 1
    assert figures.comparison.accuracy == 1
    assert figures.score.averaged.srcc == pytest.approx(1)
    assert figures.mean == pytest.approx(1)


def test_hard_pairs_come_in_both_orders_of_the_same_versions():
    forth, back = make_pairs("hard", [small_picture()])
    assert np.array_equal(forth.anchor.image, back.target.image)
    assert np.array_equal(forth.target.image, back.anchor.image)
    assert not np.array_equal(forth.anchor.image, forth.target.image)
