"""Automatic regions: a tiling by a few connected regions that depends on nothing but the pixels."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from optional import present
from skimage import data
from skimage.measure import label

from distortion_graph.measure.differences import find_differences
from distortion_graph.segment.auto import auto_regions


def scene(h=120, w=180, seed=0, patches=9):
    """Voronoi cells of random colours with gradients and noise: regions that are known."""
    rng = np.random.default_rng(seed)
    centres = rng.random((patches, 2)) * [h, w]
    y, x = np.mgrid[:h, :w]
    cells = np.argmin((y[..., None] - centres[:, 0]) ** 2 + (x[..., None] - centres[:, 1]) ** 2, -1)
    colours = rng.integers(20, 236, (patches, 3))
    picture = colours[cells] + (10 * x / w)[..., None] + rng.normal(0, 4, (h, w, 3))
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8), cells


def check_tiling(regions, size):
    labels = regions.label_map()
    assert labels.shape == size
    assert labels.min() == 1 and regions.ids == tuple(range(1, len(regions) + 1))
    assert regions.areas().sum() == labels.size  # no overlap, no hole
    assert 1 <= len(regions) <= 25
    assert all(label(labels == i, connectivity=1).max() == 1 for i in regions.ids)
    firsts = [np.flatnonzero(labels == i)[0] for i in regions.ids]
    assert firsts == sorted(firsts)


@pytest.mark.parametrize("seed", range(4))
def test_known_patches_are_found(seed):
    picture, cells = scene(seed=seed)
    regions = auto_regions(picture)
    check_tiling(regions, (120, 180))
    assert 5 <= len(regions) <= 14
    assert regions.areas().min() >= 0.008 * cells.size
    masks = regions.masks()
    overlap = 0
    for c in np.unique(cells):
        truth = cells == c
        both = (masks & truth).sum((1, 2)) / (masks | truth).sum((1, 2))
        overlap += truth.mean() * both.max()
    assert overlap > 0.8


@given(
    st.sampled_from([(1, 1), (1, 2), (8, 8), (1, 300), (300, 1), (15, 40), (16, 16), (40, 33)]),
    st.integers(0, 2**32 - 1),
    st.integers(1, 255),
)
def test_any_pair_is_tiled_and_swapping_changes_nothing(size, seed, span):
    a, b = np.random.default_rng(seed).integers(0, span, (2, *size, 3)).astype(np.uint8)
    regions = auto_regions(a, b)
    check_tiling(regions, size)
    assert auto_regions(b, a) == regions


def test_swapping_two_photograph_like_pictures():
    a, _ = scene(seed=1)
    b = np.clip(a * 0.6 + 30, 0, 255).astype(np.uint8)
    assert auto_regions(a, b) == auto_regions(b, a)
    assert auto_regions(a, a) == auto_regions(a)


@pytest.mark.parametrize("size", [(1, 1), (8, 8), (1, 100), (90, 120)])
def test_a_flat_picture_is_one_region(size):
    regions = auto_regions(np.full((*size, 3), 77, np.uint8))
    check_tiling(regions, size)
    assert len(regions) == 1


def test_a_large_picture_costs_no_more_detail():
    """Work is done at a reduced size: a picture of twice the size has the same regions."""
    picture, _ = scene(h=320, w=320, seed=3)
    small = auto_regions(picture)
    large = auto_regions(np.kron(picture, np.ones((2, 2, 1), np.uint8)))
    assert (large.label_map()[::2, ::2] == small.label_map()).all()


def test_pictures_of_two_sizes_take_the_first():
    picture, _ = scene()
    check_tiling(auto_regions(picture, picture[:60, :90]), (120, 180))


def test_every_run_gives_the_same_bytes():
    code = (
        "import hashlib, sys; sys.path[:0] = ['tests/segment', 'tests']\n"
        "from test_auto import scene\n"
        "from distortion_graph.segment.auto import auto_regions\n"
        "print(hashlib.sha256(auto_regions(scene()[0]).label_map().tobytes()).hexdigest())"
    )
    folder = Path(__file__).parent
    code = code.replace("'tests/segment', 'tests'", f"{str(folder)!r}, {str(folder.parent)!r}")
    runs = {
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout.strip()
        for _ in range(2)
    }
    here = hashlib.sha256(auto_regions(scene()[0]).label_map().tobytes()).hexdigest()
    assert runs == {here}


def photograph():
    """0.4 megapixels of a photograph."""
    return cv2.resize(data.astronaut(), (640, 640), interpolation=cv2.INTER_CUBIC)


def best_overlap(regions, truth):
    """Intersection over union of a place and the region that is most like it."""
    masks = regions.masks()
    return ((masks & truth).sum((1, 2)) / (masks | truth).sum((1, 2))).max()


@pytest.mark.parametrize("corner", [(200, 60), (330, 420), (250, 300)])
def test_a_blurred_patch_becomes_a_region_of_its_own(corner):
    rgb = photograph()
    x, y = corner
    part = np.s_[y : y + 60, x : x + 80]
    patch = np.zeros(rgb.shape[:2], bool)
    patch[part] = True
    other = rgb.copy()
    other[part] = cv2.GaussianBlur(rgb, (0, 0), 3)[part]
    regions = auto_regions(rgb, other)
    check_tiling(regions, (640, 640))
    assert auto_regions(other, rgb) == regions
    assert best_overlap(regions, patch) > 0.5 > 0.4 > best_overlap(auto_regions(rgb), patch)
    found = find_differences(rgb, other)
    inside = [
        region for region in found.measure(regions.lazy_masks()).regions if present(region).spots
    ]
    assert max(present(region).share for region in inside) > 0.4


def test_changed_letters_and_a_thin_banner_become_regions_of_their_own():
    page = np.full((800, 1280, 3), 255, np.uint8)
    cv2.putText(page, "49.90", (980, 180), cv2.FONT_HERSHEY_SIMPLEX, 1.2, (20, 20, 20), 3)
    other = page.copy()
    other[140:190, 980:1040] = 255
    cv2.putText(other, "94", (980, 180), cv2.FONT_HERSHEY_SIMPLEX, 1.2, (20, 20, 20), 3)
    other[:24] = (255, 240, 150)
    regions = auto_regions(page, other)
    check_tiling(regions, (800, 1280))
    found = find_differences(page, other)
    assert len(found.scene.spots) == 2
    measured = found.measure(regions.lazy_masks()).regions
    for spot in found.scene.spots:
        (whole,) = [region for region in measured if spot in present(region).spots]
        assert present(whole).share > 0.25
    assert regions.areas().min() < 0.008 * page.shape[0] * page.shape[1]


def test_a_place_in_a_flat_picture_of_any_size_is_a_region():
    for size in ((40, 40), (300, 20), (900, 1200)):
        flat = np.full((*size, 3), 120, np.uint8)
        other = flat.copy()
        other[4:16, 4:14] = (200, 30, 30)
        regions = auto_regions(flat, other)
        check_tiling(regions, size)
        assert len(regions) == 2


def test_nested_and_crowded_places_leave_a_tiling():
    rgb = np.full((400, 400, 3), 120, np.uint8)
    other = rgb.copy()
    for k in range(12):
        y, x = 10 + 95 * (k // 4), 10 + 95 * (k % 4)
        other[y : y + 30, x : x + 30] = (20 * k, 250 - 20 * k, 60)
    cv2.circle(other, (200, 350), 40, (255, 255, 255), 2)
    cv2.circle(other, (200, 350), 6, (255, 0, 0), -1)
    regions = auto_regions(rgb, other)
    check_tiling(regions, (400, 400))
    assert regions == auto_regions(other, rgb)
    assert 8 < len(regions) <= 25


@pytest.mark.parametrize(
    "distort",
    [
        lambda rgb: cv2.GaussianBlur(rgb, (0, 0), 1),
        lambda rgb: cv2.GaussianBlur(rgb, (0, 0), 3),
        lambda rgb: np.clip(rgb.astype(int) + 25, 0, 255).astype(np.uint8),
        lambda rgb: np.clip(rgb + np.random.default_rng(0).normal(0, 15, rgb.shape), 0, 255).astype(
            np.uint8
        ),
        lambda rgb: cv2.imdecode(cv2.imencode(".jpg", rgb, [cv2.IMWRITE_JPEG_QUALITY, 40])[1], 1),
        lambda rgb: rgb,
    ],
)
def test_a_distortion_all_over_cuts_nothing_out(distort):
    rgb = photograph()
    other = distort(rgb)
    found = auto_regions(rgb, other)
    assert found == auto_regions(rgb, other, differences=find_differences(rgb, rgb))
