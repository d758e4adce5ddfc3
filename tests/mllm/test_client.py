"""What fails is tried again in good time, many ask at once, and a killed run goes on."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from loopback_server import Capacity, Fault, LoopbackServer
from optional import present
from scripted_backend import Scripted, client, question

from distortion_graph.mllm.client.cache import ReplyCache
from distortion_graph.mllm.client.client import Client, StoppedError, run_all
from distortion_graph.mllm.client.endpoint import OpenAIEndpoint
from distortion_graph.mllm.client.messages import EndpointError, TryAgainError

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent


# ---- trying again


def test_what_may_work_later_is_tried_again_and_told(tmp_path: Path) -> None:
    told: list[str] = []
    backend = Scripted(TryAgainError("busy"), TryAgainError("still busy", 0.01), "done")
    assert client(backend, on_retry=told.append).ask(question()).text == "done"
    assert [text.split(";")[0] for text in told] == ["busy", "still busy"]
    assert told[1].endswith("trying again in 0.0 s")


def test_the_last_failure_is_raised_and_counted_tries_are_kept_to() -> None:
    backend = Scripted(*(TryAgainError(f"busy {k}") for k in range(9)))
    with pytest.raises(TryAgainError, match=r"^busy 3; given up after 4 attempts$"):
        client(backend, retries=3).ask(question())
    assert backend.sent == 4


def test_no_wait_is_shorter_than_a_quarter_of_the_first() -> None:
    backend = Scripted(*(TryAgainError("busy") for _ in range(4)))
    Client(backend, first_wait_s=0.04).ask(question())
    assert np.diff(backend.times).min() >= 0.01


def test_a_pause_that_the_endpoint_asks_for_holds_all_threads() -> None:
    fault = Fault("status", 429, headers={"Retry-After": "0.4"})
    with LoopbackServer(faults=[fault]) as server:
        asking = client(OpenAIEndpoint("tiny", base_url=server.url))
        first = threading.Thread(target=asking.ask, args=(question(),))
        first.start()
        while not server.requests:
            time.sleep(0.01)
        time.sleep(0.1)
        asking.ask(question(1))
        first.join()
        assert min(server.times[1:]) - server.times[0] >= 0.38


def test_a_pause_holds_those_too_that_wait_for_their_turn() -> None:
    backend = Scripted(TryAgainError("busy", 0.3))
    asking = client(backend, requests_per_minute=1200)
    list(run_all([partial(asking.ask, question(k)) for k in range(4)], 4, threading.Event()))
    gaps = np.array(backend.times) - backend.times[0]
    assert gaps[1:].min() >= 0.28 and np.diff(gaps)[1:].min() >= 0.04


def test_an_endpoint_that_asks_for_hours_is_not_waited_for() -> None:
    backend = Scripted(TryAgainError("no more today", 7200.0))
    with pytest.raises(TryAgainError, match=r"^no more today; the endpoint asks to wait 7200 s"):
        client(backend).ask(question())
    assert backend.sent == 1


@pytest.mark.parametrize("more", [{"retries": -1}, {"requests_per_minute": 0}])
def test_numbers_that_make_no_sense_are_refused(more: dict[str, Any]) -> None:
    with pytest.raises(EndpointError, match=r"expected (0 or more|above 0)"):
        client(Scripted(), **more)


def test_requests_are_sent_as_far_apart_as_told() -> None:
    backend = Scripted()
    asking = client(backend, requests_per_minute=1200)
    list(run_all([partial(asking.ask, question(k)) for k in range(6)], 6, threading.Event()))
    assert backend.times[-1] - backend.times[0] >= 5 * 0.05 - 0.01


def test_stopping_ends_waits_and_sends_nothing_more() -> None:
    stop = threading.Event()
    backend = Scripted(TryAgainError("busy", 60.0))
    asking = client(backend, stop=stop)
    threading.Timer(0.05, stop.set).start()
    start = time.monotonic()
    with pytest.raises(StoppedError):
        asking.ask(question())
    assert time.monotonic() - start < 5 and backend.sent == 1


# ---- many at once


def test_as_many_at_once_as_told_and_no_more() -> None:
    lock, now, most = threading.Lock(), [0], [0]

    def task() -> None:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        time.sleep(0.01)
        with lock:
            now[0] -= 1

    list(run_all([task] * 30, 5, threading.Event()))
    assert most[0] == 5


def test_a_task_that_fails_stops_the_others_and_what_is_under_way_is_received() -> None:
    stop, received = threading.Event(), []

    def fails() -> None:
        raise EndpointError("no key")

    def slow() -> None:
        time.sleep(0.1)
        received.append(1)

    with pytest.raises(EndpointError, match="no key"):
        list(run_all([slow, slow, fails, *[slow] * 50], 3, stop))
    assert stop.is_set() and 2 <= len(received) <= 5


def test_stopping_gives_what_is_under_way_and_then_says_so() -> None:
    stop = threading.Event()

    def task() -> int:
        time.sleep(0.05)
        return 1

    found = []
    with pytest.raises(StoppedError, match="before everything was asked"):
        for result in run_all([task] * 50, 4, stop):
            found.append(result)
            stop.set()
    assert len(found) == 4


def test_a_stop_after_the_last_task_is_none() -> None:
    stop = threading.Event()
    results = run_all([lambda: 1, lambda: 2], 2, stop)
    assert next(results) and next(results)
    assert list(results) == []
    stop.set()


def test_who_takes_no_more_results_lets_no_more_begin() -> None:
    stop, begun = threading.Event(), []
    results = run_all([lambda: begun.append(1)] * 50, 2, stop)
    next(results)
    results.close()  # type: ignore[attr-defined]
    assert stop.is_set() and len(begun) <= 4


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_lets_what_is_under_way_finish(number: signal.Signals) -> None:
    stop, before = threading.Event(), signal.getsignal(number)
    finished = []

    def task() -> None:
        time.sleep(0.05)
        finished.append(1)

    found: list[Any] = []
    with pytest.raises(KeyboardInterrupt):
        for result in run_all([task] * 50, 4, stop):
            found.append(result)
            if len(found) == 1:
                os.kill(os.getpid(), number)
    assert stop.is_set() and len(found) == len(finished) <= 9
    assert signal.getsignal(number) is before


def test_a_second_interrupt_waits_for_nothing() -> None:
    go_on = threading.Event()

    def interrupt() -> None:
        time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        list(run_all([lambda: go_on.wait(10)], 1, threading.Event()))
    assert time.monotonic() - start < 5
    go_on.set()


# ---- killed and resumed

COUNT = 120


@pytest.fixture
def endpoint(tmp_path: Path):
    log = tmp_path / "received.txt"
    command = [sys.executable, str(HERE.parent / "loopback_server.py"), str(log), "0.004"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        yield present(server.stdout).readline().strip(), log
        server.kill()


def asking(url: str, cache: Path, again: str = "no") -> subprocess.Popen[str]:
    command = [sys.executable, str(HERE / "asking_process.py"), url, str(cache), str(COUNT), again]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def run_and_kill(url: str, cache: Path, after: int, how: signal.Signals) -> int:
    """Let it answer some, then kill it; the exit code."""
    with asking(url, cache) as process:
        for _ in range(after + 1):
            present(process.stdout).readline()
        process.send_signal(how)
        present(process.stdout).read()
        return process.wait()


def received(log: Path) -> Counter[str]:
    return Counter(log.read_text().split())


def test_killed_at_random_moments_and_resumed_sends_no_request_twice(endpoint, tmp_path) -> None:
    url, log = endpoint
    cache, rng = tmp_path / "cache", random.Random(0)
    for _ in range(2):
        run_and_kill(url, cache, rng.randrange(5, 40), signal.SIGKILL)
    with asking(url, cache) as process:
        lines = present(process.stdout).read().split("\n")
    left = int(lines[-2].removeprefix("left "))
    assert max(received(log).values()) == 1
    assert left == len(ReplyCache(cache).under_way()) <= 2 * 8
    assert len(list(cache.glob("??/*.json"))) == COUNT - left
    with asking(url, cache, "again") as process:
        assert present(process.stdout).read().endswith("left 0\n")
    twice = [count for count in received(log).values() if count > 1]
    assert set(twice) <= {2} and len(twice) <= left
    assert len(list(cache.glob("??/*.json"))) == COUNT


def test_asked_to_end_it_receives_what_is_under_way(endpoint, tmp_path) -> None:
    url, log = endpoint
    cache = tmp_path / "cache"
    for how in (signal.SIGTERM, signal.SIGINT):
        assert run_and_kill(url, cache, 20, how) == 130
        assert not ReplyCache(cache).under_way()
    with asking(url, cache) as process:
        assert present(process.stdout).read().endswith("left 0\n")
    counts = received(log)
    assert max(counts.values()) == 1 and len(counts) == COUNT


def test_two_processes_at_once_share_the_work(endpoint, tmp_path) -> None:
    url, log = endpoint
    cache = tmp_path / "cache"
    with asking(url, cache) as first, asking(url, cache) as second:
        assert present(first.stdout).read() and present(second.stdout).read()
    counts = received(log)
    assert max(counts.values()) == 1 and len(counts) == COUNT
    assert not ReplyCache(cache).under_way()


def test_no_key_is_written_into_the_cache(tmp_path, monkeypatch) -> None:
    secret = "sk-very-secret-0123456789"
    monkeypatch.setenv("MY_KEY", secret)
    with LoopbackServer(lambda body: "yes", capacity=Capacity(key=secret)) as server:
        endpoint = OpenAIEndpoint("tiny", base_url=server.url, key_variable="MY_KEY")
        client(endpoint, tmp_path).ask(question())
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files and all(secret not in path.read_text() for path in files)
