"""Worker processes: one thread each, gone with their parent, fed a bounded number of tasks."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from typing import Any, Generic, TypeVar

from distortion_graph.errors import DatasetError
from distortion_graph.threads import keep_process_to

J = TypeVar("J")
K = TypeVar("K")
T = TypeVar("T")

_AHEAD_PER_WORKER = 2

_job: Any = None
"""A worker's own; None in every other process."""


class Workers(Generic[J]):
    """Runs tasks in `count` processes, or in this one where it is 0. Use it as a context manager.

    Work is a function of a module, called with the job, which a process gets once, and a task.
    Processes are started afresh (never forked), and end by themselves when this one is killed.
    """

    def __init__(self, job: J, count: int) -> None:
        self._job, self._count = job, count
        self._pool: ProcessPoolExecutor | None = None
        if count:
            self._pool = ProcessPoolExecutor(
                count, multiprocessing.get_context("spawn"), _start, (job,)
            )

    def __enter__(self) -> Workers[J]:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def run(self, work: Callable[[J, K], T], tasks: Iterable[K]) -> Iterator[tuple[K, T]]:
        """Results as they come, in any order; tasks are taken when there is room for them.

        After the first error no further task is begun, the results of those that run are given,
        and then it is raised. Raises DatasetError where a worker was killed.
        """
        if self._pool is None:
            yield from ((task, work(self._job, task)) for task in tasks)
            return
        waiting: dict[Future[T], K] = {}
        coming = iter(tasks)
        failed: BaseException | None = None
        while True:
            if failed is None:
                failed = self._feed(work, coming, waiting)
            if not waiting:
                break
            done, _ = wait(waiting, return_when=FIRST_COMPLETED)
            for future in done:
                task = waiting.pop(future)
                error = None if future.cancelled() else future.exception()
                if error is not None and failed is None:
                    failed = error
                    for other in waiting:
                        other.cancel()
                elif error is None and not future.cancelled():
                    yield task, future.result()
        if isinstance(failed, BrokenProcessPool):
            raise DatasetError(
                "a worker process was killed, or did not come up (out of memory? a script that "
                "starts workers while it is imported?); start again, with fewer --workers"
            ) from failed
        if failed is not None:
            raise failed

    def _feed(
        self, work: Callable[[J, K], T], coming: Iterator[K], waiting: dict[Future[T], K]
    ) -> BaseException | None:
        """Hand out tasks until enough wait; the error where the pool takes none."""
        if self._pool is None:
            return None
        for task in islice(coming, self._count * (1 + _AHEAD_PER_WORKER) - len(waiting)):
            try:
                waiting[self._pool.submit(_call, work, task)] = task
            except BrokenProcessPool as error:
                return error
        return None


def _call(work: Callable[[Any, K], T], task: K) -> T:
    if _job is None:
        raise RuntimeError("a task came to a process that is no worker")
    return work(_job, task)


def _start(job: object) -> None:
    """A worker's first step."""
    global _job
    _job = job
    keep_process_to(1)
    # Ctrl-C reaches every process of the terminal; the parent decides what to do.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
