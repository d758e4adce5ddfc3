"""Distortions as cameras and codecs make them keep what their rows promise."""

from __future__ import annotations

import os

import cv2
import numpy as np
import pytest
from skimage import data as pictures

from distortion_graph.base.errors import RecipeError
from distortion_graph.masks.boxes import Box
from distortion_graph.measure.quality import HAARPSI
from distortion_graph.synth.distort import HELD_OUT, PUBLISHED, SUBTYPES, WILD, apply
from distortion_graph.synth.distort import apply_in_box as apply_in_box
from distortion_graph.synth.distort.light import to_grey, to_linear
from distortion_graph.synth.distort.wild import noise
from distortion_graph.synth.distort.wild.blur import aperture_kernel, shake_kernel
from distortion_graph.synth.distort.wild.depth import depth_from_cues
from distortion_graph.synth.distort.wild.video import frame_of
from distortion_graph.synth.keys import generator

AVAILABLE = [entry for entry in WILD if entry.available]
NAMES = [entry.full_name for entry in AVAILABLE]
SCENES = [
    np.ascontiguousarray(picture)
    for picture in (
        pictures.coffee()[100:228, 150:310],
        pictures.astronaut()[60:188, 100:260],
        pictures.chelsea()[60:188, 100:260],
    )
]


def distorted(image, entry, level, seed=0):
    return apply(image, entry.distortion, entry.name, level, generator(seed, entry.full_name))


def loss(clean, image):
    return 1 - HAARPSI.against(clean).scene_score(image)


@pytest.mark.parametrize("entry", AVAILABLE, ids=NAMES)
def test_losses_grow_with_the_level_and_start_near_nothing(entry):
    levels = (0.02, 1, 2, 3, 4, 5)
    losses = np.array(
        [
            np.mean(
                [loss(scene, distorted(scene, entry, k, s)) for scene in SCENES for s in (0, 1)]
            )
            for k in levels
        ]
    )
    assert (np.diff(losses) > -0.01).all() and (np.diff(losses[::2]) > 0).all(), losses
    assert losses[0] < 0.05 and losses[-1] > 0.15, losses


@pytest.mark.parametrize("entry", AVAILABLE, ids=NAMES)
def test_the_weakest_strength_is_nearly_invisible(entry):
    # HaarPSI alone would not see a shift of tones.
    for scene in SCENES:
        weak = distorted(scene, entry, 0.02).astype(float)
        assert 10 * np.log10(255**2 / ((weak - scene) ** 2).mean()) > 27


@pytest.mark.parametrize("entry", AVAILABLE, ids=NAMES)
def test_a_box_shows_the_whole_picture_s_pixels(entry):
    box = Box(30, 17, 40, 50)
    whole = distorted(SCENES[0], entry, 2.5)
    rng = generator(0, entry.full_name)
    part = apply_in_box(SCENES[0], entry.distortion, entry.name, 2.5, rng, box)
    assert np.array_equal(part, whole[box.area])


def test_the_published_table_stands_first_and_draws_what_it_drew():
    names = [e.full_name for subtypes in SUBTYPES.values() for e in subtypes.values() if e.drawn]
    assert names == [entry.full_name for entry in PUBLISHED if entry.drawn]
    assert not any(entry.drawn for entry in WILD)
    assert set(HELD_OUT) <= {entry.full_name for entry in WILD}


def test_strengths_between_levels_lie_on_a_line():
    entry = SUBTYPES["noise"]["sensor"]
    low, high = entry.strengths[1:3]
    assert entry.strength(2.25) == pytest.approx(low + 0.25 * (high - low))
    assert entry.strength(0.5) == pytest.approx((entry.weakest + entry.strengths[0]) / 2)
    assert entry.strength(3) == entry.strengths[2]
    rain = SUBTYPES["rain"]["streaks"]
    assert rain.strength(1.5) == pytest.approx((0.0008, 10, 0.025))
    # Without a level 0 there are whole levels only.
    assert SUBTYPES["blur"]["jitter"].strength(1.2) == 2
    for level in (0, 5.1, -1):
        with pytest.raises(RecipeError, match=r"level of noise:sensor must be 1 to 5, got"):
            entry.strength(level)


