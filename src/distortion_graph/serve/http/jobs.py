"""Jobs: many pairs that are compared one after another, while their client does something else."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from pydantic import BaseModel, Field

from distortion_graph.base.files import HeldFile
from distortion_graph.serve.http.problems import Problem, ProblemDetails, problem_of
from distortion_graph.serve.http.settings import Limits
from distortion_graph.serve.http.spool import Span, Spool
from distortion_graph.serve.http.work import Answer, PairTask, compare_task

State: TypeAlias = Literal["waiting", "running", "done", "failed"]
Work: TypeAlias = Callable[..., Coroutine[Any, Any, Answer]]

_KEPT_JOBS = 2
"""Results of all finished jobs together may have so many times the bytes that one job may send."""


class PairStatus(BaseModel):
    """How far a pair is."""

    id: str
    status: State
    problem: ProblemDetails | None = Field(None, description="Why it failed.")
    warnings: list[str] = Field([], description="What in its pictures was not taken as it is.")


class JobStatus(BaseModel):
    """How far a job is."""

    id: str
    status: Literal["running", "done", "cancelled"]
    total: int = Field(description="Pairs.")
    done: int = Field(description="Pairs that are done, those that failed among them.")
    failed: int = Field(description="Pairs that failed.")
    pairs: list[PairStatus]


class JobEvent(BaseModel):
    """A pair has come to its end, or the job has (`pair` is null)."""

    status: Literal["running", "done", "cancelled"]
    total: int
    done: int
    failed: int
    pair: PairStatus | None = None


@dataclass(frozen=True)
class Sent:
    """A file of a job on its way: its name, and where its bytes are."""

    name: str
    span: Span


@dataclass
class Pair:
    """One pair of a job; `make` gives its task of files that are read from the spool."""

    id: str
    make: Callable[[Callable[[Sent], HeldFile]], PairTask]
    status: State = "waiting"
    problem: Problem | None = None
    warnings: list[str] = field(default_factory=list)
    bodies: dict[str, Span] = field(default_factory=dict)

    def shown(self) -> PairStatus:
        """What its client reads of it."""
        details = None if self.problem is None else self.problem.details
        return PairStatus(id=self.id, status=self.status, problem=details, warnings=self.warnings)


class Job:
    """Pairs on their way. `owner` is the name of the token it was sent with."""

    def __init__(self, owner: str | None, pairs: Sequence[Pair], sent: Spool) -> None:
        self.id, self.owner, self.pairs = secrets.token_urlsafe(16), owner, pairs
        self.sent, self.results = sent, Spool()
        self.status: Literal["running", "done", "cancelled"] = "running"
        self.events: list[JobEvent] = []
        self.awaited = False
        self._news = asyncio.Event()

    def shown(self) -> JobStatus:
        """What its client reads of it."""
        return JobStatus(
            id=self.id,
            status=self.status,
            pairs=[pair.shown() for pair in self.pairs],
            **self._counts(),
        )

    def pair(self, pair_id: str) -> Pair:
        """The pair of that id; raises Problem where there is none."""
        for pair in self.pairs:
            if pair.id == pair_id:
                return pair
        raise Problem("unknown", f"the job has no pair {pair_id[:80]!r}")

    def tell(self, pair: Pair | None = None) -> None:
        """Let all who listen know."""
        shown = None if pair is None else pair.shown()
        self.events.append(JobEvent(status=self.status, pair=shown, **self._counts()))
        self._news.set()
        self._news = asyncio.Event()

    async def listen(self, first: int = 0) -> AsyncIterator[tuple[int, JobEvent]]:
        """All events from number `first` on with their numbers, as they come, to the last one."""
        number = first
        while True:
            news = self._news
            while number < len(self.events):
                yield number, self.events[number]
                number += 1
            if self.status != "running":
                return
            await news.wait()

    def _counts(self) -> dict[str, int]:
        failed = sum(pair.status == "failed" for pair in self.pairs)
        done = sum(pair.status == "done" for pair in self.pairs)
        return {"total": len(self.pairs), "done": done + failed, "failed": failed}


class Jobs:
    """All jobs that are under way or whose results are kept."""

    def __init__(self, limits: Limits, work: Work, side_by_side: int = 1) -> None:
        """`work` does a pair; each job has `side_by_side` of them done at once."""
        self._limits, self._work, self._side_by_side = limits, work, side_by_side
        self._jobs: dict[str, Job] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    @property
    def unfinished(self) -> int:
        """Jobs that are under way."""
        return sum(job.status == "running" for job in self._jobs.values())

    @property
    def awaited(self) -> int:
        """Jobs that a stop found under way and whose results nobody has fetched yet."""
        return sum(job.awaited for job in self._jobs.values())

    def check_room(self) -> None:
        """Raise Problem where no further job is taken."""
        if self.unfinished >= self._limits.jobs:
            raise Problem(
                "busy",
                f"{self.unfinished} jobs are under way, expected at most {self._limits.jobs}; ask "
                "again when one is done",
                {"Retry-After": "10"},
            )

    def begin(self, job: Job) -> None:
        """Start a job; raises Problem as `check_room` does, and then lets its files go."""
        try:
            self.check_room()
        except Problem:
            job.sent.close()
            job.results.close()
            raise
        self._jobs[job.id] = job
        self._tasks[job.id] = asyncio.ensure_future(self._run(job))

    def get(self, job_id: str, owner: str | None) -> Job:
        """The job; raises Problem where its owner has none of that id, or it is gone."""
        job = self._jobs.get(job_id)
        if job is None or job.owner != owner:
            kept = f"{self._limits.keep_seconds:g} s"
            raise Problem(
                "unknown",
                f"no job {job_id[:80]!r}: there was none, it was deleted, or its results were kept "
                f"long enough (up to {kept} after its end)",
            )
        return job

    async def delete(self, job: Job) -> None:
        """End a job, and let all of it go."""
        task = self._tasks.pop(job.id, None)
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        self._forget(job)

    def stopping(self) -> None:
        """From now on results of what is under way are awaited."""
        for job in self._jobs.values():
            job.awaited = job.status == "running"

    async def close(self) -> None:
        """End all jobs."""
        for job in list(self._jobs.values()):
            await self.delete(job)

    async def _run(self, job: Job) -> None:
        coming = iter(job.pairs)
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self._side_by_side):
                    group.create_task(self._some(job, coming))
            job.status = "done"
        finally:
            if job.status == "running":
                job.status = "cancelled"
            job.sent.close()
            job.tell()
        self._tasks.pop(job.id, None)
        loop = asyncio.get_running_loop()
        loop.call_later(self._limits.keep_seconds, self._forget, job)
        self._make_room()

    async def _some(self, job: Job, coming: Iterator[Pair]) -> None:
        """Pair after pair, until there is none left."""
        for pair in coming:
            pair.status = "running"
            try:
                await self._compare(job, pair)
                pair.status = "done"
            except Exception as error:
                pair.status, pair.problem = "failed", problem_of(error)
            job.tell(pair)

    async def _compare(self, job: Job, pair: Pair) -> None:
        def read(sent: Sent) -> HeldFile:
            return HeldFile(sent.name, job.sent.get(sent.span))

        async def task() -> PairTask:
            return await asyncio.to_thread(pair.make, read)

        answer = await self._work("job", compare_task, task, patient=True)
        for form, body in answer.bodies.items():
            pair.bodies[form] = await asyncio.to_thread(job.results.put, body)
        pair.warnings = list(answer.notes)

    def _make_room(self) -> None:
        """Let the oldest results go where all of them are too many."""
        most = _KEPT_JOBS * self._limits.bytes_per_job
        finished = [job for job in self._jobs.values() if job.status != "running"]
        while len(finished) > 1 and sum(job.results.size for job in finished) > most:
            self._forget(finished.pop(0))

    def _forget(self, job: Job) -> None:
        self._jobs.pop(job.id, None)
        job.awaited = False
        job.results.close()
