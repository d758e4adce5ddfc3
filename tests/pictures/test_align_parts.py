"""The parts of `align` by facts: what zoom, blocks, colours and blur do to where a picture lies."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from skimage import data

from distortion_graph.pictures.align import align, places_in_target
from distortion_graph.pictures.align.bands import fitted_in_bands, fitted_softly
from distortion_graph.pictures.align.channels import in_better_channels, in_common_colours
from distortion_graph.pictures.align.detail import Pyramid, band_pass
from distortion_graph.pictures.align.matrices import corner_distance, moved, scaling, shift
from distortion_graph.pictures.align.motions import STEPS, directions, movement
from distortion_graph.pictures.align.refine import levels_for
from distortion_graph.pictures.align.softened import softened
from distortion_graph.pictures.align.zooms import with_equal_zoom

WHOLE = np.ascontiguousarray(data.astronaut()[:400, :400])
SIZE = (256, 288)
PIXELS = 240_000


def seen(matrix=None, picture=WHOLE):
    """A window of a picture by a camera whose places lie at `matrix` of the first one's."""
    half = shift(0.5, 0.5)
    places = np.linalg.inv(half) @ shift(60, 60) @ (np.eye(3) if matrix is None else matrix) @ half
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    return cv2.warpPerspective(picture, places, SIZE[::-1], flags=flags)


ANCHOR = seen()


def zoomed(by, matrix):
    """The mean of views magnified about the frame's middle by 1 to 1 + `by`, as a camera does."""
    middle = shift(SIZE[1] / 2, SIZE[0] / 2)
    steps = np.arange(0, by + 1e-9, 0.02)
    views = [
        seen(matrix @ middle @ scaling(1 / (1 + step), 1 / (1 + step)) @ np.linalg.inv(middle))
        for step in steps
    ]
    return np.mean(views, axis=0).round().astype(np.uint8)


@pytest.mark.parametrize("by", [0.1, 0.14])
def test_a_zoom_blur_is_found_and_laid_where_the_zoom_began(by):
    true = shift(4.0, -3.0)
    target = zoomed(by, true)
    found = align(ANCHOR, target, "similarity")
    # Laid on the middle of the zoom the corners would be off by half of it.
    half_off = np.hypot(*SIZE) / 2 * by / 2
    assert corner_distance(found.matrix, true, SIZE) < 0.1 * half_off
    both = with_equal_zoom(Pyramid(ANCHOR), Pyramid(target), true)
    assert both is not None


def test_other_blurs_and_borders_that_are_soft_anyway_are_no_zoom():
    blurred = cv2.GaussianBlur(seen(shift(4.0, -3.0)), (0, 0), 3)
    assert with_equal_zoom(Pyramid(ANCHOR), Pyramid(blurred), shift(4.0, -3.0)) is None
    assert with_equal_zoom(Pyramid(ANCHOR), Pyramid(ANCHOR.copy()), np.eye(3)) is None


