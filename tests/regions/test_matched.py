"""Two sets of masks matched one to one: by overlap and name, whichever picture comes first."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from distortion_graph.base.errors import RegionError
from distortion_graph.masks.container import RegionSet
from distortion_graph.pictures.align import Alignment
from distortion_graph.regions.matched import (
    LEAST_NAMED,
    LEAST_OVERLAP,
    NAME_WORTH,
    JointRegion,
    Matched,
    Pair,
    _assigned,
    joint_regions,
    match_regions,
)

SIZE = (20, 30)


def lying(matrix=None, anchor=SIZE, target=SIZE):
    """An alignment by a matrix from places of the target to places of the anchor."""
    facts: dict[str, Any] = {"residual_px": 0.1, "confidence": 1.0, "same_scene": 1.0}
    if matrix is None:
        return Alignment("none", np.eye(3), np.eye(3), anchor, target, **facts)
    matrix = np.array(matrix, float)
    return Alignment("similarity", matrix, np.linalg.inv(matrix), anchor, target, **facts)


def moved_by(dx, dy, **sizes):
    return lying([[1, 0, dx], [0, 1, dy], [0, 0, 1]], **sizes)


def boxes(*listed, size=SIZE):
    """A set of rectangles: (id, name, left, top, right, bottom)."""
    masks = []
    for _, _, left, top, right, bottom in listed:
        mask = np.zeros(size, bool)
        mask[top:bottom, left:right] = True
        masks.append(mask)
    return RegionSet.from_masks(masks, [b[0] for b in listed], [b[1] for b in listed], size=size)


@pytest.mark.parametrize("seed", range(20))
def test_pairs_are_worth_as_much_as_scipys(seed):
    rng = np.random.default_rng(seed)
    table = rng.uniform(LEAST_NAMED, 1 + NAME_WORTH, rng.integers(1, 30, 2))
    table[rng.random(table.shape) > rng.choice([0.1, 0.5, 1])] = 0
    pairs = _assigned({(int(i), int(j)): float(table[i, j]) for i, j in np.argwhere(table)})
    rows, columns = linear_sum_assignment(table, maximize=True)
    best = {(i, j) for i, j in zip(rows.tolist(), columns.tolist(), strict=True) if table[i, j]}
    assert len({i for i, _ in pairs}) == len({j for _, j in pairs}) == len(pairs)
    assert {*pairs} == best


def test_equal_sets_are_paired_region_by_region():
    regions = RegionSet.grid(SIZE, 3, 4)
    matched = match_regions(regions, regions, lying())
    assert matched.pairs == tuple(Pair(k, k, 1.0) for k in range(12))
    assert matched.anchor_only == matched.target_only == ()


def test_pairs_and_regions_of_one_picture():
    anchor = boxes((1, "a", 0, 0, 10, 10), (2, "b", 12, 0, 22, 10), (3, "c", 0, 12, 5, 20))
    target = boxes((7, "x", 14, 0, 24, 10), (9, "y", 25, 15, 30, 20), (4, "z", 0, 0, 10, 8))
    matched = match_regions(anchor, target, lying())
    # 80 of 100 pixels, and 80 of 120.
    assert matched.pairs == (Pair(1, 4, 0.8), Pair(2, 7, 80 / 120))
    assert matched.anchor_only == (3,) and matched.target_only == (9,)


def test_a_shift_and_a_scale_are_undone_first():
    anchor = boxes((1, "a", 4, 2, 14, 12), (2, "b", 20, 4, 28, 18))
    shifted = boxes((5, "a", 1, 0, 11, 10), (6, "b", 17, 2, 25, 16))
    assert match_regions(anchor, shifted, moved_by(3, 2)).pairs == (
        Pair(1, 5, 1.0),
        Pair(2, 6, 1.0),
    )
    half = boxes((5, "a", 2, 1, 7, 6), (6, "b", 10, 2, 14, 9), size=(10, 15))
    scaled = lying(np.diag([2, 2, 1]), target=(10, 15))
    assert match_regions(anchor, half, scaled).pairs == (Pair(1, 5, 1.0), Pair(2, 6, 1.0))


def test_only_what_both_pictures_show_counts():
    """The target shows the left half of the anchor, and with it only a part of two regions."""
    anchor = boxes((1, "a", 0, 0, 30, 10), (2, "b", 8, 11, 18, 20), (3, "c", 20, 11, 30, 20))
    target = boxes((1, "a", 0, 0, 15, 10), (2, "b", 8, 11, 15, 20), size=(20, 15))
    matched = match_regions(anchor, target, lying(np.eye(3), target=(20, 15)))
    assert matched.pairs == (Pair(1, 1, 1.0), Pair(2, 2, 1.0)) and matched.anchor_only == (3,)


def test_the_best_sum_wins_over_the_best_pair():
    """Were the closest pair taken first (1 with 8, 0.9), region 2 would find no partner."""
    anchor = boxes((1, "a", 0, 0, 20, 10), (2, "b", 0, 0, 14, 10))
    target = boxes((8, "c", 0, 0, 18, 10), (9, "d", 6, 0, 22, 10))
    matched = match_regions(anchor, target, lying())
    assert matched.pairs == (Pair(1, 9, 14 / 22), Pair(2, 8, 14 / 18))


@pytest.mark.parametrize(
    ("names", "long", "common", "paired"),
    [
        (("cup", "mug"), 75, 50, True),  # 50 of 100
        (("cup", "mug"), 75, 49, False),
        (("cup", "cup"), 60, 20, True),  # 20 of 100
        (("cup", "cup"), 60, 19, False),
        (("Café ", "cafe\u0301"), 60, 20, True),
        (("region 1", "region 1"), 75, 49, False),
    ],
)
def test_a_common_name_asks_for_less_overlap(names, long, common, paired):
    """Two rows of pixels that share some of them, and a region that has its partner anyway."""
    assert (LEAST_OVERLAP, LEAST_NAMED) == (50 / 100, 20 / 100)
    size, other = (1, 200), (2, "other", 160, 0, 200, 1)
    anchor = boxes((1, names[0], 0, 0, long, 1), other, size=size)
    target = boxes((1, names[1], long - common, 0, 2 * long - common, 1), other, size=size)
    matched = match_regions(anchor, target, lying(anchor=size, target=size))
    expected = (Pair(1, 1, common / (2 * long - common)),) if paired else ()
    assert matched.pairs == (*expected, Pair(2, 2, 1.0))


def test_a_name_makes_up_for_half_of_the_overlap():
    near = boxes((1, "saucer", 0, 0, 10, 10))
    target = boxes((1, "cup", 0, 0, 10, 9), (2, "saucer", 0, 3, 10, 12))
    assert match_regions(near, target, lying()).pairs == (Pair(1, 2, 70 / 120),)
    assert 70 / 120 + NAME_WORTH > 0.9
    target = boxes((1, "cup", 0, 0, 10, 9), (2, "saucer", 0, 6, 10, 16))
    assert match_regions(near, target, lying()).pairs == (Pair(1, 1, 0.9),)


# ---- any two sets ------------------------------------------------------------------------------


@st.composite
def sets(draw, size):
    """A set of up to five boxes that may overlap and be equal."""
    h, w = size
    listed = []
    ids = draw(st.lists(st.integers(0, 9), min_size=1, max_size=5, unique=True))
    for number in ids:
        left, top = draw(st.integers(0, w - 2)), draw(st.integers(0, h - 2))
        right, bottom = draw(st.integers(left + 1, w)), draw(st.integers(top + 1, h))
        name = draw(st.sampled_from(["cup", "cat", f"region {number}"]))
        listed.append((number, name, left, top, right, bottom))
    return boxes(*listed, size=size)


@st.composite
def couples(draw):
    """Two sets of one scene of few pixels, and how the pictures lie on each other."""
    kind = draw(st.sampled_from(["as they are", "shifted", "turned", "scaled"]))
    size, other = (6, 8), (6, 8)
    if kind == "as they are":
        alignment = lying(anchor=size, target=other)
    elif kind == "shifted":
        dx, dy = draw(st.integers(-3, 3)), draw(st.integers(-3, 3))
        alignment = moved_by(dx + draw(st.sampled_from([0, 0.4])), dy, anchor=size, target=other)
    else:
        scale, other = (1.0, other) if kind == "turned" else (1.5, (4, 5))
        angle = draw(st.sampled_from([0.2, math.pi])) if kind == "turned" else 0.0
        c, s = scale * math.cos(angle), scale * math.sin(angle)
        middle = np.array([4 - 4 * c + 3 * s, 3 - 4 * s - 3 * c]) if kind == "turned" else (0, 0)
        matrix = [[c, -s, middle[0]], [s, c, middle[1]], [0, 0, 1]]
        alignment = lying(matrix, anchor=size, target=other)
    return draw(sets(size)), draw(sets(other)), alignment


def outcome(anchor, target, alignment):
    try:
        return match_regions(anchor, target, alignment)
    except RegionError:
        return None


@settings(max_examples=150)
@given(couples())
def test_exchanging_the_pictures_exchanges_the_answer_to_the_bit(couple):
    anchor, target, alignment = couple
    forth, back = outcome(*couple), outcome(target, anchor, alignment.swapped())
    if forth is None or back is None:
        assert forth is back
        return
    assert back == forth.swapped() and forth.swapped().swapped() == forth
    joint = joint_regions(anchor, target, forth)
    exchanged = joint_regions(target, anchor, back)
    assert [(k, name, a, t) for k, name, t, a in exchanged] == joint


@settings(max_examples=60)
@given(couples(), st.randoms(use_true_random=False))
def test_any_order_of_the_regions_gives_the_same_pairs(couple, random):
    anchor, target, alignment = couple
    shuffled = [random.sample(range(len(some)), len(some)) for some in (anchor, target)]
    again = outcome(anchor.reorder(shuffled[0]), target.reorder(shuffled[1]), alignment)
    assert again == outcome(*couple)


@settings(max_examples=150)
@given(sets((6, 8)), sets((6, 8)))
def test_no_other_way_is_worth_more(anchor, target):
    """Every way to pair up to five regions with five, tried."""
    alignment = lying(anchor=(6, 8), target=(6, 8))
    worth = np.zeros((5, 5))
    for (row, mine), (column, other) in itertools.product(enumerate(anchor), enumerate(target)):
        a, t = mine.rle.decode(), other.rle.decode()
        overlap = (a & t).sum() / (a | t).sum()
        alike = mine.name == other.name and not mine.name.startswith("region")
        if overlap >= (LEAST_NAMED if alike else LEAST_OVERLAP):
            worth[row, column] = overlap + NAME_WORTH * alike
    best = max(
        sum(worth[row, column] for row, column in enumerate(columns))
        for columns in itertools.permutations(range(5))
    )
    matched = outcome(anchor, target, alignment)
    rows = {number: k for k, number in enumerate(anchor.ids)}
    columns = {number: k for k, number in enumerate(target.ids)}
    pairs = matched.pairs if matched else ()
    found = sum(worth[rows[p.anchor], columns[p.target]] for p in pairs)
    assert found == pytest.approx(best) and (best > 0) == bool(pairs)


# ---- ids and names -----------------------------------------------------------------------------


def joint(anchor, target):
    """The joint regions as (id, name, id in the anchor, id in the target)."""
    found = joint_regions(anchor, target, match_regions(anchor, target, lying()))
    return [(r.id, r.name, r.anchor and r.anchor.id, r.target and r.target.id) for r in found]


def test_ids_are_kept_where_they_are_free():
    anchor = boxes((2, "a", 0, 0, 9, 9), (3, "b", 10, 0, 19, 9), (9, "c", 20, 0, 29, 5))
    target = boxes((2, "a", 0, 0, 9, 9), (5, "b", 10, 0, 19, 9), (4, "d", 0, 12, 9, 19))
    assert joint(anchor, target) == [
        (2, "a", 2, 2),
        (3, "b", 3, 5),
        (4, "d", None, 4),
        (9, "c", 9, None),
    ]


def test_where_ids_clash_an_agreeing_pair_goes_first_then_the_larger_region():
    anchor = boxes(
        (1, "a", 0, 0, 4, 4),  # with the target's 2
        (2, "b", 10, 0, 20, 10),  # with the target's 1, larger
        (7, "c", 0, 12, 3, 15),  # alone
        (8, "d", 20, 12, 24, 16),  # with the target's 8
    )
    target = boxes(
        (2, "a", 0, 0, 4, 4),
        (1, "b", 10, 0, 20, 10),
        (7, "e", 5, 12, 10, 19),  # alone, larger than the anchor's 7
        (8, "d", 20, 12, 24, 16),
    )
    assert joint(anchor, target) == [
        (1, "b", 2, 1),
        (2, "a", 1, 2),
        (7, "e", None, 7),
        (8, "d", 8, 8),
        (9, "c", 7, None),
    ]


@pytest.mark.parametrize(
    ("names", "name"),
    [
        (("cup", "cup"), "cup"),
        (("mug", "cup"), "cup / mug"),
        (("cup", "region 7"), "cup"),
        (("region 12", "region 7"), "region 7"),
    ],
)
def test_a_pair_is_called_by_what_tells_most(names, name):
    anchor, target = (boxes((k, names[k], 0, 0, 9, 9)) for k in (0, 1))
    assert joint(anchor, target) == [(0, name, 0, 1)]


def test_a_region_in_either_picture_keeps_its_own_mask():
    anchor, target = boxes((4, "a", 0, 0, 10, 10)), boxes((4, "a", 0, 0, 10, 9))
    matched = match_regions(anchor, target, lying())
    assert joint_regions(anchor, target, matched) == [JointRegion(4, "a", anchor[0], target[0])]


# ---- refusals ----------------------------------------------------------------------------------


def test_masks_of_another_picture_are_refused_in_one_line():
    anchor, target = (
        boxes((1, "a", 0, 0, 9, 9)),
        boxes((1, "a", 20, 10, 29, 19), (2, "b", 8, 8, 17, 17)),
    )
    with pytest.raises(RegionError) as caught:
        match_regions(anchor, target, lying())
    assert str(caught.value) == (
        "target regions: none of 2 lies on one of the anchor's 1 (intersection over union at most "
        "0.01, expected at least 0.5, or 0.2 with a common name); are they masks of these pictures?"
    )


def test_masks_of_another_size_are_refused_in_one_line():
    small, large = boxes((1, "a", 0, 0, 5, 5), size=(10, 10)), boxes((1, "a", 0, 0, 5, 5))
    with pytest.raises(RegionError, match=r"^target regions: masks are 10×10, expected 30×20 as"):
        match_regions(large, small, lying())
    with pytest.raises(RegionError, match=r"^regions: masks are 10×10, expected 30×20 as the al"):
        match_regions(small, large, lying())


def test_an_answer_is_a_value():
    matched = Matched((Pair(1, 4, 0.75),), (2,), (), "anchor")
    assert matched.swapped() == Matched((Pair(4, 1, 0.75),), (), (2,), "target")
