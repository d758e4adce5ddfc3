"""Keeping a C library's own messages off standard error while it decodes."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import threading
from collections.abc import Iterator

_lock = threading.Lock()


@contextlib.contextmanager
def without_messages(marks: tuple[str, ...]) -> Iterator[None]:
    """Leave out what is written to standard error below Python, in lines that hold such a mark.

    For libtiff, whose handler of errors prints them although they are raised as well, and cannot be
    reached from Python. Everything else that is written meanwhile follows at the end. One thread
    at a time.
    """
    with _lock, tempfile.TemporaryFile() as kept:
        try:
            _flush()
            real = os.dup(2)
        except OSError:  # there is no standard error
            yield
            return
        try:
            os.dup2(kept.fileno(), 2)
            yield
        finally:
            _flush()
            os.dup2(real, 2)
            kept.seek(0)
            for line in kept.read().splitlines(keepends=True):
                if not any(mark.encode() in line for mark in marks):
                    os.write(real, line)
            os.close(real)


def _flush() -> None:
    if sys.stderr is not None:
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.flush()
