"""Evidence between two pictures: agreement with scikit-image and plain formulas, and symmetry."""

from __future__ import annotations

import math
import tracemalloc
import warnings
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from random_masks import random_masks
from reference_haarpsi import blocks_and_noise, naive_cover, naive_pooled
from skimage.color import deltaE_ciede2000, rgb2lab
from skimage.metrics import structural_similarity

from distortion_graph.base.errors import ImageError, RecipeError, RegionError
from distortion_graph.masks.container import RegionSet
from distortion_graph.measure import quality
from distortion_graph.measure.ciede2000 import delta_e, difference
from distortion_graph.measure.evidence import Parts, RegionEvidence, measure_evidence
from distortion_graph.work.threads import thread_budget

Rgb = NDArray[np.uint8]
Bools = NDArray[np.bool_]
SSIM_OPTIONS = {
    "gaussian_weights": True,
    "sigma": 1.5,
    "use_sample_covariance": False,
    "data_range": 255,
}
# Sharma, Wu, Dalal 2005, table 1: Lab of two colours and their difference. Left out are the two
# pairs of exactly opposite hues, 8 and 12, where the mean hue is either of two.
SHARMA = [
    ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
    ((50.0, 3.1571, -77.2803), (50.0, 0.0, -82.7485), 2.8615),
    ((50.0, 2.8361, -74.0200), (50.0, 0.0, -82.7485), 3.4412),
    ((50.0, -1.3802, -84.2814), (50.0, 0.0, -82.7485), 1.0000),
    ((50.0, -1.1848, -84.8006), (50.0, 0.0, -82.7485), 1.0000),
    ((50.0, -0.9009, -85.5211), (50.0, 0.0, -82.7485), 1.0000),
    ((50.0, 0.0, 0.0), (50.0, -1.0, 2.0), 2.3669),
    ((50.0, -1.0, 2.0), (50.0, 0.0, 0.0), 2.3669),
    ((50.0, 2.4900, -0.0010), (50.0, -2.4900, 0.0009), 7.1792),
    ((50.0, 2.4900, -0.0010), (50.0, -2.4900, 0.0011), 7.2195),
    ((50.0, 2.4900, -0.0010), (50.0, -2.4900, 0.0012), 7.2195),
    ((50.0, -0.0010, 2.4900), (50.0, 0.0009, -2.4900), 4.8045),
    ((50.0, -0.0010, 2.4900), (50.0, 0.0011, -2.4900), 4.7461),
    ((50.0, 2.5, 0.0), (50.0, 0.0, -2.5), 4.3065),
    ((50.0, 2.5, 0.0), (73.0, 25.0, -18.0), 27.1492),
    ((50.0, 2.5, 0.0), (61.0, -5.0, 29.0), 22.8977),
    ((50.0, 2.5, 0.0), (56.0, -27.0, -3.0), 31.9030),
    ((50.0, 2.5, 0.0), (58.0, 24.0, 15.0), 19.4535),
    ((50.0, 2.5, 0.0), (50.0, 3.1736, 0.5854), 1.0000),
    ((50.0, 2.5, 0.0), (50.0, 3.2972, 0.0), 1.0000),
    ((50.0, 2.5, 0.0), (50.0, 1.8634, 0.5757), 1.0000),
    ((50.0, 2.5, 0.0), (50.0, 3.2592, 0.3350), 1.0000),
    ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ((63.0109, -31.0961, -5.8663), (62.8187, -29.7946, -4.0864), 1.2630),
    ((61.2901, 3.7196, -5.3901), (61.4292, 2.2480, -4.9620), 1.8731),
    ((35.0831, -44.1164, 3.7933), (35.0232, -40.0716, 1.5901), 1.8645),
    ((22.7233, 20.0904, -46.6940), (23.0331, 14.9730, -42.5619), 2.0373),
    ((36.4612, 47.8580, 18.3852), (36.2715, 50.5065, 21.2231), 1.4146),
    ((90.8027, -2.0831, 1.4410), (91.1528, -1.6435, 0.0447), 1.4441),
    ((90.9257, -0.5406, -0.9208), (88.6381, -0.8985, -0.7239), 1.5381),
    ((6.7747, -0.2908, -2.4247), (5.8714, -0.0985, -2.2286), 0.6377),
    ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
]


