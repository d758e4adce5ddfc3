"""Further metrics: values of their own implementations, pooling by region, symmetry, own maps."""

from __future__ import annotations

import math
import tracemalloc
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import reference_metrics
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from random_masks import random_masks
from reference_haarpsi import blocks_and_noise

from distortion_graph.base.errors import ImageError, RecipeError, RegionError
from distortion_graph.masks.container import RegionSet
from distortion_graph.measure.metrics.measuring import (
    NO_METRICS,
    MeasuredMetrics,
    measure_metrics,
)
from distortion_graph.measure.metrics.metric import MapMetric, PixelMap
from distortion_graph.measure.metrics.pooling import Parts
from distortion_graph.measure.metrics.registry import BUILT_IN, get_map_metric, map_metrics
from distortion_graph.measure.metrics.ssimulacra2 import NARROWEST
from distortion_graph.measure.quality import HAARPSI, register_metric
from distortion_graph.work.threads import thread_budget

Rgb = NDArray[np.uint8]
Bools = NDArray[np.bool_]

CASES = [(0, 256, 320, 12.0), (1, 240, 304, 40.0), (2, 272, 256, 3.0), (3, 480, 336, 80.0)]
"""Arguments of `blocks_and_noise`. The numbers below are of these pairs, in float64."""
# flip-evaluator 1.7, the mean of its map ("LDR", default screen).
FLIP = [0.1045124, 0.2676426, 0.0368569, 0.4474534]
# piq 0.8.0, gmsd(data_range=255).
GMSD = [0.06038938, 0.21423512, 0.00515869, 0.29383785]
# piq 0.8.0, multi_scale_ssim(data_range=255) of luma as one channel.
MS_SSIM = [0.99283564, 0.95075283, 0.99943964, 0.86376354]
# sewar 0.4.10, vifp of luma, the clean picture and then the noisy one as the reference; piq 0.8.0's
# vif_p agrees to 1e-9.
VIF = [
    (0.57672735, 0.57412853),
    (0.29030456, 0.28068014),
    (0.86707455, 0.86686065),
    (0.16061815, 0.14965271),
]
# ssimulacra2 0.3.0, likewise in both orders, with libjxl's filter and border put in the place of
# its own: taps of a sum of three cosines, zeros beyond the picture on all sides.
SSIMULACRA2 = [
    (67.513833, 65.947182),
    (20.292885, 14.987776),
    (90.095373, 89.537376),
    (-46.253200, -49.858801),
]
# ssimulacra2 0.3.0 as it is: a plain Gaussian, and two of the four sides mirrored.
SSIMULACRA2_PYTHON = [
    (66.961631, 65.289355),
    (18.255056, 12.089587),
    (89.907122, 89.647735),
    (-48.046809, -51.794570),
]
REGISTERED = "sameness"


@pytest.fixture(autouse=True)
def numeric_warnings_are_errors() -> Iterator[None]:
    with warnings.catch_warnings(), np.errstate(divide="raise", invalid="raise"):
        warnings.simplefilter("error", RuntimeWarning)
        yield


def scene(name: str, anchor: Rgb, target: Rgb, **options: Any) -> float | None:
    no_region = np.zeros((0, *anchor.shape[:2]), np.bool_)
    return measure_metrics(anchor, target, no_region, map_metrics([name]), **options).scene[name]


def region(name: str, anchor: Rgb, target: Rgb, mask: Bools) -> float | None:
    return measure_metrics(anchor, target, mask[None], map_metrics([name])).regions[0][name]


def everything(anchor: Rgb, target: Rgb, masks: Any, **options: Any) -> MeasuredMetrics:
    return measure_metrics(anchor, target, masks, map_metrics(BUILT_IN), **options)


@pytest.mark.parametrize("case", range(len(CASES)))
def test_values_of_whole_pictures_are_those_of_other_implementations(case: int) -> None:
    pair = blocks_and_noise(*CASES[case])
    assert scene("flip", *pair) == pytest.approx(FLIP[case], abs=1e-6)
    assert scene("gmsd", *pair) == pytest.approx(GMSD[case], abs=1e-6)
    assert scene("ms_ssim", *pair) == pytest.approx(MS_SSIM[case], abs=1e-6)
    for side, vif, ours in zip(("anchor", "target"), VIF[case], SSIMULACRA2[case], strict=True):
        assert scene("vif", *pair, reference=side) == pytest.approx(vif, abs=1e-7)
        assert scene("ssimulacra2", *pair, reference=side) == pytest.approx(ours, abs=1e-4)


