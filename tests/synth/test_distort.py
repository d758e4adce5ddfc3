"""Every sub-type keeps what its row of the design's table promises."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage import data as pictures

from distortion_graph.base.errors import ImageError, RecipeError
from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY
from distortion_graph.synth.distort import LEVELS, SUBTYPES, apply
from distortion_graph.synth.distort.blur import disc_kernel, motion_kernel
from distortion_graph.synth.distort.weather import depth_field

ALL = [(d, s) for d, names in SUBTYPES.items() for s in names if names[s].available]
PICTURE = np.ascontiguousarray(pictures.astronaut()[60:220, 100:300])
GREY = np.full((90, 120, 3), 128, np.uint8)


def distort(image, distortion, subtype, level, seed=0, **options):
    return apply(image, distortion, subtype, level, np.random.default_rng(seed), **options)


def change(image, *recipe):
    return np.abs(distort(image, *recipe).astype(int) - image).mean()


def test_table_covers_the_published_types():
    assert set(SUBTYPES) == set(DEFAULT_VOCABULARY.distortions) - {"clean"}
    counts = {d: sum(s.drawn for s in names.values()) for d, names in SUBTYPES.items()}
    assert counts["blur"] == 6 and counts["noise"] == 6 and counts["compression"] == 2
    assert all(len(s.strengths) == LEVELS for names in SUBTYPES.values() for s in names.values())


@pytest.mark.parametrize(("distortion", "subtype"), ALL)
def test_same_generator_same_bytes_and_input_untouched(distortion, subtype):
    before = PICTURE.copy()
    for level in (1, 5):
        first = distort(PICTURE, distortion, subtype, level, seed=3)
        second = distort(PICTURE, distortion, subtype, level, seed=3)
        assert first.dtype == np.uint8 and first.shape == PICTURE.shape
        assert np.array_equal(first, second)
        assert not np.array_equal(first, PICTURE)
    assert np.array_equal(PICTURE, before)


@pytest.mark.parametrize(("distortion", "subtype"), ALL)
def test_stronger_levels_change_more(distortion, subtype):
    assert change(PICTURE, distortion, subtype, 1) < change(PICTURE, distortion, subtype, 3)
    assert change(PICTURE, distortion, subtype, 3) < change(PICTURE, distortion, subtype, 5)


@pytest.mark.parametrize(("distortion", "subtype"), ALL)
@pytest.mark.parametrize("size", [(1, 1), (1, 17), (13, 1), (5, 7)])
def test_tiny_pictures_survive(distortion, subtype, size):
    image = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    assert distort(image, distortion, subtype, 5).shape == image.shape


@pytest.mark.parametrize("level", range(1, 6))
def test_gaussian_noise_has_the_tables_deviation(level):
    noisy = distort(np.full((200, 200, 3), 128, np.uint8), "noise", "gaussian_rgb", level)
    sigma = (0.05, 0.10, 0.15, 0.20, 0.25)[level - 1]
    assert noisy.std() / 255 == pytest.approx(sigma, rel=0.06)


def test_correlated_noise_is_averaged_over_nine_pixels():
    noisy = distort(np.full((300, 300, 3), 128, np.uint8), "noise", "correlated", 2)
    assert noisy.std() / 255 == pytest.approx(0.11 / 3, rel=0.05)
    residual = noisy[..., 0].astype(float) - 128
    neighbours = np.corrcoef(residual[:, :-1].ravel(), residual[:, 1:].ravel())[0, 1]
    assert neighbours == pytest.approx(2 / 3, abs=0.03)


def test_impulse_strikes_the_given_share_of_pixels_on_all_channels():
    noisy = distort(np.full((300, 300, 3), 128, np.uint8), "noise", "impulse", 3)
    struck = (noisy != 128).any(-1)
    assert struck.mean() == pytest.approx(0.05, abs=0.005)
    assert set(np.unique(noisy[struck])) == {0, 255}
    assert np.array_equal(struck, (noisy != 128).all(-1))


def test_poisson_variance_follows_brightness():
    dark = distort(np.full((200, 200, 3), 60, np.uint8), "noise", "poisson", 3)
    light = distort(np.full((200, 200, 3), 180, np.uint8), "noise", "poisson", 3)
    assert light.var() / dark.var() == pytest.approx(3, rel=0.1)


def test_shifts_and_gammas_on_known_pixels():
    image = np.full((4, 4, 3), 100, np.uint8)
    assert distort(image, "brightness", "rgb_shift", 3)[0, 0, 0] == round(100 + 0.2 * 255)
    assert distort(image, "darken", "rgb_shift", 3)[0, 0, 0] == round(100 - 0.2 * 255)
    assert distort(image, "brightness", "hsv_shift", 1)[0, 0, 0] == round(100 + 25.5)
    expected = round(255 * (100 / 255) ** 2.1)
    assert distort(image, "darken", "rgb_gamma", 3)[0, 0, 0] == expected


def test_contrast_scales_about_the_mean_luma():
    image = np.full((2, 2, 3), 100, np.uint8)
    image[0] = 140
    weaker = distort(image, "contrast_dec", "scale", 2)
    assert weaker[0, 0, 0] == 132 and weaker[1, 0, 0] == 108
    stretched = distort(image, "contrast_inc", "stretch", 1)
    assert stretched[0, 0, 0] == round(255 / (1 + (120 / 140) ** 2))


@pytest.mark.parametrize("grey", [0, 1, 128, 255])
@pytest.mark.parametrize("distortion", ["contrast_inc", "contrast_dec"])
def test_stretch_puts_every_flat_picture_in_the_middle(distortion, grey):
    flat = np.full((4, 4, 3), grey, np.uint8)
    assert set(np.unique(distort(flat, distortion, "stretch", 3))) == {128}


def test_desaturating_fully_gives_grey_and_keeps_luma():
    grey = distort(PICTURE, "saturate_dec", "ycrcb", 5)
    assert np.ptp(grey.astype(int), axis=-1).max() <= 1
    weights = np.array([0.299, 0.587, 0.114])
    assert np.abs(grey @ weights - PICTURE @ weights).max() < 1.5


def test_saturating_leaves_greys_alone():
    for subtype in ("hsv", "ycrcb"):
        assert np.abs(distort(GREY, "saturate_inc", subtype, 5).astype(int) - GREY).max() <= 1


def test_pixelate_makes_equal_blocks():
    out = distort(PICTURE, "pixelate", "block", 4)
    blocks = out.reshape(40, 4, 50, 4, 3)
    assert np.array_equal(blocks, np.broadcast_to(blocks[:, :1, :, :1], blocks.shape))


@pytest.mark.parametrize("subtype", ["gaussian", "motion", "lens", "zoom"])
def test_blur_leaves_flat_pictures_flat(subtype):
    assert np.abs(distort(GREY, "blur", subtype, 5).astype(int) - 128).max() <= 1


def test_jitter_moves_pixels_no_farther_than_its_shift():
    ramp = np.repeat(np.arange(100, dtype=np.uint8)[None, :, None], 3, 2).repeat(50, 0)
    moved = distort(ramp, "blur", "jitter", 4).astype(int) - ramp
    assert np.abs(moved).max() == 4


@given(st.integers(1, 20), st.floats(1, 15), st.floats(0, 3.2))
def test_motion_kernel_is_normalised_and_centred(radius, sigma, angle):
    kernel = motion_kernel(radius, sigma, angle).astype(float)
    offsets = np.arange(2 * radius + 1) - radius
    assert kernel.sum() == pytest.approx(1, abs=1e-5)
    assert kernel.sum(0) @ offsets == pytest.approx(0, abs=1e-4)
    assert kernel.sum(1) @ offsets == pytest.approx(0, abs=1e-4)


def test_disc_kernel_covers_the_disc():
    kernel = disc_kernel(8)
    assert kernel.shape == (17, 17)
    assert 1 / kernel[8, 8] == pytest.approx(np.pi * 64, rel=0.01)


def test_unsharp_is_the_formula():
    values = PICTURE.astype(np.float64)
    axis = np.exp(-(np.arange(-2, 3) ** 2) / (2 * 1.1**2))
    kernel = np.outer(axis, axis) / axis.sum() ** 2
    smooth = cv2.filter2D(values, -1, kernel, borderType=cv2.BORDER_REFLECT)
    expected = np.rint(np.clip(values + 4 * (values - smooth), 0, 255))
    assert np.abs(expected - distort(PICTURE, "oversharpen", "unsharp", 3)).max() <= 1


def test_haze_follows_a_given_depth():
    depth = np.zeros(PICTURE.shape[:2], np.float32)
    depth[:, 100:] = 9
    hazy = distort(PICTURE, "haze", "scattering", 5, depth=depth).astype(float)
    contrast = [hazy[:, s].std() / PICTURE[:, s].std() for s in (slice(0, 100), slice(100, 200))]
    assert contrast[0] == pytest.approx(np.exp(-2.0 * 0.05), rel=0.02)
    assert contrast[1] == pytest.approx(np.exp(-2.0 * 0.7), rel=0.02)


def test_a_flat_depth_of_any_type_is_the_middle_and_one_that_is_no_number_is_refused():
    maps = [np.full(GREY.shape[:2], 7, kind) for kind in (np.uint8, np.float32)]
    hazes = [distort(GREY, "haze", "scattering", 3, depth=depth) for depth in maps]
    assert np.array_equal(*hazes)
    maps[1][3, 3] = np.nan
    with pytest.raises(ImageError, match="finite"):
        distort(GREY, "haze", "scattering", 3, depth=maps[1])


def test_drawn_depth_stays_in_range():
    field = depth_field((50, 70), np.random.default_rng(1))
    assert field.min() == pytest.approx(0.05) and field.max() == pytest.approx(0.7)


def test_rain_is_slanted_by_at_most_twenty_degrees():
    dark = np.zeros((300, 300, 3), np.uint8)
    for seed in range(5):
        grey = distort(dark, "rain", "streaks", 5, seed=seed)[..., 0].astype(float)
        dy, dx = np.gradient(cv2.GaussianBlur(grey, (0, 0), 1))
        # Along a streak nothing changes: the gradient's main axis is across it.
        angle = 0.5 * np.degrees(np.arctan2(2 * (dx * dy).mean(), (dx**2 - dy**2).mean()))
        assert abs(angle) < 22


@pytest.mark.parametrize(("distortion", "subtype"), [("snow", "flakes"), ("rain", "streaks")])
def test_weather_only_brightens_black(distortion, subtype):
    black = np.zeros((120, 120, 3), np.uint8)
    covered = [(distort(black, distortion, subtype, level) > 30).mean() for level in range(1, 6)]
    assert covered == sorted(covered) and covered[0] > 0


def test_errors_name_the_nearest_word():
    with pytest.raises(RecipeError, match="did you mean 'blur'"):
        distort(GREY, "blurr", "gaussian", 1)
    with pytest.raises(RecipeError, match=r"sub-type of blur 'moton'.*did you mean 'motion'"):
        distort(GREY, "blur", "moton", 1)
    with pytest.raises(RecipeError, match="1 to 5, got 6"):
        distort(GREY, "blur", "motion", 6)
    with pytest.raises(ImageError, match=r"\(H, W, 3\) uint8, got \(90, 120\) uint8"):
        distort(GREY[..., 0], "blur", "motion", 1)
