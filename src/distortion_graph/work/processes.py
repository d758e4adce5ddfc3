"""Worker processes: fresh ones with a budget of threads, gone with their parent.

`LocalProcesses` is an executor of many tasks; a `CallProcess` does one call at a time for a
service, which can end it in the middle of one.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any, Generic, TypeVar

from distortion_graph.base.errors import DistortionGraphError, WorkError
from distortion_graph.work.executor import Executor
from distortion_graph.work.local import CallingThread, PooledExecutor
from distortion_graph.work.threads import keep_process_to

JobT = TypeVar("JobT")
TaskT = TypeVar("TaskT")
ResultT = TypeVar("ResultT")

_MOST_ON_WINDOWS = 61
"""Windows waits for 63 things at once, and a pool has two of its own."""

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
        if sys.platform == "win32":
            workers = min(workers, _MOST_ON_WINDOWS)
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


class DefectError(Exception):
    """A call in another process has failed by a fault of the program; the text is its traceback."""


class CallProcess(Generic[JobT]):
    """One process that does calls, one after the other, and can be killed in the middle of one.

    The job goes to it once, when it starts; calls and results are pickled.
    """

    def __init__(self, job: JobT, threads: int = 1) -> None:
        """Start it with a budget of `threads`."""
        spawn = multiprocessing.get_context("spawn")
        self._pipe, other = spawn.Pipe()
        self._process = spawn.Process(target=_answer_calls, args=(other, job, threads), daemon=True)
        with _interrupts_held():
            self._process.start()
        other.close()  # so that reading ends where the process does

    @property
    def pid(self) -> int | None:
        """Its number on this machine."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process.is_alive()

    def call(self, work: Callable[[JobT, TaskT], ResultT], task: TaskT) -> ResultT:
        """The result of `work(job, task)`; one thread at a time may ask.

        Raises what `work` raises, if that is the input's fault, WorkError where the process is
        killed or ends, and DefectError for anything else.
        """
        try:
            self._pipe.send((work, task))
            fine, result = self._pipe.recv()
        except (EOFError, OSError) as error:
            raise WorkError("a worker process was lost (out of memory? a decoder?)") from error
        if fine:
            return result  # type: ignore[no-any-return]
        raise result

    def kill(self) -> None:
        """End it at once, whatever it does; a call that it was doing raises WorkError."""
        self._process.kill()
        self._process.join()


def _answer_calls(pipe: Connection, job: object, threads: int) -> None:
    """What a `CallProcess` does all its life."""
    _start(job, threads)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # as Ctrl-C, it is for the parent to decide
    while True:
        try:
            work, task = pipe.recv()
        except EOFError:
            return
        pipe.send(_answer(work, task))
        del task


def _answer(work: Callable[[Any, Any], Any], task: object) -> tuple[bool, Any]:
    """Whether a call was done, and its result or its error."""
    try:
        return True, _do(work, task)
    except DistortionGraphError as error:
        return False, error.with_traceback(None)
    except MemoryError:
        return False, MemoryError()
    except Exception:
        return False, DefectError(traceback.format_exc())


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
