"""Nothing is asked twice, nothing beyond the cap, and what fails is tried again in good time."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from loopback_server import Capacity, Fault, LoopbackServer

from distortion_graph.errors import DistortionGraphError, OutputError
from distortion_graph.mllm.budget import Budget, BudgetError, Prices, estimated_input
from distortion_graph.mllm.cache import ReplyCache, TooMuch, UnderWayError, default_folder
from distortion_graph.mllm.client import Client, StoppedError, run_all
from distortion_graph.mllm.endpoint import OpenAIEndpoint
from distortion_graph.mllm.messages import (
    ContextTooLongError,
    EndpointError,
    Image,
    Reply,
    Request,
    Text,
    TryAgainError,
    Usage,
)

HERE = Path(__file__).parent


def question(number: int = 0, most: int = 50) -> Request:
    return Request("Be brief.", (Text(f"question {number}"),), max_output_tokens=most)


class Scripted:
    """A backend that says what it was told to say, and counts."""

    name, identity = "scripted", "scripted"

    def __init__(self, *script: object, usage: Usage | None = None) -> None:
        self.script, self.usage, self.times = list(script), usage or Usage(10, 5), []
        self.lock = threading.Lock()

    @property
    def sent(self) -> int:
        return len(self.times)

    def send(self, request: Request) -> Reply:
        with self.lock:
            self.times.append(time.monotonic())
            step = self.script.pop(0) if self.script else "yes"
        if isinstance(step, Exception):
            raise step
        if callable(step):
            step()
            step = "yes"
        return Reply(str(step), usage=self.usage)


def client(backend: object, cache: Path | None = None, **more: object) -> Client:
    kept = None if cache is None else ReplyCache(cache)
    return Client(backend, kept, first_wait_s=0.01, **more)


# ---- the cache


def test_asking_the_same_again_sends_nothing(tmp_path: Path) -> None:
    first = Scripted()
    reply = client(first, tmp_path).ask(question())
    again = Scripted("another answer")
    assert client(again, tmp_path).ask(question()) == reply
    assert (first.sent, again.sent) == (1, 0)


PICTURE = np.zeros((4, 6, 3), np.uint8)


@pytest.mark.parametrize(
    "other",
    [
        Request("Be long.", (Text("q"), Image(PICTURE))),
        Request("Be brief.", (Text("Q"), Image(PICTURE))),
        Request("Be brief.", (Image(PICTURE), Text("q"))),
        Request("Be brief.", (Text("q"), Image(PICTURE + 1))),
        Request("Be brief.", (Text("q"), Image(PICTURE.reshape(6, 4, 3)))),
        Request("Be brief.", (Text("q"), Image(PICTURE)), {"type": "object"}),
        Request("Be brief.", (Text("q"), Image(PICTURE)), max_output_tokens=9),
        Request("Be brief.", (Text("q"), Image(PICTURE)), temperature=0.5),
        Request("Be brief.", (Text("q"), Image(PICTURE)), seed=1),
    ],
)
def test_whatever_an_answer_depends_on_makes_another_request(other: Request) -> None:
    base = Request("Be brief.", (Text("q"), Image(PICTURE)))
    same = Request("Be brief.", (Text("q"), Image(PICTURE.copy(), "crop")))
    assert base.digest("m") == same.digest("m")
    assert base.digest("m") != other.digest("m")
    assert base.digest("m") != base.digest("n")


def test_a_damaged_entry_is_asked_again(tmp_path: Path) -> None:
    client(Scripted(), tmp_path).ask(question())
    (path,) = tmp_path.glob("??/*.json")
    for damage in ("", "{", "[]", '{"version": 9}', '{"version": 1, "reply": {"text": 3}}'):
        path.write_text(damage)
        backend = Scripted()
        assert client(backend, tmp_path).ask(question()).text == "yes"
        assert backend.sent == 1 and json.loads(path.read_text())["version"] == 1


def test_what_was_too_long_is_remembered(tmp_path: Path) -> None:
    with pytest.raises(ContextTooLongError):
        client(Scripted(ContextTooLongError("4096")), tmp_path).ask(question())
    backend = Scripted()
    with pytest.raises(ContextTooLongError, match="4096"):
        client(backend, tmp_path).ask(question())
    assert backend.sent == 0


def test_a_failure_is_not_kept(tmp_path: Path) -> None:
    with pytest.raises(EndpointError):
        client(Scripted(EndpointError("no key")), tmp_path).ask(question())
    assert client(Scripted(), tmp_path).ask(question()).text == "yes"
    assert not ReplyCache(tmp_path).under_way()


def test_threads_that_ask_the_same_send_it_once(tmp_path: Path) -> None:
    backend = Scripted(lambda: time.sleep(0.1))
    asking = client(backend, tmp_path)
    replies = list(run_all([lambda: asking.ask(question())] * 6, 6, threading.Event()))
    assert backend.sent == 1 and len(set(replies)) == 1


def test_what_another_process_asks_is_left_to_it(tmp_path: Path) -> None:
    cache = ReplyCache(tmp_path)
    digest = question().digest("scripted")
    cache.begin(digest)
    backend = Scripted()
    with pytest.raises(UnderWayError, match="not sent again without --ask-again"):
        client(backend, tmp_path).ask(question())
    assert cache.under_way() == [digest] and backend.sent == 0
    assert client(backend, tmp_path, ask_again=True).ask(question()).text == "yes"
    assert cache.under_way() == []


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="choose another --cache"):
        client(Scripted(), tmp_path / "file").ask(question())


def test_outcomes_come_back_as_they_were(tmp_path: Path) -> None:
    cache = ReplyCache(tmp_path)
    for k, outcome in enumerate(
        (Reply("ü", "length", Usage(1, 2, True), "m"), TooMuch("image too large", "8000 px"))
    ):
        digest = question(k).digest("m")
        cache.put(digest, outcome)
        assert cache.get(digest) == outcome


def test_the_folder_of_its_own_is_the_users(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert default_folder() == Path("/somewhere/distortion-graph/mllm")


# ---- trying again


def test_what_may_work_later_is_tried_again_and_told(tmp_path: Path) -> None:
    told: list[str] = []
    backend = Scripted(TryAgainError("busy"), TryAgainError("still busy", 0.01), "done")
    assert client(backend, on_retry=told.append).ask(question()).text == "done"
    assert [text.split(";")[0] for text in told] == ["busy", "still busy"]
    assert told[1].endswith("trying again in 0.0 s")


def test_the_last_failure_is_raised_and_counted_tries_are_kept_to() -> None:
    backend = Scripted(*(TryAgainError(f"busy {k}") for k in range(9)))
    with pytest.raises(TryAgainError, match="busy 3"):
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


def test_requests_are_sent_as_far_apart_as_told() -> None:
    backend = Scripted()
    asking = client(backend, requests_per_minute=1200)
    list(run_all([lambda k=k: asking.ask(question(k)) for k in range(6)], 6, threading.Event()))
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


# ---- money


def test_prices_are_read() -> None:
    prices = Prices.parse("0.25, 2")
    assert prices.cost(1_000_000, 500_000) == pytest.approx(1.25)
    for wrong in ("", "1", "a,b", "1,2,3", "-1,2", "nan,1", "inf,1"):
        with pytest.raises(DistortionGraphError, match="expected dollars a million"):
            Prices.parse(wrong)


def test_a_cap_in_dollars_needs_prices() -> None:
    with pytest.raises(DistortionGraphError, match="needs prices: --price"):
        Budget(max_cost=1)


def test_the_cap_is_never_passed_however_many_are_under_way(tmp_path: Path) -> None:
    most = estimated_input(question()) + 50
    budget = Budget(max_tokens=10 * most)
    backend = Scripted(usage=Usage(most - 50, 50))
    asking = client(backend, tmp_path, budget=budget)
    with pytest.raises(BudgetError, match="raise --max-tokens and run again: answers are kept"):
        list(run_all([lambda k=k: asking.ask(question(k)) for k in range(40)], 8, asking.stop))
    spent = budget.spent.input_tokens + budget.spent.output_tokens
    assert spent <= 10 * most and backend.sent <= 10


def test_less_than_held_back_is_given_back(tmp_path: Path) -> None:
    most = estimated_input(question()) + 50
    backend = Scripted(usage=Usage(1, 1))
    asking = client(backend, tmp_path, budget=Budget(max_tokens=most + 60))
    for k in range(20):
        asking.ask(question(k))
    assert asking.budget.spent == Usage(20, 20)


def test_what_comes_from_the_cache_costs_nothing(tmp_path: Path) -> None:
    client(Scripted(), tmp_path).ask(question())
    asking = client(Scripted(), tmp_path, budget=Budget(max_cost=0, prices=Prices(1, 1)))
    assert asking.ask(question()).text == "yes"
    assert asking.budget.cost == 0


def test_a_failed_request_costs_nothing() -> None:
    asking = client(Scripted(EndpointError("no")), budget=Budget(prices=Prices(1, 1)))
    with pytest.raises(EndpointError):
        asking.ask(question())
    assert asking.budget.cost == 0


def test_the_estimate_is_on_the_high_side_for_pictures() -> None:
    """OpenAI's patches are of 32 px, Qwen's of 28: 1024×1024 are 1024 and 1369 tokens."""
    request = Request("", (Image(np.zeros((1024, 1024, 3), np.uint8)),))
    assert estimated_input(request) == 1369


# ---- killed and resumed

COUNT = 200


@pytest.fixture
def endpoint(tmp_path: Path):
    log = tmp_path / "received.txt"
    command = [sys.executable, str(HERE.parent / "loopback_server.py"), str(log), "0.004"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        yield server.stdout.readline().strip(), log
        server.kill()


def asking(url: str, cache: Path, again: str = "no") -> subprocess.Popen:
    command = [sys.executable, str(HERE / "asking_process.py"), url, str(cache), str(COUNT), again]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def run_and_kill(url: str, cache: Path, after: int, how: signal.Signals) -> int:
    """Let it answer some, then kill it; the exit code."""
    with asking(url, cache) as process:
        for _ in range(after + 1):
            process.stdout.readline()
        process.send_signal(how)
        process.stdout.read()
        return process.wait()


def received(log: Path) -> Counter[str]:
    return Counter(log.read_text().split())


def test_killed_at_random_moments_and_resumed_sends_no_request_twice(endpoint, tmp_path) -> None:
    url, log = endpoint
    cache, rng = tmp_path / "cache", random.Random(0)
    for _ in range(3):
        run_and_kill(url, cache, rng.randrange(5, 40), signal.SIGKILL)
    with asking(url, cache) as process:
        lines = process.stdout.read().split("\n")
    left = int(lines[-2].removeprefix("left "))
    assert max(received(log).values()) == 1
    assert left == len(ReplyCache(cache).under_way()) <= 3 * 8
    assert len(list(cache.glob("??/*.json"))) == COUNT - left
    with asking(url, cache, "again") as process:
        assert process.stdout.read().endswith("left 0\n")
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
        assert process.stdout.read().endswith("left 0\n")
    counts = received(log)
    assert max(counts.values()) == 1 and len(counts) == COUNT


def test_no_key_is_written_into_the_cache(tmp_path, monkeypatch) -> None:
    secret = "sk-very-secret-0123456789"
    monkeypatch.setenv("MY_KEY", secret)
    with LoopbackServer(lambda body: "yes", capacity=Capacity(key=secret)) as server:
        endpoint = OpenAIEndpoint("tiny", base_url=server.url, key_variable="MY_KEY")
        client(endpoint, tmp_path).ask(question())
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files and all(secret not in path.read_text() for path in files)
