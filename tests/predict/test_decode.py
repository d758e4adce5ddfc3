"""Decoding: the most probable consistent story, mirrored and permuted to the last bit."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from optional import present

from distortion_graph.base.errors import ModelError
from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY, ComparisonLevel, Vocabulary
from distortion_graph.graph import DistortionGraph, ImageInfo, RegionComparison
from distortion_graph.graph.build import shared_areas
from distortion_graph.predict.comparing import choose_comparisons
from distortion_graph.predict.decode import Decoding, choose_further, decode
from distortion_graph.predict.opinion import OpinionMaps
from distortion_graph.predict.predictions import Predictions

LABELS = DEFAULT_VOCABULARY.comparison_labels


def vocabulary_of(distortions: int, severities: int, steps: int, clean_at: int) -> Vocabulary:
    names = [f"d{k}" for k in range(distortions)]
    names[clean_at] = "ok"
    return Vocabulary(
        distortions=tuple(names),
        severities=("ok", *(f"s{k}" for k in range(1, severities))),
        comparisons=tuple(
            ComparisonLevel(label=f"r{k}", rank=k, min_abs_d=0.15 * abs(k))
            for k in range(-steps, steps + 1)
        ),
    )


def shares(rng: np.random.Generator, shape: tuple[int, ...], coarse: bool) -> np.ndarray:
    """Probabilities along the last axis; coarse ones tie often."""
    weights = rng.integers(0, 3, shape) if coarse else rng.random(shape)
    weights = weights + (weights.sum(-1, keepdims=True) == 0)
    shares: np.ndarray = weights / weights.sum(-1, keepdims=True)
    return shares


def predictions_of(vocabulary: Vocabulary, regions: int, seed: int, coarse: bool) -> Predictions:
    rng = np.random.default_rng(seed)
    d, s, c = (
        len(x) for x in (vocabulary.distortions, vocabulary.severities, vocabulary.comparisons)
    )
    given_d = np.zeros((2, regions, d, s))
    given_d[..., 1:] = shares(rng, (2, regions, d, s - 1), coarse)
    given_d[:, :, vocabulary.clean_index] = np.eye(s)[0]
    score = rng.integers(0, 5, (2, regions)) / 4 if coarse else rng.random((2, regions))
    return Predictions(
        distortion=shares(rng, (2, regions, d), coarse),
        severity_given=given_d,
        score=score,
        comparison=shares(rng, (regions, c), coarse),
        scene_score=rng.random(2),
        scene_comparison=shares(rng, (c,), coarse),
        present=rng.integers(0, 5, (2, regions, d)) / 4 if coarse else rng.random((2, regions, d)),
    )


@st.composite
def cases(draw):
    distortions = draw(st.integers(2, 6))
    vocabulary = vocabulary_of(
        distortions,
        draw(st.integers(2, 4)),
        draw(st.integers(1, 3)),
        draw(st.integers(0, distortions - 1)),
    )
    regions = draw(st.integers(0, 5))
    seed, coarse = draw(st.integers(0, 2**32)), draw(st.booleans())
    areas = shares(np.random.default_rng(seed), (2, regions + 1), False)[:, 1:]
    return vocabulary, predictions_of(vocabulary, regions, seed, coarse), areas


def decoding_of(vocabulary: Vocabulary) -> Decoding:
    """Opinions for all, the last distortion's by a map of its own."""
    own = {vocabulary.distortions[-1]: ((0.25, 0.0), (0.75, 1.0))}
    common = ((0.0, 0.125), (0.5, 0.25), (1.0, 1.0))
    return Decoding(opinion=OpinionMaps(common=common, by_distortion=own))


def bits(decoded) -> str:
    """Everything a decoded answer holds, as text: equal text is equal to the last bit."""
    parts = [x for r in decoded.regions for x in (r.anchor, r.target, r.comparison)]
    return "\n".join(part.model_dump_json() for part in [*parts, decoded.scene])


# --- claims over all inputs ----------------------------------------------------------------


