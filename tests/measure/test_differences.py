"""Where two pictures differ: against plain formulas, on things that people change, and exactly."""

from __future__ import annotations

import io
import tracemalloc
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from optional import present
from PIL import Image, ImageDraw, ImageFont
from reference_haarpsi import blocks_and_noise
from skimage import data
from skimage.color import deltaE_ciede2000, rgb2lab

from distortion_graph.base.errors import ImageError, RegionError
from distortion_graph.masks.container import RegionSet
from distortion_graph.measure.differences import TEXTURE, VISIBLE, find_differences
from distortion_graph.work.threads import thread_budget

SHARED = Path(__file__).parents[3] / "shared"
FIELD = SHARED / "field"

Rgb = NDArray[np.uint8]


def jpeg(rgb: Rgb, quality: int, subsampling: int) -> Rgb:
    memory = io.BytesIO()
    Image.fromarray(rgb).save(memory, "JPEG", quality=quality, subsampling=subsampling)
    return np.asarray(Image.open(memory).convert("RGB"))


def photograph() -> Rgb:
    """0.4 megapixels of a photograph."""
    return np.asarray(
        Image.fromarray(data.astronaut()).resize((640, 640), Image.Resampling.LANCZOS)
    )


def page(text: str, px: float, at: tuple[int, int] = (40, 30), ink: str = "#1d1d1f") -> Rgb:
    """A white page with a line of text."""
    image = Image.new("RGB", (200, 90), "white")
    ImageDraw.Draw(image).text(at, text, font=ImageFont.load_default(px), fill=ink)
    return np.asarray(image)


def box_of(changed: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    y, x = np.nonzero(changed)
    return int(x.min()), int(y.min()), int(np.ptp(x)) + 1, int(np.ptp(y)) + 1


def with_patch(rgb: Rgb, sigma: float, box: tuple[int, int, int, int]) -> Rgb:
    x, y, width, height = box
    part = np.s_[y : y + height, x : x + width]
    out = rgb.copy()
    out[part] = cv2.GaussianBlur(rgb, (0, 0), sigma)[part]
    return out


def reference(one: Rgb, two: Rgb) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """CIEDE2000 after a 3×3 mean, and the difference of deviations of L*, by scikit-image."""
    means = [cv2.blur(rgb.astype(np.float64), (3, 3)) / 255 for rgb in (one, two)]
    colour = deltaE_ciede2000(*map(rgb2lab, means))
    spreads = []
    for rgb in (one, two):
        light = rgb2lab(rgb)[..., 0]
        mean = cv2.blur(light, (7, 7))
        spreads.append(np.sqrt(np.maximum(cv2.blur(light * light, (7, 7)) - mean * mean, 0)))
    return colour, np.abs(spreads[0] - spreads[1])


@pytest.mark.parametrize("sigma", [8.0, 12.0, 30.0])
def test_pixels_are_those_of_the_plain_formulas(sigma: float) -> None:
    one, two = blocks_and_noise(3, 90, 110, sigma)
    two = two.copy()
    two[::3] = one[::3]
    colour, spread = reference(one, two)
    found = find_differences(one, two)
    changed = (one != two).any(-1)
    # The means and L* are rounded to 8 bits; what is as near to a limit may fall on either side.
    sure = (np.abs(colour - VISIBLE) > 1) & (np.abs(spread - TEXTURE) > 0.3)
    expected = changed & ((colour >= VISIBLE) | (spread >= TEXTURE))
    assert sure.mean() > 0.5 and expected.any() and not expected.all()
    assert (found.classes == 3)[sure].tolist() == expected[sure].tolist()
    alike = ~changed | ((colour < 1) & ~expected)
    sure &= np.abs(colour - 1) > 0.9
    assert (found.classes <= 1)[sure].tolist() == alike[sure].tolist()
    assert ((found.classes == 0) == ~changed).all()


@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 10**6), st.sampled_from([1, 9, 70]))
def test_exchanging_the_pictures_gives_the_same_bits(
    height: int, width: int, seed: int, sigma: float
) -> None:
    one, two = blocks_and_noise(seed, height, width, sigma)
    forth, back = find_differences(one, two), find_differences(two, one)
    assert (forth.classes == back.classes).all() and (forth.spots == back.spots).all()
    rng = np.random.default_rng(seed)
    masks = rng.random((3, height, width)) < 0.5
    masks[:, 0, 0] = True
    measured = forth.measure(masks)
    assert back.measure(masks) == measured
    order = [2, 0, 1]
    assert forth.measure(masks[order]).regions == tuple(measured.regions[k] for k in order)
    for found in (*measured.regions, measured.scene):
        assert found is not None
        assert 0 <= found.share <= 1 and 0 <= found.equal <= 1 and found.share + found.equal <= 1
        areas = [w * h for _, _, w, h in found.spots]
        assert areas == sorted(areas, reverse=True)
        for x, y, w, h in found.spots:
            assert w > 0 and h > 0 and 0 <= x <= width - w and 0 <= y <= height - h