@pytest.mark.parametrize("side", [4, 5])
def test_a_pixelated_picture_is_laid_to_a_tenth_of_a_block(side):
    true = shift(3.3, -1.6)
    fine = seen(true)
    small = cv2.resize(fine, (SIZE[1] // side, SIZE[0] // side), interpolation=cv2.INTER_AREA)
    target = cv2.resize(small, SIZE[::-1], interpolation=cv2.INTER_NEAREST)
    found = align(ANCHOR, target, "translation")
    assert corner_distance(found.matrix, true, SIZE) < 0.1 * side


def test_colours_in_which_two_pictures_agree_are_found():
    """What one shows in red the other shows in blue, and noise hides the rest."""
    rng = np.random.default_rng(0)
    true = shift(2.0, 1.0)
    noise = rng.integers(0, 256, (2, *SIZE), np.uint8)
    first = np.dstack([ANCHOR[..., 0], noise[0], noise[0]])
    second = np.dstack([noise[1], noise[1], seen(true)[..., 0]])
    pictures = Pyramid(first), Pyramid(second)
    better = in_better_channels(*pictures, true, 40_000, PIXELS)
    assert better is not None
    red, blue = (view.grey for view in better)
    assert abs(np.corrcoef(red.ravel(), ANCHOR[..., 0].ravel())[0, 1]) > 0.95
    assert abs(np.corrcoef(blue.ravel(), seen(true)[..., 0].ravel())[0, 1]) > 0.95
    assert in_better_channels(Pyramid(ANCHOR), Pyramid(seen(true)), true, 40_000, PIXELS) is None


def test_swapped_colours_do_not_move_a_picture():
    true = shift(5.4, -2.2)
    found = align(ANCHOR, np.ascontiguousarray(seen(true)[..., ::-1]))
    assert found.reason is None and corner_distance(found.matrix, true, SIZE) < 0.1


def deviation_px(views, matrix, motion):
    """What is said of a mapping's error."""
    return fitted_softly(views, matrix, motion, PIXELS, 0).deviation_px


def test_three_colours_tell_more_than_one():
    true = shift(2.4, 1.3)
    rng = np.random.default_rng(1)
    noisy = seen(true) + rng.normal(0, 50, (*SIZE, 3))
    pictures = Pyramid(ANCHOR), Pyramid(np.clip(noisy, 0, 255).astype(np.uint8))
    views = in_common_colours(*pictures, true, 40_000, PIXELS, 3)
    assert len(views) == 3
    one, three = (deviation_px(v, true, "translation") for v in (views[:1], views))
    assert three < one


def test_the_deviation_is_small_for_a_clean_pair_and_large_for_noise_and_flat_pictures():
    true = shift(2.4, 1.3)
    clean, rng = seen(true), np.random.default_rng(0)
    noisy = np.clip(clean + rng.normal(0, 60, clean.shape), 0, 255).astype(np.uint8)
    other = rng.integers(0, 256, clean.shape, np.uint8)
    flat = np.full_like(clean, 90)
    apart = [
        deviation_px([(Pyramid(ANCHOR), Pyramid(p))], true, "homography")
        for p in (clean, noisy, other, flat)
    ]
    assert apart[0] < 0.05 and 3 * apart[0] < apart[1] < 0.5
    assert apart[2] > 3 * apart[1] and apart[3] > 100


def test_the_deviation_is_what_fits_of_noisy_pictures_scatter():
    """Of 12 draws of noise: the error of the mean corner is what is said, within a factor of 2."""
    true, errors, said = shift(2.4, 1.3), [], []
    for seed in range(12):
        noise = np.random.default_rng(seed).normal(0, 60, (*SIZE, 3))
        target = np.clip(seen(true) + noise, 0, 255).astype(np.uint8)
        views = [(Pyramid(ANCHOR), Pyramid(target))]
        found = fitted_in_bands(views, shift(2.0, 1.0), "similarity", PIXELS, 10).matrix
        errors.append(corner_distance(found, true, SIZE))
        said.append(deviation_px(views, found, "similarity"))
    ratio = float(np.sqrt(np.mean(np.square(errors)) / np.mean(np.square(said))))
    assert 0.5 < ratio < 2


@pytest.mark.parametrize("motion", STEPS)
def test_directions_are_what_movements_do(motion):
    rng = np.random.default_rng(3)
    points = rng.uniform(0, 250, (7, 2))
    for k in range(STEPS[motion]):
        by = 1e-4 * np.eye(STEPS[motion])[k]
        gone = (moved(movement(SIZE, by), points) - points) / 1e-4
        assert np.allclose(gone.T, directions(SIZE, motion, points)[..., k], atol=1e-3)


def test_a_heavy_blur_is_laid_to_a_tenth_of_a_pixel():
    true = shift(6.3, -4.6)
    for sigma in (3, 5):
        blurred = cv2.GaussianBlur(cv2.GaussianBlur(seen(true), (0, 0), sigma), (0, 0), 0.5)
        found = align(ANCHOR, blurred, "translation")
        assert corner_distance(found.matrix, true, SIZE) < 0.1


def test_the_sharper_picture_becomes_as_soft_as_the_other_and_stays_in_its_place():
    blurred = cv2.GaussianBlur(ANCHOR, (0, 0), 3)
    levels = levels_for(Pyramid(ANCHOR), Pyramid(blurred), np.eye(3), PIXELS)
    (soft,) = softened(levels, np.eye(3), [True])
    before, after = (alike(*pair) for pair in (levels, soft))
    assert after > 0.995 > 0.9 > before
    first, second = (inner(level) for level in (soft.onto, levels.of))
    (dx, dy), _ = cv2.phaseCorrelate(first, second, cv2.createHanningWindow(first.shape[::-1], 5))
    assert abs(dx) < 0.05 and abs(dy) < 0.05


def inner(level):
    """A band of grey levels, far from the borders."""
    return np.ascontiguousarray(band_pass(level.grey)[20:-20, 20:-20])


def alike(one, other):
    """The correlation of two levels' bands."""
    return float(np.corrcoef(inner(one).ravel(), inner(other).ravel())[0, 1])


def test_what_is_compared_as_it_is_for_want_of_confidence_says_so():
    found = replace(align(ANCHOR, seen(shift(7.0, 3.0))), confidence=0.2)
    kept = found.as_they_are()
    assert kept.model == "none" and kept.reason == "uncertain" and kept.confidence == 0.2
    assert replace(found, reason="ambiguous").as_they_are().reason == "ambiguous"


def bent(most_px):
    """The window with a smooth displacement of up to so many pixels, and the displacement."""
    h, w = SIZE
    x, y = np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32))
    dx = most_px * np.sin(2 * np.pi * y / 130) * np.sin(np.pi * x / w)
    dy = most_px * np.cos(2 * np.pi * x / 150) * np.sin(np.pi * y / h)
    picture = cv2.remap(WHOLE, x + 60 + dx, y + 60 + dy, cv2.INTER_CUBIC)
    return picture, np.dstack([dx, dy])


def test_small_local_motion_is_followed_by_flow():
    target, displacement = bent(3.0)
    found = align(ANCHOR, target, "flow")
    assert found.model == "flow"
    h, w = SIZE
    places = places_in_target(found, (0, h), (0, w))
    # A pixel of the target at p shows what the anchor shows at p + displacement(p).
    added = displacement.astype(np.float32)
    there = cv2.remap(added, places - 0.5, None, cv2.INTER_LINEAR)  # type: ignore[call-overload]
    x, y = np.meshgrid(np.arange(w) + 0.5, np.arange(h) + 0.5)
    off = np.linalg.norm(places + there - np.dstack([x, y]), axis=2)[20:-20, 20:-20]
    before = np.linalg.norm(displacement, axis=2)[20:-20, 20:-20]
    assert off.mean() < 0.25 * before.mean()
