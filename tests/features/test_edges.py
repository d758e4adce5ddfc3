"""Steps along regions' edges: where a mask ends, to the right side, and through recompression."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from skimage import data

from distortion_graph.features.cells import label_layers
from distortion_graph.features.edges import EDGE_STATISTICS, OFFSETS, REACH_PX, edge_steps
from distortion_graph.masks.container import RegionSet
from distortion_graph.masks.masks import as_masks

SIZE = 120, 160


def steps_of(picture, masks, **options):
    masks = np.asarray(masks)
    return edge_steps([picture], label_layers(as_masks(masks)), len(masks), **options)[0]


def shares(statistics):
    return statistics[1 : 1 + OFFSETS]


def square(top, left, side, size=SIZE):
    mask = np.zeros(size, bool)
    mask[top : top + side, left : left + side] = True
    return mask


def smooth():
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    grey = 110 + 40 * np.sin(x / 19) * np.cos(y / 23)
    return np.repeat(np.rint(grey)[..., None], 3, 2).astype(np.uint8)


def brightened(picture, mask, by=25):
    return np.where(mask[..., None], np.minimum(picture.astype(int) + by, 255), picture).astype(
        np.uint8
    )


def recompressed(picture, quality):
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer).convert("RGB"))


def test_a_brighter_region_steps_down_outwards_and_its_surroundings_up():
    mask = square(30, 40, 50)
    found = steps_of(brightened(smooth(), mask), [mask, ~mask])
    assert shares(found[1])[REACH_PX] < -0.8
    assert shares(found[2])[REACH_PX] == pytest.approx(-shares(found[1])[REACH_PX])
    assert np.abs(shares(steps_of(smooth(), [mask])[1])).max() < 0.2


def test_a_grid_of_pixels_by_hand():
    # One row: inside is 100, outside 50; the slopes on both sides are 0.
    picture = np.full((1, 20, 3), 50, np.uint8)
    picture[:, :10] = 100
    mask = np.zeros((1, 20), bool)
    mask[:, :10] = True
    found = steps_of(picture, [mask])[1]
    step = np.log(58 / 108)
    assert found[0] == pytest.approx(np.log(2) / 8)
    expected = np.zeros(OFFSETS)
    expected[REACH_PX] = step / (abs(step) + 0.01)
    # Half the step is seen beside it, the other way.
    expected[[REACH_PX - 1, REACH_PX + 1]] = -step / 2 / (abs(step) * 1.5 + 0.01)
    assert shares(found) == pytest.approx(expected, abs=1e-5)
    assert found[1 + OFFSETS : 1 + 2 * OFFSETS] == pytest.approx(np.abs(expected), abs=1e-5)
    sizes = np.zeros(OFFSETS)
    sizes[REACH_PX - 1 : REACH_PX + 2] = abs(step) * np.array([0.5, 1, 0.5])
    assert found[1 + 2 * OFFSETS :] == pytest.approx(np.log(sizes + 0.001) / 8, abs=1e-5)


@pytest.mark.parametrize("shift", [-3, 0, 2])
def test_a_mask_that_is_off_shows_the_step_at_its_distance(shift):
    step = np.zeros(SIZE, bool)
    step[:, 60:] = True
    mask = np.zeros(SIZE, bool)
    mask[:, 60 + shift :] = True
    found = shares(steps_of(brightened(smooth(), step), [mask])[1])
    # Seen from inside, the step lies `shift` pixels beyond the mask's own edge.
    assert int(np.abs(found).argmax()) == REACH_PX + shift


def test_a_photograph_keeps_the_step_through_recompression():
    picture = np.ascontiguousarray(data.astronaut()[::2, ::2])
    masks = RegionSet.grid((256, 256), 4, 4).masks()
    changed = picture.copy()
    for mask in masks[::3]:
        changed = brightened(changed, mask, 12)
    plain, stepped = (
        np.abs(shares(steps_of(recompressed(p, 90), masks).T)[REACH_PX]) for p in (picture, changed)
    )
    assert plain[1:].mean() < 0.1
    assert stepped[1:][::3].mean() > 0.2


def test_pictures_are_independent_and_overlapping_masks_allowed():
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 256, (*SIZE, 3), dtype=np.uint8) for _ in range(2)]
    masks = np.stack([square(10, 10, 60), square(40, 30, 60), square(0, 0, 9)])
    both = edge_steps(pictures, label_layers(as_masks(masks)), 3)
    assert both.shape == (2, 4, EDGE_STATISTICS)
    for one, picture in zip(both, pictures, strict=True):
        assert np.array_equal(one, edge_steps([picture], label_layers(as_masks(masks)), 3)[0])
        for number, mask in enumerate(masks, start=1):
            # Beside no region an edge is the same as beside another.
            assert one[number] == pytest.approx(steps_of(picture, mask[None])[1], abs=1e-5)


def test_of_very_long_edges_a_share_is_seen():
    mask = square(20, 30, 90)
    picture = brightened(smooth(), mask)
    whole = steps_of(picture, [mask])[1]
    share = steps_of(picture, [mask], most_crossings=100)[1]
    assert share[0] == pytest.approx(whole[0], rel=0.02)
    assert share == pytest.approx(whole, abs=0.05)


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (9, 1), (5, 6)])
def test_without_an_edge_in_the_picture_all_is_zero(size):
    picture = np.zeros((*size, 3), np.uint8)
    masks = np.stack([np.ones(size, bool), np.zeros(size, bool)])
    assert not edge_steps([picture], label_layers(as_masks(masks)), 2).any()
    assert not edge_steps([picture], label_layers(as_masks(masks[:0])), 0).any()