@pytest.mark.parametrize("tile", [8, 40, 104])
def test_tiles_and_threads_do_not_show(tile: int) -> None:
    one = photograph()[100:301, 200:397]
    two = with_patch(jpeg(one, 60, 2), 3, (50, 50, 80, 60))
    whole = find_differences(one, two)
    with thread_budget(3):
        parts = find_differences(one, two, tile=tile, threads_from_pixels=1)
    assert (parts.classes == whole.classes).all()
    assert (parts.spots == whole.spots).all()


def test_a_picture_beside_itself_differs_nowhere() -> None:
    rgb = photograph()
    found = find_differences(rgb, rgb.copy()).scene
    assert found == (0.0, 1.0, ())


@pytest.mark.parametrize("px", [10, 12, 16, 24, 48])
@pytest.mark.parametrize(("old", "new"), [("$ 49.90", "$ 94.90"), ("3 items", "8 items")])
def test_changed_digits_are_one_spot_around_them(px: int, old: str, new: str) -> None:
    one, two = page(old, px), page(new, px)
    ((x, y, width, height),) = find_differences(one, two).scene.spots
    left, top, across, down = box_of((one != two).any(-1))
    assert left <= x and top <= y and x + width <= left + across and y + height <= top + down
    # What is plain to see lies in it, but for the rim of a letter.
    apart = np.abs(one.astype(int) - two).max(-1) > 128
    left, top, across, down = box_of(apart)
    assert x <= left + 1 and y <= top + 1
    assert x + width >= left + across - 1 and y + height >= top + down - 1


@pytest.mark.parametrize("ink", ["#1d1d1f", "#8a8a8e", "#0a58ca"])
def test_a_line_of_text_that_appears_is_a_spot(ink: str) -> None:
    one, two = page("", 12), page("Sold out", 12, ink=ink)
    ((x, y, width, height),) = find_differences(one, two).scene.spots
    left, top, across, down = box_of((one != two).any(-1))
    assert abs(x - left) <= 2 and abs(y - top) <= 2
    assert abs(width - across) <= 4 and abs(height - down) <= 4


@pytest.mark.parametrize("subsampling", [0, 2])
@pytest.mark.parametrize("quality", [75, 95])
@pytest.mark.parametrize("name", ["astronaut", "coffee", "chelsea", "rocket"])
def test_jpeg_of_a_photograph_gives_no_spot(name: str, quality: int, subsampling: int) -> None:
    try:
        rgb = getattr(data, name)()
    except Exception as error:  # some of them must be downloaded
        pytest.skip(f"{name} is not there: {type(error).__name__}")
    found = find_differences(rgb, jpeg(rgb, quality, subsampling)).scene
    assert found.spots == ()


@pytest.mark.parametrize("sigma", [2, 3, 5])
@pytest.mark.parametrize("corner", [(200, 60), (330, 420), (60, 330)])
def test_a_blurred_patch_of_a_photograph_is_a_spot_inside_it(
    corner: tuple[int, int], sigma: float
) -> None:
    rgb = photograph()
    box = (*corner, 80, 60)
    spots = find_differences(rgb, with_patch(rgb, sigma, box)).scene.spots
    assert spots
    for x, y, width, height in spots:
        assert box[0] <= x and x + width <= box[0] + 80
        assert box[1] <= y and y + height <= box[1] + 60


def test_an_object_and_a_banner_are_found_whole() -> None:
    rgb = photograph()
    ball = np.zeros(rgb.shape[:2], np.uint8)
    cv2.circle(ball, (480, 500), 45, 1, -1)
    two = rgb.copy()
    two[ball > 0] = (200, 30, 30)
    two[10:60, 20:600] = (245, 245, 250)
    assert find_differences(rgb, two).scene.spots == ((20, 10, 580, 50), (435, 455, 91, 91))
    again = find_differences(rgb, jpeg(two, 90, 0)).scene.spots
    assert len(again) == 2
    for found, true in zip(again, ((20, 10, 580, 50), (435, 455, 91, 91)), strict=True):
        assert np.abs(np.array(found) - true).max() <= 16


@pytest.mark.parametrize("size", [(1, 1), (1, 20), (3, 3), (8, 5), (9, 9)])
def test_a_picture_smaller_than_a_cell_can_be_a_spot(size: tuple[int, int]) -> None:
    one = np.full((*size, 3), 9, np.uint8)
    two = np.full((*size, 3), (200, 9, 9), np.uint8)
    found = find_differences(one, two).scene
    assert found.share == 1 and found.spots == ((0, 0, size[1], size[0]),)


