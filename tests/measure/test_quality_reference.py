"""Scores against one clean picture, worked out once, are those of the plain functions."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference_haarpsi import blocks_and_noise

from distortion_graph.base.errors import ImageError, RegionError
from distortion_graph.masks.masks import as_masks
from distortion_graph.measure import haar
from distortion_graph.measure.quality import (
    HAARPSI,
    HaarReference,
    haarpsi,
    region_scores,
    scene_score,
    score_masks,
)


@given(
    st.integers(1, 60), st.integers(1, 60), st.integers(0, 4), st.floats(0, 60), st.integers(0, 9)
)
def test_scores_are_the_functions_to_the_bit(height, width, regions, sigma, seed):
    clean, first = blocks_and_noise(seed, height, width, sigma)
    second = np.ascontiguousarray(first[::-1, ::-1])
    masks = np.random.default_rng(seed).random((regions, height, width)) < 0.4
    reference = HAARPSI.against(clean)
    for degraded in (first, second, clean):
        expected = region_scores(clean, degraded, masks)
        assert reference.region_scores(degraded, masks).tolist() == expected.tolist()
        assert reference.scene_score(degraded) == scene_score(clean, degraded)


def test_strips_make_no_difference():
    clean, noisy = blocks_and_noise(0, 120, 100, 30.0)
    reference, expected = HaarReference(clean, 500), haarpsi(clean, noisy, 500)
    assert reference.scene_score(noisy) == expected
    masks = np.ones((1, 120, 100), bool)
    assert reference.region_scores(noisy, masks)[0] == expected


def test_the_clean_pictures_maps_are_worked_out_once(monkeypatch):
    clean, noisy = blocks_and_noise(0, 64, 96, 12.0)
    seen = []
    work = haar.window_planes
    monkeypatch.setattr(haar, "window_planes", lambda rgb, *w: (seen.append(rgb), work(rgb, *w))[1])  # type: ignore[func-returns-value]
    reference = HaarReference(clean)
    masks = np.ones((2, 64, 96), bool)
    for _ in range(3):
        reference.region_scores(noisy, masks)
        reference.scene_score(noisy)
    assert sum(rgb is clean for rgb in seen) == 1


def test_errors_are_the_functions():
    clean, noisy = blocks_and_noise(0, 8, 10, 12.0)
    reference = HaarReference(clean)
    with pytest.raises(RegionError, match=r"masks must be \(R, 8, 10\) bool"):
        reference.region_scores(noisy, np.ones((1, 8, 9), bool))
    for score in (reference.scene_score, lambda a: reference.region_scores(a, np.ones((0, 8, 9)))):  # type: ignore[arg-type]
        with pytest.raises(ImageError, match="pictures of unequal size: 10×8 and 9×8"):
            score(noisy[:, :9])
    with pytest.raises(ImageError, match="first picture: found float64"):
        HaarReference(clean.astype(float)).scene_score(noisy)


def test_a_metric_with_its_own_functions_alone_is_scored_by_them():
    plain = dataclasses.replace(HAARPSI, prepare=None)
    clean, noisy = blocks_and_noise(0, 33, 40, 12.0)
    masks = np.ones((1, 33, 40), bool)
    first, second = plain.against(clean), HAARPSI.against(clean)
    assert not isinstance(first, HaarReference) and isinstance(second, HaarReference)
    assert first.scene_score(noisy) == second.scene_score(noisy)
    assert first.region_scores(noisy, masks) == second.region_scores(noisy, masks)
    assert "prepare" not in HAARPSI.describe()


@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 4), st.integers(0, 9))
def test_regions_scored_one_by_one_have_the_scores_of_all_at_once(height, width, regions, seed):
    clean, degraded = blocks_and_noise(seed, height, width, 20.0)
    masks = np.random.default_rng(seed).random((regions, height, width)) < 0.4
    masks[:, 0, 0] = True
    found = score_masks(HAARPSI.against(clean), degraded, as_masks(masks))
    assert found.tolist() == region_scores(clean, degraded, masks).tolist()
