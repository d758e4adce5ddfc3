"""Executors in this process: the calling thread, or a pool of threads."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from concurrent.futures import Executor as Pool
from functools import partial
from itertools import islice
from typing import Generic, Self, TypeVar

from distortion_graph.work.threads import allowed_threads, keep_thread_to

JobT = TypeVar("JobT")
TaskT = TypeVar("TaskT")
ResultT = TypeVar("ResultT")

AHEAD_PER_WORKER = 2
"""Tasks that wait for a worker, so that it need not wait for its next one."""

_LISTEN_S = 1.0
"""How often a wait ends to let Ctrl-C through: on Windows, one without end hears none."""


class CallingThread(Generic[JobT]):
    """Does one task after the other in the calling thread, each when its result is asked for."""

    def __init__(self, job: JobT) -> None:
        self._job = job

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def run(
        self,
        work: Callable[[JobT, TaskT], ResultT],
        tasks: Iterable[TaskT],
        *,
        ordered: bool = False,
        window: int | None = None,
    ) -> Iterator[tuple[TaskT, ResultT]]:
        """See `Executor.run`: always in order, and never more than one task is taken."""
        for task in tasks:
            yield task, work(self._job, task)


class PooledExecutor(ABC, Generic[JobT]):
    """What executors have in common whose workers are a pool of `concurrent.futures`."""

    def __init__(self, pool: Pool, workers: int) -> None:
        self._pool, self._workers = pool, workers

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    @abstractmethod
    def _submit(self, work: Callable[[JobT, TaskT], ResultT], task: TaskT) -> Future[ResultT]:
        """Hand a task to the pool."""

    def run(
        self,
        work: Callable[[JobT, TaskT], ResultT],
        tasks: Iterable[TaskT],
        *,
        ordered: bool = False,
        window: int | None = None,
    ) -> Iterator[tuple[TaskT, ResultT]]:
        """See `Executor.run`; the window is three tasks per worker unless given."""
        window = self._workers * (1 + AHEAD_PER_WORKER) if window is None else window
        return results_of(partial(self._submit, work), tasks, ordered, window)


class LocalThreads(PooledExecutor[JobT]):
    """Does tasks in threads of this process, started when they are needed.

    That pays where `work` waits, for a disk or a network, or is a step of NumPy, OpenCV, Pillow or
    ONNX Runtime, which let other threads run meanwhile. Job and tasks are shared, not copied.
    """

    def __init__(self, job: JobT, workers: int, threads_each: int | None = None) -> None:
        """Make the executor of `workers` threads, each with a budget of `threads_each`.

        None gives each an equal part of the caller's budget.
        """
        share = threads_each or max(1, allowed_threads() // workers)
        super().__init__(ThreadPoolExecutor(workers, "work", keep_thread_to, (share,)), workers)
        self._job = job
        self._abandoned = False

    def __exit__(self, *error: object) -> None:
        self._pool.shutdown(wait=not self._abandoned, cancel_futures=True)

    def abandon(self) -> None:
        """Leave what runs to itself: leaving the block then waits for nothing."""
        self._abandoned = True

    def _submit(self, work: Callable[[JobT, TaskT], ResultT], task: TaskT) -> Future[ResultT]:
        return self._pool.submit(work, self._job, task)


def results_of(
    submit: Callable[[TaskT], Future[ResultT]],
    tasks: Iterable[TaskT],
    ordered: bool,
    window: int,
) -> Iterator[tuple[TaskT, ResultT]]:
    """Tasks with their results, as `Executor.run` promises."""
    coming = iter(tasks)
    taken: list[tuple[TaskT, Future[ResultT]]] = []
    """In the order of tasks, and not given yet."""
    failure: BaseException | None = None
    try:
        while True:
            if failure is None:
                try:
                    for task in islice(coming, window - len(taken)):
                        taken.append((task, submit(task)))
                except Exception as error:
                    failure = error
            if not taken:
                break
            task, future = taken.pop(_wait_for_one([future for _, future in taken], ordered))
            if future.cancelled():
                continue
            problem = future.exception()
            if problem is None:
                yield task, future.result()
            elif ordered:
                raise problem
            elif failure is None:
                failure = problem
                _cancel(future for _, future in taken)
    finally:
        _cancel(future for _, future in taken)
    if failure is not None:
        raise failure


def _wait_for_one(futures: list[Future[ResultT]], ordered: bool) -> int:
    """Position of one that is done: the first where they are `ordered`, else any."""
    eligible = futures[:1] if ordered else futures
    while True:
        for position, future in enumerate(eligible):
            if future.done():
                return position
        wait(eligible, _LISTEN_S, FIRST_COMPLETED)


def _cancel(futures: Iterable[Future[ResultT]]) -> None:
    """Let those not begin that have not begun."""
    for future in futures:
        future.cancel()