@pytest.mark.parametrize("case", range(len(CASES)))
def test_ssimulacra2_is_near_the_python_package(case: int) -> None:
    pair = blocks_and_noise(*CASES[case])
    for side, theirs in zip(("anchor", "target"), SSIMULACRA2_PYTHON[case], strict=True):
        assert scene("ssimulacra2", *pair, reference=side) == pytest.approx(theirs, abs=3.0)


@pytest.mark.parametrize(("name", "values"), [("vif", VIF), ("ssimulacra2", SSIMULACRA2)])
def test_the_worse_direction_counts_where_neither_is_the_reference(
    name: str, values: list[tuple[float, float]]
) -> None:
    for case, both in zip(CASES, values, strict=True):
        pair = blocks_and_noise(*case)
        assert scene(name, *pair) == pytest.approx(min(both), abs=1e-4)
        forth = scene(name, *pair, reference="anchor")
        assert scene(name, *pair[::-1], reference="target") == forth


@pytest.mark.parametrize("name", ["gmsd", "ms_ssim", "vif"])
@pytest.mark.parametrize(("height", "width"), [(90, 131), (60, 45), (33, 300), (17, 12)])
def test_regions_are_pooled_as_the_plain_definition_says(
    name: str, height: int, width: int
) -> None:
    plain: Callable[..., float | None] = getattr(reference_metrics, name)
    for seed, sigma in ((5, 4.0), (6, 50.0)):
        pair = blocks_and_noise(seed, height, width, sigma)
        everywhere = np.ones((height, width), np.bool_)
        assert scene(name, *pair) == pytest.approx(plain(*pair, everywhere), abs=2e-6)
        checked = 0
        for mask in random_masks(seed, 8, height, width):
            found = region(name, *pair, mask)
            if found is not None:
                assert found == pytest.approx(plain(*pair, mask), abs=1e-5)
                checked += 1
        assert checked


def test_flip_of_a_region_is_the_mean_of_its_error_there() -> None:
    pair = blocks_and_noise(4, 40, 30, 20.0)
    single = RegionSet.from_masks(np.eye(1200, dtype=bool).reshape(1200, 40, 30))
    errors = np.array([v["flip"] for v in everything_of("flip", *pair, single).regions])
    for mask in random_masks(3, 6, 40, 30):
        expected = errors.reshape(40, 30)[mask].mean()
        assert region("flip", *pair, mask) == pytest.approx(expected, abs=1e-6)
    assert scene("flip", *pair) == pytest.approx(errors.mean(), abs=1e-6)


def everything_of(name: str, anchor: Rgb, target: Rgb, masks: Any) -> MeasuredMetrics:
    return measure_metrics(anchor, target, masks, map_metrics([name]))


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_region_of_everything_has_the_value_of_the_scene(name: str) -> None:
    for size in ((131, 127), (240, 304)):
        pair = blocks_and_noise(8, *size, 25.0)
        whole = region(name, *pair, np.ones(size, np.bool_))
        assert whole == pytest.approx(scene(name, *pair), rel=1e-6)


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_distortion_lowers_a_metric_where_it_is(name: str) -> None:
    clean, noisy = blocks_and_noise(9, 240, 320, 40.0)
    half = clean.copy()
    half[:, :160] = noisy[:, :160]
    left, far = np.zeros((2, 240, 320), np.bool_)
    left[:, :160] = True
    far[:, 300:] = True
    far[0, 0] = True  # a pixel that differs, or else the region is identical
    metric = get_map_metric(name)
    values = [present_in(name, clean, half, mask) for mask in (left, far)]
    assert metric.worse(values) == values[0]
    assert abs(metric.perfect - values[1]) < abs(metric.perfect - values[0]) / 2


def present_in(name: str, anchor: Rgb, target: Rgb, mask: Bools) -> float:
    found = region(name, anchor, target, mask)
    assert found is not None
    return found


