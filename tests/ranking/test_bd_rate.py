"""BD-rates against another implementation, and ladders that have none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distortion_graph.ranking.bd_rate import Point, RateDifference, bd_rate

# Values of the package bjontegaard 1.3.0 (PyPI; its PCHIP agrees with the JVET spreadsheet to ten
# digits): rates and qualities of two ladders, then its "cubic" and "pchip".
CASES = {
    "x265 presets": (
        ([9487.76, 4593.60, 2486.44, 1358.24], [40.037, 38.615, 36.845, 34.851]),
        ([9787.80, 4469.00, 2451.52, 1356.24], [40.121, 38.651, 36.970, 34.987]),
        (-4.420462706026296, -4.417485350589045),
    ),
    "two codecs": (
        ([686.76, 309.58, 157.11, 85.95], [40.28, 37.18, 34.24, 31.42]),
        ([893.34, 407.8, 204.93, 112.75], [40.39, 37.21, 34.17, 31.24]),
        (31.397374054908656, 31.379878202397627),
    ),
    "five steps of a score": (
        ([0.21, 0.34, 0.55, 0.9, 1.6], [0.61, 0.72, 0.81, 0.9, 0.96]),
        ([0.16, 0.29, 0.5, 0.8, 1.4], [0.58, 0.71, 0.83, 0.91, 0.965]),
        (-14.734104900890454, -14.682207896346188),
    ),
}


def ladder(rates, qualities):
    return [Point(r, q) for r, q in zip(rates, qualities, strict=True)]


def differing(first, second) -> RateDifference:
    found = bd_rate(first, second)
    assert isinstance(found, RateDifference), found
    return found


@pytest.mark.parametrize("name", CASES)
def test_another_implementation_says_the_same(name):
    first, second, expected = CASES[name]
    found = differing(ladder(*first), ladder(*second))
    assert (found.cubic, found.pchip) == pytest.approx(expected, rel=1e-6)


@given(st.floats(0.2, 5), st.sampled_from(sorted(CASES)))
def test_a_ladder_that_costs_a_factor_costs_that_factor(factor, name):
    points = ladder(*CASES[name][0])
    found = differing(points, [Point(factor * p.rate, p.quality) for p in points])
    assert found.cubic == pytest.approx(100 * (factor - 1), abs=1e-4)
    assert found.pchip == pytest.approx(100 * (factor - 1), abs=1e-4)
    assert found.overlap == 1


@pytest.mark.parametrize("name", CASES)
def test_the_way_back_undoes_it_and_order_and_unit_do_not_matter(name):
    first, second = ladder(*CASES[name][0]), ladder(*CASES[name][1])
    there, back = differing(first, second), differing(second, first)
    for way in ("cubic", "pchip"):
        product = (1 + getattr(there, way) / 100) * (1 + getattr(back, way) / 100)
        assert product == pytest.approx(1)
    assert there.overlap == back.overlap < 1
    assert bd_rate(first[::-1], second[::-1]) == there
    scaled = [[Point(8 * p.rate, p.quality) for p in points] for points in (first, second)]
    assert differing(*scaled).pchip == pytest.approx(there.pchip)


GOOD = ladder([1, 2, 3, 4], [0.5, 0.6, 0.7, 0.8])


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (GOOD[:3], "has 3 files, expected at least 4"),
        (
            ladder([1, 2, 3, 4], [0.5, 0.7, 0.65, 0.8]),
            "does not rise: quality 0.6500 at rate 3 after 0.7000 at 2",
        ),
        (
            ladder([1, 2, 3, 4], [0.5, 0.7, 0.7, 0.8]),
            "does not rise: quality 0.7000 at rate 3 after 0.7000 at 2",
        ),
        (
            ladder([1, 2, 2, 4], [0.5, 0.6, 0.7, 0.8]),
            "does not rise: quality 0.7000 at rate 2 after 0.6000 at 2",
        ),
    ],
)
def test_ladders_that_cannot_be_compared_say_why(other, why):
    assert bd_rate(GOOD, other) == f"the second ladder {why}"
    assert bd_rate(other, GOOD) == f"the first ladder {why}"


def test_ladders_without_a_quality_in_common_have_none():
    higher = ladder([1, 2, 3, 4], [0.8, 0.85, 0.9, 0.95])
    assert bd_rate(GOOD, higher) == "the ladders reach no quality in common"
