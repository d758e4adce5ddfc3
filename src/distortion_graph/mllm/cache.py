"""Answers by the content of what was asked, so that asking again costs nothing.

    <folder>/ab/abcd….json   what came of a request
    <folder>/ab/abcd….sent   the request is under way, or was when its process was killed

Nobody can know whether a request that was under way at a kill has been answered and paid, so it is
not sent again unless one says so.
"""

from __future__ import annotations

import json
import os
import socket
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock
from typing import Any, Literal, get_args

from distortion_graph.errors import OutputError
from distortion_graph.files import atomic_write_text
from distortion_graph.mllm.messages import (
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
        self._lock = Lock()
        self._ours: dict[str, Lock] = {}

    def asking(self, digest: str) -> Lock:
        """A lock to hold while a request is looked up and asked, so no two threads ask it."""
        with self._lock:
            return self._ours.setdefault(digest, Lock())

    def get(self, digest: str) -> Outcome | None:
        """What came of a request; None where nothing is kept, or nothing that can be read."""
        try:
            return _outcome(json.loads(self._path(digest, "json").read_text("utf-8")))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def put(self, digest: str, outcome: Outcome) -> None:
        """Keep what came of a request; it is no longer under way."""
        kind = "reply" if isinstance(outcome, Reply) else "too much"
        value = {"version": _VERSION, kind: asdict(outcome)}
        path = self._path(digest, "json")
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic_write_text(path, json.dumps(value, indent=1) + "\n")
        self.forget(digest)

    def begin(self, digest: str, *, again: bool = False) -> None:
        """Note that a request is about to be sent.

        Raises UnderWayError where such a note is there already, unless `again`, and OutputError
        for a folder that cannot be written.
        """
        path = self._path(digest, "sent")
        note = json.dumps({"host": socket.gethostname(), "pid": os.getpid()})
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("w" if again else "x", encoding="utf-8") as stream:
                stream.write(note + "\n")
        except FileExistsError:
            raise UnderWayError(
                f"{path}: the request is under way, or was when an earlier run was killed; it may "
                "have been paid and is not sent again without --ask-again"
            ) from None
        except OSError as error:
            raise OutputError(
                f"{path}: cannot be written ({error.strerror}); choose another --cache"
            ) from error

    def forget(self, digest: str) -> None:
        """The request is no longer under way."""
        self._path(digest, "sent").unlink(missing_ok=True)

    def under_way(self) -> list[str]:
        """Digests of requests that are, or were when their process was killed."""
        return sorted(path.stem for path in self.folder.glob("??/*.sent"))

    def _path(self, digest: str, suffix: str) -> Path:
        return self.folder / digest[:2] / f"{digest}.{suffix}"


def _outcome(value: Any) -> Outcome:
    """Raises KeyError, TypeError or ValueError for what this version did not write."""
    if value["version"] != _VERSION:
        raise ValueError(value["version"])
    if "too much" in value:
        found = TooMuch(**value["too much"])
        if found.what not in _REFUSALS:
            raise ValueError(found.what)
        return found
    reply = Reply(**{**value["reply"], "usage": Usage(**value["reply"]["usage"])})
    if reply.finish not in get_args(Finish) or not isinstance(reply.text, str):
        raise ValueError(reply.finish)
    return reply
