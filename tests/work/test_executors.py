"""What every executor promises: order, a bounded window, errors, lost workers, budgets, the end."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path

import pytest

from distortion_graph.base.errors import WorkError
from distortion_graph.work.executor import worker_count
from distortion_graph.work.local import CallingThread, LocalThreads
from distortion_graph.work.processes import LocalProcesses, local_processes
from distortion_graph.work.ray_actors import RayActors
from distortion_graph.work.threads import allowed_threads, thread_budget

EXECUTORS = {
    "calling thread": partial(CallingThread),
    "threads": partial(LocalThreads, workers=3),
    "processes": partial(LocalProcesses, workers=2, option="--workers"),
    "ray": partial(RayActors, workers=2),
}


@pytest.fixture(scope="module", params=EXECUTORS.values(), ids=list(EXECUTORS))
def executor(request):
    """Each in turn, with the job 10; Ray's on a cluster of this machine."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param.func is RayActors:
            pytest.importorskip("ray")
            paths = [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
            patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))
        with request.param(10) as executor:
            yield executor


def times(job, task):
    """The later a task, the sooner it is done."""
    time.sleep(0.004 * (8 - task))
    return job * task


def test_every_task_is_given_once_with_its_result(executor):
    given = list(executor.run(times, range(8)))
    assert sorted(given) == [(k, 10 * k) for k in range(8)]
    assert list(executor.run(times, ())) == []


def test_ordered_results_come_in_the_order_of_their_tasks(executor):
    assert list(executor.run(times, range(8), ordered=True)) == [(k, 10 * k) for k in range(8)]


def test_unordered_results_come_as_soon_as_they_are_there():
    first_may_end = threading.Event()

    def work(job, task):
        return task or first_may_end.wait(10)

    with LocalThreads(None, 2) as executor:
        results = executor.run(work, range(4))
        assert [next(results)[0] for _ in range(3)] == [1, 2, 3]
        first_may_end.set()
        assert list(results) == [(0, True)]


class Counted:
    """Endless tasks that count how many of them were taken, and at most beyond those given."""

    def __init__(self):
        self.taken = self.given = self.most = 0

    def __iter__(self):
        for task in itertools.count():
            self.taken += 1
            self.most = max(self.most, self.taken - self.given)
            yield task % 8

    def take(self, results, count):
        for _ in itertools.islice(results, count):
            self.given += 1


@pytest.mark.parametrize("ordered", [False, True])
def test_no_more_tasks_are_taken_than_the_window_holds(executor, ordered):
    tasks = Counted()
    tasks.take(executor.run(times, tasks, ordered=ordered, window=4), 30)
    assert tasks.most <= 4 and tasks.taken <= 30 + 4


def test_the_window_is_three_tasks_per_worker_and_full_while_the_first_one_is_awaited():
    tasks, first_may_end = Counted(), threading.Event()

    def work(job, task):
        return task or first_may_end.wait(10)

    with LocalThreads(None, 2) as executor:
        results = executor.run(work, tasks, ordered=True)
        threading.Timer(0.1, first_may_end.set).start()
        tasks.take(results, 1)
        assert tasks.taken == 6


def fails_at(job, task):
    times(job, task)
    if task in (3, 7):
        raise ValueError(f"task {task}")
    return task


def test_with_order_an_error_is_that_of_the_first_failed_task_after_all_results_before(executor):
    given = []
    with pytest.raises(ValueError, match="task 3"):  # 7 fails sooner
        for task, _ in executor.run(fails_at, range(8), ordered=True, window=8):
            given.append(task)
    assert given == [0, 1, 2]


def test_without_order_what_runs_is_given_and_then_the_first_error_is_raised():
    both_run = threading.Barrier(2)
    taken, given = [], []

    def tasks():
        for task in range(9):
            taken.append(task)
            yield task

    def work(job, task):
        both_run.wait(10)
        if task == 0:
            raise ValueError("task 0")
        time.sleep(0.05)
        return task

    with LocalThreads(None, 2) as executor, pytest.raises(ValueError, match="task 0"):
        for task, _ in executor.run(work, tasks(), window=2):
            given.append(task)
    assert given == [1] and taken == [0, 1]