@pytest.mark.parametrize("name", BUILT_IN)
def test_more_noise_is_worse(name: str) -> None:
    metric = get_map_metric(name)
    values = [scene(name, *blocks_and_noise(2, 160, 200, sigma)) for sigma in (2.0, 10.0, 40.0)]
    known = [value for value in values if value is not None]
    assert known == sorted(known, reverse=metric.direction == "higher_is_better")
    assert len(set(known)) == 3


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 10**6), st.sampled_from([1, 9, 70]))
def test_pictures_of_any_size_are_measured_the_same_both_ways(
    height: int, width: int, seed: int, sigma: float
) -> None:
    anchor, target = blocks_and_noise(seed, height, width, sigma)
    masks = random_masks(seed, 3, height, width)
    forward = everything(anchor, target, masks)
    assert everything(target, anchor, masks) == forward
    for found in (*forward.regions, forward.scene):
        assert list(found) == list(BUILT_IN)
        for name, value in found.items():
            low, high = get_map_metric(name).range
            assert value is None or low <= value <= high
        assert found["flip"] is not None and found["ms_ssim"] is not None


@pytest.mark.parametrize("kind", ["random", "flat", "black and white", "grey"])
def test_exchanging_and_reordering_change_nothing(kind: str) -> None:
    rng = np.random.default_rng(3)
    anchor, target = rng.integers(0, 256, (2, 150, 170, 3), np.uint8)
    if kind == "flat":
        anchor, target = np.full_like(anchor, 100), np.full_like(anchor, 130)
    elif kind == "black and white":
        anchor, target = np.zeros_like(anchor), np.full_like(anchor, 255)
    elif kind == "grey":
        anchor, target = (np.repeat(rgb[..., :1], 3, axis=2) for rgb in (anchor, target))
    masks = random_masks(11, 9, 150, 170)
    forward = everything(anchor, target, masks)
    assert everything(target, anchor, masks) == forward
    order = np.random.default_rng(0).permutation(9)
    again = everything(anchor, target, masks[order])
    assert again.regions == tuple(forward.regions[i] for i in order)
    assert again.scene == forward.scene


def test_identical_pixels_are_perfect_whatever_is_beside_them() -> None:
    clean, noisy = blocks_and_noise(9, 140, 150, 30.0)
    masks = np.zeros((2, 140, 150), np.bool_)
    masks[0, :, :75] = True
    masks[1, :, 75:] = True
    target = np.where(masks[0][..., None], noisy, clean)
    perfect = {"flip": 0.0, "gmsd": 0.0, "ms_ssim": 1.0, "ssimulacra2": 100.0, "vif": 1.0}
    changed, same = everything(clean, target, masks).regions
    assert same == perfect
    assert all(changed[name] != value for name, value in perfect.items())
    assert everything(clean, clean.copy(), masks).scene == perfect
    assert everything(clean[:1, :1], clean[:1, :1].copy(), masks[:, :1, :1][:1]).scene == perfect


def test_nearly_identical_pictures_are_not_perfect() -> None:
    clean, _ = blocks_and_noise(9, 160, 180, 30.0)
    other = clean.copy()
    other[80, 90, 1] ^= 1
    for name, value in everything(clean, other, np.zeros((0, 160, 180), bool)).scene.items():
        metric = get_map_metric(name)
        assert value is not None
        assert value == pytest.approx(metric.perfect, abs=0.5 if name == "ssimulacra2" else 1e-3)
        # SSIMULACRA 2 has a threshold of its own, below which it says 100.
        assert name == "ssimulacra2" or value != metric.perfect


def test_what_is_too_small_has_no_value() -> None:
    pair = blocks_and_noise(1, NARROWEST - 1, 200, 20.0)
    assert scene("ssimulacra2", *pair) is None
    assert scene("ssimulacra2", *blocks_and_noise(1, NARROWEST, 200, 20.0)) is not None
    one = np.zeros((2, 2, NARROWEST - 1, 200), np.bool_)[0]
    one[0, 0, 0] = True
    one[1, :4, :4] = True
    assert [found["gmsd"] is None for found in everything(*pair, one).regions] == [True, False]


def test_vif_has_no_value_where_nothing_is_to_be_seen() -> None:
    flat = np.full((40, 50, 3), 90, np.uint8)
    _, noisy = blocks_and_noise(1, 40, 50, 20.0)
    assert scene("vif", flat, flat + np.uint8(20)) is None
    assert scene("vif", flat, noisy) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("name", BUILT_IN)
