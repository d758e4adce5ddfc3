"""One running service: its pool, its jobs, its counters, and whether it is stopping."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from starlette.requests import Request

from distortion_graph.serve.http.jobs import Jobs
from distortion_graph.serve.http.metrics import Metrics
from distortion_graph.serve.http.pool import Pool
from distortion_graph.serve.http.problems import Problem
from distortion_graph.serve.http.settings import Settings, Working
from distortion_graph.serve.http.work import Answer, warm_up

TaskT = TypeVar("TaskT")


class ClientLeftError(Exception):
    """Nobody is there any more to be answered."""


class Service:
    """What the routes of an application share; `of(request)` finds it."""

    def __init__(
        self,
        settings: Settings,
        on_defect: Callable[[BaseException], object],
        log: Callable[[str], object],
    ) -> None:
        self.settings, self.on_defect, self.log = settings, on_defect, log
        limits = settings.limits
        self.pool = Pool(
            Working(settings.model, limits),
            warm_up,
            workers=settings.workers,
            threads_each=settings.threads_each,
            waiting=limits.waiting,
            seconds=limits.seconds,
            on_failure=on_defect,
        )
        self.metrics = Metrics(self.pool)
        self.jobs = Jobs(limits, self.work, settings.workers)
        self.stopping = False

    @classmethod
    def of(cls, request: Request) -> Service:
        """The service of the application that a request came to."""
        service: Service = request.app.state.service
        return service

    async def start(self) -> None:
        """Start the workers; `pool.ready` says when they are."""
        self.pool.start()

    async def close(self) -> None:
        """End whatever is done."""
        await self.jobs.close()
        await self.pool.close()

    @property
    def holds_nothing(self) -> bool:
        """Whether everything that was taken has been answered."""
        return self.metrics.under_way == 0 and not self.jobs.unfinished and not self.jobs.awaited

    def stop(self) -> None:
        """Take nothing new from now on."""
        self.stopping = True
        self.jobs.stopping()

    async def answer(
        self,
        request: Request,
        kind: str,
        work: Callable[[Working, TaskT], Answer],
        task: Callable[[], Awaitable[TaskT]],
    ) -> Answer:
        """What comes of a request's task; raises as `Pool.call` does.

        Where its client leaves meanwhile, it loses its place; raises ClientLeftError.
        """
        doing = asyncio.ensure_future(self.work(kind, work, task))
        leaving = asyncio.ensure_future(_gone(request))
        try:
            await asyncio.wait({doing, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if not doing.done():
                raise ClientLeftError
            return doing.result()
        finally:
            for part in (doing, leaving):
                part.cancel()
            await asyncio.gather(doing, leaving, return_exceptions=True)

    async def work(
        self,
        kind: str,
        work: Callable[[Working, TaskT], Answer],
        task: Callable[[], Awaitable[TaskT]],
        *,
        patient: bool = False,
    ) -> Answer:
        """What the pool makes of a task, counted."""
        begun = time.monotonic()

        async def its_turn() -> Any:
            nonlocal begun
            begun = time.monotonic()
            return await task()

        answer = await self.pool.call(work, its_turn, patient=patient)
        self.metrics.work_seconds.labels(kind).observe(time.monotonic() - begun)
        self.metrics.pixels.inc(answer.pixels)
        self.metrics.regions.inc(answer.regions)
        return answer

    def refusal(self) -> Problem | None:
        """Why nothing that needs a worker is taken now; None where it is."""
        if self.stopping:
            return Problem(
                "stopping",
                "the server is stopping and takes nothing new; ask again",
                {"Retry-After": "5", "Connection": "close"},
            )
        return self.pool.busy() if self.pool.full else None


async def _gone(request: Request) -> None:
    """Wait until the client has left; its body has been read."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