@given(cases())
def test_swapping_the_images_mirrors_the_answer_to_the_bit(case):
    vocabulary, predictions, areas = case
    decoding = decoding_of(vocabulary)
    there = decode(predictions, vocabulary, areas, decoding)
    back = decode(predictions.swapped(), vocabulary, areas[::-1], decoding)
    assert bits(back) == bits(there.swapped(vocabulary))
    assert bits(back.swapped(vocabulary)) == bits(there)


@given(cases(), st.randoms(use_true_random=False))
def test_permuting_the_regions_permutes_the_answer_to_the_bit(case, random):
    vocabulary, predictions, areas = case
    order = list(range(predictions.n_regions))
    random.shuffle(order)
    decoding = decoding_of(vocabulary)
    there = decode(predictions, vocabulary, areas, decoding)
    permuted = decode(predictions.reorder(order), vocabulary, areas[:, order], decoding)
    assert permuted.regions == tuple(there.regions[k] for k in order)
    assert permuted.scene == there.scene


@given(cases())
def test_a_region_is_decoded_the_same_alone_as_among_others(case):
    vocabulary, predictions, _ = case
    together = decode(predictions, vocabulary).regions
    for k, region in enumerate(together):
        assert decode(predictions.reorder([k]), vocabulary).regions == (region,)


@given(cases())
def test_the_answer_obeys_the_graphs_rules_and_tells_one_story(case):
    vocabulary, predictions, areas = case
    decoded = decode(predictions, vocabulary, areas)
    graph = DistortionGraph(  # checks labels, sums, clean against clean, margins
        vocabulary=vocabulary,
        anchor=ImageInfo(),
        target=ImageInfo(),
        regions=tuple(
            RegionComparison(
                id=k, name="x", anchor=r.anchor, target=r.target, comparison=r.comparison
            )
            for k, r in enumerate(decoded.regions)
        ),
        scene=decoded.scene,
    )
    ranks = {level.label: level.rank for level in vocabulary.comparisons}
    for region in graph.regions:
        for node in (region.anchor, region.target):
            d, s = node.distortion.probabilities, node.severity.probabilities
            assert present(d)[vocabulary.clean] == present(s)[vocabulary.clean]
            assert list(present(d)) == list(vocabulary.distortions)
            assert list(present(s)) == list(vocabulary.severities)
            assert all(
                p == round(p, 6)
                for p in [*present(d).values(), *present(s).values(), present(node.score)]
            )
        comparison = region.comparison
        assert comparison.margin == present(region.anchor.score) - present(region.target.score)
        if abs(present(comparison.margin)) >= vocabulary.thresholds[0]:
            assert ranks[comparison.label] * comparison.margin >= 0
        if region.anchor.distortion.label == region.target.distortion.label == vocabulary.clean:
            assert ranks[comparison.label] == 0


@given(cases())
def test_the_pair_is_the_most_probable_one_by_exact_arithmetic(case):
    vocabulary, predictions, _ = case
    for k, region in enumerate(decode(predictions, vocabulary).regions):
        for side, node in enumerate((region.anchor, region.target)):
            joint = {}
            for d, label in enumerate(vocabulary.distortions):
                for s, severity in enumerate(vocabulary.severities):
                    if (label == vocabulary.clean) == (severity == vocabulary.clean):
                        joint[label, severity] = Fraction(
                            float(predictions.distortion[side, k, d])
                        ) * Fraction(float(predictions.severity_given[side, k, d, s]))
            chosen = joint[node.distortion.label, node.severity.label]
            assert float(chosen) >= float(max(joint.values())) * (1 - 1e-15)
            for s, severity in enumerate(vocabulary.severities):
                p = math.fsum(
                    predictions.distortion[side, k] * predictions.severity_given[side, k, :, s]
                )
                assert present(node.severity.probabilities)[severity] == pytest.approx(p, abs=2e-6)


# --- facts ---------------------------------------------------------------------------------


