"""One process that does calls, and can be killed in the middle of one."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator

import pytest

from distortion_graph.base.errors import RegionError, WorkError
from distortion_graph.work.processes import CallProcess, DefectError
from distortion_graph.work.threads import allowed_threads


def described(job: str, task: int) -> tuple[str, int, int, int]:
    return job, task, os.getpid(), allowed_threads()


def refused(job: str, task: str) -> None:
    raise RegionError(task)


def failed(job: str, task: str) -> None:
    raise KeyError(task)


def slept(job: str, seconds: float) -> None:
    time.sleep(seconds)


def exits(job: str, code: int) -> None:
    os._exit(code)


@pytest.fixture
def process() -> Iterator[CallProcess[str]]:
    process = CallProcess("job", 3)
    yield process
    process.kill()


def test_calls_are_done_one_after_the_other_in_one_process(process: CallProcess[str]) -> None:
    first, second = process.call(described, 1), process.call(described, 2)
    assert first == ("job", 1, process.pid, 3) and second == ("job", 2, process.pid, 3)
    assert process.pid != os.getpid()


def test_an_error_of_the_input_is_raised_as_it_is_and_any_other_is_a_defect(
    process: CallProcess[str],
) -> None:
    with pytest.raises(RegionError, match="no such region"):
        process.call(refused, "no such region")
    with pytest.raises(DefectError, match=r"(?s)Traceback.*in failed.*KeyError: 'x'"):
        process.call(failed, "x")
    assert process.call(described, 1)[1] == 1


def test_a_call_whose_process_is_killed_or_ends_raises(process: CallProcess[str]) -> None:
    killer = threading.Timer(0.5, process.kill)
    killer.start()
    with pytest.raises(WorkError, match="a worker process was lost"):
        process.call(slept, 600)
    killer.join()
    assert not process.alive
    other = CallProcess("job")
    with pytest.raises(WorkError):
        other.call(exits, 3)
    with pytest.raises(WorkError):
        other.call(described, 1)
    other.kill()
