"""P(known): Mahalanobis distances, weights of a logistic regression, and what it is shown."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the train extra")
for needed in ("accelerate", "yaml"):
    pytest.importorskip(needed, reason="needs the train extra")

from scipy.optimize import minimize  # noqa: E402
from scipy.spatial.distance import mahalanobis  # noqa: E402
from skimage import data as photographs  # noqa: E402

from distortion_graph.bench.clean_pairs import CleanSample  # noqa: E402
from distortion_graph.bench.protocol import bench_picture, samples_of  # noqa: E402
from distortion_graph.datasets.pictures import CleanPicture  # noqa: E402
from distortion_graph.model.config import NetworkConfig  # noqa: E402
from distortion_graph.model.heads import NodeHeads  # noqa: E402
from distortion_graph.model.network import DistortionGraphNet  # noqa: E402
from distortion_graph.training import familiarity  # noqa: E402
from distortion_graph.training.architectures import architecture  # noqa: E402
from distortion_graph.training.checkpoint import save_network  # noqa: E402
from distortion_graph.training.config import TrainingConfig  # noqa: E402
from distortion_graph.training.familiarity import (  # noqa: E402
    KnownFeatures,
    fit_familiarity,
    make_strange,
    strange_pairs,
)
from distortion_graph.training.starting import first_network  # noqa: E402

WIDTH = 16


@pytest.fixture
def nodes():
    torch.manual_seed(0)
    return NodeHeads(NetworkConfig(width=WIDTH, heads=2)).eval()


@pytest.fixture
def known():
    """600 nodes of three labels, each spread about its own centre along skew axes."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 600) * 4
    skew = rng.normal(size=(WIDTH, WIDTH))
    return rng.normal(0, 5, (15, WIDTH))[labels] + rng.normal(size=(600, WIDTH)) @ skew, labels


def tensors(*arrays):
    return [torch.from_numpy(np.asarray(a, np.float32)) for a in arrays]


def given(features, labels, clean=None, unknown=None):
    """What `fit_familiarity` takes; no clean pictures and no outliers unless they are given."""
    none = np.zeros((0, WIDTH))
    h, c, u = tensors(
        features, none if clean is None else clean, none if unknown is None else unknown
    )
    return KnownFeatures(h, torch.from_numpy(labels), c, u)


def distances(features, asked, labels):
    """Squared Mahalanobis distances of `asked` to the nearest mean of a label, by SciPy."""
    means = {k: features[labels == k].mean(0) for k in np.unique(labels)}
    rest = features - np.array([means[k] for k in labels])
    covariance = rest.T @ rest / len(rest)
    covariance += 0.01 * np.trace(covariance) / WIDTH * np.eye(WIDTH)
    inverse = np.linalg.inv(covariance)
    return np.array([min(mahalanobis(x, m, inverse) for m in means.values()) ** 2 for x in asked])


def second_sign(nodes, asked):
    (h,) = tensors(asked)
    signs = nodes.familiarity.signs(h, *nodes.learned(h))
    return np.expm1(signs[:, 1].detach().numpy()) * WIDTH


def test_unfitted_it_is_what_was_learned(nodes, known):
    (h,) = tensors(known[0])
    learned, log_p = nodes.learned(h)
    assert torch.allclose(nodes.familiarity(h, learned, log_p), torch.sigmoid(learned))


def test_the_second_sign_is_the_distance_of_mahalanobis_to_the_nearest_label(nodes, known):
    features, labels = known
    fit_familiarity(nodes, given(features, labels))
    asked = np.random.default_rng(1).normal(0, 6, (40, WIDTH))
    expected = distances(features, asked, labels)
    assert second_sign(nodes, asked) == pytest.approx(expected, rel=2e-3)


def test_clean_pictures_have_a_scatter_of_their_own_and_the_nearer_one_counts(nodes, known):
    features, labels = known
    rng = np.random.default_rng(3)
    clean = rng.normal(20, 0.3, WIDTH) + rng.normal(size=(300, WIDTH)) * np.linspace(0.1, 2, WIDTH)
    fit_familiarity(nodes, given(features, labels, clean))
    asked = np.concatenate([rng.normal(0, 6, (20, WIDTH)), clean[:20] + 0.1])
    here = distances(clean, asked, np.zeros(len(clean)))
    there = distances(features, asked, labels)
    assert (here < there)[20:].all() and (there < here)[:20].all()
    found = second_sign(nodes, asked)
    assert found == pytest.approx(np.minimum(here, there), rel=1e-2)


