"""Places and ties."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from distortion_graph.ranking.order import places

UNIT = st.one_of(st.none(), st.integers(0, 100).map(lambda n: n / 100))


def placed(values, tolerance):
    return places(values, lambda i, j: (values[i] or 0) - (values[j] or 0), tolerance)


def test_ties_share_the_place_of_the_first_and_the_next_one_counts_them():
    assert placed([0.5, 0.9, 0.89, None, 0.1], 0.02) == [3, 1, 1, None, 4]


def test_a_chain_of_small_steps_does_not_make_the_last_equal_to_the_first():
    assert placed([0.9, 0.88, 0.86, 0.84], 0.02) == [1, 1, 3, 3]


def test_a_tolerance_of_nothing_ties_equal_values_alone():
    assert placed([0.5, 0.5, 0.499999], 0) == [1, 1, 3]


@given(st.lists(UNIT, max_size=8), st.sampled_from([0, 0.01, 0.1, 1]))
def test_no_better_value_stands_behind_and_each_tie_is_within_the_tolerance(values, tolerance):
    found = placed(values, tolerance)
    known = [(v, p) for v, p in zip(values, found, strict=True) if v is not None and p is not None]
    assert [p is None for p in found] == [v is None for v in values]
    for value, place in known:
        assert all(other <= place for better, other in known if better > value)
        first = max(v for v, p in known if p == place)
        assert round(first - value, 6) <= tolerance
    if known:
        assert min(place for _, place in known) == 1


@given(st.lists(UNIT, min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_a_permutation_permutes_the_places(values, random):
    order = list(range(len(values)))
    random.shuffle(order)
    moved = placed([values[k] for k in order], 0.02)
    assert moved == [placed(values, 0.02)[k] for k in order]