def one_region(**changes) -> Predictions:
    """Default vocabulary: the anchor surely clean, the target blurred (or hazy) or clean."""
    d, s = len(DEFAULT_VOCABULARY.distortions), len(DEFAULT_VOCABULARY.severities)
    distortion = np.zeros((2, 1, d))
    distortion[0, 0, 0] = 1
    distortion[1, 0, [0, 7, 8]] = 0.35, 0.4, 0.25
    severity = np.zeros((2, 1, d, s))
    severity[:, :, :, 1] = 1
    severity[1, 0, 7] = 0, 0.5, 0.5, 0
    severity[:, :, 0] = np.eye(s)[0]
    values: dict[str, Any] = {
        "distortion": distortion,
        "severity_given": severity,
        "score": [[1.0], [0.9]],
        "comparison": [[0.1, 0.2, 0.4, 0.2, 0.1]],
        "scene_score": [0.9, 0.5],
        "scene_comparison": [0.1, 0.3, 0.2, 0.3, 0.1],
    }
    return Predictions(**(values | changes))


def test_distortion_and_severity_are_decoded_jointly():
    # blur is the most probable distortion (.40), but halved between two severities (.20 each)
    # it loses against clean (.35).
    node = decode(one_region(), DEFAULT_VOCABULARY).regions[0].target
    assert (node.distortion.label, node.severity.label) == ("clean", "clean")
    assert node.distortion.probability == 0.35
    assert node.severity.probabilities == {
        "clean": 0.35,
        "minor": 0.45,
        "moderate": 0.2,
        "severe": 0.0,
    }


def test_a_tie_of_pairs_goes_to_the_earlier_distortion_then_the_lower_severity():
    distortion = one_region().distortion.copy()
    distortion[1, 0, [0, 7, 8]] = 0.0, 0.5, 0.5
    severity = one_region().severity_given.copy()
    severity[1, 0, [7, 8]] = 0, 0, 0.5, 0.5
    region = decode(
        one_region(distortion=distortion, severity_given=severity), DEFAULT_VOCABULARY
    ).regions[0]
    assert (region.target.distortion.label, region.target.severity.label) == ("blur", "moderate")


def test_numbers_are_rounded_before_the_margin_is_taken():
    p = one_region(score=[[0.70000004], [0.5999999]])
    region = decode(p, DEFAULT_VOCABULARY).regions[0]
    assert (region.anchor.score, region.target.score) == (0.7, 0.6)
    assert region.comparison.margin == 0.7 - 0.6


@pytest.mark.parametrize(
    ("probabilities", "margin", "label"),
    [
        ([0.1, 0.2, 0.3, 0.3, 0.1], 0.0, "same"),  # a tie: nearer `same`
        ([0.1, 0.1, 0.0, 0.4, 0.4], 0.0, "slightly_better"),
        ([0.4, 0.0, 0.1, 0.4, 0.1], 0.0, "slightly_better"),
        ([0.4, 0.1, 0.1, 0.0, 0.4], 0.0, "same"),  # −2 and +2 tie: no image is favoured
        ([0.1, 0.35, 0.2, 0.35, 0.0], 0.05, "same"),
        ([0.1, 0.35, 0.2, 0.35, 0.0], -0.05, "same"),
        ([0.1, 0.35, 0.2, 0.35, 0.0], 0.2, "slightly_better"),  # the margin rules one out
        ([0.1, 0.35, 0.2, 0.35, 0.0], -0.2, "slightly_worse"),
        ([0.6, 0.2, 0.1, 0.06, 0.04], 0.2, "same"),  # the best that does not oppose
        ([0.6, 0.2, 0.05, 0.06, 0.09], 0.125, "significantly_better"),
        ([0.6, 0.2, 0.1, 0.06, 0.04], 0.0999, "significantly_worse"),  # below the threshold
        ([0.6, 0.2, 0.1, 0.06, 0.04], 0.1, "same"),  # reaching it counts
        ([0.1, 0.1, 0.6, 0.1, 0.1], 0.9, "same"),  # `same` opposes nothing
    ],
)
def test_the_comparison_of_a_margin(probabilities, margin, label):
    # A second pair, whose comparison is plain, stands beside it.
    both = np.array([probabilities, [1.0, 0.0, 0.0, 0.0, 0.0]])
    chosen = choose_comparisons(both, np.array([margin, 0.0]), DEFAULT_VOCABULARY)
    assert [LABELS[k] for k in chosen] == [label, "significantly_worse"]


