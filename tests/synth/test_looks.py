"""A look changes a photograph as cameras, photographers and the web do: it stays clean."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from skimage import data as pictures

from distortion_graph.measure.quality import HAARPSI
from distortion_graph.synth.distort.level_losses import level_losses
from distortion_graph.synth.distort.light import rounded, spread, to_grey, to_linear
from distortion_graph.synth.keys import generator
from distortion_graph.synth.looks import (
    PLAIN,
    RESAMPLINGS,
    Grain,
    Look,
    Tone,
    ToneMap,
    apply_look,
    draw_look,
    resampled,
)

PICTURE = np.ascontiguousarray(pictures.coffee()[100:228, 150:310])
LOOKS = [draw_look(generator("look", k)) for k in range(400)]


def loss(image: np.ndarray) -> float:
    return 1 - HAARPSI.against(PICTURE).scene_score(image)


def test_a_look_is_drawn_again_and_applied_again_to_the_byte():
    before = PICTURE.copy()
    for k in range(40):
        assert draw_look(generator("look", k)) == LOOKS[k]
        once, again = (apply_look(PICTURE, LOOKS[k], generator(k)) for _ in range(2))
        assert once.dtype == np.uint8 and once.shape == PICTURE.shape
        assert np.array_equal(once, again)
    assert np.array_equal(PICTURE, before)


def test_few_steps_are_common_and_every_step_happens():
    steps = [f.name for f in fields(Look) if f.name != "dither"]
    counts = np.array([sum(getattr(look, s) is not None for s in steps) for look in LOOKS])
    assert 0.2 < (counts == 0).mean() < 0.4 and (counts <= 3).mean() > 0.85
    for step in steps:
        assert any(getattr(look, step) is not None for look in LOOKS), step


def test_the_plain_look_is_the_picture_in_an_array_of_its_own():
    plain = apply_look(PICTURE, PLAIN, generator(0))
    assert np.array_equal(plain, PICTURE) and not np.shares_memory(plain, PICTURE)


def test_looks_stay_mild():
    # What lights up the dark is a look that costs more than the others.
    mild = [look for look in LOOKS if look.fused is None and look.mapped is None]
    losses = np.array([loss(apply_look(PICTURE, look, generator(0))) for look in mild])
    assert np.median(losses) < 0.02 and np.quantile(losses, 0.95) < 0.06 and losses.max() < 0.12
    # Nearly none loses as much as a picture that counts as noisy or sharpened too much.
    assert (losses < level_losses().least("oversharpen")).mean() > 0.97


def test_grain_stays_below_half_of_the_first_level_of_noise():
    grains = [Look(grain=look.grain) for look in LOOKS if look.grain]
    losses = [loss(apply_look(PICTURE, grain, generator(0))) for grain in grains]
    assert len(losses) > 20 and max(losses) < level_losses().least("noise")


@pytest.mark.parametrize("size_px", [0.0, 0.7])
def test_grain_has_its_deviation_and_its_size(size_px):
    flat = np.full((200, 200, 3), 128, np.uint8)
    made = apply_look(flat, Look(grain=Grain(5, size_px)), generator(0)).astype(float)
    assert made.std() == pytest.approx(5, rel=0.03)
    left, right = made[:, :-1, 0].ravel(), made[:, 1:, 0].ravel()
    # Gaussian grain is alike after a step of 1 px by exp(−1 / (4 σ²)).
    expected = np.exp(-1 / (4 * size_px**2)) if size_px else 0
    assert np.corrcoef(left, right)[0, 1] == pytest.approx(expected, abs=0.06)


def test_tone_keeps_white_and_puts_black_at_the_lift():
    ends = np.zeros((4, 4, 3), np.uint8)
    ends[:2] = 255
    made = apply_look(ends, Look(tone=Tone(0.5, 0.2, 10)), generator(0))
    assert set(np.unique(made[:2])) == {255} and set(np.unique(made[2:])) == {10}


def test_dithering_fills_the_levels_that_a_curve_leaves_empty():
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 60, 0).repeat(3, 2)
    curve = Tone(1.0, 0.0, 0)

    def empty_levels(dither: bool) -> int:
        made = apply_look(ramp, Look(tone=curve, dither=dither), generator(0))
        return 256 - len(np.unique(made[..., 0]))

    assert empty_levels(False) > 10 and empty_levels(True) == 0


def test_spread_values_round_to_the_picture():
    values = spread(PICTURE, generator(0))
    assert np.abs(values - PICTURE).max() <= 0.5
    assert (values - PICTURE).std() == pytest.approx(np.sqrt(1 / 12), rel=0.02)


@pytest.mark.parametrize("kernel", RESAMPLINGS)
def test_every_kernel_keeps_the_mean(kernel):
    for size in ((80, 64), (320, 256)):
        made = resampled(PICTURE, size, kernel)
        assert made.shape == (size[1], size[0], 3)
        assert made.mean() == pytest.approx(PICTURE.mean(), abs=1)


@pytest.mark.parametrize("size", [(1, 1), (1, 17), (13, 1), (5, 7)])
def test_tiny_pictures_survive(size):
    image = generator("tiny").integers(0, 256, (*size, 3), dtype=np.uint8)
    for look in LOOKS[:60]:
        assert apply_look(image, look, generator(0)).shape == image.shape


def test_merged_exposures_light_up_the_dark_and_darken_the_light():
    rows = np.linspace(4, 250, 160).astype(np.uint8)
    ramp = np.repeat(np.repeat(rows[None, :, None], 96, 0), 3, 2)
    made = apply_look(ramp, Look(fused=2.0), generator(0)).astype(float)[..., 0].mean(0)
    assert made[20] > rows[20] and made[-10] < rows[-10]
    assert loss(apply_look(PICTURE, Look(fused=2.5), generator(0))) < 0.35


def test_a_tone_map_brings_light_and_dark_together_and_keeps_detail():
    stripes = np.where(np.arange(192) % 4 < 2, 0.8, 1.25)[None, :, None]
    halves = np.where(np.arange(192) < 96, 0.03, 0.48)[None, :, None]  # four stops apart
    scene = to_grey((halves * stripes * np.ones((96, 1, 3))).astype(np.float32))
    picture = rounded(scene)
    made = apply_look(picture, Look(mapped=ToneMap(0.5, 1)), generator(0))
    before, after = (np.log2(to_linear(x)[..., 1].mean(0)) for x in (picture, made))

    def parts(stops: np.ndarray) -> tuple[float, float]:
        dark, light = stops[16:64], stops[128:176]
        return light.mean() - dark.mean(), light.max() - light.min()

    assert parts(before) == pytest.approx((4, 0.64), abs=0.1)
    assert parts(after) == pytest.approx((2, 0.64), abs=0.25)
    assert after[128:176].mean() == pytest.approx(before[128:176].mean(), abs=0.1)
    grey = np.full((64, 64, 3), 50, np.uint8)
    assert (apply_look(grey, Look(mapped=ToneMap(0.5, 1)), generator(0)) == 50).all()
