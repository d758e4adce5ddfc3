"""Figures of benchmarks/found_distortions.py: pixels, pooled IoU, and one row from end to end."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from skimage import data as pictures

pytest.importorskip("scipy", reason="needs the dev extra")
BENCHMARKS = Path(__file__).parent.parent / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

from found_distortions import (  # noqa: E402
    TRUE_REGIONS,
    Case,
    Row,
    even_cases,
    hard_cases,
    judge,
    mean_iou,
)

from distortion_graph.bench.protocol import BenchPicture  # noqa: E402
from distortion_graph.masks.container import RegionSet  # noqa: E402
from distortion_graph.predict.session import Model  # noqa: E402

RGB = np.ascontiguousarray(pictures.chelsea()[20:148, 60:252])
MASKS = RegionSet.grid(RGB.shape[:2], 1, 2).masks()


def test_iou_is_scikit_learns_jaccard_score():
    metrics = pytest.importorskip("sklearn.metrics", reason="needs the dev extra")
    rng = np.random.default_rng(0)
    truth, found = rng.integers(0, 4, (2, 2, 30, 40))
    row = Row(5)
    row.add(truth[:, :15].astype(np.uint8), found[:, :15].astype(np.uint8), 3, (1.0, 2.0))
    row.add(truth[:, 15:].astype(np.uint8), found[:, 15:].astype(np.uint8), 5, (3.0, 4.0))
    figures = row.figures()
    expected = metrics.jaccard_score(truth.ravel(), found.ravel(), average="macro")
    assert figures["IoU"][0] == pytest.approx(expected)
    assert figures["each"][0] == pytest.approx((truth == found).mean())
    assert figures["both"][0] == pytest.approx((truth == found).all(0).mean())
    assert (figures["regions"], figures["seconds"], figures["processor"]) == (4, 2, 3)


def test_weights_count_pictures_that_often():
    confusion = np.random.default_rng(1).integers(1, 9, (2, 3, 3)).astype(float)
    twice = mean_iou(confusion, np.array([[2.0, 1.0]]))
    pooled = mean_iou(confusion[[0, 0, 1]], np.ones((1, 3)))
    assert twice == pytest.approx(pooled)


def test_every_picture_gives_one_hard_pair_and_three_even_ones():
    picture = BenchPicture("cat", RGB, MASKS[:1], (1,))
    [case] = hard_cases([picture])
    assert case.truth.shape == (2, *RGB.shape[:2])
    assert (case.truth[:, ~MASKS[0]] == 0).all()
    assert [kind for kind, _ in even_cases([picture])] == [
        "beside itself",
        "beside JPEG 90",
        "one distortion all over",
    ]


def test_a_noisy_half_is_found_and_true_regions_are_right():
    noisy = RGB.copy()
    noise = np.random.default_rng(0).normal(0, 35, RGB.shape)
    noisy[MASKS[1]] = np.clip(RGB + noise, 0, 255).astype(np.uint8)[MASKS[1]]
    model = Model.load()
    truth = np.zeros((2, *RGB.shape[:2]), np.uint8)
    truth[1][MASKS[1]] = model.vocabulary.distortion_index("noise")
    case = Case("cat", RGB, noisy, truth, RegionSet.from_masks(MASKS))
    for source, least in ((TRUE_REGIONS, 1.0), ("distortions", 0.95)):
        row = Row(len(model.vocabulary.distortions))
        judge(model, case, source, row)
        assert row.both[0] >= least and row.regions == [2]
