"""The executor of worker processes: fresh ones with a budget of threads, gone with their parent."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any, TypeVar

from distortion_graph.base.errors import WorkError
from distortion_graph.work.executor import Executor
from distortion_graph.work.local import CallingThread, PooledExecutor
from distortion_graph.work.threads import keep_process_to

JobT = TypeVar("JobT")
TaskT = TypeVar("TaskT")
ResultT = TypeVar("ResultT")

_job: Any = None
"""A worker's own; None in every other process."""


class LocalProcesses(PooledExecutor[JobT]):
    """Does tasks in processes of this machine; job, tasks and results are pickled.

    Processes are started afresh, never forked: they import the caller's main module, which must
    therefore start no work when it is imported. They end by themselves when this process is killed.
    """

    def __init__(self, job: JobT, workers: int, threads_each: int = 1, *, option: str) -> None:
        """Make the executor of `workers` processes, each with a budget of `threads_each`.

        `option` is what the user sets the number of workers with, to be named where one is killed.
        """
        spawn = multiprocessing.get_context("spawn")
        pool = ProcessPoolExecutor(workers, spawn, _start, (job, threads_each))
        super().__init__(pool, workers)
        self._option = option

    def run(
        self,
        work: Callable[[JobT, TaskT], ResultT],
        tasks: Iterable[TaskT],
        *,
        ordered: bool = False,
        window: int | None = None,
    ) -> Iterator[tuple[TaskT, ResultT]]:
        """See `Executor.run`; raises WorkError where a worker was killed or does not start."""
        try:
            yield from super().run(work, tasks, ordered=ordered, window=window)
        except BrokenProcessPool as error:
            raise WorkError(
                "a worker process was killed, or did not come up (out of memory? a script that "
                "starts workers while it is imported?); start again, with fewer "
                f"{self._option}"
            ) from error

    def _submit(self, work: Callable[[JobT, TaskT], ResultT], task: TaskT) -> Future[ResultT]:
        try:
            with _interrupts_held():
                return self._pool.submit(_do, work, task)
        except BrokenProcessPool as error:  # what was done before is still to be given
            failed: Future[ResultT] = Future()
            failed.set_exception(error)
            return failed


def local_processes(
    job: JobT, workers: int, threads_each: int = 1, *, option: str
) -> Executor[JobT]:
    """`LocalProcesses`, or the calling thread for 0 workers."""
    if not workers:
        return CallingThread(job)
    return LocalProcesses(job, workers, threads_each, option=option)


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Keep Ctrl-C waiting, also in processes that are started meanwhile: they inherit that."""
    if not hasattr(signal, "pthread_sigmask"):  # on Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _do(work: Callable[[Any, TaskT], ResultT], task: TaskT) -> ResultT:
    """A task, in a worker."""
    return work(_job, task)


def _start(job: object, threads: int) -> None:
    """A worker's first step."""
    global _job
    _job = job
    keep_process_to(threads)
    # Ctrl-C reaches every process of the terminal; the parent decides what to do.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
