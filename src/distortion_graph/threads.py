"""Work shared among a few threads, with results that do not depend on how many there are."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


def in_order(work: Callable[[T], R], items: Iterable[T], threads: int | None = None) -> list[R]:
    """Results of `work` on every item, in the items' order.

    At most so many threads share the items, and no more than OpenCV may use (`cv2.setNumThreads(1)`
    makes it a plain loop). It pays for steps of NumPy, OpenCV, Pillow and ONNX Runtime, which let
    other threads run meanwhile. The first item that fails raises.
    """
    import cv2

    waiting = list(items)
    allowed = cv2.getNumThreads()
    threads = min(threads or allowed, allowed, len(waiting))
    if threads < 2:
        return [work(item) for item in waiting]
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, waiting))


def side_by_side(first: Callable[[], T], second: Callable[[], R]) -> tuple[T, R]:
    """Both results; the two calls run at the same time where OpenCV may use two threads."""
    import cv2

    if cv2.getNumThreads() < 2:
        return first(), second()
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(second)
        return first(), waiting.result()


class Once(Generic[T]):
    """A value that the first thread to ask for it makes, while the others wait.

    Where making it fails, it fails for each of them.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._found: list[T] = []
        self._lock = threading.Lock()

    def __call__(self) -> T:
        """The value."""
        with self._lock:
            if not self._found:
                self._found.append(self._make())
            return self._found[0]
