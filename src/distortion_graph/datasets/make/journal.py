"""The journal of an unfinished build: a header line, then a line for each thing that was done.

It is only added to. A line counts when it is whole: what a stopped build wrote of its last line
is cut off when the build goes on.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from distortion_graph.base.errors import DatasetError, OutputError
from distortion_graph.datasets.layout import JOURNAL_FILE

FORMAT = "distortion-graph build 1"


class Journal:
    """Lines by kind and picture, found by their place in the file and not kept in memory.

    A later line of the same kind and picture counts instead of an earlier one. Only one process
    may have a journal open (`claim`). Use it as a context manager. Raises OutputError where a line
    cannot be written; the journal then ends with the last whole one.
    """

    def __init__(self, root: Path) -> None:
        self.path = root / JOURNAL_FILE
        self.header: Mapping[str, Any] | None = None
        self._places: dict[tuple[str, str], int] = {}
        try:
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o666)
            with self.path.open("rb") as stream:
                self._end = self._load(stream)
            os.ftruncate(self._file, self._end)
            # Opened after the cut: the other one may have read ahead what is no longer there.
            self._reader = self.path.open("rb")
        except OSError as e:
            raise OutputError(f"{self.path}: cannot be written ({e.strerror})") from e

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self._reader.close()
        os.close(self._file)

    def _load(self, stream: BinaryIO) -> int:
        """Find the lines; the end of the last whole one."""
        end = 0
        for line in stream:
            try:
                value = json.loads(line) if line.endswith(b"\n") else None
            except ValueError:
                value = None
            if not isinstance(value, dict):
                break
            if end == 0:
                self.header = value
                if value.get("format") != FORMAT:
                    raise DatasetError(
                        f"{self.path}: found {value.get('format')!r:.60}, expected {FORMAT!r}; it "
                        "was written by another version of the program: build into a new folder"
                    )
            else:
                self._places[str(value.get("kind")), str(value.get("stem"))] = end
            end += len(line)
        return end

    def begin(self, header: Mapping[str, Any]) -> None:
        """Write the first line."""
        self.header = {"format": FORMAT, **header}
        self._append(self.header)

    def add(self, kind: str, stem: str, facts: Mapping[str, Any], *, durable: bool = True) -> None:
        """Write a line and, where it is to be `durable`, let it reach the disk."""
        line = {"kind": kind, "stem": stem, **facts}
        self._places[kind, stem] = self._append(line, durable)

    def get(self, kind: str, stem: str) -> dict[str, Any] | None:
        """The facts of the line of this kind and picture."""
        place = self._places.get((kind, stem))
        if place is None:
            return None
        self._reader.seek(place)
        value: dict[str, Any] = json.loads(self._reader.readline())
        return value

    def has(self, kind: str, stem: str | None = None) -> bool:
        """Whether there is a line of this kind, for this picture or for any."""
        if stem is None:
            return any(other == kind for other, _ in self._places)
        return (kind, stem) in self._places

    def forget(self, kind: str, stem: str) -> None:
        """Take a picture as if it had no line of this kind, until the journal is opened again."""
        self._places.pop((kind, stem), None)

    def _append(self, value: Mapping[str, Any], durable: bool = True) -> int:
        start = self._end
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        data = text.encode("utf-8", "surrogatepass") + b"\n"
        try:
            os.lseek(self._file, start, os.SEEK_SET)
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(self._file, rest) :]
            if durable:
                os.fsync(self._file)
        except OSError as e:
            os.ftruncate(self._file, start)
            raise OutputError(f"{self.path}: cannot be written ({e.strerror})") from e
        self._end += len(data)
        return start
