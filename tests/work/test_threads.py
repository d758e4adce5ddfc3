"""Work among threads: budgets, order, sharing, failure; and who else works in a comparison."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest

from distortion_graph.base.errors import DistortionGraphError
from distortion_graph.pictures.images import load_picture
from distortion_graph.work.processes import LocalProcesses
from distortion_graph.work.threads import (
    CachedCall,
    allowed_threads,
    available_cores,
    cgroup_quota,
    parallel_map,
    parallel_steps,
    side_by_side,
    thread_budget,
)

pytestmark = pytest.mark.slow

EXAMPLES = Path(__file__).parents[2] / "examples"


def late(k):
    time.sleep(0.002 * (5 - k))
    return k


def test_results_come_in_the_order_of_the_items():
    with thread_budget(3):
        assert parallel_map(late, range(5)) == [0, 1, 2, 3, 4]
        assert parallel_steps([(1, partial(late, k)) for k in range(5)]) == [0, 1, 2, 3, 4]
        assert side_by_side(lambda: late(0), lambda: late(4)) == (0, 4)


@pytest.mark.parametrize("threads", [1, 2])
def test_the_first_item_that_fails_raises(threads):
    begun = []

    def fails(k):
        begun.append(k)
        if k > 1:
            raise ValueError(k)

    with thread_budget(threads):
        with pytest.raises(ValueError, match="2"):
            parallel_map(fails, range(5))
        begun.clear()
        with pytest.raises(ValueError, match="2"):
            parallel_steps([(2, partial(fails, k)) for k in range(5)])
    assert begun == [0, 1, 2]


def test_a_budget_holds_inside_and_ends_with_its_block():
    before = allowed_threads()
    assert before == available_cores()
    with thread_budget(3):
        assert allowed_threads() == 3
        with thread_budget(2):
            assert allowed_threads() == 2
        with thread_budget(8):  # never larger than the one around
            assert allowed_threads() == 3
        with thread_budget(0):
            assert allowed_threads() == 3
    with pytest.raises(KeyError), thread_budget(1):
        raise KeyError
    assert allowed_threads() == before


def test_each_thread_has_its_part_of_the_budget():
    with thread_budget(7):
        assert parallel_map(lambda _: allowed_threads(), range(5), 3) == [2] * 5
        assert parallel_map(lambda _: allowed_threads(), [0]) == [7]
        assert side_by_side(allowed_threads, allowed_threads) == (3, 3)
        steps = [(3, allowed_threads), (0, allowed_threads), (9, allowed_threads)]
        assert parallel_steps(steps) == [3, 1, 7]
    with thread_budget(1):
        assert (
            parallel_map(lambda _: threading.get_ident(), range(3)) == [threading.get_ident()] * 3
        )


def test_steps_together_never_take_more_threads_than_there_are():
    lock, taken, most = threading.Lock(), [], []

    def work(threads):
        with lock:
            taken.append(threads)
            most.append(sum(taken))
        time.sleep(0.003)
        with lock:
            taken.remove(threads)

    with thread_budget(4):
        parallel_steps([(n, partial(work, n)) for n in (2, 1, 1, 3, 1, 4, 1, 1, 1, 2, 2)])
    assert max(most) == 4


def test_budgets_of_several_threads_do_not_meet():
    ready = threading.Barrier(3)

    def ask(threads):
        with thread_budget(threads):
            ready.wait()
            found = allowed_threads()
            ready.wait()
        return found

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(ask, (1, 2, 5))) == [1, 2, 5]


def test_opencv_is_held_to_one_thread_and_given_back():
    before = cv2.getNumThreads()
    cv2.setNumThreads(3)
    try:
        with thread_budget(2):
            assert cv2.getNumThreads() == 1
            with thread_budget(2):
                pass
            assert cv2.getNumThreads() == 1
        assert cv2.getNumThreads() == 3
    finally:
        cv2.setNumThreads(before)


@pytest.mark.parametrize("threads", [-1, 1.5, "2"])
def test_what_is_no_budget_is_refused(threads):
    expected = f"threads is {threads!r}, expected a whole number from 1, or 0 for one per core"
    with pytest.raises(DistortionGraphError, match=expected), thread_budget(threads):
        pass


def state_of(job, task):
    return job, task, allowed_threads(), cv2.getNumThreads()


def test_a_worker_process_has_one_thread():
    with LocalProcesses("job", 2, option="--workers") as pool:
        found = [result for _, result in pool.run(state_of, range(4))]
    assert sorted(found) == [("job", k, 1, 1) for k in range(4)]


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no CPU affinity here")
def test_cores_are_those_of_the_affinity():
    code = (
        "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
        "from distortion_graph.work.threads import available_cores; print(available_cores())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "1\n"


@pytest.mark.parametrize(
    ("lines", "files", "cores"),
    [
        ("0::/a/b\n", {"a/b/cpu.max": "150000 100000\n"}, 1.5),
        # The least of a group and those above it.
        ("0::/a/b\n", {"a/b/cpu.max": "max 100000\n", "a/cpu.max": "200000 100000\n"}, 2),
        ("0::/\n", {"cpu.max": "400000 100000\n"}, 4),
        ("0::/a\n", {"a/cpu.max": "max 100000\n"}, None),
        ("0::/a\n", {}, None),
        ("", {"cpu.max": "100000 100000\n"}, None),
        # Version 1: in a container the group's path may be that of the host.
        (
            "5:memory:/m\n4:cpu,cpuacct:/docker/1f\n",
            {"cpu/cpu.cfs_quota_us": "50000\n", "cpu/cpu.cfs_period_us": "100000\n"},
            0.5,
        ),
        (
            "4:cpu:/\n",
            {"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"},
            None,
        ),
    ],
)
def test_a_control_groups_quota(tmp_path, lines, files, cores):
    (tmp_path / "cgroup").write_text(lines)
    for name, text in files.items():
        path = tmp_path / "mounted" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert cgroup_quota(tmp_path / "mounted", tmp_path / "cgroup") == cores


_OTHERS = """
import os, sys, time
import cv2, numpy as np
from skimage import data
from distortion_graph import compare
cv2.setNumThreads(2)
def others(threads, height, width, grid):  # the share of processor time that they take
    anchor = cv2.resize(data.coffee(), (width, height))
    target = cv2.GaussianBlur(anchor, (0, 0), 2)
    time.sleep(0.3)  # until the threads of libraries that have just been loaded sleep
    whole, mine = time.process_time(), time.thread_time()
    compare(anchor, target, regions=grid, threads=threads)
    whole, mine = time.process_time() - whole, time.thread_time() - mine
    return (whole - mine) / whole