@pytest.fixture(autouse=True)
def numeric_warnings_are_errors() -> Iterator[None]:
    with warnings.catch_warnings(), np.errstate(divide="raise", invalid="raise"):
        warnings.simplefilter("error", RuntimeWarning)
        yield


def random_pair(seed: int, height: int, width: int) -> tuple[Rgb, Rgb]:
    rng = np.random.default_rng(seed)
    first = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    return first, rng.integers(0, 256, (height, width, 3), dtype=np.uint8)


def pairs(height: int, width: int) -> dict[str, tuple[Rgb, Rgb]]:
    """Unrelated, slightly and strongly noisy, grey, dark, bright and blue pictures."""
    rng = np.random.default_rng(height + width)

    def between(low: int, high: int, channels: int = 3) -> Rgb:
        values = rng.integers(low, high, (height, width, channels))
        return np.ascontiguousarray(np.broadcast_to(values, (height, width, 3))).astype(np.uint8)

    blue = np.array([10, 20, 150], dtype=np.uint8)
    return {
        "random": (between(0, 256), between(0, 256)),
        "slight": blocks_and_noise(1, height, width, 2.0),
        "strong": blocks_and_noise(2, height, width, 60.0),
        "grey": (between(0, 256, 1), between(0, 256, 1)),
        "dark": (between(0, 8), between(0, 8)),
        "bright": (between(248, 256), between(248, 256)),
        "blue": (between(0, 50) + blue, between(0, 50) + blue),
    }


def luma(rgb: Rgb) -> NDArray[np.float64]:
    luma: NDArray[np.float64] = rgb.astype(np.float64) @ np.array([0.299, 0.587, 0.114])
    return luma


def one(anchor: Rgb, target: Rgb, mask: Bools | None = None) -> RegionEvidence:
    """Evidence of a region, or of the scene."""
    masks = np.zeros((0, *anchor.shape[:2]), dtype=bool) if mask is None else mask[None]
    regions, scene = measure_evidence(anchor, target, masks)
    found = scene if mask is None else regions[0]
    assert found is not None
    return found


NAMES = sorted(pairs(8, 8))


@pytest.mark.parametrize("name", NAMES)
def test_ssim_of_the_whole_picture_is_scikit_images(name: str) -> None:
    for size in ((64, 80), (33, 47), (11, 11)):
        anchor, target = pairs(*size)[name]
        expected = structural_similarity(luma(anchor), luma(target), **SSIM_OPTIONS)
        assert one(anchor, target).ssim == pytest.approx(expected, abs=1e-5)


def test_ssim_of_a_region_is_the_maps_mean_inside_it() -> None:
    anchor, target = blocks_and_noise(4, 60, 70, 25.0)
    _, full = structural_similarity(luma(anchor), luma(target), full=True, **SSIM_OPTIONS)
    inner = np.zeros((60, 70), dtype=bool)
    inner[5:-5, 5:-5] = True
    for mask in random_masks(8, 12, 60, 70):
        inside = mask & inner if (mask & inner).any() else mask
        assert one(anchor, target, mask).ssim == pytest.approx(full[inside].mean(), abs=1e-5)