def test_two_parts_with_a_gap_of_a_cell_are_one_spot() -> None:
    one = np.full((96, 96, 3), 255, np.uint8)

    def spots(gap: int) -> int:
        two = one.copy()
        two[16:32, 16:40] = two[32 + gap : 48 + gap, 16:40] = 0
        return len(find_differences(one, two).scene.spots)

    assert [spots(gap) for gap in (0, 8, 16, 24)] == [1, 1, 2, 2]


def test_the_largest_spot_comes_first_then_the_upper_one() -> None:
    one = np.full((120, 120, 3), 90, np.uint8)
    two = one.copy()
    for x, y, side in ((80, 80, 16), (0, 40, 16), (40, 0, 24)):
        two[y : y + side, x : x + side] = 250
    expected = ((40, 0, 24, 24), (0, 40, 16, 16), (80, 80, 16, 16))
    assert find_differences(one, two).scene.spots == expected


def test_a_region_has_the_spots_that_lie_in_it() -> None:
    one = np.full((120, 160, 3), 90, np.uint8)
    two = one.copy()
    two[20:60, 30:70] = 250  # on the border of left and middle
    two[80:100, 120:140] = 250
    masks = np.zeros((4, 120, 160), bool)
    masks[0, :, :32] = True  # 2 of the 40 columns: less than a tenth of the spot
    masks[1, :, 32:100] = True
    masks[2, :, 100:] = True
    masks[3, 20:60, 30:34] = True  # a tenth of the spot
    found = find_differences(one, two).measure(masks)
    spots = [present(region).spots for region in found.regions]
    assert spots == [(), ((32, 20, 38, 40),), ((120, 80, 20, 20),), ((30, 20, 4, 40),)]
    shares = [present(region).share for region in found.regions]
    assert shares == [80 / 3840, 1520 / 8160, 400 / 7200, 1.0]
    assert (
        present(found.scene).share == 2000 / 19200
        and present(found.scene).equal == 1 - 2000 / 19200
    )
    regions = RegionSet.from_masks(masks)
    assert find_differences(one, two).measure(regions.lazy_masks()) == found


def test_noise_all_over_is_not_local_and_a_ball_is() -> None:
    rgb = photograph()
    noise = np.random.default_rng(0).normal(0, 25, rgb.shape)
    noisy = np.clip(rgb + noise, 0, 255).astype(np.uint8)
    assert not find_differences(rgb, noisy).is_local(0.2)
    assert not find_differences(rgb, rgb).is_local(0.2)
    ball = rgb.copy()
    cv2.circle(ball, (480, 500), 45, (200, 30, 30), -1)
    found = find_differences(rgb, ball)
    assert found.is_local(0.2)
    (outline,) = found.outlines()
    assert cv2.contourArea(cv2.convexHull(outline.astype(np.int32))) == pytest.approx(
        np.pi * 45**2, rel=0.05
    )


def test_memory_is_about_a_byte_per_pixel() -> None:
    rng = np.random.default_rng(1)
    one, two = rng.integers(0, 256, (2, 2048, 1536, 3), dtype=np.uint8)
    tracemalloc.start()
    with thread_budget(1):
        found = find_differences(one, two)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.scene.share > 0.9
    assert peak < one.shape[0] * one.shape[1] + (24 << 20)  # and a tile's maps


def test_wrong_input_ends_in_one_clear_line() -> None:
    one = np.zeros((8, 9, 3), np.uint8)
    with pytest.raises(ImageError, match="pictures of unequal size: 9×8 and 8×8"):
        find_differences(one, one[:, :8])
    with pytest.raises(RegionError, match=r"^mask 1 has no pixel, expected at least one"):
        masks = np.zeros((2, 8, 9), bool)
        masks[0] = True
        find_differences(one, one).measure(masks)


@pytest.mark.skipif(not FIELD.is_dir(), reason="the field pictures are not there")
@pytest.mark.parametrize(
    ("target", "spots"),
    [("s_price.png", ((1017, 157, 45, 25),)), ("s_button.png", ((980, 600, 201, 89),))],
)
def test_pages_of_the_field(target: str, spots: tuple[tuple[int, int, int, int], ...]) -> None:
    one, two = (
        np.asarray(Image.open(FIELD / name).convert("RGB")) for name in ("s_base.png", target)
    )
    assert find_differences(one, two).scene.spots == spots


@pytest.mark.skipif(not FIELD.is_dir(), reason="the field pictures are not there")
def test_a_photograph_of_the_field_beside_its_jpegs_has_no_spot() -> None:
    base = np.asarray(Image.open(FIELD / "base.png").convert("RGB"))
    for other in (base, jpeg(base, 95, 0), jpeg(base, 95, 2), jpeg(base, 75, 0), jpeg(base, 75, 2)):
        assert find_differences(base, other).scene.spots == ()
