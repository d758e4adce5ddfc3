"""The budget of threads, and work shared within it, with results that do not depend on it.

    with thread_budget(4):
        parallel_map(work, items)    # in 4 threads; what `work` calls has a budget of 1

A budget is set where a comparison begins and handed down: whoever shares work gives each thread
its part of the budget, so that all of them together keep to it. It belongs to the context
(`contextvars`), so several comparisons in one process have one each. Outside of any budget it is
that of the process: `available_cores`, or what `keep_process_to` has set.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Any, Generic, TypeVar

from distortion_graph.base.errors import DistortionGraphError

T = TypeVar("T")
R = TypeVar("R")

_budget: ContextVar[int] = ContextVar("distortion_graph_threads")
_of_process: int | None = None

_CGROUPS = Path("/sys/fs/cgroup")
_CGROUPS_OF_PROCESS = Path("/proc/self/cgroup")


@contextmanager
def thread_budget(threads: int = 0) -> Iterator[None]:
    """Let what is called inside use so many threads, the calling one among them.

    0 stands for as many as there are already; a budget inside another one is never larger.
    OpenCV, whose number of threads is the whole process's, is held to one thread meanwhile: the
    budget is for whole steps of the work, which share it better. Its number is given back when the
    last budget of the process ends.

    Raises DistortionGraphError for a number below 0.
    """
    check_threads(threads)
    outer = _budget.get(_of_process)
    inner = min(threads, outer) if threads and outer else threads or outer or available_cores()
    before = _budget.set(inner)
    _opencv.hold()
    try:
        yield
    finally:
        _opencv.release()
        _budget.reset(before)


def check_threads(threads: int) -> int:
    """The number itself; raises DistortionGraphError unless it may be a budget."""
    if not isinstance(threads, int) or threads < 0:
        raise DistortionGraphError(
            f"threads is {threads!r}, expected a whole number from 1, or 0 for one per core"
        )
    return threads


def allowed_threads() -> int:
    """How many threads the caller may use, the calling one among them; at least 1."""
    return _budget.get(_of_process) or available_cores()


def keep_process_to(threads: int) -> None:
    """Set the largest budget of this process, and OpenCV's threads, for good: for workers."""
    global _of_process
    import cv2

    _of_process = threads
    cv2.setNumThreads(threads)


def keep_thread_to(threads: int) -> None:
    """Set the budget of this thread, for good: for the threads of a pool."""
    _budget.set(threads)


def parallel_map(work: Callable[[T], R], items: Iterable[T], at_most: int | None = None) -> list[R]:
    """Results of `work` on every item, in the items' order.

    The items are shared by as many threads as are allowed, or `at_most` so many; each has an equal
    part of the budget. It pays for steps of NumPy, OpenCV, Pillow and ONNX Runtime, which let other
    threads run meanwhile. The first item that fails raises.
    """
    waiting = list(items)
    allowed = allowed_threads()
    threads = min(allowed, at_most or allowed, len(waiting))
    if threads < 2:
        return [work(item) for item in waiting]
    with ThreadPoolExecutor(
        threads, initializer=keep_thread_to, initargs=(allowed // threads,)
    ) as pool:
        return list(pool.map(work, waiting))


def parallel_steps(steps: Sequence[tuple[int, Callable[[], R]]]) -> list[R]:
    """Results of steps that take different numbers of threads, in the steps' order.

    Each step is the number of threads that it may use, at most all that are allowed, and what to
    call. Steps begin in their order, each as soon as its threads are free, so a step may wait for
    what an earlier one finds. The first step that fails raises.
    """
    allowed = free = allowed_threads()
    if allowed < 2:
        return [run() for _, run in steps]

    def begin(threads: int, run: Callable[[], R]) -> R:
        keep_thread_to(threads)
        return run()

    begun: list[Future[R]] = []
    running: dict[Future[R], int] = {}
    with ThreadPoolExecutor(allowed) as pool:
        for wanted, run in steps:
            threads = min(max(wanted, 1), allowed)
            while free < threads:
                for done in wait(running, return_when=FIRST_COMPLETED).done:
                    free += running.pop(done)
            if any(step.done() and step.exception() for step in begun):
                break
            begun.append(pool.submit(begin, threads, run))
            running[begun[-1]] = threads
            free -= threads
        return [step.result() for step in begun]


def side_by_side(first: Callable[[], T], second: Callable[[], R]) -> tuple[T, R]:
    """Both results; the two calls run at the same time where two threads are allowed."""
    calls: tuple[Callable[[], Any], Callable[[], Any]] = (first, second)
    one, other = parallel_map(lambda call: call(), calls)
    return one, other


class CachedCall(Generic[T]):
    """A value that the first thread to ask for it makes, while the others wait.

    Where making it fails, it fails for each of them.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._made: list[T] = []
        self._lock = threading.Lock()

    def __call__(self) -> T:
        """The value."""
        with self._lock:
            if not self._made:
                self._made.append(self._make())
            return self._made[0]


def available_cores() -> int:
    """Cores that this process may use: its CPU affinity, and no more than its cgroup's quota.

    A quota of a core and a half counts as one: threads beyond it would be stopped in turn.
    """
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # not on this system
        cores = os.cpu_count() or 1
    quota = _own_quota()
    return cores if quota is None else max(1, min(cores, int(quota)))


@cache
def _own_quota() -> float | None:
    return cgroup_quota(_CGROUPS, _CGROUPS_OF_PROCESS)


def cgroup_quota(root: Path, of_process: Path) -> float | None:
    """The least CPU quota, in cores, of a process's control groups and all above them.

    Args:
        root: where the groups are mounted, `/sys/fs/cgroup`; version 2 there, version 1 in `cpu`.
        of_process: its lines `number:controllers:path`, as in `/proc/self/cgroup`.

    Returns None where nothing limits the process.
    """
    quotas = []
    for line in _text(of_process).splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        group = Path(path.lstrip("/"))
        for folder in (group, *group.parents):
            if controllers:
                names = ("cpu.cfs_quota_us", "cpu.cfs_period_us")
                numbers = [_text(root / "cpu" / folder / name).strip() for name in names]
            else:
                numbers = _text(root / folder / "cpu.max").split()
            # "max" and −1 stand for no limit.
            if len(numbers) == 2 and all(number.isdigit() and int(number) for number in numbers):
                quotas.append(int(numbers[0]) / int(numbers[1]))
    return min(quotas, default=None)


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, ValueError):
        return ""


class _HeldOpenCV:
    """OpenCV on one thread for as long as anybody holds it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._holders = 0
        self._before = 1

    def hold(self) -> None:
        import cv2

        with self._lock:
            if not self._holders:
                self._before = cv2.getNumThreads()
                cv2.setNumThreads(1)
            self._holders += 1

    def release(self) -> None:
        import cv2

        with self._lock:
            self._holders -= 1
            if not self._holders:
                cv2.setNumThreads(self._before)


_opencv = _HeldOpenCV()