def test_the_weights_are_those_of_a_balanced_logistic_regression(nodes, known):
    features, labels = known
    strange = features[:150] + np.random.default_rng(2).normal(0, 4, (150, WIDTH))
    h, other = tensors(features, strange)
    said, _ = fit_familiarity(nodes, given(features, labels, unknown=strange))
    familiarity = nodes.familiarity
    with torch.no_grad():
        x, z = (familiarity.signs(t, *nodes.learned(t)).double().numpy() for t in (h, other))

    def loss(w):
        inside, outside = w[0] + x @ w[1:], w[0] + z @ w[1:]
        fit = np.logaddexp(0, -inside).mean() / 2 + np.logaddexp(0, outside).mean() / 2
        return fit + 0.5e-3 * (w @ w)

    best = minimize(loss, np.zeros(4), tol=1e-12).x
    assert familiarity.weights.numpy() == pytest.approx(best, rel=1e-3, abs=1e-3)
    with torch.no_grad():
        unknown = familiarity(other, *nodes.learned(other)).numpy()
    assert said.mean() > unknown.mean() + 0.2


def test_without_outliers_it_stays_what_was_learned(nodes, known):
    features, labels = known
    (h,) = tensors(features)
    said, said_of_clean = fit_familiarity(nodes, given(features, labels))
    assert said_of_clean.shape == (0,)
    assert said == pytest.approx(torch.sigmoid(nodes.learned(h)[0]).detach().numpy(), abs=1e-6)


def test_outliers_take_the_place_of_clean_regions_and_of_nothing_else():
    rgb = np.ascontiguousarray(photographs.coffee()[:160, :200])
    labels = (np.mgrid[:160, :200].sum(0) // 30 + 1).astype(np.uint16)
    pictures = [bench_picture(CleanPicture("c", rgb, (labels,)))]
    changed = 0
    for seed in range(3):
        for sample in samples_of(pictures, "hard", seed=seed):
            strange = make_strange(sample, 0, np.random.default_rng(seed))
            assert (strange.where == (sample.labels.distortion == 0)).all()
            for side, (before, after) in enumerate(
                [(sample.anchor, strange.anchor), (sample.target, strange.target)]
            ):
                differs = (before != after).any(2)
                inside = sample.masks[strange.where[side]].any(0)
                assert not (differs & ~inside).any()
                changed += int(differs.sum())
    assert changed > 1000


def test_what_calibration_shows_are_strangers(monkeypatch):
    rgb = np.ascontiguousarray(photographs.coffee()[:160, :200])
    labels = (np.mgrid[:160, :200].sum(0) // 30 + 1).astype(np.uint16)
    monkeypatch.setattr(familiarity, "STRANGERS", (lambda image, rng: 255 - image,))
    for sample in samples_of([bench_picture(CleanPicture("c", rgb, (labels,)))], "hard"):
        strange = make_strange(sample, 0, np.random.default_rng(0))
        inside = sample.masks[strange.where[0]].any(0)
        assert (strange.anchor[inside] == 255 - sample.anchor[inside]).all()


def test_outliers_all_over_stand_beside_all_that_clean_pictures_stand_beside():
    rgb = np.ascontiguousarray(photographs.coffee()[:96, :120])
    labels = (np.mgrid[:96, :120].sum(0) // 30 + 1).astype(np.uint16)
    sample = next(samples_of([bench_picture(CleanPicture("c", rgb, (labels,)))], "hard"))
    made = list(strange_pairs(CleanSample(rgb, sample), np.random.default_rng(0)))
    assert len(made) == 6
    for k, (strange, other) in enumerate(made):
        assert (strange != rgb).any()
        beside = (sample.target, rgb, strange)[k % 3]
        assert (other == beside).all()
    assert (made[0][0] != made[3][0]).any()


def test_training_forgets_what_calibration_found(tmp_path):
    network = DistortionGraphNet(NetworkConfig(width=32, layers=1, heads=2))
    nodes = network.head.nodes
    with torch.no_grad():
        nodes.temperature.fill_(2)
        nodes.known_threshold.fill_(0.5)
        nodes.familiarity.weights.fill_(3)
        network.head.comparison.temperature.fill_(2)
    save_network(tmp_path / "net", network, network.state_dict())
    config = TrainingConfig(network=network.config, start_from=tmp_path / "net")
    again, _ = first_network(config, architecture("lite0"), print)
    head: Any = again.head
    assert head.nodes.temperature.tolist() == [1, 1] and head.comparison.temperature == 1
    assert head.nodes.known_threshold == 0
    assert head.nodes.familiarity.weights.tolist() == [0, 1, 0, 0]
