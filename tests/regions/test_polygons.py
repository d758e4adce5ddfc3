"""Outlines to masks: against scikit-image and the winding number, pixel by pixel."""

from __future__ import annotations

import math
import time
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from region_files import art
from skimage.draw import polygon

from distortion_graph.base.errors import RegionError
from distortion_graph.regions.polygons import (
    crosses_itself,
    ellipse,
    fill,
    fill_with_holes,
    rectangle,
)

SQUARE = np.array([[2.0, 1], [6, 1], [6, 4], [2, 4]])


def ring_of(seed, points, w, h):
    """A ring that crosses itself, partly outside of w×h pixels; no centre lies on its sides."""
    return np.random.default_rng(seed).random((points, 2)) * [1.6 * w, 1.6 * h] - [0.3 * w, 0.3 * h]


def winding(ring, h, w):
    """How often a ring goes around each pixel's centre: its angles added up."""
    places = ring[:, 0] + 1j * ring[:, 1]
    y, x = np.mgrid[:h, :w] + 0.5
    seen = places[:, None, None] - (x + 1j * y)
    return np.rint(np.angle(np.roll(seen, -1, axis=0) / seen).sum(0) / (2 * math.pi))


@given(st.integers(0, 2**32), st.integers(3, 12), st.integers(1, 25), st.integers(1, 25))
def test_any_ring_is_what_its_winding_number_and_scikit_image_say(seed, points, h, w):
    ring = ring_of(seed, points, w, h)
    turns = winding(ring, h, w)
    assert (fill([ring], (h, w), "ring").decode() == (turns != 0)).all()
    odd = fill([ring], (h, w), "ring", "evenodd").decode()
    assert (odd == (turns % 2 != 0)).all()
    # Theirs takes rows and columns of centres.
    rows, columns = polygon(ring[:, 1] - 0.5, ring[:, 0] - 0.5, (h, w))
    theirs = np.zeros((h, w), bool)
    theirs[rows, columns] = True
    assert (odd == theirs).all()


@given(st.integers(0, 2**32), st.integers(2, 9))
def test_triangles_that_share_sides_share_no_pixel_and_leave_none_out(seed, points):
    """A fan about a centre covers its ring once, also where centres of pixels lie on the sides."""
    rng = np.random.default_rng(seed)
    angles = np.sort(rng.random(points + 1)) * 2 * math.pi
    rim = np.rint(np.stack([10 + 9 * np.cos(angles), 8 + 7 * np.sin(angles)], axis=1) * 2) / 2
    middle = np.array([10.5, 8.5])
    fan = [np.array([middle, rim[k - 1], rim[k]]) for k in range(len(rim))]
    size = (18, 22)
    counted = sum(fill([part], size, "part").decode().astype(int) for part in fan)
    covered = np.abs(sum(_signed(part, size) for part in fan))
    assert ((counted == 1) >= (covered == 1)).all()
    assert (covered == _whole(rim, size)).all()


def _signed(ring, size):
    (ax, ay), (bx, by), (cx, cy) = ring
    side = np.sign((bx - ax) * (cy - ay) - (by - ay) * (cx - ax))
    return side * fill([ring], size, "part").decode()


def _whole(rim, size):
    return fill([rim], size, "rim").decode().astype(int)


def test_a_centre_on_a_side_belongs_to_the_right_and_below():
    ring = rectangle(1.5, 0.5, 3.5, 2.5)
    assert (fill([ring], (4, 5), "box").decode() == art(".##.. .##.. ..... .....")).all()
    assert (fill([ring[::-1]], (4, 5), "box").decode() == art(".##.. .##.. ..... .....")).all()


def test_what_lies_outside_is_cut_off_on_every_side():
    inside = fill([rectangle(-3, -2, 2, 2)], (3, 4), "box").decode()
    assert (inside == art("##.. ##.. ....")).all()
    assert fill([rectangle(-9, -9, 99, 99)], (3, 4), "box").area() == 12
    for far in ((-9, 0, -1, 3), (4, 0, 9, 3), (0, -9, 4, 0), (0, 3, 4, 9)):
        assert fill([rectangle(*far)], (3, 4), "box").area() == 0


@pytest.mark.parametrize(
    ("ring", "crosses"),
    [
        ([[2, 2], [18, 2], [18, 18], [2, 18]], False),
        ([[2, 18], [18, 18], [18, 2], [2, 2]], False),  # the other way round
        ([[2, 2], [18, 18], [18, 2], [2, 18]], True),  # a bow
        ([[10, 1], [16, 19], [1, 7], [19, 7], [4, 19]], True),  # a star in one line
        ([[2, 2], [18, 2], [18, 18], [2, 18]] * 2, True),
        # A ring cut open: along the cut it touches itself.
        (
            [
                [1, 1],
                [19, 1],
                [19, 19],
                [1, 19],
                [1, 1],
                [5, 5],
                [5, 15],
                [15, 15],
                [15, 5],
                [5, 5],
            ],
            False,
        ),
        ([[-30, 2], [50, 2], [50, 18], [-30, 18]], False),
        ([[-9, 2], [-5, 18], [-5, 2], [-9, 18]], False),  # where nobody sees it
        ([[3, 3], [9, 3]], False),
    ],
)
def test_outlines_that_cross_themselves_are_told(ring, crosses):
    assert crosses_itself(np.array(ring, float), (20, 20), "it") is crosses