def test_a_tie_that_only_rounding_makes_is_seen_by_the_reader_and_so_by_the_label():
    p = one_region(
        distortion=np.roll(one_region().distortion, 1, axis=-1),
        severity_given=np.where(np.arange(15)[:, None] == 0, np.eye(4)[0], np.eye(4)[1])
        * np.ones((2, 1, 1, 1)),
        score=[[0.5], [0.5]],
        comparison=[[0.1, 0.1, 0.29999998, 0.30000002, 0.2]],
    )
    comparison = decode(p, DEFAULT_VOCABULARY).regions[0].comparison
    assert (
        present(comparison.probabilities)["same"]
        == present(comparison.probabilities)["slightly_better"]
        == 0.3
    )
    assert comparison.label == "same"


def test_two_clean_nodes_are_the_same_whatever_the_comparison_says():
    p = one_region(comparison=[[0.0, 0.0, 0.1, 0.2, 0.7]], score=[[1.0], [0.5]])
    comparison = decode(p, DEFAULT_VOCABULARY).regions[0].comparison
    assert comparison.label == "same"
    assert comparison.probability == 0.1
    assert comparison.margin == 0.5


def test_scene_shares_and_comparison():
    predictions = predictions_of(DEFAULT_VOCABULARY, 3, 4, False)
    decoded = decode(predictions, DEFAULT_VOCABULARY, [0.5, 0.25, 0.125])
    for side in ("anchor", "target"):
        expected: dict[str, float] = {}
        for region, area in zip(decoded.regions, (0.5, 0.25, 0.125), strict=True):
            label = getattr(region, side).distortion.label
            expected[label] = expected.get(label, 0) + area
        assert getattr(decoded.scene, side).distortion_share == expected
    assert decode(predictions, DEFAULT_VOCABULARY).scene.anchor.distortion_share is None
    # scores .9 and .5: the margin leaves only `same` and better
    scene = decode(one_region(), DEFAULT_VOCABULARY, [0.5]).scene
    assert scene.anchor.score == 0.9
    assert present(scene.comparison).label == "slightly_better"
    assert present(scene.comparison).margin == 0.9 - 0.5


def test_pictures_wholly_under_clean_regions_are_the_same():
    assert present(decode(one_region(), DEFAULT_VOCABULARY, [1.0]).scene.comparison).label == "same"


def test_no_regions_is_legal():
    empty = predictions_of(DEFAULT_VOCABULARY, 0, 1, False)
    decoded = decode(empty, DEFAULT_VOCABULARY, np.zeros(0))
    assert decoded.regions == ()
    assert decoded.scene.anchor.distortion_share == {}


def test_pixels_of_several_masks_are_divided_evenly():
    masks = np.zeros((3, 4, 5), bool)
    masks[0] = True
    masks[1, :2] = True
    masks[2, 1:3, :2] = True
    layers = masks.sum(0)
    expected = [sum(1 / layers[y, x] for y, x in np.argwhere(mask)) / 20 for mask in masks]
    assert shared_areas(masks) == pytest.approx(expected)
    assert shared_areas(masks).sum() == pytest.approx(1)
    order = [2, 0, 1]
    assert shared_areas(masks[order]).tolist() == shared_areas(masks)[order].tolist()
    assert shared_areas(np.zeros((0, 4, 5), bool)).shape == (0,)


# --- further distortions -------------------------------------------------------------------


def several(*likely: float, named: int = 7, first: int = 7, **more) -> Predictions:
    """One region whose target is named 7 or as told; `likely` are P(it suffers 7, 8, 9 …)."""
    distortion, shown = np.zeros((2, 1, 15)), np.zeros((2, 1, 15))
    distortion[0, 0, 0] = distortion[1, 0, named] = 1
    shown[1, 0, first : first + len(likely)] = likely
    return one_region(distortion=distortion, present=shown, **more)


def also(predictions: Predictions, **decoding) -> list[tuple[str, float | None, str]]:
    region = decode(predictions, DEFAULT_VOCABULARY, None, Decoding(**decoding)).regions[0]
    assert region.anchor.also == ()
    return [(f.label, f.probability, f.severity) for f in region.target.also]