def test_ssim_at_the_frames_edge_uses_the_mirrored_picture() -> None:
    anchor, target = blocks_and_noise(4, 60, 70, 25.0)
    _, full = structural_similarity(luma(anchor), luma(target), full=True, **SSIM_OPTIONS)
    edge = np.zeros((60, 70), dtype=bool)
    edge[:3] = True
    assert one(anchor, target, edge).ssim == pytest.approx(full[edge].mean(), abs=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_colour_difference_is_scikit_images(name: str) -> None:
    anchor, target = pairs(90, 120)[name]
    expected = deltaE_ciede2000(rgb2lab(anchor), rgb2lab(target))
    assert one(anchor, target).delta_e == pytest.approx(expected.mean(), abs=1e-4)
    # Single pixels: all but those of nearly opposite hues, where float32 cannot tell the side.
    errors = np.abs(delta_e(anchor, target) - expected)
    assert np.quantile(errors, 0.995) < 2.5e-3
    mask = random_masks(1, 1, 90, 120)[0]
    assert one(anchor, target, mask).delta_e == pytest.approx(expected[mask].mean(), abs=1e-3)


@pytest.mark.parametrize(("first", "second", "expected"), SHARMA)
def test_colour_difference_of_the_published_pairs(
    first: tuple[float, ...], second: tuple[float, ...], expected: float
) -> None:
    offset = np.array([[16.0], [0.0], [0.0]])
    one, two = (
        (np.array(lab).reshape(3, 1) + offset).astype(np.float32) for lab in (first, second)
    )
    # Nearly opposite hues lose most of float32's digits.
    opposite = np.dot(first[1:], second[1:]) < 0 and abs(first[0] - second[0]) < 0.1
    tolerance = 3e-4 if opposite else 1e-4
    assert difference(one, two)[0] == pytest.approx(expected, abs=tolerance)
    assert difference(two, one)[0] == difference(one, two)[0]


def test_psnr_is_ten_log_of_the_mean_square() -> None:
    anchor, target = random_pair(2, 31, 42)
    for mask in random_masks(3, 8, 31, 42):
        error = anchor[mask].astype(float) - target[mask].astype(float)
        expected = 10 * math.log10(255**2 / (error**2).mean())
        assert one(anchor, target, mask).psnr_db == pytest.approx(expected, rel=1e-12)
    black, white = np.zeros_like(anchor), np.full_like(anchor, 255)
    assert one(black, white).psnr_db == 0.0


@pytest.mark.parametrize(("height", "width"), [(1, 1), (3, 5), (16, 9), (27, 30)])
def test_haarpsi_pools_the_maps_of_the_two_whole_pictures(height: int, width: int) -> None:
    anchor, target = random_pair(5, height, width)
    assert one(anchor, target).haarpsi == pytest.approx(quality.haarpsi(anchor, target), abs=1e-9)
    for mask in random_masks(6, 6, height, width):
        expected = naive_pooled(anchor, target, naive_cover(mask))
        assert one(anchor, target, mask).haarpsi == pytest.approx(expected, abs=1e-6)


@settings(max_examples=30)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 10**6), st.sampled_from([1, 9, 70]))
def test_exchanging_the_pictures_gives_the_same_bits(
    height: int, width: int, seed: int, sigma: float
) -> None:
    anchor, target = blocks_and_noise(seed, height, width, sigma)
    masks = random_masks(seed, 3, height, width)
    forward = measure_evidence(anchor, target, masks)
    assert measure_evidence(target, anchor, masks) == forward
    for found in (*forward.regions, forward.scene):
        assert found is not None
        assert found.psnr_db is None or math.isfinite(found.psnr_db)
        assert -1 <= found.ssim <= 1
        assert 0 <= found.haarpsi <= 1
        assert found.delta_e is not None
        assert 0 <= found.delta_e < 200


@pytest.mark.parametrize("name", NAMES)
def test_exchanging_and_reordering_change_nothing(name: str) -> None:
    anchor, target = pairs(150, 170)[name]
    masks = random_masks(11, 9, 150, 170)
    forward = measure_evidence(anchor, target, masks)
    assert measure_evidence(target, anchor, masks) == forward
    order = np.random.default_rng(0).permutation(9)
    again = measure_evidence(anchor, target, masks[order])
    assert again.regions == tuple(forward.regions[i] for i in order)
    assert again.scene == forward.scene


def test_bands_and_tiles_do_not_show() -> None:
    anchor, target = blocks_and_noise(9, 131, 97, 30.0)
    masks = random_masks(12, 10, 131, 97)
    at_once = measure_evidence(anchor, target, masks)
    in_parts = measure_evidence(anchor, target, masks, parts=Parts(tile=24, band_pixels=1))
    for found, expected in zip(
        (*in_parts.regions, in_parts.scene), (*at_once.regions, at_once.scene), strict=True
    ):
        assert found is not None
        assert expected is not None
        assert found.psnr_db == expected.psnr_db
        assert found.ssim == pytest.approx(expected.ssim, abs=1e-6)
        assert found.haarpsi == pytest.approx(expected.haarpsi, abs=1e-9)
        assert found.delta_e == pytest.approx(expected.delta_e, abs=1e-5)


