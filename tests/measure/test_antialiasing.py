"""Other drawings of the same edges are explained, and other things are not."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from distortion_graph.base.errors import ImageError
from distortion_graph.measure.antialiasing import antialiased, redrawn

Rgb = NDArray[np.uint8]
BOTH = pytest.mark.parametrize("explained", [antialiased, redrawn])


def drawn(text: str, dx: float = 0.0, dy: float = 0.0, grey: int = 30) -> Rgb:
    """Letters at a position within a pixel: drawn at eight times the size and averaged."""
    big = Image.new("L", (8 * 120, 8 * 40), 255)
    font = ImageFont.load_default(8 * 18)
    ImageDraw.Draw(big).text((8 * (6 + dx), 8 * (6 + dy)), text, fill=grey, font=font)
    return np.array(big.resize((120, 40), Image.Resampling.BOX).convert("RGB"))


def with_sub_pixels(rgb: Rgb) -> Rgb:
    """Red and blue a third of a pixel to the left and right, as on a screen with stripes."""
    shifted = [
        cv2.warpAffine(
            rgb[..., k], np.array([[1, 0, dx], [0, 1, 0]], np.float32), rgb.shape[1::-1],
            borderMode=cv2.BORDER_REPLICATE,
        )
        for k, dx in enumerate((-1 / 3, 0, 1 / 3))
    ]  # fmt: skip
    return np.stack(shifted, 2)


def disc(radius: float, smooth: bool) -> Rgb:
    y, x = np.mgrid[:40, :40]
    inside = radius + 0.5 - np.hypot(y - 20, x - 20)
    cover = np.clip(inside, 0, 1) if smooth else (inside > 0.5).astype(float)
    return np.repeat(np.rint(255 * (1 - cover))[..., None], 3, 2).astype(np.uint8)


def left(one: Rgb, two: Rgb, explained: NDArray[np.bool_]) -> int:
    return int(((one != two).any(2) & ~explained).sum())


def reference(one: Rgb, two: Rgb) -> NDArray[np.bool_]:
    """`antialiased` as its authors wrote it, pixel by pixel."""
    height, width = one.shape[:2]
    light = [rgb @ np.array([0.29889531, 0.58662247, 0.11448223]) for rgb in (one, two)]

    def around(y: int, x: int) -> list[tuple[int, int]]:
        return [
            (j, i)
            for i in range(max(x - 1, 0), min(x + 2, width))
            for j in range(max(y - 1, 0), min(y + 2, height))
            if (j, i) != (y, x)
        ]

    def rim(y: int, x: int) -> int:
        return int(y in (0, height - 1) or x in (0, width - 1))

    def many(rgb: Rgb, y: int, x: int) -> bool:
        alike = [bool((rgb[p] == rgb[y, x]).all()) for p in around(y, x)]
        return rim(y, x) + sum(alike) > 2

    def smooths(k: int, y: int, x: int) -> bool:
        alike, low, high, at_low, at_high = rim(y, x), 0.0, 0.0, (0, 0), (0, 0)
        for p in around(y, x):
            step = light[k][y, x] - light[k][p]
            if step == 0:
                alike += 1
            elif step < low:
                low, at_low = step, p
            elif step > high:
                high, at_high = step, p
        if alike > 2 or low == 0 or high == 0:
            return False
        return any(many(one, *p) and many(two, *p) for p in (at_low, at_high))

    out = np.zeros((height, width), np.bool_)
    for y, x in zip(*np.nonzero((one != two).any(2)), strict=True):
        out[y, x] = smooths(0, y, x) or smooths(1, y, x)
    return out


@given(st.integers(0, 10_000))
def test_smoothed_edges_are_those_of_the_published_test(seed: int) -> None:
    rng = np.random.default_rng(seed)
    # Few values, so that neighbours are often equal.
    pair = [
        rng.choice([0, 90, 180, 255], (9, 11, 1), p=[0.5, 0.1, 0.1, 0.3]).repeat(3, 2)
        for _ in range(2)
    ]
    one, two = (p.astype(np.uint8) for p in pair)
    assert np.array_equal(antialiased(one, two), reference(one, two))


def test_a_smoothed_disc_is_explained_by_the_published_test_but_a_larger_one_is_not():
    hard, soft = disc(12, smooth=False), disc(12, smooth=True)
    assert left(hard, soft, antialiased(hard, soft)) == 0
    larger = disc(15, smooth=True)
    assert left(soft, larger, antialiased(soft, larger)) > 100


@pytest.mark.parametrize(("dx", "dy"), [(0.25, 0), (0.5, 0), (0, 0.5), (0.5, 0.5), (-0.75, 0.25)])
def test_letters_at_another_position_within_a_pixel_are_explained(dx: float, dy: float) -> None:
    one, two = drawn("Total 12.50"), drawn("Total 12.50", dx, dy)
    assert (one != two).any() and left(one, two, redrawn(one, two)) == 0


def test_letters_drawn_in_sub_pixels_are_explained():
    one = drawn("Total 12.50")
    two = with_sub_pixels(one)
    assert int(np.ptp(two.astype(int), axis=2).max()) > 50  # it has coloured fringes
    assert left(one, two, redrawn(one, two)) == 0


@pytest.mark.parametrize(
    ("before", "after"), [("12.50", "12.80"), ("12.50", "17.50"), ("+3 %", "−3 %"), ("now", "new")]
)
def test_other_letters_are_not_explained_wherever_they_lie(before: str, after: str) -> None:
    for dx in (0.0, 0.5):
        one, two = drawn(before), drawn(after, dx)
        assert left(one, two, redrawn(one, two)) > 0


def test_what_moved_by_three_pixels_and_a_pale_colour_are_not_explained():
    one = np.full((40, 60, 3), 250, np.uint8)
    one[10:30, 10:40] = (150, 190, 150)
    moved = np.roll(one, 3, axis=1)
    assert left(one, moved, redrawn(one, moved)) > 20
    other = one.copy()
    other[10:30, 10:40] = (160, 190, 150)
    assert left(one, other, redrawn(one, other)) > 300


@BOTH
@given(st.integers(0, 10_000))
def test_exchanging_the_pictures_changes_nothing_and_only_changed_pixels_are_explained(
    explained, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    one = rng.integers(0, 256, (13, 17, 3), dtype=np.uint8)
    two = one.copy()
    two[3:9, 4:12] = rng.integers(0, 256, (6, 8, 3), dtype=np.uint8)
    found = explained(one, two)
    assert np.array_equal(found, explained(two, one))
    assert not found[(one == two).all(2)].any()
    assert not explained(one, one).any()


@BOTH
def test_pictures_of_two_sizes_are_refused(explained) -> None:
    with pytest.raises(ImageError):
        explained(np.zeros((4, 4, 3), np.uint8), np.zeros((4, 5, 3), np.uint8))
