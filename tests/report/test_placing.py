"""Labels stay in the picture, and off each other where there is room."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from distortion_graph.report.placing import Ground, place_labels

FRAME = (400, 300)


def box(x, y, w, h):
    return Ground(np.ones((h, w), bool), x, y)


def rectangles(grounds, sizes, frame=FRAME, margin=0):
    places = place_labels(grounds, sizes, frame, margin)
    return [(p.choice, p.x, p.y, *sizes[k][p.choice]) for k, p in enumerate(places)]


def overlap(a, b):
    _, ax, ay, aw, ah = a
    _, bx, by, bw, bh = b
    return max(0, min(ax + aw, bx + bw) - max(ax, bx)) * max(0, min(ay + ah, by + bh) - max(ay, by))


regions = st.tuples(
    st.integers(0, 380), st.integers(0, 280), st.integers(1, 200), st.integers(1, 150)
).map(lambda r: box(r[0], r[1], min(r[2], 400 - r[0]), min(r[3], 300 - r[1])))


@given(st.lists(regions, min_size=1, max_size=30))
def test_every_region_gets_a_label_inside_the_picture(grounds):
    sizes = [[(120, 20), (70, 20), (24, 20)]] * len(grounds)
    placed = rectangles(grounds, sizes)
    for choice, x, y, w, h in placed:
        assert 0 <= choice < 3
        assert x >= 0 and y >= 0 and x + w <= FRAME[0] and y + h <= FRAME[1]
    # A label with words never covers another one, whatever the crowd.
    for a in placed:
        if a[0] < 2:
            assert all(overlap(a, b) == 0 for b in placed if b is not a)
    assert placed == rectangles(grounds, sizes)


def test_in_a_grid_no_number_covers_another():
    grounds = [box(x, y, 40, 30) for y in range(0, 300, 30) for x in range(0, 400, 40)]
    placed = rectangles(grounds, [[(90, 18), (24, 18)]] * 100)
    for k, a in enumerate(placed):
        assert a[0] == 1  # the words would lie in the neighbour
        assert all(overlap(a, b) == 0 for b in placed[k + 1 :])
        ground = grounds[k]
        assert ground.x <= a[1] and a[1] + a[3] <= ground.x + 40  # in its own cell


def test_a_large_region_gets_the_longest_wording_in_its_middle():
    (label,) = rectangles([box(0, 0, 400, 300)], [[(100, 20), (20, 20)]])
    assert label == (0, 150, 140, 100, 20)


def test_labels_keep_off_the_edge_where_they_can():
    grounds = [box(0, 0, 30, 300), box(30, 0, 370, 300)]
    for _, x, y, w, h in rectangles(grounds, [[(100, 20), (20, 20)]] * 2, margin=5):
        assert x >= 5 and y >= 5 and x + w <= 395 and y + h <= 295


def test_a_picture_smaller_than_a_label_still_has_its_number():
    ((choice, x, y, *_),) = rectangles([box(0, 0, 8, 8)], [[(100, 20), (20, 20)]], (8, 8))
    assert (choice, x, y) == (1, 0, 0)


def test_no_regions_no_labels():
    assert place_labels([], [], FRAME) == []