@given(st.integers(0, 2**32 - 1), st.integers(3, 12))
def test_the_outline_of_a_star_shaped_area_does_not_cross_itself(seed, points):
    rng = np.random.default_rng(seed)
    angles = np.sort(rng.uniform(0, 2 * math.pi, points))
    radii = rng.uniform(2, 30, points)  # beyond the picture too
    ring = 15 + np.stack([radii * np.cos(angles), radii * np.sin(angles)], 1)
    widest = np.diff(angles, append=angles[0] + 2 * math.pi).max()
    if widest < math.pi:  # the centre is inside
        assert not crosses_itself(ring, (30, 30), "it")
        assert not crosses_itself(ring[::-1], (30, 30), "it")


def test_rings_of_less_than_three_points_and_no_rings_enclose_nothing():
    assert fill([], (3, 4), "none").area() == 0
    assert fill([SQUARE[:2], SQUARE[:1], SQUARE[:0]], (3, 4), "none").area() == 0


def test_holes_are_cut_whichever_way_they_turn_and_from_their_own_polygon_alone():
    outer, hole = rectangle(1, 1, 7, 5), rectangle(2, 2, 5, 4)
    island = rectangle(3, 2, 4, 4)
    expected = art("........ .######. .#.#.##. .#.#.##. .######. ........")
    for first, second in ((outer, hole), (outer[::-1], hole), (outer, hole[::-1])):
        found = fill_with_holes([[first, second], [island]], (6, 8), "rings").decode()
        assert (found == expected).all()


@pytest.mark.parametrize("degrees", [0, 30, 137.5])
def test_an_ellipse_is_where_its_equation_says(degrees):
    found = fill([ellipse(20.3, 15.2, 10.1, 7.7, degrees)], (32, 41), "ellipse").decode()
    y, x = np.mgrid[:32, :41] + 0.5 - np.array([15.2, 20.3])[:, None, None]
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    along, across = x * cosine + y * sine, y * cosine - x * sine
    assert (found == ((along / 10.1) ** 2 + (across / 7.7) ** 2 <= 1)).all()


def test_a_quarter_turn_of_a_rectangle_exchanges_its_sides():
    turned = fill([rectangle(2, 3, 8, 5, 90)], (9, 11), "box")
    assert turned == fill([rectangle(4, 1, 6, 7)], (9, 11), "box")


@pytest.mark.parametrize("value", [math.nan, math.inf, -(2.0**31)])
def test_points_that_are_no_pixels_are_refused(value):
    ring = SQUARE.copy()
    ring[1, 1] = value
    with pytest.raises(RegionError, match=r"^here: a point lies at .*, expected pixels of the"):
        fill([ring], (3, 4), "here")


def test_many_points_are_counted_in_bounded_memory():
    """A scribble of so many points that its crossings are counted by pixel, not sorted."""
    ring = np.random.default_rng(0).random((60_000, 2)) * [90, 4]
    tracemalloc.start()
    found = fill([ring], (4, 90), "scribble").decode()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40 * 2**20  # all crossings at once would be above 100 MB
    assert (found == _by_chunks(ring, 4, 90)).all()


def _by_chunks(ring, h, w):
    """The winding number of a long ring from parts of it, each closed over a common point."""
    total = np.zeros((h, w))
    origin = np.array([[45.13, -7.0]])
    for start in range(0, len(ring), 3000):
        part = np.take(ring, range(start, start + 3001), axis=0, mode="wrap")
        total += winding(np.concatenate([origin, part]), h, w)
    return total != 0


def test_an_outline_without_end_is_refused():
    ring = np.tile([[0.0, 0.0], [4000.0, 3000.0]], (70_000, 1))
    with pytest.raises(
        RegionError,
        match=r"^here: its outline crosses the picture's columns 5\d{8} times, expected at most 5",
    ):
        fill([ring], (3000, 4000), "here")


def test_a_million_points_on_a_large_picture_take_no_long_time():
    angles = np.linspace(0, 2 * math.pi, 1_000_000, endpoint=False)
    radii = 1400 + 60 * np.sin(angles * 5000)
    ring = np.stack([2000 + radii * np.cos(angles), 1500 + radii * np.sin(angles)], axis=1)
    start = time.process_time()
    area = fill([ring], (3000, 4000), "star").area()
    assert time.process_time() - start < 20
    shoelace = 0.5 * abs(
        np.dot(ring[:, 0], np.roll(ring[:, 1], -1)) - np.dot(ring[:, 1], np.roll(ring[:, 0], -1))
    )
    assert abs(area - shoelace) < 1e-3 * shoelace