def test_further_distortions_are_those_from_the_threshold_on_the_most_probable_first():
    # 7, the node's own, is never among them: blur. 8 haze, 9 rain, 10 saturate_inc.
    shares = (1.0, 0.5, 0.75, 0.4999999)
    found = [("rain", 0.75, "minor"), ("haze", 0.5, "minor"), ("saturate_inc", 0.5, "minor")]
    assert also(several(*shares)) == found  # .4999999 is .5 to six decimals, as a reader sees it
    assert also(several(*shares), also_threshold=0.6) == found[:1]
    assert also(several(*shares), also_threshold=0.75) == found[:1]
    assert also(several(*shares), also_threshold=0.8) == []


def test_a_further_distortion_has_its_own_most_probable_severity_the_lower_on_a_tie():
    severity = one_region().severity_given.copy()
    severity[1, 0, 8] = 0, 0.2, 0.3, 0.5
    severity[1, 0, 9] = 0, 0.2, 0.4, 0.4
    found = also(several(1.0, 0.9, 0.8, severity_given=severity))
    assert found == [("haze", 0.9, "severe"), ("rain", 0.8, "moderate")]


def test_nothing_is_listed_beside_clean_and_clean_is_never_listed():
    assert also(several(1.0, 1.0, named=0)) == []
    listed = [label for label, *_ in also(several(*[1.0] * 15, first=0))]
    assert listed == [x for x in DEFAULT_VOCABULARY.distortions if x not in ("clean", "blur")]


def test_a_model_that_does_not_say_lists_nothing():
    region = decode(one_region(), DEFAULT_VOCABULARY).regions[0]
    assert region.anchor.also == region.target.also == ()
    assert region.target.opinion is None
    named = np.full((2, 1), 7)
    assert not choose_further(one_region(), named, DEFAULT_VOCABULARY, 0.0).any()


def test_equal_regions_list_the_same_on_both_sides():
    shown = np.zeros((2, 1, 15))
    shown[0, 0, 8], shown[1, 0, 8] = 0.9, 0.3
    blurred = np.zeros((2, 1, 15))
    blurred[:, 0, 7] = 1
    equal = one_region(distortion=blurred, present=shown).where_equal(np.array([True]))
    region = decode(equal, DEFAULT_VOCABULARY).regions[0]
    assert region.anchor.also == region.target.also
    assert [(f.label, f.probability) for f in region.target.also] == [("haze", 0.6)]


# --- opinion -------------------------------------------------------------------------------

MAPS = OpinionMaps(
    common=((0.2, 0.1), (0.6, 0.5), (0.9, 0.7)),
    by_distortion={"blur": ((0.5, 0.0), (1.0, 1.0)), "noise": ((0.3, 0.4),)},
)


def test_an_opinion_is_linear_between_the_points_of_its_label_and_constant_beyond():
    scores = (0.0, 0.2, 0.5, 0.9, 1.0)
    assert [round(MAPS.opinion(s), 9) for s in scores] == [0.1, 0.1, 0.4, 0.7, 0.7]
    assert [MAPS.opinion(s, "haze") for s in scores] == [MAPS.opinion(s) for s in scores]
    assert [round(MAPS.opinion(s, "blur"), 9) for s in scores] == [0, 0, 0, 0.8, 1]
    assert [MAPS.opinion(s, "noise") for s in scores] == [0.4] * 5


def test_regions_have_the_opinion_of_their_label_and_a_scene_without_areas_the_common_one():
    predictions = several(1.0, score=[[1.0], [0.9]], scene_score=[0.9, 0.5])
    decoded = decode(predictions, DEFAULT_VOCABULARY, None, Decoding(opinion=MAPS))
    region = decoded.regions[0]
    assert (region.anchor.opinion, region.target.opinion) == (0.7, 0.8)
    assert (decoded.scene.anchor.opinion, decoded.scene.target.opinion) == (0.7, 0.4)
    plain = decode(predictions, DEFAULT_VOCABULARY)
    assert (region.target.score, region.comparison) == (0.9, plain.regions[0].comparison)
    assert decoded.scene.comparison == plain.scene.comparison


