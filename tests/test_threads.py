"""Work among threads: order, sharing, failure."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from distortion_graph.threads import Once, in_order, side_by_side


def test_results_come_in_the_order_of_the_items():
    def late(k):
        time.sleep(0.002 * (5 - k))
        return k

    assert in_order(late, range(5), 3) == [0, 1, 2, 3, 4]
    assert side_by_side(lambda: late(0), lambda: late(4)) == (0, 4)


def test_the_first_item_that_fails_raises():
    def fails(k):
        if k > 1:
            raise ValueError(k)

    with pytest.raises(ValueError, match="2"):
        in_order(fails, range(5), 2)


def test_a_value_is_made_once_however_many_ask_for_it_at_the_same_time():
    made, ready = [], threading.Barrier(8)

    def make():
        time.sleep(0.01)
        made.append(object())
        return made[-1]

    value = Once(make)

    def ask(_):
        ready.wait()
        return value()

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(ask, range(8)))
    assert len(made) == 1 and all(one is made[0] for one in found)


def test_a_value_that_cannot_be_made_fails_for_all_who_ask():
    def make():
        raise ValueError("no")

    value = Once(make)
    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(value) for _ in range(4)]
        assert all(isinstance(one.exception(), ValueError) for one in waiting)