others(1, 64, 96, "auto")  # opens the model, and loads libraries with threads of their own
print(others(1, 321, 481, "auto"))
print(others(1, 64, 4000, "grid:4x100"))  # products large enough for BLAS to share
print(others(1, 1500, 1600, "grid:2x2"))  # in tiles
print(others(2, 321, 481, "grid:2x5"))
"""


@pytest.fixture(scope="module")
def shares():
    """What threads other than the caller's take in comparisons: three with one, one with two."""
    done = subprocess.run([sys.executable, "-c", _OTHERS], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [float(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("case", range(3), ids=["auto", "large products", "tiles"])
def test_with_one_thread_nobody_else_works(shares, case):
    assert shares[case] < 0.02


def test_with_two_threads_somebody_else_works(shares):
    assert shares[3] > 0.2


_COMMAND = """
import sys, time
from distortion_graph.cli.main import main
sys.argv = ["distortion-graph", "compare", *sys.argv[1:], "--quiet", "--threads", "1"]
try:
    main()
except SystemExit as end:
    print(end.code, (time.process_time() - time.thread_time()) / time.process_time())
"""


def test_the_command_with_one_thread_is_one_thread_from_its_start():
    pictures = [str(EXAMPLES / f"{side}.png") for side in ("anchor", "target")]
    environment = {k: v for k, v in os.environ.items() if k != "OPENBLAS_NUM_THREADS"}
    done = subprocess.run(
        [sys.executable, "-c", _COMMAND, *pictures],
        capture_output=True, text=True, check=True, env=environment,
    )  # fmt: skip
    code, share = done.stdout.split()
    assert code == "0" and float(share) < 0.02


def test_decoders_keep_to_the_budget_and_their_own_number_comes_back(monkeypatch):
    from PIL import AvifImagePlugin, Image

    memory = io.BytesIO()
    Image.fromarray(np.full((64, 80, 3), 90, np.uint8)).save(memory, "AVIF")
    seen, opened = [], AvifImagePlugin.AvifImageFile._open

    def note(self):
        seen.append(AvifImagePlugin.DEFAULT_MAX_THREADS)
        opened(self)

    monkeypatch.setattr(AvifImagePlugin.AvifImageFile, "_open", note)
    monkeypatch.setattr(AvifImagePlugin, "DEFAULT_MAX_THREADS", 7)
    with thread_budget(1):
        load_picture(memory.getvalue())
    assert seen == [1] and AvifImagePlugin.DEFAULT_MAX_THREADS == 7


def test_a_value_is_made_once_however_many_ask_for_it_at_the_same_time():
    made, ready = [], threading.Barrier(8)

    def make():
        time.sleep(0.01)
        made.append(object())
        return made[-1]

    value = CachedCall(make)

    def ask(_):
        ready.wait()
        return value()

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(ask, range(8)))
    assert len(made) == 1 and all(one is made[0] for one in found)


def test_a_value_that_cannot_be_made_fails_for_all_who_ask():
    def make():
        raise ValueError("no")

    value = CachedCall(make)
    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(value) for _ in range(4)]
        assert all(isinstance(one.exception(), ValueError) for one in waiting)
