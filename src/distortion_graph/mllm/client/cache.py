"""Answers by the content of what was asked, so that asking again costs nothing.

    <folder>/ab/abcd….json   what came of a request
    <folder>/ab/abcd….sent   the request is under way, or was when its process was killed

Nobody can know whether a request that was under way at a kill has been answered and paid, so it is
not sent again unless one says so.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import socket
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock
from typing import Any, Literal, get_args
from weakref import WeakValueDictionary

from filelock import FileLock

from distortion_graph.base.errors import OutputError
from distortion_graph.base.files import atomic_write_text
from distortion_graph.mllm.client.messages import (
    ContextTooLongError,
    EndpointError,
    Finish,
    ImageTooLargeError,
    Reply,
    Usage,
)

_VERSION = 1
Refusal = Literal["context too long", "image too large"]
_REFUSALS: dict[str, type[ContextTooLongError | ImageTooLargeError]] = {
    "context too long": ContextTooLongError,
    "image too large": ImageTooLargeError,
}

# Of all caches in this process, since several may share a folder.
_ASKING: WeakValueDictionary[str, Lock] = WeakValueDictionary()
_ASKING_LOCK = Lock()


class UnderWayError(EndpointError):
    """Another process is asking this, or was when it was killed."""


@dataclass(frozen=True)
class TooMuch:
    """The endpoint took the request for too long or too large; it would do so again."""

    what: Refusal
    text: str

    def error(self) -> ContextTooLongError | ImageTooLargeError:
        """To be raised."""
        return _REFUSALS[self.what](self.text)


Outcome = Reply | TooMuch
"""What can be kept of a request."""


def default_folder() -> Path:
    """The user's own cache folder for answers."""
    from platformdirs import user_cache_path

    return user_cache_path("distortion-graph", appauthor=False) / "mllm"


class ReplyCache:
    """A folder of outcomes; any number of threads and processes may share it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._notes: dict[str, str] = {}

    def asking(self, digest: str) -> Lock:
        """A lock to hold while a request is looked up and asked, so no two threads ask it."""
        path = os.path.realpath(self._path(digest, "sent"))
        with _ASKING_LOCK:
            return _ASKING.setdefault(path, Lock())

    def get(self, digest: str) -> Outcome | None:
        """What came of a request; None where nothing is kept, or nothing that can be read."""
        try:
            return _outcome(json.loads(self._path(digest, "json").read_text("utf-8")))
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None

    def put(self, digest: str, outcome: Outcome) -> None:
        """Keep what came of a request; it is no longer under way. Raises OutputError."""
        kind = "reply" if isinstance(outcome, Reply) else "too much"
        kept = {kind: asdict(outcome)}
        value = {"version": _VERSION, "sha256": _sha256(kept), **kept}
        path = self._path(digest, "json")
        with _writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            atomic_write_text(path, json.dumps(value, indent=1) + "\n")
            self._path(digest, "sent").unlink(missing_ok=True)
        self._notes.pop(digest, None)

    def begin(self, digest: str, *, again_before: float = -1.0) -> None:
        """Note that a request is about to be sent.

        Raises UnderWayError where there is a note of another process, unless it was made before
        `again_before` (seconds since 1970), and OutputError for a folder that cannot be written.
        """
        path = self._path(digest, "sent")
        note = {"host": socket.gethostname(), "pid": os.getpid(), "time": time.time()}
        text = json.dumps({**note, "token": secrets.token_hex(8)}) + "\n"
        with _writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            if not _create(path, text):
                # One process at a time, so that no two of them take over the same note.
                with FileLock(self.folder / ".again.lock"):
                    _check_note(path, again_before)
                    atomic_write_text(path, text)
        self._notes[digest] = text

    def forget(self, digest: str) -> None:
        """The request that `begin` noted has failed and is no longer under way."""
        path, note = self._path(digest, "sent"), self._notes.pop(digest, None)
        with contextlib.suppress(OSError):
            if path.read_text("utf-8") == note:
                path.unlink()

    def under_way(self) -> list[str]:
        """Digests of requests that are, or were when their process was killed."""
        noted = {path.stem for path in self.folder.glob("??/*.sent")}
        return sorted(digest for digest in noted if self.get(digest) is None)

    def _path(self, digest: str, suffix: str) -> Path:
        return self.folder / digest[:2] / f"{digest}.{suffix}"


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Turn the system's errors into one line that names `path`."""
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"{path}: cannot be written ({error.strerror}); choose another --cache"
        ) from error


def _create(path: Path, text: str) -> bool:
    """Write a new file, to the disk; False where it is there already."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    except FileExistsError:
        return False
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    return True


def _check_note(path: Path, again_before: float) -> None:
    """Raise UnderWayError for a note that was not made before."""
    since, who = time.time(), "another process"
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
        since = path.stat().st_mtime
        note = json.loads(path.read_text("utf-8"))
        since, who = float(note["time"]), f"process {int(note['pid'])} on {note['host']}"
    if since > again_before:
        raise UnderWayError(
            f"{path}: the request is under way ({who}), or was when an earlier run was killed; it "
            "may have been paid and is not sent again without --ask-again"
        )


def _sha256(kept: Any) -> str:
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()


def _outcome(value: Any) -> Outcome:
    """Raises KeyError, TypeError or ValueError for what this version did not write."""
    kept = {key: value[key] for key in ("reply", "too much") if key in value}
    if value["version"] != _VERSION or value["sha256"] != _sha256(kept):
        raise ValueError("of another version, or damaged")
    if "too much" in kept:
        outcome = TooMuch(**kept["too much"])
        if outcome.what not in _REFUSALS:
            raise ValueError(outcome.what)
        return outcome
    reply = Reply(**{**kept["reply"], "usage": Usage(**kept["reply"]["usage"])})
    if reply.finish not in get_args(Finish) or not isinstance(reply.text, str):
        raise ValueError(reply.finish)
    return reply
