"""A backend asked with care: the cache first, not too fast, not too much, and again if need be.

`Client.ask` blocks and may be called from many threads; `run_all` calls many things at once and
stops so that what is under way is still received.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from distortion_graph.mllm.client.budget import Budget
from distortion_graph.mllm.client.cache import ReplyCache, TooMuch
from distortion_graph.mllm.client.messages import (
    Backend,
    ContextTooLongError,
    EndpointError,
    ImageTooLargeError,
    Reply,
    Request,
    TryAgainError,
)
from distortion_graph.mllm.client.waiting import StoppedError as StoppedError
from distortion_graph.mllm.client.waiting import held, sleep
from distortion_graph.work.local import LocalThreads
from distortion_graph.work.threads import allowed_threads

if TYPE_CHECKING:
    from tenacity import RetryCallState

_T = TypeVar("_T")

FIRST_WAIT_S, LONGEST_WAIT_S = 1.0, 60.0
"""Waiting time before the first retry, doubled at each one, and its bound."""

LONGEST_PAUSE_S = 600.0
"""An endpoint that asks to wait longer is not asked again."""


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

        Raises EndpointError for numbers that make no sense.
        """
        if retries < 0:
            raise EndpointError(f"retries is {retries}, expected 0 or more")
        if requests_per_minute is not None and not requests_per_minute > 0:
            raise EndpointError(f"requests per minute is {requests_per_minute:g}, expected above 0")
        self.backend, self.cache = backend, cache
        self.budget = budget or Budget()
        self.stop = stop or threading.Event()
        self._retries, self._first_wait_s = retries, first_wait_s
        # What is under way from now on is so in other hands, and is left to them.
        self._again_before, self._on_retry = time.time() if ask_again else -1.0, on_retry
        self._rate = _RequestRate(
            60 / requests_per_minute if requests_per_minute else 0.0, self.stop
        )

    def ask(self, request: Request) -> Reply:
        """The reply, from the cache where it is there.

        Raises ContextTooLongError, ImageTooLargeError, UnderWayError, BudgetError, StoppedError,
        TryAgainError when all retries have failed, or another EndpointError.
        """
        if self.cache is None:
            with self.budget.reserved(request, self.stop) as paid:
                self._rate.wait()
                reply = self._sent(request)
                paid.append(reply.usage)
                return reply
        digest = request.digest(self.backend.identity)
        with held(self.cache.asking(digest), self.stop):
            kept = self.cache.get(digest)
            if kept is None:
                return self._kept(request, digest, self.cache)
            return self._known(kept)

    def _known(self, kept: Reply | TooMuch) -> Reply:
        self.budget.count(cached=1)
        if isinstance(kept, TooMuch):
            raise kept.error()
        return kept

    def _kept(self, request: Request, digest: str, cache: ReplyCache) -> Reply:
        """Send a request and keep what comes of it."""
        with self.budget.reserved(request, self.stop) as paid:
            self._rate.wait()
            cache.begin(digest, again_before=self._again_before)
            try:
                # Another process may have been done between the look before and the note.
                if (kept := cache.get(digest)) is not None:
                    cache.forget(digest)
                    return self._known(kept)
                reply = self._sent(request)
            except ContextTooLongError as error:
                cache.put(digest, TooMuch("context too long", str(error)))
                raise
            except ImageTooLargeError as error:
                cache.put(digest, TooMuch("image too large", str(error)))
                raise
            except Exception:  # but no interrupt: what was sent may still be answered and paid
                cache.forget(digest)
                raise
            paid.append(reply.usage)
            cache.put(digest, reply)
            return reply

    def _sent(self, request: Request) -> Reply:
        """Send now, and again if need be."""
        try:
            from tenacity import Retrying, retry_if_exception, stop_after_attempt
        except ModuleNotFoundError as e:
            raise EndpointError(
                "asking needs tenacity, not installed: pip install 'distortion-graph[mllm]'"
            ) from e
        trying = Retrying(
            retry=retry_if_exception(_may_work_soon),
            stop=stop_after_attempt(self._retries + 1),
            wait=self._wait_s,
            sleep=self._wait_for_retry,
            before_sleep=self._tell,
            reraise=True,
        )
        self.budget.count(requests=1)
        try:
            reply: Reply = trying(self.backend.send, request)
        except TryAgainError as error:
            raise _given_up(error, self._retries) from error
        return reply

    def _wait_s(self, state: RetryCallState) -> float:
        """What the endpoint asked for, else a time that doubles, with jitter."""
        from tenacity import wait_random_exponential

        wait = wait_random_exponential(multiplier=self._first_wait_s, max=LONGEST_WAIT_S)
        asked = _after_s(state)
        if asked is not None:
            return asked
        return max(float(wait(state)), self._first_wait_s / 4)

    def _wait_for_retry(self, seconds: float) -> None:
        sleep(seconds, self.stop)
        self._rate.wait()
        self.budget.count(retries=1)

    def _tell(self, state: RetryCallState) -> None:
        asked = _after_s(state)
        if asked is not None:
            self._rate.pause(asked)
        wait = state.next_action.sleep if state.next_action else 0.0
        problem = state.outcome.exception() if state.outcome else None
        self._on_retry(f"{problem}; trying again in {wait:.1f} s")


