"""Parts of the service by themselves: its pool, its spool, its problems."""

from __future__ import annotations

import asyncio
import errno
import os
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from distortion_graph.base.errors import ImageError, RecipeError, RegionError, WorkError
from distortion_graph.serve.access import AccessError
from distortion_graph.serve.http.headers import policy_of
from distortion_graph.serve.http.pool import Pool
from distortion_graph.serve.http.problems import Problem, is_defect, problem_of
from distortion_graph.serve.http.spool import Spool
from distortion_graph.work.processes import DefectError


def nothing(job: Any, task: None) -> None:
    """A warm-up."""


def unready(job: Path, task: None) -> None:
    """Fails the first time."""
    if not job.exists():
        job.touch()
        raise ImageError("not yet")


def waits(job: Any, task: tuple[Path, Path]) -> int:
    """Says that it has begun, and waits until it may end."""
    begun, may_end = task
    begun.touch()
    while not may_end.exists():
        pass
    return os.getpid()


def said(value: Any) -> Callable[[], Awaitable[Any]]:
    async def make() -> Any:
        return value

    return make


def run_with(pool: Pool, what: Callable[[], Awaitable[Any]]) -> Any:
    async def whole() -> Any:
        pool.start()
        try:
            return await asyncio.wait_for(what(), 120)
        finally:
            await pool.close()

    return asyncio.run(whole())


def made(job: Any, warm: Any = nothing, **more: Any) -> Pool:
    return Pool(job, warm, workers=1, threads_each=1, waiting=1, seconds=60, **more)


async def until(what: Callable[[], object]) -> None:
    while not what():
        await asyncio.sleep(0.01)


@pytest.mark.slow
def test_a_worker_that_does_not_start_is_started_again_and_meanwhile_it_says_why(
    tmp_path: Path,
) -> None:
    told: list[BaseException] = []
    pool = made(tmp_path / "there", unready, on_failure=told.append)

    async def wait() -> str:
        await until(lambda: pool.failure)
        why = str(pool.failure)
        assert not pool.ready
        await until(lambda: pool.ready)
        assert pool.failure is None
        return why

    assert run_with(pool, wait) == "not yet"
    assert [str(error) for error in told] == ["not yet"]


@pytest.mark.slow
def test_a_job_that_cannot_be_handed_over_is_said() -> None:
    pool = made(threading.Lock())

    async def wait() -> str:
        await until(lambda: pool.failure)
        return str(pool.failure)

    assert "cannot pickle" in run_with(pool, wait)


@pytest.mark.slow
def test_times_to_come_again_are_one_behind_the_other(tmp_path: Path) -> None:
    pool = made(None)
    begun, end = tmp_path / "begun", tmp_path / "end"

    async def crowd() -> list[int]:
        working = asyncio.ensure_future(pool.call(waits, said((begun, end))))
        await until(begun.exists)
        waiting = asyncio.ensure_future(pool.call(waits, said((begun, end))))
        await until(lambda: pool.waiting)
        times = []
        for _ in range(100):
            with pytest.raises(Problem) as refused:
                await pool.call(nothing, said(None))
            assert refused.value.status_code == 503
            times.append(int((refused.value.headers or {})["Retry-After"]))
        end.touch()
        assert await working == await waiting
        return times

    times = run_with(pool, crowd)
    assert times == sorted(times) and times[0] < times[20] < times[40]
    assert times[0] >= 1 and times[-1] == 60


@pytest.mark.slow
def test_a_cancelled_call_gives_back_its_place_or_its_worker(tmp_path: Path) -> None:
    pool = made(None)
    begun, end = tmp_path / "begun", tmp_path / "end"

    async def leave() -> tuple[int | None, int | None]:
        await until(lambda: pool.ready)
        [first] = [process.pid for process in pool.processes]
        working = asyncio.ensure_future(pool.call(waits, said((begun, end))))
        await until(begun.exists)
        waiting = asyncio.ensure_future(pool.call(nothing, said(None)))
        await until(lambda: pool.waiting == 1)
        waiting.cancel()
        await until(lambda: pool.waiting == 0)
        working.cancel()  # it never ends by itself, and so its process does
        await pool.call(nothing, said(None))
        [second] = [process.pid for process in pool.processes]
        return first, second

    first, second = run_with(pool, leave)
    assert first != second


def test_a_spool_gives_back_what_was_put_and_has_no_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    spool = Spool()
    spans = [spool.put(data) for data in (b"one", b"", b"three")]
    assert [spool.get(span) for span in reversed(spans)] == [b"three", b"", b"one"]
    assert spool.size == 8 and list(tmp_path.iterdir()) == []
    spool.close()
    with pytest.raises(ValueError, match="closed"):
        spool.get(spans[0])


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (ImageError("a.png: damaged"), 422, "a.png: damaged"),
        (RegionError("regions: none"), 422, "regions: none"),
        (AccessError("regions 'x'"), 422, "regions 'x'"),
        (RecipeError("unknown metric"), 422, "unknown metric"),
        (WorkError("lost"), 500, "lost"),
        (MemoryError(), 422, "not enough memory for this input; use smaller pictures"),
        (OSError(errno.ENOSPC, "No space left"), 503, "no room on the server's disk"),
        (OSError(errno.EIO, "/secret/path"), 500, "defect of the program; the server's log"),
        (DefectError("Traceback: /secret"), 500, "defect of the program; the server's log"),
        (KeyError("secret"), 500, "defect of the program; the server's log"),
        (ImageError("two\nlines\x1b[2J"), 422, "two lines"),
        (ImageError("long " * 1000), 422, "long long"),
    ],
)
def test_an_error_is_one_line_and_a_defect_keeps_to_itself(
    error: BaseException, status: int, line: str
) -> None:
    problem = problem_of(error)
    assert problem.status_code == status
    assert problem.detail.startswith(line) and problem.detail.isprintable()
    assert "secret" not in problem.detail and len(problem.detail) < 900
    assert is_defect(error) == ("defect" in problem.detail)


def test_a_page_without_a_policy_is_not_sent() -> None:
    with pytest.raises(ValueError, match="no content policy"):
        policy_of("<html></html>")
