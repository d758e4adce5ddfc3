"""A backend asked with care: the cache first, not too fast, not too much, and again if need be.

`Client.ask` blocks and may be called from many threads; `run_all` calls many things at once and
stops so that what is under way is still received.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, TypeVar

from distortion_graph.errors import DistortionGraphError
from distortion_graph.mllm.budget import Budget
from distortion_graph.mllm.cache import ReplyCache, TooMuch
from distortion_graph.mllm.messages import (
    Backend,
    ContextTooLongError,
    ImageTooLargeError,
    Reply,
    Request,
    TryAgainError,
)

if TYPE_CHECKING:
    from tenacity import RetryCallState

_T = TypeVar("_T")

FIRST_WAIT_S, LONGEST_WAIT_S = 1.0, 60.0
"""Waiting time before the first retry, doubled at each one, and its bound."""


class StoppedError(DistortionGraphError):
    """Asking was stopped before this request was sent."""


class Client:
    """Asks one backend. `backend`, `budget` and `cache` can be looked at."""

    def __init__(
        self,
        backend: Backend,
        cache: ReplyCache | None = None,
        *,
        requests_per_minute: float | None = None,
        retries: int = 6,
        budget: Budget | None = None,
        ask_again: bool = False,
        stop: threading.Event | None = None,
        on_retry: Callable[[str], None] = lambda text: None,
        first_wait_s: float = FIRST_WAIT_S,
    ) -> None:
        """Put a client together.

        Args:
            backend: who answers.
            cache: where answers are kept; None keeps none.
            requests_per_minute: requests are sent at least 60 s / this apart.
            retries: how often a request is tried again.
            budget: what may be spent; shared with other clients where they spend together.
            ask_again: also send what was under way when an earlier process was killed.
            stop: once set, nothing is sent any more and no retry begun.
            on_retry: told why a request is tried again, in one line.
            first_wait_s: the wait before the first retry, about.
        """
        self.backend, self.cache = backend, cache
        self.budget = budget or Budget()
        self.stop = stop or threading.Event()
        self._retries, self._first_wait_s = retries, first_wait_s
        self._ask_again, self._on_retry = ask_again, on_retry
        self._pace = _Pace(60 / requests_per_minute if requests_per_minute else 0.0, self.stop)

    def ask(self, request: Request) -> Reply:
        """The reply, from the cache where it is there.

        Raises ContextTooLongError, ImageTooLargeError, UnderWayError, BudgetError, StoppedError,
        TryAgainError when all retries have failed, or another EndpointError.
        """
        if self.cache is None:
            return self._sent(request)
        digest = request.digest(self.backend.identity)
        with self.cache.asking(digest):
            kept = self.cache.get(digest)
            if isinstance(kept, TooMuch):
                raise kept.error()
            return kept or self._kept(request, digest, self.cache)

    def _kept(self, request: Request, digest: str, cache: ReplyCache) -> Reply:
        """Send a request and keep what comes of it."""
        if self.stop.is_set():
            raise StoppedError("stopped")
        cache.begin(digest, again=self._ask_again)
        try:
            reply = self._sent(request)
        except ContextTooLongError as error:
            cache.put(digest, TooMuch("context too long", str(error)))
            raise
        except ImageTooLargeError as error:
            cache.put(digest, TooMuch("image too large", str(error)))
            raise
        except BaseException:
            cache.forget(digest)
            raise
        cache.put(digest, reply)
        return reply

    def _sent(self, request: Request) -> Reply:
        from tenacity import Retrying, retry_if_exception_type, stop_after_attempt

        trying = Retrying(
            retry=retry_if_exception_type(TryAgainError),
            stop=stop_after_attempt(self._retries + 1),
            wait=self._wait_s,
            sleep=self._sleep,
            before_sleep=self._tell,
            reraise=True,
        )
        with self.budget.reserved(request) as paid:
            reply: Reply = trying(self._send_once, request)
            paid.append(reply.usage)
        return reply

    def _send_once(self, request: Request) -> Reply:
        self._pace.wait()
        return self.backend.send(request)

    def _wait_s(self, state: RetryCallState) -> float:
        """What the endpoint asked for, else a time that doubles, with jitter."""
        from tenacity import wait_random_exponential

        asked = _after_s(state)
        if asked is not None:
            return min(asked, 10 * LONGEST_WAIT_S)
        wait = wait_random_exponential(multiplier=self._first_wait_s, max=LONGEST_WAIT_S)
        return max(float(wait(state)), self._first_wait_s / 4)

    def _sleep(self, seconds: float) -> None:
        if self.stop.wait(seconds):
            raise StoppedError("stopped")

    def _tell(self, state: RetryCallState) -> None:
        asked = _after_s(state)
        if asked is not None:
            self._pace.pause(asked)
        wait = state.next_action.sleep if state.next_action else 0.0
        problem = state.outcome.exception() if state.outcome else None
        self._on_retry(f"{problem}; trying again in {wait:.1f} s")


def _after_s(state: RetryCallState) -> float | None:
    """How long the endpoint asked to wait."""
    problem = state.outcome.exception() if state.outcome else None
    return problem.after_s if isinstance(problem, TryAgainError) else None


class _Pace:
    """Lets requests pass one at a time, at least some seconds apart, and none during a pause."""

    def __init__(self, apart_s: float, stop: threading.Event) -> None:
        self._apart_s, self._stop = apart_s, stop
        self._lock = threading.Lock()
        self._next = 0.0

    def wait(self) -> None:
        """Return when a request may be sent; raises StoppedError when stopped before."""
        with self._lock:
            now = time.monotonic()
            start = max(now, self._next)
            self._next = start + self._apart_s
        if self._stop.wait(max(0.0, start - now)):
            raise StoppedError("stopped")

    def pause(self, seconds: float) -> None:
        """Send nothing for so long."""
        with self._lock:
            self._next = max(self._next, time.monotonic() + seconds)


def run_all(
    tasks: Iterable[Callable[[], _T]], concurrency: int, stop: threading.Event
) -> Iterator[_T]:
    """Results of all tasks, `concurrency` at once, as they are done.

    When a task fails, or the caller is interrupted, `stop` is set, tasks under way are waited for,
    and the error goes on; tasks that end with StoppedError because of that give no result.
    """
    waiting = iter(tasks)
    running: set[Future[_T]] = set()
    with ThreadPoolExecutor(concurrency, thread_name_prefix="ask") as pool:
        try:
            while True:
                while len(running) < concurrency and (task := next(waiting, None)) is not None:
                    running.add(pool.submit(task))
                if not running:
                    return
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    yield future.result()
        except BaseException:
            stop.set()
            raise
