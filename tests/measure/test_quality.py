"""HaarPSI and its pooling by region, against golden values and a plain full-frame computation."""

from __future__ import annotations

import dataclasses
import math
import warnings
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from reference_haarpsi import YIQ, blocks_and_noise, naive_cover, naive_pooled

from distortion_graph.base.errors import ImageError, RecipeError, RegionError
from distortion_graph.measure.quality import (
    HAARPSI,
    get_metric,
    haarpsi,
    region_scores,
    register_metric,
    scene_score,
)

# (seed, height, width, noise) and the score by piq 0.8.0 in float64.
GOLDEN = [
    ((0, 64, 96, 12.0), 0.788427),
    ((1, 80, 64, 40.0), 0.464841),
    ((2, 65, 97, 25.0), 0.559479),
    ((3, 128, 128, 80.0), 0.323322),
]


@pytest.fixture(autouse=True)
def numeric_warnings_are_errors() -> Iterator[None]:
    with warnings.catch_warnings(), np.errstate(divide="raise", invalid="raise"):
        warnings.simplefilter("error", RuntimeWarning)
        yield


def naive_region_score(
    clean: NDArray[np.uint8], degraded: NDArray[np.uint8], mask: NDArray[np.bool_]
) -> float:
    composite = np.where(mask[..., None], degraded, clean)
    return naive_pooled(clean, composite, naive_cover(mask))


@pytest.mark.parametrize(("case", "expected"), GOLDEN)
def test_golden_values(case: tuple[int, int, int, float], expected: float) -> None:
    clean, noisy = blocks_and_noise(*case)
    assert haarpsi(clean, noisy) == pytest.approx(expected, abs=2e-6)
    assert scene_score(clean, noisy) == haarpsi(clean, noisy)


@pytest.mark.parametrize(("case", "expected"), GOLDEN)
def test_a_region_of_the_whole_frame_scores_as_the_scene(
    case: tuple[int, int, int, float], expected: float
) -> None:
    clean, noisy = blocks_and_noise(*case)
    whole = np.ones((1, *clean.shape[:2]), dtype=bool)
    assert region_scores(clean, noisy, whole)[0] == haarpsi(clean, noisy)


def test_order_of_the_pictures_does_not_matter() -> None:
    clean, noisy = blocks_and_noise(5, 61, 50, 30.0)
    assert haarpsi(clean, noisy) == haarpsi(noisy, clean)


