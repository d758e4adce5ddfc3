"""Arrays that are kept for a second use, within bounds."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

_A = TypeVar("_A", bound=np.generic)


class ArrayCache(Generic[_A]):
    """The arrays used last: so many at most, and so many bytes. Threads may share it."""

    def __init__(self, most: int, most_bytes: int) -> None:
        self._most, self._most_bytes = most, most_bytes
        self._kept: OrderedDict[Hashable, NDArray[_A]] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: Hashable, make: Callable[[], NDArray[_A]]) -> NDArray[_A]:
        """The array, made where it is not there."""
        with self._lock:
            array = self._kept.get(key)
            if array is not None:
                self._kept.move_to_end(key)
                return array
        made = make()
        with self._lock:
            self._keep(key, made)
        return made

    def _keep(self, key: Hashable, made: NDArray[_A]) -> None:
        replaced = self._kept.pop(key, None)  # two threads may have made it at once
        self._kept[key] = made
        self._bytes += made.nbytes - (0 if replaced is None else replaced.nbytes)
        while self._kept and (len(self._kept) > self._most or self._bytes > self._most_bytes):
            _, gone = self._kept.popitem(last=False)
            self._bytes -= gone.nbytes