def test_a_whole_picture_has_the_opinions_of_its_labels_by_their_area():
    both = 0.25 * MAPS.opinion(0.9, "blur") + 0.5 * MAPS.opinion(0.9, "noise")
    rest = 0.25 * MAPS.opinion(0.9)
    assert MAPS.of_picture(0.9, {"blur": 0.25, "noise": 0.5}) == pytest.approx(both + rest)
    assert MAPS.of_picture(0.9, {"noise": 1.0}) == MAPS.opinion(0.9, "noise")
    # Half of the target is blurred, and its blur at .5 is nothing that anyone likes.
    predictions = several(1.0, scene_score=[0.9, 0.5])
    scene = decode(predictions, DEFAULT_VOCABULARY, [0.5], Decoding(opinion=MAPS)).scene
    assert scene.target.opinion == 0.5 * 0.0 + 0.5 * 0.4


@st.composite
def opinion_maps(draw):
    unit = st.floats(0, 1)
    scores = sorted(draw(st.sets(unit, min_size=1, max_size=6)))
    opinions = sorted(draw(st.lists(unit, min_size=len(scores), max_size=len(scores))))
    return OpinionMaps(common=tuple(zip(scores, opinions, strict=True)))


@given(opinion_maps(), st.floats(0, 1), st.floats(0, 1))
def test_a_higher_score_never_has_a_lower_opinion(maps, one, other):
    low, high = (
        decode(
            one_region(scene_score=[score, score]), DEFAULT_VOCABULARY, None, Decoding(opinion=maps)
        )
        for score in sorted((one, other))
    )
    worse, better = (present(decoded.scene.anchor.opinion) for decoded in (low, high))
    assert 0 <= worse <= better <= 1
    assert low.regions == high.regions


# --- faults --------------------------------------------------------------------------------


def test_another_vocabulary_is_a_mismatch():
    with pytest.raises(ModelError, match="vocabulary mismatch: the model has 15 distortions, 4 "):
        decode(one_region(), vocabulary_of(4, 4, 2, 0))


def test_severity_rows_must_keep_clean_apart():
    severity = one_region().severity_given.copy()
    severity[1, 0, 7] = 0.2, 0.8, 0, 0
    with pytest.raises(ModelError, match="must be 1 for the distortion 'clean' and 0 for every"):
        decode(one_region(severity_given=severity), DEFAULT_VOCABULARY)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"score": [[1.0, 0.9]]}, r"score must be \(2, 1\), got \(1, 2\)"),
        ({"score": [[float("nan")], [1.0]]}, r"score must be finite numbers in \[0, 1\]"),
        ({"score": [[1.1], [1.0]]}, r"score must be finite numbers in \[0, 1\]"),
        ({"comparison": [[0.1, 0.1, 0.1, 0.1, 0.1]]}, "comparison must sum to 1, .* off by 0.5"),
        ({"comparison": [[0.5, 0.5]]}, r"comparison must be \(1, 5\)"),
        ({"severity_given": np.zeros((2, 1, 15))}, r"severity_given must be \(2, R, D, S\)"),
        ({"scene_score": [1.0]}, r"scene_score must be \(2,\)"),
    ],
)
def test_predictions_are_checked(changes, says):
    with pytest.raises(ModelError, match=says):
        one_region(**changes)


def test_float32_rounding_is_clipped_and_arrays_are_read_only():
    p = one_region(score=np.array([[1.0000005], [-0.0]], np.float32))
    assert p.score.tolist() == [[1.0], [0.0]]
    assert math.copysign(1, p.score[1, 0]) == 1
    with pytest.raises(ValueError, match="read-only"):
        p.score[0] = 0.5


def test_reorder_and_areas_are_checked():
    p = predictions_of(DEFAULT_VOCABULARY, 3, 1, False)
    assert p.reorder([2, 0]).n_regions == 2
    assert p.reorder([2, 0]).score.tolist() == p.score[:, [2, 0]].tolist()
    for bad in ([3], [-1]):
        with pytest.raises(ModelError, match="region indices must be 0…2"):
            p.reorder(bad)
    with pytest.raises(ModelError, match=r"areas must be \(3,\) or \(2, 3\)"):
        decode(p, DEFAULT_VOCABULARY, [0.1, 0.2])
