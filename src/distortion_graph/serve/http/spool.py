"""Bytes that wait on a disk, in a file without a name: whatever ends the process, it goes."""

from __future__ import annotations

import tempfile
import threading
from typing import BinaryIO, NamedTuple


class Span(NamedTuple):
    """Where bytes lie in a spool."""

    start: int
    length: int


class Spool:
    """A private temporary file that bytes are appended to and read from, by any thread."""

    def __init__(self) -> None:
        self._file: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115 – closed by `close`
        self._lock = threading.Lock()
        self.size = 0

    def put(self, data: bytes) -> Span:
        """Append bytes; raises OSError where the disk is full."""
        with self._lock:
            self._file.seek(self.size)
            self._file.write(data)
            span = Span(self.size, len(data))
            self.size += len(data)
            return span

    def get(self, span: Span) -> bytes:
        """The bytes; raises ValueError after `close`."""
        with self._lock:
            self._file.seek(span.start)
            return self._file.read(span.length)

    def close(self) -> None:
        """Let it go."""
        with self._lock:
            self._file.close()
            self.size = 0