def test_tiles_do_not_show(name: str) -> None:
    anchor, target = blocks_and_noise(9, 131, 163, 30.0)
    masks = random_masks(12, 10, 131, 163)
    metrics = map_metrics([name])
    at_once = measure_metrics(anchor, target, masks, metrics)
    in_parts = measure_metrics(anchor, target, masks, metrics, parts=Parts(tile=24))
    pairs = zip((*in_parts.regions, in_parts.scene), (*at_once.regions, at_once.scene), strict=True)
    for found, expected in pairs:
        assert found[name] == pytest.approx(expected[name], rel=2e-5, abs=1e-6)


@pytest.mark.parametrize("threads", [2, 3])
def test_threads_change_no_bit(threads: int) -> None:
    anchor, target = blocks_and_noise(9, 131, 163, 30.0)
    regions = RegionSet.from_masks(random_masks(12, 6, 131, 163))
    parts = Parts(tile=24, threads_from_pixels=1)
    with thread_budget(1):
        alone = everything(anchor, target, regions, parts=parts)
    with thread_budget(threads):
        assert everything(anchor, target, regions.lazy_masks(), parts=parts) == alone
        assert everything(anchor, target, regions.masks(), parts=parts) == alone


# Bytes per pixel beyond the pictures and the masks: planes of the second scale of both pictures,
# 3 channels of 4 bytes (SSIMULACRA 2), 8 bytes of luma (VIF), and what tiles take.
@pytest.mark.parametrize(
    ("name", "per_pixel"),
    [("flip", 2), ("gmsd", 2), ("ms_ssim", 4), ("ssimulacra2", 9), ("vif", 7)],
)
def test_memory_is_a_few_bytes_per_pixel(name: str, per_pixel: int) -> None:
    rng = np.random.default_rng(1)
    anchor, target = rng.integers(0, 256, (2, 1024, 1536, 3), np.uint8)
    mask = np.ones((1, 1024, 1536), np.bool_)
    metrics = map_metrics([name])
    with thread_budget(1):
        tracemalloc.start()
        measure_metrics(anchor, target, mask, metrics, parts=Parts(tile=64))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < per_pixel * 1024 * 1536 + 100_000  # what is no picture


def absolute(first: Rgb, second: Rgb) -> NDArray[np.float64]:
    return np.asarray(1 - np.abs(first.astype(float) - second).mean(axis=2) / 255)


def metric(function: Callable[..., Any], **changes: Any) -> MapMetric:
    """One minus the mean absolute difference, or the mean of another function."""
    options = {key: changes.pop(key) for key in ("reach", "symmetric") if key in changes}
    facts: dict[str, Any] = {
        "name": REGISTERED,
        "version": "3",
        "range": (0.0, 1.0),
        "direction": "higher_is_better",
        "licence": "CC0-1.0",
        "pooling": "mean",
        "maps": PixelMap(function, **options),
    }
    return MapMetric(**(facts | changes))


def test_a_map_of_the_users_is_pooled_by_region() -> None:
    anchor, target = blocks_and_noise(3, 70, 90, 30.0)
    masks = random_masks(1, 5, 70, 90)
    for reach in (None, 0):
        own = metric(absolute, reach=reach)
        found = measure_metrics(anchor, target, masks, [own], parts=Parts(tile=16))
        assert found.metrics == (own,)
        for mask, values in zip(masks, found.regions, strict=True):
            expected = absolute(anchor, target)[mask].mean()
            assert values[REGISTERED] == pytest.approx(expected, abs=1e-6)


def test_a_map_with_a_reach_sees_the_pixels_around() -> None:
    def smooth(first: Rgb, second: Rgb) -> NDArray[np.float64]:
        gap = np.pad(absolute(first, second), 1, mode="edge")
        return np.asarray(gap[:-2, 1:-1] / 2 + gap[2:, 1:-1] / 2)

    pair = blocks_and_noise(3, 50, 60, 30.0)
    no_region = np.zeros((0, 50, 60), np.bool_)
    parts = Parts(tile=16)
    whole = measure_metrics(*pair, no_region, [metric(smooth)], parts=parts).scene[REGISTERED]
    tiled = measure_metrics(*pair, no_region, [metric(smooth, reach=1)], parts=parts)
    assert tiled.scene[REGISTERED] == pytest.approx(whole, abs=1e-6)


