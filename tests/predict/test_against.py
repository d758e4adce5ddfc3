"""One picture beside its original: what is measured, what is clean by definition, and pairs."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from skimage import data as pictures

from distortion_graph import Model, load_picture
from distortion_graph.base.errors import ImageError, RecipeError
from distortion_graph.base.vocabulary import fine_scale
from distortion_graph.graph.build import shared_areas
from distortion_graph.masks.container import RegionSet
from distortion_graph.measure.quality import HAARPSI, FullReferenceMetric, region_scores
from distortion_graph.predict.against import Original, judge, judged_nodes, pair_predictions
from distortion_graph.predict.answers import on_scale
from distortion_graph.predict.asked import AskedBeside, AskedPair
from distortion_graph.predict.canonical import predict_canonically
from distortion_graph.predict.decode import decode
from distortion_graph.synth.pairs import make_pair

CLEAN = np.ascontiguousarray(pictures.chelsea()[20:148, 60:252])
REGIONS = RegionSet.grid(CLEAN.shape[:2], 2, 3)
PAIR = make_pair(CLEAN, REGIONS, tag="cat", seed=5)
ORIGINAL = load_picture(CLEAN)
ANCHOR, TARGET = load_picture(PAIR.anchor.image), load_picture(PAIR.target.image)


@pytest.fixture(scope="module")
def model():
    return Model.load(threads=1)


@pytest.fixture(scope="module")
def original():
    return Original(ORIGINAL)


@pytest.fixture(scope="module")
def judged(model, original):
    return judge(model, original, ANCHOR, REGIONS)


def test_scores_are_the_metrics_and_labels_those_of_the_pair_with_the_original(model, judged):
    expected = region_scores(CLEAN, ANCHOR.rgb, REGIONS.masks())
    assert judged.score.tolist() == expected.tolist() and (expected < 1).any()
    assert judged.scene_score == HAARPSI.scene_score(CLEAN, ANCHOR.rgb)
    said = predict_canonically(model, ORIGINAL, ANCHOR, REGIONS, original=0)
    touched = expected < 1
    assert np.array_equal(judged.distortion[touched], said.distortion[1][touched])
    assert np.array_equal(judged.severity_given, said.severity_given[1])


def test_a_region_that_equals_the_original_is_clean(model, original):
    patched = CLEAN.copy()
    patched[:, 64:] = cv2.GaussianBlur(CLEAN, (0, 0), 3)[:, 64:]
    judged = judge(model, original, load_picture(patched), REGIONS)
    clean = model.vocabulary.clean_index
    untouched = np.arange(6) % 3 == 0  # the left column
    assert judged.distortion[untouched, clean].tolist() == [1, 1]
    assert judged.score[untouched].tolist() == [1, 1] and (judged.score[~untouched] < 1).all()
    assert judged.known is not None and judged.known[untouched].tolist() == [1, 1]
    labels = [n.distortion.label for n in judged_nodes(judged, model.vocabulary, model.decoding)]
    assert labels == ["clean", "blur", "blur"] * 2


def test_the_original_itself_is_clean_all_over_without_a_look(original):
    class Unused:
        vocabulary = Model.load().vocabulary
        takes_reference = False

    judged = judge(Unused(), original, load_picture(CLEAN.copy()), REGIONS)  # type: ignore[arg-type]
    nodes = judged_nodes(judged, Unused.vocabulary)
    assert [(n.distortion.label, n.severity.label, n.score) for n in nodes] == [
        ("clean", "clean", 1)
    ] * len(REGIONS)
    assert {n.distortion.probability for n in nodes} == {1} and judged.scene_score == 1


@pytest.mark.parametrize("takes", [True, False])
def test_a_model_that_takes_a_reference_is_told_which_it_is(model, original, takes):
    told = []

    class Told:
        vocabulary, takes_reference = model.vocabulary, takes

        def predict(self, anchor, target, masks, original=None):
            shown = (anchor, target)
            told.append(None if original is None else np.array_equal(shown[original], CLEAN))
            return model.predict(anchor, target, masks)

    judge(Told(), original, ANCHOR, REGIONS)  # type: ignore[arg-type]
    judge(Told(), original, TARGET, REGIONS)  # type: ignore[arg-type]
    assert told == ([True, True] if takes else [None, None])


def test_permuting_the_regions_permutes_the_answer_to_the_bit(model, original, judged):
    order = np.random.default_rng(0).permutation(len(REGIONS))
    moved = judge(model, original, ANCHOR, REGIONS.reorder(order))
    for name in ("distortion", "severity_given", "score", "known"):
        assert np.array_equal(getattr(moved, name), getattr(judged, name)[order]), name


def test_a_pair_is_two_pictures_judged_alone(model, original, judged):
    other = judge(model, original, TARGET, REGIONS)
    spread = HAARPSI.spread
    forth = pair_predictions(judged, other, model.vocabulary, spread)
    back = pair_predictions(other, judged, model.vocabulary, spread)
    assert np.array_equal(forth.swapped().comparison, back.comparison)
    masks = REGIONS.lazy_masks()
    said = decode(forth, model.vocabulary, shared_areas(masks), model.decoding, by_margin=True)
    answer = AskedBeside(model, ANCHOR, TARGET, (original, original)).answer(REGIONS, masks)
    whole = decode(
        answer.predictions, model.vocabulary, shared_areas(masks), model.decoding, by_margin=True
    )
    assert said == whole
    assert [r.anchor for r in said.regions] == judged_nodes(
        judged, model.vocabulary, model.decoding
    )
    assert [r.comparison.label for r in said.regions] == [
        model.vocabulary.compare_scores(r.anchor.score or 0, r.target.score or 0).label
        for r in said.regions
    ]
    assert answer.scores.model_dump() == {"metric": "haarpsi", "source": "measured"}


def test_equal_regions_of_two_damaged_pictures_are_the_same_for_certain(model, original):
    second = load_picture(np.where(np.arange(192)[:, None] < 64, ANCHOR.rgb, TARGET.rgb))
    masks = REGIONS.lazy_masks()
    answer = AskedBeside(model, ANCHOR, second, (original, original)).answer(REGIONS, masks)
    said = decode(answer.predictions, model.vocabulary, by_margin=True)
    left = said.regions[0]
    assert left.anchor == left.target and left.anchor.distortion.label != "clean"
    assert (left.comparison.label, left.comparison.probability) == ("same", 1)
    assert left.comparison.margin == 0


def test_a_metric_that_leaves_the_unit_interval_is_named(model):
    double = replace(
        HAARPSI,
        name="double",
        prepare=None,
        region_scores=lambda a, b, masks: 2 * region_scores(a, b, masks),
    )
    with pytest.raises(RecipeError) as caught:
        judge(model, Original(ORIGINAL, double), ANCHOR, REGIONS)
    assert str(caught.value).startswith("metric 'double': gave the score 1.")
    assert str(caught.value).endswith("expected one from 0 to 1")


def test_a_metric_of_someone_elses_is_taken_and_its_spread_too(model):
    def one(a, b, mask):
        return 1 - float(np.abs(a[mask].astype(float) - b[mask]).mean()) / 255

    sameness = FullReferenceMetric(
        name="sameness",
        version="1",
        range=(0.0, 1.0),
        direction="higher_is_better",
        licence="CC0-1.0",
        region_scores=lambda a, b, masks: np.array([one(a, b, mask) for mask in masks]),
        scene_score=lambda a, b: one(a, b, np.ones(a.shape[:2], bool)),
        pooling="mean over the mask's pixels",
    )
    own = Original(ORIGINAL, sameness)
    answer = AskedBeside(model, ANCHOR, TARGET, (own, own)).answer(REGIONS)
    assert answer.scores.metric == "sameness"
    assert answer.predictions.score[0, 0] == pytest.approx(
        one(CLEAN, ANCHOR.rgb, REGIONS.masks()[0]), abs=1e-6
    )
    assert set(np.unique(answer.predictions.comparison)) == {0, 1}  # its spread is 0


def test_an_original_of_another_size_is_refused(model):
    small = Original(load_picture(np.ascontiguousarray(CLEAN[:-1])))
    with pytest.raises(ImageError, match="unequal size"):
        judge(model, small, ANCHOR, REGIONS)


def test_without_an_original_the_fine_scale_follows_from_predicted_margins(model):
    asked, fine = AskedPair(model, ANCHOR, TARGET), fine_scale(model.vocabulary)
    plain = asked.answer(REGIONS)
    answer = asked.answer(REGIONS, scale="fine")
    assert (plain.by_margin, answer.by_margin) == (False, True)
    assert answer.vocabulary == fine and answer.scores.source == "predicted"
    assert np.array_equal(answer.predictions.score, plain.predictions.score)
    again = on_scale(plain.predictions.swapped(), model.vocabulary, fine)
    assert np.array_equal(again.comparison, answer.predictions.swapped().comparison)
    # Both scales have a step at .1, and as much lies above it, or nearly: no normal fits all five.
    coarse, finer = plain.predictions.comparison, answer.predictions.comparison
    assert coarse[:, 3:].sum(1) == pytest.approx(finer[:, 6], abs=0.2)
