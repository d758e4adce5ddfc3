"""What checkpoints are chosen by is the mean of the four headline figures."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the train extra")

from scipy.stats import spearmanr  # noqa: E402
from skimage import data as pictures  # noqa: E402

from distortion_graph.bench.protocol import bench_picture, samples_of  # noqa: E402
from distortion_graph.datasets.pictures import CleanPicture  # noqa: E402
from distortion_graph.model.config import NetworkConfig  # noqa: E402
from distortion_graph.model.network import DistortionGraphNet  # noqa: E402
from distortion_graph.model.predict import TorchPredictor  # noqa: E402
from distortion_graph.predict.decode import decode  # noqa: E402
from distortion_graph.training.held_out import HeldOutScore  # noqa: E402


def test_the_mean_of_the_four_figures_counted_by_hand():
    labels = np.ones((48, 64), np.uint16)
    labels[:, 20:], labels[:, 40:] = 2, 3
    rgb = np.ascontiguousarray(pictures.chelsea()[50:98, 80:144])
    clean = [CleanPicture(name, rgb, (labels,)) for name in ("a", "b")]
    torch.manual_seed(0)
    network = DistortionGraphNet(NetworkConfig())
    found = HeldOutScore(clean)(network)

    words = network.config.vocabulary
    hits: dict[str, list[Any]] = {"distortion": [], "severity": [], "comparison": []}
    scores: list[list[Any]] = [[], []]
    for sample in samples_of([bench_picture(p) for p in clean], "hard"):
        prediction = TorchPredictor(network).predict(sample.anchor, sample.target, sample.masks)
        for k, region in enumerate(decode(prediction, words).regions):
            for side, node in enumerate((region.anchor, region.target)):
                true = sample.labels
                label = words.distortions[true.distortion[side, k]]
                hits["distortion"].append(node.distortion.label == label)
                label = words.severities[true.severity[side, k]]
                hits["severity"].append(node.severity.label == label)
                scores[side].append((true.score[side, k], node.score))
            label = words.comparison_labels[sample.labels.comparison[k]]
            hits["comparison"].append(region.comparison.label == label)
    srcc = np.mean([spearmanr(*zip(*side, strict=True)).statistic for side in scores])
    expected = np.mean([*(np.mean(h) for h in hits.values()), srcc])
    assert found == pytest.approx(expected)