def test_a_map_with_a_reference_side_counts_by_its_worse_order() -> None:
    def brighter(first: Rgb, second: Rgb) -> NDArray[np.float64]:
        return np.asarray(np.maximum(first.astype(float) - second, 0).mean(axis=2) / 255)

    dark, light = np.full((5, 6, 3), 51, np.uint8), np.full((5, 6, 3), 102, np.uint8)
    light[0] = 0
    no_region = np.zeros((0, 5, 6), np.bool_)
    own = metric(brighter, symmetric=False, direction="lower_is_better")
    for pair in ((dark, light), (light, dark)):
        assert measure_metrics(*pair, no_region, [own]).scene[REGISTERED] == pytest.approx(0.16)
    one_way = measure_metrics(dark, light, no_region, [own], reference="anchor").scene
    assert one_way[REGISTERED] == pytest.approx(0.04)


@pytest.mark.parametrize(
    ("function", "line"),
    [
        (
            lambda a, b: np.zeros((3, 3)),
            r"metric 'sameness': found a map of float64 of shape \(3, 3\), expected \(8, 9\) numb",
        ),
        (
            lambda a, b: np.full(a.shape[:2], "x"),
            r"metric 'sameness': found a map of <U1 of shape \(8, 9\), expected \(8, 9\) numbers",
        ),
        (
            lambda a, b: np.full(a.shape[:2], np.nan),
            "metric 'sameness': found a map with values that are not finite, expected finite num",
        ),
        (
            lambda a, b: np.full(a.shape[:2], 1.5),
            r"metric 'sameness': found a value of 1.5, expected one in its range \(0.0, 1.0\)",
        ),
    ],
)
def test_a_map_that_is_none_is_refused(function: Callable[..., Any], line: str) -> None:
    anchor, target = blocks_and_noise(1, 8, 9, 20.0)
    with pytest.raises(RecipeError, match=f"^{line}"):
        measure_metrics(anchor, target, np.ones((1, 8, 9), bool), [metric(function)])


def test_registered_metrics_are_found_by_name() -> None:
    own = metric(absolute, name="own-1.0")
    register_metric(own)
    register_metric(own)
    assert map_metrics(["own-1.0", "flip", "own-1.0"]) == (own, get_map_metric("flip"))
    with pytest.raises(RecipeError, match=r"^metric 'own-1.0' is already registered; choose"):
        register_metric(metric(absolute, name="own-1.0"))
    with pytest.raises(RecipeError, match=r"^unknown metric 'flop'; expected one of: flip, gmsd, "):
        get_map_metric("flop")


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"name": "flip"}, "metric 'flip' is already registered; choose another name"),
        ({"name": "haarpsi"}, "metric 'haarpsi' is already registered; choose another name"),
        ({"name": "delta_e"}, "metric 'delta_e' is already registered; choose another name"),
        ({"name": "a b"}, "metric 'a b': expected a name of A-Z, a-z, 0-9, '_', '.' and '-'"),
        ({"range": (1.0, 1.0)}, r"metric 'sameness': found range \(1.0, 1.0\), expected low < hig"),
        (
            {"range": (0.0, math.inf)},
            r"metric 'sameness': found range \(0.0, inf\), higher_is_better; expected a finite be",
        ),
    ],
)
def test_metrics_that_cannot_be_registered(changes: dict[str, Any], line: str) -> None:
    with pytest.raises(RecipeError, match=f"^{line}"):
        register_metric(metric(absolute, **changes))


def test_a_score_cannot_take_the_name_of_a_map() -> None:
    named = {**vars(HAARPSI), "name": "flip"}
    with pytest.raises(RecipeError, match=r"^metric 'flip' is already registered; choose another"):
        register_metric(type(HAARPSI)(**named))


def test_wrong_input_ends_in_one_clear_line() -> None:
    anchor, target = blocks_and_noise(1, 8, 9, 20.0)
    masks = np.ones((2, 8, 9), bool)
    assert measure_metrics(anchor, target, masks, []) == NO_METRICS
    with pytest.raises(ImageError, match="pictures of unequal size: 9×8 and 8×8"):
        everything(anchor, target[:, :8], masks)
    with pytest.raises(RegionError, match=r"^masks must be \(R, 8, 9\) bool, got one of \(8, 8\)"):
        everything(anchor, target, masks[:, :, :8])
    masks[1] = False
    with pytest.raises(RegionError, match=r"^mask 1 has no pixel, expected at least one"):
        everything(anchor, target, masks)
