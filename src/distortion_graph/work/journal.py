"""What a run has finished, on the disk, so that the same run goes on where it was stopped.

    with Journal(folder / "journal.jsonl", "my run 1", advice="choose a new folder") as journal:
        journal.begin({"model": model.id, "pairs": digest})
        left = [pair for pair in pairs if not journal.has("done", pair.id)]
        for pair, result in executor.run(work, left):
            journal.add("done", pair.id, {"score": result.score})

The file has a JSON line for each thing that was done, behind a header line that says what run it
is of. It is only added to. A line counts when it is whole: what a killed run wrote of its last line
is cut off when the journal is opened again.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, Self

from distortion_graph.base.errors import OutputError, WorkError

_LOCKED_BYTE = 1 << 40
"""On Windows a byte is locked, and nobody may read it: one far behind the end."""


class Journal:
    """Facts by kind and name of a task, found by their place in the file and not kept in memory.

    A *kind* says what became of the task, such as "done" or "failed"; a later line of the same kind
    and name counts instead of an earlier one. Only one writer may have a journal open; it is the
    system's lock, which ends with the process, however that ends. Use it as a context manager.

    `header` is the first line, None where there is none yet.
    """

    def __init__(self, path: Path, form: str, *, named: str = "task", advice: str) -> None:
        """Open the journal, or make an empty one.

        Args:
            path: the file.
            form: what kind of journal it is, with a version: another one is refused.
            named: the member of a line that holds the task's name.
            advice: what a user can do where the journal is refused, as in "choose a new folder".

        Raises WorkError for a file of another form and where another process has it open,
        OutputError where it cannot be written.
        """
        self.path = path
        self.header: Mapping[str, Any] | None = None
        self._form, self._named, self._advice = form, named, advice
        self._places: dict[tuple[str, str], int] = {}
        self._end = 0
        binary: int = getattr(os, "O_BINARY", 0)  # elsewhere than on Windows every file is
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | binary, 0o666)
            try:
                self._open()
            except BaseException:
                os.close(self._file)
                raise
        except OSError as e:
            raise OutputError(f"{path}: cannot be written ({e.strerror})") from e

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._reader.close()
        os.close(self._file)

    def begin(self, run: Mapping[str, Any]) -> None:
        """Write the header, or make sure that the one there says the same of its run.

        Raises WorkError that names the first member that differs.
        """
        header: dict[str, Any] = json.loads(_line({"format": self._form, **run}))
        if self.header is None:
            self._append(header)
            self.header = header
        elif difference := first_difference(self.header, header):
            raise WorkError(
                f"{self.path}: is of a run with {difference}; give the same options, or "
                f"{self._advice}"
            )

    def add(self, kind: str, name: str, facts: Mapping[str, Any], *, durable: bool = True) -> None:
        """Write a line and, where it is to be `durable`, let it reach the disk.

        Raises OutputError where it cannot be written; the journal then ends with the line before.
        """
        line = {"kind": kind, self._named: name, **facts}
        self._places[kind, name] = self._append(line, durable)

    def get(self, kind: str, name: str) -> dict[str, Any] | None:
        """The whole line of this kind and name; None where there is none."""
        place = self._places.get((kind, name))
        if place is None:
            return None
        self._reader.seek(place)
        line: dict[str, Any] = json.loads(self._reader.readline())
        return line

    def has(self, kind: str, name: str | None = None) -> bool:
        """Whether there is a line of this kind, with this name or with any."""
        if name is None:
            return any(other == kind for other, _ in self._places)
        return (kind, name) in self._places

    def forget(self, kind: str, name: str) -> None:
        """Act as if there were no line of this kind and name, until the journal is opened again."""
        self._places.pop((kind, name), None)

    def _open(self) -> None:
        """Lock the file, find its lines and cut off what is behind the last whole one."""
        try:
            _lock(self._file)
        except (BlockingIOError, PermissionError) as e:
            raise WorkError(
                f"{self.path}: another process is writing to it; wait until it is done"
            ) from e
        with self.path.open("rb") as stream:
            self._load(stream)
        os.ftruncate(self._file, self._end)
        # Opened after the cut: the other one may have read ahead what is no longer there.
        self._reader = self.path.open("rb")

    def _load(self, stream: BinaryIO) -> None:
        for line in stream:
            value = _whole(line)
            if self._end == 0:
                self._check_header(line, value)
                self.header = value
            elif value is not None:
                name = str(value.get("kind")), str(value.get(self._named))
                self._places[name] = self._end
            if value is None:
                break
            self._end += len(line)

    def _check_header(self, line: bytes, value: dict[str, Any] | None) -> None:
        """Refuse another journal and any other file, but not a header that was cut off."""
        if value is None:
            begins = _line({"format": self._form}).removesuffix(b"}\n")
            left = line.rstrip(b"\0\n")  # a power cut may leave zeros
            if left.startswith(begins) or begins.startswith(left):
                return
        there = line.decode("utf-8", "replace") if value is None else value.get("format")
        if value is None or there != self._form:
            raise WorkError(
                f"{self.path}: found {there!r:.60}, expected {self._form!r}; it was written by "
                f"another version of the program, or by another one: {self._advice}"
            )

    def _append(self, value: Mapping[str, Any], durable: bool = True) -> int:
        """Write a line behind the last one; where it begins."""
        start, data = self._end, _line(value)
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


def first_difference(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """The first member that differs, as in "--seed 0, now it is 1"; "" where none does."""
    for name in [*before, *(n for n in now if n not in before)]:
        old, new = before.get(name), now.get(name)
        if old != new:
            try:
                return f"{name} {_short(old)}, now it is {_short(new)}"
            except RecursionError:
                return f"another {name}, which is nested too deeply to be shown"
    return ""


def _short(value: Any) -> str:
    if isinstance(value, dict):
        return ",".join(f"{key}={_short(part)}" for key, part in value.items())
    if isinstance(value, list):
        return ",".join(_short(part) for part in value)
    text = "none" if value is None else value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 80 else text[:79] + "…"


def _line(value: Mapping[str, Any]) -> bytes:
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8", "surrogatepass") + b"\n"


def _whole(line: bytes) -> dict[str, Any] | None:
    """The object of a line; None for one that was cut off or is none."""
    try:
        value = json.loads(line) if line.endswith(b"\n") else None
    except (ValueError, RecursionError):
        value = None
    return value if isinstance(value, dict) else None


def _lock(file: int) -> None:
    """Hold a file until it is closed; raises OSError where another one holds it."""
    if sys.platform == "win32":
        import msvcrt

        os.lseek(file, _LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