def _after_s(state: RetryCallState) -> float | None:
    """How long the endpoint asked to wait."""
    problem = state.outcome.exception() if state.outcome else None
    return problem.after_s if isinstance(problem, TryAgainError) else None


def _may_work_soon(problem: BaseException) -> bool:
    return isinstance(problem, TryAgainError) and (problem.after_s or 0) <= LONGEST_PAUSE_S


def _given_up(error: TryAgainError, retries: int) -> TryAgainError:
    """The error of the last attempt, with why there is no other."""
    if not _may_work_soon(error):
        why = f"the endpoint asks to wait {error.after_s:.0f} s: run again then, answers are kept"
    else:
        why = f"given up after {retries + 1} attempts"
    return TryAgainError(f"{error}; {why}", error.after_s)


class _RequestRate:
    """Lets requests pass one at a time, at least some seconds apart, and none during a pause."""

    def __init__(self, apart_s: float, stop: threading.Event) -> None:
        self._apart_s, self._stop = apart_s, stop
        self._lock = threading.Lock()
        self._next = 0.0

    def wait(self) -> None:
        """Return when a request may be sent; raises StoppedError when stopped before."""
        seconds = 0.0
        while True:
            sleep(seconds, self._stop)
            with self._lock:  # a pause may have begun meanwhile
                now = time.monotonic()
                if now >= self._next:
                    self._next = now + self._apart_s
                    return
                seconds = self._next - now

    def pause(self, seconds: float) -> None:
        """Send nothing for so long."""
        with self._lock:
            self._next = max(self._next, time.monotonic() + seconds)


def run_all(
    tasks: Iterable[Callable[[], _T]], concurrency: int, stop: threading.Event
) -> Iterator[_T]:
    """Results of all tasks, `concurrency` at once, as they are done.

    `stop`, Ctrl-C and SIGTERM end it: no task is begun any more, those under way are waited for and
    their results given (but of those that end with StoppedError), and at last KeyboardInterrupt or
    StoppedError is raised. A second Ctrl-C waits for nothing. A task that fails, or a caller that
    takes no more results, sets `stop` too.
    """
    waiting, complete = iter(tasks), False

    def until_stopped() -> Iterator[Callable[[], _T]]:
        nonlocal complete
        while not stop.is_set():
            task = next(waiting, None)
            if task is None:
                complete = True
                return
            yield task

    # Threads that wait for answers leave the cores to those that compute: each may use them all.
    threads = LocalThreads(stop, concurrency, threads_each=allowed_threads())
    with _first_interrupt_sets(stop) as interrupts, threads, _stopping(threads, stop):
        for _, results in threads.run(_call, until_stopped(), window=concurrency):
            complete = complete and bool(results)
            yield from results
    if interrupts:
        raise KeyboardInterrupt
    if not complete:
        raise StoppedError("stopped before everything was asked")


def _call(stop: threading.Event, task: Callable[[], _T]) -> tuple[_T, ...]:
    """The result of a task, () where it was stopped; where it fails, all are to stop."""
    try:
        return (task(),)
    except StoppedError:
        return ()
    except BaseException:
        stop.set()
        raise


@contextmanager
def _stopping(threads: LocalThreads[threading.Event], stop: threading.Event) -> Iterator[None]:
    """Stop all at an error; threads are waited for, unless a second interrupt says otherwise."""
    try:
        yield
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt) and stop.is_set():
            threads.abandon()
        stop.set()
        raise


@contextmanager
def _first_interrupt_sets(stop: threading.Event) -> Iterator[list[int]]:
    """Have the first Ctrl-C or SIGTERM set `stop`; gives a list of those that came.

    Other handlers than Python's own are left alone, and so are threads beside the main one.
    """
    came: list[int] = []

    def handle(number: int, frame: Any) -> None:
        came.append(number)
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    usual = (signal.default_int_handler, signal.SIG_DFL)
    before: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        numbers = (signal.SIGINT, signal.SIGTERM)
        before = {k: was for k in numbers if (was := signal.getsignal(k)) in usual}
    for number in before:
        signal.signal(number, handle)
    try:
        yield came
    finally:
        if threading.current_thread() is threading.main_thread():
            for number, was in before.items():
                signal.signal(number, was)
