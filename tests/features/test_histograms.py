"""Histograms inside regions: counted as NumPy counts, whatever overlaps, in any band height."""

from __future__ import annotations

import colorsys
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference_haarpsi import blocks_and_noise, naive_magnitudes

from distortion_graph.base.errors import RegionError
from distortion_graph.features.cells import label_layers
from distortion_graph.features.histograms import (
    CHANNELS,
    DETAIL_CHANNELS,
    JOINT_CHANNELS,
    joint_histograms,
    joint_planes,
    own_histograms,
)
from distortion_graph.features.statistics import region_statistics
from distortion_graph.masks.masks import as_masks


def pictures(rng, height=40, width=50):
    return (rng.integers(0, 256, (height, width, 3), dtype=np.uint8) for _ in range(2))


@given(st.integers(0, 10**6), st.integers(0, 4))
@settings(max_examples=25)
def test_counts_are_those_of_the_pixels_in_each_mask(seed, count):
    rng = np.random.default_rng(seed)
    anchor, target = pictures(rng)
    masks = rng.random((count, 40, 50)) < rng.random((count, 1, 1))  # overlapping, some empty
    found = region_statistics(anchor, target, masks)
    everywhere = np.ones((1, 40, 50), bool)
    for row, mask in enumerate(np.concatenate([everywhere, masks])):
        for side, picture in enumerate((anchor, target)):
            inside = picture[mask].astype(int)
            for name, values in (
                ("green", inside[:, 1]),
                ("highest", inside.max(1)),
                ("lowest", inside.min(1)),
            ):
                expected = np.bincount(values, minlength=256)
                assert (found.own[side, row, CHANNELS.index(name)] == expected).all()
        assert (found.own[:, row].sum(-1) == mask.sum()).all()
        high = anchor[mask].max(1) // 8, target[mask].max(1) // 8
        both = np.zeros((32, 32), int)
        np.add.at(both, high, 1)
        assert (found.joint[row, JOINT_CHANNELS.index("highest")] == both).all()


def test_saturation_is_that_of_hsv_and_luma_that_of_rec_601():
    rng = np.random.default_rng(1)
    for red, green, blue in rng.integers(0, 256, (40, 3)).tolist():
        pixel = np.full((1, 1, 3), (red, green, blue), np.uint8)
        own = region_statistics(pixel, pixel, np.zeros((0, 1, 1), bool)).own[0, 0]
        saturation = 255 * colorsys.rgb_to_hsv(red / 255, green / 255, blue / 255)[1]
        luma = 0.299 * red + 0.587 * green + 0.114 * blue
        assert abs(own[CHANNELS.index("saturation")].argmax() - saturation) <= 1
        assert abs(own[CHANNELS.index("luma")].argmax() - luma) <= 1


def test_saturation_is_cut_off_to_whole_numbers_for_every_pixel():
    high, low = np.mgrid[:256, :256]
    everything = np.stack([np.maximum(high, low), np.minimum(high, low)], 2).astype(np.uint8)
    rgb = everything[..., [0, 1, 1]].copy()
    spread = everything[..., 0].astype(int) - everything[..., 1]
    expected = np.bincount((spread * 255 // np.maximum(everything[..., 0], 1)).ravel(), None, 256)
    own = region_statistics(rgb, rgb, np.zeros((0, 256, 256), bool)).own[0, 0]
    assert (own[CHANNELS.index("saturation")] == expected).all()


def test_more_regions_than_a_label_map_of_8_bits_holds():
    rng = np.random.default_rng(3)
    anchor, target = pictures(rng)
    masks = np.zeros((600, 40, 50), bool)
    masks.reshape(600, -1)[np.arange(600), np.arange(600)] = True
    found = region_statistics(anchor, target, masks)
    assert (found.own[:, 1:].sum(-1) == 1).all() and (found.joint[1:].sum((-1, -2)) == 1).all()
    greens = found.own[:, 1:, CHANNELS.index("green")].argmax(-1)
    assert (greens == np.stack([p.reshape(-1, 3)[:600, 1] for p in (anchor, target)])).all()


def test_bands_and_the_order_of_the_pictures_change_nothing():
    rng = np.random.default_rng(2)
    anchor, target = pictures(rng)
    masks = rng.random((3, 40, 50)) < 0.5
    found = region_statistics(anchor, target, masks)
    swapped = region_statistics(target, anchor, masks)
    assert (found.own == swapped.own[::-1]).all()
    assert (found.joint == swapped.joint.swapaxes(2, 3)).all()
    assert (found.detail == swapped.detail.swapaxes(2, 3)).all()
    layers = label_layers(as_masks(masks))
    for side, rgb in enumerate((anchor, target)):
        banded = own_histograms(rgb, lambda: layers, 3, band_px=50 * 7)
        assert (banded.own == found.own[side]).all()
        assert (banded.patterns == found.patterns[side]).all()
    planes = [partial(joint_planes, rgb) for rgb in (anchor, target)]
    joint = joint_histograms(planes, (40, 50), lambda: layers, 3, band_px=50 * 7)
    assert (joint.joint == found.joint).all() and (joint.detail == found.detail).all()


@pytest.mark.parametrize("size", [(40, 50), (33, 21)])
def test_detail_counts_the_haar_magnitudes_of_both_pictures(size):
    anchor, target = blocks_and_noise(0, *size, 20.0)  # type: ignore[call-arg]
    mask = np.random.default_rng(0).random(size) < 0.5
    found = region_statistics(anchor, target, mask[None]).detail
    levels = []
    for picture in (anchor, target):
        maps, weights = naive_magnitudes(picture)
        rows2, rows4, columns2, columns4, i, q = maps
        pairs = [(rows2, columns2), (rows4, columns4), tuple(weights), (i, q)]
        quarters = np.floor(4 * np.array(pairs) + 1e-6) / 4
        levels.append((25.5 * np.log2(1 + quarters)).astype(int) // 8)
    for row, inside in enumerate((np.ones_like(mask), mask)):
        chosen = inside[::2, ::2]  # a 2×2 block counts where its first pixel does
        for channel in range(len(DETAIL_CHANNELS)):
            both = np.zeros((32, 32))
            np.add.at(both, tuple(side[channel][:, chosen] for side in levels), 1)
            assert found[row, channel].sum() == both.sum() == 2 * chosen.sum()
            # Rounding may put a few on the other side of a step.
            assert np.abs(found[row, channel] - both).sum() <= 0.02 * both.sum()


def test_masks_of_another_size_are_refused():
    picture = np.zeros((4, 6, 3), np.uint8)
    with pytest.raises(RegionError, match=r"must be \(R, 4, 6\) bool, got one of \(4, 5\) bool"):
        region_statistics(picture, picture, np.zeros((1, 4, 5), bool))