def test_a_module_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setattr("distortion_graph.synth.distort.sub_types.find_spec", lambda name: None)
    with pytest.raises(RecipeError, match="compression:heic needs the Python module pillow_heif"):
        apply(SCENES[0], "compression", "heic", 1, generator(0))


def test_linear_light_is_srgb_s_and_comes_back():
    greys = np.arange(256, dtype=np.uint8)[None, :, None].repeat(3, 2)
    linear = to_linear(greys)
    # IEC 61966-2-1 at mid-grey and on its straight part.
    assert linear[0, 128, 0] == pytest.approx(0.21586, abs=1e-4)
    assert linear[0, 5, 0] == pytest.approx(5 / 255 / 12.92, rel=1e-2)
    assert np.abs(to_grey(linear) - greys).max() < 0.06


FLAT = np.full((160, 200, 3), 120, np.uint8)


@pytest.mark.parametrize("sigma", [2.0, 8.0])
def test_sensor_noise_has_its_deviation_of_luma(sigma):
    weights = np.array([0.299, 0.587, 0.114])
    deviations = [
        ((noise.sensor(FLAT, sigma, generator(k)) - 120.0) @ weights).std() for k in range(12)
    ]
    # JPEG, in most of them, takes a part of it.
    assert max(deviations) == pytest.approx(sigma, rel=0.1) and min(deviations) > 0.4 * sigma


def test_sensor_noise_is_alike_in_neighbours_and_more_so_in_chroma():
    rows = []
    for k in range(20):
        residual = noise.sensor(FLAT, 6, generator(k)).astype(float) - 120
        luma = residual @ np.array([0.299, 0.587, 0.114])
        red = residual[..., 0] - luma
        rows.append([np.corrcoef(f[:, :-1].ravel(), f[:, 1:].ravel())[0, 1] for f in (luma, red)])
    luma, red = np.median(rows, axis=0)
    assert 0.2 < luma < 0.7 and red > luma + 0.1


def test_photon_noise_grows_with_light():
    half = np.full((200, 200, 3), 40, np.uint8)
    half[:, 100:] = 150
    ratios = []
    for k in range(15):
        residual = noise._mosaic_noise(half, generator(k))
        # The noise is that of linear light, seen through sRGB's slope at each of the two tones.
        slopes = [
            to_grey(to_linear(np.array(g, np.float32)) + np.float32(1e-3)) - g for g in (40, 150)
        ]
        dark, light = residual[:, 4:96].std() / slopes[0], residual[:, 104:196].std() / slopes[1]
        ratios.append(light / dark)
    assert min(ratios) > 1 and np.median(ratios) > 1.5


def test_chroma_noise_leaves_luma_nearly_alone():
    residual = noise.chroma(FLAT, 12, generator(3)).astype(float) - 120
    luma = residual @ np.array([0.299, 0.587, 0.114])
    assert residual[..., 0].std() == pytest.approx(12, rel=0.2)
    assert luma.std() < 0.3 * residual[..., 0].std()


@pytest.mark.parametrize("extent_px", [0.8, 4.0, 20.0])
def test_a_shake_is_a_path_of_its_extent_that_keeps_light_and_place(extent_px):
    for k in range(10):
        kernel = shake_kernel(extent_px, generator(k)).astype(float)
        offsets = np.arange(len(kernel)) - len(kernel) // 2
        assert kernel.sum() == pytest.approx(1, abs=1e-5) and (kernel >= 0).all()
        assert kernel.sum(0) @ offsets == pytest.approx(0, abs=0.02)
        assert kernel.sum(1) @ offsets == pytest.approx(0, abs=0.02)
        lit = np.argwhere(kernel > 0.001)
        across = np.hypot(*np.ptp(lit, axis=0))
        assert 0.5 * extent_px < across < extent_px + 5


