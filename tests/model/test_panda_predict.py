"""`panda` as a predictor: what its heads say, and the graph's form of it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="needs the train extra")
pytest.importorskip("transformers", reason="needs the segment extra")

from tiny_panda import tiny_dinov2, tiny_panda  # noqa: E402

from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY as WORDS  # noqa: E402
from distortion_graph.model import panda  # noqa: E402
from distortion_graph.model.backbones import TransformersBackbone  # noqa: E402
from distortion_graph.model.panda.predict import HeadAnswers, to_predictions  # noqa: E402
from distortion_graph.predict.decode import decode  # noqa: E402

D, S, C = len(WORDS.distortions), len(WORDS.severities), len(WORDS.comparisons)


@pytest.fixture(scope="module")
def predictor():
    return panda.PandaPredictor(
        tiny_panda(TransformersBackbone(tiny_dinov2(), source="tiny")), name="tiny"
    )


def pair(height=70, width=90):
    rng = np.random.default_rng(0)
    return tuple(rng.integers(0, 256, (height, width, 3), dtype=np.uint8) for _ in range(2))


def masks(regions, height=70, width=90):
    return np.random.default_rng(1).random((regions, height, width)) < 0.4


def answers(rng, regions, sharpness):
    def probabilities(*shape):
        x = np.exp(sharpness * rng.normal(size=shape))
        return x / x.sum(-1, keepdims=True)

    return HeadAnswers(
        probabilities(2, regions + 1, D),
        probabilities(2, regions + 1, S),
        rng.normal(0.5, 1, (2, regions + 1)),
        probabilities(regions + 1, C),
    )


@given(st.integers(0, 10**6), st.floats(0.1, 60))
def test_labels_are_the_heads_own_wherever_these_fit_each_other(seed, sharpness):
    heads = answers(np.random.default_rng(seed), 6, sharpness)
    predictions = to_predictions(heads, WORDS)
    distortion, severity = heads.distortion.argmax(-1), heads.severity.argmax(-1)
    decoded = decode(predictions, WORDS)
    for k, region in enumerate(decoded.regions):
        for side, node in enumerate((region.anchor, region.target)):
            d, s = distortion[side, k], severity[side, k]
            if (d == WORDS.clean_index) == (s == 0):
                assert node.distortion.label == WORDS.distortions[d]
                assert node.severity.label == WORDS.severities[s]


def test_heads_that_contradict_each_other_are_settled_by_both():
    # Clean with .5 as a distortion; as a severity with .1, severe with .7.
    distortion, severity = np.full((2, 2, D), 0.2 / (D - 2)), np.full((2, 2, S), 0.1)
    blur = WORDS.distortion_index("blur")
    distortion[..., 0], distortion[..., blur], severity[..., 3] = 0.5, 0.3, 0.7
    heads = HeadAnswers(distortion, severity, np.full((2, 2), 1.5), np.full((2, C), 1 / C))
    predictions = to_predictions(heads, WORDS)
    whole = 0.5 * 0.1 + 0.5 * 0.9
    assert predictions.distortion[0, 0, 0] == pytest.approx(0.5 * 0.1 / whole)
    assert predictions.distortion[0, 0, blur] == pytest.approx(0.3 * 0.9 / whole)
    assert predictions.severity_given[0, 0, blur, 3] == pytest.approx(0.7 / 0.9)
    node = decode(predictions, WORDS).regions[0].anchor
    assert (node.distortion.label, node.severity.label, node.score) == ("blur", "severe", 1)


def test_extreme_heads_still_give_probabilities():
    distortion, severity = np.zeros((2, 2, D)), np.zeros((2, 2, S))
    distortion[..., 0], severity[..., 3] = 1, 1  # surely clean, surely severe
    heads = HeadAnswers(distortion, severity, np.zeros((2, 2)), np.full((2, C), 1 / C))
    assert np.isfinite(to_predictions(heads, WORDS).distortion).all()


def test_the_scene_is_the_whole_picture_as_one_more_region_after_the_others(predictor):
    for regions in (0, 2, 5, 7):  # the pool has 5 entries
        shown = masks(regions)
        found = predictor.predict(*pair(), shown)
        assert found.n_regions == regions
        whole = np.concatenate([shown, np.ones((1, 70, 90), bool)])
        heads = predictor.heads(*pair(), whole)
        alone = predictor.heads(*pair(), shown)
        assert np.allclose(heads.distortion[:, :regions], alone.distortion, atol=1e-5)
        assert np.array_equal(found.scene_score, np.clip(heads.score[:, -1], 0, 1))
        assert np.array_equal(found.scene_comparison, heads.comparison[-1])
        assert np.array_equal(found.comparison, heads.comparison[:-1])


def test_heads_are_the_networks_and_the_score_is_as_it_is(predictor):
    inputs = panda.prepare_pair(*pair(), masks(3), predictor.network.config.side_px)  # type: ignore[call-arg]
    with torch.inference_mode():
        output = predictor.network(*inputs)
    heads = predictor.heads(*pair(), masks(3))
    expected = torch.softmax(output.distortion[0].double(), -1).numpy()
    assert np.array_equal(heads.distortion, expected)
    assert np.array_equal(heads.score, output.score[0].double().numpy())


def test_the_identity_is_that_of_the_weights(predictor):
    same = panda.PandaPredictor(tiny_panda(predictor.network.backbone), name="tiny")
    assert same.identity == predictor.identity and same.identity.name == "tiny"
    with torch.no_grad():
        same.network.a_token_pool[0, 0, 0] += 1
    changed = panda.PandaPredictor(same.network, name="tiny")
    assert changed.identity.sha256 != predictor.identity.sha256