@pytest.mark.parametrize("threads", [2, 3])
def test_threads_change_no_bit(threads: int) -> None:
    anchor, target = blocks_and_noise(9, 131, 97, 30.0)
    regions = RegionSet.from_masks(random_masks(12, 10, 131, 97))
    parts = Parts(tile=24, band_pixels=1 << 12, threads_from_pixels=1)
    with thread_budget(1):
        alone = measure_evidence(anchor, target, regions, parts=parts)
    with thread_budget(threads):
        assert measure_evidence(anchor, target, regions.lazy_masks(), parts=parts) == alone
        assert measure_evidence(anchor, target, regions.masks(), parts=parts) == alone


def test_identical_regions_say_so() -> None:
    anchor, noisy = blocks_and_noise(9, 40, 50, 30.0)
    masks = np.zeros((2, 40, 50), dtype=bool)
    masks[0, :, :25] = True
    masks[1, :, 25:] = True
    target = np.where(masks[0][..., None], noisy, anchor)
    (changed, same), scene = measure_evidence(anchor, target, masks)
    assert same == RegionEvidence(psnr_db=None, ssim=1.0, haarpsi=1.0, delta_e=0.0)
    assert changed is not None
    assert changed.psnr_db is not None
    assert changed.psnr_db < 25
    assert scene is not None
    assert scene.psnr_db is not None
    assert measure_evidence(anchor, anchor.copy(), masks).scene == same


def test_levels_leave_out_what_they_say() -> None:
    anchor, target = random_pair(1, 30, 20)
    masks = random_masks(2, 3, 30, 20)
    full = measure_evidence(anchor, target, masks, "all")
    fast = measure_evidence(anchor, target, masks, "fast")
    for quick, slow in zip((*fast.regions, fast.scene), (*full.regions, full.scene), strict=True):
        assert quick is not None
        assert slow is not None
        assert quick.delta_e is None
        assert (quick.psnr_db, quick.ssim, quick.haarpsi) == (slow.psnr_db, slow.ssim, slow.haarpsi)
    assert measure_evidence(anchor, target, masks, "none") == ((None, None, None), None)


def test_masks_may_come_as_a_list_or_one_at_a_time() -> None:
    anchor, target = random_pair(1, 30, 20)
    masks = random_masks(2, 4, 30, 20)
    expected = measure_evidence(anchor, target, masks)
    regions = RegionSet.from_masks(masks)
    assert measure_evidence(anchor, target, regions) == expected
    assert measure_evidence(anchor, target, list(masks)) == expected
    assert measure_evidence(anchor, target, masks[:0]).regions == ()


def test_memory_does_not_grow_with_the_picture() -> None:
    anchor, target = random_pair(1, 1024, 1024)
    mask = np.ones((1, 1024, 1024), dtype=bool)
    tracemalloc.start()
    measure_evidence(anchor, target, mask, parts=Parts(tile=128, band_pixels=1 << 16))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # One full-size float32 map alone would be 4 MiB, and a dozen are needed in all.
    assert peak < 9 << 20


def test_wrong_input_ends_in_one_clear_line() -> None:
    anchor, target = random_pair(1, 8, 9)
    masks = np.ones((2, 8, 9), dtype=bool)
    with pytest.raises(RecipeError, match=r"^unknown evidence level 'most'; expected one of: all"):
        measure_evidence(anchor, target, masks, "most")  # type: ignore[arg-type]
    with pytest.raises(ImageError, match="pictures of unequal size: 9×8 and 8×8"):
        measure_evidence(anchor, target[:, :8], masks)
    with pytest.raises(RegionError, match=r"^masks must be \(R, 8, 9\) bool, got one of \(8, 8\)"):
        measure_evidence(anchor, target, masks[:, :, :8])
    with pytest.raises(RegionError, match=r"masks must be .*, got one of \(8, 9\) uint8"):
        measure_evidence(anchor, target, masks.astype(np.uint8))
    masks[1] = False
    with pytest.raises(RegionError, match=r"^mask 1 has no pixel, expected at least one"):
        measure_evidence(anchor, target, masks)
