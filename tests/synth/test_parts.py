"""A distortion worked out in a box is that of the whole picture, seen through the box."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import data as pictures

from distortion_graph.base.errors import ImageError, RecipeError
from distortion_graph.synth.distort import (
    LEVELS,
    PUBLISHED,
    SUBTYPES,
    Box,
    Frames,
    apply,
    apply_in_box,
)
from distortion_graph.synth.distort.registry import find_strength
from distortion_graph.synth.distort.support import InBox, Near, WholeFrame

PICTURE = np.ascontiguousarray(pictures.coffee()[100:301, 150:373])  # both sides odd
H, W = PICTURE.shape[:2]
BOXES = {
    "middle": Box(70, 60, 64, 51),
    "top left": Box(0, 0, 50, 33),
    "bottom right": Box(W - 47, H - 29, 47, 29),
    "left": Box(0, 77, 31, 60),
    "right": Box(W - 23, 50, 23, 99),
    "top": Box(88, 0, 61, 20),
    "bottom": Box(40, H - 20, 90, 20),
    "one pixel": Box(111, 90, 1, 1),
    "whole": Box(0, 0, W, H),
}
# Sub-types whose random field belongs to the pixels, so that another box has another.
DRAWN_FOR_THE_BOX = {("blur", "glass"), ("blur", "jitter")} | {
    ("noise", entry.name) for entry in PUBLISHED if entry.distortion == "noise"
}
ALL = [(entry.distortion, entry.name) for entry in PUBLISHED]
THE_WHOLE_PICTURES = [key for key in ALL if key not in DRAWN_FOR_THE_BOX]


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.mark.parametrize(("distortion", "subtype"), THE_WHOLE_PICTURES)
@pytest.mark.parametrize("level", [1, 3, 5])
def test_a_box_holds_the_pixels_of_the_whole_picture(distortion, subtype, level):
    whole = apply(PICTURE, distortion, subtype, level, rng())
    for name, box in BOXES.items():
        part = apply_in_box(PICTURE, distortion, subtype, level, rng(), box)
        assert part.dtype == np.uint8 and part.shape == (box.height, box.width, 3)
        gap = np.abs(part.astype(int) - whole[box.area]).max()
        assert gap <= 1, f"{name}: {gap} grey levels"


@pytest.mark.parametrize(
    ("distortion", "subtype"),
    [("compression", "jpeg"), ("pixelate", "block"), ("rain", "streaks"), ("snow", "flakes")],
)
@given(data=st.data())
@settings(max_examples=25)
def test_block_grids_and_weather_are_the_whole_pictures_to_the_bit(distortion, subtype, data):
    x, y = data.draw(st.integers(0, W - 1)), data.draw(st.integers(0, H - 1))
    box = Box(x, y, data.draw(st.integers(1, W - x)), data.draw(st.integers(1, H - y)))
    level = data.draw(st.integers(1, LEVELS))
    whole = apply(PICTURE, distortion, subtype, level, rng())
    part = apply_in_box(PICTURE, distortion, subtype, level, rng(), box)
    assert np.array_equal(part, whole[box.area])


@pytest.mark.parametrize(("distortion", "subtype"), sorted(DRAWN_FOR_THE_BOX))
def test_a_field_drawn_for_a_box_is_of_the_same_strength(distortion, subtype):
    whole = apply(PICTURE, distortion, subtype, 4, rng())
    box = Box(30, 40, 140, 130)
    part = apply_in_box(PICTURE, distortion, subtype, 4, rng(), box)
    change = [
        np.abs(made.astype(int) - PICTURE[box.area]).mean() for made in (part, whole[box.area])
    ]
    assert change[0] == pytest.approx(change[1], rel=0.05)
    again = apply_in_box(PICTURE, distortion, subtype, 4, rng(), box)
    assert np.array_equal(part, again)


def test_jitter_in_a_box_moves_pixels_no_farther_than_its_shift_and_from_beyond_the_box():
    ramp = np.repeat(np.arange(200, dtype=np.uint8)[None, :, None], 3, 2).repeat(60, 0)
    box = Box(50, 10, 40, 40)
    moved = apply_in_box(ramp, "blur", "jitter", 5, rng(), box).astype(int)
    offset = moved - np.arange(50, 90)[None, :, None]
    assert np.abs(offset).max() == 5
    assert moved.min() < 50 and moved.max() > 89
    # A clipped place would be more frequent than the ten others.
    counts = np.bincount(offset[..., 0].ravel() + 5)
    assert counts.max() < 1.5 * counts.min()


def test_jitter_of_a_frame_beyond_sixteen_bits_is_that_of_a_small_one():
    wide = np.zeros((2, 40_000, 3), np.uint8)
    wide[:, 30_000:, :] = np.arange(10_000)[None, :, None] % 256
    moved = apply(wide, "blur", "jitter", 5, rng())
    assert moved.shape == wide.shape and not moved[:, :29_000].any()
    inner = moved[:, 35_000:35_200].astype(int) - wide[:, 35_000:35_200]
    assert np.abs((inner + 128) % 256 - 128).max() == 5


@pytest.mark.parametrize("size", [(1, 1), (1, 17), (13, 1), (5, 7), (37, 33)])
@pytest.mark.parametrize(("distortion", "subtype"), THE_WHOLE_PICTURES)
def test_pictures_smaller_than_the_reach(distortion, subtype, size):
    image = rng(1).integers(0, 256, (*size, 3), dtype=np.uint8)
    whole = apply(image, distortion, subtype, 5, rng())
    box = Box(size[1] // 2, size[0] // 3, (size[1] + 1) // 2, (size[0] + 1) // 2)
    part = apply_in_box(image, distortion, subtype, 5, rng(), box)
    assert np.abs(part.astype(int) - whole[box.area]).max() <= 1


def test_every_sub_type_says_what_it_sees():
    for distortion, subtype in ALL:
        for level in range(1, LEVELS + 1):
            entry, strength = find_strength(distortion, subtype, level)
            assert isinstance(entry.support, Near | InBox | WholeFrame)
            if isinstance(entry.support, Near):
                assert 0 <= entry.support.reach_px(strength) <= 21


def test_haze_in_a_box_uses_the_whole_depth_map():
    depth = np.linspace(0, 9, H, dtype=np.float32)[:, None].repeat(W, 1)
    whole = apply(PICTURE, "haze", "scattering", 5, rng(), depth=depth)
    box = Box(20, 90, 60, 30)
    part = apply_in_box(PICTURE, "haze", "scattering", 5, rng(), box, depth=depth)
    assert np.abs(part.astype(int) - whole[box.area]).max() <= 1


def test_each_layer_of_the_shared_stream_is_the_picture_at_its_own_target():
    errors = []
    for level, psnr_db in enumerate((29, 27.5, 26, 24.5, 23), start=1):
        made = apply(PICTURE, "compression", "jpeg2000", level, rng()).astype(float)
        errors.append(10 * np.log10(255**2 / ((made - PICTURE) ** 2).mean()))
        assert errors[-1] == pytest.approx(psnr_db, abs=0.7)
    assert errors == sorted(errors, reverse=True)


def test_kept_frames_change_no_pixel():
    frames = Frames(PICTURE)
    for _ in range(2):
        for distortion, subtype in ALL:
            for box in (BOXES["middle"], BOXES["bottom right"]):
                part = frames.part(distortion, subtype, 2, rng(), box)
                alone = apply_in_box(PICTURE, distortion, subtype, 2, rng(), box)
                assert np.array_equal(part, alone), (distortion, subtype)


def test_whole_frames_are_made_once_and_within_the_limit(monkeypatch):
    made = []
    entry = SUBTYPES["pixelate"]["block"]
    work = entry.apply_level

    def counted(image, strength, generator):
        made.append(strength)
        return work(image, strength, generator)

    monkeypatch.setitem(SUBTYPES["pixelate"], "block", _with(entry, counted))
    box = BOXES["middle"]

    def ask(frames, levels):
        made.clear()
        for level in levels:
            part = frames.part("pixelate", "block", level, rng(), box)
            assert not part.flags.writeable
        return made

    assert ask(Frames(PICTURE), [1, 2, 1, 2, 2]) == [0.5, 0.4]
    assert ask(Frames(PICTURE, limit_bytes=PICTURE.nbytes), [1, 1, 2, 2, 1]) == [0.5, 0.4, 0.5]
    assert ask(Frames(PICTURE, limit_bytes=2 * PICTURE.nbytes), [1, 2, 1, 3, 1, 2]) == [
        0.5,
        0.4,
        0.3,
        0.4,
    ]
    assert ask(Frames(PICTURE, limit_bytes=0), [1, 1]) == [0.5, 0.5]


def test_jpeg2000_is_encoded_once_for_all_levels(monkeypatch):
    encoded = []
    entry = SUBTYPES["compression"]["jpeg2000"]
    encode = entry.support.prepare  # type: ignore[union-attr]
    support = WholeFrame(lambda image: (encoded.append(1), encode(image))[1])  # type: ignore[func-returns-value]
    monkeypatch.setitem(SUBTYPES["compression"], "jpeg2000", _with(entry, None, support))
    frames = Frames(PICTURE, limit_bytes=0)
    for level in (1, 5, 3, 1):
        frames.part("compression", "jpeg2000", level, rng(), BOXES["left"])
    assert len(encoded) == 1


def _with(entry, work=None, support=None):
    from dataclasses import replace

    return replace(entry, apply_level=work or entry.apply_level, support=support or entry.support)


@pytest.mark.parametrize("box", [(0, 0, 0, 5), (-1, 0, 5, 5), (W - 4, 0, 5, 5), (0, H, 5, 5)])
@pytest.mark.parametrize("subtype", ["gaussian", "zoom"])
def test_a_box_outside_the_picture_is_refused(box, subtype):
    with pytest.raises(ImageError) as caught:
        apply_in_box(PICTURE, "blur", subtype, 1, rng(), Box(*box))
    assert str(caught.value) == f"box must be inside the {W}×{H} picture, got {box}"
    with pytest.raises(ImageError, match="box must be inside"):
        Frames(PICTURE).part("pixelate", "block", 1, rng(), Box(*box))


def test_errors():
    with pytest.raises(ImageError, match=r"image must be \(H, W, 3\) uint8"):
        Frames(PICTURE[..., 0])
    with pytest.raises(RecipeError, match="did you mean 'blur'"):
        Frames(PICTURE).part("blurr", "zoom", 1, rng(), BOXES["left"])
    with pytest.raises(RecipeError, match="1 to 5, got 0"):
        Frames(PICTURE).part("pixelate", "block", 0, rng(), BOXES["left"])
