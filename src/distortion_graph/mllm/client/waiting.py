"""Waiting that hears when everything is to stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from distortion_graph.base.errors import DistortionGraphError

_LOOK_S = 0.1
"""How often a wait for another thread looks whether it is to stop."""


class StoppedError(DistortionGraphError):
    """Asking was stopped before this request was sent."""

    def __init__(self, text: str = "stopped before this request was sent") -> None:
        super().__init__(text)


def sleep(seconds: float, stop: threading.Event) -> None:
    """Wait for some seconds; raises StoppedError as soon as `stop` is set, even for none."""
    end = time.monotonic() + seconds
    while True:
        left = max(0.0, end - time.monotonic())
        if stop.wait(min(left, 3600.0)):  # threading refuses very long waits
            raise StoppedError
        if left <= 3600.0:
            return


@contextmanager
def held(lock: threading.Lock, stop: threading.Event) -> Iterator[None]:
    """Hold a lock that another thread may keep for long; raises StoppedError while waiting."""
    while not lock.acquire(timeout=_LOOK_S):
        if stop.is_set():
            raise StoppedError
    try:
        yield
    finally:
        lock.release()


def wait_for_change(condition: threading.Condition, stop: threading.Event) -> None:
    """Wait until a held condition is notified, or a moment; raises StoppedError."""
    if stop.is_set():
        raise StoppedError
    condition.wait(_LOOK_S)
