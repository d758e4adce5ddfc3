"""The one pool of worker processes, and the queue before it."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from distortion_graph.base.errors import WorkError
from distortion_graph.serve.http.problems import Problem
from distortion_graph.work.processes import CallProcess

TaskT = TypeVar("TaskT")
ResultT = TypeVar("ResultT")

_LEFT_S = 5.0
"""How long a call whose client has left may go on: a new process would take as long."""
_USUAL_S = 1.0
"""What a call takes until the first one has been measured."""
_LATEST_S = 60.0
"""A refused caller is told to come again after so long at the latest."""
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 60.0
"""Between two attempts to start a process that does not come up."""


class Pool:
    """Processes that do calls for as many callers as may wait.

    A call that takes too long is ended with its process, and so is one whose caller is cancelled,
    after a while; another process takes its place.
    """

    def __init__(
        self,
        job: object,
        warm: Callable[[Any, None], object],
        *,
        workers: int,
        threads_each: int,
        waiting: int,
        seconds: float,
        on_failure: Callable[[BaseException], object] = lambda error: None,
    ) -> None:
        """`warm` is called in each process when it starts; it is ready afterwards.

        `on_failure` is told why one does not start.
        """
        self.workers, self.most_waiting, self.seconds = workers, waiting, seconds
        self.waiting = self.running = 0
        self._job, self._warm, self._threads_each = job, warm, threads_each
        self._on_failure = on_failure
        self._idle: asyncio.Queue[CallProcess[Any]] = asyncio.Queue()
        self._processes: set[CallProcess[Any]] = set()
        self._threads = ThreadPoolExecutor(workers + 1, "calls")
        self._tasks: set[asyncio.Task[None]] = set()
        self._usual_s, self._promised = _USUAL_S, 0.0
        self._closed = False
        self.failure: BaseException | None = None
        self.lost = 0

    def start(self) -> None:
        """Start all processes; `ready` says when they are."""
        for _ in range(self.workers):
            self._begin(self._another())

    @property
    def ready(self) -> bool:
        """Whether a process is there."""
        return self.running > 0 or not self._idle.empty()

    @property
    def processes(self) -> frozenset[CallProcess[Any]]:
        """Those that are there now."""
        return frozenset(self._processes)

    @property
    def full(self) -> bool:
        """Whether a further call would be refused."""
        return self._idle.empty() and self.waiting >= self.most_waiting

    def busy(self) -> Problem:
        """What a refused caller is told, with when to ask again.

        Each is told the next time at which a process would be free for it, were all before it
        to come again when they were told to: so they come as fast as they can be served.
        """
        each, now = self._usual_s / self.workers, time.monotonic()
        soonest = now + each * (self.waiting + 1)
        self._promised = min(max(self._promised + each, soonest), now + _LATEST_S)
        wait = math.ceil(self._promised - now)
        return Problem(
            "busy",
            f"{self.workers} at work and {self.waiting} waiting, expected at most "
            f"{self.most_waiting} waiting; ask again in {wait} s",
            {"Retry-After": str(wait)},
        )

    async def call(
        self,
        work: Callable[[Any, TaskT], ResultT],
        task: Callable[[], Awaitable[TaskT]],
        *,
        patient: bool = False,
    ) -> ResultT:
        """The result of `work(job, task)` in one of the processes.

        `task` is made when it is this call's turn, so that what waits needs no memory. A `patient`
        caller waits whatever the number of others.

        Raises Problem where too many wait or it takes too long, WorkError where the process is
        lost, and what `work` raises.
        """
        if self.full and not patient:
            raise self.busy()
        self.waiting += not patient
        try:
            process = await self._living()
        finally:
            self.waiting -= not patient
        self.running += 1
        try:
            return await self._done_by(process, work, task)
        finally:
            self.running -= 1

    async def _living(self) -> CallProcess[Any]:
        """An idle process; one that was killed while it had nothing to do is replaced."""
        while True:
            process = await self._idle.get()
            if process.alive:
                return process
            self._begin(self._replaced(process))

    async def _done_by(
        self,
        process: CallProcess[Any],
        work: Callable[[Any, TaskT], ResultT],
        task: Callable[[], Awaitable[TaskT]],
    ) -> ResultT:
        loop = asyncio.get_running_loop()
        try:
            made = await task()
        except BaseException:
            self._idle.put_nowait(process)
            raise
        begun = loop.time()
        future = loop.run_in_executor(self._threads, process.call, work, made)
        del made
        try:
            result = await asyncio.wait_for(asyncio.shield(future), self.seconds)
        except asyncio.CancelledError:
            self._begin(self._left(process, future))
            raise
        except TimeoutError:
            self._begin(self._replaced(process))
            raise Problem(
                "time",
                f"not done after {self.seconds:g} s and ended, expected less work: smaller "
                "pictures, fewer regions, fewer pictures",
            ) from None
        except WorkError:
            self.lost += 1
            self._begin(self._replaced(process))
            raise
        except BaseException:
            self._idle.put_nowait(process)
            raise
        self._idle.put_nowait(process)
        self._usual_s += (loop.time() - begun - self._usual_s) / 8
        return result

    async def close(self) -> None:
        """End all processes, whatever they do."""
        self._closed = True
        for task in self._tasks:
            task.cancel()
        for process in self._processes:
            process.kill()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._threads.shutdown(wait=True)

    def _begin(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _another(self) -> None:
        """Start a process, and let it be used when it is ready; where it does not start, again."""
        loop = asyncio.get_running_loop()
        pause = _FIRST_PAUSE_S
        while True:
            process = None
            try:
                process = CallProcess(self._job, self._threads_each)
                self._processes.add(process)
                await loop.run_in_executor(self._threads, process.call, self._warm, None)
            except Exception as error:
                self.failure = error
                self._on_failure(error)
                if process is not None:
                    self._processes.discard(process)
                    process.kill()
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE_S)
                continue
            self.failure = None
            self._idle.put_nowait(process)
            return

    async def _replaced(self, process: CallProcess[Any]) -> None:
        self._processes.discard(process)
        process.kill()
        if not self._closed:
            await self._another()

    async def _left(self, process: CallProcess[Any], future: asyncio.Future[Any]) -> None:
        """Let a call that nobody waits for come to its end, or end it."""
        self.running += 1
        try:
            await asyncio.wait({future}, timeout=_LEFT_S)
        finally:
            self.running -= 1
        if future.done() and not isinstance(future.exception(), WorkError):
            self._idle.put_nowait(process)
        else:
            future.add_done_callback(lambda done: done.exception())
            await self._replaced(process)
