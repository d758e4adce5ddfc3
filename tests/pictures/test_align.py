"""Alignment: known movements are found, swapping inverts to the bit, what cannot be is said."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from skimage import data

from distortion_graph.base.errors import ImageError
from distortion_graph.masks.container import RegionSet
from distortion_graph.pictures.align import align, valid_pixels, warped
from distortion_graph.pictures.align.matrices import keeps_frame
from distortion_graph.regions.carried import carry_masks

PICTURE = np.ascontiguousarray(data.astronaut()[:400, :400])
SIZE = (256, 288)


def moved_picture(matrix, size=SIZE):
    """The picture seen by a camera whose places (x, y) lie at `matrix` of the anchor's."""
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1.0]])
    at_centres = (
        np.linalg.inv(half) @ np.array([[1, 0, 60.0], [0, 1, 60], [0, 0, 1]]) @ matrix @ half
    )
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    return cv2.warpPerspective(PICTURE, at_centres, size[::-1], flags=flags)


ANCHOR = moved_picture(np.eye(3))


def corner_error(found, true, size=SIZE):
    """Mean distance of the corners under the two mappings, in pixels."""
    corners = np.array([[0, 0, 1], [size[1], 0, 1], [size[1], size[0], 1], [0, size[0], 1]]).T
    there, here = found @ corners, true @ corners
    return float(np.hypot(*(there[:2] / there[2] - here[:2] / here[2])).mean())


def shift(dx, dy):
    return np.array([[1, 0, dx], [0, 1, dy], [0, 0, 1.0]])


def test_a_picture_lies_on_itself():
    same = align(ANCHOR, ANCHOR.copy())
    assert same.registered and same.confidence == same.same_scene == 1
    assert np.array_equal(same.matrix, np.eye(3)) and same.overlap == 1
    assert np.array_equal(warped(ANCHOR, same).rgb, ANCHOR)


@pytest.mark.parametrize("by", [(2.0, 3.0), (-7.0, 11.0)])
def test_whole_shifts_are_found_and_pixels_are_copied(by):
    true = shift(*by)
    target = moved_picture(true)
    found = align(ANCHOR, target)
    assert found.model == "translation" and corner_error(found.matrix, true) < 0.02
    seen = warped(target, found)
    assert seen.valid.mean() == pytest.approx(found.overlap, abs=0.01)
    assert np.array_equal(seen.rgb[seen.valid], ANCHOR[seen.valid])


def test_a_part_of_a_pixel_a_turn_and_a_perspective_are_found():
    angle = np.radians(4)
    turn = np.array(
        [[np.cos(angle), -np.sin(angle), 9], [np.sin(angle), np.cos(angle), -6], [0, 0, 1.0]]
    )
    tilt = np.array([[1.02, 0.01, 3], [-0.02, 0.99, 4], [4e-5, -3e-5, 1]])
    for true, most in ((shift(1.3, -0.6), 0.1), (turn, 0.3), (tilt, 0.5)):
        found = align(ANCHOR, moved_picture(true))
        assert corner_error(found.matrix, true) < most and found.same_scene > 0.9


def test_swapping_the_pictures_inverts_the_answer_to_the_bit():
    target = moved_picture(shift(5.4, -2.2))
    forth, back = align(ANCHOR, target), align(target, ANCHOR).swapped()
    assert np.array_equal(forth.matrix, back.matrix) and np.array_equal(forth.inverse, back.inverse)
    assert (forth.model, forth.confidence, forth.same_scene) == (
        back.model,
        back.confidence,
        back.same_scene,
    )


def test_half_the_size_is_a_scale_about_the_corner():
    half = cv2.resize(ANCHOR, (144, 128), interpolation=cv2.INTER_AREA)
    found = align(ANCHOR, half)
    assert corner_error(found.matrix, np.diag([2.0, 2, 1]), (128, 144)) < 0.6
    carried = carry_masks(RegionSet.grid(SIZE, 2, 2), found)
    assert carried.regions.size == (128, 144)
    assert [r.rle.area() for r in carried.regions] == pytest.approx([64 * 72] * 4, rel=0.03)
    assert all(share > 0.95 for share in carried.valid.values())


def test_other_scenes_turned_mirrored_and_flat_pictures_are_told():
    other = np.ascontiguousarray(
        cv2.resize(data.coffee(), SIZE[::-1], interpolation=cv2.INTER_AREA)
    )
    assert align(ANCHOR, other).reason == "unrelated"
    turned = align(ANCHOR, np.ascontiguousarray(np.rot90(ANCHOR)))
    assert turned.reason == "turned" and turned.turned in (90, 270)
    assert align(ANCHOR, np.ascontiguousarray(ANCHOR[:, ::-1])).reason == "mirrored"
    flat = align(ANCHOR, np.full_like(ANCHOR, 90))
    assert flat.reason == "flat" and flat.confidence == 0


@pytest.mark.parametrize("size", [(384, 448), (256, 320)])
def test_repeated_texture_is_ambiguous(size):
    """A tile of 32 pixels, again and again: every shift by 32 fits as well."""
    tile = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    tile = cv2.GaussianBlur(np.tile(tile, (3, 3, 1)), (0, 0), 2)[32:64, 32:64]
    texture = np.tile(tile, (14, 16, 1)).astype(np.uint8)
    moved_on = np.ascontiguousarray(texture[13 : 13 + size[0], 9 : 9 + size[1]])
    found = align(np.ascontiguousarray(texture[:384, :448]), moved_on)
    assert found.reason == "ambiguous" and found.confidence < 0.6
    assert not found.registered


def test_a_heavily_blurred_picture_that_is_moved_is_not_registered():
    """Hardly less is shared where it lies than where it belongs, but that is 5 pixels away."""
    y, x = np.mgrid[-8:9, -8:9]
    disc = (x**2 + y**2 <= 64).astype(np.float32)
    whole = data.coffee()
    blurred = cv2.filter2D(whole, -1, disc / disc.sum())
    anchor, target = (
        np.ascontiguousarray(p) for p in (whole[30:370, 30:570], blurred[34:374, 33:573])
    )
    found = align(anchor, target)
    assert found.model == "translation" and corner_error(found.matrix, shift(3, 4)) < 0.1


def test_what_both_show_is_the_overlap():
    found = align(ANCHOR, moved_picture(shift(40.0, 0.0)))
    assert valid_pixels(found).mean() == pytest.approx(1 - 40 / SIZE[1], abs=0.01)


def test_pictures_of_two_sizes_need_a_search_and_modes_are_known():
    with pytest.raises(ImageError, match="expected 288×256 as anchor; align 'auto'"):
        align(ANCHOR, ANCHOR[:100], "none")
    with pytest.raises(ImageError, match="align is 'warp', expected one of"):
        align(ANCHOR, ANCHOR, "warp")  # type: ignore[arg-type]


def test_a_guess_that_leaves_the_plane_keeps_no_frame():
    """Guesses of pictures with hardly any light may send a frame to infinity or to a point."""
    for wild in (np.diag([1e-200, 1e-200, 1.0]), np.diag([1e200, 1e200, 1.0]), shift(1e9, 0.0)):
        assert not keeps_frame(wild, SIZE)
    assert keeps_frame(shift(40.0, -9.0), SIZE)