@pytest.mark.parametrize("radius_px", [0.5, 2.2, 8.0])
def test_an_aperture_keeps_light_and_is_no_larger_than_its_radius(radius_px):
    for k in range(10):
        kernel = aperture_kernel(radius_px, generator(k)).astype(float)
        offsets = np.arange(len(kernel)) - len(kernel) // 2
        far = np.hypot(*np.meshgrid(offsets, offsets)) > radius_px + 1
        assert kernel.sum() == pytest.approx(1, abs=1e-5) and (kernel >= 0).all()
        assert kernel[far].sum() == 0


def test_blur_mixes_light_and_not_grey_levels():
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2] = 255
    for name in ("soft", "defocus"):
        seen = distorted(stripes, SUBTYPES["blur"][name], 5)[20:44, 20:44].mean()
        assert seen == pytest.approx(255 * 0.735, abs=3)  # sRGB of half the light


def test_a_given_depth_decides_where_it_is_out_of_focus():
    depth = np.zeros(SCENES[0].shape[:2], np.float32)
    depth[:, 80:] = 3
    made = apply(SCENES[0], "blur", "defocus_depth", 4, generator(5), depth=depth)

    def detail(image, part):
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        return cv2.Laplacian(grey, cv2.CV_32F)[:, part].std()

    near, far = np.s_[10:60], np.s_[100:150]
    kept = [detail(made, part) / detail(SCENES[0], part) for part in (near, far)]
    assert kept[1] < 0.8 * kept[0]


def test_guessed_depths_are_in_their_range_and_differ():
    fields = [depth_from_cues(SCENES[0], generator(k)) for k in range(5)]
    assert all(f.min() == 0 and f.max() == 1 for f in fields)
    assert np.abs(fields[0] - fields[1]).mean() > 0.02


@pytest.mark.parametrize("quality", [92.0, 40.0, 9.0])
def test_every_encoder_of_jpeg_keeps_the_picture_at_its_quality(quality):
    entry = SUBTYPES["compression"]["jpeg_any"]
    made = {entry.apply_level(SCENES[1], quality, generator(k)).tobytes() for k in range(25)}
    assert len(made) >= 8  # encoders and subsamplings differ
    for k in range(10):
        image = entry.apply_level(SCENES[1], quality, generator(k)).astype(float)
        psnr = 10 * np.log10(255**2 / ((image - SCENES[1]) ** 2).mean())
        assert psnr > {92.0: 30, 40.0: 24, 9.0: 18}[quality]


def test_a_second_jpeg_lies_on_another_grid():
    """Differences at the borders of blocks: JPEG once has them at multiples of 8 alone."""
    entry = SUBTYPES["compression"]["jpeg_twice"]
    phases = set()
    for k in range(12):
        image = entry.apply_level(SCENES[1], 10.0, generator(k)).astype(float).mean(-1)
        steps = np.abs(np.diff(image, 2, axis=1)).mean(0)
        phases.add(int(np.argmax([steps[p::8].mean() for p in range(8)])))
    assert len(phases) >= 3


@pytest.mark.skipif(not hasattr(os, "sched_getscheduler"), reason="no scheduling policies here")
def test_no_video_codec_leaves_the_process_above_others():
    """SVT-AV1 makes its caller a real-time thread where it may, as it may for root."""
    pytest.importorskip("av")
    picture = np.zeros((64, 64, 3), np.uint8)
    before = os.sched_getscheduler(0)
    for codec in ("h264", "hevc", "vp9", "av1"):
        frame_of(codec)(picture, 40, np.random.default_rng(0))
        assert os.sched_getscheduler(0) == before, codec