@pytest.mark.parametrize("ordered", [False, True])
def test_an_error_of_the_tasks_comes_after_the_results_of_those_before_it(executor, ordered):
    def tasks():
        yield from range(5)
        raise KeyError("no more")

    given = []
    with pytest.raises(KeyError, match="no more"):
        for task, _ in executor.run(times, tasks(), ordered=ordered):
            given.append(task)
    assert sorted(given) == [0, 1, 2, 3, 4]


def die_at(job, task):
    if task == job:
        os.kill(os.getpid(), signal.SIGKILL)
    return task


@pytest.mark.skipif(sys.platform == "win32", reason="has no SIGKILL")
@pytest.mark.parametrize("ordered", [False, True])
def test_a_killed_worker_is_one_line_that_names_the_option(ordered):
    given = []
    with (
        LocalProcesses(3, 1, option="--processes") as executor,
        pytest.raises(WorkError) as caught,
    ):
        for task, _ in executor.run(die_at, range(9), ordered=ordered, window=1):
            given.append(task)
    assert given == [0, 1, 2]
    assert str(caught.value) == (
        "a worker process was killed, or did not come up (out of memory? a script that starts "
        "workers while it is imported?); start again, with fewer --processes"
    )


def budget(job, task):
    return allowed_threads()


def budgets(executor):
    with executor:
        return {result for _, result in executor.run(budget, range(6))}


def test_a_worker_knows_how_many_threads_it_may_use():
    with thread_budget(7):
        assert budgets(CallingThread(None)) == {7}
        assert budgets(LocalThreads(None, 3)) == {2}
        assert budgets(LocalThreads(None, 9)) == {1}
        assert budgets(LocalThreads(None, 3, threads_each=5)) == {5}
        assert budgets(LocalProcesses(None, 1, option="--workers")) == {1}
        assert budgets(LocalProcesses(None, 1, threads_each=3, option="--workers")) == {3}
        assert allowed_threads() == 7


def test_without_a_number_there_are_as_many_workers_as_the_budget_holds():
    with thread_budget(7):
        assert worker_count() == 7
        assert worker_count(threads_each=2) == 3
        assert worker_count(threads_each=9) == 1
    assert worker_count(12) == 12 and worker_count(0) == 0
    assert worker_count() == allowed_threads()


class Job:
    """Counts how often it is sent to a worker."""

    sent = 0

    def __reduce__(self):
        Job.sent += 1
        return Job, ()


def process_id(job, task):
    return os.getpid()


def test_the_job_is_sent_to_every_worker_once():
    with LocalProcesses(Job(), 2, option="--workers") as executor:
        workers = {process for _, process in executor.run(process_id, range(20))}
    assert len(workers) <= Job.sent <= 2


@pytest.mark.parametrize("workers", [0, 1])
def test_no_workers_are_the_calling_process(workers):
    with local_processes(None, workers, option="--workers") as executor:
        assert all((p == os.getpid()) != workers for _, p in executor.run(process_id, range(3)))


def test_leaving_begins_nothing_more_and_waits_for_what_runs():
    begun, ended = [], []

    def work(job, task):
        begun.append(task)
        time.sleep(0.01)
        ended.append(task)

    with LocalThreads(None, 2) as executor:
        next(executor.run(work, itertools.count()))
    assert len(begun) == len(ended) <= 1 + 6


def test_after_abandoning_nothing_is_waited_for():
    go_on = threading.Event()
    start = time.monotonic()
    with LocalThreads(None, 1) as executor, pytest.raises(KeyError):
        results = executor.run(lambda job, task: task and go_on.wait(10), range(3))
        next(results)
        executor.abandon()
        raise KeyError
    assert time.monotonic() - start < 5
    go_on.set()


_INTERRUPTED = """
import itertools, signal
from distortion_graph.work.processes import LocalProcesses
if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where a script starts this
    try:
        with LocalProcesses(3, 2, option="--workers") as executor:
            for _ in executor.run(pow, itertools.repeat(2)):
                print("given", flush=True)
    except KeyboardInterrupt:
        print("interrupted")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="has no process groups")
def test_an_interrupt_of_the_terminal_is_the_callers_alone():
    process = subprocess.Popen(
        [sys.executable, "-c", _INTERRUPTED],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None and process.stdout.readline() == "given\n"
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the workers too
    output, told = process.communicate(timeout=60)
    assert output.endswith("interrupted\n") and told == ""
    assert process.returncode == 0