def border_masks(height: int, width: int) -> NDArray[np.bool_]:
    """Single pixels, edges, corners, the whole frame, a frame without its middle, a speckle."""
    rng = np.random.default_rng(height * 1000 + width)
    masks = []
    for row in (0, height // 2, height - 1):
        for column in (0, width // 3, width - 1):
            mask = np.zeros((height, width), dtype=bool)
            mask[row, column] = True
            masks.append(mask)
    edge = np.ones((height, width), dtype=bool)
    edge[1:-1, 1:-1] = False
    top_left, bottom_right, inner = (np.zeros((height, width), dtype=bool) for _ in range(3))
    top_left[: height // 2 + 1, : width // 3 + 1] = True
    bottom_right[height // 2 :, width // 3 :] = True
    inner[height // 4 : height // 4 + 3, width // 4 : width // 4 + 5] = True
    masks += [edge, top_left, bottom_right, inner, np.ones((height, width), dtype=bool)]
    masks.append(rng.random((height, width)) < 0.2)
    return np.array(masks)


@pytest.mark.parametrize(
    ("height", "width"), [(1, 1), (1, 2), (2, 1), (3, 5), (2, 2), (9, 16), (21, 26), (32, 17)]
)
@pytest.mark.parametrize("sigma", [3.0, 60.0])
def test_windows_equal_the_full_frame(height: int, width: int, sigma: float) -> None:
    clean, noisy = blocks_and_noise(height + width, height, width, sigma)
    masks = border_masks(height, width)
    masks = masks[masks.any(axis=(1, 2))]
    expected = [
        1.0 if np.array_equal(clean[m], noisy[m]) else naive_region_score(clean, noisy, m)
        for m in masks
    ]
    np.testing.assert_allclose(region_scores(clean, noisy, masks), expected, atol=1e-6, rtol=0)


@given(st.integers(1, 24), st.integers(1, 24), st.integers(0, 10**6), st.sampled_from([2, 20, 90]))
def test_windows_equal_the_full_frame_at_random(
    height: int, width: int, seed: int, sigma: float
) -> None:
    clean, noisy = blocks_and_noise(seed, height, width, sigma)
    rng = np.random.default_rng(seed + 1)
    top, bottom = sorted(rng.integers(0, height, 2))
    left, right = sorted(rng.integers(0, width, 2))
    mask = np.zeros((height, width), dtype=bool)
    mask[top : bottom + 1, left : right + 1] = True
    mask &= rng.random(mask.shape) < 0.7
    (score,) = region_scores(clean, noisy, mask[None])
    if np.array_equal(clean[mask], noisy[mask]):
        assert score == 1.0
    else:
        assert score == pytest.approx(naive_region_score(clean, noisy, mask), abs=1e-6)


def test_strips_of_a_large_region_add_up() -> None:
    clean, noisy = blocks_and_noise(3, 201, 33, 30.0)
    masks = border_masks(201, 33)
    at_once = region_scores(clean, noisy, masks), haarpsi(clean, noisy)
    in_strips = region_scores(clean, noisy, masks, 1)
    np.testing.assert_allclose(in_strips, at_once[0], rtol=0, atol=1e-9)
    assert haarpsi(clean, noisy, 1) == pytest.approx(at_once[1], abs=1e-9)


def test_identical_pixels_are_exactly_one_and_neighbours_do_not_leak() -> None:
    clean, noisy = blocks_and_noise(7, 40, 51, 50.0)
    masks = np.zeros((3, 40, 51), dtype=bool)
    masks[0, 5:20, 5:30] = True
    masks[1, 20:, 5:30] = True  # touches the distorted region
    degraded = np.where(masks[0][..., None], noisy, clean)
    scores = region_scores(clean, degraded, masks)
    assert scores[0] < 0.9
    assert scores[1] == 1.0  # unchanged pixels
    assert scores[2] == 1.0  # no pixels
    assert haarpsi(clean, clean.copy()) == 1.0
    # A neighbour's distortion changes nothing, to the bit.
    assert region_scores(clean, noisy, masks)[0] == scores[0]


def test_flat_regions_fall_back_to_the_plain_mean() -> None:
    # 299·26 − 587·8 − 114·27 = 0: the luma stays, so no Haar filter sees anything inside the
    # frame and Σ w is 0 in a region that differs in its chroma alone.
    grey = np.full((60, 60, 3), 100, dtype=np.uint8)
    tinted = np.full_like(grey, (126, 92, 73))
    mask = np.zeros((1, 60, 60), dtype=bool)
    mask[0, 20:40, 20:40] = True
    shift = YIQ[1:] @ np.array([26.0, -8.0, -27.0])
    base = np.abs(YIQ[1:].sum(axis=1) * 100)
    # The 2×2 mean reaches one cell further, so the last row and column see half, the corner a
    # quarter of the change.
    shares = np.full((10, 10), 1.0)
    shares[-1] *= 0.5
    shares[:, -1] *= 0.5
    moved = np.abs((YIQ[1:].sum(axis=1) * 100)[:, None, None] + shift[:, None, None] * shares)
    base = base[:, None, None]
    similarity = ((2 * base * moved + 30) / (base**2 + moved**2 + 30)).mean(axis=0)
    sigma = 1 / (1 + np.exp(-4.2 * np.array([np.ones((10, 10)), np.ones((10, 10)), similarity])))
    h = sigma.mean()
    expected = (math.log(h / (1 - h)) / 4.2) ** 2
    assert region_scores(grey, tinted, mask)[0] == pytest.approx(expected, abs=1e-6)
    assert 0.5 < expected < 0.95


def test_more_noise_scores_lower() -> None:
    scores = [haarpsi(*blocks_and_noise(11, 64, 64, sigma)) for sigma in (2, 8, 20, 50, 90)]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] > 0.95
    assert scores[-1] < 0.45


def test_inputs_are_left_alone_and_results_repeat() -> None:
    clean, noisy = blocks_and_noise(13, 33, 47, 25.0)
    masks = border_masks(33, 47)
    before = clean.copy(), noisy.copy(), masks.copy()
    for array in (clean, noisy, masks):
        array.setflags(write=False)
    first = region_scores(clean, noisy, masks)
    assert region_scores(clean, noisy, masks).tolist() == first.tolist()
    for array, copy in zip((clean, noisy, masks), before, strict=True):  # type: ignore[assignment]
        np.testing.assert_array_equal(array, copy)
    order = np.arange(len(masks))[::-1]
    assert region_scores(clean, noisy, masks[order]).tolist() == first[order].tolist()


def test_views_that_are_not_contiguous_give_the_same_scores() -> None:
    clean, noisy = blocks_and_noise(17, 64, 64, 25.0)
    masks = border_masks(64, 64)
    inner = np.s_[3:40, 5:58]
    viewed = region_scores(clean[inner], noisy[inner], masks[:, 3:40, 5:58])
    copied = region_scores(clean[inner].copy(), noisy[inner].copy(), masks[:, 3:40, 5:58].copy())
    assert viewed.tolist() == copied.tolist()


def test_no_regions_is_legal() -> None:
    clean, noisy = blocks_and_noise(0, 8, 8, 5.0)
    assert region_scores(clean, noisy, np.zeros((0, 8, 8), dtype=bool)).shape == (0,)


def test_wrong_input_ends_in_one_clear_line() -> None:
    clean, noisy = blocks_and_noise(0, 8, 10, 5.0)
    with pytest.raises(ImageError, match=r"^pictures of unequal size: 10×8 and 9×8; resize"):
        haarpsi(clean, noisy[:, :9])
    with pytest.raises(ImageError, match=r"second picture: found float64 .*expected \(H, W, 3\)"):
        haarpsi(clean, noisy.astype(float))
    with pytest.raises(RegionError, match=r"^masks must be \(R, 8, 10\) bool, got bool .*\(8, 9\)"):
        region_scores(clean, noisy, np.ones((8, 9), dtype=bool))
    with pytest.raises(RegionError, match="got uint8 of shape"):
        region_scores(clean, noisy, np.ones((1, 8, 10), dtype=np.uint8))


def test_metrics_are_found_by_name() -> None:
    assert get_metric("haarpsi") is HAARPSI
    clean, noisy = blocks_and_noise(*GOLDEN[0][0])
    assert get_metric("haarpsi").scene_score(clean, noisy) == haarpsi(clean, noisy)
    with pytest.raises(RecipeError, match=r"^unknown metric 'topiq'; expected one of: .*haarpsi"):
        get_metric("topiq")
    other = dataclasses.replace(HAARPSI, name="other", licence="MIT")
    register_metric(other)
    register_metric(other)
    assert get_metric("other") is other
    with pytest.raises(RecipeError, match="already registered"):
        register_metric(dataclasses.replace(other, version="2"))
    with pytest.raises(RecipeError, match="lower_is_better; expected"):
        register_metric(dataclasses.replace(other, name="third", direction="lower_is_better"))
    assert HAARPSI.describe()["licence"] == "Apache-2.0"
    assert HAARPSI.describe()["range"] == [0.0, 1.0]
