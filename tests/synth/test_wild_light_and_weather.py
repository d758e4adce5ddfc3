"""Exposure, colour, detail and weather of the wild table keep what their docstrings promise."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from skimage import data as pictures

from distortion_graph.synth.distort import apply
from distortion_graph.synth.distort.light import to_grey, to_linear
from distortion_graph.synth.distort.wild import colour, contrast, detail, exposure, haze
from distortion_graph.synth.distort.wild.falling import flake, layer, streak
from distortion_graph.synth.keys import generator

SCENE = np.ascontiguousarray(pictures.coffee()[100:228, 150:310])
FLAT = np.full((60, 80, 3), 100, np.uint8)
BLACK = np.zeros((120, 120, 3), np.uint8)
DRAWS = 12


@pytest.mark.parametrize("stops", [0.5, 2.0])
def test_an_exposure_doubles_or_halves_light_per_stop(stops):
    light = to_linear(np.array([100], np.float32))
    darker = float(to_grey(light / 2**stops)[0])
    for k in range(DRAWS):
        made = exposure.underexposed(FLAT, stops, generator(k)).mean()
        assert made == pytest.approx(darker, abs=3.5)
    brighter = float(to_grey(light * 2**stops)[0])
    made = [exposure.overexposed(FLAT, stops, generator(k)).mean() for k in range(DRAWS)]
    # A shoulder may hold highlights back, nothing lies above the plain exposure.
    assert max(made) == pytest.approx(brighter, abs=1) and min(made) > 0.8 * brighter


def test_overexposure_clips_to_white():
    made = exposure.overexposed(SCENE, 3.5, generator(1))
    assert (made.min(-1) >= 250).mean() > (SCENE.min(-1) >= 250).mean() + 0.1


def test_flare_adds_the_mean_light_that_was_asked_for():
    for k in range(DRAWS):
        made = exposure.flare(BLACK, 0.1, generator(k))
        # Less where a bright source is cut off at white, and in tinted channels.
        assert 0.04 < to_linear(made).mean() < 0.105


def test_most_tone_curves_leave_no_empty_levels_between_others():
    """So that no label can rest on gaps of the histogram alone."""
    ramp = np.tile(np.arange(256, dtype=np.uint8), (120, 1))[..., None].repeat(3, 2)

    def gaps(image):
        used = np.bincount(image[..., 1].ravel(), minlength=256) > 0
        inside = used[used.argmax() : 256 - used[::-1].argmax()]
        return int((~inside).sum())

    for work, strength in (
        (exposure.overexposed, 1.0),
        (exposure.brighter, 0.5),
        (exposure.darker, 2.0),
        (contrast.s_curve, 2.0),
        (contrast.levels, 0.3),
    ):
        filled = [gaps(work(ramp, strength, generator(k))) <= 2 for k in range(20)]
        assert np.mean(filled) >= 0.5, work.__name__


@pytest.mark.parametrize("work", [contrast.flat, contrast.faded])
def test_flat_pictures_keep_their_middle_and_lose_their_ends(work):
    ends = np.zeros((40, 40, 3), np.uint8)
    ends[:20] = 255
    strength = {contrast.flat: 0.4, contrast.faded: 0.5}[work]
    for k in range(DRAWS):
        made = work(ends, strength, generator(k)).astype(float)
        assert made[25:].mean() > 20 and made[:15].mean() < 235


def lab_of(image):
    unit = image.astype(np.float32) / 255
    return cv2.cvtColor(unit, cv2.COLOR_RGB2Lab)


def test_chroma_of_lab_is_scaled_and_lightness_stays():
    pale = np.clip(SCENE * 0.3 + 90, 0, 255).astype(np.uint8)  # far from the ends of sRGB
    before = lab_of(pale)
    for factor in (0.5, 1.5):
        after = lab_of(colour.lab(pale, factor, generator(3)))
        assert np.abs(after[..., 0] - before[..., 0]).mean() < 1
        chroma = [np.hypot(x[..., 1], x[..., 2]).mean() for x in (before, after)]
        assert chroma[1] / chroma[0] == pytest.approx(factor, rel=0.08)


def test_vibrance_changes_pale_colours_most():
    image = np.zeros((20, 40, 3), np.uint8)
    image[:, :20], image[:, 20:] = (140, 120, 120), (220, 60, 60)
    before, after = lab_of(image), lab_of(colour.vibrance(image, 1.8, generator(2)))
    growth = [
        np.hypot(*after[:, part, 1:].mean((0, 1))) / np.hypot(*before[:, part, 1:].mean((0, 1)))
        for part in (np.s_[2:18], np.s_[22:38])
    ]
    assert growth[0] > growth[1] + 0.3 and growth[0] == pytest.approx(1.7, abs=0.2)


def test_greys_stay_grey_where_colour_grows():
    for work in (colour.lab, colour.vibrance, colour.filtered):
        made = work(FLAT, 6.0, generator(4)).astype(float)
        assert np.abs(made.mean((0, 1)) - 100).max() < 4, work.__name__


def test_a_mosaic_has_equal_blocks_of_its_size_on_any_grid():
    offsets = set()
    for k in range(20):
        made = detail.mosaic(SCENE, 5.0, generator(k)).astype(int)
        changes = np.flatnonzero(np.abs(np.diff(made, axis=1)).sum((0, 2)))
        offsets.add(int(changes[0]) % 5)
        sides = np.diff(changes)
        assert sides.min() >= 3 and np.median(sides) == pytest.approx(5, abs=1.01)
        assert made.mean() == pytest.approx(SCENE.mean(), abs=4)
    assert len(offsets) > 2


@pytest.mark.parametrize("name", ["halo", "crisp", "upscaled", "ringing"])
def test_sharpeners_overshoot_an_edge(name):
    edge = np.full((60, 80, 3), 80, np.uint8)
    edge[:, 40:] = 160
    for k in range(6):
        made = apply(edge, "oversharpen", name, 4, generator(k)).astype(int)
        assert made[:, 30:40].min() < 70 and made[:, 40:50].max() > 170


@pytest.mark.parametrize("name", ["air", "mist", "fog"])
def test_thick_haze_hides_what_is_far(name):
    depth = np.zeros(SCENE.shape[:2], np.float32)
    depth[:, 80:] = 5
    kept = []
    for k in range(8):
        made = getattr(haze, name)(SCENE, 1.5, generator(k), depth).astype(float)
        kept.append([made[:, p].std() / SCENE[:, p].std() for p in (np.s_[:70], np.s_[90:])])
    near, far = np.mean(kept, axis=0)
    assert far < near - 0.05 and far < 0.5
    # Behind any thickness of air there is the air alone.
    wall = getattr(haze, name)(SCENE, 60.0, generator(1)).astype(float)
    assert cv2.blur(wall, (9, 9))[10:-10, 10:-10].std(axis=(0, 1)).max() < 4


def test_clouds_have_no_mean_and_unit_deviation():
    for k in range(5):
        field = haze.clouds((90, 130), generator(k))
        assert field.mean() == pytest.approx(0, abs=1e-4)
        assert field.std() == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize(
    ("kind", "name"),
    [("rain", n) for n in ("sheets", "drops", "gusts")]
    + [("snow", n) for n in ("flurry", "blown", "clumps")],
)
def test_what_falls_brightens_black_more_the_more_there_is(kind, name):
    covered = [
        np.mean([(apply(BLACK, kind, name, k, generator(s)) > 12).mean() for s in range(6)])
        for k in (1, 3, 5)
    ]
    assert covered == sorted(covered) and covered[0] > 0.01


def test_rain_lies_along_its_streaks():
    dark = np.full((200, 200, 3), 30, np.uint8)
    for name in ("sheets", "gusts", "drops"):
        seen = []
        for k in range(8):
            made = apply(dark, "rain", name, 4, generator(k))[..., 1].astype(np.float32)
            dy, dx = np.gradient(cv2.GaussianBlur(made, (0, 0), 1))
            # Along a streak nothing changes: the gradient's main axis is across it.
            seen.append(
                abs(0.5 * np.degrees(np.arctan2(2 * (dx * dy).mean(), (dx**2 - dy**2).mean())))
            )
        assert np.median(seen) < 30, name


@pytest.mark.parametrize("angle", [0.0, 0.6])
def test_a_streak_has_its_length_and_direction(angle):
    kernel = streak(20, 0.6, angle)
    y, x = np.indices(kernel.shape) - len(kernel) // 2
    weight = kernel / kernel.sum()
    assert kernel.max() == 1
    # The main axis of its mass: positive angles lean to the right of straight down.
    main = 0.5 * np.arctan2(2 * (weight * x * y).sum(), (weight * (y * y - x * x)).sum())
    assert main == pytest.approx(angle, abs=0.02)
    along = np.abs(x * np.sin(angle) + y * np.cos(angle))[kernel > 0.3].max()
    assert along == pytest.approx(10, abs=1.5)


def test_a_flake_is_round_and_moves_along_its_way():
    still, moved = flake(2.0, 0.0, 0.0), flake(2.0, 8.0, 0.0)
    assert still.max() == moved.max() == 1
    assert np.array_equal(still, still.T) and np.array_equal(still, still[::-1])
    tall, wide = (moved.max(axis) > 0.3 for axis in (1, 0))
    assert tall.sum() > wide.sum() + 4


def test_a_layer_has_as_many_things_as_were_asked_for():
    dot = np.ones((1, 1), np.float32)
    hidden = layer((200, 300), 0.01, dot, generator(0))
    assert hidden.shape == (200, 300) and hidden.min() >= 0 and hidden.max() <= 1
    # Strengths lie between .35 and 1, and each thing adds its own.
    assert hidden.sum() == pytest.approx(0.01 * 200 * 300 * 0.675, rel=0.1)
